"""The head and the foot of a plan: title, issuer, year, and where the body begins and ends."""

import re
from dataclasses import dataclass

from xuezheng.domains.workplan.parsing.numerals import chinese_number
from xuezheng.domains.workplan.parsing.outline import KEYWORDS, number_of
from xuezheng.domains.workplan.parsing.wording import Span, shadow

_PLAN_WORDS = (
    r"工作要点|工作计划|工作方案|实施方案|行动方案|行动计划|任务清单|任务分解表?|任务分解|工作安排|重点工作|工作思路|工作打算|"
    r"目标任务|实施意见|工作意见|要点|计划|方案|清单|安排|分解表|责任书|台账|一览表"
)
_TITLE = re.compile(rf"(?:{_PLAN_WORDS})(?:（[^）]{{0,14}}）)?》?(?:的通知)?$")
#: Opinions and notices are plans only by their whole title.
_OPINION = re.compile(r"关于.{4,40}的(?:意见|通知)$")
_NOTICE = re.compile(
    r"仅供|照搬|原创|投稿|转载|来源|作者|版权|浏览|发布时间|责任编辑|字号|打印|点击|^文章"
)
_ISSUER = re.compile(
    r"^(?:关于印发)?《?(?:(?:20\d\d|二[〇零○]..)(?:学)?年度?)?(?P<name>[\u4e00-\u9fffXxＸ×*○]{0,24}?(?:[\u4e00-\u9fff]{2,14}领导小组|[\u4e00-\u9fff]{0,4}工委|(?:县|市|区|镇|乡)委|纪委|党[工]?委|教育体育局|教育局|教体局|教育委员会|教委|卫生健康局|卫健局|"
    r"卫生健康委员会|卫健委|水利局|水务局|交通运输局|交通局|体育局|民政局|财政局|人民政府办公室|人民政府|街道办事处|街道|管委会|[\u4e00-\u9fff]{2,14}办公室(?=20\d\d|二[〇零○])|"
    r"委员会|总工会|妇联|团委|[\u4e00-\u9fff]{1,8}学院|大学|集团|学校|(?<!中)小学(?![、和])|中学|[一二三四五六七八九十验][小中](?!学)|幼儿园|医院|卫生院|(?<=[^林农])[林农渔牧]场|[大支总]队|检察院|法院|园区|联合会|协会|公司|[\u4e00-\u9fff]{1,8}馆|[\u4e00-\u9fff]{1,8}[站所](?=20\d\d|二[〇零○])|[\u4e00-\u9fff]{1,8}[局院](?=20\d\d|二[〇零○]|[\u4e00-\u9fff]{0,14}(?:工作|计划|方案|要点))|[\u4e00-\u9fff]{1,6}中心|镇|乡|社区))"
    r"(?=20\d\d|二[〇零○]|关于|年度|“|工作|教育|安全|[\u4e00-\u9fff\d]{0,18}(?:工作(?!委员会)|任务|计划|方案|要点|清单|分解))(?!工作委员会)"
)
#: After 青石镇 or 江城大学: its school, faculty or centre is the issuer.
_INNER = re.compile(
    r"(?<=[镇乡区学心团])(?P<name>[\u4e00-\u9fff]{0,8}?(?:(?<!中)小学|中学|幼儿园|学院|医院|卫生院|办事处|图书馆|处(?=20)))"
    r"(?=20\d\d|二[〇零○]|[\u4e00-\u9fff]{0,10}(?:工作|计划|方案|要点|安排))"
)
_SIGNATURE = re.compile(
    r"^(?:中共)?[\u4e00-\u9fffXx×*]{2,30}(?:局|委员会|政府|办公室|学校|中学|小学|幼儿园|办事处|中心|医院|卫生院|党组|党委|公司|集团|委|大队|支队|总队|林场|农场|工委|学院|大学|联合会)$"
)
_DATE = re.compile(
    r"^(?:20\d\d|[二〇零○一三四五六七八九]{4})\s*年\s*[\d一二三四五六七八九十]{1,3}\s*月\s*[\d一二三四五六七八九十]{1,3}\s*日$"
)
_OFFICE = re.compile(r"^[\u4e00-\u9fff]{4,20}(?:处|科|室|组|部|会|队|场|区|站|所|馆|园|院|社)$")
#: Copies, printing, seals: what stands below a plan.
_IMPRINT = re.compile(
    r"抄送|印发|主题词|附：(?!件)|（此件.{2,8}）$|联系人|联系电话|.{2,40}20\d\d年\d{1,2}月\d{1,2}日印发$|（?共印\d+份|.{0,40}（(?:盖章|签字|签章)）"
)
_DOCUMENT_NUMBER = re.compile(r"^[\u4e00-\u9fffXx×]{1,12}[〔\[（]20\d\d[〕\]）](?:第)?[\dXx×]+号$")
_YEAR = re.compile(r"(20\d\d)|(二[〇零○][〇零○一二三四五六七八九]{2})")
_TOP = 14


