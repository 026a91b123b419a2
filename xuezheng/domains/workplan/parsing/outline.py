"""Headings of any style, as a tree whose levels follow from how the styles nest in this document."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xuezheng.domains.workplan.parsing.numerals import plain_number
from xuezheng.domains.workplan.parsing.wording import Span

CN = "〇零一二两三四五六七八九十百壹贰叁肆伍陆柒捌玖拾"
#: Style name -> pattern of the number, the usual outermost first.  The first that matches wins.
STYLES = [
    (
        "chapter",
        re.compile(rf"第[{CN}\d]{{1,6}}(?:章|部分|篇|编|板块)(?=[\s：、]|[\u4e00-\u9fff])"),
    ),
    ("part", re.compile(rf"第[{CN}\d]{{1,6}}节(?!课)")),
    ("article", re.compile(rf"第[{CN}\d]{{1,6}}条(?=[\s：、])")),
    ("cn_formal", re.compile(r"[壹贰叁肆伍陆柒捌玖拾]{1,3}(?:、|\.|(?=\s+[\u4e00-\u9fff]))")),
    ("cn", re.compile(rf"[{CN}]{{1,6}}(?:、|\.(?!\d)|(?=\s+[\u4e00-\u9fff]))")),
    ("cn_paren", re.compile(rf"（[{CN}]{{1,6}}）[、.]?")),
    ("bracket", re.compile(rf"【[^】\n{CN}\d]{{0,10}}[{CN}\d]{{1,6}}】")),
    (
        "task",
        re.compile(
            rf"(?:(?:重点|主要)?(?:任务|举措|项目|工程|目标|行动|措施|工作|重点|专项|专题|板块|模块))[{CN}\d]{{1,6}}(?:[：、.]|(?=\s))"
        ),
    ),
    ("phase", re.compile(rf"第[{CN}\d]{{1,3}}(?:阶段|步|轮|季度)(?=[\s：（、])")),
    ("digit", re.compile(r"\d{1,3}(?:\.(?!\d)|、|(?=\s+[\u4e00-\u9fff]))")),
    ("digit_deep", re.compile(r"\d{1,2}\.\d{1,2}(?:\.\d{1,2})*\.?(?=[\s“《]|[\u4e00-\u9fff])")),
    ("digit_paren", re.compile(r"（\d{1,3}）[、.]?")),
    ("digit_half", re.compile(r"\d{1,3}）[、.]?")),
    ("circle", re.compile(r"[①-⑳][、.]?")),
]
RANK = {style: place for place, (style, _pattern) in enumerate(STYLES)}
#: After "1.5": a figure, not a heading's number.
_FIGURE_AFTER = re.compile(r"(?:\s*%|(?:[万亿千百元个所名人倍次岁年月日亩米吨度]|公[里顷]|平方))")
#: Unnumbered lines that are headings wherever they stand, by what follows them.
INTRODUCTIONS = (
    "指导思想|总体思路|总体要求|工作思路|基本思路|工作目标|主要目标|总体目标|发展目标|年度目标|基本原则|"
    "工作原则|主要指标|预期目标|工作回顾|(?:上年|去年)(?:度)?工作(?:回顾|总结)|工作要求|保障措施|组织保障|"
    "目标指标|总目标|年度指标|(?:创建|活动|整治|行动|攻坚|治理|改革|建设)(?:目标|任务|措施|步骤|要求)|组织领导|有关要求|工作保障|时间安排|实施步骤|工作步骤|工作背景|附则|责任分工"
)
CONTAINERS = (
    "目标任务|重点任务|重点工作|主要任务|主要工作|工作重点|工作任务|工作措施|主要措施|具体措施|主要举措|"
    "重点举措|工作安排|主要内容|工作内容|具体安排|实施内容|重点项目|任务清单|工作举措|月度安排"
)
#: Headings only as a line of their own.
_SHORT = re.compile(
    r"(?:总?目标|任务|措施|做法|主要做法|行动|保障|要求|目标与任务|目标和任务|工作目标及任务|考核|附则|步骤|进度|分工|目标指标|经费保障|监督考核|考核奖惩)"
)
MONTHS = r"(?:[一二三四五六七八九十]{1,2}|\d{1,2})月份?(?:工作(?:安排)?)?"
KEYWORDS = re.compile(rf"(?:(?:20\d\d年)?(?:{INTRODUCTIONS}|{CONTAINERS})|{MONTHS})")
REVIEW = re.compile(
    r"回顾|现状(?:分析)?$|形势分析|学情|基本(?:情况|现状)|情况分析|(?:工作|简要)总结|工作情况|完成情况|取得的?成[效绩]|主要成[效绩]|存在的?(?:主要)?问题|上年|去年"
)
#: Headings over ideas; only figures below them are promises.
INTRODUCES = re.compile(
    r"(?:指导思想|总体思路|总体要求|工作思路|基本思路|基本原则|工作原则|工作背景)"
)
CLOSING = re.compile(r"(此外|另外|除此之外)(?=[，、])")
_ATTACHMENT = re.compile(r"附(?:件|表)\s*\d*\s*[：:.]?")
#: The end of a line of the table of contents.
_CONTENTS_LINE = re.compile(r"(?:[.…·]{3,20}|\s{3,20})\s{0,20}\d{1,3}$")
_NO_TITLE = re.compile(
    r"(?:局|委员会|政府|办公室|学校|中学|小学|幼儿园|中心|党组|党委|支部|目录|附件|抄送.*|印发.*|.*负责人|.*科室)$"
)
LONGEST_BARE = 18
LONGEST_STYLED = 60
LAST_ITEM = 20
#: Where the search for the end of a run-in title stops.
LONGEST_TITLE = 400


@dataclass
class Mark:
    """A line that begins a section, before the tree is built.  Pairs are places in the text."""

    style: str
    number: tuple[int, int]
    title: tuple[int, int]
    body: int
    start: int
    #: The place in its series; None without a number.
    ordinal: int | None = None
    #: The level that Markdown's # or Word's heading style gives; 0 without.
    hashes: int = 0
    #: Whether the heading fills its line, and whether the next line is a heading too.
    own_line: bool = False
    followed: bool = False
    #: Whether this unnumbered heading usually holds the numbered ones (重点任务).
    container: bool = False


def ordinal(number: str) -> int | None:
    """The place in its series that a heading's number names, or None (no number, 1.2)."""
    circled = re.match(r"[①-⑳]", number)
    if circled:
        return ord(circled.group()) - ord("①") + 1
    found = re.findall(rf"\d+|[{CN}]+", number)
    if not found or re.search(r"\d\.\d", number):
        return None
    try:
        return int(plain_number(found[-1]))
    except ValueError:
        return None


