"""Envelopes of cases as rows for COPY: what services/cases would have left, walked along the flow."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max

from xuezheng.kernel.access.models import Post
from xuezheng.kernel.cases.flows import Flow, Phase
from xuezheng.kernel.cases.models import Case
from xuezheng.registry.demo.rows import Stream


@dataclass(frozen=True, slots=True)
class Taken:
    """A step taken: when, by whom (none: a family without an account, or a job), with what note."""

    at: dt.datetime
    step: str
    post: Post | None = None
    user_id: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """A term: kind, words of its basis, first and last day, the day on which it stopped."""

    kind: str
    basis: str
    started: dt.date
    due: dt.date
    stopped: dt.date | None = None


class Cases:
    """Writes cases, moves and clocks; keys and numbers go on after those that exist."""

    def __init__(self) -> None:
        self.id = Case.objects.aggregate(last=Max("id"))["last"] or 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value FROM cases_number")
            self.number = cursor.fetchone()[0]
        self.cases = Stream(
            "cases_case",
            (
                *("id", "number", "kind", "title", "organisation_id", "state", "phase", "awaits"),
                *("due", "opened_at", "closed_at", "version"),
            ),
        )
        self.moves = Stream(
            "cases_move",
            (
                *("case_id", "at", "step", "source", "target", "user_id", "post_id", "note"),
                "bars_next",
            ),
        )
        self.clocks = Stream(
            "cases_caseclock", ("case_id", "kind", "basis", "started", "due", "stopped")
        )

    @property
    def streams(self) -> list[Stream]:
        """In an order that foreign keys allow."""
        return [self.cases, self.moves, self.clocks]

    def add(
        self,
        flow: Flow,
        *,
        title: str,
        organisation_id: int,
        taken: Sequence[Taken],
        clocks: Sequence[Clock] = (),
    ) -> tuple[int, str, str]:
        """A case that has gone the steps `taken`, the first being its opening: id, number, state."""
        self.id += 1
        self.number += 1
        number = f"{flow.prefix}{taken[0].at.year}-{self.number:06d}"
        state = ""
        barred = self._barred(flow, taken)
        for index, one in enumerate(taken):
            step = flow.step(one.step) if index else flow.opening
            if index and state not in step.sources:
                raise ValueError(f"{number}: {one.step} from {state}")
            self.moves.add(
                self.id, one.at, one.step, state, step.target,
                one.post.user_id if one.post else one.user_id, one.post.id if one.post else None,
                one.note, "t" if index in barred else "f",
            )  # fmt: skip
            state = step.target
        info = flow.states[state]
        running = [clock for clock in clocks if clock.stopped is None]
        for clock in clocks:
            self.clocks.add(
                self.id, clock.kind, clock.basis, clock.started, clock.due, clock.stopped
            )
        closed = taken[-1].at if info.phase == Phase.CLOSED else None
        self.cases.add(
            self.id, number, flow.kind, title, organisation_id, state, info.phase.value,
            flow.awaited(state),
            min((clock.due for clock in running), default=None),
            taken[0].at, closed, len(taken),
        )  # fmt: skip
        return self.id, number, state

    @staticmethod
    def _barred(flow: Flow, taken: Sequence[Taken]) -> set[int]:
        last = flow.opening if len(taken) == 1 else flow.step(taken[-1].step)
        duty = flow.duty(last.target)
        if duty is None:
            return set()
        steps = [one.step for one in taken]
        return {len(steps) - 1 - steps[::-1].index(key) for key in duty.not_by if key in steps}

    def go_on(self) -> None:
        """Let the sequences go on after what was written."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('cases_case', 'id'), %s)", [self.id]
            )
            cursor.execute("SELECT setval('cases_number', %s)", [self.number])
