"""Forms of the verifier: one for each step, handing over, guardians."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.services import checking
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.steps import StepForm

NOTE = {"rows": 3}


class VerifyForm(StepForm):
    note = forms.CharField(label=_("备注"), required=False, max_length=300)

    def save(self) -> None:
        """Verify."""
        data = self.cleaned_data
        checking.verify(self.row, note=data["note"], version=data["version"], by=self.actor)


class ReturnForm(StepForm):
    """All faults at once: ticks of the list, and words of one's own."""

    faults = forms.MultipleChoiceField(
        label=_("须补正的内容（一次列全）"), required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label=_("还需要说明的"),
        required=False,
        max_length=500,
        widget=forms.Textarea(NOTE),
        help_text=_("家长会看到这段话；不写其他人的信息。"),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        settings = checking.settings_of(self.row)
        self.fields["faults"].choices = checking.reasons(settings, "fault_reasons")

    def save(self) -> None:
        """Give back."""
        data = self.cleaned_data
        checking.return_all(
            self.row,
            faults=[{"code": code} for code in data["faults"]],
            note=data["note"],
            version=data["version"],
            by=self.actor,
        )


class RefuseForm(StepForm):
    reason = forms.ChoiceField(label=_("理由"), widget=forms.RadioSelect)
    note = forms.CharField(
        label=_("补充说明"), required=False, max_length=500, widget=forms.Textarea(NOTE)
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        settings = checking.settings_of(self.row)
        self.fields["reason"].choices = checking.reasons(settings, "refusal_reasons")

    def save(self) -> None:
        """Refuse."""
        data = self.cleaned_data
        reason = dict(self.fields["reason"].choices)[data["reason"]]
        checking.refuse(
            self.row,
            note="。".join(filter(None, (reason, data["note"]))),
            version=data["version"],
            by=self.actor,
        )


class ReopenForm(StepForm):
    note = forms.CharField(label=_("为什么重新核验"), max_length=500, widget=forms.Textarea(NOTE))

    def save(self) -> None:
        """Open again."""
        data = self.cleaned_data
        checking.reopen(self.row, note=data["note"], version=data["version"], by=self.actor)


#: URL name of a step -> how it is taken on the page.
STEP_FORMS = {
    "verify": StepPage(VerifyForm, ("verify",), _("核验通过")),
    "return": StepPage(ReturnForm, ("return",), _("一次告知补正")),
    "refuse": StepPage(RefuseForm, ("refuse",), _("不予受理")),
    "reopen": StepPage(ReopenForm, ("reopen",), _("重新核验")),
}


class HandOverForm(forms.Form):
    """To whom, and why."""

    organisation = forms.ModelChoiceField(Organisation.objects.none(), label=_("转交给"))
    note = forms.CharField(label=_("理由"), max_length=300)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, application: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.application = application
        self.actor = actor
        self.fields["organisation"].queryset = checking.receivers(application)
        self.fields["version"].initial = application.case.version

    def save(self) -> None:
        """Hand over."""
        data = self.cleaned_data
        checking.hand_over(
            self.application,
            organisation_id=data["organisation"].id,
            note=data["note"],
            version=data["version"],
            by=self.actor,
        )


class PartyForm(forms.Form):
    """Whether somebody is a guardian, by which paper."""

    party = forms.IntegerField(widget=forms.HiddenInput)
    confirmed = forms.ChoiceField(
        label=_("核对结论"),
        choices=[("yes", _("是监护人，可以查看登记")), ("no", _("不是监护人"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(label=_("依据哪份证明"), min_length=2, max_length=200)


class BulkForm(forms.Form):
    """Verify what registers confirmed; the applications are looked up anew when it is sent."""

    sure = forms.BooleanField(label=_("已了解：抽查件会留在队列里，由人工核验"))