def number_of(line: str, awaited: int | None = None) -> tuple[str, int, int, int] | None:
    """(style, number from, number to, title from) when a line begins with a heading's number.

    `awaited` is the next place in the open series: 2、3—5年教龄 is its second item, and no 2nd to 3rd.
    """
    hashes = re.match(r"#{1,6}\s*|[*]{2}(?=\S)", line)
    offset = hashes.end() if hashes else 0
    for style, pattern in STYLES:
        found = pattern.match(line, offset)
        if not found:
            continue
        expected = awaited is not None and ordinal(found.group()) == awaited
        if not expected and _is_prose(style, found.group(), line[found.end() :]):
            continue
        last = found.start() + len(found.group().rstrip("： "))
        return style, offset, last, re.compile(r"[\s*：]*").match(line, last).end()
    if hashes and "#" in hashes.group():
        return "md", offset, offset, offset
    return None


def _is_prose(style: str, number: str, rest: str) -> bool:
    """Whether what looks like a number belongs to the sentence: 一、二年级, 5、6月, 1.5万元, 三 个."""
    if not rest.strip() or re.match(r"\s*(?:[,，。]|\d*[-~—至]\d)", rest):
        return True
    gap = r"" if style == "digit_deep" else r"\s*"
    if number[-1] not in "、.）】" and re.match(gap + "[年月日]", rest):
        return True
    value = ordinal(number)
    if style in {"cn", "digit"} and number.endswith("、"):
        following = re.match(rf"[{CN}]{{1,8}}|\d{{1,8}}", rest)
        if following and value is not None:
            return ordinal(following.group()) == value + 1 and not re.match(
                r"[、.]", rest[following.end() :]
            )
    if style == "digit_deep":
        return bool(_FIGURE_AFTER.match(rest))
    if style in {"cn", "digit"} and number[-1] not in "、.":
        return len(rest.strip()) > 40 or bool(re.match(r"\s*(?:[个所名人次条项家]|是|年级)", rest))
    return False


