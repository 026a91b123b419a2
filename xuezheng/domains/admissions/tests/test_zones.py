"""Addresses and areas: sides of roads, ranges, buildings; boundary numbers; gaps, overlaps, changes."""

import pytest

from xuezheng.domains.admissions.rules.zones import Atlas, Part, Place, Side, survey

NORTH = "330099001001"
ATLAS = Atlas(
    [
        Part("甲", NORTH),
        Part("乙", NORTH, "人民路", Side.ODD),
        Part("丙", NORTH, "人民路", Side.EVEN, 2, 98),
        Part("丁", NORTH, "人民路", Side.EVEN, 100, None),
        Part("戊", NORTH, "人民路", Side.EVEN, 100, 200, frozenset({"3"})),
        Part("己", "330099001002", "环岛路", Side.BOTH, None, 50),
    ]
)


@pytest.mark.parametrize(
    ("place", "zones"),
    [
        (Place(NORTH), ("甲",)),
        (Place(NORTH, "别的路", 5), ("甲",)),
        (Place(NORTH, "人民路", 1), ("乙",)),
        (Place(NORTH, "人民路", 2), ("丙",)),
        (Place(NORTH, "人民路", 98), ("丙",)),
        (Place(NORTH, "人民路", 100), ("丁",)),
        (Place(NORTH, "人民路", 100, "3"), ("戊",)),
        (Place(NORTH, "人民路", 202, "3"), ("丁",)),
        (Place(NORTH, "人民路"), ("甲",)),
        (Place("330099001002", "环岛路", 50), ("己",)),
        (Place("330099001002", "环岛路", 51), ()),
        (Place("330099001002", "环岛路"), ()),
        (Place("999"), ()),
    ],
)
def test_the_most_exact_part_wins(place: Place, zones: tuple[str, ...]) -> None:
    assert ATLAS.find(place).zones == zones


def test_survey_finds_gaps_overlaps_and_changes() -> None:
    here = [Place(NORTH, "人民路", n) for n in (1, 2)]
    before = Atlas([Part("甲", NORTH)])
    now = Atlas([Part("乙", NORTH, "人民路", Side.ODD), Part("丙", NORTH, "人民路", Side.ODD)])
    found = survey(here, now, before)
    assert found.gaps == (here[1],)
    assert found.overlaps == {here[0]: ("丙", "乙")} or found.overlaps == {here[0]: ("乙", "丙")}
    assert set(found.changed) == set(here)
    assert found.changed[here[1]] == (("甲",), ())


def test_several_schools_of_one_area_are_no_overlap() -> None:
    atlas = Atlas([Part("甲乙联合", NORTH)])
    assert survey([Place(NORTH)], atlas).overlaps == {}
