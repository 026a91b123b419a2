"""Numbers that Word writes by itself before the paragraphs of a list: they are not in their text."""

import re
from typing import Any

from docx.document import Document
from docx.oxml.ns import qn
from docx.text.paragraph import Paragraph

_CHINESE = "〇一二三四五六七八九"
_CHINESE_FORMATS = {
    "chineseCounting",
    "chineseCountingThousand",
    "chineseLegalSimplified",
    "ideographDigital",
    "japaneseCounting",
    "taiwaneseCountingThousand",
}


class ListNumbers:
    """Counts the numbered paragraphs of a document in reading order."""

    def __init__(self, document: Document) -> None:
        self._levels: dict[str, dict[int, tuple[str, str, int]]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        part = next(
            (rel.target_part for rel in document.part.rels.values() if "/numbering" in rel.reltype),
            None,
        )
        if part is None:
            return
        root = part.element
        abstract = {
            node.get(qn("w:abstractNumId")): node for node in root.findall(qn("w:abstractNum"))
        }
        for num in root.findall(qn("w:num")):
            reference = num.find(qn("w:abstractNumId"))
            source = abstract.get(reference.get(qn("w:val"))) if reference is not None else None
            if source is not None:
                self._levels[num.get(qn("w:numId"))] = dict(
                    map(_level, source.findall(qn("w:lvl")))
                )

    def text_of(self, paragraph: Paragraph) -> str:
        """The paragraph's text with the number that Word shows before it."""
        place = _place(paragraph)
        if place is None or not paragraph.text.strip():
            return paragraph.text
        number_id, depth = place
        levels = self._levels.get(number_id, {})
        if depth not in levels or levels[depth][0] in {"bullet", "none"}:
            return paragraph.text
        counts = self._counts.setdefault(number_id, {})
        counts[depth] = counts.get(depth, levels[depth][2] - 1) + 1
        for deeper in [d for d in counts if d > depth]:
            del counts[deeper]

        def written(found: re.Match[str]) -> str:
            at = int(found.group(1)) - 1
            form, _text, begin = levels.get(at, ("decimal", "", 1))
            return _written(counts.get(at, begin), form)

        return re.sub(r"%(\d)", written, levels[depth][1]) + paragraph.text.lstrip()


def heading_level(paragraph: Paragraph) -> int:
    """1 for Heading 1 (标题 1) or the first outline level, and so on; 0 for text and the title."""
    properties = [paragraph._p.pPr]
    style = paragraph.style
    while style is not None:
        named = re.fullmatch(r"(?:[Hh]eading|标题)\s*([1-6])", style.name or "")
        if named:
            return int(named[1])
        properties.append(style.element.find(qn("w:pPr")))
        style = style.base_style
    for node in properties:
        outline = node.find(qn("w:outlineLvl")) if node is not None else None
        if outline is not None:
            depth = outline.get(qn("w:val")) or ""
            return int(depth) + 1 if depth in {*"012345"} else 0
    return 0


def _level(node: Any) -> tuple[int, tuple[str, str, int]]:
    """Depth -> (number format, text such as （%1）, first number)."""

    def value(tag: str, default: str) -> str:
        child = node.find(qn(tag))
        return default if child is None else child.get(qn("w:val")) or default

    start = value("w:start", "1")
    return int(node.get(qn("w:ilvl"))), (
        value("w:numFmt", "decimal"),
        value("w:lvlText", ""),
        int(start) if start.isdigit() else 1,
    )


def _place(paragraph: Paragraph) -> tuple[str, int] | None:
    """(list, depth) of a paragraph, its own or that of its style."""
    properties = [paragraph._p.pPr]
    style = paragraph.style
    while style is not None:
        properties.append(style.element.find(qn("w:pPr")))
        style = style.base_style
    for node in properties:
        numbering = node.find(qn("w:numPr")) if node is not None else None
        if numbering is None:
            continue
        number = numbering.find(qn("w:numId"))
        depth = numbering.find(qn("w:ilvl"))
        if number is not None:
            at = depth.get(qn("w:val")) if depth is not None else "0"
            return number.get(qn("w:val")), int(at)
    return None


def _written(value: int, form: str) -> str:
    if form in _CHINESE_FORMATS:
        if value < 10:
            return _CHINESE[value]
        if value < 100:
            tens, ones = divmod(value, 10)
            return ("" if tens == 1 else _CHINESE[tens]) + "十" + (_CHINESE[ones] if ones else "")
    if form == "decimalEnclosedCircle" and value <= 20:
        return chr(ord("①") + value - 1)
    return str(value)
