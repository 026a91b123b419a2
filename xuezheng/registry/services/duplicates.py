"""Rows that may be one person: finding pairs, and deciding that they are not.

Pairs are found by set-based SQL that blocks on whole numbers, and on name with birth (or, for
guardians, telephone); only these few are compared by the rule, so 40,000 pupils take a moment.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.reference.parameters import settings_on
from xuezheng.registry.access import Permission
from xuezheng.registry.codes import CITIZEN_ID, citizen_id_problem
from xuezheng.registry.models import DuplicatePair, Guardian, Guardianship, Pupil, StaffMember
from xuezheng.registry.models.merging import PersonKind
from xuezheng.registry.rules import Traits, score, signs
from xuezheng.registry.selectors import authority
from xuezheng.registry.services.common import allowed

PREFIX = "registry.duplicates"
MODELS = {
    PersonKind.PUPIL: Pupil,
    PersonKind.GUARDIAN: Guardian,
    PersonKind.STAFF: StaffMember,
}
#: Columns on which two rows of a kind must agree to be compared at all.
BLOCKS = {
    PersonKind.PUPIL: (("id_number",), ("name", "born_on")),
    PersonKind.GUARDIAN: (("id_number",), ("name", "phone")),
    PersonKind.STAFF: (("id_number",), ("name", "born_on")),
}
BATCH = 2000


@dataclass(frozen=True)
class Found:
    """What a search found: pairs listed as open, and pairs that were new among them."""

    pairs: int
    new: int


def _candidates(kind: str) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs (smaller key first) of live rows that agree on a block."""
    table = MODELS[kind]._meta.db_table
    searches = []
    for columns in BLOCKS[kind]:
        same = " AND ".join(f"one.{column} = other.{column}" for column in columns)
        searches.append(
            f"SELECT one.id, other.id FROM {table} one JOIN {table} other"
            f" ON {same} AND one.id < other.id"
            " WHERE one.merged_into_id IS NULL AND other.merged_into_id IS NULL"
        )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ".join(searches))
        return {(one, other) for one, other in cursor.fetchall()}


def traits_of(kind: str, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Traits]:
    """What of the rows is compared, by key (two queries)."""
    ids = list(ids)
    guardians: dict[uuid.UUID, set[str]] = {}
    if kind == PersonKind.PUPIL:
        held = Guardianship.objects.filter(pupil_id__in=ids).values_list(
            "pupil_id", "guardian__name"
        )
        for pupil_id, name in held:
            guardians.setdefault(pupil_id, set()).add(name)
    return {
        row.id: Traits(
            name=row.name,
            born_on=row.born_on,
            sex=row.sex,
            number=row.id_number or "",
            tail=row.id_tail,
            phone=getattr(row, "phone", None) or "",
            sound=row.id_kind == CITIZEN_ID and not citizen_id_problem(row.id_number or ""),
            guardians=frozenset(guardians.get(row.id, ())),
        )
        for row in MODELS[kind].objects.filter(id__in=ids)
    }


@transaction.atomic
def find_duplicates(*, by: Actor) -> Found:
    """Search all kinds anew.  Open pairs that no longer score enough go; decided ones stay decided.

    Whoever searches must reach everything (MERGE).  Writes one audit entry with counts.
    """
    post = allowed(by, Permission.MERGE, None)
    today = timezone.localdate()
    settings = settings_on(today, PREFIX, authority(by).code)
    weights, threshold = settings["weights"].value, settings["threshold"].value
    total = new = 0
    for kind in MODELS:
        pairs = _candidates(kind)
        traits = traits_of(kind, {key for pair in pairs for key in pair})
        rows = {}
        for left, right in pairs:
            found = signs(traits[left], traits[right])
            points = score(found, weights)
            if points >= threshold:
                rows[left, right] = DuplicatePair(
                    kind=kind, left=left, right=right, score=points, signs=list(found)
                )
        known = DuplicatePair.objects.filter(kind=kind)
        before = {(pair.left, pair.right): pair for pair in known}
        gone = [
            pair.id
            for key, pair in before.items()
            if key not in rows and pair.state == DuplicatePair.State.OPEN
        ]
        known.filter(id__in=gone).delete()
        fresh = [row for key, row in rows.items() if key not in before]
        DuplicatePair.objects.bulk_create(fresh, batch_size=BATCH)
        changed = []
        for key, row in rows.items():
            old = before.get(key)
            if old and old.state == DuplicatePair.State.OPEN:
                total += 1
                if (old.score, old.signs) != (row.score, row.signs):
                    old.score, old.signs = row.score, row.signs
                    changed.append(old)
        DuplicatePair.objects.bulk_update(changed, ["score", "signs"], batch_size=BATCH)
        total, new = total + len(fresh), new + len(fresh)
    record(
        "duplicates.find", by=by, post=post, object_type="duplicates",
        detail={"pairs": total, "new": new},
    )  # fmt: skip
    return Found(total, new)


def decided(pair: DuplicatePair, state: str, by: Actor) -> None:
    """Write a decision onto a locked pair."""
    pair.state = state
    pair.decided_by = by.user
    pair.decided_at = timezone.now()
    pair.save()


def locked_pair(pair: DuplicatePair) -> DuplicatePair:
    """The pair, locked.  Raises StepRefused when it has been decided."""
    pair = DuplicatePair.objects.select_for_update(of=("self",)).get(pk=pair.pk)
    if pair.state != DuplicatePair.State.OPEN:
        raise StepRefused(_("这一对已经判断过了。"))
    return pair


@transaction.atomic
def keep_apart(pair: DuplicatePair, *, by: Actor) -> None:
    """Decide that a pair are two persons; it is not listed again."""
    post = allowed(by, Permission.MERGE, None)
    pair = locked_pair(pair)
    decided(pair, DuplicatePair.State.DIFFERENT, by)
    record("duplicates.different", by=by, post=post, object_type="duplicates", object_id=pair.id)
