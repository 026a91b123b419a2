"""Which figures are targets: a promise for this year, and not a fact, a name, a slogan or the past.

A figure whose verb leaves this open is no target but a doubt (`unsure_target`); a figure that the
writer has masked (X所) is the doubt `masked_number`.
"""

import re
from collections.abc import Sequence

from xuezheng.domains.workplan.parsing.bounds import PERIOD, comparator_of
from xuezheng.domains.workplan.parsing.figures import Number, Quantity, figures_in
from xuezheng.domains.workplan.parsing.leftovers import RATIO, ROUND, loose_figures
from xuezheng.domains.workplan.parsing.model import Doubt, Figure
from xuezheng.domains.workplan.parsing.verdicts import MADE, MAKES, NEAR, PAST, Clause, verdict_on
from xuezheng.domains.workplan.parsing.wording import Span

_ONE_EACH = re.compile(
    r"(?<![\d.])(?:一|1)(?![万千百亿个])[\u4e00-\u9fff]{1,3}(?:一|(?<!一)1(?![\d.])|多|两)[\u4e00-\u9fff]{1,2}"
)
_MASK = re.compile(
    r"(?<=[训聘引进招达超增])[Xx×]{1,4}余?人|(?<![A-Za-z])[Xx×✕╳*＊]{1,4}(?:余|多)?(?:%|个百分点|万元|所|名(?!校)|条|场|项|家|门|套|次|人次|[座处户间辆台亩篇期](?![\u4e00-\u9fff])|个(?!性))"
)

HEDGE = re.compile(
    r"力争|力促|(?<![年同懈的断])努力|原则上|争取(?!到?(?:上级|中央|省级|市级|资金|专项|政策))|预计|有望|尽量"
)
DEADLINE = re.compile(
    r"(?<![较比\d])(?:到|至|在)?(?:20\d\d年)?(?:20\d\d年|\d{1,2}月|年|月|学期|十[四五六]五”?期?)[底末](?:之?前)?"
    r"|(?<![较比])20\d\d年\d{1,2}月(?:\d{1,2}日)?(?:之?前)?|(?<![较比到至在\d])(?:到|至|在)?20\d\d年(?:之?前)?"
    r"|\d{1,2}月(?:\d{1,2}日|[初底]|[上中下]旬)?之?前|年内|全年|[上下]半年|本学期|本年度|[一二三四]季度"
)  # fmt: skip
#: How a sentence begins that says how things are or were.
_REPORTS = re.compile(
    r"(?:回顾|过去|去年|上年|近年来|[一二三四五六七八九十两]年来|截至|目前|据(?:统计|测算|调查)|上(?:学期|学年|半年|年度)|"
    r"经(?!费|济|营|典|过|常|办|开)[^，。；]{0,14}(?:测算|统计|调查|摸底|核算|核查)|建[校院园站][^，。；]{0,4}[年来]|"
    r"我(?:校|院|园|局|县|区|市|镇|乡|馆|站|所|街道|单位)(?:现|共|为|是|始?建|位于|占地|有)|"
    r"(?:学校|医院|本[组校园]|全[县区市镇乡校院园])?(?:现有|占地|共有))"
)
#: Words that turn from a report to what is to be done.
TURNS = re.compile("今年|本年|新的一年|力争|下一步|计划|将(?!军)")
LONGEST_SENTENCE = 500


