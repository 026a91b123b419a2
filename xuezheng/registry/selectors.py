"""Reads of this storey used by more than one caller."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.ciphers import seal
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, in_force
from xuezheng.kernel.access.scope import authorities
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import STAGE_YEARS
from xuezheng.registry.models import Community, Dwelling, SchoolYear
from xuezheng.registry.models.places import Stage
from xuezheng.registry.organisations import SITE_KINDS, OrganisationKind

#: Stages that a kind of school may have classes of.
STAGES = {
    OrganisationKind.PRIMARY: (Stage.PRIMARY,),
    OrganisationKind.JUNIOR: (Stage.JUNIOR,),
    OrganisationKind.NINE_YEAR: (Stage.PRIMARY, Stage.JUNIOR),
    OrganisationKind.SENIOR: (Stage.SENIOR,),
    OrganisationKind.VOCATIONAL: (Stage.VOCATIONAL,),
    OrganisationKind.SPECIAL: (Stage.KINDERGARTEN, Stage.PRIMARY, Stage.JUNIOR, Stage.SENIOR),
    OrganisationKind.KINDERGARTEN: (Stage.KINDERGARTEN,),
}


def sites(actor: Actor, permission: str = Permission.SITE_SEE) -> QuerySet[Organisation]:
    """Schools, kindergartens and other sites in which the actor holds the permission."""
    reached = actor.scope(permission).organisations
    return Organisation.objects.filter(id__within=reached, kind__in=SITE_KINDS)


def open_sites(actor: Actor, permission: str) -> QuerySet[Organisation]:
    """Those of `sites` that are not closed: where something new may be entered."""
    today = timezone.localdate()
    return sites(actor, permission).filter(Q(closed__isnull=True) | Q(closed__gt=today))


def towns(actor: Actor) -> QuerySet[Organisation]:
    """Towns whose sites the actor may see, for filters; for a school its own town is none."""
    reached = actor.scope(Permission.SITE_SEE).organisations
    return Organisation.objects.filter(kind=OrganisationKind.TOWN, id__within=reached)


def town_of(site_ids: Iterable[int], day: dt.date) -> dict[int, Organisation]:
    """Site id -> town by the area edge in force on a day (one query)."""
    edges = OrganisationEdge.objects.filter(
        in_force(day), child_id__in=list(site_ids), kind=EdgeKind.AREA
    )
    return {edge.child_id: edge.parent for edge in edges.select_related("parent")}


def authority(actor: Actor) -> Organisation:
    """The authority of the actor's first post, else the installation's bureau."""
    posts = getattr(actor, "posts", [])
    if posts:
        first = posts[0].organisation_id
        top = authorities({first}, timezone.localdate())[first]
        return Organisation.objects.get(id=top)
    return Organisation.objects.filter(kind=OrganisationKind.BUREAU).order_by("id")[0]


def school_years(actor: Actor) -> QuerySet[SchoolYear]:
    """School years of the actor's authority, newest first, with their terms."""
    return SchoolYear.objects.filter(organisation=authority(actor)).prefetch_related("terms")


@dataclass
class Headcount:
    """Pupils who belong to sites: in all, by site, by class (id)."""

    total: int = 0
    by_site: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    by_class: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def headcount(site_ids: Iterable[int]) -> Headcount:
    """Numbers of pupils who are at school or suspended; also for those who may see no child's row."""
    found = Headcount()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM registry_headcount(%s::bigint[])", [list(site_ids)])
        for site_id, class_id, pupils in cursor.fetchall():
            found.total += pupils
            found.by_site[site_id] += pupils
            if class_id is not None:
                found.by_class[class_id] += pupils
    return found


def pupil_ids_with(number: str) -> list[uuid.UUID]:
    """Keys of the live pupils who have a whole identity or pupil-status number, in reach or not."""
    number = number.strip().upper()
    if not number:
        return []
    sealed = [
        seal(number, f"registry_pupil.{column}", tag)
        for column in ("id_number", "student_number")
        for tag in settings.IDENTITY_KEYS
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM registry_pupil_with_number(%s::text[])", [sealed])
        return [row[0] for row in cursor.fetchall()]


def communities(actor: Actor) -> QuerySet[Community]:
    """Communities: those of the towns in reach; all for whoever enters pupils' addresses."""
    rows = Community.objects.select_related("town")
    if actor.can(Permission.PUPIL_EDIT) or actor.scope(Permission.ADDRESS_SEE).everything:
        return rows
    return rows.filter(town__within=actor.scope(Permission.ADDRESS_SEE).organisations)


def dwellings(actor: Actor) -> QuerySet[Dwelling]:
    """Dwellings of the communities that the actor may see; nothing of who lives there."""
    return Dwelling.objects.filter(community__in=communities(actor)).select_related("community")


def school_year_of(day: dt.date) -> int:
    """The year in which the school year of a day begins (1 September)."""
    return day.year if day.month >= 9 else day.year - 1


def entry_year_of(grade: int, day: dt.date) -> int:
    """The entry year of classes that are in a grade of their stage on a day."""
    return school_year_of(day) - grade + 1


def stages_of(site: Organisation) -> tuple[str, ...]:
    """Stages that a site may have classes of; none for adult schools and training institutions."""
    return tuple(stage.value for stage in STAGES.get(OrganisationKind(site.kind), ()))


def grades() -> list[tuple[str, int]]:
    """Every (stage, grade) there is, youngest first."""
    return [(stage, grade) for stage, years in STAGE_YEARS.items() for grade in range(1, years + 1)]
