"""The text as the rules see it: one character for one, so that offsets stay those of the source."""

import re
from dataclasses import dataclass
from itertools import pairwise

#: Full-width digits and letters, and the half-width marks that typists use for the full-width ones.
_SAME = {ord("０") + i: ord("0") + i for i in range(10)}
_SAME |= {ord("Ａ") + i: ord("A") + i for i in range(26)}
_SAME |= {ord("ａ") + i: ord("a") + i for i in range(26)}
_SAME |= str.maketrans("％﹪．﹒():;!?,［］～∼–‐－―", "%%..（）：；！？，[]~~----")
_SAME |= dict.fromkeys(
    map(ord, "\u3000\u00a0\t\u200b\u200c\u200d\ufeff\u2028\u2029\x0b\x0c\x85"), " "
)

#: Stands for the comma of 1,200 while the other commas are unified.
_THOUSANDS = "\ue000"


#: Bold of Markdown; the ** of a masked figure (**所) is none.
_BOLD = re.compile(r"\*\*(?![所名条场项家门套次人个万%*])([^*\n]+)\*\*")


def shadow(text: str) -> str:
    """The text with one way of writing for each mark; as long as the text itself."""
    kept = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", _THOUSANDS, text)
    kept = _BOLD.sub(r"  \1  ", kept)
    return kept.translate(_SAME).replace(_THOUSANDS, ",")


@dataclass(frozen=True)
class Span:
    """A piece of a text by its places; `text` is the piece as the rules see it."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the piece ends."""
        return self.start + len(self.text)


def trimmed(text: str, start: int, end: int) -> Span:
    """The piece from start to end without outer blanks."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return Span(piece.strip(), start + left)


def lines_of(text: str) -> list[Span]:
    """All lines that are not blank, without outer blanks."""
    found, at = [], 0
    for raw in text.split("\n"):
        line = trimmed(text, at, at + len(raw))
        if line.text:
            found.append(line)
        at += len(raw) + 1
    return found


_ENUMERATION = re.compile(r"(?:第?[一二三四五六七八九十]是(?!否)|其[一二三四五六七八九]，)")


def sentences_of(text: str, start: int, end: int) -> list[Span]:
    """Sentences between start and end: cut after 。！？；, at line ends, and before 一是, 二是.

    Marks inside quotation marks, book titles and brackets do not cut.
    """
    cuts, depth = [start], 0
    for at in range(start, end):
        char = text[at]
        if char in "“《（〔【「":
            depth += 1
        elif char in "”》）〕】」":
            depth = max(0, depth - 1)
        elif char == "\n":
            depth = 0
            cuts.append(at + 1)
        elif char in "。！？；" and depth == 0:
            cuts.append(at + 1)
    cuts += [m.start() for m in _ENUMERATION.finditer(text, start, end)]
    cuts = [*sorted(set(cuts)), end]
    pieces = (trimmed(text, a, b) for a, b in pairwise(cuts))
    return [piece for piece in pieces if piece.text.strip("。！？；，、：")]
