"""One cell: from what a spreadsheet holds to a value, or to why not and what to do."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from xuezheng.kernel.access.actors import Actor
from xuezheng.kernel.exchange.table import Field, Kind, words

#: Zero-width and other invisible characters that come along when people copy from other programs.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_BLANKS = re.compile(r"[\s\u3000\u00a0]+")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_DAY = re.compile(r"(\d{4})\s*[^\d\s]\s*(\d{1,2})\s*[^\d\s]\s*(\d{1,2})\s*\D?")
_MONTH = re.compile(r"(\d{4})\s*[^\d\s]?\s*(\d{1,2})\s*[^\d\s]?")
_TIME = re.compile(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$")
_EPOCH = dt.date(1899, 12, 30)
_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!"}
#: A number of more digits is not kept whole by a spreadsheet.
EXACT = 10**15
YES, NO = gettext_lazy("是"), gettext_lazy("否")
CLEAR = gettext_lazy("清空")
EARLIEST = dt.date(1900, 1, 1)


class Absent(Exception):
    """The cell says nothing: empty, or masked by an export."""


class Bad(ValueError):
    """Why a cell is not taken, and what to do."""

    def __init__(self, text: str, advice: str):
        super().__init__(text)
        self.advice = advice


def plain(text: str) -> str:
    """Text without invisible characters and outer blanks; inner blanks become one."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    return _BLANKS.sub(" ", text.translate(_INVISIBLE)).strip()


def compact(text: str) -> str:
    """Half-width, without any blanks: for codes, numbers, choices."""
    if text.isascii() and text.isalnum():
        return text
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text).translate(_INVISIBLE))


def _digits(raw: Any) -> str:
    """A text cell compact, a number cell as its digits.  Raises Bad where digits may be lost."""
    if isinstance(raw, str):
        text = compact(raw)
        if not _SCIENTIFIC.fullmatch(text):
            return text
    elif isinstance(raw, int | float) and not isinstance(raw, bool):
        if 0 <= raw < EXACT and raw == int(raw):
            return str(int(raw))
    else:
        raise Bad(_("单元格不是文字。"), _("把整列设为“文本”格式，再重新输入。"))
    raise Bad(
        _("单元格是数值，Excel 只保留 15 位有效数字，后面的数字已经丢失。"),
        _("把整列设为“文本”格式，再照原件重新输入；不能只改格式。"),
    )


def _text(raw: Any) -> str:
    if isinstance(raw, str):
        text = plain(raw)
        if text in _ERRORS:
            raise Bad(_("单元格里是公式错误。"), _("改成实际内容，或清空。"))
        return text
    if isinstance(raw, bool):
        return str(YES if raw else NO)
    if isinstance(raw, int | float):
        return str(int(raw)) if abs(raw) < EXACT and raw == int(raw) else str(raw)
    if isinstance(raw, dt.datetime):
        return raw.date().isoformat()
    return str(raw)


def _date(raw: Any, *, month: bool) -> dt.date:
    if isinstance(raw, dt.datetime):
        return raw.date()
    if isinstance(raw, dt.date):
        return raw
    advice = _("写成 2015-09-01 这样的日期。")
    try:
        if isinstance(raw, int | float) and not isinstance(raw, bool):
            if (raw == int(raw) and raw >= 19_000_000) or (
                month and raw == int(raw) and 190_001 <= raw <= 999_912
            ):
                raw = str(int(raw))
            elif 1 <= raw < 100_000:
                # A date that was formatted as a number: days since the end of 1899.
                return _EPOCH + dt.timedelta(days=int(raw))
        text = _TIME.sub("", unicodedata.normalize("NFKC", _text(raw)).strip())
        if len(text) == 8 and text.isdigit():
            return dt.date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if found := _DAY.fullmatch(text):
            return dt.date(*map(int, found.groups()))
        if month and (found := _MONTH.fullmatch(text)):
            return dt.date(*map(int, found.groups()), 1)
    except (ValueError, OverflowError) as error:
        raise Bad(_("没有这一天。"), advice) from error
    raise Bad(_("认不出日期。"), advice)


def _integer(raw: Any, field: Field) -> int:
    text = _digits(raw)
    if text.endswith(".0"):
        text = text[:-2]
    if not re.fullmatch(r"\d{1,12}", text):
        raise Bad(_("不是整数。"), _("只写数字，不带单位。"))
    number = int(text)
    if not field.minimum <= number <= field.maximum:
        raise Bad(
            _("不在 %(low)d 到 %(high)d 之间。") % {"low": field.minimum, "high": field.maximum},
            _("核对后重新填写。"),
        )
    return number


