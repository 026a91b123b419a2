"""Forms of service areas: an area with its lines, looking an address up."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.forms.seasons import ReasonMixin
from xuezheng.domains.admissions.models import Season, Zone
from xuezheng.domains.admissions.models.zones import SIDES
from xuezheng.domains.admissions.rules.zones import Place
from xuezheng.domains.admissions.services.zoning import Line
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.ui.forms import NumberInput
from xuezheng.registry.models import Community


class ZoneForm(ReasonMixin):
    """Code, name and schools of an area."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    code = forms.CharField(label=gettext_lazy("编号"), max_length=20)
    name = forms.CharField(label=gettext_lazy("服务区"), max_length=60)
    schools = forms.ModelMultipleChoiceField(
        Organisation.objects.none(), label=gettext_lazy("学校"),
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    field_order = ("code", "name", "schools", "reason", "version")

    def __init__(self, *args: Any, season: Season, zone: Zone | None, **kwargs: Any):
        if zone:
            kwargs["initial"] = {
                "code": zone.code,
                "name": zone.name,
                "schools": list(zone.schools.values_list("id", flat=True)),
                "version": zone.version,
            }
        super().__init__(*args, **kwargs)
        schools = Organisation.objects.filter(intakes__season=season, intakes__mode="zone")
        self.fields["schools"].queryset = schools.order_by("order", "id")
        self.ask_reason(season)


class LineForm(forms.Form):
    """One line of an area."""

    community = forms.TypedChoiceField(label=gettext_lazy("社区（村）"), coerce=int)
    road = forms.CharField(label=gettext_lazy("道路或自然村"), max_length=40, required=False)
    side = forms.ChoiceField(label=gettext_lazy("单双号"), choices=SIDES, required=False)
    first = forms.IntegerField(
        label=gettext_lazy("起始号"), min_value=0, max_value=99_999, required=False,
        widget=NumberInput,
    )  # fmt: skip
    last = forms.IntegerField(
        label=gettext_lazy("截止号"), min_value=0, max_value=99_999, required=False,
        widget=NumberInput,
    )  # fmt: skip
    buildings = forms.CharField(label=gettext_lazy("幢"), max_length=200, required=False)

    def __init__(self, *args: Any, communities: list[tuple[Any, str]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["community"].choices = communities
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label

    def clean(self) -> dict[str, Any]:
        """Sides and numbers belong to a road, and run forward."""
        data = super().clean()
        first, last = data.get("first"), data.get("last")
        narrowed = data.get("side") or first is not None or last is not None
        if (narrowed or data.get("buildings")) and not data.get("road"):
            self.add_error("road", _("写了单双号、号段或幢，就要写道路。"))
        if first is not None and last is not None and last < first:
            self.add_error("last", _("截止号不能小于起始号。"))
        return data

    @property
    def line(self) -> Line:
        """What the service takes."""
        data = self.cleaned_data
        return Line(
            community_id=data["community"],
            road=data["road"],
            side=data["side"],
            first=data["first"],
            last=data["last"],
            buildings=split_buildings(data["buildings"]),
        )


def split_buildings(text: str) -> tuple[str, ...]:
    """`3、5，7` -> ("3", "5", "7")."""
    for mark in "、，; ；":
        text = text.replace(mark, ",")
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


LineTable = forms.formset_factory(LineForm, extra=3, can_delete=True)


def community_choices() -> list[tuple[Any, str]]:
    """Every community, with its town where two have one name (one query)."""
    rows = list(Community.objects.select_related("town").order_by("town__order", "code"))
    return [("", "—"), *((row.id, f"{row.town} · {row.name}") for row in rows)]


class AddressForm(forms.Form):
    """An address, typed by anybody: the community first, then its road, number, building."""

    season = forms.TypedChoiceField(label=gettext_lazy("入学批次"), coerce=int)
    community = forms.TypedChoiceField(label=gettext_lazy("社区（村）"), coerce=str)
    road = forms.ChoiceField(label=gettext_lazy("道路或自然村"), required=False)
    number = forms.IntegerField(
        label=gettext_lazy("门牌号"), required=False, min_value=0, max_value=99_999,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "off"}),
        help_text=gettext_lazy("只写数字，例如 12。"),
    )  # fmt: skip
    building = forms.CharField(
        label=gettext_lazy("幢"), required=False, max_length=12,
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip
    room = forms.CharField(
        label=gettext_lazy("室"), required=False, max_length=12,
        widget=forms.TextInput({"autocomplete": "off"}),
    )  # fmt: skip

    def __init__(
        self, *args: Any, seasons: list[Season], roads: list[str] | None, with_room: bool,
        **kwargs: Any,
    ):  # fmt: skip
        super().__init__(*args, **kwargs)
        self.fields["season"].choices = [(season.id, season.title) for season in seasons]
        if len(seasons) == 1:
            self.fields["season"].initial = seasons[0].id
            self.fields["season"].widget = forms.HiddenInput()
        rows = Community.objects.select_related("town").order_by("town__order", "code")
        groups: dict[str, list[tuple[str, str]]] = {}
        for row in rows:
            groups.setdefault(str(row.town), []).append((row.code, row.name))
        self.fields["community"].choices = [("", _("请选择")), *groups.items()]
        if roads is None:
            for name in ("road", "number", "building", "room"):
                del self.fields[name]
            return
        self.fields["road"].choices = [("", _("请选择")), *((road, road) for road in roads)]
        if not with_room:
            del self.fields["room"]

    @property
    def place(self) -> Place:
        """The address as the rules see it."""
        data = self.cleaned_data
        return Place(
            data["community"], data.get("road", ""), data.get("number"),
            # People write the word for a building after its number.
            re.sub(r"[^\x00-\x7f]+$", "", data.get("building", "").strip()),
        )  # fmt: skip
