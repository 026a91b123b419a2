"""Which figures are targets: a promise for this year, and not a fact, a name, a slogan or the past.

A figure whose verb leaves this open is no target but a doubt (`unsure_target`); a figure that the
writer has masked (X所) is the doubt `masked_number`.
"""

import re
from dataclasses import dataclass

from xuezheng.domains.workplan.parsing.figures import Number, Quantity, figures_in
from xuezheng.domains.workplan.parsing.model import Doubt, Figure
from xuezheng.domains.workplan.parsing.wording import Span

#: Verbs that promise an output.
MAKES = re.compile(
    r"新建|改建|扩建|迁建|重建|续建|建成|建设|建好|共建|建立|设立|成立|创建|创成|争创|打造|培育|培养|培训|轮训|完成|"
    r"开展|举办|举行|组织|承办|主办|招聘|招录|招收|引进|评选|评定|选树|选拔|选派|选聘|遴选|推选|评出|新增|增加|增设|"
    r"增开|增配|投入|投放|争取|安排|资助|救助|帮扶|命名|认定|推出|开设|开办|实施|发放|配备|配齐|配置|改造|维修|修缮|"
    r"公布|发布|确定|达到|实现|推进|启动|开工|开发|编制|编印|出台|制定|制订|修订|发展|申报|获得|获评|输送|签约|签订|"
    r"结对|采购|购置|更新|[加安增]装|加固|铺设|新购|新辟|新开|优化|开通|调整|整治|治理|排查|检查|抽查|督查|督导|巡查|走访|调研|"
    r"整改|查处|化解|消除|清理|关停|拆除|盘活|种植|植树|补植|疏浚|打通|提供|筹集|募集|转移|吸引|接待|办好|办成|办理|"
    r"推广|总结|形成|征集|表彰|奖励|推荐|录制|拍摄|撤并|设置|创作|扶持|招引|送教|送戏|下派|列支|建强|做强|新招|"
    r"提升|确保|力争|举行|参加|服务|覆盖|普及|维护|养护|硬化|绿化|接种|筛查|体检|签|建(?!议|档|筑)|推送|储备|完善|布设|"
    r"整修|检修|修补|修复|翻修|翻新|粉刷|抢修|恢复|减免|清洗|清淤|清掏|设点|划设|施划|添置|增添|印制|回访|慰问|拨付|"
    r"上门|授课|听课|编目|租赁|布置|扩容|调配|调剂|轮岗|踏勘|(?:[拟各共将并要新需再]|计划)[办购修配聘派招植栽建设增开选评]|"
    r"拥有|召开|发表|获奖|撰写|听课|评课|阅读|派出|共享|选送|邀请|更换|惠及|受益|引种|延长|开行|投运|收集|布局|聘请|选聘|招募|供应|落实|收治|演练|宣讲|宣传|压减|减少|淘汰|复查|监测|采样|抽检|回收|处理|安置|解决|新创|创"
)
#: What is done with the counted things when the verb follows them.
MADE = re.compile(
    r"开工|竣工|投入使用|投用|投运|建成|完工|完成|招标|启动|落地|创建|通过|达标|挂牌|交付|封顶|启用|开园|"
    r"开学|改造|验收|上线|认定|出台|通车|完善|建设(?!项目)|不少于|以上|拨付|上网|下拨|发放|招聘|招录|加装|安装|除险|加固|踏勘|修缮|维修"
)
#: Counted things that are ideas: these numbers are names.
IDEAS = re.compile(
    r"(?:(?:重要|主要|重点|关键|基本|核心|突出|明显)?(?:方面|维度|层面|阶段|环节|层次|角度|领域|原则|主线|抓手|重点|关键|问题|导向|意识|自信|"
    r"维护|确立|坚持|聚焦|突破|转变|责任|底线|红线|关系|注重|统一|结合|到位|不|必须|一律|严格|要素|体系|能力|渠道|"
    r"务必|规定|准则|制度|管理|纪律|禁令|倡议|覆盖|一|走在前|服务意识|作用|时代|战线|方向|目标|要求|条线|步骤))"
)
_ONE_EACH = re.compile(
    r"(?<![\d.])(?:一|1)(?![万千百亿个])[\u4e00-\u9fff]{1,3}(?:一|(?<!一)1(?![\d.])|多|两)[\u4e00-\u9fff]{1,2}"
)
_MASK = re.compile(
    r"(?<=[训聘引进招达超增])[Xx×]{1,4}余?人|(?<![A-Za-z])[Xx×✕╳*＊]{1,4}(?:余|多)?(?:%|个百分点|万元|所|名(?!校)|条|场|项|家|门|套|次|人次|个(?!性))"
)

