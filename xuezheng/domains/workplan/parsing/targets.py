"""Quantitative targets: a number is one when it is promised, not when it merely stands in the text.

Every candidate is found by its unit; then rules as data say what it is: an exclusion (a place, an age,
a slogan, a past result), a comparator, or a doubt that goes to a person.
"""

import re
from dataclasses import dataclass

from xuezheng.domains.workplan.parsing.model import Doubt, Figure
from xuezheng.domains.workplan.parsing.numerals import (
    CHINESE_NUMBER,
    DIGIT_NUMBER,
    NUMBER,
    plain_number,
    times,
)

#: Units of counted things, longest first so that 人次 wins over 人.
UNITS = sorted(
    ["万元", "亿元", "元", "人次", "平方米", "立方米", "平方公里", "公里", "米", "公顷", "课时", "学时", "学位", "床位", "车位", "个百分点", "所", "个", "条", "场", "次", "人", "名", "项", "门", "期", "套", "亩", "处", "家", "座", "间", "台", "张", "篇", "部", "件", "起", "批", "支", "户", "份", "节", "堂", "站", "点", "辆", "块", "本", "册", "例", "吨", "对", "组", "班", "位", "幢", "栋", "片", "株", "棵", "盏", "艘", "眼", "口", "宗", "款", "幅", "枚", "只", "头", "轮", "校", "园", "村", "社区"],
    key=len,
    reverse=True,
)
UNIT = "|".join(map(re.escape, UNITS))
TENTHS = {c: n * 10 for n, c in enumerate("一二三四五六七八九", start=1)}

PERCENT = (
    rf"百分之(?P<cn>{CHINESE_NUMBER}|\d+(?:\.\d+)?)|(?P<pc>\d+(?:\.\d+)?)\s*[%％]"
    r"|(?P<ten>[一二三四五六七八九])成(?P<half>[半五])?(?![年为功立果员长熟型品绩教分就])"
)
RANGE = re.compile(
    rf"(?P<low>{NUMBER})(?P<lowunit>[%％]|万|{UNIT})?\s*(?:[—–~～\-]{{1,2}}|至|到)\s*"
    rf"(?P<high>{NUMBER})\s*(?P<power>[万亿])?(?P<unit>[%％]|{UNIT})"
)
FROM_TO = re.compile(
    rf"[从由](?:[^，。；\d]{{0,12}}?)(?P<base>{NUMBER})\s*(?P<baseunit>[%％]|[万亿]?(?:{UNIT}))?"
    r"(?:[^，。；\d]{0,6}?)(?P<verb>提高|提升|上升|增加|增长|升|扩大|下降|降低|降|减少|压减|缩减)"
    rf"[到至](?P<value>{NUMBER})\s*(?P<power>[万亿])?(?P<unit>[%％]|{UNIT})"
)
ZERO = re.compile(
    r"零(?P<what>事故|死亡|伤亡|发生|案件|感染|差错|失误|违规|违纪|上访|投诉|泄密|溺亡|疫情|火灾|容错|积压|"
    r"增长|新增)"
)
SIMPLE = re.compile(
    rf"{PERCENT}"
    rf"|(?P<num>{NUMBER})(?P<more>[多余几])?\s*(?P<power>[万亿千百])?(?P<more2>[多余])?\s*(?P<unit>{UNIT})"
)
FULL = re.compile(r"全覆盖|全部达标|应[\u4e00-\u9fff]尽[\u4e00-\u9fff]")
MASKED = re.compile(r"(?:[XxＸ×✕*＊]{1,3}|若干|[○〇]{2,})(?=所|个|条|场|名|项|家|万元|%|％|人)")

