"""Names: one way of writing them, and the initials by which people are searched.  Pure."""

import unicodedata

from pypinyin import Style, lazy_pinyin

#: Surnames read otherwise than the character usually is.
_SURNAMES = {
    "单": "shan", "解": "xie", "查": "zha", "仇": "qiu", "区": "ou", "朴": "piao", "曾": "zeng",
    "翟": "zhai", "尉迟": "yuchi", "万俟": "moqi", "长孙": "zhangsun", "盖": "ge", "缪": "miao",
    "任": "ren", "华": "hua", "冼": "xian", "乐": "yue", "召": "shao", "折": "she", "繁": "po",
}  # fmt: skip
_DOTS = str.maketrans(dict.fromkeys("•・‧∙⋅･．.", "·"))
#: Unicode categories of what nobody sees: controls, format marks, halves of characters, line ends.
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: Of what is no writing: punctuation, symbols, blanks, marks alone, figures.
_NO_WRITING = ("P", "S", "Z", "M", "Nd", "No")


def normal_name(name: str) -> str:
    """A name as it is stored: half-width, one kind of middle dot, no blanks inside Chinese names.

    Raises nothing; an empty name stays empty.  JY/T 1002: at most 36 characters on paper, longer ones
    of some minorities are kept whole.
    """
    text = unicodedata.normalize("NFKC", name or "").strip()
    if any("\u3400" <= char <= "\u9fff" for char in text):
        return "".join(text.split()).translate(_DOTS)
    return " ".join(text.split())


def name_problem(name: str) -> str:
    """What is wrong with a name: "marks", "writing", or "" when it may stand.

    "marks": `<`, `>`, the sign that a text was spoilt on its way, or a character that nobody sees;
    "writing": nothing but punctuation, figures and blanks.  Rare characters, also those that this
    program's Unicode does not know yet or that a font gave a private number, are writing.  An empty
    name is for the form to refuse.
    """
    text = normal_name(name)
    if text.isalpha():
        return ""
    if any(char in "<>\ufffd" or unicodedata.category(char) in _UNSEEN for char in text):
        return "marks"
    if text and all(unicodedata.category(char).startswith(_NO_WRITING) for char in text):
        return "writing"
    return ""


def pinyin(name: str) -> list[str]:
    """Syllables of a name, the surname in its reading as a surname; Latin names by their words."""
    name = normal_name(name)
    for length in (2, 1):
        reading = _SURNAMES.get(name[:length]) if len(name) > length else None
        if reading:
            rest = lazy_pinyin(name[length:], style=Style.NORMAL, errors="ignore")
            # A surname of two characters counts as two syllables for its initials.
            head = [reading] if length == 1 else [reading, lazy_pinyin(name[1])[0]]
            return [*head, *rest]
    if name.isascii():
        return name.lower().split()
    return lazy_pinyin(name, style=Style.NORMAL, errors="ignore")


def initials(name: str) -> str:
    """Lower-case initials of the syllables: 单思远 -> ssy."""
    return "".join(syllable[0] for syllable in pinyin(name) if syllable)[:20]