_STRICT = r"(?:[>＞]|超过|超出|超|突破|高于|大于|多于|优于)了?"
_AT_LEAST = (
    r"(?:≥|不得?低于|不得?少于|不小于|不下于|至少|最低|达到?了?|(?:提[高升]|增[加长]?|扩大|上升|升)[到至]|"
    r"(?:稳定|保持|巩固|维持)在|满)"
)
_AT_MOST = r"(?:≤|不得?超过|不得?高于|不大于|不得?多于|不突破|控制(?:在|到)|(?:下?降低?|压[减缩降]|缩[小短]|减少?)[到至]|压到|最多)"
_UNDER = r"(?:[<＜]|低于|少于|小于)"
_MORE = r"(?:延长|增长|提[高升]|增加|上升|增幅|上浮|增速|递增)"
_LESS = r"(?:缩短|减免|下降|降低|减少|压减|压缩|缩小|缩减|递减|下调|减)"
_BOUND = r"(?:约|超过|超|不低于|不少于|达到?|为|近|至少)?"
PAST = re.compile(
    r"(?<![比较与同上])(?:去年|上年|前年|上一年|近年来|近几年|以来|截至|截止|目前|现有|原有|累计|同比|已经|现已|历年)"
    r"|已(?!知)|(?:完成|建成|达到|新增|开展|举办|实现|取得|获得|培训|投入|组织|招聘|引进|改造|评选|选树|增长|提高|下降)了"
)
HEDGE = re.compile(
    r"力争|力促|(?<![年同懈的断])努力|原则上|争取(?!到?(?:上级|中央|省级|市级|资金|专项|政策))|预计|有望|尽量"
)
_CONDITION = re.compile(r"(?:未达|达不到|不到|不足|凡是?|对于?[^，]{0,10}的|仅|只有|如果|若)")
PERIOD = re.compile(r"每[两二三四]?(?:个)?(?:半年|学年|学期|年|季度|季|月|周|星期|日|天)|年均")
DEADLINE = re.compile(
    r"(?<![较比\d])(?:到|至|在)?(?:20\d\d年)?(?:20\d\d年|\d{1,2}月|年|月|学期|十[四五六]五”?期?)[底末](?:之?前)?"
    r"|(?<![较比])20\d\d年\d{1,2}月(?:\d{1,2}日)?(?:之?前)?|(?<![较比到至在\d])(?:到|至|在)?20\d\d年(?:之?前)?"
    r"|\d{1,2}月(?:\d{1,2}日|[初底]|[上中下]旬)?之?前|年内|全年|[上下]半年|本学期|本年度|[一二三四]季度"
)  # fmt: skip


LONGEST_SENTENCE = 500


#: 每位教师读2本书 promises without a verb of making.
_EACH = re.compile(r"(?:每[位名人校班个村园所]|人均|生均|校均)[^，。；]{0,12}$")


@dataclass
class Clause:
    """Where a figure stands: its clause and its sentence, as places in the text."""

    start: int
    end: int
    sentence: Span


