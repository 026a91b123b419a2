"""The reason of a result in a sentence with numbers, made from the codes and numbers of an offer."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from xuezheng.domains.admissions.models import Offer, RuleSet, Season
from xuezheng.domains.admissions.rules.ladder import NEVER
from xuezheng.domains.admissions.services.standing import (
    EVERYBODY_CODE,
    OWN_CODE,
    REDIRECTED,
)
from xuezheng.kernel.access.models import Organisation


class Words:
    """Names of schools, tiers and measures of a season, for many sentences (two queries)."""

    def __init__(self, season: Season):
        self.schools = {
            school.code: str(school)
            for school in Organisation.objects.filter(intakes__season=season)
        }
        rule_set: RuleSet | None = season.rule_set
        tiers = rule_set.data.get("tiers", []) if rule_set else []
        self.labels = {tier["code"].replace(" ", "_"): tier["label"] for tier in tiers}
        self.orders = {tier["code"].replace(" ", "_"): tier.get("order", []) for tier in tiers}

    def tier(self, number: int, code: str) -> str:
        """`第 2 顺位（户籍一致）`."""
        return _("第 %(number)d 顺位（%(label)s）") % {
            "number": number,
            "label": self.label(code),
        }

    def label(self, code: str) -> str:
        """The words of a tier's code."""
        if code == OWN_CODE:
            return _("本校直升或教工子女")
        if code == EVERYBODY_CODE:
            return _("符合报名条件")
        if code in self.labels:
            return str(self.labels[code])
        if code.startswith(REDIRECTED) and code[len(REDIRECTED) :] in self.labels:
            return _("外片区分流：%s") % self.labels[code[len(REDIRECTED) :]]
        return code

    def measures(self, code: str) -> list[str]:
        """What counts inside a tier, from left to right."""
        if code not in self.orders and code.startswith(REDIRECTED):
            code = code[len(REDIRECTED) :]
        return list(self.orders.get(code, []))

    def cutoff(self, cutoff: Sequence[int] | None, code: str, width: int) -> str:
        """A cut-off in words: `code` is that of its tier, `width` how many numbers order inside it."""
        if cutoff is None:
            return _("全部录取，未满额")
        if not cutoff:
            return _("没有学位")
        ordered = zip(self.measures(code), cutoff[1 : 1 + width], strict=False)
        parts = [
            self.tier(cutoff[0], code),
            *(measure_words(name, value) for name, value in ordered if name != "lottery"),
            _("抽签号 %d") % cutoff[1 + width],
        ]
        return pgettext("between parts", "，").join(parts)


def measure_words(name: str, value: int) -> str:
    """One measure of a key in words: a date, points, a brother or sister at the school."""
    if name == "points":
        return _("积分 %d 分") % -value
    if name == "sibling_first":
        return _("有兄姐在校") if value == 0 else _("无兄姐在校")
    if name == "lottery":
        return _("同顺位抽签")
    date = dt.date.fromordinal(value)
    words = _("无日期") if date >= NEVER else date.isoformat()
    label = {
        "register_date": _("落户 %s"),
        "title_date": _("房产凭证 %s"),
        "permit_date": _("居住证 %s"),
    }[name]
    return label % words


def reason_sentence(offer: Offer, words: Words | None = None) -> str:
    """Why a child is where it is, with the numbers of each school on the way.

    `words` saves two queries a sentence where there are many of one season.
    """
    return sentence(offer.reason, words or Words(offer.allocation.season))


def sentence(reason: Mapping[str, Any], words: Words) -> str:
    """The sentence of a reason as `Reasons.of` gives it."""
    steps = list(reason.get("list", []))
    if not steps:
        return _("名单上没有可以录取的学校，由教育局统筹安排。")
    drawn = reason.get("draw")
    refused = [_refusal(step, drawn, words) for step in steps if not _took(step, reason)]
    end, clauses = steps[-1], pgettext("between clauses", "；")
    if reason.get("school") is None:
        return clauses.join([*refused, _("名单上的学校都已满额，由教育局统筹安排。")])
    name = words.schools.get(end["school"], end["school"])
    if refused:
        last = _("因此到%(school)s，该校计划 %(places)d 人，您家是%(tier)s，排在第 %(place)d 位。")
    else:
        last = _("%(school)s计划 %(places)d 人，您家是%(tier)s，排在第 %(place)d 位，录取。")
    taken = last % {
        "school": name,
        "places": end["places"],
        "tier": words.tier(end["tier"], end["code"]),
        "place": end["place"],
    }
    return clauses.join([*refused, taken])


def _took(step: Mapping[str, Any], reason: Mapping[str, Any]) -> bool:
    return step["school"] == reason.get("school")


def _refusal(step: Mapping[str, Any], drawn: int | None, words: Words) -> str:
    """Why one school of the list did not take the child."""
    values: dict[str, Any] = {
        "school": words.schools.get(step["school"], step["school"]),
        "places": step["places"],
        "place": step["place"],
    }
    if step["passed"]:
        return _("%(school)s只剩一个学位，双胞胎要同校，两个孩子一起放弃") % values
    cutoff = step["cutoff"]
    if not cutoff:
        return _("%(school)s本轮没有学位") % values
    if step["tier"] != cutoff[0]:
        values |= {"last": cutoff[0], "own": words.tier(step["tier"], step["code"])}
        return (
            _(
                "%(school)s计划 %(places)d 人，录取到第 %(last)d 顺位；您家是%(own)s，"
                "排在第 %(place)d 位"
            )
            % values
        )
    names = words.measures(step["code"])
    for name, own, last in zip(names, step["order"], cutoff[1:], strict=False):
        if own != last and name != "lottery":
            values |= {"own": measure_words(name, own), "last": measure_words(name, last)}
            return (
                _(
                    "%(school)s计划 %(places)d 人，按次序录取到%(last)s；您家%(own)s，"
                    "排在第 %(place)d 位"
                )
                % values
            )
    values |= {"own": drawn, "last": cutoff[1 + len(step["order"])]}
    return (
        _(
            "%(school)s计划 %(places)d 人，抽签录取到 %(last)d 号；您家是 %(own)d 号，"
            "排在第 %(place)d 位"
        )
        % values
    )