#: Verbs that promise a counted result, to stand before the number in its clause.
OUTPUT = re.compile(
    r"新建|改建|扩建|改扩建|迁建|重建|建设|建成|建立|建好|打造|创建|创成|争创|培育|培养|选派|选树|选聘|选拔|遴选|"
    r"评选|评定|评审|命名|认定|完成|开展|举办|组织|新增|增加|增设|招聘|招录|招引|引进|培训|轮训|开设|设立|设置|"
    r"发放|发布|公布|推出|投入|安排|争取|实现|达到|达|覆盖|资助|救助|帮扶|帮助|整改|排查|检查|抽查|督查|巡查|"
    r"监测|筛查|抽检|推进|启动|实施|改造|修缮|维修|整治|治理|更新|更换|配备|配置|配齐|安装|采购|添置|采集|"
    r"制定|出台|修订|编制|编写|签约|登记|服务|受理|办理|办结|提供|新开|开工|开通|竣工|投用|投入使用|启用|交付|"
    r"创办|举行|召开|确定|试点|扶持|奖励|奖补|减少|压减|压降|撤并|关停|降低|下降|提高|提升|增长|突破|控制|"
    r"通过|落实|供给|储备|发展|吸引|接待|募集|植|种植|栽植|铺设|疏浚|清淤|新改扩建|改善|惠及|受益|推广|建"
)
#: Verbs strong enough for a small number written in Chinese (三条路线), which is often only a way to
#: count what follows.
STRONG = re.compile(
    r"新建|改建|扩建|迁建|建成|打造|创建|创成|争创|培育|选树|遴选|评选|命名|认定|举办|新增|增设|招聘|招录|引进|"
    r"开设|设立|推出|公布|发布|改造|改扩建|出台|制定|开通|确定|组织|完成|开展|建设|启用|投用|举行|召开"
)
#: Nouns after a number that make it a way of counting ideas, parts or people in an office.
ABSTRACT = re.compile(
    r"(?:大|方面|层面|层次|环节|维度|阶段|关系|转变|结合|导向|意识|自信|维护|确立|坚持|注重|必须|明确|不|没有|"
    r"部门|部委|单位联合|单位共同|机制|制度|能力|体系|原则|抓手|重点|关键|核心|目标|任务|工作|要求|措施|举措|"
    r"清单|责任|统一|统筹|一|样|根本|统领|全面|务必|优先|问题|内容|指标|主题|专题|板块|领域|群体|年级|学期|"
    r"时段|时期|文件|意见|办法|规划纲要|以上部门|系列|方向|特色|平台为)"
)
BUILDS = re.compile(r"[所座条间家处场期个名台辆门套项支亩]")
PAST = re.compile(
    r"去年|上年|上一年|往年|近年来|过去|截至|截止|同比|已(?:经)?(?:建成|完成|达|实现|有|开展|投入|培训|创建|形成|"
    r"覆盖|累计|通过|取得)|累计(?!.{0,4}达到?.{0,6}以上)|取得了|荣获|获评|被评为|圆满|目前|现有|当前"
)
DONE = re.compile(
    r"(?:完成|开展|举办|组织|建成|实施|投入|新建|改造|培训|实现|达到|提高|发放|招聘|新增|创建|推进|取得|接待|排查|整改)了"
)
COMPARED = re.compile(r"(?:比|较|在)(?:去年|上年|上一年|20\d\d年)(?:同期|的?基础上|末)?")
PRESENT = re.compile(r"(?:目前|现有|已有|已达|仅有?|现在?)[^，。；]{0,10}$")
HEDGE = re.compile(r"力争|争取|努力|力促|尽量|尽可能|原则上|预计|计划|拟|左右|上下|大约|约")
HEDGE_FIRM = re.compile(
    r"力争|争取|努力|力促|尽量|尽可能|原则上|预计|左右|上下|大约|约(?=\d|[一二三四五六七八九十百千万])"
)
PERIOD = re.compile(
    r"(?:到|至)?20\d\d年(?:底|末|年底|上半年|下半年|\d{1,2}月底?)?(?:前)?|每年|逐年|每学年|每学期|每季度|每月|每周|每天|每日|"
    r"全年|全学年|年度|年内|今年|当年|本年|年底前?|年末|上半年|下半年|[一二三四]季度|第[一二三四1-4]季度|\d{1,2}月底?前|"
    r"学年内?|学期内?|[一二三四五六七八九十]年内|“?十[四五六]五”?期间|\d年内"
)