def find_targets(
    text: str, sentence: Span, section: str, year: int | None
) -> tuple[list[Figure], list[Doubt]]:
    """The targets of one sentence, and the figures of which nobody can be sure."""
    if len(sentence.text) > LONGEST_SENTENCE:
        # So long a sentence is a list; in parts, the time to read it grows only with its length.
        targets, doubts = [], []
        for part in _parts(sentence):
            more, open_ones = find_targets(text, part, section, year)
            targets += more
            doubts += open_ones
        return targets, doubts
    past = _past_until(sentence.text, year)
    if past:
        sentence = Span(sentence.text[past:], sentence.start + past)
    targets: list[Figure] = []
    doubts = [
        Doubt(section, "masked_number", f"“{m.group()}”没有写出数量，请补上", m.start(), m.end())
        for m in _MASK.finditer(text, sentence.start, sentence.end)
    ]
    ratios = [
        match.span()
        for pattern in (RATIO, ROUND)
        for match in pattern.finditer(text, sentence.start, sentence.end)
    ]
    doubts += [unsure(text[start:end], section, start, end) for start, end in ratios]
    quantities = _quantities(text, sentence, ratios)
    hedge_from = sentence.start
    skip: Quantity | None = None
    for at, quantity in enumerate(quantities):
        if quantity is skip:
            continue
        clause = _clause(text, quantity, sentence)
        following = quantities[at + 1] if at + 1 < len(quantities) else None
        baseline = _baseline(text, quantity, following)
        if baseline is not None and following is not None:
            skip, first = following, quantity
            quantity = following
            clause = Clause(_clause(text, first, sentence).start, clause.end, sentence)
        before = text[clause.start : (first.start if baseline is not None else quantity.start)]
        verdict = verdict_on(text, quantity, clause, year)
        if verdict == "unsure" and targets and _goes_on(text, targets[-1], quantity):
            verdict = "target"
        if verdict == "target" or baseline is not None:
            figure = _figure(text, quantity, clause, targets, section)
            figure.hedged = bool(
                HEDGE.search(text, max(hedge_from, sentence.start), quantity.start)
                or (figure.comparator == "~" and not quantity.vague)
                or re.search(r"(?<![节公预契])约$", before[-4:])
                or re.match(r"左右|上下", text[quantity.end :])
            )
            if baseline is not None:
                figure.baseline = baseline
                figure.start = first.start - len(re.search(r"[从由]?\s*$", before).group())
                figure.text = text[figure.start : figure.end]
                figure.subject = _subject(
                    quantity, before.rstrip("从由 "), text[quantity.end : clause.end]
                )
            targets.append(figure)
        elif verdict == "unsure":
            words = text[quantity.start : quantity.end]
            doubts.append(unsure(words, section, quantity.start, quantity.end))
        # A hedge covers the figures of its clause, joined ones included, and no later clause.
        if following and following.start >= clause.end:
            hedge_from = clause.end
    return targets, doubts


def unsure(words: str, section: str, start: int, end: int) -> Doubt:
    """The doubt whether the words at a place are a target."""
    return Doubt(section, "unsure_target", f"“{words}”是不是目标，请核对", start, end)


def _quantities(text: str, sentence: Span, ratios: Sequence[tuple[int, int]]) -> list[Quantity]:
    """All quantities of a sentence in order; those inside names and ratios are none."""
    silent = [*_silent_places(text, sentence), *ratios]
    found = list(figures_in(text, sentence.start, sentence.end))
    taken = [*silent, *((quantity.start, quantity.end) for quantity in found)]
    found = [q for q in found if not any(a <= q.start < b for a, b in silent)]
    found += loose_figures(text, sentence.start, sentence.end, taken)
    return sorted(found, key=lambda quantity: quantity.start)


def _goes_on(text: str, before: Figure, quantity: Quantity) -> bool:
    """Whether a figure continues the list that a target began: 学习故事4篇、讲座1场."""
    between = text[before.end : quantity.start]
    item = re.fullmatch(r"[^，。；：\d]{0,6}、[^，。；：、\d]{0,16}", between)
    same = before.unit == quantity.unit and re.fullmatch(
        r"[^。；：\d]{0,5}，[^，。；：\d]{1,10}", between
    )
    return bool((item or same) and not PAST.search(between))


def _parts(sentence: Span) -> list[Span]:
    """A long sentence cut at commas."""
    parts, start = [], 0
    while start < len(sentence.text):
        end = start + LONGEST_SENTENCE
        comma = sentence.text.rfind("，", start, end)
        end = comma + 1 if comma > start and end < len(sentence.text) else end
        parts.append(Span(sentence.text[start:end], sentence.start + start))
        start = end
    return parts


def _past_until(sentence: str, year: int | None) -> int:
    """How many characters of a sentence report: from 去年, a former year and the like to 今年."""
    begins = _REPORTS.match(sentence)
    named = re.match(r"(?:在)?(20\d\d)(?:学)?年(?!底|末|前|度?工作)", sentence)
    if not begins and not (named and year and int(named[1]) < year):
        return 0
    now = TURNS.search(sentence[2:]) or (year and re.search(f"{year}年", sentence[2:]))
    return now.start() + 2 if now else len(sentence)


def reports(sentence: str, year: int | None) -> bool:
    """Whether a whole sentence tells what was or is."""
    return _past_until(sentence, year) == len(sentence)


def _silent_places(text: str, sentence: Span) -> list[tuple[int, int]]:
    """Titles 《》, document numbers and short quotations: figures in them are names."""
    shapes = r"《[^》\n]{1,80}》|“(?!零[^”]{2}”)[^”\n]{1,14}”|‘[^’\n]{1,14}’|〔\d{4}〕\d*号?|（\d{4}[^）]{0,12}）"
    places = [m.span() for m in re.finditer(shapes, text[sentence.start : sentence.end])]
    each = [m.span() for m in _ONE_EACH.finditer(sentence.text)]
    return [(a + sentence.start, b + sentence.start) for a, b in places + each]


