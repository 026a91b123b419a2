"""The public draw: promise, digits on stage, public values, the secret opened.  Each act is a minute.

A draw can be broken off by a power cut at any moment: every act is committed before the next is asked
for, and the page goes on where it stopped.  Nothing is ever taken back: a slip of the keyboard is
struck out in the minutes, a wrong draw is voided, and both stay to be seen by everybody.
"""

import secrets
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.models import Draw, DrawStep, Freeze, Season
from xuezheng.domains.admissions.rules.draw import commitment, draw_numbers, seed
from xuezheng.domains.admissions.services.freezing import Line, locked
from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.audit.trail import record
from xuezheng.kernel.cases.service import StepRefused

#: Fewest digits that the stage must give; more may be drawn.
DIGITS = 6
MOST_DIGITS = 60


@transaction.atomic
def commit(frozen: Freeze, *, sources: Sequence[str], rehearsal: bool = False, by: Actor) -> Draw:
    """Promise a secret by its hash and name the public values of the future that will go in.

    A rehearsal goes the same way over the same roll and counts for nothing; there may be many.  Raises
    PermissionDenied, OutOfScope, StepRefused (a draw of this roll is in force).
    """
    post = by.post_for(Permission.ALLOCATE, frozen.season.organisation_id)
    locked(frozen.season, Season.State.FROZEN)
    if frozen.void_reason:
        raise StepRefused(_("这份名册已经作废。"))
    if not rehearsal and draw_of(frozen):
        raise StepRefused(_("这份名册已有正式抽签。"))
    named = [source.strip() for source in sources if source.strip()]
    secret = secrets.token_hex(32)
    draw = Draw.objects.create(
        freeze=frozen,
        rehearsal=rehearsal,
        commitment=commitment(secret),
        secret=secret,
        public_sources=named,
        public_values=[""] * len(named),
        committed_at=timezone.now(),
    )
    _note(draw, "commit", _("公布密值承诺 %s") % draw.commitment, by=by)
    record(
        "admissions.draw_commit",
        by=by,
        post=post,
        organisation_id=frozen.season.organisation_id,
        object_type="draw",
        object_id=draw.pk,
        detail={"commitment": draw.commitment, "rehearsal": rehearsal},
    )
    return draw


@transaction.atomic
def enter_digit(draw: Draw, *, place: int, digit: str, who: str, witnesses: str, by: Actor) -> Draw:
    """Write down the digit that a parents' representative drew.

    `place` is how many digits there were when the page was opened: a form sent twice enters one digit.
    `who` says which representative, by seat number.  Raises StepRefused.
    """
    draw = _open(draw, by)
    if place != len(draw.digits):
        raise StepRefused(_("第 %d 位已经记下，请接着抽下一位。") % (place + 1))
    if len(digit) != 1 or digit not in "0123456789":
        raise StepRefused(_("一次记一个数字（0 到 9）。"))
    if len(draw.digits) >= MOST_DIGITS:
        raise StepRefused(_("数字已经够多了。"))
    draw.digits += digit
    draw.save(update_fields=["digits"])
    _note(
        draw,
        "digit",
        _("第 %(place)d 位：%(digit)s，抽出人：%(who)s")
        % {"place": place + 1, "digit": digit, "who": who.strip()},
        witnesses=witnesses,
        by=by,
    )
    return draw


@transaction.atomic
def strike_digit(draw: Draw, *, reason: str, witnesses: str, by: Actor) -> Draw:
    """The last digit was typed wrongly: strike it out, with the reason, to enter it again."""
    draw = _open(draw, by)
    if not draw.digits or not reason.strip():
        raise StepRefused(_("请写明说明。"))
    text = _("划去第 %(place)d 位 %(digit)s：%(reason)s") % {
        "place": len(draw.digits),
        "digit": draw.digits[-1],
        "reason": reason.strip(),
    }
    draw.digits = draw.digits[:-1]
    draw.save(update_fields=["digits"])
    _note(draw, "strike", text, witnesses=witnesses, by=by)
    return draw


@transaction.atomic
def enter_public_value(draw: Draw, *, index: int, value: str, by: Actor) -> Draw:
    """Write down a public value once it is known; it cannot be changed."""
    draw = _open(draw, by)
    if index not in range(len(draw.public_sources)) or draw.public_values[index]:
        raise StepRefused(_("这个公开值已经记下。"))
    value = " ".join(value.split())[:120]
    if not value or "|" in value:
        raise StepRefused(_("公开值不能为空，也不能含竖线。"))
    draw.public_values[index] = value
    draw.save(update_fields=["public_values"])
    _note(draw, "public", f"{draw.public_sources[index]}：{value}", by=by)
    return draw


