"""The right column of the review page: what registers say, beside what the registration holds."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from xuezheng.domains.admissions.answers import Answers
from xuezheng.domains.admissions.models import Application, Check, Choice
from xuezheng.domains.admissions.registers.asking import connected
from xuezheng.domains.admissions.registers.base import CONFIRMS
from xuezheng.domains.admissions.services import checking, twins
from xuezheng.domains.admissions.services.standing import (
    OWN_CODE,
    REDIRECTED,
    Circumstances,
)
from xuezheng.domains.admissions.words import CUSTODY, FACTS
from xuezheng.kernel.ui.templatetags.ui import day
from xuezheng.registry.codes import masked
from xuezheng.registry.models import Community, Dwelling


@dataclass(frozen=True)
class Fact:
    """One line: what about, in words; `same` is None where there is nothing to compare."""

    label: Any
    words: str
    same: bool | None


@dataclass(frozen=True)
class Said:
    """One register: state in words, its facts; why it is asked, whether it may be asked again."""

    register: str
    label: Any
    state: str
    state_words: str
    needed: bool
    facts: list[Fact]
    answered_at: dt.datetime | None
    may_ask: bool


def registers(application: Application) -> list[Said]:
    """Every register that was asked or whose word is needed."""
    needed = checking.needed(application)
    checks = {check.register: check for check in application.checks.all()}
    communities = dict(Community.objects.values_list("code", "name"))
    reachable = connected()
    found = []
    for register, label in Check.Register.choices:
        check = checks.get(register)
        if check is None and register not in needed:
            continue
        silent = check is None or check.state in (Check.State.NO_ANSWER, Check.State.NOT_FOUND)
        found.append(
            Said(
                register=register,
                label=label,
                state=check.state if check else "none",
                state_words=check.get_state_display() if check else _("没有查询"),
                needed=register in needed,
                facts=_facts(application, check, communities) if check else [],
                answered_at=check.answered_at if check else None,
                may_ask=silent
                and register in reachable
                and application.state in checking.OPEN
                and checking.can_be_asked(application, register),
            )
        )
    return found


def _facts(application: Application, check: Check, communities: Mapping[str, str]) -> list[Fact]:
    said = json.loads(check.answer)
    compared = CONFIRMS.get(check.register, ())
    return [
        Fact(
            FACTS[key],
            in_words(key, said[key], communities),
            _same(application, key, said[key]) if key in compared else None,
        )
        for key in FACTS
        if key in said
    ]


def in_words(key: str, value: Any, communities: Mapping[str, str] | None = None) -> str:
    """A fact's value for a reader."""
    if isinstance(value, Mapping):
        number = value.get("number")
        parts = [
            (communities or {}).get(value.get("community", ""), ""),
            value.get("road", ""),
            _("%s号") % number if number else "",
            _("%s幢") % value["building"] if value.get("building") else "",
            _("%s室") % value["room"] if value.get("room") else "",
        ]
        return "".join(str(part) for part in parts)
    if isinstance(value, bool):
        return pgettext("fact", "是") if value else pgettext("fact", "否")
    if key.endswith("_date"):
        text = value if isinstance(value, str) else value.isoformat() if value else ""
        return str(day(dt.date.fromisoformat(text))) if text else "–"
    if key == "owner":
        return str(dict(Application.Owner.choices).get(value, value))
    if key == "title":
        return str(dict(Application.Title.choices).get(value, value))
    if key == "custody":
        return str(CUSTODY.get(value, value))
    return "–" if value in (None, "") else str(value)


def _same(application: Application, key: str, value: Any) -> bool:
    if key in ("register", "home"):
        return _same_address(getattr(application, f"{key}_dwelling"), value)
    # Registers write numbers and days each in its own way: understood as when they are stored.
    return getattr(application, key) == getattr(Answers.read({key: value}), key)


