"""Spoken notes: what is taken as a recording, and how long and large one may be."""

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.cases.service import StepRefused
from xuezheng.kernel.files.models import StoredFile
from xuezheng.kernel.files.store import keep_bytes
from xuezheng.kernel.reference.parameters import settings_on

#: First bytes -> type and ending: what browsers and the recorders of telephones write.
STARTS = {
    b"\x1a\x45\xdf\xa3": ("audio/webm", "webm"),
    b"OggS": ("audio/ogg", "ogg"),
    b"ID3": ("audio/mpeg", "mp3"),
    b"\xff\xfb": ("audio/mpeg", "mp3"),
    b"\xff\xf3": ("audio/mpeg", "mp3"),
    b"\xff\xf1": ("audio/aac", "aac"),
    b"#!AMR": ("audio/amr", "amr"),
}


def longest_seconds(organisation: Organisation) -> int:
    """How many seconds the page records for a bureau before it stops by itself."""
    return int(_limits(organisation)["voice_seconds"].value)


def keep_recording(upload: UploadedFile, *, organisation: Organisation, by: Actor) -> StoredFile:
    """Store a recording under a name of our own; its type is what its first bytes say.

    Raises StepRefused for what is too large, empty or no recording, ValidationError for a full disk.
    """
    most = int(_limits(organisation)["voice_kilobytes"].value)
    if upload.size > most * 1024:
        raise StepRefused(_("录音超过 %d KB，请分几段说。") % most)
    data = upload.read()
    found = kind_of(data)
    if found is None:
        raise StepRefused(_("这不是录音文件。"))
    media_type, ending = found
    name = f"{timezone.localtime():%Y%m%d-%H%M}.{ending}"
    return keep_bytes(data, name, media_type, organisation_id=organisation.id, by=by)


def kind_of(data: bytes) -> tuple[str, str] | None:
    """(type, ending) by the first bytes; None for anything else."""
    if data[4:8] == b"ftyp":
        return "audio/mp4", "m4a"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "audio/wav", "wav"
    return next((kind for start, kind in STARTS.items() if data.startswith(start)), None)


def _limits(organisation: Organisation) -> dict:
    return settings_on(timezone.localdate(), "workplan.note", organisation.code)