@dataclass
class Head:
    """What stands above and below the body, whose places are `end` and `foot`."""

    title: str | None
    issuer: str | None
    year: int | None
    end: int
    foot: int


def find_head(source: str, seen: str, lines: list[Span]) -> Head:
    """Title, issuer and year; each None when the text does not tell."""
    first, last = _title_lines(lines)
    title = None
    end = 0
    if last is not None:
        pieces = [_unmarked(source[line.start : line.end]) for line in lines[first : last + 1]]
        title = "".join(pieces)
        end = lines[last].end
        span = lines[last + 1].text if last + 1 < len(lines) else ""
        if re.fullmatch(r"（20\d\d(?:\s?[-~—至]+\s?20\d\d)?学?年?度?）", span):
            title += source[lines[last + 1].start : lines[last + 1].end]
            end = lines[last + 1].end
        inner = _inner_title(lines, last) if title.endswith("通知") else None
        if inner:
            title, end = _unmarked(source[inner.start : inner.end]), inner.end
    foot, signature = _foot(seen, lines, (last or 0) + 1)
    outer = "".join(line.text for line in lines[first : (last or 0) + 1])
    issuer = _issuer(source, seen, lines, title, first, signature)
    if issuer is None and outer != title:
        issuer = _issuer(source, seen, lines, outer, first, signature)
    year = _year_of_title(shadow(title or "")) or _year_of_text(lines)
    return Head(title, issuer, year, end, foot)


def _inner_title(lines: list[Span], last: int) -> Span | None:
    """The plan's own title below the letter that sends it out."""
    for line in lines[last + 1 : last + 30]:
        if number_of(line.text):
            return None
        own = _TITLE.search(line.text) and not re.search(r"[，。；：》]|通知$", line.text)
        if own and len(line.text) <= 40 and not KEYWORDS.fullmatch(line.text):
            return line
    return None


def _unmarked(line: str) -> str:
    """A line without the marks of Markdown; the ** of a masked name (**镇) stay."""
    line = line.strip("# ")
    bold = re.fullmatch(r"\*\*(.+)\*\*", line)
    return bold[1].strip() if bold else line


def _title_lines(lines: list[Span]) -> tuple[int, int | None]:
    """(first, last) line of the title, which may be broken over lines; last is None without one."""
    for at, line in enumerate(lines[:_TOP]):
        words = line.text.strip("#* ")
        if _NOTICE.search(words) or KEYWORDS.fullmatch(words):
            continue
        if at and number_of(line.text) and not line.text.startswith("#"):
            break
        titled = _TITLE.search(words) or _OPINION.fullmatch(words)
        if not (titled and len(words) <= 60 and not re.search(r"[。；！]", words)):
            continue
        first = at
        above = lines[at - 1].text.strip("#* ") if at else ""
        short = len(words) < 10 and not re.search("教育|局|校", words)
        if above and _above_belongs(above, words, short):
            first = at - 1
        return first, at
    return 0, None