def _same_address(dwelling: Dwelling | None, value: Mapping[str, Any]) -> bool:
    """The parts that the register names are those of the registration."""
    if dwelling is None or dwelling.community.code != value.get("community"):
        return False
    return all(
        str(getattr(dwelling, part) or "") == str(value[part] or "")
        for part in ("road", "number", "building", "room")
        if part in value
    )


def said_by_family(application: Application) -> list[tuple[Any, str]]:
    """(label, words) of what the registration holds, for the left column."""
    rows: list[tuple[Any, str]] = [
        (FACTS["register"], str(application.register_dwelling or "–")),
        (FACTS["register_date"], in_words("register_date", application.register_date)),
        (FACTS["registered_since_birth"], in_words("", application.registered_since_birth)),
        (_("居住地址"), str(application.home_dwelling or "–")),
        (FACTS["owner"], application.get_owner_display()),
    ]
    if application.owner != Application.Owner.NONE:
        rows += [
            (FACTS["share"], f"{application.share}%"),
            (FACTS["title"], str(application.get_title_display())),
            (FACTS["title_date"], in_words("title_date", application.title_date)),
            (FACTS["residential"], in_words("", application.residential)),
        ]
    else:
        rows.append((FACTS["parents_own_no_home"], in_words("", application.parents_own_no_home)))
    if application.residence_permit:
        rows += [
            (FACTS["residence_permit"], pgettext("fact", "是")),
            (FACTS["permit_date"], in_words("permit_date", application.permit_date)),
            (FACTS["points"], in_words("points", application.points)),
        ]
    if application.sibling_id:
        rows.append((_("在读兄姐证件号码"), masked(application.sibling_id)))
    if application.sibling_school_id:
        rows.append((_("兄弟姐妹在读"), str(application.sibling_school)))
    if application.staff_school_id:
        rows.append((_("教职工子女"), str(application.staff_school)))
    if application.together:
        n = twins.found_partners(application)
        words = str(application.get_twin_wish_display() or _("希望同校"))
        others = (
            ngettext("已找到另外%(n)d个孩子的登记", "已找到另外%(n)d个孩子的登记", n) if n else ""
        )
        others = others % {"n": n} if n else _("还没有找到另一个孩子的登记")
        rows.append((_("双胞胎（多胞胎）"), f"{words}（{others}）"))
    elif application.twin_wish:
        rows.append((_("双胞胎（多胞胎）"), str(application.get_twin_wish_display())))
    return rows


@dataclass(frozen=True)
class Rung:
    """Where the child stands, or would stand, at one school of its list."""

    rank: int
    school: Any
    by_rule: bool
    words: str


def rungs(application: Application) -> list[Rung]:
    """The list of schools with the rung of each in words, worked out from what is held now.

    Queries: those of `Circumstances`, constant.  Without a rule set the rung is open.
    """
    choices = list(
        Choice.objects.filter(application=application)
        .select_related("intake__school")
        .order_by("rank")
    )
    pupil = application.entry.pupil_id
    circumstances = Circumstances(application.season, pupils=[pupil] if pupil else [])
    if circumstances.ladder is None:
        return [Rung(c.rank, c.intake.school, c.by_rule, _("录取规则未定")) for c in choices]
    school = circumstances.present.get(pupil)
    standing = {s.choice.pk: s for s in circumstances.stand(application, choices, school)}
    labels = {tier.code: tier.label for tier in circumstances.ladder.tiers}
    return [
        Rung(c.rank, c.intake.school, c.by_rule, _rung_words(standing.get(c.pk), labels, c))
        for c in choices
    ]


def _rung_words(standing: Any, labels: Mapping[str, str], choice: Choice) -> str:
    if standing is None:
        return _("不符合任何顺位")
    if choice.intake.draw_when_over:
        return _("本校直升") if standing.code == OWN_CODE else _("可报名，超额时摇号")
    if standing.code in labels:
        return _("第%(tier)d顺位：%(label)s") % {
            "tier": standing.tier,
            "label": labels[standing.code],
        }
    sent = standing.code.removeprefix(REDIRECTED)
    return _("分流生：%s") % labels.get(sent, sent)