#: (where, pattern, comparator, strict, hedged), tried in order; "after" looks right behind the unit,
#: "before" at the words that end where the number begins.
COMPARATORS = [
    ("after", r"(?:及|\(含\)|（含）)?以上", ">=", False, False),
    ("after", r"(?:及)?以下|以内|之内", "<=", False, False),
    ("after", r"左右|上下", "~", False, True),
    ("before", r"(?:不低于|不少于|不小于|不得低于|不得少于|至少|最低|不下于)$", ">=", False, False),
    (
        "before",
        r"(?:不超过|不高于|不多于|不大于|不得超过|不突破|控制在|压减[到至]|压降[到至]|限制在)$",
        "<=",
        False,
        False,
    ),
    ("before", r"(?:降|下降|降低|减少|缩减|缩小|压缩)[到至为]$", "<=", False, False),
    ("before", r"(?:低于|少于|小于)$", "<=", True, False),
    ("before", r"(?:超过|超|突破|高于|大于|多于|高出)$", ">=", True, False),
    ("before", r"(?:提高|提升|上升|增加|增长|升|扩大|发展|增|扩)[到至为]$", ">=", False, False),
    ("before", r"(?:达到|达|实现|保持在?|稳定在|维持在|巩固在|完成率|不断)$", ">=", False, False),
    ("before", r"(?:大约|约|近|将近)$", "~", False, True),
    ("before", r"(?:下降|降低|减少|压减|压降|缩小|缩短|减|降)[^，。；\d]{0,3}$", "-", False, False),
    (
        "before",
        r"(?:提高|提升|增长|上升|增加|增幅|扩大|递增|增)[^，。；\d]{0,3}$",
        "+",
        False,
        False,
    ),
]
CLAUSE = re.compile(r"[，。；！？\n,;]")


@dataclass
class Candidate:
    """A number with its unit somewhere in a sentence."""

    start: int
    end: int
    value: float | int | list[float | int]
    unit: str
    chinese: bool = False
    more: bool = False
    baseline: float | int | None = None
    comparator: str = ""


def candidates(sentence: str) -> list[Candidate]:
    """All numbers with units, longest forms first; none overlaps another."""
    found: list[Candidate] = []
    taken: list[tuple[int, int]] = []

    def free(start: int, end: int) -> bool:
        return all(end <= a or start >= b for a, b in taken)

    def add(candidate: Candidate, start: int, end: int) -> None:
        if free(start, end):
            taken.append((start, end))
            found.append(candidate)

    for match in FROM_TO.finditer(sentence):
        try:
            value = times(plain_number(match["value"]), match["power"] or "")
            base = plain_number(match["base"])
        except ValueError:
            continue
        down = match["verb"][0] in "下降减压缩"
        add(
            Candidate(
                match.start("value"),
                match.end(),
                value,
                _unit(match["unit"]),
                baseline=base,
                comparator="<=" if down else ">=",
            ),
            match.start(),
            match.end(),
        )
    for match in RANGE.finditer(sentence):
        try:
            low = times(plain_number(match["low"]), match["power"] or "")
            high = times(plain_number(match["high"]), match["power"] or "")
        except ValueError:
            continue
        if low < high and not _is_years(sentence, match):
            add(
                Candidate(match.start(), match.end(), [low, high], _unit(match["unit"])),
                match.start(),
                match.end(),
            )
    for match in ZERO.finditer(sentence):
        unit = "起" if match["what"] in {"事故", "案件", "火灾", "投诉", "上访"} else ""
        add(Candidate(match.start(), match.end(), 0, unit, comparator="="), *match.span())
    for match in SIMPLE.finditer(sentence):
        candidate = _simple(match)
        if candidate:
            add(candidate, *match.span())
    return sorted(found, key=lambda c: c.start)


def _is_years(sentence: str, match: re.Match) -> bool:
    return bool(re.match(r"20\d\d$", match["low"])) or sentence[match.end() :].startswith(("年级",))


def _unit(text: str) -> str:
    return {"％": "%", "个百分点": "百分点"}.get(text, text)


def _simple(match: re.Match) -> Candidate | None:
    try:
        if match["cn"] or match["pc"]:
            return Candidate(*match.span(), plain_number(match["cn"] or match["pc"]), "%")
        if match["ten"]:
            half = 5 if match["half"] else 0
            return Candidate(*match.span(), TENTHS[match["ten"]] + half, "%", chinese=True)
        power = match["power"] or ""
        value = times(plain_number(match["num"]), "" if match["unit"][0] in "万亿" else power)
    except ValueError:
        return None
    chinese = not re.match(DIGIT_NUMBER, match["num"])
    more = bool(match["more"] or match["more2"])
    return Candidate(*match.span(), value, _unit(match["unit"]), chinese, more)


