"""Forms of quarterly scores: the sheet's steps, points by hand, contests, corrections."""

from typing import Any

import django_filters as filters
from django import forms
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.models import ScoreEvent, ScoreSheet
from xuezheng.domains.workplan.scoring_flows import SCORE_SHEET
from xuezheng.domains.workplan.services import scoring
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.cases import StepPage
from xuezheng.kernel.ui.forms import NumberInput
from xuezheng.kernel.ui.steps import StepForm
from xuezheng.kernel.ui.uploads import UploadsField

#: Most files of one contest.
MOST_FILES = 5


def _note(label: Any, *, required: bool) -> forms.CharField:
    return forms.CharField(
        label=label, required=required, max_length=500, widget=forms.Textarea({"rows": 3})
    )


class _Plain(StepForm):
    """A step with an optional remark."""

    service: Any = None
    note = _note(_("说明（可不填）"), required=False)

    def save(self) -> Any:
        """Take the step."""
        data = self.cleaned_data
        return type(self).service(
            self.row, note=data["note"], version=data["version"], by=self.actor
        )


class _Reasoned(_Plain):
    """A step that needs a reason."""

    note = _note(_("理由"), required=True)


class ShowForm(_Plain):
    service = scoring.show


class SubmitForm(_Plain):
    service = scoring.submit


class PublishForm(_Plain):
    service = scoring.publish


class RefuseForm(_Reasoned):
    service = scoring.refuse


class WithdrawForm(_Reasoned):
    service = scoring.withdraw


class StrikeForm(_Reasoned):
    service = scoring.strike


class UpholdForm(_Reasoned):
    service = scoring.uphold


SHEET_FORMS = {
    "show": StepPage(ShowForm, ("show",), _("交科室核对")),
    "submit": StepPage(SubmitForm, ("submit",), _("报局长审定")),
    "publish": StepPage(PublishForm, ("publish",), _("审定并公布")),
    "refuse": StepPage(RefuseForm, ("refuse",), _("不同意，退回")),
    "withdraw": StepPage(WithdrawForm, ("withdraw",), _("撤回")),
}
CONTEST_FORMS = {
    "strike": StepPage(StrikeForm, ("strike",), _("剔除这一项")),
    "uphold": StepPage(UpholdForm, ("uphold",), _("维持这一项")),
}


class HandForm(forms.Form):
    """Points by hand, with reason and document."""

    office = forms.ModelChoiceField(Organisation.objects.none(), label=_("科室"))
    points = forms.IntegerField(
        label=_("分值"), widget=NumberInput, help_text=_("加分填正数，减分填负数。")
    )
    reason = _note(_("理由"), required=True)
    document = forms.FileField(label=_("依据文件"))

    def __init__(self, *args: Any, sheet: ScoreSheet, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.sheet, self.actor = sheet, actor
        self.fields["office"].queryset = Organisation.objects.filter(
            id__in=sheet.lines.values("office")
        )

    def save(self) -> ScoreEvent:
        """Enter them; a second person confirms."""
        return scoring.add_by_hand(self.sheet, by=self.actor, **self.cleaned_data)


class ContestForm(forms.Form):
    """Why an event should not count, with evidence."""

    reason = _note(_("异议理由"), required=True)
    evidence = UploadsField(label=_("佐证材料"), maximum=MOST_FILES)

    def __init__(self, *args: Any, event: ScoreEvent, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.event, self.actor = event, actor

    def save(self) -> Any:
        """Open the contest."""
        return scoring.contest(self.event, by=self.actor, **self.cleaned_data)


class CorrectForm(forms.Form):
    """Why a published sheet needs a new version."""

    reason = forms.CharField(
        label=_("更正理由"), max_length=300, widget=forms.Textarea({"rows": 3})
    )

    def __init__(self, *args: Any, sheet: ScoreSheet, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.sheet, self.actor = sheet, actor

    def save(self) -> ScoreSheet:
        """Open the new version."""
        return scoring.correct(self.sheet, reason=self.cleaned_data["reason"], by=self.actor)


class ScoreFilter(filters.FilterSet):
    """By year, quarter and state."""

    state = filters.ChoiceFilter(
        label=_("状态"), choices=[(key, s.label) for key, s in SCORE_SHEET.states.items()]
    )
    year = filters.NumberFilter(label=_("年度"), widget=NumberInput)
    quarter = filters.ChoiceFilter(label=_("季度"), choices=[(n, n) for n in range(1, 5)])

    class Meta:
        model = ScoreSheet
        fields = ()
