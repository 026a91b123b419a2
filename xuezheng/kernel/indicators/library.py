"""The snapshots of this installation: made by a job into the data folder, listed in a table."""

import datetime as dt
from pathlib import Path

from django.conf import settings
from django.db import transaction

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.indicators.access import Permission
from xuezheng.kernel.indicators.freeze import freeze, installation_authority, part_folder
from xuezheng.kernel.indicators.models import Snapshot
from xuezheng.kernel.indicators.snapshot import Manifest
from xuezheng.kernel.jobs.queue import enqueue

JOB = "indicators.snapshot"


def library() -> Path:
    """Where snapshots lie, beside the database."""
    return Path(settings.SNAPSHOTS_DIR)


def folder_of(snapshot: Snapshot) -> Path:
    """The snapshot's folder."""
    return library() / snapshot.folder


def order_snapshot(*, day: dt.date, by: Actor) -> None:
    """Have a snapshot made by the next free worker.  At most one waits.

    Raises PermissionDenied, OutOfScope; SnapshotRefused when there is no organisation yet.
    """
    authority = Organisation.objects.get(code=installation_authority(day))
    post = by.post_for(Permission.MAKE, authority.id)
    record("snapshot.order", by=by, post=post, organisation_id=authority.id, object_type="snapshot")
    user_id = by.user.id if by.user else None
    transaction.on_commit(lambda: enqueue(JOB, only_one=JOB, user_id=user_id))


def keep_snapshot(
    *, by: Actor, year: int | None = None, user_id: int | None = None, scanner: bool = True
) -> Snapshot:
    """Make a snapshot in the library and list it; the same data on the same day are kept once.

    `user_id` is who asked for it.  Runs outside a fence: the files are written first, then the row.
    Raises SnapshotRefused, PermissionDenied.
    """
    with part_folder(library()) as folder:
        manifest = freeze(folder, year=year, by=by, scanner=scanner)
        name = f"{manifest.taken_on}-{manifest.year}-{manifest.digest[:12]}"
        place = library() / name
        # What is there under this name has the same digest; the row may still be missing.
        if not place.exists():
            folder.rename(place)
    with fenced(by=by):
        return _listed(manifest, name, by=by, user_id=user_id)


def _listed(manifest: Manifest, name: str, *, by: Actor, user_id: int | None) -> Snapshot:
    authority = Organisation.objects.get(code=manifest.district)
    snapshot, made = Snapshot.objects.get_or_create(
        digest=manifest.digest,
        defaults={
            "organisation": authority,
            "folder": name,
            "year": manifest.year,
            "as_of": manifest.as_of,
            "taken_on": manifest.taken_on,
            "counts": manifest.rows,
            "made_by_id": user_id,
            "made_at": manifest.content["made_at"],
        },
    )
    if made:
        record(
            "snapshot.made",
            by=by,
            organisation_id=authority.id,
            object_type="snapshot",
            object_id=snapshot.id,
            detail={"digest": manifest.digest, "rows": sum(manifest.rows.values())},
        )
    return snapshot
