"""What a family is shown of its own registration: registers' answers, the area's schools, the way so far.

What a register holds is shown to whoever typed two names and two numbers: streets without numbers of
doors, and nothing but that it was found unless the police register names both as a family and no court
has given the child to one parent alone.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.answers import Address, Answers, Faults
from xuezheng.domains.admissions.models import Application, Check, Party, Season
from xuezheng.domains.admissions.rules.zones import Place
from xuezheng.domains.admissions.selectors import atlas, schools_of
from xuezheng.domains.admissions.services.drafting import OWNED, whole
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.registry.models import Community

#: The registers whose answer stands on a page of the draft.
REGISTERS_OF = {
    "register": (Check.Register.POLICE,),
    "home": (Check.Register.PROPERTY,),
    "more": (Check.Register.LABOUR,),
}


@dataclass(frozen=True)
class Box:
    """A register's answer: `state` of Check.State, `rows` of (label, value), `hidden`: no address here."""

    register: str
    source: str
    state: str
    at: dt.datetime | None
    rows: list[tuple[str, str]] = field(default_factory=list)
    hidden: bool = False


def may_show(given: Mapping[str, Any]) -> bool:
    """Whether addresses out of registers may be shown to this guardian."""
    checks = given.get("checks", {})
    police, civil = checks.get(Check.Register.POLICE, {}), checks.get(Check.Register.CIVIL, {})
    named = police.get("state") == Check.State.CONFIRMED and police["facts"].get("parents_named")
    return bool(named) and civil.get("facts", {}).get("custody") != "one"


def address_words(address: Mapping[str, Any], names: Mapping[str, str], *, masked: bool) -> str:
    """An address in one line; `masked`: building and room as stars."""
    words = [names.get(str(address.get("community")), ""), str(address.get("road") or "")]
    if address.get("number"):
        words.append(_("%(number)s%(suffix)s号") % {
            "number": address["number"], "suffix": address.get("suffix") or "",
        })  # fmt: skip
    for part, text in (("building", _("%s幢")), ("room", _("%s室"))):
        if address.get(part):
            words.append(text % ("**" if masked else address[part]))
    return " ".join(word for word in words if word)


def community_names(given: Mapping[str, Any]) -> dict[str, str]:
    """Names of the communities that a draft speaks of, by code (one query)."""
    data = whole(given)
    codes = {str((data.get(key) or {}).get("community", "")) for key in ("register", "home")}
    return dict(Community.objects.filter(code__in=codes).values_list("code", "name"))


def _titles() -> dict[str, str]:
    return {key: str(label) for key, label in Application.Title.choices}


def boxes(given: Mapping[str, Any], step: str) -> list[Box]:
    """Answers of the registers that concern a page."""
    made = []
    housing = given.get("housing")
    for register in REGISTERS_OF.get(step, ()):
        check = given.get("checks", {}).get(register)
        is_of_use = register != Check.Register.PROPERTY or housing in (None, "", *OWNED)
        if check and is_of_use:
            made.append(_box(given, register, check))
    return made


def _box(given: Mapping[str, Any], register: str, check: Mapping[str, Any]) -> Box:
    rows, hidden, facts = [], False, check.get("facts", {})
    if check["state"] == Check.State.CONFIRMED:
        hidden = not may_show(given)
        key = {Check.Register.POLICE: "register", Check.Register.PROPERTY: "home"}.get(register)
        if key and facts.get(key) and not hidden:
            label = _("户籍地址") if key == "register" else _("住房坐落")
            names = community_names(given)
            rows.append((label, address_words(facts[key], names, masked=True)))
        owners = {value: str(label) for value, label in Application.Owner.choices}
        for name, label, words in (
            ("register_date", _("落户日期"), str),
            ("owner", _("权利人"), lambda value: owners.get(value, "")),
            ("title", _("房产凭证"), lambda value: _titles().get(value, "")),
            ("permit_date", _("居住证签发日"), str),
            ("points", _("积分"), str),
        ):
            if facts.get(name) not in (None, "") and not hidden:
                rows.append((label, words(facts[name])))
    at = parse_datetime(check.get("answered_at") or check.get("asked_at") or "")
    return Box(register, str(Check.Register(register).label), check["state"], at, rows, hidden)


@dataclass(frozen=True)
class ZoneBox:
    """Schools of the service area of what was typed; `told` false: nothing can be said yet."""

    schools: list[Organisation]
    told: bool

    @property
    def words(self) -> str:
        """The schools in a line."""
        return "、".join(str(school) for school in self.schools)


def zone_box(season: Season, given: Mapping[str, Any]) -> ZoneBox:
    """Where an address leads, worked out anew at each change (three queries at most).

    Nothing is told from an address that a register gave and that may not be shown.
    """
    data = whole(given)
    try:
        answers = Answers.read({key: data.get(key) or {} for key in ("register", "home")})
    except Faults:
        return ZoneBox([], False)
    typed = {key: given.get(key) or {} for key in ("register", "home")}
    shown = may_show(given)
    addresses = [
        address
        for key, address in (("register", answers.register), ("home", answers.home))
        if address.road and (shown or typed[key] == data.get(key))
    ]
    if not addresses:
        return ZoneBox([], False)
    areas = atlas(season)
    zones = list(dict.fromkeys(z for a in addresses for z in areas.find(_place(a)).zones))
    by_zone = schools_of(zones) if zones else {}
    schools = {school.id: school for zone in zones for school in by_zone[zone]}
    return ZoneBox(list(schools.values()), True)


def _place(address: Address) -> Place:
    return Place(address.community, address.road, address.number, address.building)


def family_rows(rows: QuerySet[Application], actor: Actor) -> QuerySet[Application]:
    """Of visible applications those of the actor as a person: handed in, or confirmed as a guardian.

    Staff see others at their desks, not among their own children.
    """
    confirmed = Party.objects.filter(application=OuterRef("pk"), user=actor.user, confirmed=True)
    return rows.filter(Q(applicant=actor.user) | Exists(confirmed))


@dataclass(frozen=True)
class Milestone:
    """One of the four points of the way: `state` is done, now or later."""

    label: str
    state: str
    day: dt.date | None
    words: str


def way(application: Application) -> list[Milestone]:
    """提交 → 核验 → 结果 → 报到, with the days that are known."""
    season, state = application.season, application.state
    due = application.case.due
    is_checked = application.settled_on is not None or state in ("verified", "placed", "unplaced")
    is_over = state in ("withdrawn", "void", "declined", "absent")
    has_result = state in ("placed", "unplaced", "arrived", "declined", "absent")
    faulty = state == "correcting"
    checking_day = application.settled_on if is_checked else due
    checking_words = _("请补正") if faulty else _("已核验") if is_checked else _("最迟这天核验完")
    rows = [(_("提交"), True, application.submitted_on, _("已收到"))]
    rows.append((_("核验"), is_checked or has_result, checking_day, checking_words))
    rows.append((_("结果"), has_result, season.result_on, _("公布录取结果")))
    rows.append((_("报到"), state == "arrived", season.arrival_on, _("到录取学校报到")))
    made, waiting = [], not is_over
    for label, done, day, words in rows:
        now = not done and waiting
        made.append(Milestone(label, "done" if done else "now" if now else "later", day, words))
        waiting = waiting and done
    return made
