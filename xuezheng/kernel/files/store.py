"""Taking in, finding and checking stored files.

Pictures are decoded and encoded again: that proves that they are pictures, and removes the place,
time and device that phones write into them (data nobody asked for).  Other kinds are recognised by
their first bytes, not by their name.
"""

import hashlib
import io
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.telemetry.faults import DISK, fault_of

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
LONGEST_SIDE = 2048
PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
#: First bytes -> suffixes that may begin so.  Office files are zip archives.
MAGIC = {
    b"%PDF-": {".pdf": "application/pdf"},
    b"PK\x03\x04": {
        ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    },
}


def read_upload(upload: UploadedFile) -> tuple[bytes, str]:
    """The bytes to keep and their media type.

    Raises ValidationError with a message for the user: too large, a picture that cannot be read,
    or a kind that is not taken.
    """
    if upload.size > MAX_BYTES:
        raise ValidationError(_("文件超过 20 MB，请压缩后再传。"))
    data = upload.read()
    if not data:
        raise ValidationError(_("文件是空的，请重新选择。"))
    suffix = Path(upload.name or "").suffix.lower()
    for magic, kinds in MAGIC.items():
        if data.startswith(magic) and suffix in kinds:
            return data, kinds[suffix]
    return _picture(data)


def _picture(data: bytes) -> tuple[bytes, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=list(PICTURES))
            if image.width * image.height > MAX_PIXELS:
                raise ValidationError(_("照片像素过大，请用普通画质重新拍照。"))
            media_type = PICTURES[image.format or ""]
            image = ImageOps.exif_transpose(image)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning) as error:
        raise ValidationError(_("只接受 JPG、PNG、WebP 照片和 PDF、Word、Excel 文件。")) from error
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if media_type == "image/jpeg":
        image = image.convert("RGB")
    out = io.BytesIO()
    image.save(out, format={v: k for k, v in PICTURES.items()}[media_type], quality=85)
    return out.getvalue(), media_type


def path_of(sha256: str) -> Path:
    """Where the content with this hash lies."""
    return Path(settings.FILES_DIR) / sha256[:2] / sha256


def keep(upload: UploadedFile, *, organisation_id: int, by: Actor) -> StoredFile:
    """Store an upload.  Raises ValidationError (see `read_upload`).

    The content is on disk, synced, before the row is written: a committed row never lacks its file.
    A file whose row is rolled back stays as an orphan of at most 20 MB.
    """
    data, media_type = read_upload(upload)
    return keep_bytes(data, upload.name or "", media_type, organisation_id=organisation_id, by=by)


def keep_bytes(
    data: bytes, name: str, media_type: str, *, organisation_id: int, by: Actor
) -> StoredFile:
    """Store content made by the program itself or already checked.

    Raises ValidationError when the disk is full or read-only; nothing is left of the file then.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    target = path_of(sha256)
    if not target.exists():
        write_whole(target, data)
    return StoredFile.objects.create(
        sha256=sha256,
        size=len(data),
        media_type=media_type,
        name=Path(name).name[:200] or sha256[:12],
        organisation_id=organisation_id,
        uploaded_by=by.user,
    )


def write_whole(target: Path, data: bytes) -> None:
    """Write beside the target and rename: under its name a file is complete or not there.

    Raises ValidationError when the disk is full or read-only.
    """
    temporary = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        Path(temporary).replace(target)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        if fault_of(error) != DISK:
            raise
        raise ValidationError(
            _("服务器磁盘已满或只读，文件没有存入。请联系系统管理员，处理后再传。")
        ) from error


def forget(ids: Iterable[uuid.UUID]) -> int:
    """Remove files whose keeper is gone; content that another file shares stays.  Returns how many.

    The content goes after the commit.  Raises ProtectedError for a file that something still names.
    """
    rows = StoredFile.objects.filter(id__in=list(ids))
    hashes = set(rows.values_list("sha256", flat=True))
    gone, _by_model = rows.delete()
    shared = StoredFile.objects.filter(sha256__in=hashes).values_list("sha256", flat=True)
    for sha256 in hashes - set(shared):
        transaction.on_commit(partial(path_of(sha256).unlink, missing_ok=True))
    return gone


def fixity_problems() -> list[str]:
    """Ids of files that are missing or whose content no longer has its hash."""
    problems = []
    for stored in StoredFile.objects.iterator():
        path = path_of(stored.sha256)
        if not path.exists():
            problems.append(f"{stored.id} missing")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != stored.sha256:
            problems.append(f"{stored.id} altered")
    return problems