def find_targets(
    text: str, sentence: Span, section: str, year: int | None
) -> tuple[list[Figure], list[Doubt]]:
    """The targets of one sentence, and the figures of which nobody can be sure."""
    if len(sentence.text) > LONGEST_SENTENCE:
        # So long a sentence is a list; in parts, the time to read it grows only with its length.
        targets, doubts = [], []
        for part in _parts(sentence):
            more, unsure = find_targets(text, part, section, year)
            targets += more
            doubts += unsure
        return targets, doubts
    past = _past_until(sentence.text, year)
    if past:
        sentence = Span(sentence.text[past:], sentence.start + past)
    targets: list[Figure] = []
    doubts = [
        Doubt(section, "masked_number", f"“{m.group()}”没有写出数量，请补上", m.start(), m.end())
        for m in _MASK.finditer(text, sentence.start, sentence.end)
    ]
    silent = _silent_places(text, sentence)
    quantities = [
        q
        for q in figures_in(text, sentence.start, sentence.end)
        if not any(a <= q.start < b for a, b in silent)
    ]
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
        verdict = _verdict(text, quantity, clause, year)
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
            message = f"“{words}”是不是目标，请核对"
            doubts.append(Doubt(section, "unsure_target", message, quantity.start, quantity.end))
        # A hedge covers the figures of its clause, joined ones included, and no later clause.
        if following and following.start >= clause.end:
            hedge_from = clause.end
    return targets, doubts


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
    begins = re.match(r"(?:回顾|过去|去年|上年|近年来|一年来|截至|目前)", sentence)
    named = re.match(r"(?:在)?(20\d\d)(?:学)?年(?!底|末|前|度?工作)", sentence)
    if not begins and not (named and year and int(named[1]) < year):
        return 0
    now = re.search(rf"今年|本年|新的一年|{year or '今年'}年|力争|下一步|计划", sentence[2:])
    return now.start() + 2 if now else len(sentence)


def _silent_places(text: str, sentence: Span) -> list[tuple[int, int]]:
    """Titles 《》, document numbers and short quotations: figures in them are names."""
    shapes = r"《[^》\n]{1,80}》|“[^”\n]{1,14}”|‘[^’\n]{1,14}’|〔\d{4}〕\d*号?|（\d{4}[^）]{0,12}）"
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


def _verdict(text: str, quantity: Quantity, clause: Clause, year: int | None) -> str:
    """ "target", "unsure" or "no"."""
    before, after = text[clause.start : quantity.start], text[quantity.end : clause.end]
    if PAST.search(before) and not re.search(r"[比较]", before):
        return "no"
    former = re.search(r"(?<![比较\d])(20\d\d)年(?!.*[比较])", before)
    if former and year and int(former[1]) < year:
        return "no"
    if re.search(r"第\s*$|十九届|“$", before[-4:]) or _CONDITION.search(before[-14:]):
        return "no"
    if quantity.unit in {"%", "‰", "百分点"}:
        return _verdict_on_share(quantity, before, after)
    if quantity.unit == "":
        bare = text[quantity.start].isdigit()
        return "target" if not bare or _COEFFICIENT.search(before) else "no"
    return _verdict_on_count(text, quantity, clause, before, after)


#: What a figure without any unit may measure.
_COEFFICIENT = re.compile(r"系数|指数|比|度|均分|得分|浓度|均值")


#: What follows from a missed bound: 低于80分的扣减5%.
_PENALTY = re.compile(
    r"(?:低于|少于|超过|高于|不足)[^，。；]{1,8}的[^，。；]{0,12}(?:扣|罚|奖励|核减)[^，。；]{0,6}$"
)


def _verdict_on_share(quantity: Quantity, before: str, after: str) -> str:
    if _PENALTY.search(before):
        return "no"
    if re.search(_UNDER + r"$", before) and re.match(r"的", after):
        return "no"
    if re.search(r"(?:[前后末]|排名)$", before):
        return "no"
    if re.search(r"(?:权重|占比?(?:考核|总分|总成绩|绩效)[^，]{0,6}|按)$", before):
        return "unsure"
    if re.match(r"(?:以上|以下)?的[^，。]{2,14}(?:存在|没有|不)", after):
        return "no"
    return "target"