def _clause(text: str, quantity: Quantity, sentence: Span) -> Clause:
    start = max(text.rfind(mark, sentence.start, quantity.start) for mark in "，。；：！？\n") + 1
    ends = [text.find(mark, quantity.end, sentence.end) for mark in "，。；！？\n"]
    end = min([e for e in ends if e >= 0], default=sentence.end)
    return Clause(max(start, sentence.start), end, sentence)


def _baseline(text: str, first: Quantity, second: Quantity | None) -> Number | None:
    """85 in 从85%提高到90%, else None."""
    if second is None or isinstance(first.value, list) or isinstance(second.value, list):
        return None
    if first.unit != second.unit or not re.search(r"[从由]\s*$", text[: first.start][-3:]):
        return None
    between = text[first.end : second.start]
    if re.fullmatch(r"[^，。；]{0,12}(?:[到至为]|达)约?\s*", between):
        return first.value
    return None


def _figure(
    text: str, quantity: Quantity, clause: Clause, earlier: list[Figure], section: str
) -> Figure:
    """A target with its comparator, place, period and subject."""
    before = text[max(clause.start, quantity.start - NEAR) : quantity.start]
    after = text[quantity.end : min(clause.end, quantity.end + NEAR)]
    comparator, strict, width = comparator_of(quantity, before, after)
    joined = bool(
        earlier
        and earlier[-1].end <= quantity.start
        and re.fullmatch(
            r"(?:以上|以内)?(?:、|和|及|与|以及)", text[earlier[-1].end : quantity.start]
        )
        and earlier[-1].unit == quantity.unit
    )
    start = quantity.start - width
    suffix = re.match(r"\s?(?:及以上|以上|以下|以内|之内|内|左右|上下)", after)
    end = quantity.end + (suffix.end() if suffix else 0)
    if not suffix and quantity.unit not in {"%", "百分点", "‰", ""}:
        noun = re.match(r"[\u4e00-\u9fff]{2,4}(?=[，。；、]|$)", after)
        end += noun.end() if noun and not MADE.search(noun.group()) else 0
    if joined and comparator == "=":
        # 分别达到98%、95%和90%: the verb before the first figure holds for all.
        comparator, strict = earlier[-1].comparator, earlier[-1].strict
    rhythm = re.search(rf"(?:{PERIOD.pattern})[^，。；\d]{{0,10}}$", text[clause.start : start])
    if comparator in {"+", "-"} and rhythm:
        start = clause.start + rhythm.start()
    return Figure(
        section=section,
        text=text[start:end],
        value=quantity.value,
        unit=quantity.unit,
        comparator=comparator,
        strict=strict,
        hedged=False,
        period=_period(text, clause, quantity),
        start=start,
        end=end,
        subject=_subject(quantity, text[clause.start : start], after),
    )


def _period(text: str, clause: Clause, quantity: Quantity) -> str | None:
    """每年, or the date by which; the nearest before the figure, else after it in its clause."""
    for pattern in (PERIOD, DEADLINE):
        for start, end in (
            (max(clause.start, quantity.start - NEAR), quantity.start),
            (max(clause.sentence.start, quantity.start - 3 * NEAR), quantity.start),
            (quantity.end, min(clause.end, quantity.end + NEAR)),
        ):
            found = list(pattern.finditer(text, start, end))
            if found:
                words = found[-1].group()
                return "每年" if words == "年均" else words
    return None


def _subject(quantity: Quantity, before: str, after: str) -> str:
    """What is counted: the noun after the measure word, or the phrase before the share."""
    if quantity.unit in {"%", "百分点", "‰", ""}:
        words = re.sub(
            rf"{HEDGE.pattern}|确保|实现|完成|分别|{PERIOD.pattern}|{DEADLINE.pattern}", "", before
        )
        return words.strip(" 、：的")[-40:]
    noun = re.match(
        r"(?:\s?(?:及?以上|以[内下]|之?内|左右|上下))?的?(?!及?以[上下内])([^，。；、（和]{1,16})",
        after,
    )
    if noun and noun[1].strip():
        return noun[1].strip()
    # The last item of a list: 、 and the figure before it end the one before.
    words = re.split(r"、|\d\S{1,4}和", before)[-1]
    words = re.sub(rf"^.{{0,4}}?(?:{MAKES.pattern})+(?=.)", "", words)
    return words.strip(" 、：的")[-16:]
