"""What a system declares of a list so that it can be carried in and out as a workbook."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.conf import settings
from django.utils import translation
from django.utils.encoding import force_str
from django.utils.translation import gettext_lazy as _

from xuezheng.kernel.access.actors import Actor


class Kind(StrEnum):
    """What a cell holds.  ID, CODE and PHONE are text even where they look like numbers."""

    TEXT = "text"
    ID = "id"
    CODE = "code"
    PHONE = "phone"
    DATE = "date"
    CHOICE = "choice"
    INTEGER = "integer"
    BOOL = "bool"


#: Kinds whose column is formatted as text, so that Excel keeps every digit.
AS_TEXT = frozenset({Kind.TEXT, Kind.ID, Kind.CODE, Kind.PHONE})

#: Sheets of a template that hold no rows: the instructions, and (hidden) long lists of choices.
INSTRUCTIONS, LISTS = _("填表说明"), "lists"
#: Columns that the workbook of wrong rows adds; read again they say nothing.
REASON_HEADINGS = (_("工作表"), _("行号"), _("哪里不对"), _("怎么改"))

Choices = Mapping[str, Any] | Callable[[Actor], Mapping[str, Any]]


@dataclass(frozen=True)
class Field:
    """A column.

    `required`: a new row must have it.  `choices`: code -> label.  `synonyms`: headings under which
    other programs export it; `spellings`: other words for a choice -> its code.  `check` looks at one
    value and gives (what is wrong, what to do) or None.  `mask` makes a value fit to be shown to anybody
    who may see the row; a field with a mask is sensitive.  `month` takes year and month for a day.  `open`: other words than
    the choices are passed on as they are, for the keeper to make out.
    """

    key: str
    heading: Any
    kind: Kind = Kind.TEXT
    required: bool = False
    choices: Choices | None = None
    help: Any = ""
    width: int = 14
    sample: str = ""
    max_length: int = 0
    minimum: int = 0
    maximum: int = 1_000_000_000
    synonyms: tuple[str, ...] = ()
    spellings: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[str], tuple[str, str] | None] | None = None
    mask: Callable[[str], str] | None = None
    month: bool = False
    in_template: bool = True
    open: bool = False

    def options(self, by: Actor) -> dict[str, str]:
        """Code -> label in the present language."""
        choices = self.choices(by) if callable(self.choices) else self.choices or {}
        return {code: force_str(label) for code, label in choices.items()}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is not taken: field key ("" for the row), what is wrong, what to do.

    `of_file`: only another file can mend it; other problems may vanish when rows are compared anew.
    `unmatched`: a name that stands for something the program does not know by it.
    """

    field: str
    text: str
    advice: str = ""
    of_file: bool = False
    unmatched: str = ""


NEW, CHANGED, UNCHANGED, ERROR = "new", "changed", "unchanged", "error"


@dataclass(slots=True, eq=False)
class Row:
    """One line of a file on its way in.

    `values` holds only what the file says: an empty cell is absent and changes nothing, "" clears.
    `old` has the present values of what changes; `links` what a keeper resolved for its own use, and
    under "also" further keys that no second row of the file may have; `raw`
    the cells as they were, kept for wrong rows alone; `left` why an undo left the row as it is.
    """

    sheet: str
    line: int
    values: dict[str, Any]
    key: Hashable = ""
    outcome: str = NEW
    old: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    raw: list[Any] = field(default_factory=list)
    left: str = ""
    links: dict[str, Any] = field(default_factory=dict)

    def wrong(self, key: str, text: str, advice: str = "", **more: Any) -> None:
        """Add a problem."""
        self.problems.append(Problem(key, text, advice, **more))


@dataclass(slots=True)
class Existing:
    """A stored row: its values in the form that cells are read into, and how often it was changed."""

    values: dict[str, Any]
    row: Any = None
    version: int = 1


@dataclass
class Run:
    """One pass over a file: who, whether it loads opening balances, whether it undoes; a memory."""

    by: Actor
    opening: bool = False
    undoing: bool = False
    memo: dict[str, Any] = field(default_factory=dict)


class Keeper:
    """How the rows of a table are found and written.  Chunks of at most 2,000; a query for each, not a row.

    Every method may rely on `run.by` holding the table's permission; rows beyond its scope must be
    refused by `resolve` and must not be found by `lookup`.
    """

    def resolve(self, rows: Sequence[Row], run: Run) -> None:
        """Check fields against each other and against what is stored; set `row.key` of sound rows."""
        raise NotImplementedError

    def lookup(self, rows: Sequence[Row], run: Run, *, lock: bool) -> dict[Hashable, Existing]:
        """The stored rows by `row.key`; may add problems (somebody else's row, for one)."""
        raise NotImplementedError

    def create(self, rows: Sequence[Row], run: Run) -> None:
        """Write new rows; `row.links` are those of `resolve`."""
        raise NotImplementedError

    def update(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Write `row.values` of the keys in `row.old` onto stored rows."""
        raise NotImplementedError

    def remove(self, rows: Sequence[tuple[Row, Existing]], run: Run) -> None:
        """Remove rows that the batch made, or set `row.left`: what refers to them by now."""
        raise NotImplementedError

    def export(self, rows: Any, run: Run) -> Iterable[dict[str, Any]]:
        """Values of each row of a queryset, in the form that cells are read into."""
        raise NotImplementedError


@dataclass(frozen=True)
class Handout:
    """A workbook that is made once from a batch that was applied: words on its button, its maker.

    `make(rows, run)` gives (headings, lines); it may write.
    """

    label: Any
    text: Any
    make: Callable[[Sequence[Row], Run], tuple[Sequence[Any], Iterable[Sequence[Any]]]]


@dataclass(frozen=True)
class Table:
    """A list.  `permission` imports it; `identity`: fields of which a file must bring at least one."""

    key: str
    title: Any
    version: str
    fields: tuple[Field, ...]
    permission: str
    keeper: Keeper
    identity: tuple[str, ...]
    instructions: tuple[Any, ...] = ()
    match_url: str = ""
    #: Who may load the list as opening balance.
    opening_permission: str = ""
    handout: Handout | None = None

    def field(self, key: str) -> Field:
        """One field."""
        return next(field for field in self.fields if field.key == key)

    @property
    def template_fields(self) -> tuple[Field, ...]:
        """The columns of the template; an export may have more."""
        return tuple(field for field in self.fields if field.in_template)


def words(label: Any) -> set[str]:
    """A label in every language, because a file may have been made in another one than the reader's."""
    found = set()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found.add(force_str(label))
    return found


@cache
def tables() -> dict[str, Table]:
    """All tables by key, collected from the `exchange` modules of the installed systems."""
    found = {}
    for config in apps.get_app_configs():
        name = f"{config.name}.exchange"
        if config.name.startswith("xuezheng.") and find_spec(name) is not None:
            found |= {table.key: table for table in getattr(import_module(name), "TABLES", ())}
    return found
