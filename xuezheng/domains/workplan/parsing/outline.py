"""Headings of any style, as a tree whose levels follow from the order in which styles occur."""

import re
from dataclasses import dataclass

from xuezheng.domains.workplan.parsing.model import Doubt, Heading
from xuezheng.domains.workplan.parsing.numerals import plain_number

CN = "〇零一二两三四五六七八九十百"
#: Style name -> pattern of the number.  The first that matches a line wins.
STYLES = [
    ("chapter", re.compile(rf"第[{CN}\d]+(?:章|部分|篇|编)")),
    ("part", re.compile(rf"第[{CN}\d]+节")),
    ("bracket", re.compile(rf"【[^】\n]{{0,10}}?[{CN}\d]+】")),
    (
        "task",
        re.compile(rf"(?:重点)?(?:任务|举措|项目|工程|目标|行动)[{CN}\d]+(?:[：:、.．]|(?=\s))"),
    ),
    ("cn", re.compile(rf"[{CN}]+[、．.](?![{CN}])")),
    ("cn_paren", re.compile(rf"[（(][{CN}]+[）)]、?")),
    (
        "digit_deep",
        re.compile(r"\d+[.．]\d+(?:[.．]\d+)?(?=[\s\u4e00-\u9fff“《])(?![%％万亿元个所名人])"),
    ),
    ("digit", re.compile(r"\d{1,3}(?:[.．](?!\d)|、)")),
    ("digit_paren", re.compile(r"[（(]\d{1,3}[）)]、?|\d{1,3}[）)]")),
    ("circle", re.compile(r"[①-⑳]")),
]
#: Unnumbered lines that are headings wherever they stand.
KEYWORDS = re.compile(
    r"(?:(?:20\d\d年)?(?:指导思想|总体思路|总体要求|工作思路|基本思路|工作目标|主要目标|总体目标|目标任务|重点任务|"
    r"重点工作|主要任务|主要工作|工作重点|工作措施|主要措施|具体措施|工作要求|保障措施|组织保障|组织领导|"
    r"基本原则|工作原则|工作安排|主要指标|预期目标|工作回顾|(?:上年|去年)?工作总结))"
)
CLOSING = re.compile(r"(?:此外|另外|除此之外|同时，(?:继续|统筹)?(?:做好|抓好))")
LONGEST_TITLE = 46
LONGEST_RUN_IN = 34


@dataclass
class Line:
    """A line without its outer spaces, and where it begins."""

    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def lines_of(text: str) -> list[Line]:
    """All lines that are not blank."""
    found, at = [], 0
    for raw in text.split("\n"):
        stripped = raw.strip()
        if stripped:
            found.append(Line(stripped, at + raw.index(stripped)))
        at += len(raw) + 1
    return found


def _match(line: str) -> tuple[str, str, int] | None:
    """(style, number, length up to the title) when the line begins with a heading's number."""
    hashes = re.match(r"#{1,6}\s*", line)
    offset = hashes.end() if hashes else 0
    for style, pattern in STYLES:
        found = pattern.match(line, offset)
        if found:
            gap = re.match(r"[\s　]*", line[found.end() :]).end()
            return style, found.group().strip(), found.end() + gap
    if hashes and hashes.group().strip():
        return f"md{len(hashes.group().strip())}", "", offset
    return None


def _bare(line: Line, after: Line | None, numbered: bool, stack: list[str]) -> bool:
    """Whether an unnumbered line is a heading."""
    text = line.text.rstrip("：:")
    if KEYWORDS.fullmatch(text):
        return True
    if numbered and "bare" not in stack:
        return False
    if not 2 <= len(text) <= 18 or re.search(r"[。；，、！？：:;,.%\d]", text) or after is None:
        return False
    return bool(re.search(r"[\u4e00-\u9fff]{2}", text)) and (
        len(after.text) > 22 or _match(after.text) is not None
    )