@transaction.atomic
def note_event(draw: Draw, *, text: str, witnesses: str, by: Actor) -> DrawStep:
    """Add to the minutes: who is present, a power cut, an objection."""
    draw = _open(draw, by)
    if not text.strip():
        raise StepRefused(_("请写明说明。"))
    return _note(draw, "note", text, witnesses=witnesses, by=by)


@transaction.atomic
def open_secret(draw: Draw, *, witnesses: str, by: Actor) -> Draw:
    """Open the secret and work out the seed; the season is drawn unless this was a rehearsal.

    Raises StepRefused with too few digits, a public value missing, or nobody named as a witness.
    """
    draw = _open(draw, by)
    if len(draw.digits) < DIGITS:
        raise StepRefused(_("至少要抽 %d 位数字。") % DIGITS)
    if not all(draw.public_values):
        raise StepRefused(_("还有公开值没有记下。"))
    if not witnesses.strip():
        raise StepRefused(_("请写明见证人。"))
    season = locked(draw.freeze.season, Season.State.FROZEN)
    draw.seed = seed(draw.freeze.root, draw.digits, draw.public_values, draw.secret)
    draw.state = Draw.State.DRAWN
    draw.drawn_at = timezone.now()
    draw.save(update_fields=["seed", "state", "drawn_at"])
    _note(draw, "open", _("打开密值，得出种子 %s") % draw.seed, witnesses=witnesses, by=by)
    if not draw.rehearsal:
        season.state = Season.State.DRAWN
        season.save(update_fields=["state"])
    record(
        "admissions.draw_open",
        by=by,
        organisation_id=season.organisation_id,
        object_type="draw",
        object_id=draw.pk,
        detail={"seed": draw.seed, "rehearsal": draw.rehearsal},
    )
    return draw


@transaction.atomic
def void_draw(draw: Draw, *, reason: str, witnesses: str, by: Actor) -> None:
    """Void a draw before anything was allocated by it; it stays to be seen, with its reason."""
    season = draw.freeze.season
    post = by.post_for(Permission.ALLOCATE, season.organisation_id)
    if not reason.strip():
        raise StepRefused(_("请写明说明。"))
    season = locked(season, Season.State.FROZEN, Season.State.DRAWN)
    draw = Draw.objects.select_for_update(of=("self",)).get(pk=draw.pk)
    if draw.state == Draw.State.VOID:
        raise StepRefused(_("这次抽签已经作废。"))
    draw.state = Draw.State.VOID
    draw.save(update_fields=["state"])
    _note(draw, "void", reason, witnesses=witnesses, by=by)
    if not draw.rehearsal:
        season.state = Season.State.FROZEN
        season.save(update_fields=["state"])
    record(
        "admissions.draw_void",
        by=by,
        post=post,
        organisation_id=season.organisation_id,
        object_type="draw",
        object_id=draw.pk,
        reason=reason,
    )


def draw_of(frozen: Freeze) -> Draw | None:
    """The draw of a roll that counts."""
    return frozen.draws.filter(rehearsal=False).exclude(state=Draw.State.VOID).first()


def numbers_of(draw: Draw) -> dict[str, int]:
    """Code -> draw number of every child of the roll, for life (one query)."""
    lines = draw.freeze.leaves.values_list("text", flat=True)
    return draw_numbers(draw.seed, [Line.read(text).code for text in lines])


def _open(draw: Draw, by: Actor) -> Draw:
    """The draw, locked, if something can still be entered."""
    by.post_for(Permission.ALLOCATE, draw.freeze.season.organisation_id)
    found = Draw.objects.select_for_update(of=("self",)).select_related("freeze__season")
    row = found.get(pk=draw.pk)
    if row.state != Draw.State.COMMITTED:
        raise StepRefused(_("这次抽签已经结束。"))
    return row


def _note(draw: Draw, kind: str, text: str, *, witnesses: str = "", by: Actor) -> DrawStep:
    return DrawStep.objects.create(
        draw=draw, kind=kind, text=text.strip()[:400], witnesses=witnesses.strip()[:200], by=by.user
    )
