"""How a figure is bounded: at least, at most, about, more by, less by; strictly or not."""

import re

from xuezheng.domains.workplan.parsing.figures import Quantity

STRICT = r"(?:[>＞]|逾|超过|超出|超|突破|高于|大于|多于|优于)了?"
AT_LEAST = (
    r"(?:≥|不得?低于|不得?少于|不小于|不下于|至少|最低|达到?了?|(?:提[高升]|增[加长]?|扩大|上升|升)[到至]|"
    r"(?:稳定|保持|巩固|维持)在|满)"
)
AT_MOST = r"(?:≤|不得?超过|不得?高于|不大于|不得?多于|不突破|控制(?:在|到)|(?:下?降低?|压[减缩降]|缩[小短]|减少?)[到至]|压到|最多)"
UNDER = r"(?:[<＜]|低于|少于|小于)"
MORE = r"(?:净增|延长|增长|提[高升]|增加|上升|增幅|上浮|增速|递增)"
LESS = r"(?:缩短|减免|下降|降低|减少|压[减降]|压缩|缩小|缩减|递减|下调|减)"
BOUND = r"(?:约|超过|超|不低于|不少于|达到?|为|近|至少)?"
PERIOD = re.compile(r"每[两二三四]?(?:个)?(?:半年|学年|学期|年|季度|季|月|周|星期|日|天)|年均")
#: The last verb of change before a figure, other words between: 增加床位30张.
_LOOSE_CHANGE = re.compile(
    rf"(?:(?P<more>{MORE})|{LESS})(?![到至])(?:(?!{MORE}|{LESS})[^，；、到至达\d]){{0,12}}$"
)
#: A bound that names its base: 不低于应交流人数的10%.
_AT_LEAST_OF = re.compile(r"(?:不得?低于|不得?少于|不小于|至少)[^，；、\d]{1,14}$")
_AT_MOST_OF = re.compile(r"(?:不得?超过|不得?高于|不突破|控制在)[^，；、\d]{1,14}$")


def comparator_of(quantity: Quantity, before: str, after: str) -> tuple[str, bool, int]:
    """(comparator, strict, how many characters before the figure express it)."""

    def ends(pattern: str) -> int:
        found = re.search(rf"(?:{pattern})\s*$", before)
        return len(found.group()) if found else 0

    if isinstance(quantity.value, list):
        return "range", False, 0
    between = re.search(rf"(?<=[于过])(?:{PERIOD.pattern})$", before)
    if between:
        # 不少于每天1次: the bound stands before the period.
        comparator, strict, width = comparator_of(quantity, before[: between.start()], after)
        return comparator, strict, width + len(between.group())
    after = after.lstrip()
    if re.match(r"左右|上下", after):
        return "~", False, ends(AT_LEAST)
    share = quantity.unit in {"%", "百分点", "‰"}
    if quantity.unit == "番":
        return "+", False, 0
    for sign, verb in (("+", MORE), ("-", LESS)):
        width = ends(verb + "了?" + BOUND)
        if width and not ends(AT_LEAST if verb == MORE else AT_MOST):
            return sign, bool(ends("超过?")), width
    loose = _LOOSE_CHANGE.search(before)
    if (
        loose
        and not ends(f"{AT_LEAST}|{AT_MOST}|{STRICT}|{UNDER}")
        and (
            quantity.unit == "百分点"
            or (not share and re.search(r"(?<!新)增加|减少|压减|缩减", loose.group()))
        )
    ):
        return ("+" if loose["more"] else "-"), False, 0
    if width := ends(AT_MOST):
        return "<=", False, width
    if width := ends("不得?(?:超过?|高于|大于|多于)"):
        return "<=", False, width
    if width := ends(AT_LEAST):
        return ">=", False, width
    if width := ends(STRICT):
        return ">=", True, width
    if _AT_LEAST_OF.search(before):
        return ">=", False, 0
    if _AT_MOST_OF.search(before):
        return "<=", False, 0
    if width := ends(UNDER):
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
