"""From marked lines to the tree of sections, and doubts about their numbers."""

from bisect import bisect_left
from collections.abc import Mapping
from types import MappingProxyType

from xuezheng.domains.workplan.parsing.model import Doubt, Heading
from xuezheng.domains.workplan.parsing.outline import RANK, Mark, find_marks, ordinal
from xuezheng.domains.workplan.parsing.wording import Span


def build_tree(
    source: str, lines: list[Span], foot: int, styled: Mapping[int, int] = MappingProxyType({})
) -> list[Heading]:
    """The roots of the section tree; numbers and titles are written as in the source.

    The last section ends at `foot`; `styled` as in find_marks.
    """
    marks = find_marks(lines, styled)
    nesting = _Nesting(source, marks)
    roots: list[Heading] = []
    stack: list[tuple[Mark, Heading]] = []
    for at, mark in enumerate(marks):
        if mark.style == "closing" and not nesting.closes(at):
            continue
        del stack[nesting.depth([entry for entry, _heading in stack], at) :]
        parent = stack[-1][1] if stack else None
        number = source[slice(*mark.number)]
        title = source[slice(*mark.title)].strip()
        # The path of 一、 is 一; other numbers stay as they are.
        own = number.rstrip("、") or title
        heading = Heading(
            number=number,
            title=title,
            level=len(stack) + 1,
            start=mark.start,
            body=mark.body,
            end=foot,
            title_start=mark.title[0],
            title_end=mark.title[1],
            path=f"{parent.path}/{own}" if parent else own,
        )
        (parent.children if parent else roots).append(heading)
        stack.append((mark, heading))
    _close(source, roots, foot)
    return roots


class _Nesting:
    """How the styles of one document nest."""

    def __init__(self, source: str, marks: list[Mark]) -> None:
        self.source = source
        self.marks = marks
        self.places: dict[str, list[int]] = {}
        for at, mark in enumerate(marks):
            self.places.setdefault(mark.style, []).append(at)
        self.begins = {
            style: sum(1 for mark in marks if mark.style == style and mark.ordinal == 1)
            for style in RANK
        }

    def closes(self, at: int) -> bool:
        """Whether no heading follows: a 此外 in the middle is an ordinary paragraph."""
        return at > 0 and all(mark.style == "closing" for mark in self.marks[at:])

    def depth(self, stack: list[Mark], at: int) -> int:
        """How many of the open sections stay open at a mark."""
        mark = self.marks[at]
        if mark.style == "closing":
            return 0
        if mark.hashes:
            while stack and not _holds(stack[-1], mark):
                stack = stack[:-1]
            return len(stack)
        for place, open_mark in enumerate(stack):
            if open_mark.style == mark.style:
                return place
        if mark.style == "bare":
            return self._depth_of_bare(stack, at)
        while stack and self._ends(stack[-1], at):
            stack = stack[:-1]
        return len(stack)

    def _ends(self, last: Mark, at: int) -> bool:
        """Whether an open section ends at a numbered mark of another style."""
        mark = self.marks[at]
        if last.style == "bare":
            direct = self.marks[at - 1] is last and last.followed
            return not (last.container or direct)
        if last.style not in RANK or RANK[last.style] < RANK[mark.style]:
            return False
        # The new style is usually the outer one.  It is the inner one here when it begins anew more
        # often than the open one, or when the open series goes on after it.
        if self.begins[mark.style] > self.begins[last.style]:
            return False
        if self.begins[mark.style] < self.begins[last.style]:
            return True
        later = self._next(last.style, at)
        return not (later and last.ordinal is not None and later.ordinal == last.ordinal + 1)

    def _depth_of_bare(self, stack: list[Mark], at: int) -> int:
        """An unnumbered heading is part of the open section only if that one visibly goes on."""
        if not stack:
            return 0
        if self.marks[at - 1] is stack[-1] and stack[-1].own_line and not self._blank_before(at):
            return len(stack)
        return 1 if self._next(stack[0].style, at) else 0

    def _next(self, style: str, at: int) -> Mark | None:
        """The first mark of a style from a place on."""
        places = self.places.get(style, [])
        found = bisect_left(places, at)
        return self.marks[places[found]] if found < len(places) else None

    def _blank_before(self, at: int) -> bool:
        """Whether text stands between the heading before and this one."""
        return bool(self.source[self.marks[at - 1].body : self.marks[at].start].strip())


def _holds(outer: Mark, mark: Mark) -> bool:
    """Whether an open section holds one whose level is given; one without a level, by their styles."""
    if outer.hashes:
        return outer.hashes < mark.hashes
    return RANK.get(outer.style, len(RANK)) < RANK.get(mark.style, -1)


def _close(source: str, siblings: list[Heading], end: int) -> None:
    """Every section ends, without trailing blanks, where the next one of its level begins."""
    for at, heading in enumerate(siblings):
        until = siblings[at + 1].start if at + 1 < len(siblings) else end
        heading.end = heading.start + len(source[heading.start : until].rstrip())
        heading.body = min(heading.body, heading.end)
        _close(source, heading.children, heading.end)


def flatten(roots: list[Heading]) -> list[Heading]:
    """All headings in reading order."""
    return [found for root in roots for found in (root, *flatten(root.children))]


def numbering_doubts(roots: list[Heading]) -> list[Doubt]:
    """Duplicate and missing numbers; a series may run on across sections."""
    doubts: list[Doubt] = []
    last_of_shape: dict[str, int] = {}

    def check(siblings: list[Heading]) -> None:
        before: dict[str, int] = {}
        for heading in siblings:
            value, shape = ordinal(heading.number), _shape(heading.number)
            if value is not None:
                runs_on = last_of_shape.get(shape, 0) + 1
                expected = {before[shape] + 1} if shape in before else {1, runs_on}
                if value not in expected:
                    doubts.append(_doubt(heading, again=value < max(expected)))
                before[shape] = last_of_shape[shape] = value
            check(heading.children)

    check(roots)
    return doubts


def _shape(number: str) -> str:
    """The marks of a number, such as （） or 、."""
    return "".join(c for c in number if c in "（）()、.．【】：第章节")


def _doubt(heading: Heading, again: bool) -> Doubt:
    if again:
        code, message = "duplicate_number", f"序号“{heading.number}”重复或倒退"
    else:
        code, message = "missing_number", f"序号“{heading.number}”之前有缺号"
    return Doubt(
        heading.path, code, message, heading.start, heading.start + max(1, len(heading.number))
    )
