"""The roll of every child of age: from the registry, from lists of others, and one child one entry."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import FollowUp, RollEntry, Season
from xuezheng.domains.admissions.rules.ages import Level, of_age
from xuezheng.domains.admissions.selectors import atlas, place_of, schools_of
from xuezheng.domains.admissions.services.applying import new_code
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.codes import BELONGING
from xuezheng.registry.models import Dwelling, Guardianship, Pupil, Residence
from xuezheng.registry.models.places import Stage

#: Level -> (source, stage, years of the stage): whose leavers enter it.
LEAVERS = {
    Level.PRIMARY: ("kindergarten", Stage.KINDERGARTEN, 3),
    Level.JUNIOR: ("grade6", Stage.PRIMARY, 6),
}


@dataclass(frozen=True)
class Listed:
    """What listing did: entries made, entries that got the source besides, children not of age."""

    made: int
    joined: int
    too_young: int


@transaction.atomic
def list_leavers(*, season: Season, by: Actor) -> Listed:
    """Put the registry's kindergarten leavers (primary) or sixth grade (junior) on the roll.

    Repeating it adds whom the registry has got since.  A constant number of queries.  Raises
    PermissionDenied, OutOfScope, StepRefused for a season without such a list.
    """
    post = by.post_for(Permission.ROLL, season.organisation_id)
    level = Level(season.level)
    if level not in LEAVERS:
        raise StepRefused(_("幼儿园没有上一学段，请导入公安名单或街道排查表。"))
    source, stage, years = LEAVERS[level]
    # The keeper of the roll need not be one who may see every school's pupils.
    with fenced(by=JobActor("admissions.roll")):
        pupils = list(
            Pupil.objects.live()
            .filter(
                status__in=BELONGING,
                school_class__stage=stage,
                school_class__entry_year=season.year - years,
                born_on__isnull=False,
            )
            .order_by("id")
        )
        ripe = [pupil for pupil in pupils if of_age(level, season.year, pupil.born_on)]
        homes, phones = _homes(ripe), _phones(ripe)
    held = _held(season, ripe)
    zones = Zoned(season)
    made, joined = [], []
    for pupil in ripe:
        entry = held.get(pupil.pk) or held.get((pupil.id_kind, pupil.id_number))
        if entry is None:
            made.append(_entry(season, pupil, source, homes.get(pupil.pk), phones, zones))
        elif source not in entry.sources or entry.pupil_id is None:
            entry.sources = sorted({*entry.sources, source})
            entry.pupil = pupil
            joined.append(entry)
    RollEntry.objects.bulk_create(made, batch_size=2000)
    RollEntry.objects.bulk_update(joined, ["sources", "pupil"], batch_size=1000)
    done = Listed(len(made), len(joined), len(pupils) - len(ripe))
    record(
        "roll.list",
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="season",
        object_id=season.id,
        detail={"source": source, "made": done.made, "joined": done.joined},
    )
    return done


class Zoned:
    """Town and school of dwellings in a season; the areas are read once."""

    def __init__(self, season: Season):
        self._atlas = atlas(season)
        zones = season.zones.values_list("id", flat=True)
        self._schools = schools_of(str(zone) for zone in zones)

    def school_id(self, dwelling: Dwelling | None) -> int | None:
        """The one school of a dwelling's areas; None for none or several."""
        if dwelling is None:
            return None
        found = {
            school.id
            for zone in self._atlas.find(place_of(dwelling)).zones
            for school in self._schools.get(zone, ())
        }
        return found.pop() if len(found) == 1 else None


def _held(season: Season, pupils: Iterable[Pupil]) -> Mapping[object, RollEntry]:
    """Entries of a season by pupil, and by kind and number."""
    found: dict[object, RollEntry] = {}
    for entry in RollEntry.objects.filter(season=season).select_for_update():
        if entry.pupil_id:
            found[entry.pupil_id] = entry
        if entry.id_number:
            found[(entry.id_kind, entry.id_number)] = entry
    return found


def _homes(pupils: Iterable[Pupil]) -> dict[object, Dwelling]:
    """Pupil -> where it is registered, else where it lives."""
    rows = Residence.objects.filter(
        pupil__in=[p.pk for p in pupils], valid_to__isnull=True
    ).select_related("dwelling__community")
    found: dict[object, Dwelling] = {}
    for row in rows.order_by("kind"):  # "actual" before "register", which then takes its place
        found[row.pupil_id] = row.dwelling
    return found


def _phones(pupils: Iterable[Pupil]) -> dict[object, str]:
    rows = Guardianship.objects.filter(
        pupil__in=[p.pk for p in pupils], valid_to__isnull=True
    ).select_related("guardian")
    return {row.pupil_id: row.guardian.phone or "" for row in rows.order_by("main", "id")}


