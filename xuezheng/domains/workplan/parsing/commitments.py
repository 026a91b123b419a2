"""Which sentences are commitments: they promise an action that somebody has to carry out."""

import re

from xuezheng.domains.workplan.parsing.wording import Span, sentences_of, trimmed

#: Verbs of doing.  A sentence without any of them describes or exhorts.
ACTION = re.compile(
    r"建立|建设|建成|建好|建强|新建|改建|扩建|筹建|组建|共建|创建|争创|打造|培育|培养|培训|轮训|完成|开展|举办|举行|组织|承办|"
    r"推进|推动|推行|推广|推出|推荐|实施|落实|执行|加强|强化|加大|加快|加密|加固|完善|健全|优化|深化|细化|提升|提高|提供|提前|"
    r"提质|制定|制订|出台|印发|修订|编制|编写|编印|起草|谋划|规划|研究|探索|实现|实行|确保|保障|保证|保持|做好|做实|做强|做优|"
    r"做细|做到|抓好|抓实|抓紧|抓细|抓住|狠抓|紧抓|严格|严守|严控|严肃|严防|严查|规范|整治|整改|整合|整理|治理|排查|检查|督查|"
    r"督促|督导|指导|引导|引进|引入|招聘|招录|招生|招标|选派|选树|选拔|遴选|评选|评定|评估|评价|考核|公布|公开|发布|发挥|发展|"
    r"发动|宣传|宣讲|普及|学习|贯彻|坚持|树立|树牢|弘扬|传承|营造|构建|搭建|创新|改革|改革|改造|改善|改进|扩大|扩容|扩增|拓展|"
    r"拓宽|拓面|增加|增设|增强|增补|新增|减轻|减少|降低|压减|化解|消除|清理|解决|处理|处置|查处|关注|关心|关爱|帮扶|帮助|资助|"
    r"支持|扶持|奖励|表彰|激励|服务|办好|办理|开办|开设|开发|开通|开放|启动|启用|开工|竣工|投用|投入|配备|配齐|配合|购置|采购|"
    r"安装|维修|维护|更新|升级|升格|巩固|夯实|筑牢|守住|守牢|维护|管理|管控|监管|监督|监测|审计|核查|抽查|巡查|巡察|梳理|总结|"
    r"汇总|采集|收集|统计|分析|研判|调研|走访|联系|沟通|协调|协助|统筹|设立|成立|试点|试行|申报|争取|力争|力促|努力|促进|促使|"
    r"助力|融入|纳入|列入|列出|明确|确定|落地|对接|衔接|承接|签订|结对|交流|合作|联动|共享|运用|用好|应用|使用|依托|接受|迎接|"
    r"通过|达到|达标|超过|不低于|控制|减缓|防范|防控|防治|抵御|预防|救助|安置|疏浚|疏导|打通|硬化|绿化|植树|种植|清运|回收|"
    r"铺设|通车|拆除|接种|筛查|体检|诊疗|签约|收治|演练|值守|报送|上报|召开|参加|参与|开齐|开足|配套|补齐|补足|补充|下放|下沉|"
    r"精简|压实|靠前|凝聚|激发|激活|盘活|稳定|稳妥|稳步|改良|转变|转化|转型|聚焦|突出|把握|掌握|把好|把牢|破解|攻坚|"
    r"摸底|施工|验收|检修|清洗|修补|修复|整修|翻新|恢复|发放|拨付|提交|登记|核对|公示|通报|反馈|上墙|张贴|回访|慰问|消毒|巡检|减免|采买|"
    r"研制|讲清|讲透|讲深|鼓励|撰写|采用|参观|观看|采集|栽植|抢种|修建|储备|购买|订购|编排|绘制|制作|拍摄|录制|刊发|播放|挂牌|督改|下发|"
    r"查封|追缴|关停|收集|认领|邀请|聘请|选聘|列支|约谈|兑现|通报|报告|移交|移送|流转|捐赠|赠送|出栏|收购|收储|减排|搬迁|腾退|"
    r"测量|测试|摸排|登记|核定|复核|复查|备案|审批|审核|审查|评审|立项|上墙|值班|巡护|巡河|轮岗|跟岗|集训|磨课|听课|评课|教研|"
    r"设置|设计|安排|部署|分解|分类|实行|施行|送教|送医|送戏|建档|录入|上线|接入|延伸|延长|顺延|覆盖|凸显|展示|讲好|唱响|续写|深入|全面|切实"
)
_BACKGROUND = re.compile(
    r"(?:近年来|近几年|去年|上年|过去|当前|目前|随着|由于|鉴于|众所周知|一年来|回顾|现将|本(?:责任书|方案|计划|办法|通知|要点|清单|细则)(?:一式|自|由|有效|共)|为此|为[^。]{2,80}制定本|(?:全[县区市镇乡校]|我[县区市镇乡校园院])?(?:现有|共有)|特制定|以下|如下|经.{0,10}研究)"
)
_FLOURISH = re.compile(
    r"(?:不懈努力|作出(?:新的|更大|应有的?)?.{0,4}贡献|再上新台阶而|新的?篇章|添砖加瓦|而努力奋斗|而奋斗|保驾护航！)"
)
_LEAD_IN = re.compile(r"(?:[:：]|如下|以下(?:工作|任务|几个?方面).*)$")
_ITEM_NUMBER = re.compile(r"(?:[①-⑳]|（\d{1,2}）|\d{1,2}(?:）|[.、](?!\d)))\s*")
_PURPOSE_ONLY = re.compile(r"(?:为了?|以)[^，。；]*[，。；]?$")
_NOTHING_BUT_LABEL = re.compile(
    r"^[（〔【]?(?:副?组\s*长|成\s*员|组\s*员|联络员|附件|抄送|联系人|联系电话|主送|印发|日期)"
)
_CLOSING_VERB = re.compile(
    r"^(?:此外|另外|除此之外)[，、](?:还要|要|还将)?(?:继续|进一步|同步|统筹|认真|切实|扎实|全力)*(?:做好|抓好|推进|开展|加强|落实|完成|做实|抓实)"
)