def split_title(line: str, skip: int) -> tuple[int, int, int, bool]:
    """(title from, title to, body from, whether the title stands alone) in a numbered line.

    A run-in heading ends at its first full stop, or at a colon or wide gap when it is short; a line
    without a stop is a heading by itself.
    """
    rest = line[skip:]
    bracketed = re.match(r"【([^】]{2,30})】(?=.)", rest)
    if bracketed and re.fullmatch(rf"{INTRODUCTIONS}|{CONTAINERS}", bracketed[1]):
        # 【重点任务】农田建设: the bracket names the kind of heading.
        return split_title(line, skip + bracketed.end())
    if bracketed:
        return skip + 1, skip + bracketed.end(1), skip + bracketed.end(), False
    for stop in re.finditer(
        r"[。！？]|：|(?<=[\u4e00-\u9fff”》])\s{1,8}(?=[\u4e00-\u9fff“《])|——", rest[:LONGEST_TITLE]
    ):
        head, after = rest[: stop.start()], rest[stop.end() :]
        if _open(head):
            continue
        if stop.group() in "。！？":
            return skip, skip + stop.start(), skip + stop.end(), not after.strip("* ")
        # A colon or gap ends a title only when a sentence of its own follows.
        sentence = len(after.strip("* ")) > 8 or re.search(r".{4}[。；]$", after)
        if 2 <= len(head) <= 24 and not re.search(r"[，；]", head) and sentence:
            return skip, skip + stop.start(), skip + stop.end(), False
        if stop.group() == "：" and not after.strip():
            return skip, skip + stop.start(), len(line), True
    # A unit note at the end does not belong to the title.
    note = re.search(r"[（〔【]?(?:牵头|责任|配合|主办|承办)[^：。]{0,6}：", rest)
    title = rest[: note.start()] if note and note.start() >= 4 else rest
    title = title.rstrip(" ；，：*#、")
    return skip, skip + len(title), skip + len(title), True


def _open(text: str) -> bool:
    return (
        text.count("《") > text.count("》")
        or text.count("“") > text.count("”")
        or (text.count("（") > text.count("）"))
    )


def find_marks(lines: list[Span], styled: Mapping[int, int]) -> list[Mark]:
    """All lines that begin a section, in order.

    `styled`: place of a line -> the level that Word's heading style gives it.
    """
    marks: list[Mark] = []
    numbered = sum(1 for line in lines if number_of(line.text)) >= 2
    attachment = False
    for at, line in enumerate(lines):
        before = lines[at - 1] if at else None
        after = lines[at + 1] if at + 1 < len(lines) else None
        awaited = marks[-1].ordinal + 1 if marks and marks[-1].ordinal else None
        found = None if _CONTENTS_LINE.search(line.text[-48:]) else number_of(line.text, awaited)
        attached = _ATTACHMENT.match(line.text)
        # The list of attachments is numbered, but names files and no tasks.
        attachment = bool(attached) or (attachment and bool(found) and "。" not in line.text)
        if attachment:
            continue
        mark = None
        if found:
            mark = _numbered_mark(line, found)
        elif line.start in styled and len(line.text) <= LONGEST_STYLED and "。" not in line.text:
            mark = _bare_mark(line, (0, len(line.text)), len(line.text))
            mark.style = "md"
        elif keyword := re.match(rf"(?:【)?({KEYWORDS.pattern})(?:】|[：。 ])(?=.)", line.text):
            mark = _bare_mark(line, keyword.span(1), keyword.end())
        elif not marks and (first := re.match(r"(总?目标|任务)：(?=.)", line.text)):
            mark = _bare_mark(line, first.span(1), first.end())
        elif closing := CLOSING.match(line.text):
            mark = _bare_mark(line, closing.span(1), 0)
            mark.style = "closing"
        elif _is_bare(line, before, after, numbered, marks):
            mark = _bare_mark(line, (0, len(line.text)), len(line.text))
        if mark:
            mark.hashes = mark.hashes or styled.get(line.start, 0)
            mark.followed = mark.own_line and after is not None and bool(number_of(after.text))
            marks.append(mark)
    return marks


