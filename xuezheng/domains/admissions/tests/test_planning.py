"""The season desk: setting, copying, comparing, opening a season; ladders tried and adopted."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from tests.season import SeasonRoom, child_id, ladder
from xuezheng.domains.admissions.models import Redirection, RuleSet, Season, Zone
from xuezheng.domains.admissions.rules.zones import Place
from xuezheng.domains.admissions.services import rule_sets, seasons, zoning
from xuezheng.domains.admissions.services.forecasting import forecast
from xuezheng.domains.admissions.services.ladder_words import (
    CONDITION_WORDS,
    ORDER_WORDS,
    ladder_problems,
    ladder_sentences,
)
from xuezheng.domains.admissions.services.zoning import Line
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.models import Dwelling, Pupil, Residence

pytest_plugins = ["tests.season"]
TODAY = timezone.localdate()


@pytest.fixture
def admit(room: SeasonRoom) -> Actor:
    return room.district.actor("admit")


def preparing(room: SeasonRoom) -> Season:
    """The room's season before it opens."""
    Season.objects.filter(pk=room.season.pk).update(state="preparing")
    room.season.refresh_from_db()
    return room.season


def test_every_condition_and_order_has_words() -> None:
    from xuezheng.domains.admissions.rules.ladder import CONDITIONS, ORDERS

    assert set(CONDITION_WORDS) == set(CONDITIONS)
    assert set(ORDER_WORDS) == set(ORDERS)


@pytest.mark.parametrize("name", sorted(rule_sets.shipped_ladders()))
def test_shipped_ladders_read_as_sentences(name: str) -> None:
    data = rule_sets.shipped_ladders()[name]
    assert ladder_problems(data) == []
    sentences = ladder_sentences(data)
    assert len(sentences) == len(data["tiers"])
    assert not any("%(" in sentence or "%%" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("tier", "words"),
    [
        ({"code": "", "label": "x", "all": [], "order": []}, "第 1 顺位"),
        ({"code": "A", "label": "x", "all": [{"is": "register_by", "day": "x"}]}, "户籍迁入不晚于"),
        ({"code": "A", "label": "x", "all": [{"is": "share_above", "percent": 101}]}, "家庭份额超过"),
        ({"code": "A", "label": "x", "all": [{"is": "owner_is", "whose": []}]}, "房产人是"),
        ({"code": "A", "label": "x", "all": [{"is": "moon"}]}, "moon"),
    ],
)  # fmt: skip
def test_problems_name_tier_and_condition(tier: dict, words: str) -> None:
    (problem,) = ladder_problems({"tiers": [tier]})
    assert "第 1 顺位" in problem
    assert words in problem


def test_a_copy_shifts_days_and_takes_places_areas_redirections(
    room: SeasonRoom, admit: Actor
) -> None:
    made = seasons.copy_season(room.season, year=room.season.year + 1, title="下一年", by=admit)
    assert made.state == "preparing"
    assert made.copied_from == room.season
    assert made.arrival_on == seasons.years_later(room.season.arrival_on, 1)
    assert {(i.school.code, i.places) for i in made.intakes.all()} == {
        ("S1", 2), ("S3", 20), ("P1", 1),
    }  # fmt: skip
    assert Redirection.objects.get(intake__season=made).target.school.code == "S3"
    answer = zoning.explain_zone(made, Place("999900002001", "望海路", 7))
    assert [str(school) for school in answer.schools] == ["东澳小学"]
    assert all(not changes for changes in seasons.differences(made, room.season).values())
    intake = made.intakes.get(school__code="S1")
    intake.places = 9
    intake.save()
    (change,) = seasons.differences(made, room.season)["intakes"]
    assert (change.what, "9" in change.new, "2" in change.old) == ("东澳小学", True, True)


def test_a_leap_day_becomes_the_28th() -> None:
    assert seasons.years_later(dt.date(2028, 2, 29), 1) == dt.date(2029, 2, 28)


def test_days_stand_in_their_order() -> None:
    day = dt.date(2026, 6, 1)
    at = timezone.make_aware(dt.datetime(2026, 6, 1, 9))
    assert seasons.day_problems({"opens_at": at, "closes_at": at}).keys() == {"closes_at"}
    early = day - dt.timedelta(days=1)
    assert seasons.day_problems({"closes_at": at, "faults_until": early}).keys() == {"faults_until"}
    assert seasons.day_problems({"closes_at": at, "faults_until": day}) == {}
    assert seasons.day_problems({"closes_at": at, "register_by": day + dt.timedelta(1)}).keys() == {
        "register_by"
    }


