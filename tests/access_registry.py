"""The access matrix of people and places: rows of school S1, its own people, neighbours, others."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from tests.people import People
from xuezheng.registry.models import DuplicatePair, PersonMerge, SchoolYear
from xuezheng.registry.services import duplicates, merging

ALL = frozenset({"registrar"})
SCHOOL = frozenset({"registrar", "head1", "sec1"})
NEIGHBOUR = frozenset({"head2"})
LEADERS = frozenset(
    {"director", "deputy", "plan", "inspector", "auditor", "town1", "teacher1", "statistician"}
)
SITES = SCHOOL | NEIGHBOUR | LEADERS
#: Pages that only whoever reaches everything may use, though schools hold the permission.
SCHOOLS_ONLY_PERMISSION = frozenset({"head1", "sec1", "head2"})
TABLES = (
    "registry_pupil", "registry_placement", "registry_guardian", "registry_guardianship",
    "registry_residence", "registry_staffmember", "registry_employment", "registry_duplicatepair",
    "registry_personmerge", "registry_siteprofile", "registry_succession", "registry_schoolclass",
    "registry_schoolyear", "registry_community", "registry_dwelling",
)  # fmt: skip


def registry_world(people: People) -> dict[str, Any]:
    """Keys of the rows that the matrix asks for."""
    by = people.district.actor("registrar")
    duplicates.find_duplicates(by=by)
    merge = merging.merge(
        DuplicatePair.objects.get(kind="guardian"),
        keep=people.guardians["father"].pk,
        other_fields=[],
        reason="x1",
        by=by,
    )
    ming, chen = people.pupils["ming"], people.staff["chen"]
    year = SchoolYear.objects.create(
        organisation=people.district.orgs["B"],
        code="2020-2021",
        starts_on="2020-09-01",
        ends_on="2021-08-31",
    )
    assert PersonMerge.objects.count() == 1
    return {
        "year": year.id,
        "class": people.classes["S1-1"].id,
        "community": people.communities["shore"].id,
        "dwelling": people.dwellings["house"].id,
        "pupil": ming.pk,
        "placement": ming.placements.get().id,
        "held": ming.guardianships.get(guardian=people.guardians["mother"]).id,
        "staff": chen.pk,
        "employment": chen.employments.get().id,
        "pair": DuplicatePair.objects.get(kind="pupil").id,
        "merge": merge.id,
        "class2": people.classes["S1-2"].id,
    }


def registry_addresses(ids: dict[str, Any], make: Callable[..., Any]) -> list[Any]:
    """One address after the other; `make` is the matrix's Address."""
    pupil, staff = ids["pupil"], ids["staff"]
    held, day = (pupil, ids["held"]), timezone.localdate().isoformat()

    def own(name: str, *args: Any, **more: Any) -> Any:
        """A page of a row of S1 for those who hold the permission there."""
        return make(name, args, SCHOOL, NEIGHBOUR, **more)

    def bureau(name: str, *args: Any, **more: Any) -> Any:
        return make(name, args, ALL, **more)

    return [
        make("registry_home", may=SITES),
        make("site_tree", may=SITES),
        make("site_list", may=SITES),
        make("site_detail", ("S1",), SITES - NEIGHBOUR, NEIGHBOUR),
        bureau("site_add"),
        bureau("site_edit", "S1"),
        bureau("site_move", "S1"),
        bureau("site_close", "S1"),
        bureau("site_succeed", "S1"),
        bureau("year_list"),
        bureau("year_add"),
        bureau("year_edit", ids["year"]),
        make("school_class_list", may=SITES),
        make("school_class_detail", (ids["class"],), SITES - NEIGHBOUR, NEIGHBOUR),
        make("school_class_add", may=SCHOOL | NEIGHBOUR),
        own("school_class_edit", ids["class"]),
        own("school_class_close", ids["class"]),
        own("school_class_graduate", ids["class"]),
        make("school_class_take_back", (ids["class"],), ALL, SCHOOLS_ONLY_PERMISSION),
        make("community_list", may=SCHOOL | NEIGHBOUR | {"town1"}),
        make("dwelling_list", may=SCHOOL | NEIGHBOUR | {"town1"}),
        bureau("community_add"),
        bureau("community_edit", ids["community"]),
        bureau("dwelling_add"),
        bureau("dwelling_edit", ids["dwelling"]),
        make("pupil_list", may=SCHOOL | NEIGHBOUR),
        make("pupil_add", may=SCHOOL | NEIGHBOUR),
        make("pupil_find", may=SCHOOL | NEIGHBOUR),
        make("guardian_list", may=SCHOOL | NEIGHBOUR),
        own("pupil_detail", pupil),
        own("pupil_edit", pupil),
        make("pupil_take_in", (pupil,), ALL, SCHOOLS_ONLY_PERMISSION),
        make("pupil_leave", (pupil,), ALL, SCHOOLS_ONLY_PERMISSION),
        own("pupil_class", pupil),
        own("pupil_pause", pupil),
        own("placement_correct", pupil, ids["placement"]),
        own("pupil_residence", pupil),
        own("guardian_add", pupil),
        own("guardian_edit", *held),
        own("guardian_end", *held),
        make("pupil_looked", (pupil,), SCHOOL - {"sec1"}, NEIGHBOUR),
        make("staff_list", may=SCHOOL | NEIGHBOUR),
        make("staff_add", may=SCHOOL | NEIGHBOUR),
        own("staff_detail", staff),
        own("staff_edit", staff),
        own("staff_employ", staff),
        own("employment_end", staff, ids["employment"]),
        own("staff_account", staff),
        make("staff_looked", (staff,), SCHOOL - {"sec1"}, NEIGHBOUR),
        bureau("duplicate_list"),
        bureau("duplicate_detail", ids["pair"]),
        bureau("merge_list"),
        bureau("merge_undo", ids["merge"]),
        make("looked_search", may=frozenset({"auditor"})),
        make("looked_detail", ("pupil", pupil), frozenset({"auditor"})),
        make("my_looked"),
        # -- writing
        own("pupil_class", pupil, data={"school_class": ids["class2"], "on": day}, post=True),
        own("pupil_pause", pupil, data={"on": day}, post=True),
        own("guardian_end", *held, data={"on": day}, post=True),
        make(
            "pupil_leave",
            (pupil,),
            ALL,
            SCHOOLS_ONLY_PERMISSION,
            data={"on": day, "exit_code": "21"},
            post=True,
        ),
        own("employment_end", staff, ids["employment"], data={"on": day}, post=True),
        bureau("duplicate_find", post=True),
        bureau("duplicate_different", ids["pair"], post=True),
        bureau("merge_undo", ids["merge"], data={"reason": "x1"}, post=True),
    ]


#: They answer with a page, not a redirect; registry/tests/test_pages.py asks them all.
REVEALING = {"pupil_reveal", "guardian_reveal", "staff_reveal"}