_FIRST_ITEM = re.compile(r"（1）|1）|①|1[.、](?!\d)")


def split_items(lines: list[Span]) -> list[Span]:
    """Lines such as （1）甲；（2）乙 with each item as a line of its own."""
    found: list[Span] = []
    for line in lines:
        begin, number = 0, 2
        first = _FIRST_ITEM.match(line.text)
        while first and number <= LAST_ITEM:
            mark = first.group().replace("①", chr(ord("①") + number - 1)).replace("1", str(number))
            cut = re.compile(rf"[。；]\s*({re.escape(mark)}(?!\d))").search(line.text, begin)
            if not cut:
                break
            found.append(Span(line.text[begin : cut.start(1)].rstrip(), line.start + begin))
            begin, number = cut.start(1), number + 1
        found.append(Span(line.text[begin:], line.start + begin))
    return found


def _numbered_mark(line: Span, found: tuple[str, int, int, int]) -> Mark:
    style, first, last, skip = found
    begin, end, body, alone = split_title(line.text, skip)
    return Mark(
        style=style,
        number=(line.start + first, line.start + last),
        title=(line.start + begin, line.start + end),
        body=line.start + body,
        start=line.start,
        ordinal=ordinal(line.text[first:last]),
        hashes=len(re.match(r"#*", line.text).group()),
        own_line=alone,
    )


def _bare_mark(line: Span, title: tuple[int, int], body: int) -> Mark:
    words = line.text[title[0] : title[1]]
    left = len(words) - len(words.lstrip("【*# "))
    right = title[0] + len(words.rstrip("：】*# "))
    return Mark(
        style="bare",
        number=(line.start, line.start),
        title=(line.start + title[0] + left, line.start + right),
        body=line.start + body,
        start=line.start,
        own_line=body == len(line.text),
        container=bool(
            re.search(rf"{CONTAINERS}|^(?:任务|措施|行动|步骤|工作步骤|实施步骤)$", words)
        ),
    )


def _is_bare(
    line: Span, before: Span | None, after: Span | None, numbered: bool, marks: list[Mark]
) -> bool:
    """Whether an unnumbered line is a heading by itself."""
    title = line.text.strip("：【】*# ")
    if KEYWORDS.fullmatch(title) or (
        after is not None and _SHORT.fullmatch(line.text.strip("【】*# "))
    ):
        return True
    if not 2 <= len(title) <= LONGEST_BARE or after is None or _NO_TITLE.search(title):
        return False
    if re.search(r"[。；，！？：:;,.%\d（）《]", title) or not re.search(
        r"[\u4e00-\u9fff]{2}", title
    ):
        return False
    if numbered and not any(mark.style == "bare" for mark in marks):
        # In a numbered plan a short line is more often a cell or a signature than a heading.
        return False
    ended = before is None or before.text[-1:] in "。；！：" or bool(marks and marks[-1].own_line)
    return ended and (len(after.text) > 22 or number_of(after.text) is not None)
