"""The kind proposed for a commitment, with the reason shown to the officer who decides."""

import re

from xuezheng.domains.workplan.parsing.model import Figure

_DOCUMENT = re.compile(
    r"(?:出台|制定|制订|印发|起草|拟定|拟订|修订|编制|研究制定|谋划|发布)[^，。；]{0,30}?(?:方案|办法|意见|规划|制度|细则|规定|计划|标准|"
    r"指南|清单|预案|政策|通知|章程|条例|规范|机制)"
)
_OUTSIDE = re.compile(
    r"(?:创建|争创|创成|申报|迎接|迎评|通过|接受|参加)[^，。；]{0,24}(?:验收|评估|评定|认定|督导|达标|示范|先进|文明|现代化|"
    r"优质均衡|普及普惠|试点|品牌|称号|考核|评价|学校|单位|基地|城市|县|区)|(?:验收|考核评价|满意度测评|履行教育职责评价)"
)
_PROJECT = re.compile(
    r"(?:新建|改建|扩建|改扩建|迁建|重建|续建|建成|开工|竣工|动工|投入使用|投用|招标|启动|建设|改造|装修|搬迁|采购|安装|筹建|修缮)"
    r"[^，。；]{0,24}(?:项目|工程|校园|校舍|学校|幼儿园|小学|中学|操场|食堂|宿舍|平台|系统|基地|中心|场馆|道路|泵站|医院|管网|设施)"
    r"|(?:项目|工程|学校|幼儿园|小学|中学|泵站|医院|道路)[^，。；]{0,12}(?:建设|开工|竣工|投用|投入使用|招标|改造|落地)"
)


def propose_kind(text: str, targets: list[Figure]) -> tuple[str, str]:
    """(kind, reason): quantity, project, document, outside or standing."""
    if targets:
        words = "、".join(figure.text for figure in targets[:3])
        return "quantity", f"有数量目标：{words}"
    for kind, pattern, reason in (
        ("document", _DOCUMENT, "要出台文件"),
        ("outside", _OUTSIDE, "由外部评定"),
        ("project", _PROJECT, "有起止的建设项目"),
    ):
        found = pattern.search(text[:500])
        if found:
            return kind, f"{reason}：{found.group()[:30]}"
    return "standing", "没有数量、文件、项目或外部评定，按日常工作"
