"""Single commitments: in each innermost section, the sentences that promise something."""

import re
from collections.abc import Iterator

from xuezheng.domains.workplan.parsing.model import Heading, Promise
from xuezheng.domains.workplan.parsing.targets import DONE, PAST

#: Sections that say why or what was, not what will be done.
BACKGROUND = re.compile(
    r"指导思想|总体要求|总体思路|工作思路|基本思路|基本原则|工作原则|形势|回顾|总结|成效|成绩|存在问题|基本情况|工作背景|工作情况"
)
GOALS = re.compile(r"目标|指标")
SENTENCE = re.compile(r"[^。；;！!\n]+[。；;！!]?")
FIRSTLY = re.compile(r"[一二三四五六七八九十]是")
LIST = re.compile(
    r"(?:继续|统筹|扎实|认真)?(?:做好|抓好|推进|开展)(?P<items>[^。；]*?、[^。；]*?)(?:等(?:各项|日常|方面)?的?工作|工作)?[。；]?$"
)
SLOGAN = re.compile(
    r"谱写|新篇章|再上新台阶|而(?:不懈)?努力(?:奋斗)?|作出(?:新的)?(?:更大)?贡献|迈上新|奋勇|新征程|以优异成绩"
)
WHY = re.compile(
    r"^(?:为了?|为着|鉴于|根据|按照|围绕|以|近年来|随着|今年是|20\d\d年是|当前|面对)[^，]*，?[^，]{0,12}[。；]?$"
)
VERBLESS = re.compile(r"^[\s\d.．、（）()—\-]*$")


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence between two places; stops inside brackets and quotes do not cut."""
    at = start
    for match in SENTENCE.finditer(text, start, end):
        piece = text[at : match.end()]
        if piece.count("（") > piece.count("）") or piece.count("“") > piece.count("”"):
            if match.end() < end and "\n" not in text[match.end() : match.end() + 1]:
                continue
        first, last = _trim(text, at, match.end())
        at = match.end()
        if last > first:
            yield first, last
    first, last = _trim(text, at, end)
    if last > first:
        yield first, last


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in " \n。；;":
        start += 1
    while end > start and text[end - 1] in " \n":
        end -= 1
    return start, end


def is_background(heading: Heading, ancestors: list[Heading]) -> bool:
    """Whether the section, or one above it, tells background or the past."""
    return any(BACKGROUND.search(h.title) for h in [*ancestors, heading])


def is_past(sentence: str) -> bool:
    """Whether a sentence reports what was done."""
    return bool(DONE.search(sentence)) or bool(
        PAST.search(sentence) and not re.search(r"(?:比|较|在)(?:去年|上年)", sentence)
    )


def find_commitments(
    text: str, heading: Heading, notes: list[tuple[int, int]], *, closing: bool
) -> list[Promise]:
    """The promises in the body of an innermost section; its heading if the body has none."""
    found: list[Promise] = []
    for start, end in sentences(text, heading.body, heading.end):
        for first, last in _outside(start, end, notes):
            first, last = _trim(text, first, last)
            sentence = text[first:last]
            if not _promises(sentence):
                continue
            if closing and (listed := LIST.search(sentence)):
                found += _items(
                    heading.path, text, first + listed.start("items"), first + listed.end("items")
                )
                continue
            cuts = [m.start() for m in FIRSTLY.finditer(sentence)]
            bounds = (
                [0, *[c for c in cuts if c > 0], len(sentence)]
                if len(cuts) > 1
                else [0, len(sentence)]
            )
            for a, b in zip(bounds, bounds[1:], strict=False):
                a, b = _trim(text, first + a, first + b)
                if _promises(text[a:b]):
                    found.append(Promise(heading.path, text[a:b], a, b))
    if not found and heading.number and not closing:
        a = text.index(heading.title, heading.start) if heading.title else heading.start
        if heading.title and not BACKGROUND.search(heading.title):
            found.append(Promise(heading.path, heading.title, a, a + len(heading.title)))
    return found


def _outside(start: int, end: int, notes: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    at = start
    for a, b in notes:
        if b <= start or a >= end:
            continue
        if a > at:
            yield at, a
        at = max(at, b)
    if at < end:
        yield at, end


def _promises(sentence: str) -> bool:
    words = re.sub(r"[^\u4e00-\u9fff]", "", sentence)
    return (
        len(words) >= 4
        and not SLOGAN.search(sentence)
        and not WHY.match(sentence)
        and not VERBLESS.match(sentence)
        and not is_past(sentence)
    )


def _items(path: str, text: str, start: int, end: int) -> list[Promise]:
    found, at = [], start
    for piece in re.split(r"(、|以及|和(?=[\u4e00-\u9fff]{2}))", text[start:end]):
        first, last = _trim(text, at, at + len(piece))
        at += len(piece)
        if piece not in {"、", "以及", "和"} and last - first >= 2:
            found.append(Promise(path, text[first:last], first, last))
    return found
