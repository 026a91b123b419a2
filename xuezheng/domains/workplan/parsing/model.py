"""What the importer returns."""

from dataclasses import dataclass, field
from typing import Any


class PlanError(Exception):
    """The file cannot be read as a plan; the message (Chinese / English) says what to do."""


@dataclass
class Heading:
    """A heading with its body.  `start`..`end` spans both; `body` is where that begins.

    `path` joins the numbers from the root with /, the 、 of 一、 dropped.
    """

    number: str
    title: str
    level: int
    start: int
    body: int
    end: int
    path: str
    title_start: int
    title_end: int
    children: list["Heading"] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The public form, with children."""
        return {
            "number": self.number,
            "title": self.title,
            "level": self.level,
            "start": self.start,
            "end": self.end,
            "children": [child.as_json() for child in self.children],
        }


@dataclass
class Promise:
    """A single commitment: `text` is the wording at `start`..`end`; `row` its place in `Plan.rows`."""

    section: str
    text: str
    start: int
    end: int
    kind: str = "standing"
    kind_reason: str = ""
    row: int | None = None


@dataclass
class Figure:
    """A quantitative target.  `value` is a number, or [low, high] for the comparator "range"."""

    section: str
    text: str
    value: float | int | list[float | int]
    unit: str
    comparator: str
    strict: bool
    hedged: bool
    period: str | None
    start: int
    end: int
    baseline: float | int | None = None
    subject: str = ""


@dataclass
class UnitNote:
    """Who answers for a section."""

    section: str
    lead: list[str]
    support: list[str]


@dataclass
class Doubt:
    """Something that a person must look at.  Codes: see parse.py and targets.py."""

    section: str
    code: str
    message: str
    start: int | None = None
    end: int | None = None


@dataclass
class Plan:
    """The whole parse; every start and end counts characters of `text`."""

    text: str
    title: str | None = None
    issuer: str | None = None
    year: int | None = None
    sections: list[Heading] = field(default_factory=list)
    commitments: list[Promise] = field(default_factory=list)
    targets: list[Figure] = field(default_factory=list)
    named_documents: list[str] = field(default_factory=list)
    responsible_units: list[UnitNote] = field(default_factory=list)
    warnings: list[Doubt] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def quote_targets(self) -> None:
        """Let every target quote the source: the rules see full-width signs as half-width ones."""
        for figure in self.targets:
            figure.text = self.text[figure.start : figure.end]

    def as_json(self) -> dict[str, Any]:
        """The parse as plain values, in the form that `xuezheng plan parse` prints."""
        result: dict[str, Any] = {
            "title": self.title,
            "issuer": self.issuer,
            "year": self.year,
            "sections": [heading.as_json() for heading in self.sections],
            "commitments": [vars(promise) for promise in self.commitments],
            "targets": [vars(figure) for figure in self.targets],
            "named_documents": self.named_documents,
            "responsible_units": [vars(units) for units in self.responsible_units],
            "warnings": [vars(doubt) for doubt in self.warnings],
        }
        if self.rows:
            result["rows"] = self.rows
        return result