def _above_belongs(above: str, words: str, short: bool) -> bool:
    """Whether the line above is the beginning of a broken title."""
    if above.count("《") > above.count("》") or re.search(r"关于(?:印发|转发)?$", above):
        return True
    if _NOTICE.search(above) or _DOCUMENT_NUMBER.match(above) or re.search(r"[。；：！]$", above):
        return False
    if len(above) > 30 or "文件" in above or number_of(above):
        return False
    name = _SIGNATURE.match(above) or re.fullmatch(r"[\u4e00-\u9fff]{4,24}", above)
    if name and re.match(r"20\d\d|二[〇零○]", words):
        return True
    return (
        short or words.startswith(("关于", "年")) or not re.search(r"20\d\d|二[〇零○]|局|校", words)
    )


def _year_of_title(title: str) -> int | None:
    """The year of a title; of 2024年总结和2025年计划 the plan's."""
    both = re.search(r"(?:总结|回顾).*", title)
    span = re.search(r"(20\d\d)[-~—至]+(20\d\d)学?年", title)
    if span and "学年" not in title and "学期" not in title:
        return int(span[1])
    if span and re.search(r"第二学期|下学期|春", title):
        return int(span[2])
    return (_year(both.group()) if both else None) or _year(title)


def _year(words: str) -> int | None:
    found = _YEAR.search(words)
    if not found:
        return None
    return int(found[1]) if found[1] else int(chinese_number(found[2].replace("○", "〇")))


def _year_of_text(lines: list[Span]) -> int | None:
    """The year of a text whose title names none: the first 20xx年 that is not a plan's span."""
    for line in lines[:40]:
        for found in re.finditer(r"(20\d\d)(?:学)?年(?!前|以来|至)", line.text):
            if not _DATE.match(line.text) or line is not lines[0]:
                return int(found[1])
    return None


def _foot(seen: str, lines: list[Span], after: int) -> tuple[int, Span | None]:
    """(where the body ends, the line of the signature) below the last sentence."""
    foot, signature = len(seen), None
    for line in reversed(lines[max(after, len(lines) - 8) :]):
        if _DATE.match(line.text):
            foot = line.start
        elif _SIGNATURE.match(line.text) and len(line.text) <= 30 and not number_of(line.text):
            foot, signature = line.start, signature or line
        elif _IMPRINT.match(line.text):
            foot = line.start
        elif foot < len(seen) and _OFFICE.match(line.text) and not number_of(line.text):
            # Above the date a short name of an office signs.
            foot = line.start
        else:
            break
    return _above_attachments(lines, after, foot), signature


def _above_attachments(lines: list[Span], after: int, foot: int) -> int:
    """Where the list of attachments begins, when nothing but short lines follows it; else `foot`."""
    above = [line for line in lines[after:] if line.start < foot]
    for line in reversed(above[-25:]):
        if re.match(r"附件\s*\d*\s*(?:：|$|\s)", line.text):
            return min(foot, line.start)
        if len(line.text) > 40 or "。" in line.text:
            break
    return foot


def _issuer(
    source: str, seen: str, lines: list[Span], title: str | None, first: int, signature: Span | None
) -> str | None:
    if title:
        plain = re.sub(r"\s", "", title)
        found = _ISSUER.match(shadow(plain))
        if found and len(found["name"]) >= 3:
            name = plain[slice(*found.span("name"))]
            signed = source[signature.start : signature.end] if signature else ""
            if signed.startswith(name) and signed.endswith("办事处"):
                return signed
            inner = _INNER.match(plain, found.end("name"))
            return name + (inner["name"] if inner else "")
    if signature:
        return source[signature.start : signature.end]
    for line in lines[: first + 4]:
        if re.fullmatch(
            r"[\u4e00-\u9fffXx×]{2,24}(?:局|委员会|政府|学校|小学|中学|幼儿园|医院|办事处)(?:文件)?",
            line.text,
        ):
            return source[line.start : line.end].removesuffix("文件")
    return None
