"""Forms of this system.  Each step of a hazard has one; `save` calls one service."""

import uuid

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.oversight import services
from xuezheng.domains.oversight.access import Permission
from xuezheng.domains.oversight.models import GRADES, Hazard
from xuezheng.domains.oversight.rules import Grade
from xuezheng.domains.oversight.selectors import categories, hazard_settings
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.steps import StepForm
from xuezheng.kernel.ui.uploads import UploadsField
from xuezheng.registry.organisations import SITE_KINDS


class ReportForm(forms.Form):
    """What a person who sees something dangerous is asked, on a phone, in one page."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=_("单位"))
    category = forms.ChoiceField(label=_("哪一类隐患"))
    place = forms.CharField(
        label=_("在哪里"), max_length=80, help_text=_("例如：教学楼三楼东侧走廊")
    )
    description = forms.CharField(
        label=_("什么情况"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写看到的情况，不写个人姓名。"),
    )
    photos = UploadsField(
        label=_("照片"), help_text=_("至少一张，最多六张；照片里尽量不拍到学生正面。"), maximum=6
    )
    immediate_danger = forms.BooleanField(label=_("眼下就有危险，已先停用或隔离"), required=False)
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args, actor: Actor, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor = actor
        own = actor.scope(Permission.REPORT).organisations
        sites = Organisation.objects.filter(
            id__within=own, kind__in=SITE_KINDS, closed__isnull=True
        )
        self.fields["organisation"].queryset = sites
        choices = list(sites[:2])
        if len(choices) == 1:
            # One site: nothing to choose.
            self.fields["organisation"].initial = choices[0]
            self.fields["organisation"].widget = forms.HiddenInput()
        self.fields["category"].choices = categories(
            hazard_settings(timezone.localdate(), self.actor.authority_code)
        )

    def save(self) -> Hazard:
        """Report the hazard."""
        data = self.cleaned_data
        return services.report_hazard(
            organisation_id=data["organisation"].id,
            category=data["category"],
            place=data["place"],
            description=data["description"],
            immediate_danger=data["immediate_danger"],
            photos=data["photos"],
            key=data["key"],
            by=self.actor,
        )


class GradeForm(StepForm):
    """Grade, category, and a term when it is not the usual one."""

    grade = forms.ChoiceField(label=_("等级"), choices=GRADES, widget=forms.RadioSelect)
    category = forms.ChoiceField(label=_("隐患类别"))
    due_on = forms.DateField(
        label=_("整改期限"),
        required=False,
        widget=DateInput,
        help_text=_("不填则按规定天数；晚于规定须写理由。"),
    )
    stop_use = forms.BooleanField(label=_("整改完成前停止使用"), required=False)
    note = forms.CharField(
        label=_("整改要求"), required=False, max_length=500, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["category"].choices = categories(
            hazard_settings(timezone.localdate(), self.actor.authority_code)
        )
        self.fields["category"].initial = self.row.category

    def save(self) -> None:
        """Grade the hazard."""
        data = self.cleaned_data
        services.grade_hazard(
            self.row,
            grade=Grade(data["grade"]),
            category=data["category"],
            due_on=data["due_on"],
            stop_use=data["stop_use"],
            note=data["note"],
            version=data["version"],
            by=self.actor,
        )


class DismissForm(StepForm):
    note = forms.CharField(
        label=_("不予立案的理由"), max_length=500, widget=forms.Textarea({"rows": 3})
    )

    def save(self) -> None:
        """Close the report."""
        data = self.cleaned_data
        services.dismiss_hazard(self.row, note=data["note"], version=data["version"], by=self.actor)


class RectifyForm(StepForm):
    note = forms.CharField(
        label=_("怎么整改的"), max_length=500, widget=forms.Textarea({"rows": 3})
    )
    photos = UploadsField(label=_("整改后照片"), maximum=6)

    def save(self) -> None:
        """Report the rectification."""
        data = self.cleaned_data
        services.rectify_hazard(
            self.row,
            note=data["note"],
            photos=data["photos"],
            version=data["version"],
            by=self.actor,
        )


class RecheckForm(StepForm):
    passed = forms.ChoiceField(
        label=_("复查结论"),
        choices=[("yes", _("通过")), ("no", _("不通过，退回继续整改"))],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(
        label=_("复查情况"), required=False, max_length=500, widget=forms.Textarea({"rows": 3})
    )
    photos = UploadsField(label=_("现场照片"), maximum=6, required=False)

    def clean(self) -> dict:
        """A failed re-check must say what is still wrong."""
        data = super().clean()
        if data.get("passed") == "no" and not data.get("note", "").strip():
            raise ValidationError({"note": _("不通过时请写明还有什么问题。")})
        return data

    def save(self) -> None:
        """Record the re-check."""
        data = self.cleaned_data
        services.recheck_hazard(
            self.row,
            passed=data["passed"] == "yes",
            note=data["note"],
            photos=data["photos"],
            version=data["version"],
            by=self.actor,
        )


class ReleaseForm(StepForm):
    note = forms.CharField(
        label=_("摘牌意见"), required=False, max_length=500, widget=forms.Textarea({"rows": 2})
    )

    def save(self) -> None:
        """Release and close the major hazard."""
        data = self.cleaned_data
        services.release_hazard(self.row, note=data["note"], version=data["version"], by=self.actor)


#: URL name of a step -> how it is taken on the page.
STEP_FORMS = {
    "grade": StepPage(GradeForm, ("grade",), _("定级并交办")),
    "dismiss": StepPage(DismissForm, ("dismiss",), _("不予立案")),
    "rectify": StepPage(RectifyForm, ("rectify",), _("报告已整改")),
    "recheck": StepPage(RecheckForm, ("pass", "pass_major", "fail"), _("记录复查结论")),
    "release": StepPage(ReleaseForm, ("release",), _("摘牌销号")),
}