#: How a sentence of ideas begins, below 总体要求 and the like.
IDEA = re.compile(
    r"(?:坚持|以|围绕|紧扣|紧紧|按照|高举|(?:全面|深入|认真)?(?:学习)?贯彻|遵循|20\d\d年)"
)


def is_background(sentence: str) -> bool:
    """Whether a sentence tells why, since when or how things are."""
    return bool(_BACKGROUND.match(sentence))


def is_commitment(sentence: str, *, any_verb: bool = False) -> bool:
    """Whether a sentence promises an action; with `any_verb` also by a verb that ACTION does not know."""
    words = sentence.strip("。；！？，、：:; ")
    if len(words) < 4 or _NOTHING_BUT_LABEL.match(words) or _LEAD_IN.search(sentence.strip()):
        return False
    if is_background(words) or _FLOURISH.search(words):
        return False
    if _PURPOSE_ONLY.fullmatch(words) and "，" not in words:
        return False
    return any_verb or bool(ACTION.search(words))


def without_note(text: str, sentence: Span, notes: list[tuple[int, int]]) -> Span:
    """A sentence without the number before it and the note on units in it."""
    last = min([sentence.end, *(a for a, _b in notes if sentence.start < a < sentence.end)])
    number = _ITEM_NUMBER.match(text, sentence.start, last)
    return trimmed(text, number.end() if number else sentence.start, last)


def closing_list(text: str, start: int, end: int) -> list[Span]:
    """The works named one after the other in 此外，继续做好甲、乙、丙等工作。"""
    sentences = sentences_of(text, start, end)
    if not sentences:
        return []
    first = sentences[0]
    verb = _CLOSING_VERB.match(first.text)
    if not verb or "、" not in first.text[verb.end() :]:
        return []
    body = re.sub(
        r"(?:等(?:各项|其他|方面)*的?(?:重点)?(?:工作|任务)?|工作)?[。；！]?$", "", first.text
    )
    found, at = [], verb.end()
    for part in re.split(
        r"[、，]|(?<=[\u4e00-\u9fff]{2})(?:以及|和)(?=[\u4e00-\u9fff]{2})", body[verb.end() :]
    ):
        place = first.text.index(part, at) if part else at
        piece = trimmed(text, first.start + place, first.start + place + len(part))
        at = place + len(part)
        if piece.text:
            found.append(piece)
    return found
