"""Forms of the roll: which season, follow-ups, reviews, requests beside the regular way."""

from django import forms
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.services import paths, reviews, tracing
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.forms import DateInput
from xuezheng.kernel.ui.steps import StepForm
from xuezheng.kernel.ui.uploads import UploadsField

AREA = forms.Textarea({"rows": 3})


class ReportForm(StepForm):
    """What became of the child, with proof."""

    outcome = forms.ChoiceField(
        label=_("去向"),
        choices=[(key.value, key.label) for key in tracing.REPORTABLE],
        widget=forms.RadioSelect,
    )
    proof = forms.CharField(
        label=_("证明"),
        required=False,
        max_length=200,
        help_text=_("例如：在读证明（某区某小学，2026年9月2日）；在外地就读必须有。"),
    )
    note = forms.CharField(
        label=_("怎样联系、结果如何"), max_length=500, widget=forms.Textarea({"rows": 3})
    )
    uploads = UploadsField(label=_("证明照片或文件"), required=False, maximum=6)

    def save(self) -> None:
        """Report."""
        data = self.cleaned_data
        tracing.report(
            self.row,
            outcome=data["outcome"],
            proof=data["proof"],
            note=data["note"],
            uploads=data["uploads"],
            version=data["version"],
            by=self.actor,
        )


class SettleForm(StepForm):
    note = forms.CharField(label=_("核定意见"), required=False, max_length=500, widget=AREA)

    def save(self) -> None:
        """Accept."""
        data = self.cleaned_data
        tracing.settle(self.row, note=data["note"], version=data["version"], by=self.actor)


class SendBackForm(StepForm):
    note = forms.CharField(label=_("还要查什么"), max_length=500, widget=AREA)

    def save(self) -> None:
        """Give back."""
        data = self.cleaned_data
        tracing.send_back(self.row, note=data["note"], version=data["version"], by=self.actor)


FOLLOW_UP_FORMS = {
    "report": StepPage(ReportForm, ("report",), _("报告去向")),
    "settle": StepPage(SettleForm, ("settle",), _("核定去向")),
    "return": StepPage(SendBackForm, ("return",), _("退回再查")),
}


class UpholdForm(StepForm):
    note = forms.CharField(label=_("答复（家长会看到）"), max_length=1000, widget=AREA)

    def save(self) -> None:
        """Uphold."""
        data = self.cleaned_data
        reviews.uphold(self.row, note=data["note"], version=data["version"], by=self.actor)


class ChangeForm(StepForm):
    note = forms.CharField(
        label=_("错在哪里、怎样更正（家长会看到）"),
        max_length=1000,
        widget=AREA,
        help_text=_("这里不直接安排学位：更正意见交给学位分配人员，按规则重新分配。"),
    )

    def save(self) -> None:
        """Change."""
        data = self.cleaned_data
        reviews.change(self.row, note=data["note"], version=data["version"], by=self.actor)


REVIEW_FORMS = {
    "uphold": StepPage(UpholdForm, ("uphold",), _("维持原结果")),
    "change": StepPage(ChangeForm, ("change",), _("更正结果")),
}


class ExamineForm(StepForm):
    """The opinion, which is sealed."""

    opinion = forms.CharField(
        label=_("审核（专家委员会）意见"),
        max_length=1800,
        widget=forms.Textarea({"rows": 5}),
        help_text=_("加密保存，只在这一页、只给审核人和决定人看。"),
    )
    until = forms.DateField(
        label=_("建议缓到哪一天"), required=False, widget=DateInput, help_text=_("只用于缓学。")
    )
    uploads = UploadsField(label=_("材料"), required=False, maximum=6)

    def save(self) -> None:
        """Write the opinion."""
        data = self.cleaned_data
        paths.examine(
            self.row,
            opinion=data["opinion"],
            until=data["until"],
            uploads=data["uploads"],
            version=data["version"],
            by=self.actor,
        )


class GrantForm(StepForm):
    note = forms.CharField(
        label=_("决定书上的话（家长会看到）"), required=False, max_length=500, widget=AREA
    )

    def save(self) -> None:
        """Grant."""
        data = self.cleaned_data
        paths.grant(self.row, note=data["note"], version=data["version"], by=self.actor)


class RefusePathForm(StepForm):
    note = forms.CharField(label=_("不同意的理由（家长会看到）"), max_length=500, widget=AREA)

    def save(self) -> None:
        """Refuse."""
        data = self.cleaned_data
        paths.refuse(self.row, note=data["note"], version=data["version"], by=self.actor)


PATH_FORMS = {
    "examine": StepPage(ExamineForm, ("examine",), _("写审核意见")),
    "grant": StepPage(GrantForm, ("grant",), _("同意")),
    "refuse": StepPage(RefusePathForm, ("refuse",), _("不同意")),
}


class NoticeForm(forms.Form):
    """The code on a notice of admission."""

    code = forms.CharField(label=_("通知书验证码"), max_length=40)
