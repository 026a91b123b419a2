"""The counter's form: a whole registration on one page, with the keys of `answers.Answers`."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from xuezheng.domains.admissions.answers import Answers, Faults
from xuezheng.domains.admissions.forms.family import ADDRESS, communities
from xuezheng.domains.admissions.models import Application, Intake, PaperKind, Season
from xuezheng.domains.admissions.selectors import open_seasons
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.ui.forms import DateInput, NumberInput
from xuezheng.kernel.ui.uploads import UploadsField
from xuezheng.registry.models import Guardianship
from xuezheng.registry.models.people import IdKind, Sex

#: Field -> part of the page.
SECTIONS = (
    (_("孩子"), ("child_name", "id_kind", "id_number", "born_on", "sex")),
    (
        _("监护人"),
        (
            "guardian_name", "relation", "guardian_id", "phone",
            "second_name", "second_relation", "second_phone",
        ),
    ),
    (
        _("户籍"),
        (
            *(f"register__{part}" for part in ADDRESS),
            "register_date", "registered_since_birth",
        ),
    ),
    (
        _("居住和房产"),
        (
            *(f"home__{part}" for part in ADDRESS),
            "owner", "share", "title", "title_date", "residential", "parents_own_no_home",
            "grandparents_agreed",
        ),
    ),
    (_("其他情况"), ("residence_permit", "permit_date", "points", "sibling_id", "twin_wish", "together", "intakes")),
    (_("材料"), ("paper_kind", "papers")),
)  # fmt: skip
_PARTS = {
    "community": _("社区（村）"),
    "road": _("道路或自然村"),
    "number": _("门牌号"),
    "suffix": _("门牌附号"),
    "building": _("幢"),
    "room": _("室"),
}


class CounterForm(forms.Form):
    """Faults come from `Answers.checked`, the same for every way in; the telephone may be missing."""

    season = forms.ModelChoiceField(Season.objects.none(), label=_("招生批次"))
    channel = forms.ChoiceField(
        label=_("方式"),
        choices=[
            (Application.Channel.COUNTER, _("窗口代办（家长在场）")),
            (Application.Channel.PAPER, _("录入纸质表")),
        ],
        widget=forms.RadioSelect,
        initial=Application.Channel.COUNTER,
    )
    child_name = forms.CharField(label=_("孩子姓名"), max_length=60)
    id_kind = forms.ChoiceField(label=_("证件类型"), choices=IdKind)
    id_number = forms.CharField(label=_("证件号码"), max_length=30)
    born_on = forms.DateField(
        label=_("出生日期"),
        required=False,
        widget=DateInput,
        help_text=_("居民身份证不用填，由号码得出。"),
    )
    sex = forms.ChoiceField(label=_("性别"), required=False, choices=Sex)
    guardian_name = forms.CharField(label=_("监护人姓名"), max_length=60)
    relation = forms.ChoiceField(
        label=_("与孩子的关系"),
        choices=[("", _("请选择")), *Guardianship.Relation.choices],
    )
    guardian_id = forms.CharField(label=_("监护人证件号码"), required=False, max_length=30)
    phone = forms.CharField(
        label=_("手机号码"),
        required=False,
        max_length=20,
        help_text=_("没有手机的可以不填，凭回执编号到窗口查询。"),
    )
    second_name = forms.CharField(label=_("另一位监护人"), required=False, max_length=60)
    second_relation = forms.ChoiceField(
        label=_("另一位监护人与孩子的关系"),
        required=False,
        choices=[("", _("请选择")), *Guardianship.Relation.choices],
    )
    second_phone = forms.CharField(label=_("另一位监护人手机"), required=False, max_length=20)
    register_date = forms.DateField(label=_("落户日期"), required=False, widget=DateInput)
    registered_since_birth = forms.BooleanField(label=_("出生时就落户在这里"), required=False)
    owner = forms.ChoiceField(label=_("房产是谁的"), choices=Application.Owner)
    share = forms.IntegerField(label=_("父母和孩子的份额（%）"), required=False, widget=NumberInput)
    title = forms.ChoiceField(label=_("房产凭证"), required=False, choices=Application.Title)
    title_date = forms.DateField(label=_("凭证日期"), required=False, widget=DateInput)
    residential = forms.BooleanField(label=_("住宅"), required=False, initial=True)
    parents_own_no_home = forms.BooleanField(label=_("父母名下无房"), required=False)
    grandparents_agreed = forms.BooleanField(
        label=_("祖辈本人同意查询其房产（须签字）"), required=False
    )
    residence_permit = forms.BooleanField(label=_("持有居住证"), required=False)
    permit_date = forms.DateField(label=_("居住证签发日"), required=False, widget=DateInput)
    points = forms.IntegerField(label=_("积分"), required=False, widget=NumberInput)
    sibling_id = forms.CharField(
        label=_("在读哥哥姐姐的证件号码"),
        required=False,
        max_length=30,
        help_text=_("希望和哥哥姐姐同校的填写，由学校从学籍核对。"),
    )
    twin_wish = forms.ChoiceField(
        label=_("双胞胎（多胞胎）意愿"),
        required=False,
        choices=[("", _("不是双胞胎")), *Application.TwinWish.choices],
    )
    together = forms.CharField(
        label=_("其他孩子的证件号码"),
        required=False,
        max_length=120,
        help_text=_("希望同校时填写；三胞胎填两个，用空格隔开。"),
    )
    intakes = forms.MultipleChoiceField(
        label=_("民办学校、幼儿园志愿"), required=False, widget=forms.CheckboxSelectMultiple
    )
    paper_kind = forms.ChoiceField(
        label=_("材料种类"), required=False, choices=[("", _("请选择")), *PaperKind.choices]
    )
    papers = UploadsField(label=_("材料照片"), required=False, maximum=8)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.actor = actor
        places = communities()
        for outer in ("register", "home"):
            for part, label in _PARTS.items():
                self.fields[f"{outer}__{part}"] = _part_field(part, label, places)
        now = [season.id for season in open_seasons()]
        self.fields["season"].queryset = Season.objects.filter(id__in=now)
        if len(now) == 1:
            self.fields["season"].initial = now[0]
        chosen = [
            (str(intake.id), f"{intake.school} · {intake.season.title}")
            for intake in Intake.objects.filter(
                season__in=now, mode=Intake.Mode.CHOICE
            ).select_related("school", "season")
        ]
        self.fields["intakes"].choices = chosen
        if not chosen:
            del self.fields["intakes"]

    @property
    def sections(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields by part of the page."""
        return [
            (title, [self[name] for name in names if name in self.fields])
            for title, names in SECTIONS
        ]

    def clean(self) -> dict[str, Any]:
        """The whole registration, or all faults at once on their fields."""
        data = super().clean()
        try:
            self.answers = Answers.read(_as_answers(data)).checked(phone_needed=False)
        except Faults as faults:
            for key, text in faults.faults.items():
                name = key if key in self.fields else _ADDRESS_FIELD.get(key)
                if name not in self.errors:
                    self.add_error(name, text)
        if data.get("papers") and not data.get("paper_kind"):
            self.add_error("paper_kind", _("请选择这些照片是什么材料。"))
        return data


#: Faults of an address stand on its first part.
_ADDRESS_FIELD = {"home": "home__community", "register": "register__community"}


def _part_field(part: str, label: Any, places: list) -> forms.Field:
    if part == "community":
        return forms.ChoiceField(label=label, required=False, choices=places)
    if part == "number":
        return forms.IntegerField(label=label, required=False, min_value=0, widget=NumberInput)
    longest = 40 if part == "road" else 12
    return forms.CharField(label=label, required=False, max_length=longest)


def _as_answers(data: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for name, value in data.items():
        outer, sep, part = name.partition("__")
        if sep:
            held = answers.setdefault(outer, {})
            if value not in (None, ""):
                held[part] = value
        elif name not in {"season", "channel", "key", "papers", "paper_kind"}:
            answers[name] = value.isoformat() if isinstance(value, dt.date) else value
    return answers