def find_targets(
    text: str, start: int, end: int, section: str, *, cautious: bool = False
) -> tuple[list[Figure], list[Doubt]]:
    """Targets of one sentence at `start`..`end` of the text, and what is doubtful in it.

    `cautious`: only what a comparator makes certain (used outside of measures).
    """
    sentence = text[start:end]
    figures: list[Figure] = []
    doubts: list[Doubt] = []
    past = bool(PAST.search(COMPARED.sub("", sentence))) or bool(DONE.search(sentence))
    previous: tuple[Candidate, str, bool, bool] | None = None
    for candidate in candidates(sentence):
        clause_at = _clause_start(sentence, candidate.start)
        before = sentence[clause_at : candidate.start]
        after = sentence[candidate.end : candidate.end + 8]
        if _excluded(sentence, candidate, before, after):
            continue
        comparator, strict, hedged, width = _comparator(candidate, before, after)
        joined = previous and re.fullmatch(
            r"(?:以上|以下|左右)?[、，,]?(?:和|与|及|以及)?\s*",
            sentence[previous[0].end : candidate.start],
        )
        if joined and not comparator:
            comparator, strict, hedged = previous[1:]
        if candidate.comparator:
            comparator = candidate.comparator
        promised, unsure = _promised(candidate, before, after, comparator, cautious)
        if past and promised and not COMPARED.search(sentence):
            continue
        if PRESENT.search(before) and not comparator:
            continue
        if joined and previous:
            promised = True
        if not promised:
            if unsure:
                doubts.append(
                    Doubt(
                        section,
                        "unsure_target",
                        f"“{_around(sentence, candidate)}”可能是量化目标，请核定",
                        start + candidate.start,
                        start + candidate.end,
                    )
                )
            continue
        tail = re.match(r"(?:及|（含）)?以上|(?:及)?以下|以内|之内|左右|上下", after)
        first = start + candidate.start - width
        last = start + candidate.end + (tail.end() if tail else 0)
        hedged = hedged or bool(HEDGE_FIRM.search(before))
        if isinstance(candidate.value, list):
            comparator = "range"
        elif not comparator:
            comparator = ">=" if candidate.unit == "%" or candidate.more else "="
        period = _period(sentence, candidate.start)
        figures.append(
            Figure(
                section,
                text[first:last],
                candidate.value,
                candidate.unit,
                comparator,
                strict,
                hedged,
                period,
                first,
                last,
                candidate.baseline,
                _subject(before),
            )
        )
        previous = (candidate, comparator, strict, hedged)
    for match in MASKED.finditer(sentence):
        doubts.append(
            Doubt(
                section,
                "masked_number",
                f"“{sentence[match.start() : match.end() + 6]}”的数字已隐去，没有作为目标",
                start + match.start(),
                start + match.end(),
            )
        )
    for match in FULL.finditer(sentence):
        if not past and match.group() == "全覆盖":
            doubts.append(
                Doubt(
                    section,
                    "unsure_target",
                    "“全覆盖”可否作为100%的目标，请核定",
                    start + match.start(),
                    start + match.end(),
                )
            )
    return figures, doubts


def _clause_start(sentence: str, at: int) -> int:
    starts = [m.end() for m in CLAUSE.finditer(sentence, 0, at)]
    # A comma between thousands is no end of a clause.
    return max((s for s in starts if not re.match(r"\d{3}", sentence[s:])), default=0)


def _excluded(sentence: str, candidate: Candidate, before: str, after: str) -> bool:
    """Numbers that only look like one: ordinals, names, ages, grades, ranges of years, slogans."""
    if before.endswith(("第", "No.", "№", "〔", "[", "【")) or re.search(r"[A-Za-z]$", before):
        return True
    opened = max(sentence.rfind("“", 0, candidate.start), sentence.rfind("《", 0, candidate.start))
    closed = max(sentence.rfind("”", 0, candidate.start), sentence.rfind("》", 0, candidate.start))
    quoted = opened > closed
    if quoted and (sentence[opened] == "《" or candidate.chinese):
        return True
    if re.match(r"(?:年|岁|周岁|月|日|号|级|届|年级|线|时|小时|分钟|秒|天|度|℃|热线|学年)", after):
        return candidate.unit != "%"
    if (
        candidate.unit in {"点", "号", "位", "部", "节", "校", "园", "级", "班", "人", "家"}
        and candidate.chinese
    ):
        return not (isinstance(candidate.value, int | float) and candidate.value >= 10)
    if candidate.unit == "点" or (
        candidate.unit == "个" and re.match(r"(?:月|年|小时|星期|工作日)", after)
    ):
        return True
    if candidate.unit in {"条", "部", "章"} and re.match(r"(?:规定|之规定)", after):
        return True
    if candidate.chinese and candidate.value == 1 and candidate.unit not in {"百分点", "所", "座"}:
        return True
    if candidate.chinese and candidate.unit not in {"%", "百分点"} and ABSTRACT.match(after):
        return True
    # 占20%以上的学校: a condition on something else, not a promise.
    return bool(
        re.match(r"(?:以上|以下)?的(?:学校|教师|学生|单位|地区|企业|家庭|班级|村|乡镇)", after)
    ) and (candidate.unit == "%")


