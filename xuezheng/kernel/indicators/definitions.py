"""What an indicator is.  Declarations only; no database."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

#: The only parameters that indicator SQL may use.
PARAMETERS = ("from", "to", "as_of")
_PARAMETER = re.compile(r"(?<!:):(from|to|as_of)\b")


@dataclass(frozen=True)
class Indicator:
    """An additive indicator: numerator and denominator per organisation, rolled up by sums.

    `folder` holds `<key>.sql` with columns (org, numerator, denominator) and `<key>.proof.sql` with
    columns (row_id, org, counted, reason), both over schema `facts` in the portable subset of SQL.
    A count has no denominator (NULL) and its value is the numerator.  `scale` turns the quotient into
    the unit: 100 for per cent.  Where fewer than `min_cell` rows stand behind a figure it is not
    shown.  `row_url` is the URL name that opens a row of the proof by its `row_id`,
    `reasons` the words for the proof's reason codes.  A commitment whose wording holds all of `words`
    is proposed to be measured by it.
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

    @cached_property
    def value_sql(self) -> str:
        """The SELECT of numerators and denominators, parameters in the driver's style."""
        return self._read(f"{self.key}.sql")

    @cached_property
    def proof_sql(self) -> str:
        """The SELECT of the rows behind the figure, parameters in the driver's style."""
        return self._read(f"{self.key}.proof.sql")

    def _read(self, name: str) -> str:
        text = (self.folder / name).read_text(encoding="utf-8")
        return _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%"))

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
