"""Merging two rows of one person, and undoing that.

The dropped row stays, points to the kept one and leaves all lists.  Where the dropped row's value of
a field is the better one, the two rows *swap* it: nothing is lost, and the trail needs no copy of
personal data.  What refers to the dropped row is handed over; what cannot be (a second open
placement, say) is ended or stays where it is.  `PersonMerge.moved` lists keys, so that it can be
undone.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.registry.access import Permission
from xuezheng.registry.models import (
    DuplicatePair,
    Employment,
    Guardianship,
    PersonMerge,
    Placement,
    Residence,
)
from xuezheng.registry.models.merging import PersonKind
from xuezheng.registry.services.common import allowed
from xuezheng.registry.services.duplicates import MODELS, decided, locked_pair

DAY = dt.timedelta(days=1)
#: Fields between which the registrar chooses.
CHOICES = {
    PersonKind.PUPIL: (
        "name", "former_name", "sex", "born_on", "id_kind", "id_number", "student_number",
        "ethnicity", "nationality", "register_division", "boarding", "entered_on",
    ),
    PersonKind.GUARDIAN: ("name", "sex", "born_on", "id_kind", "id_number", "phone"),
    PersonKind.STAFF: (
        "name", "sex", "born_on", "id_kind", "id_number", "work_number", "phone", "education",
        "category", "subject", "employed_on", "user",
    ),
}  # fmt: skip
#: Kind -> (model, its key to the person) of what this storey hands over; a test asks for completeness.
HANDED_OVER = {
    PersonKind.PUPIL: ((Placement, "pupil"), (Guardianship, "pupil"), (Residence, "pupil")),
    PersonKind.GUARDIAN: ((Guardianship, "guardian"),),
    PersonKind.STAFF: ((Employment, "staff"),),
}
#: Chosen like a field: whose open placement (pupils), or main employment (staff), goes on.
PLACE = "place"


def _both(kind: str, one: uuid.UUID, other: uuid.UUID) -> dict[uuid.UUID, models.Model]:
    rows = MODELS[kind].objects.select_for_update(of=("self",)).order_by("id")
    return {row.id: row for row in rows.filter(id__in=[one, other])}


def _swap(kept: models.Model, dropped: models.Model, names: Iterable[str]) -> None:
    """Exchange values.  Unique columns are emptied on one side first, so that neither save collides."""
    model = type(kept)
    values = {name: (getattr(kept, name), getattr(dropped, name)) for name in names}
    emptied = {name: None for name in names if model._meta.get_field(name).unique}
    if emptied:
        model.objects.filter(pk=dropped.pk).update(**emptied)
    for name, (mine, theirs) in values.items():
        setattr(kept, name, theirs)
        setattr(dropped, name, mine)
    kept.save()
    dropped.save()


@transaction.atomic
def merge(
    pair: DuplicatePair, *, keep: uuid.UUID, other_fields: Iterable[str], reason: str, by: Actor
) -> PersonMerge:
    """Merge the pair into the row `keep`.

    `other_fields` are those whose value is taken from the dropped row; PLACE among them lets the
    dropped row's open placement or main employment go on.  Raises PermissionDenied, StepRefused,
    ValidationError.
    """
    post = allowed(by, Permission.MERGE, None)
    pair = locked_pair(pair)
    if not reason.strip():
        raise ValidationError({"reason": _("请写明判断为同一人的理由。")})
    kind = pair.kind
    rows = _both(kind, pair.left, pair.right)
    kept = rows[keep]
    dropped = rows[pair.right if keep == pair.left else pair.left]
    if kept.merged_into_id or dropped.merged_into_id:
        raise StepRefused(_("其中一条已经并入别的记录，请重新查找。"))
    wanted = [name for name in CHOICES[kind] if name in set(other_fields)]
    other_place = PLACE in set(other_fields)
    dropped.merged_into = kept
    dropped.version += 1
    dropped.save()
    _swap(kept, dropped, wanted)
    moved = {"swapped": wanted}
    for model, key in HANDED_OVER[kind]:
        moved |= _hand_over(model, key, kept, dropped, other_place)
    moved["pointed"] = _point(kind, kept, dropped)
    kept.version += 1
    _settle(kind, kept)
    _settle(kind, dropped)
    moved["version"] = kept.version
    made = PersonMerge.objects.create(
        kind=kind, kept=kept.id, dropped=dropped.id, moved=moved, reason=reason.strip(), by=by.user
    )
    decided(pair, DuplicatePair.State.MERGED, by)
    others = DuplicatePair.objects.filter(kind=kind, state=DuplicatePair.State.OPEN)
    others.filter(models.Q(left=dropped.id) | models.Q(right=dropped.id)).delete()
    _note(f"{kind}.merge", made, post, by, reason)
    return made


def _open_clash(model: type[models.Model], key: str, kept, row) -> models.QuerySet:
    """Running rows of the kept person beside which `row` cannot run."""
    running = model.objects.filter(**{key: kept}, valid_to__isnull=True)
    if model is Placement:
        return running
    if model is Residence:
        return running.filter(kind=row.kind)
    if model is Employment:
        return running.filter(organisation=row.organisation_id)
    same = "guardian" if key == "pupil" else "pupil"
    return running.filter(**{same: getattr(row, f"{same}_id")})


def _hand_over(
    model: type[models.Model], key: str, kept, dropped, other_place: bool
) -> dict[str, list]:
    """Move rows of one model; returns what was moved, ended, and taken out of first place."""
    name = model.__name__.lower()
    moved, ended, demoted = [], [], []
    yesterday = timezone.localdate() - DAY

    def end(row) -> None:
        row.valid_to = max(row.valid_from, yesterday)
        if hasattr(row, "main") and row.main:
            row.main = False
            demoted.append(row.pk)
        row.save()
        ended.append(row.pk)

    for row in model.objects.filter(**{key: dropped}).select_for_update(of=("self",)):
        if row.valid_to is None:
            clash = _open_clash(model, key, kept, row).first()
            if clash is not None and other_place and model is Placement:
                end(clash)
            elif clash is not None:
                end(row)
        if row.valid_to is None and getattr(row, "main", False):
            # Guardians of a pupil and employments of a person: one comes first.
            owner = row.pupil_id if model is Guardianship else None
            first = model.objects.filter(valid_to__isnull=True, main=True).exclude(pk=row.pk)
            if model is Employment:
                first = first.filter(staff=kept)
            elif key == "pupil":
                first = first.filter(pupil=kept)
            else:
                first = first.filter(pupil=owner)
            present = first.first()
            if present is not None:
                loser = present if other_place and model is Employment else row
                loser.main = False
                loser.save()
                demoted.append(loser.pk)
        setattr(row, key, kept)
        row.save()
        moved.append(row.pk)
    return {name: moved, f"{name}_ended": ended, f"{name}_demoted": demoted}


def pointing(kind: str) -> list[tuple[type[models.Model], str]]:
    """(model, its key) of what other systems keep of such a person.  Their tables are not known here."""
    person = MODELS[kind]
    own = {model for model, _key in HANDED_OVER[kind]} | {person}
    relations = person._meta.get_fields(include_hidden=True)
    return [
        (relation.related_model, relation.field.name)
        for relation in relations
        if (relation.one_to_many or relation.one_to_one)
        and relation.auto_created
        and relation.related_model not in own
    ]


def _point(kind: str, kept, dropped) -> dict[str, list[str]]:
    """Let rows of other systems point to the kept row; those that it has already stay as they are.

    Returns their keys by model.  Rows out of the actor's reach stay too and find the kept row by
    `merged_into`.
    """
    pointed: dict[str, list[str]] = {}
    for model, key in pointing(kind):
        for row in model.objects.filter(**{key: dropped}).order_by("pk"):
            try:
                with transaction.atomic():
                    model.objects.filter(pk=row.pk).update(**{key: kept})
            except IntegrityError:
                continue
            pointed.setdefault(model._meta.label, []).append(str(row.pk))
    return pointed


def _settle(kind: str, row) -> None:
    """Bring the repeated place into step with what the row holds now, and save."""
    if kind == PersonKind.PUPIL:
        at = row.placements.filter(valid_to__isnull=True).first()
        row.organisation_id = at.organisation_id if at else None
        row.school_class_id = at.school_class_id if at else None
    elif kind == PersonKind.STAFF:
        running = row.employments.filter(valid_to__isnull=True)
        main = running.filter(main=True).first()
        row.organisation_id = main.organisation_id if main else None
    row.save()


@transaction.atomic
def undo_merge(made: PersonMerge, *, reason: str, by: Actor) -> None:
    """Take a merge back: rows return, swapped values return, both rows are live again.

    Raises StepRefused when it was undone already, or when the kept row has been merged or edited
    since (then the swapped values cannot be told from the edited ones).
    """
    post = allowed(by, Permission.MERGE, None)
    made = PersonMerge.objects.select_for_update(of=("self",)).get(pk=made.pk)
    if made.undone_at is not None:
        raise StepRefused(_("这次合并已经撤销过。"))
    rows = _both(made.kind, made.kept, made.dropped)
    kept, dropped = rows[made.kept], rows[made.dropped]
    if kept.merged_into_id:
        raise StepRefused(_("保留的记录后来又并入了另一条，请先撤销那一次。"))
    if made.moved["swapped"] and kept.version != made.moved["version"]:
        raise StepRefused(_("合并之后这条记录又改过，不能整体撤销；请直接修改。"))
    for model, key in HANDED_OVER[made.kind]:
        _hand_back(model, key, kept, dropped, made.moved)
    for model, key in pointing(made.kind):
        rows = model.objects.filter(pk__in=made.moved.get("pointed", {}).get(model._meta.label, ()))
        rows.filter(**{key: kept}).update(**{key: dropped})
    _swap(kept, dropped, made.moved["swapped"])
    dropped.merged_into = None
    for row in (kept, dropped):
        row.version += 1
        _settle(made.kind, row)
    made.undone_at = timezone.now()
    made.save()
    left, right = sorted([made.kept, made.dropped])
    DuplicatePair.objects.filter(kind=made.kind, left=left, right=right).update(
        state=DuplicatePair.State.OPEN, decided_by=None, decided_at=None
    )
    _note(f"{made.kind}.unmerge", made, post, by, reason)


def _hand_back(model: type[models.Model], key: str, kept, dropped, moved: dict) -> None:
    """Return the rows of one model; what was ended runs again where nothing runs in its stead."""
    name = model.__name__.lower()
    back = model.objects.filter(pk__in=moved[name], **{key: kept})
    for row in back:
        setattr(row, key, dropped)
        row.save()
    for row in model.objects.filter(pk__in=moved[f"{name}_ended"]):
        if not _open_clash(model, key, getattr(row, key), row).exists():
            row.valid_to = None
            row.save()
    for row in model.objects.filter(pk__in=moved[f"{name}_demoted"], valid_to__isnull=True):
        owner = {"staff": row.staff_id} if model is Employment else {"pupil": row.pupil_id}
        if not model.objects.filter(valid_to__isnull=True, main=True, **owner).exists():
            row.main = True
            row.save()


def _note(action: str, made: PersonMerge, post, by: Actor, reason: str) -> None:
    # Both rows have it in their trail: whoever looks at either finds it.
    for object_id, other in ((made.kept, made.dropped), (made.dropped, made.kept)):
        record(
            action,
            by=by,
            post=post,
            object_type=made.kind,
            object_id=object_id,
            reason=reason,
            detail={"other": str(other), "merge": made.id},
        )