_BOUNDED = re.compile(
    rf"(?:{_STRICT}|{_AT_LEAST}|{_AT_MOST}|{_UNDER}|不得?超|不得?少|{_MORE}|{_LESS})\s*$"
)
#: 三项工作: how many things the text itself goes on to name.
_TALLY = re.compile(
    r"(?:重点|主要|具体|关键)?(?:工作|任务|内容|举措|措施|服务|职能|职责)(?=[，。；、]|$)"
)
_CONDITION_AROUND_COUNT = re.compile(r"连续$|每隔$|前$|[容受]纳(?:不超过)?$")
#: After a figure that is a limit of a rule or of another figure: 24小时内办结率, 超过30学时方可参加.
_CONSEQUENCE = re.compile(
    r"之?内[^，。；]{0,10}率|[^，。；]{0,6}(?:方可|才能|才可|方能)|(?:以[上下])?(?:者|的[，]?(?:一律|应|须|不得))|/(?:小时|秒|分钟)"
)
_TIMES = {"天", "小时", "个月", "周", "学时", "课时"}
#: Units that are conditions more often than outputs, so that they need a bound or 每.
_NEEDS_BOUND = {"分", "天", "小时", "分钟", "个月", "元", "米", "学分", "眼", "块"}


def _verdict_on_count(
    text: str, quantity: Quantity, clause: Clause, before: str, after: str
) -> str:
    bounded = bool(_BOUNDED.search(before)) or bool(
        re.match(r"\s?(?:及?以[上内]|左右|之?内)", after)
    )
    rhythm = bool(PERIOD.search(before[-12:]))
    if IDEAS.match(after) or re.match(r"(?:及?以[上下])(?:的)?(?!，|。)[大超特小规]", after):
        return "no"
    if quantity.unit in {"人", "名"} and re.match(r"(?:及?以[上下])(?:的)?[\u4e00-\u9fff]", after):
        return "no"
    if re.match(r"[^，]{0,10}(?:组成|任[副组])", after):
        return "no"
    near = re.search(rf"(?:{MAKES.pattern})[^，。；]{{0,4}}$", before)
    if re.match(r"及?以[上下]的", after) and not near:
        return "no"
    if re.search(rf"(?:{_UNDER}|超过|高于)$", before) and re.match(r"的[\u4e00-\u9fff]", after):
        return "no"
    if quantity.chinese and quantity.value < 10 and _TALLY.match(after):
        return "no"
    if _CONDITION_AROUND_COUNT.search(before) or _CONSEQUENCE.match(after):
        return "no"
    if (
        quantity.chinese
        and text[quantity.start : quantity.end].startswith("二")
        and quantity.value == 2
    ):
        # 二次, 二期 are ordinals: a count says 两.
        return "no"
    if re.search(r"(?:^|[，、])为$", before) and MAKES.search(after):
        # 为40处站牌加装座椅 counts; in 为3个小区加装电梯15部 the second figure does.
        return "no" if re.search(r"\d", after) else "target"
    if re.search(
        r"每[\u4e00-\u9fff]{1,4}(?:配[备齐置]?|明确|确定|设[立置]?|安排|落实)[^，。；\d]{0,8}$",
        before,
    ):
        return "target"
    if quantity.unit in _TIMES and re.search(r"(?:学习|培训|研修|实习|跟岗|集训|开放)$", before):
        return "target"
    if re.match(r"的[\u4e00-\u9fff]", after) and not bounded:
        # 日供水3000吨的水厂: the figure describes the thing.
        return "unsure" if MAKES.search(before) else "no"
    if quantity.unit in _NEEDS_BOUND and not (bounded or rhythm):
        return "no"
    if quantity.value == 24 and quantity.unit == "小时" and not bounded:
        return "no"
    if quantity.chinese and quantity.value == 1 and not (bounded or rhythm):
        strong = re.search(r"(?:新建|建成|改扩?建|创建|创成|迁建|新增|新开)[^，、]{0,8}$", before)
        return "target" if strong and quantity.unit in {"所", "座", "家", "处"} else "no"
    if re.search(r"[XxＸ×]{1,4}$", before):
        return "unsure"
    if bounded or (rhythm and quantity.unit in {"次", "场", "个", "期", "轮", "项", "篇", "节"}):
        return "target"
    whole_before = text[clause.sentence.start : quantity.start]
    if (
        quantity.chinese
        and quantity.value < 10
        and quantity.unit in {"个", "项", "类", "种", "位", "名", "对", "组", "条", "本", "期"}
    ):
        concrete = quantity.unit == "条" and MAKES.search(before)
        return "target" if near or concrete else "no"
    if MAKES.search(before) or MADE.search(after) or _EACH.search(before):
        return "target"
    if MAKES.search(whole_before) and not re.search(r"有|是|为|共|.约", before):
        return "target"
    return "unsure"


