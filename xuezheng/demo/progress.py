"""What a person at the terminal sees while the demo is loaded: a bar, or a line per ten per cent."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

WIDTH = 30


class Progress:
    """Steps with weights; each may tell its share of 0 to 1.  Silent without a stream."""

    def __init__(self, steps: dict[str, int], out: TextIO | None = None):
        self._out = out
        self._steps = steps
        self._whole = sum(steps.values())
        self._before = 0
        self._now = ""
        self._tenth = -1
        self._began = time.monotonic()
        self._live = bool(out and out.isatty())

    @classmethod
    def on_terminal(cls, steps: dict[str, int]) -> "Progress":
        """Written to standard output."""
        return cls(steps, sys.stdout)

    def step(self, name: str) -> Callable[[float], None]:
        """Begin a step, which ends the one before.  Returns what the step tells its share to."""
        if self._now:
            self._before += self._steps[self._now]
        self._now = name
        self._show(0)
        return self._show

    def end(self) -> None:
        """Everything is done."""
        self._before, self._now = self._whole, ""
        self._show(0)
        if self._live:
            print(file=self._out, flush=True)

    def _show(self, share: float) -> None:
        if self._out is None:
            return
        weight = self._steps.get(self._now, 0)
        done = (self._before + weight * share) / self._whole
        seconds = time.monotonic() - self._began
        words = f"{done:4.0%} {seconds:4.0f} s  {self._now}"
        if self._live:
            filled = int(done * WIDTH)
            bar = "█" * filled + "░" * (WIDTH - filled)
            print(f"\r{bar} {words:<40}", end="", file=self._out, flush=True)
        elif int(done * 10) > self._tenth:
            self._tenth = int(done * 10)
            print(words, file=self._out, flush=True)
