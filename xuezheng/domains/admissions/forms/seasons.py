"""Forms of the season desk: a season, its days, places, redirections, opening it."""

from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.models import Intake, RuleSet, Season
from xuezheng.domains.admissions.models.seasons import LEVELS
from xuezheng.domains.admissions.services.seasons import DAYS, TEXTS, PlanLine, day_problems
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.forms import DateInput, NumberInput

#: Steps of redirection that a full school may have.
TARGETS = 5
REASON = gettext_lazy("登记已经开始，修改要写理由，留在审计记录里。")


class MomentInput(forms.DateTimeInput):
    """The browser's own field for a day with its hour, in the district's zone."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class ReasonMixin(forms.Form):
    """Asks why, once families register."""

    reason = forms.CharField(
        label=gettext_lazy("修改理由"), required=False, max_length=200, help_text=REASON
    )

    def ask_reason(self, season: Season) -> None:
        """Keep the field only where it is needed."""
        if season.state == Season.State.PREPARING:
            del self.fields["reason"]
        else:
            self.fields["reason"].required = True

    @property
    def why(self) -> str:
        """What was written."""
        return self.cleaned_data.get("reason", "")


class SeasonAddForm(forms.Form):
    """A season from nothing."""

    level = forms.ChoiceField(label=gettext_lazy("学段"), choices=LEVELS)
    year = forms.IntegerField(
        label=gettext_lazy("年份"), min_value=2000, max_value=2100, widget=NumberInput
    )
    title = forms.CharField(label=gettext_lazy("名称"), max_length=120)


class SeasonCopyForm(forms.Form):
    """The year of a season that begins like an earlier one."""

    year = forms.IntegerField(
        label=gettext_lazy("年份"), min_value=2000, max_value=2100, widget=NumberInput
    )
    title = forms.CharField(label=gettext_lazy("名称"), max_length=120)


class SeasonForm(ReasonMixin, forms.ModelForm):
    """Days, mechanism, guide, telephone."""

    field_order = ("title", "phone", *DAYS, "register_by", "mechanism", "guide", "reason")
    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Season
        fields = (*TEXTS, *DAYS, "register_by")
        widgets = {
            "opens_at": MomentInput,
            "closes_at": MomentInput,
            **{name: DateInput for name in (*DAYS[2:], "register_by")},
            "guide": forms.Textarea({"rows": 10}),
        }
        help_texts = {
            "register_by": gettext_lazy("户籍在这一天以前迁入的按在籍对待；不写则不限。"),
            "confirm_until": gettext_lazy("民办学校、幼儿园录取后由家长确认；没有就不写。"),
            "guide": gettext_lazy("写给家长看：招生对象、材料、流程；报名先后不影响录取。"),
        }

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        self.ask_reason(self.instance)

    def clean(self) -> dict[str, Any]:
        """Each day stands after the one before."""
        data = super().clean()
        for name, text in day_problems(data).items():
            self.add_error(name, text)
        return data

    def _post_clean(self) -> None:
        """The instance is changed by the service alone."""

    @property
    def values(self) -> dict[str, Any]:
        """What the service takes."""
        return {name: self.cleaned_data[name] for name in (*TEXTS, *DAYS, "register_by")}


class IntakeForm(forms.Form):
    """A line of the table of places."""

    school = forms.ModelChoiceField(Organisation.objects.none(), label=gettext_lazy("学校"))
    places = forms.IntegerField(
        label=gettext_lazy("计划学位"), min_value=0, max_value=5000, widget=NumberInput
    )
    classes = forms.IntegerField(
        label=gettext_lazy("计划班数"), min_value=0, max_value=200, widget=NumberInput
    )
    mode = forms.ChoiceField(label=gettext_lazy("方式"), choices=Intake.Mode.choices)
    draw_when_over = forms.BooleanField(label=gettext_lazy("超额摇号"), required=False)

    def __init__(self, *args: Any, schools: list[Organisation], **kwargs: Any):
        super().__init__(*args, **kwargs)
        # One list of choices for all lines: a query and a queryset for each would cost a page.
        self.fields["school"] = forms.TypedChoiceField(
            label=_("学校"),
            choices=[("", "—"), *((school.id, str(school)) for school in schools)],
            coerce=int,
        )
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label


class IntakeFormSet(forms.BaseFormSet):
    """The table of places."""

    deletion_widget = forms.CheckboxInput

    def lines(self) -> list[PlanLine]:
        """What the service takes; empty and deleted lines are left out."""
        return [
            PlanLine(
                school_id=data["school"],
                places=data["places"],
                classes=data["classes"],
                mode=data["mode"],
                draw_when_over=data["draw_when_over"],
            )
            for form in self.forms
            if (data := form.cleaned_data) and not data.get("DELETE")
        ]


IntakeTable = forms.formset_factory(IntakeForm, IntakeFormSet, extra=2, can_delete=True)


class TableReasonForm(ReasonMixin):
    """Version and reason of a table that is edited as a whole."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, season: Season, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = season.version
        self.ask_reason(season)


