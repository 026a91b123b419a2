"""From what is established of a family to its list of schools and its place on each one's ladder."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from xuezheng.domains.admissions.models import (
    Application,
    Choice,
    DwellingLock,
    Intake,
    ReservedEntry,
    Season,
    Standing,
    ZonePart,
)
from xuezheng.domains.admissions.rules.ladder import Facts, Ladder
from xuezheng.domains.admissions.rules.zones import Atlas
from xuezheng.domains.admissions.selectors import Ground, atlas, place_of
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.registry.models import Dwelling, Pupil

#: Tiers of a school that draws by itself (private): its own children first, then whoever may apply.
OWN, EVERYBODY = 1, 2
OWN_CODE, EVERYBODY_CODE = "P1", "P2"
#: Before the code of the tier at the full school, for children that another school sends on.
REDIRECTED = "R"


@dataclass(frozen=True)
class Listed:
    """A school on a child's list; `by_rule` when the family did not put it there."""

    intake_id: int
    by_rule: bool


def listed(ground: Ground, zone_schools: Sequence[int], chosen: Sequence[int]) -> list[Listed]:
    """The list of a child: what the family chose, its zone's schools, then where those redirect to.

    `zone_schools` are ids of schools in order, `chosen` ids of intakes.  Chosen intakes of other
    seasons are left out; a public school outside the child's areas cannot be chosen.  No query.
    """
    intakes = ground.intakes
    of_school = {intake.school_id: intake for intake in intakes.values()}
    in_zone = [
        of_school[school].id
        for school in zone_schools
        if school in of_school and of_school[school].mode == Intake.Mode.ZONE
    ]
    wanted = [
        key
        for key in chosen
        if key in intakes and (intakes[key].mode == Intake.Mode.CHOICE or key in in_zone)
    ]
    regular = [*wanted, *(key for key in in_zone if key not in wanted)]
    redirected = [
        target
        for intake, target in ground.redirections
        if intake in in_zone and target not in regular
    ]
    rows = [Listed(key, key not in wanted) for key in regular]
    return [*rows, *(Listed(key, True) for key in dict.fromkeys(redirected))]


def choices_of(application: Application, rows: Iterable[Listed]) -> list[Choice]:
    """An application's list, not yet written."""
    return [
        Choice(application=application, intake_id=row.intake_id, rank=rank, by_rule=row.by_rule)
        for rank, row in enumerate(rows, start=1)
    ]


def write_choices(application: Application, rows: Iterable[Listed]) -> list[Choice]:
    """Replace an application's list.  Standings on the old one go with it."""
    application.choices.all().delete()
    return Choice.objects.bulk_create(choices_of(application, rows))


