"""Forms of planning periods."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.workplan.models.periods import (
    FigureKind,
    GoalFigure,
    PeriodGoal,
    PlanPeriod,
)
from xuezheng.domains.workplan.services import periods
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.indicators.definitions import INDICATORS


class PeriodForm(forms.Form):
    """A period; goals may be taken from an earlier one."""

    title = forms.CharField(label=_("规划期名称"), max_length=60)
    first_year = forms.IntegerField(label=_("起始年"), min_value=1990, max_value=2100)
    last_year = forms.IntegerField(label=_("结束年"), min_value=1990, max_value=2100)
    copy_from = forms.ModelChoiceField(
        PlanPeriod.objects.none(), label=_("沿用目标自"), required=False
    )

    def __init__(self, *args: Any, organisation: Organisation, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.organisation, self.actor = organisation, actor
        self.fields["copy_from"].queryset = PlanPeriod.objects.visible_to(actor).filter(
            organisation=organisation
        )

    def save(self) -> PlanPeriod:
        """Begin the period."""
        return periods.set_period(
            organisation=self.organisation, by=self.actor, **self.cleaned_data
        )


class GoalForm(forms.ModelForm):
    """A goal of a period."""

    indicator = forms.ChoiceField(label=_("系统指标"), required=False)

    class Meta:
        model = PeriodGoal
        fields = ("title", "unit", "indicator", "higher_is_better", "base_value", "base_source")

    def __init__(self, *args: Any, period: PlanPeriod, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.period, self.actor = period, actor
        self.fields["indicator"].choices = [
            ("", _("人工填报")),
            *((key, row.label) for key, row in sorted(INDICATORS.items())),
        ]

    def _post_clean(self) -> None:
        """The service says what is wrong; the row is made there."""

    def save(self) -> PeriodGoal:
        """Add the goal."""
        return periods.add_goal(period=self.period, by=self.actor, **self.cleaned_data)


class FigureForm(forms.Form):
    """A target or an actual of one year."""

    kind = forms.ChoiceField(label=_("类别"), choices=FigureKind.choices)
    year = forms.IntegerField(label=_("年份"), min_value=1990, max_value=2100)
    value = forms.FloatField(label=_("数值"))
    source = forms.CharField(label=_("来源或调整理由"), max_length=200)
    break_note = forms.CharField(label=_("口径变化说明"), max_length=200, required=False)

    def __init__(self, *args: Any, goal: PeriodGoal, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.goal, self.actor = goal, actor

    def save(self) -> GoalFigure:
        """Enter the figure."""
        data = self.cleaned_data | {"kind": FigureKind(self.cleaned_data["kind"])}
        return periods.enter_figure(goal=self.goal, by=self.actor, **data)
