"""A proposal how a commitment is carried out, from its wording; a person confirms it."""

import re

OUTSIDE = re.compile(
    r"(?:迎接|接受|通过|争创|创成|创建|迎|申报|争取)[^，。；]{0,24}(?:评估|验收|考核|认定|评价|督导|督查|达标|创建|示范|"
    r"先进|文明城市|命名|复评|复查|审核|检查)|履行教育职责评价|国家级|省级[^，。；]{0,12}(?:创建|评估|验收)"
)
DOCUMENT = re.compile(
    r"(?:出台|制定|制订|印发|修订|编制|起草|下发|发布|研究制定|完善)[^，。；]{0,30}"
    r"(?:办法|方案|意见|规划|计划|细则|制度|规定|标准|指南|章程|通知|清单|》)"
)
PROJECT = re.compile(
    r"新建|改建|扩建|迁建|建成|建设|改造|创建|打造|完成|启动|开工|竣工|投用|招标|搭建|开发|升级|推进[^，。；]{0,12}项目|采集|试点|公布|采购|招聘|组建|成立"
)


def propose(wording: str, has_target: bool) -> tuple[str, str]:
    """(kind, why): quantity, document, outside, project or standing."""
    if has_target:
        return "quantity", "含有量化目标"
    if match := DOCUMENT.search(wording):
        return "document", f"“{match.group()[:12]}”是制发文件"
    if match := OUTSIDE.search(wording):
        return "outside", f"“{match.group()[:12]}”由上级或外部评定"
    if match := PROJECT.search(wording):
        return "project", f"“{match.group()[:12]}”有完成的时候"
    return "standing", "常年开展，没有终点"