def _entry(
    season: Season,
    pupil: Pupil,
    source: str,
    home: Dwelling | None,
    phones: Mapping[object, str],
    zones: Zoned,
) -> RollEntry:
    entry = RollEntry(
        season=season,
        pupil=pupil,
        code=new_code(),
        name=pupil.name,
        id_kind=pupil.id_kind,
        id_number=pupil.id_number,
        born_on=pupil.born_on,
        sex=pupil.sex,
        address=str(home)[:120] if home else "",
        dwelling=home,
        phone=phones.get(pupil.pk) or None,
        sources=[source],
        town_id=home.community.town_id if home else None,
        school_id=zones.school_id(home),
    )
    entry.prepare()
    return entry


# -- one child, one entry ---------------------------------------------------------------------------
def likely_pairs(season: Season, limit: int = 100) -> list[tuple[RollEntry, RollEntry]]:
    """(entry without a number, entry with one) of the same name and birth: proposals (two queries).

    Pairs that somebody told apart are not proposed again.
    """
    loose = RollEntry.objects.filter(season=season, id_number__isnull=True)
    numbered: dict[tuple, list[RollEntry]] = defaultdict(list)
    for entry in RollEntry.objects.filter(
        season=season, name__in=loose.values("name"), id_number__isnull=False
    ).order_by("code"):
        numbered[(entry.name, entry.born_on)].append(entry)
    pairs = [
        (entry, other)
        for entry in loose.order_by("code")
        for other in numbered[(entry.name, entry.born_on)]
        if other.code not in (entry.apart_from or ())
    ]
    return pairs[:limit]


@transaction.atomic
def tell_apart(*, loose: RollEntry, kept: RollEntry, by: Actor) -> None:
    """Two entries of one name and birth are two children.  Raises PermissionDenied, OutOfScope,
    StepRefused for entries of two seasons."""
    post = by.post_for(Permission.ROLL, kept.season.organisation_id)
    if loose.season_id != kept.season_id:
        raise StepRefused(_("两条不在同一个批次。"))
    row = RollEntry.objects.select_for_update(of=("self",)).get(pk=loose.pk)
    row.apart_from = sorted({*(row.apart_from or ()), kept.code})
    row.save(update_fields=["apart_from"])
    record(
        "roll.apart",
        by=by,
        post=post,
        organisation_id=kept.season.organisation_id,
        object_type="roll",
        object_id=kept.code,
        detail={"apart": loose.code},
    )


@transaction.atomic
def join(*, loose: RollEntry, kept: RollEntry, by: Actor) -> None:
    """Two entries are one child: sources together, follow-ups go along, the numberless one goes.

    Raises PermissionDenied, OutOfScope; StepRefused where both are registered, or it is no such pair.
    """
    post = by.post_for(Permission.ROLL, kept.season.organisation_id)
    if loose.season_id != kept.season_id or loose.id_number or not kept.id_number:
        raise StepRefused(_("只能把没有证件号码的一条并入有号码的一条。"))
    if loose.applications.exists():
        raise StepRefused(_("没有证件号码的一条已有登记，请先处理那份登记。"))
    kept.sources = sorted({*kept.sources, *loose.sources})
    kept.phone = kept.phone or loose.phone
    kept.address = kept.address or loose.address
    kept.town_id = kept.town_id or loose.town_id
    kept.save()
    FollowUp.objects.filter(entry=loose).update(entry=kept)
    loose.delete()
    record(
        "roll.join",
        by=by,
        post=post,
        organisation_id=kept.season.organisation_id,
        object_type="roll",
        object_id=kept.code,
        detail={"joined": loose.code},
    )


def with_counts(seasons: QuerySet[Season]) -> QuerySet[Season]:
    """Seasons with `on_roll`, `registered` and `unknown` (no outcome, or untraceable): children."""
    unknown = Q(roll__outcome__in=("", RollEntry.Outcome.UNTRACEABLE))
    return seasons.annotate(
        on_roll=Count("roll"),
        registered=Count("roll", filter=Q(roll__outcome=RollEntry.Outcome.REGISTERED)),
        unknown=Count("roll", filter=unknown),
    )


def counts(season: Season) -> dict[str, int]:
    """Numbers on top of the roll: all, by outcome ("" not registered), being followed (two queries)."""
    rows = RollEntry.objects.filter(season=season).values("outcome").annotate(n=Count("id"))
    found = {row["outcome"] or "open": row["n"] for row in rows.order_by("outcome")}
    followed = FollowUp.objects.filter(Q(entry__season=season) & ~Q(state="settled")).count()
    return {"all": sum(found.values()), "followed": followed, **found}