def test_places_change_with_a_reason_once_families_register(room: SeasonRoom, admit: Actor) -> None:
    lines = [
        seasons.PlanLine(row.school_id, row.places + 1, 1, row.mode, row.draw_when_over)
        for row in room.season.intakes.all()
    ]
    with pytest.raises(StepRefused):
        seasons.save_intakes(room.season, lines, by=admit)
    assert seasons.save_intakes(room.season, lines, reason="扩班", by=admit) == 3
    assert Entry.objects.filter(action="admissions.intakes_edit").get().reason == "扩班"
    with pytest.raises(PermissionDenied):
        seasons.save_intakes(room.season, lines, reason="x", by=room.district.actor("head1"))
    with pytest.raises(StepRefused):
        seasons.save_intakes(room.season, lines[1:], reason="x", by=admit)
    Season.objects.update(state="frozen")
    room.season.refresh_from_db()
    with pytest.raises(StepRefused):
        seasons.save_intakes(room.season, lines, reason="x", by=admit)


def test_a_season_opens_only_when_it_is_whole(room: SeasonRoom, admit: Actor) -> None:
    season = preparing(room)
    Dwelling.objects.create(community=room.communities["shore"], road="望海路", number=1)
    points = {point.key: point.good for point in seasons.opening_points(season, by=admit)}
    assert all(points.values())
    Zone.objects.get(pk=room.zones["hill"].pk).parts.all().delete()
    with pytest.raises(StepRefused, match="南礁小学"):
        seasons.open_season(season, by=admit)
    zoning.save_zone(
        season, room.zones["hill"], code="Z-S3", name="山前",
        schools=[room.district.orgs["S3"].id],
        lines=[Line(room.communities["hill"].id, "山前路", "odd")], by=admit,
    )  # fmt: skip
    Dwelling.objects.create(community=room.communities["hill"], road="山前路", number=2)
    with pytest.raises(StepRefused, match="漏划"):
        seasons.open_season(season, by=admit)
    seasons.open_season(season, reason="新楼明年交付", by=admit)
    season.refresh_from_db()
    assert season.state == "open"
    with pytest.raises(StepRefused, match="登记中"):
        seasons.open_season(season, by=admit)
    with pytest.raises(StepRefused):
        seasons.close_registration(season, by=admit)
    Season.objects.update(
        opens_at=timezone.now() - dt.timedelta(days=9),
        closes_at=timezone.now() - dt.timedelta(seconds=1),
    )
    seasons.close_registration(season, by=admit)
    season.refresh_from_db()
    assert season.state == "checking"


def test_an_adopted_rule_set_never_changes(room: SeasonRoom, admit: Actor) -> None:
    made = rule_sets.create_rule_set(
        name="户籍优先", level="primary", data=ladder("both_deeds"), by=admit
    )
    assert made.number == 2
    with pytest.raises(StepRefused):
        seasons.choose_rule_set(preparing(room), made, by=admit)
    with pytest.raises(StepRefused, match="今天"):
        rule_sets.adopt_rule_set(
            made, meeting_number="1", adopted_on=TODAY + dt.timedelta(1), version=1, by=admit
        )
    rule_sets.edit_rule_set(made, data=ladder("four_rungs"), note="", version=1, by=admit)
    with pytest.raises(StepRefused):
        rule_sets.edit_rule_set(made, data=ladder(), note="", version=1, by=admit)
    adopted = rule_sets.adopt_rule_set(
        made, meeting_number="局务会9号", adopted_on=TODAY, version=2, by=admit
    )
    for refused in (
        lambda: rule_sets.edit_rule_set(adopted, data=ladder(), note="", version=3, by=admit),
        lambda: rule_sets.remove_rule_set(adopted, by=admit),
    ):
        with pytest.raises(StepRefused):
            refused()
    seasons.choose_rule_set(room.season, adopted, by=admit)
    room.season.refresh_from_db()
    assert room.season.rule_set == adopted


def test_a_ladder_is_tried_without_a_trace(room: SeasonRoom, admit: Actor) -> None:
    other = RuleSet.objects.create(
        organisation=room.season.organisation, name="试", level="primary", number=1,
        data=ladder("deed_before_register"),
    )  # fmt: skip
    before = Entry.objects.count()
    tried, present, moved = rule_sets.try_rule_set(other, room.season, by=admit)
    assert (tried.children, present.children, moved) == (0, 0, 0)
    assert Entry.objects.count() == before


def test_the_forecast_counts_children_of_the_area(room: SeasonRoom) -> None:
    season = room.season
    home = Dwelling.objects.create(community=room.communities["shore"], road="望海路", number=1)
    for n in range(3):
        born = dt.date(season.year - 6, 3, 1)
        pupil = Pupil.objects.create(name="童", born_on=born, sex="1", id_number=child_id(n, born))
        Residence.objects.create(pupil=pupil, dwelling=home, kind="register", valid_from=TODAY)
    rows = {row.school.code: row for row in forecast(season, TODAY)}
    assert (rows["S1"].children, rows["S1"].few, rows["S1"].light) == (3, True, "red")
    assert (rows["S3"].children, rows["S3"].light) == (0, "none")
