"""Registering a child at the counter or from a paper form: the same answers, the same reference."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile

from xuezheng.domains.admissions.access import Permission
from xuezheng.domains.admissions.answers import Answers
from xuezheng.domains.admissions.models import Application, Check, Season
from xuezheng.domains.admissions.registers.asking import ask
from xuezheng.domains.admissions.registers.base import Question
from xuezheng.domains.admissions.services.applying import Submitted, submit
from xuezheng.kernel.access.actors import Actor, JobActor
from xuezheng.kernel.access.fence import fenced
from xuezheng.kernel.files.store import keep


def register_at_counter(
    *,
    season: Season,
    answers: Answers,
    channel: str,
    paper_kind: str = "",
    papers: Sequence[UploadedFile] = (),
    key: uuid.UUID,
    by: Actor,
) -> Submitted:
    """Ask the registers, keep the papers, submit.  `answers` must come from `Answers.checked`.

    Any counter takes any child of the district, whichever school will check it; so the rows are written
    with the program's reach, and the trail names who typed.  Raises PermissionDenied, StepRefused,
    ValidationError for a paper.
    """
    if not by.can(Permission.COUNTER):
        raise PermissionDenied(str(Permission.COUNTER))
    if channel not in (Application.Channel.COUNTER, Application.Channel.PAPER):
        raise ValueError(channel)
    question = Question(
        id_kind=answers.id_kind,
        child_id=answers.id_number,
        child_name=answers.child_name,
        guardian_id=answers.guardian_id,
        guardian_name=answers.guardian_name,
    )
    checks = {register: ask(question, register, by=by) for register in _asked(answers)}
    files = [keep(upload, organisation_id=season.organisation_id, by=by).id for upload in papers]
    with fenced(by=JobActor("admissions.counter")):
        return submit(
            season=season,
            answers=replace(answers, checks=checks),
            key=key,
            paper_ids={paper_kind: files} if files else {},
            channel=channel,
            by=by,
        )


def _asked(answers: Answers) -> list[str]:
    """A grandparent's home is not asked for at the counter: their paper is there."""
    found = []
    if answers.register:
        found.append(Check.Register.POLICE)
    if answers.owner in ("self", "parent"):
        found.append(Check.Register.PROPERTY)
    if answers.residence_permit:
        found.append(Check.Register.LABOUR)
    return [str(register) for register in found]
