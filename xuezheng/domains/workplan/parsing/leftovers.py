"""Numbers that no measure word explains: none of them may be lost without a word.

A number with a bound before it (不低于18℃) is a quantity in whatever unit follows; ratios (15:1) and
all other numbers that are no date, name or ordinal become doubts of the officer.
"""

import re
from collections.abc import Iterator, Sequence

from xuezheng.domains.workplan.parsing.figures import Quantity
from xuezheng.domains.workplan.parsing.numerals import plain_number, times

#: 20±2, 15:1, or 15:1-17:1; a time of day has two digits after the colon.
RATIO = re.compile(
    r"(?<![\d：.])\d{1,3}(?:\.\d{1,2})?±\d{1,3}(?:\.\d{1,2})?|(?<![\d：.])\d{1,3}(?:\.\d{1,2})?：(?!\d\d(?![\d.]))\d{1,3}(?:\.\d{1,2})?(?![\d：])"
    r"(?:\s?[-~—至]{1,2}\s?\d{1,3}(?:\.\d{1,2})?：\d{1,3}(?:\.\d{1,2})?(?![\d：]))?"
)
#: Amounts without a figure: 突破亿元, 上百场, 数十家.
ROUND = re.compile(
    r"(?:(?<=[破超过达逾])|[上数近])[十百千]?[十百千万亿]余?(?:元|人次|人|名|场|家|户|亩|吨|册|个|项|次)(?![\u4e00-\u9fff]{0,2}(?:一|合一))"
)
#: What makes a number a date, an age, an ordinal, a grade or a name.
_NAMES = (
    r"年|月|日(?!均)|号|岁|周|届|级|时(?!长)|点|版|路(?![，。；])|班|楼|期|类|线|款|章|节|条|室|幢|栋|组|队|中|小|学年|世纪|维|旬|热线|平台|"
    r"[A-Z](?![A-Za-z])|[a-z]|[公千][里米]/小?时|\s?[-~—至到]{1,2}\d"
)
_NUMBER = re.compile(
    rf"(?<![A-Za-z\d.,+第/〔±—\-~：·])(?P<number>\d{{1,9}}(?:,\d{{3}})*(?:\.\d{{1,4}})?)(?P<power>[万亿]?)(?!{_NAMES})"
    r"(?P<unit>[A-Za-z℃°]{1,6}|[\u4e00-\u9fff]{1,2}(?=以[上下内]|之内|左右|[，。；、（）]|$)|(?=[\u4e00-\u9fff]))"
)


def loose_figures(
    text: str, start: int, end: int, taken: Sequence[tuple[int, int]]
) -> Iterator[Quantity]:
    """Every number outside the places taken, with the word after it for its unit."""
    for found in _NUMBER.finditer(text, start, end):
        if any(a <= found.start() < b for a, b in taken):
            continue
        value = times(plain_number(found["number"]), found["power"])
        yield Quantity(value, found["unit"], found.start(), found.end(), loose=True)