class Circumstances:
    """What must be known of a season to judge any of its applications; read once, in few queries.

    `ladder`: another one than the season's, to try it out.  `pupils`: whose present schools will be
    asked for (`present`).
    """

    def __init__(self, season: Season, ladder: Ladder | None = None, pupils: Iterable[object] = ()):
        self.season = season
        self.year = season.year
        self.atlas: Atlas = atlas(season)
        self.schools: dict[str, set[int]] = defaultdict(set)
        self.towns: dict[int, set[int]] = defaultdict(set)
        pairs = ZonePart.objects.filter(zone__season=season).values_list(
            "zone_id", "zone__schools", "community__town_id"
        )
        for zone_id, school_id, town_id in pairs.distinct():
            if school_id is not None:
                self.schools[str(zone_id)].add(school_id)
                self.towns[school_id].add(town_id)
        own = Ladder.read(season.rule_set.data) if season.rule_set else None
        self.ladder = ladder or own
        self.reserved: dict[str, set[str]] = defaultdict(set)
        # Departments' lists are hidden from schools, whose verdict they nevertheless decide.
        with fenced(by=JobActor("admissions.standing")):
            for row in ReservedEntry.objects.filter(season=season):
                self.reserved[row.id_number].add(row.list_code)
            self.present = present_schools(pupils)
        schools = Intake.objects.filter(season=season).values("school")
        self.locked: dict[int, set[object]] = defaultdict(set)
        for dwelling_id, pupil_id in DwellingLock.objects.filter(
            school__in=schools, from_year__lt=season.year, until_year__gt=season.year
        ).values_list("dwelling_id", "pupil_id"):
            self.locked[dwelling_id].add(pupil_id)

    def schools_at(self, dwelling: Dwelling | None) -> set[int]:
        """Schools in whose areas a dwelling lies."""
        if dwelling is None:
            return set()
        zones = self.atlas.find(place_of(dwelling)).zones
        return set().union(*(self.schools[zone] for zone in zones))

    def facts(self, application: Application, intake: Intake, pupil_school: int | None) -> Facts:
        """What the ladder asks of a family with regard to one school."""
        register, home, school = (
            application.register_dwelling,
            application.home_dwelling,
            intake.school_id,
        )
        entry = application.entry
        own_lock = {entry.pupil_id}
        return Facts(
            register_in_zone=school in self.schools_at(register),
            register_in_district=register is not None,
            register_in_town=register is not None
            and register.community.town_id in self.towns[school],
            register_date=application.register_date,
            registered_since_birth=application.registered_since_birth,
            home_in_zone=school in self.schools_at(home),
            home_in_town=home is not None and home.community.town_id in self.towns[school],
            owner=application.owner,
            share=application.share,
            title=application.title,
            title_date=application.title_date,
            residential=application.residential,
            same_address=register is not None
            and application.register_dwelling_id == application.home_dwelling_id,
            parents_own_no_home=application.parents_own_no_home,
            residence_permit=application.residence_permit,
            permit_date=application.permit_date,
            points=application.points,
            reserved=frozenset(self.reserved.get(entry.id_number or "", ())),
            sibling_at_school=application.sibling_school_id == school,
            staff_child=application.staff_school_id == school,
            own_primary=pupil_school == school,
            dwelling_locked=home is not None and bool(self.locked.get(home.id, set()) - own_lock),
        )

    def stand(
        self, application: Application, choices: Sequence[Choice], pupil_school: int | None
    ) -> list[Standing]:
        """The standings along a list, in its order; schools that no tier admits to are left out.

        Where a school of another area takes whom a full one sends on, its own children come first: the
        tiers of those sent on follow behind the whole ladder, in the order of the school that sends.
        """
        made, home = [], None
        for choice in choices:
            facts = self.facts(application, choice.intake, pupil_school)
            if choice.intake.draw_when_over:
                found = self._by_draw(application, choice, facts)
            elif facts.register_in_zone or facts.home_in_zone or not choice.by_rule:
                found = self._by_ladder(choice, facts)
                home = home or found
            else:
                found = home and Standing(
                    choice=choice,
                    tier=len(self.rules.tiers) + home.tier,
                    code=REDIRECTED + home.code,
                    order=home.order,
                    missed=[],
                )
            if found is not None:
                made.append(found)
        return made

    def _by_draw(self, application: Application, choice: Choice, facts: Facts) -> Standing | None:
        """A private school: who lives or is registered here, holds a permit or is on a reserved list."""
        own = facts.own_primary or facts.staff_child
        here = facts.register_in_district or application.home_dwelling_id is not None
        if not (own or here or facts.residence_permit or facts.reserved):
            return None
        tier, code = (OWN, OWN_CODE) if own else (EVERYBODY, EVERYBODY_CODE)
        return Standing(choice=choice, tier=tier, code=code, order=[], missed=[])

    def _by_ladder(self, choice: Choice, facts: Facts) -> Standing | None:
        found = self.rules.stand(facts)
        if found is None:
            return None
        return Standing(
            choice=choice,
            tier=found.tier,
            code=found.code,
            order=list(found.order),
            missed=list(found.missed),
        )

    @property
    def rules(self) -> Ladder:
        """The season's ladder.  Raises ValueError where none is set."""
        if self.ladder is None:
            raise ValueError(f"season {self.season.id} has no rule set")
        return self.ladder


def stand(season: Season, applications: Sequence[Application] | None = None) -> int:
    """Work out the standings of applications (default: all verified of the season) anew.

    Returns how many standings there are.  The number of queries does not grow with the applications.
    """
    rows = Application.objects.filter(season=season).select_related(
        "entry", "register_dwelling__community", "home_dwelling__community"
    )
    if applications is None:
        rows = rows.filter(state__in=("verified", "unplaced"))
    else:
        rows = rows.filter(pk__in=[row.pk for row in applications])
    rows = rows.order_by("pk")
    known = {row.pk: row for row in rows}
    pupils = [row.entry.pupil_id for row in known.values() if row.entry.pupil_id]
    circumstances = Circumstances(season, pupils=pupils)
    lists: dict[int, list[Choice]] = defaultdict(list)
    choices = Choice.objects.filter(application__in=list(known)).select_related("intake")
    for choice in choices.order_by("application", "rank"):
        lists[choice.application_id].append(choice)
    standings = [
        standing
        for key, on_list in lists.items()
        for standing in circumstances.stand(
            known[key], on_list, circumstances.present.get(known[key].entry.pupil_id)
        )
    ]
    Standing.objects.filter(choice__application__in=list(known)).delete()
    Standing.objects.bulk_create(standings, batch_size=2000)
    return len(standings)


def present_schools(pupils: Iterable[object]) -> Mapping[object, int | None]:
    """Pupil -> the school where it is now.  Within the program's reach: whoever checks a registration
    need not be one who may see that school's pupils."""
    wanted = list(pupils)
    if not wanted:
        return {}
    return dict(Pupil.objects.filter(id__in=wanted).values_list("id", "organisation_id"))


def lock_ends(from_year: int, years: int) -> int:
    """The first year in which a dwelling that gave a place in `from_year` is free again."""
    return from_year + years


def locks_of(dwelling: Dwelling, day: dt.date) -> list[DwellingLock]:
    """Locks on a dwelling that are in force, for the public look-up: schools and years, no child."""
    return list(
        DwellingLock.objects.filter(Q(until_year__gt=day.year), dwelling=dwelling)
        .select_related("school")
        .order_by("until_year")
    )
