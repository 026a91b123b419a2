"""The seven ladders met in practice, each with families that fall on every rung and between them."""

import datetime as dt
import json
from pathlib import Path

import pytest

from xuezheng.domains.admissions.rules.ladder import BadRules, Facts, Ladder

LADDERS = Path(__file__).resolve().parents[1] / "ladders"
DAY = dt.date


def ladder(name: str) -> Ladder:
    return Ladder.read(json.loads((LADDERS / f"{name}.json").read_text(encoding="utf-8")))


OWN = {"home_in_zone": True, "owner": "parent", "share": 100, "title": "deed"}
REGISTERED = {"register_in_zone": True, "register_in_town": True, "register_in_district": True}
GRAND = {
    "home_in_zone": True,
    "owner": "grandparent",
    "share": 0,
    "title": "deed",
    "parents_own_no_home": True,
    "registered_since_birth": True,
}
NOBODY: dict = {}


@pytest.mark.parametrize(
    ("name", "facts", "code"),
    [
        ("four_rungs", {**OWN, **REGISTERED, "same_address": True}, "A1"),
        ("four_rungs", {**GRAND, **REGISTERED, "same_address": True}, "A2"),
        ("four_rungs", {**REGISTERED}, "B"),
        ("four_rungs", {**OWN}, "C"),
        ("four_rungs", {"residence_permit": True}, "D"),
        ("four_rungs", NOBODY, None),
        ("deed_before_register", {**OWN, **REGISTERED}, "1A"),
        ("deed_before_register", {**GRAND, **REGISTERED}, "1A"),
        ("deed_before_register", {**REGISTERED}, "1B"),
        ("deed_before_register", {**OWN, "residence_permit": True}, "2"),
        ("register_first", {"reserved": frozenset({"policy"})}, "0"),
        ("register_first", {**OWN, **REGISTERED, "same_address": True}, "A"),
        ("register_first", {**OWN, **REGISTERED}, "B"),
        ("register_first", {**OWN}, "C"),
        ("both_deeds", {**OWN, **REGISTERED, "share": 51}, "A1"),
        ("both_deeds", {**OWN, **REGISTERED, "share": 50}, "B"),
        ("both_deeds", {**GRAND, **REGISTERED, "share": 0}, "A2"),
        ("both_deeds", {**OWN, "share": 100, "residence_permit": True}, "D"),
        ("village_first", {**REGISTERED, "title": "self_built", "home_in_zone": True}, "1"),
        ("village_first", {**OWN, **REGISTERED}, "2"),
        ("village_first", {**OWN, **REGISTERED, "title": "contract"}, "3"),
        ("village_first", {**REGISTERED}, "4"),
        ("village_first", {"residence_permit": True}, "5"),
        ("kindergarten_deeds", {**OWN, **REGISTERED, "share": 51}, "1"),
        ("kindergarten_deeds", {**OWN, **REGISTERED, "share": 50}, "4"),
        ("kindergarten_deeds", {**OWN, "register_in_district": True}, "2"),
        ("kindergarten_deeds", {**GRAND, **REGISTERED}, "3"),
        ("kindergarten_deeds", {**REGISTERED, "parents_own_no_home": True}, "4"),
        ("kindergarten_deeds", {**OWN, **REGISTERED, "registered_survey": False}, "9"),
        ("kindergarten_batches", {**OWN, "title": "estate", **REGISTERED}, "1"),
        ("kindergarten_batches", {**REGISTERED}, "2"),
        ("kindergarten_batches", {"register_in_district": True}, "3"),
        ("kindergarten_batches", {"residence_permit": True}, "4"),
        ("kindergarten_batches", {**OWN, "title": "estate", "dwelling_locked": True}, None),
        (
            "kindergarten_batches",
            {**OWN, "title": "estate", "dwelling_locked": True, "sibling_at_school": True},
            "1",
        ),
    ],
)
def test_every_rung(name: str, facts: dict, code: str | None) -> None:
    standing = ladder(name).stand(Facts(**facts))
    assert (standing.code if standing else None) == code


def test_order_by_register_date_and_the_day_of_freezing() -> None:
    rules = ladder("deed_before_register")
    early = rules.stand(Facts(**OWN, **REGISTERED, register_date=DAY(2019, 5, 1)))
    late = rules.stand(Facts(**OWN, **REGISTERED, register_date=DAY(2020, 8, 31)))
    none = rules.stand(Facts(**OWN, **REGISTERED))
    assert early.key(9) < late.key(1) < none.key(1)


def test_points_count_downwards_and_the_draw_breaks_ties() -> None:
    data = {"tiers": [{"code": "M", "label": "积分", "all": [], "order": ["points"]}]}
    rules = Ladder.read(data)
    many, few = rules.stand(Facts(points=120)), rules.stand(Facts(points=80))
    assert many.key(5) < few.key(1)
    assert many.key(1) < many.key(2)


def test_a_family_is_told_what_the_rung_above_asks() -> None:
    standing = ladder("both_deeds").stand(Facts(**{**OWN, **REGISTERED, "share": 50}))
    assert standing.missed == ("parents_own_no_home", "owner_is") or standing.missed


@pytest.mark.parametrize(
    ("day", "tier"),
    [(DAY(2026, 4, 29), "1"), (DAY(2026, 4, 30), "1"), (DAY(2026, 5, 1), "2"), (None, "2")],
)
def test_boundary_of_a_freezing_day(day: dt.date | None, tier: str) -> None:
    rules = Ladder.read(
        {
            "tiers": [
                {"code": "1", "label": "a", "all": [{"is": "register_by", "day": "2026-04-30"}]},
                {"code": "2", "label": "b"},
            ]
        }
    )
    assert rules.stand(Facts(register_date=day)).code == tier


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ({"code": "1", "label": "a", "all": [{"is": "nonsense"}]}, "unknown condition nonsense"),
        ({"code": "1", "label": "a", "all": [{"is": "register_by"}]}, "needs"),
        ({"code": "1", "label": "a", "all": [{"is": "register_by", "day": "x"}]}, "is no day"),
        ({"code": "1", "label": "a", "order": ["luck"]}, "unknown order luck"),
        ({"code": "", "label": "a"}, "code and label"),
        ({"code": "1", "label": "a", "all": [{"is": "owner_is", "whose": []}]}, "must be a list"),
    ],
)
def test_unusable_rules_are_named(tier: dict, words: str) -> None:
    with pytest.raises(BadRules, match=words):
        Ladder.read({"tiers": [tier]})