def _figure(
    text: str, quantity: Quantity, clause: Clause, earlier: list[Figure], section: str
) -> Figure:
    """A target with its comparator, place, period and subject."""
    before, after = text[clause.start : quantity.start], text[quantity.end : clause.end]
    comparator, strict, width = _comparator(quantity, before, after)
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


def _comparator(quantity: Quantity, before: str, after: str) -> tuple[str, bool, int]:
    """(comparator, strict, how many characters before the figure express it)."""

    def ends(pattern: str) -> int:
        found = re.search(rf"(?:{pattern})\s*$", before)
        return len(found.group()) if found else 0

    if isinstance(quantity.value, list):
        return "range", False, 0
    between = re.search(rf"(?<=[于过])(?:{PERIOD.pattern})$", before)
    if between:
        # 不少于每天1次: the bound stands before the period.
        comparator, strict, width = _comparator(quantity, before[: between.start()], after)
        return comparator, strict, width + len(between.group())
    after = after.lstrip()
    if re.match(r"左右|上下", after):
        return "~", False, ends(_AT_LEAST)
    share = quantity.unit in {"%", "百分点", "‰"}
    for sign, verb in (("+", _MORE), ("-", _LESS)):
        width = ends(verb + "了?" + _BOUND)
        loose = re.search(rf"{verb}(?![到至])[^，；到至达]{{0,12}}$", before)
        if width and not ends(_AT_LEAST if verb == _MORE else _AT_MOST):
            return sign, bool(ends("超过?")), width
        if (
            loose
            and not ends(f"{_AT_LEAST}|{_AT_MOST}|{_STRICT}")
            and (
                quantity.unit == "百分点"
                or (not share and re.search(r"(?<!新)增加|减少|压减|缩减", loose.group()))
            )
        ):
            return sign, False, 0
    if width := ends(_AT_MOST):
        return "<=", False, width
    if width := ends("不得?(?:超过?|高于|大于|多于)"):
        return "<=", False, width
    if width := ends(_AT_LEAST):
        return ">=", False, width
    if width := ends(_STRICT):
        return ">=", True, width
    if width := ends(_UNDER):
        return "<=", True, width
    if re.match(r"及?以上|之上", after):
        return ">=", False, 0
    if re.match(r"以[内下]|之?内", after):
        return "<=", False, ends("控制在")
    if quantity.vague or ends("(?<![节公预])约|大约|近"):
        return "~", False, ends("大?约|近")
    if re.search(r"至少[^，；]{0,10}$", before):
        return ">=", False, 0
    if quantity.unit == "百分点":
        return "+", False, 0
    if share and re.search(r"(?:实现|达到|达(?!标))[^，；]*率", before):
        return ">=", False, 0
    return "=", False, 0


def _period(text: str, clause: Clause, quantity: Quantity) -> str | None:
    """每年, or the date by which; the nearest before the figure, else after it in its clause."""
    for pattern in (PERIOD, DEADLINE):
        for start, end in (
            (clause.start, quantity.start),
            (clause.sentence.start, quantity.start),
            (quantity.end, clause.end),
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