def _split_title(rest: str) -> tuple[str, int, bool]:
    """(title, where the body begins in `rest`, whether the title is a heading of its own).

    A run-in heading ends at its first full stop or colon; a numbered sentence without one is heading
    and body at once.
    """
    stop = re.search(r"[。：:]|(?<=[^\s])\s{1,4}(?=\S)", rest)
    if stop is None:
        title = rest.rstrip("；;，,。")
        return title, len(rest), len(title) <= LONGEST_TITLE and not rest.endswith(("；", ";"))
    head, after = rest[: stop.start()], rest[stop.end() :]
    if after.strip() and len(head) <= LONGEST_RUN_IN and not re.search(r"[；;]", head):
        return head, stop.end(), True
    return _short(head), 0 if after.strip() or len(head) > LONGEST_RUN_IN else 0, False


def _short(text: str) -> str:
    clause = re.split(r"[，,；;（(]", text)[0]
    return clause if 4 <= len(clause) <= LONGEST_TITLE else text[:LONGEST_TITLE]


def find_outline(text: str, lines: list[Line]) -> tuple[list[Heading], list[Heading]]:
    """(tree, all headings in order).  Every heading's end and path are set."""
    numbered = sum(1 for line in lines if _match(line.text)) >= 2
    roots: list[Heading] = []
    flat: list[Heading] = []
    stack: list[tuple[str, Heading]] = []
    for at, line in enumerate(lines):
        after = lines[at + 1] if at + 1 < len(lines) else None
        found = _match(line.text)
        if found:
            style, number, skip = found
            title, body, _own = _split_title(line.text[skip:])
            start_of_body = line.start + skip + body
        elif CLOSING.match(line.text):
            style, number = "bare", ""
            title = re.match(r"[^，,、]{2,4}", line.text).group()
            start_of_body = line.start
            stack.clear()
        elif keyword := re.match(rf"({KEYWORDS.pattern})[：:](?=.)", line.text):
            style, number, title = "bare", "", keyword.group(1)
            start_of_body = line.start + keyword.end()
            stack = [entry for entry in stack if entry[0] == "bare"]
        elif _bare(line, after, numbered, [entry[0] for entry in stack]):
            style, number = "bare", ""
            title = line.text.rstrip("：:")
            start_of_body = line.end
            if KEYWORDS.fullmatch(title) and "bare" not in [entry[0] for entry in stack]:
                stack.clear()
        else:
            continue
        while stack and style in [entry[0] for entry in stack]:
            stack.pop()
        parent = stack[-1][1] if stack else None
        own = number.rstrip("、：:") or title
        heading = Heading(
            number=number,
            title=title.strip(),
            level=len(stack) + 1,
            start=line.start,
            body=start_of_body,
            end=len(text),
            path=f"{parent.path}/{own}" if parent else own,
        )
        (parent.children if parent else roots).append(heading)
        flat.append(heading)
        stack.append((style, heading))
    _close(roots, len(text.rstrip()))
    return roots, flat


def _close(siblings: list[Heading], end: int) -> None:
    for at, heading in enumerate(siblings):
        heading.end = siblings[at + 1].start if at + 1 < len(siblings) else end
        _close(heading.children, heading.end)


def numbering_doubts(siblings: list[Heading], parent: str = "") -> list[Doubt]:
    """Duplicate and missing numbers in each series; a series that runs on across sections is fine."""
    doubts: list[Doubt] = []
    before: int | None = None
    for heading in siblings:
        value = _ordinal(heading.number)
        if value is None:
            before = None
        else:
            if before is not None and value <= before:
                doubts.append(
                    Doubt(
                        heading.path,
                        "duplicate_number",
                        f"序号“{heading.number}”重复或倒退",
                        heading.start,
                        heading.start + len(heading.number),
                    )
                )
            elif before is not None and value > before + 1:
                doubts.append(
                    Doubt(
                        heading.path,
                        "missing_number",
                        f"“{heading.number}”之前缺少序号",
                        heading.start,
                        heading.start + len(heading.number),
                    )
                )
            before = value
        doubts += numbering_doubts(heading.children, heading.path)
    return doubts


def _ordinal(number: str) -> int | None:
    circled = re.match(r"[①-⑳]", number)
    if circled:
        return ord(circled.group()) - ord("①") + 1
    digits = re.findall(rf"\d+|[{CN}]+", number)
    if not digits or re.search(r"\d[.．]\d", number):
        return None
    try:
        return int(plain_number(digits[-1]))
    except ValueError:
        return None
