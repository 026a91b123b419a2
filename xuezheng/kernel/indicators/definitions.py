"""What an indicator is.  Declarations only; no database."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

#: The only parameters that indicator SQL may use, written `:from`, `:to`, `:as_of`.
PARAMETERS = ("from", "to", "as_of")
_VIEW = re.compile(r"\bfacts\.(\w+)", re.I)


@dataclass(frozen=True)
class Indicator:
    """An additive indicator: numerator and denominator per organisation, rolled up by sums.

    `folder` holds `<key>.sql` with columns (org, numerator, denominator) and `<key>.proof.sql` with
    columns (row_id, org, counted, reason), both over schema `facts` in the portable subset of SQL.
    A count has no denominator (NULL) and its value is the numerator.  `scale` turns the quotient into
    the unit: 100 for per cent.  Where fewer than `min_cell` rows stand behind a figure it is not
    shown.  A `mean` sums an amount over its rows, say days: the proof then has a column `amount` whose sum
    is the numerator.  `row_url` is the URL name that opens a row of the proof by its `row_id`,
    `reasons` the words for the proof's reason codes.  A commitment whose wording holds all of `words`
    is proposed to be measured by it.  `ranked=False` forbids every page to order organisations by the
    figure: what is harmed by counting.  `live_rows(actor, row_ids)` gives those rows of a proof that
    still exist and that the actor may see, each with the words people know it by; without it an old
    row opens nothing.  `coded(row_ids)` gives the pseudonyms of rows of children: whoever may see the
    figure sees all its rows in scope by them, also where row-level policies hide the children.
    """

    key: str
    label: str
    definition: str
    unit: str
    source: str
    folder: Path
    permission: str
    row_url: str
    reasons: dict[str, str]
    words: tuple[str, ...] = ()
    scale: int = 100
    higher_is_better: bool = True
    min_cell: int = 0
    version: int = 1
    decimals: int = 1
    ranked: bool = True
    mean: bool = False
    live_rows: Callable[[Any, Iterable[str]], Mapping[str, str]] | None = None
    coded: Callable[[Iterable[str]], Mapping[str, str]] | None = None

    @cached_property
    def value_sql(self) -> str:
        """The SELECT of numerators and denominators, as it stands in the file."""
        return (self.folder / f"{self.key}.sql").read_text(encoding="utf-8")

    @cached_property
    def proof_sql(self) -> str:
        """The SELECT of the rows behind the figure, as it stands in the file."""
        return (self.folder / f"{self.key}.proof.sql").read_text(encoding="utf-8")

    @property
    def views(self) -> set[str]:
        """Names of the facts that value and proof read."""
        return set(_VIEW.findall(self.value_sql + self.proof_sql))

    def value(self, numerator: int, denominator: int | None) -> float | None:
        """The figure in its unit; None when the denominator is zero."""
        if denominator is None:
            return float(numerator)
        if denominator == 0:
            return None
        return numerator * self.scale / denominator


INDICATORS: dict[str, Indicator] = {}


def register(indicator: Indicator) -> Indicator:
    """Add to the catalogue.  Raises ValueError for a key used twice."""
    if INDICATORS.setdefault(indicator.key, indicator) is not indicator:
        raise ValueError(f"two indicators {indicator.key}")
    return indicator