class RedirectionForm(ReasonMixin):
    """Where a full school sends children on to, in order."""

    def __init__(self, *args: Any, intake: Intake, **kwargs: Any):
        super().__init__(*args, **kwargs)
        others = intake.season.intakes.filter(mode=Intake.Mode.ZONE).exclude(pk=intake.pk)
        choices = [("", "—"), *((o.id, str(o.school)) for o in others.select_related("school"))]
        present = list(intake.redirections.values_list("target_id", flat=True))
        for rank in range(1, TARGETS + 1):
            self.fields[f"target_{rank}"] = forms.TypedChoiceField(
                label=_("第 %d 去向") % rank,
                choices=choices,
                coerce=int,
                empty_value=None,
                required=False,
                initial=present[rank - 1] if rank <= len(present) else None,
            )
        self.ask_reason(intake.season)
        if "reason" in self.fields:
            self.order_fields([name for name in self.fields if name != "reason"])

    @property
    def targets(self) -> list[int]:
        """Ids of intakes, first rank first."""
        given = (self.cleaned_data[f"target_{rank}"] for rank in range(1, TARGETS + 1))
        return [target for target in given if target]


class ChooseRulesForm(forms.Form):
    """Which adopted rule set a season uses."""

    rule_set = forms.ModelChoiceField(
        RuleSet.objects.none(), label=gettext_lazy("录取规则"), empty_label=None,
        help_text=gettext_lazy("只列出这个学段已经通过的规则。"),
    )  # fmt: skip

    def __init__(self, *args: Any, season: Season, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["rule_set"].queryset = RuleSet.objects.filter(
            organisation=season.organisation, level=season.level, adopted_on__isnull=False
        )
        self.fields["rule_set"].initial = season.rule_set_id


class OpenForm(forms.Form):
    """Why a season opens though some addresses have no area, or two."""

    reason = forms.CharField(
        label=gettext_lazy("有例外仍要开放的理由"), required=False, max_length=200,
        help_text=gettext_lazy("没有例外就不写。"),
    )  # fmt: skip


class RuleSetStartForm(forms.Form):
    """Name, level, and what a new rule set begins from."""

    name = forms.CharField(
        label=gettext_lazy("规则名称"), max_length=80,
        help_text=gettext_lazy("用同一名称就是它的新版本。"),
    )  # fmt: skip
    level = forms.ChoiceField(label=gettext_lazy("学段"), choices=LEVELS)
    start = forms.ChoiceField(label=gettext_lazy("从哪套规则开始"))

    def __init__(self, *args: Any, starts: list[tuple[str, Any]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["start"].choices = starts


class AdoptForm(forms.Form):
    """The meeting that adopted a rule set."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    meeting_number = forms.CharField(label=gettext_lazy("会议编号"), max_length=60)
    adopted_on = forms.DateField(
        label=gettext_lazy("通过日"), widget=DateInput, initial=timezone.localdate
    )