def _comparator(candidate: Candidate, before: str, after: str) -> tuple[str, bool, bool, int]:
    """(comparator, strict, hedged, characters of it before the number)."""
    words = before.rstrip(" “")
    found = ("", False, False, 0)
    for where, pattern, comparator, strict, hedged in COMPARATORS:
        if where == "after":
            if re.match(pattern, after):
                return comparator, strict, hedged, _width(words, before)
            continue
        match = re.search(pattern, words)
        if match:
            if comparator in {"+", "-"} and candidate.unit not in {"%", "百分点"}:
                # 新增3所 and 减少2起 are plain counts of what is added or taken away.
                if comparator == "+" or candidate.chinese:
                    continue
            width = len(before) - match.start()
            return comparator, strict, hedged, width
    return found


def _width(words: str, before: str) -> int:
    match = re.search(r"(?:达到|达|实现|超过|不低于|提高到|提升到|保持在|稳定在)$", words)
    return len(before) - match.start() if match else 0


def _promised(
    candidate: Candidate, before: str, after: str, comparator: str, cautious: bool
) -> tuple[bool, bool]:
    """(is it a target, should a person look at it)."""
    if candidate.comparator:
        return True, False
    if candidate.unit == "百分点":
        return bool(comparator), not comparator
    if comparator and candidate.unit == "%":
        return True, False
    if cautious:
        return bool(comparator) and bool(OUTPUT.search(before)), False
    if candidate.unit == "%":
        rate = re.search(
            r"[率比例面重度额占]\s*(?:为|均|都|全部|分别)?$|完成|登记|实现|确保|力争", before
        )
        return bool(rate) or bool(
            re.match(r"\s*(?:覆盖|达标|完成|整改|落实|到位|登记|以上|的?任务|的?目标)", after)
        ), True
    if isinstance(candidate.value, list):
        return bool(OUTPUT.search(before)), True
    if candidate.chinese and candidate.value <= 12:
        # 三条路线 right after what makes it a result.
        near = before[-16:]
        return bool(STRONG.search(near)) and bool(BUILDS.match(candidate.unit)), False
    if comparator:
        return True, False
    return bool(OUTPUT.search(before[-30:])), bool(
        candidate.unit in {"所", "个", "名", "场", "条", "万元"}
    )


def _period(sentence: str, at: int) -> str | None:
    before = [m.group() for m in PERIOD.finditer(sentence[:at])]
    if before:
        return before[-1]
    stop = CLAUSE.search(sentence, at)
    after = PERIOD.search(sentence, at, stop.start() if stop else len(sentence))
    return after.group() if after else None


def _subject(before: str) -> str:
    words = HEDGE.sub("", before)
    words = re.sub(r"(?:不低于|不少于|超过|达到|提高到|控制在|以上|分别|均|达|超|约)+$", "", words)
    words = re.sub(r"^(?:实现|确保|使|让|把|将|完成|推动|促进)+", "", words.strip())
    return words[-14:]


def _around(sentence: str, candidate: Candidate) -> str:
    return sentence[max(0, candidate.start - 8) : candidate.end + 6]


def contradictions(figures: list[Figure]) -> list[Doubt]:
    """The same subject in the same unit with different values."""
    seen: dict[tuple[str, str], Figure] = {}
    doubts = []
    for figure in figures:
        core = re.sub(r"[全区市县校的各\s]|学校|年", "", figure.subject)[-8:]
        if len(core) < 4 or figure.comparator in {"+", "-"}:
            continue
        key = (core, figure.unit)
        earlier = seen.setdefault(key, figure)
        if earlier.value != figure.value:
            doubts.append(
                Doubt(
                    figure.section,
                    "contradiction",
                    f"“{figure.text}”与“{earlier.text}”说的是同一件事，数值不一致",
                    figure.start,
                    figure.end,
                )
            )
    return doubts
