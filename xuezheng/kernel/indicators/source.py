"""Figures and their rows for any organisation and day, from the live database or from a snapshot."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from xuezheng.kernel.access.models import Organisation
from xuezheng.kernel.access.scope import below
from xuezheng.kernel.indicators.compute import Pair, figures, run, tree_day
from xuezheng.kernel.indicators.definitions import Indicator
from xuezheng.kernel.indicators.engines import Engine, LiveEngine
from xuezheng.kernel.indicators.proof import Proof, prove_on


class Source:
    """An engine and the organisation tree that goes with it.  Organisations are codes."""

    engine: Engine

    def organisations(self) -> list[str]:
        """All codes."""
        raise NotImplementedError

    def tree(self, roots: Iterable[str], day: dt.date) -> dict[str, frozenset[str]]:
        """Each root with those under it on a day."""
        raise NotImplementedError

    def period(self, as_of: dt.date) -> tuple[dt.date, dt.date]:
        """The plan year of the as-of day."""
        return dt.date(as_of.year, 1, 1), dt.date(as_of.year, 12, 31)

    def below(self, roots: Iterable[str], as_of: dt.date) -> dict[str, frozenset[str]]:
        """Each root with those under it on the day whose tree carries the sums."""
        return self.tree(roots, tree_day(self.period(as_of), as_of))

    def figures(self, indicator: Indicator, as_of: dt.date) -> dict[str, Pair]:
        """Organisation -> (numerator, denominator), as `compute` stores them."""
        own = run(indicator, period=self.period(as_of), as_of=as_of, engine=self.engine)
        return figures(own, self.below(self.organisations(), as_of))

    def prove(
        self,
        indicator: Indicator,
        org: str,
        figure: Pair,
        as_of: dt.date,
        *,
        visible: frozenset[str] | None = None,
        **page: Any,
    ) -> Proof:
        """The rows behind a figure; of organisations outside `visible` they are counted only.

        `page`: limit, offset, counted, as in proof.prove.
        """
        members = self.below([org], as_of)[org]
        return prove_on(
            self.engine,
            indicator,
            figure,
            period=self.period(as_of),
            as_of=as_of,
            members=sorted(members),
            visible=sorted(members if visible is None else members & visible),
            **page,
        )


class LiveSource(Source):
    """The live database."""

    def __init__(self) -> None:
        self.engine = LiveEngine()

    def organisations(self) -> list[str]:
        """All codes (one query)."""
        return list(Organisation.objects.order_by("code").values_list("code", flat=True))

    def tree(self, roots: Iterable[str], day: dt.date) -> dict[str, frozenset[str]]:
        """Each root with those under it on a day (two queries)."""
        codes = dict(Organisation.objects.values_list("id", "code"))
        wanted = set(roots)
        trees = below({i for i, code in codes.items() if code in wanted}, day)
        return {codes[root]: frozenset(codes[i] for i in ids) for root, ids in trees.items()}
