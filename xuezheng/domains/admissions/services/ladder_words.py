"""A ladder in sentences that a parent can read, and what is wrong with one that is being written."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.domains.admissions.models import Application
from xuezheng.domains.admissions.rules.ladder import CONDITIONS, ORDERS, BadRules, Ladder

#: Name of a condition -> its words; %(…)s stands for the parameter's words.
CONDITION_WORDS = {
    "register_in_zone": gettext_lazy("户籍在服务区内"),
    "register_in_town": gettext_lazy("户籍在本镇街"),
    "register_in_district": gettext_lazy("户籍在本区"),
    "register_by": gettext_lazy("户籍迁入不晚于 %(day)s"),
    "registered_since_birth": gettext_lazy("自出生落户"),
    "home_in_zone": gettext_lazy("住宅在服务区内"),
    "home_in_town": gettext_lazy("住宅在本镇街"),
    "owner_is": gettext_lazy("房产人是%(whose)s"),
    "share_at_least": gettext_lazy("家庭份额不少于 %(percent)s%%"),
    "share_above": gettext_lazy("家庭份额超过 %(percent)s%%"),
    "title_is": gettext_lazy("凭证是%(kinds)s"),
    "title_by": gettext_lazy("凭证日期不晚于 %(day)s"),
    "title_after": gettext_lazy("凭证日期晚于 %(day)s"),
    "same_address": gettext_lazy("户籍和房产同一地址"),
    "parents_own_no_home": gettext_lazy("父母名下无房"),
    "residence_permit": gettext_lazy("持有居住证"),
    "permit_by": gettext_lazy("居住证签发不晚于 %(day)s"),
    "points_at_least": gettext_lazy("积分不低于 %(points)s 分"),
    "reserved": gettext_lazy("在政策照顾名单上（%(lists)s）"),
    "sibling_at_school": gettext_lazy("有兄姐在校"),
    "staff_child": gettext_lazy("本校教工子女"),
    "own_primary": gettext_lazy("本校小学部毕业"),
    "dwelling_free": gettext_lazy("住房未被锁定（兄弟姐妹除外）"),
    "registered_survey": gettext_lazy("参加过摸底登记"),
}
ORDER_WORDS = {
    "register_date": gettext_lazy("落户日期早的在前"),
    "title_date": gettext_lazy("房产凭证日期早的在前"),
    "permit_date": gettext_lazy("居住证签发早的在前"),
    "points": gettext_lazy("积分高的在前"),
    "sibling_first": gettext_lazy("有兄姐在校的在前"),
    "lottery": gettext_lazy("抽签"),
}
#: Lists that departments hand in; a district may write others by their code.
LIST_WORDS = {
    "policy": gettext_lazy("政策照顾"),
    "martyr": gettext_lazy("烈士、因公牺牲人员子女"),
    "military": gettext_lazy("现役军人子女"),
    "fire": gettext_lazy("消防救援人员子女"),
    "police": gettext_lazy("公安英模子女"),
    "medical": gettext_lazy("一线医务人员子女"),
    "talent": gettext_lazy("引进人才子女"),
}
PARAMETER_WORDS = {
    "day": gettext_lazy("日期"),
    "percent": gettext_lazy("份额（%）"),
    "points": gettext_lazy("积分"),
    "whose": gettext_lazy("房产人"),
    "kinds": gettext_lazy("凭证"),
    "lists": gettext_lazy("名单"),
}


def parameter_of(name: str) -> str:
    """The one parameter of a condition; "" for none."""
    return next(iter(CONDITIONS[name][0]), "")


def choices_of(parameter: str) -> dict[str, Any]:
    """Code -> words of a parameter that takes several codes; empty for a day or number."""
    if parameter == "whose":
        return dict(Application.Owner.choices)
    if parameter == "kinds":
        return {code: label for code, label in Application.Title.choices if code}
    return dict(LIST_WORDS) if parameter == "lists" else {}


def default_of(parameter: str) -> Any:
    """What a new condition starts with."""
    if parameter == "day":
        return timezone.localdate().replace(month=8, day=31).isoformat()
    if parameter in {"percent", "points"}:
        return 50
    return list(choices_of(parameter))[1:2] if parameter else None


def condition_words(condition: Mapping[str, Any]) -> str:
    """One condition in words."""
    name = condition["is"]
    parameter = parameter_of(name)
    if not parameter:
        return str(CONDITION_WORDS[name])
    value = condition[parameter]
    if isinstance(value, list):
        words = choices_of(parameter)
        value = "、".join(str(words.get(code, code)) for code in value)
    return str(CONDITION_WORDS[name]) % {parameter: value}


def tier_words(tier: Mapping[str, Any]) -> str:
    """A tier as one sentence: who belongs to it, and the order inside it."""
    conditions = "，".join(condition_words(each) for each in tier.get("all", []))
    order = tier.get("order", [])
    measures = [str(ORDER_WORDS[name]) for name in order]
    if "lottery" not in order:
        measures.append(_("再相同的抽签"))
    return _("%(code)s %(label)s：%(conditions)s。同顺位%(order)s。") % {
        "code": tier["code"],
        "label": tier["label"],
        "conditions": conditions or _("其他所有人"),
        "order": "，".join(measures),
    }


def ladder_sentences(data: Mapping[str, Any]) -> list[str]:
    """Every tier of a ladder as a sentence, from the first to the last."""
    return [tier_words(tier) for tier in data.get("tiers", [])]


def ladder_problems(data: Mapping[str, Any]) -> list[str]:
    """What is wrong with a ladder, each with the tier and condition that it is about."""
    found, codes = [], set()
    tiers = data.get("tiers", [])
    if not tiers:
        return [_("至少要有一个顺位。")]
    for number, tier in enumerate(tiers, start=1):
        where = _("第 %d 顺位") % number
        if not tier.get("code") or not tier.get("label"):
            found.append(_("%s：代码和名称都要写。") % where)
        if tier.get("code") in codes:
            found.append(
                _("%(where)s：代码 %(code)s 前面用过了。") % {"where": where, "code": tier["code"]}
            )
        codes.add(tier.get("code"))
        for condition in tier.get("all", []):
            if problem := _condition_problem(condition):
                words = str(CONDITION_WORDS.get(condition.get("is", ""), condition.get("is", "")))
                found.append(
                    _("%(where)s“%(condition)s”：%(problem)s")
                    % {
                        "where": where,
                        "condition": re.sub(r" ?%\(\w+\)s(%%)?", "", words),
                        "problem": problem,
                    }
                )
        for name in tier.get("order", []):
            if name not in ORDERS:
                found.append(
                    _("%(where)s：不认识的排序 %(name)s。") % {"where": where, "name": name}
                )
    if not found:
        try:
            Ladder.read(data)
        except BadRules as bad:
            found.append(_("规则不能使用：%s") % bad)
    return found


def _condition_problem(condition: Mapping[str, Any]) -> str:
    name = condition.get("is")
    if name not in CONDITIONS:
        return _("不认识的条件。")
    parameter = parameter_of(name)
    value = condition.get(parameter) if parameter else None
    if parameter == "day":
        try:
            dt.date.fromisoformat(str(value))
        except ValueError:
            return _("要写一个日期。")
    elif parameter == "percent" and not (isinstance(value, int) and 0 <= value <= 100):
        return _("要写 0 到 100 的整数。")
    elif parameter == "points" and not (isinstance(value, int) and value >= 0):
        return _("要写一个整数。")
    elif parameter in {"whose", "kinds", "lists"} and not value:
        return _("至少选一项。")
    return ""
