"""Forms of freezing, drawing, allocating."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import F, Func, QuerySet, TextField, Value
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Allocation, Intake, Leaf, RollEntry, Season, Zone
from xuezheng.domains.admissions.services.allocating import AreaChange, WhatIf
from xuezheng.kernel.ui.forms import NumberInput
from xuezheng.kernel.ui.words import WordsFilter

#: Rows of a what-if about areas; more than these at once nobody can read.
AREAS = 3


class ReasonForm(forms.Form):
    """A reason; `needed` false where none has to be given."""

    reason = forms.CharField(
        label=_("理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, needed: bool = True, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needed


class WitnessedForm(ReasonForm):
    """A reason before witnesses."""

    witnesses = forms.CharField(label=_("见证人"), max_length=200)


class CommitForm(forms.Form):
    """Which public values of the future go in, and whether this is a rehearsal."""

    sources = forms.CharField(
        label=_("公开值来源"),
        required=False,
        max_length=600,
        help_text=_(
            "每行一个，写明哪个数、哪一天公布，须在抽签之后才知道，例如“6月18日上证指数收盘”。"
        ),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    rehearsal = forms.BooleanField(label=_("演练（不算数）"), required=False)

    def clean_sources(self) -> list[str]:
        """One source a line."""
        lines = [line.strip() for line in self.cleaned_data["sources"].splitlines()]
        return [line[:120] for line in lines if line]


class DigitForm(forms.Form):
    """One digit, and who drew it."""

    place = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    digit = forms.CharField(
        label=_("抽出的数字"),
        max_length=1,
        widget=forms.TextInput(
            attrs={
                "inputmode": "numeric",
                "pattern": "[0-9]",
                "autocomplete": "off",
                "autofocus": True,
                "class": "stage-input",
            }
        ),
    )
    who = forms.CharField(label=_("抽出人（座位号）"), max_length=40)
    witnesses = forms.CharField(label=_("见证人"), max_length=200, required=False)


class ValueForm(forms.Form):
    """A public value, once it is known."""

    index = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    value = forms.CharField(label=_("公开值"), max_length=120)


class NoteForm(forms.Form):
    """A line of the minutes."""

    text = forms.CharField(
        label=_("记录"), max_length=400, widget=forms.Textarea(attrs={"rows": 2})
    )
    witnesses = forms.CharField(label=_("见证人"), max_length=200, required=False)


class OpenForm(forms.Form):
    """Opening the secret before witnesses."""

    witnesses = forms.CharField(label=_("见证人"), max_length=200)


class WhatIfForm(forms.Form):
    """Other places, another mechanism, other schools of areas."""

    name = forms.CharField(label=_("假设名称"), max_length=120)
    mechanism = forms.ChoiceField(label=_("分配方式"), required=False)

    def __init__(self, *args: Any, season: Season, **kwargs: Any):
        super().__init__(*args, **kwargs)
        mechanisms = Season._meta.get_field("mechanism").choices
        self.fields["mechanism"].choices = [("", _("与正式分配相同")), *mechanisms]
        self.intakes = list(Intake.objects.filter(season=season).select_related("school"))
        for intake in self.intakes:
            self.fields[f"places_{intake.pk}"] = forms.IntegerField(
                label=intake.school.name, min_value=0, max_value=5000, initial=intake.places,
                required=False, widget=NumberInput(),
            )  # fmt: skip
        zones = [("", "–"), *Zone.objects.filter(season=season).values_list("id", "name")]
        schools = [
            ("", "–"),
            *(
                (row.school_id, row.school.name)
                for row in self.intakes
                if row.mode == Intake.Mode.ZONE
            ),
        ]
        for n in range(AREAS):
            self.fields[f"zone_{n}"] = forms.ChoiceField(
                label=_("服务区"), choices=zones, required=False
            )
            self.fields[f"school_{n}"] = forms.ChoiceField(
                label=_("学校"), choices=schools, required=False
            )
            self.fields[f"replace_{n}"] = forms.BooleanField(
                label=_("改划（原学校不再服务该片）"), required=False
            )

    @property
    def place_fields(self) -> list[forms.BoundField]:
        """One field a school."""
        return [self[f"places_{intake.pk}"] for intake in self.intakes]

    @property
    def area_rows(self) -> list[list[forms.BoundField]]:
        """Area, school, whether it replaces."""
        return [
            [self[f"{name}_{n}"] for name in ("zone", "school", "replace")] for n in range(AREAS)
        ]

    def what_if(self) -> WhatIf:
        """What was asked; places that stand as planned are left out."""
        given = self.cleaned_data
        places = {
            intake.pk: given[f"places_{intake.pk}"]
            for intake in self.intakes
            if given[f"places_{intake.pk}"] not in (None, intake.places)
        }
        areas = [
            AreaChange(int(given[f"zone_{n}"]), int(given[f"school_{n}"]), given[f"replace_{n}"])
            for n in range(AREAS)
            if given[f"zone_{n}"] and given[f"school_{n}"]
        ]
        return WhatIf(given["name"], given["mechanism"], places, areas)


class LeafFilter(filters.FilterSet):
    """Children of a run by school, code, or (for those who may see the roll) by name or number."""

    school = filters.ChoiceFilter(label=_("结果"), method="by_school")
    code = filters.CharFilter(label=_("登记代码"), method="by_code")
    q = WordsFilter(label=_("姓名、拼音首字母、证件后四位或完整号码"))

    class Meta:
        model = Leaf
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, allocation: Allocation, names: dict[str, str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.assigned = allocation.result["assignments"]
        self.filters["school"].extra["choices"] = [*names.items(), ("-", _("本轮未录取"))]
        if not self.request.actor.can(Permission.SEE):
            del self.filters["q"]

    def by_school(self, rows: QuerySet, name: str, school: str) -> QuerySet:
        """Placed at a school, or nowhere."""
        wanted = None if school == "-" else school
        return rows.filter(code__in=[c for c, s in self.assigned.items() if s == wanted])

    def by_code(self, rows: QuerySet, name: str, code: str) -> QuerySet:
        """The child of a code."""
        return rows.filter(code=code.strip().upper())

    def by_words(self, rows: QuerySet, name: str, words: str) -> QuerySet:
        """Children on the roll whom the reader may see."""
        entries = RollEntry.objects.visible_to(self.request.actor).search(words)
        return rows.filter(application__entry__in=entries)


def children_of(allocation: Allocation) -> QuerySet[Leaf]:
    """The lines of a run's children, each with its `code`."""
    code = Func(F("text"), Value(" "), Value(1), function="split_part", output_field=TextField())
    rows = Leaf.objects.filter(freeze=allocation.freeze).annotate(code=code).order_by("index")
    return rows.filter(code__in=list(allocation.result["assignments"]))