def _spellings(field: Field, by: Actor) -> dict[str, str]:
    """What a choice may be written as -> its code: code, label in any language, both joined."""
    found = {compact(word).upper(): code for word, code in field.spellings.items()}
    choices = field.choices(by) if callable(field.choices) else field.choices or {}
    for code, label in choices.items():
        for word in words(label):
            spelled = compact(word).upper()
            for text in (spelled, f"{code}-{spelled}", f"{code}{spelled}", f"{spelled}({code})"):
                found[text.upper()] = code
        found[code.upper()] = code
        if code.isdigit():
            found.setdefault(str(int(code)), code)
    return found


def _choice(field: Field, by: Actor) -> Callable[[Any], str]:
    spellings = _spellings(field, by)

    def read(raw: Any) -> str:
        code = spellings.get(compact(_text(raw)).upper())
        if code is None and field.open:
            return _checked(field, _text(raw))
        if code is None:
            raise Bad(_("不是可选的值。"), _("从下拉列表里选，或照“填表说明”填写。"))
        return code

    return read


def _bool() -> Callable[[Any], bool]:
    yes = {word.upper() for word in words(YES)} | {"1", "Y", "YES", "TRUE"}
    no = {word.upper() for word in words(NO)} | {"0", "N", "NO", "FALSE"}

    def read(raw: Any) -> bool:
        text = compact(_text(raw)).upper()
        if text in yes or text in no:
            return text in yes
        raise Bad(_("只能填“是”或“否”。"), _("改成“是”或“否”。"))

    return read


def _checked(field: Field, text: str) -> str:
    if field.max_length and len(text) > field.max_length:
        raise Bad(_("超过 %d 个字。") % field.max_length, _("写短一些；放不下的写进备注或附件。"))
    if "\x00" in text:
        raise Bad(_("有不可见的控制字符。"), _("删掉后重新输入。"))
    if field.check and (found := field.check(text)):
        raise Bad(*found)
    return text


def reader(field: Field, by: Actor) -> Callable[[Any], Any]:
    """A function from a raw cell to the field's value.  It raises Absent or Bad.

    Text, id, code, phone and choice give str, integer int, bool bool, date date; "" clears the field.
    """
    clear = {word.upper() for word in words(CLEAR)}
    read = _by_kind(field, by)
    masked = field.mask is not None
    cache: dict[Any, Any] = {}
    few = field.kind in {Kind.CHOICE, Kind.BOOL, Kind.DATE, Kind.INTEGER}

    def value(raw: Any) -> Any:
        if raw is None or raw == "":
            raise Absent
        if isinstance(raw, str):
            if not raw.strip():
                raise Absent
            if masked and "**" in raw:
                raise Absent
            if raw.strip().upper() in clear:
                if field.required:
                    raise Bad(_("必填项不能清空。"), _("写上新的内容，或留空不改。"))
                return ""
        if not few:
            return read(raw)
        known = (type(raw), raw)
        if known not in cache:
            if len(cache) > 20_000:
                cache.clear()
            cache[known] = read(raw)
        return cache[known]

    return value


def _by_kind(field: Field, by: Actor) -> Callable[[Any], Any]:
    if field.kind == Kind.DATE:

        def day(raw: Any) -> dt.date:
            found = _date(raw, month=field.month)
            if not EARLIEST <= found <= dt.date(2999, 12, 31):
                raise Bad(_("年份不合理。"), _("核对后重新填写。"))
            return found

        return day
    if field.kind == Kind.CHOICE:
        return _choice(field, by)
    if field.kind == Kind.BOOL:
        return _bool()
    if field.kind == Kind.INTEGER:
        return lambda raw: _integer(raw, field)
    if field.kind == Kind.TEXT:
        return lambda raw: _checked(field, _text(raw))
    if field.kind == Kind.PHONE:
        return lambda raw: _phone(_checked(field, _digits(raw)))
    return lambda raw: _checked(field, _digits(raw).upper())


def _phone(text: str) -> str:
    """A telephone number: digits, perhaps with area code, hyphen, extension."""
    number = text.removeprefix("+86")
    if not re.fullmatch(r"1\d{10}|\d{7,8}|0\d{2,3}-?\d{7,8}(-\d{1,6})?", number):
        raise Bad(_("不像电话号码。"), _("写 11 位手机号，或带区号的固定电话。"))
    return number
