"""Numbers as plans write them: 95, 1,200, 1.2万, 三十, 百分之八十五, 八成."""

import re

DIGITS = dict(
    zip(
        "〇零一二三四五六七八九两壹贰叁肆伍陆柒捌玖", [0, *range(10), 2, *range(1, 10)], strict=True
    )
)
POWERS = {"十": 10, "拾": 10, "百": 100, "千": 1000}
#: A number in digits or in Chinese, perhaps with a power after it.
DIGIT_NUMBER = r"\d[\d,，]*(?:\.\d+)?"
CHINESE_NUMBER = r"[〇零一二两三四五六七八九十百千]+(?:点[〇零一二三四五六七八九]+)?"
NUMBER = rf"(?:{DIGIT_NUMBER}|{CHINESE_NUMBER})"


def chinese_number(text: str) -> float | int:
    """三十五 -> 35, 一百二十 -> 120, 二〇二六 -> 2026, 三点五 -> 3.5.  Raises ValueError otherwise."""
    whole, _, part = text.partition("点")
    value = _whole(whole)
    if part:
        return float(f"{value}.{''.join(str(DIGITS[c]) for c in part)}")
    return value


def _whole(text: str) -> int:
    if not text or any(c not in DIGITS and c not in POWERS for c in text):
        raise ValueError(text)
    if not any(c in POWERS for c in text):
        return int("".join(str(DIGITS[c]) for c in text))
    total, digit = 0, None
    for c in text:
        if c in POWERS:
            total += (1 if digit is None else digit) * POWERS[c]
            digit = None
        else:
            digit = DIGITS[c]
    return total + (digit or 0)


def plain_number(text: str) -> float | int:
    """A number in either writing, thousands separators removed.  Raises ValueError."""
    text = text.strip()
    if re.fullmatch(DIGIT_NUMBER, text):
        value = float(re.sub(r"[,，]", "", text))
        return int(value) if value.is_integer() else value
    return chinese_number(text)


def times(value: float | int, power: str) -> float | int:
    """Apply 万, 亿, 千, 百."""
    result = value * {"": 1, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}[power]
    result = round(result, 6)
    return int(result) if float(result).is_integer() else result


def percentage(text: str) -> float | int:
    """80%, 百分之八十, 八成, 八成五, 半数, 过半 as a number of percent.  Raises ValueError."""
    text = text.replace(" ", "")
    if text.endswith("%"):
        return plain_number(text[:-1])
    if text.startswith("百分之"):
        return 100 if text == "百分之百" else plain_number(text[3:])
    if "成" in text:
        tens, _, ones = text.partition("成")
        return plain_number(tens) * 10 + (plain_number(ones) if ones else 0)
    if text in {"半数", "过半", "一半"}:
        return 50
    raise ValueError(text)
