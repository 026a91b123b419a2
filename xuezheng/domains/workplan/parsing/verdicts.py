"""Whether a figure is a promise for this year, and not a fact, a name, a condition or the past."""

import re
from dataclasses import dataclass

from xuezheng.domains.workplan.parsing.bounds import (
    AT_LEAST,
    AT_MOST,
    LESS,
    MORE,
    PERIOD,
    STRICT,
    UNDER,
)
from xuezheng.domains.workplan.parsing.commitments import ACTION
from xuezheng.domains.workplan.parsing.figures import Quantity
from xuezheng.domains.workplan.parsing.wording import Span

#: Verbs that promise an output.
MAKES = re.compile(
    r"新建|改建|扩建|迁建|重建|续建|建成|建设|建好|共建|建立|设立|成立|创建|创成|争创|打造|培育|培养|培训|轮训|完成|"
    r"开展|举办|举行|组织|承办|主办|招聘|招录|招收|引进|评选|评定|选树|选拔|选派|选聘|遴选|推选|评出|新增|增加|增设|"
    r"增开|增配|投入|投放|投用|投运|投产|净增|带徒|接收|扫描|挂接|录入|立项|掌握|争取|安排|资助|救助|帮扶|命名|认定|推出|开设|开办|实施|发放|配备|配齐|配置|改造|维修|修缮|"
    r"公布|发布|确定|达到|实现|推进|启动|开工|开发|编制|编印|出台|制定|制订|修订|发展|申报|获得|获评|输送|签约|签订|"
    r"结对|采购|购置|更新|[加安增]装|加固|铺设|新购|新辟|新开|优化|开通|调整|整治|治理|排查|检查|抽查|督查|督导|巡查|走访|调研|"
    r"整改|查处|化解|消除|清理|关停|拆除|盘活|种植|植树|补植|疏浚|打通|提供|筹集|募集|转移|吸引|接待|办好|办成|办理|"
    r"推广|总结|形成|征集|表彰|奖励|推荐|录制|拍摄|撤并|设置|创作|扶持|招引|送教|送戏|下派|列支|建强|做强|新招|"
    r"提升|确保|力争|举行|参加|服务|覆盖|普及|维护|养护|硬化|绿化|接种|筛查|体检|签|建(?!议|档|筑)|推送|储备|完善|布设|"
    r"整修|检修|修补|修复|翻修|翻新|粉刷|抢修|恢复|减免|清洗|清淤|清掏|设点|划设|施划|添置|增添|印制|回访|慰问|拨付|"
    r"上门|授课|听课|编目|租赁|布置|扩容|调配|调剂|轮岗|踏勘|(?:[拟各共将并要新需再]|计划)[办购修配聘派招植栽建设增开选评]|"
    r"捐赠|赠送|示范|印发|悬挂|张贴|播出|播放|刊发|编排|编写|编撰|研制|绘制|出栏|收储|采集|修建|架设|搭建|疏通|清运|督改|下发|查封|关闭|取缔|处置|报送|选育|认证|登记|注册|引导|孵化|流转|巡讲|讲解|输出|报废|(?<![建假])设(?![施备计想定])|拥有|召开|发表|获奖|撰写|听课|评课|阅读|派出|共享|选送|邀请|更换|惠及|受益|引种|延长|开行|投运|收集|布局|聘请|选聘|招募|供应|落实|收治|演练|宣讲|宣传|压减|减少|淘汰|复查|监测|采样|抽检|回收|处理|安置|解决|新创|创"
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
PAST = re.compile(
    r"(?<![比较与同上])(?:去年|上年|前年|上一年|近年来|近几年|以来|截至|截止|目前|现有|原有|(?<![年将])累计|同比(?![增下降])|已经|现已|历年)"
    r"|已(?!知)|(?:完成|建成|达到|新增|开展|举办|实现|取得|获得|培训|投入|组织|招聘|引进|改造|评选|选树|增长|提高|下降)了"
)
_CONDITION = re.compile(r"(?:未达|达不到|不到|不足|凡是?|对于?[^，]{0,10}的|仅|只有|如果|若)")
#: 每位教师读2本书 promises without a verb of making.
_EACH = re.compile(r"(?:各(?=[进开举组])|每[位名人校班个村园所]|人均|生均|校均)[^，。；]{0,12}$")


@dataclass
class Clause:
    """Where a figure stands: its clause and its sentence, as places in the text."""

    start: int
    end: int
    sentence: Span


#: How many characters beside a figure are read; longer clauses are lists.
NEAR = 100


def verdict_on(text: str, quantity: Quantity, clause: Clause, year: int | None) -> str:
    """ "target", "unsure" or "no"."""
    before = text[max(clause.start, quantity.start - NEAR) : quantity.start]
    after = text[quantity.end : min(clause.end, quantity.end + NEAR)]
    if PAST.search(before) and not re.search(r"[比较]", before):
        return "no"
    former = re.search(r"(?<![比较\d])(20\d\d)年(?!底?前|.*[比较])", before)
    if former and year and int(former[1]) < year:
        return "no"
    if _MEASURED_BY.search(before) or re.match(
        r"[^，；]{0,8}的(?:实际|情况|现状|特点|背景)", after
    ):
        return "no"
    if re.search(r"第\s*$|十九届|“$|[大届]$|每$", before[-4:]) or _CONDITION.search(before[-14:]):
        return "no"
    if quantity.loose:
        return "target" if quantity.unit and _BOUNDED.search(before) else "unsure"
    if quantity.unit in {"%", "‰", "百分点", "番"} or quantity.unit.startswith("/"):
        return _verdict_on_share(quantity, before, after)
    if quantity.unit == "":
        bare = text[quantity.start].isdigit()
        whole = text[clause.sentence.start : quantity.start]
        known = _COEFFICIENT.search(whole[-60:]) or before[-1:] in {*"≤≥<>"}
        return "target" if not bare or known else "unsure"
    return _verdict_on_count(text, quantity, clause, before, after)


#: What a figure without any unit may measure.
_COEFFICIENT = re.compile(r"系数|指数|比|度|均分|得分|浓度|均值")


#: What follows from a missed bound: 低于80分的扣减5%.
_PENALTY = re.compile(
    r"(?:低于|少于|超过|高于|不足)[^，。；]{1,8}的[^，。；]{0,12}(?:扣|罚|奖励|核减)[^，。；]{0,6}$"
)


def _verdict_on_share(quantity: Quantity, before: str, after: str) -> str:
    if (
        re.match(r"的?(?:奖励|予以|扣|罚)", after)
        or _PENALTY.search(before)
        or re.match(r"(?:一律|并|予以)*(?:倒?扣|罚|核减)", before)
    ):
        return "no"
    if re.search(rf"(?<!不)(?<!不得){UNDER}$", before) and re.match(r"的", after):
        return "no"
    if re.search(r"(?:[前后末]|排名)$", before):
        return "no"
    if re.search(r"(?:权重占?|占比?(?:考核|总分|总成绩|绩效)[^，]{0,6}|按)$", before):
        return "unsure"
    if re.match(r"(?:以上|以下)?的[^，。]{2,14}(?:存在|没有|不)", after):
        return "no"
    return "target"


_BOUNDED = re.compile(
    rf"(?:{STRICT}|{AT_LEAST}|{AT_MOST}|{UNDER}|不得?超|不得?少|{MORE}|{LESS})\s*$"
)
#: 三项工作: how many things the text itself goes on to name.
_TALLY = re.compile(
    r"(?:重点|主要|具体|关键)?(?:工作|任务|内容|举措|措施|服务|职能|职责)(?=[，。；、]|$)"
)
_CONDITION_AROUND_COUNT = re.compile(r"连续$|每隔$|前$|[容受]纳(?:不超过)?$")
#: After a figure that is a limit of a rule or of another figure: 24小时内办结率, 超过30学时方可参加.
_CONSEQUENCE = re.compile(
    r"之?内[^，。；]{0,10}率|[^，。；]{0,6}(?:方可|才能|才可|方能)|(?:以[上下])?(?:者|的[，]?(?:一律|应(?![急用届对])|须|不得))|/(?:小时|秒|分钟)"
)
_TIMES = {"天", "小时", "个月", "周", "学时", "课时"}
#: After these a figure measures a rule or a set of things: 每超额1个百分点, 对照38项指标.
_MEASURED_BY = re.compile(
    r"每(?:超额?|少|高出?|低|增加|减少|提高|降低|延迟|逾期)[^，；]{0,4}$|(?:对照|按照|依据|根据|围绕|聚焦|针对|涉及)[^，；\d]{0,4}$"
)
#: Units that count what is delivered.
_OUTPUTS = {"人次", "场次", "批次", "家次", "户次", "亩次", "项次", "节次", "剂次", "辆次"}
#: With whom or where something is done: 赴6所高校, 依托7家场馆.
_COMPANY = re.compile(r"(?:赴|依托|联合|面向|与)$")
#: What a plant can do in a day is no promise: 日处理200吨.
_CAPACITY = re.compile(r"(?<!每)日(?:处理|供水|产|加工|处置|供应)(?:量|能力)?$")
_MONEY = re.compile(r"(?:投资|资金|经费|产值|收入|销售额)[^，；、\d]{0,6}$")
#: Units that are conditions more often than outputs, so that they need a bound or 每.
_NEEDS_BOUND = {"分", "天", "日", "小时", "分钟", "个月", "元", "米", "学分"}


def _counts_no_output(
    text: str, quantity: Quantity, before: str, after: str, *, near: bool, few: bool
) -> bool:
    """Whether a count is that of a slogan, a group of persons, a condition or an ordinal."""
    if IDEAS.match(after) or re.match(r"(?:及?以[上下])(?:的)?(?!，|。)[大超特小规]", after):
        return True
    if quantity.unit in {"人", "名"} and re.match(r"(?:及?以[上下])(?:的)?[\u4e00-\u9fff]", after):
        return True
    if re.match(r"[^，]{0,10}(?:组成|任[副组])", after):
        return True
    if re.match(r"及?以[上下]的", after) and not near:
        return True
    if re.search(rf"(?:{UNDER}|超过|高于)$", before) and re.match(
        r"的(?:[\u4e00-\u9fff]|$)", after
    ):
        return True
    if few and _TALLY.match(after):
        return True
    if _CONDITION_AROUND_COUNT.search(before) or _CONSEQUENCE.match(after):
        return True
    # 二次, 二期 are ordinals: a count says 两.
    words = text[quantity.start : quantity.end]
    return bool(quantity.chinese and quantity.value == 2 and words.startswith("二"))


def _verdict_on_count(
    text: str, quantity: Quantity, clause: Clause, before: str, after: str
) -> str:
    bounded = bool(_BOUNDED.search(before)) or bool(
        re.match(r"\s?(?:及?以[上内]|左右|之?内)", after)
    )
    rhythm = bool(PERIOD.search(before[-12:]))
    if isinstance(quantity.value, list) and re.match(r"[，。；、]|$", after):
        bounded = True
    near = bool(re.search(rf"(?:{MAKES.pattern})[^，。；]{{0,4}}$", before))
    few = quantity.chinese and not isinstance(quantity.value, list) and quantity.value < 10
    if _counts_no_output(text, quantity, before, after, near=near, few=few):
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
    if re.search(r"(?:达到|满)$", before) and re.match(
        r"的(?!规模|水平|目标|标准)[\u4e00-\u9fff]{2}", after
    ):
        # 达到100本的学生授予称号: a condition.
        return "no"
    if re.match(r"的[\u4e00-\u9fff]", after) and re.search(r"(?:组建|成立|选配)$", before):
        return "target"
    if re.match(r"的[\u4e00-\u9fff]", after) and not bounded:
        # 日供水3000吨的水厂: the figure describes the thing.
        return "unsure" if MAKES.search(before) else "no"
    if quantity.value == 24 and quantity.unit == "小时" and not bounded:
        return "no"
    if quantity.unit in _NEEDS_BOUND and not (bounded or rhythm):
        return "unsure" if MAKES.search(before) and not quantity.chinese else "no"
    each = bool(_EACH.search(before))
    if quantity.chinese and quantity.value == 1 and not (bounded or rhythm or each):
        strong = re.search(r"(?:新建|建成|改扩?建|创建|创成|迁建|新增|新开)[^，、]{0,8}$", before)
        return "target" if strong and quantity.unit in {"所", "座", "家", "处"} else "no"
    if re.search(r"[XxＸ×]{1,4}$", before):
        return "unsure"
    if bounded or (rhythm and quantity.unit not in {"元", "米", "分"}):
        return "target"
    whole_before = text[max(clause.sentence.start, quantity.start - 3 * NEAR) : quantity.start]
    if few and quantity.unit in {"个", "项", "类", "种", "位", "名", "对", "组", "条", "本", "期"}:
        concrete = quantity.unit == "条" and MAKES.search(before)
        return "target" if near or concrete else "no"
    if _COMPANY.search(before) or _CAPACITY.search(before):
        return "unsure"
    if MAKES.search(before) or MADE.search(after) or each:
        return "target"
    if (quantity.unit.endswith("元") and _MONEY.search(before)) or before.endswith("各"):
        return "target"
    if quantity.unit in _OUTPUTS or (quantity.unit in {"场", "期", "节"} and before.endswith("”")):
        return "target"
    if not quantity.chinese and ACTION.search(before) and re.match(r"[，。；、（]|$", after):
        # 整合学校5所，: a doing of any kind, and its outcome at the end of the clause.
        return "target"
    if MAKES.search(whole_before) and not re.search(r"有|是|为|共|.约", before):
        return "target"
    return "unsure"
