"""Who answers for a section: （牵头单位：…；配合单位：…）, 〔责任科室：…〕, 责任单位：… on a line."""

import re

from xuezheng.domains.workplan.parsing.model import UnitNote

_LEAD = "牵头|责任|主办|承办|主责|负责|落实|实施|完成"
_SUPPORT = "配合|协同|协办|参与|参加|支持|协助"
_WHAT = "单位|科室|部门|处室|股室|处|科|责任单位|责任科室|责任部门"
_PEOPLE = "责任领导|分管领导|牵头领导|责任人|联系人|责任校长|完成时限|完成时间|时限"
_LABEL = re.compile(
    rf"(?P<lead>(?:{_LEAD})(?:和责任)?(?:{_WHAT})|(?<=[（〔【\n\s；。])(?:牵头|主办|承办|主责|责任)(?=：))】?\s*[：]?"
    rf"|(?P<support>(?:{_SUPPORT})(?:{_WHAT})|(?<=[（〔【\n\s；，。])(?:配合|协办|协同|参与)(?=：))】?\s*[：]?"
    rf"|(?P<people>{_PEOPLE})(?:】|\s*：)"
)
#: A note in brackets, or one that fills the rest of its line.
NOTE = re.compile(
    rf"[（〔【\[](?:(?:{_LEAD}|{_SUPPORT})(?:和责任)?(?:{_WHAT})?|{_PEOPLE})\s*：(?:[^（）〕】\]\n]|（[^（）\n]{{0,60}}）){{1,300}}[）〕】\]]"
    rf"|(?:(?<=\n)|(?<=[。；\s）])|^)(?:(?:{_LEAD}|{_SUPPORT})(?:和责任)?(?:{_WHAT})|牵头|主办|承办|主责|协办|配合|协同|{_PEOPLE})\s*：[^\n]{{1,400}}"
    rf"|【(?:(?:{_LEAD}|{_SUPPORT})(?:{_WHAT})|{_PEOPLE})】[^\n]{{1,400}}"
)
_JOINS = re.compile("责任|落实|实施|完成")
_HEADS = re.compile("牵头|主办|主责")
_SUFFIX = "科|室|局|中心|镇|乡|街道办事处|街道|小学|中学|学校|医院|院|委员会|站|大队|支队|处|股|幼儿园|公司"
_SUFFIX_AT = re.compile(_SUFFIX)
_ENDS_AS_UNIT = re.compile(rf"(?:{_SUFFIX}|委|办|会|队|园|所|部)$")
LONGEST_JOINED = 60
#: （甲局牵头，乙局、丙局配合）, （甲科负责）.
_VERB_LAST = re.compile(
    r"[（〔【](?:由)?(?P<lead>[^（）〔〕：。\n]{2,60}?)(?:牵头|负责|主办)(?:落实|实施)?"
    r"(?:[，、；]\s?(?P<support>[^（）〔〕：。\n]{2,90}?)(?:分工负责|配合|参与|协同|协助|协办)(?:落实)?)?[）〕】]"
)

_POST_TITLE = re.compile(r"(?:副?局长|副?书记|副?科长|副?主任|总督学|同志)+$")


def find_units(
    text: str, start: int, end: int
) -> tuple[list[str], list[str], list[tuple[int, int]]]:
    """(lead, support, places of the notes) between start and end."""
    lead: list[str] = []
    support: list[str] = []
    places: list[tuple[int, int]] = []
    for note in NOTE.finditer(text, start, end):
        places.append(note.span())
        body = note.group().strip("（〔【[]】〕）。 ")
        labels = list(_LABEL.finditer("\n" + body))
        body = "\n" + body
        for at, label in enumerate(labels):
            until = labels[at + 1].start() if at + 1 < len(labels) else len(body)
            if label["people"]:
                continue
            names = split_names(body[label.end() : until].rstrip("【 "))
            # Beside a 牵头单位 the 责任单位 are those that join in.
            joins = label["support"] or (at and _JOINS.match(label["lead"]) and _HEADS.search(body))
            kept = support if joins else lead
            kept += [name for name in names if name not in kept]
    for note in _VERB_LAST.finditer(text, start, end):
        if any(a <= note.start() < b for a, b in places):
            continue
        places.append(note.span())
        lead += [name for name in split_names(note["lead"]) if name not in lead]
        support += [n for n in split_names(note["support"] or "") if n not in support]
    return lead, [name for name in support if name not in lead], sorted(places)


def person_name(text: str) -> str:
    """The bare name in a 责任领导 or 责任人 cell: 王 海 副局长 -> 王海."""
    return _POST_TITLE.sub("", re.sub(r"\s", "", text))


def split_names(text: str) -> list[str]:
    """Names of units joined by 、，；/ blanks or by nothing at all."""
    names: list[str] = []
    depth, piece = 0, ""
    for char in text.strip("：；，。、 \n（〔【"):
        depth += (char == "（") - (char == "）")
        if char in "、，；/;, \n\t。|" and depth <= 0:
            names.append(piece)
            piece = ""
        else:
            piece += char
    names.append(piece)
    return [
        part for name in names for part in _split_joined(name.strip("：（ ").rstrip("等")) if part
    ]


def _split_joined(name: str) -> list[str]:
    """人事科计财科 -> both; 区教育局人事科 is one office, and short names are whole."""
    if name.count("（") != name.count("）"):
        name = name.rstrip("（）")
    if len(name) < 6 or "（" in name:
        return [name] if name else []
    if len(name) > LONGEST_JOINED or not _ENDS_AS_UNIT.search(name):
        return [name]
    parts: list[str] = []
    begin = 0
    for suffix in _SUFFIX_AT.finditer(name):
        # A unit's name has at least a word before its 科 or 局.
        if suffix.end() - begin >= 3 and (
            len(name) - suffix.end() >= 3 or suffix.end() == len(name)
        ):
            parts.append(name[begin : suffix.end()])
            begin = suffix.end()
    if begin < len(name):
        parts.append(name[begin:])
    if len(parts) > 1 and any(re.search(r"[局委院]$|学校$|中心$", part) for part in parts[:-1]):
        outer = [p for p in parts[:-1] if re.search(r"[局委院]$|学校$|中心$", p)]
        inner = re.search(r"[科室股处]$", parts[-1])
        if inner and len(outer) == 1 and len(parts) == 2:
            return [name]
    if any(
        len(part) < 3 and not part.endswith(("办", "科", "镇", "乡", "局", "委")) for part in parts
    ):
        return [name]
    return parts


def merge_note(notes: list[UnitNote], section: str, lead: list[str], support: list[str]) -> None:
    """Add units to those of a section; sections stay in the order of the text."""
    if not lead and not support:
        return
    # Notes of one section, or of the list that it ends, stand near each other.
    note = next((note for note in notes[-50:] if note.section == section), None)
    if note is None:
        note = UnitNote(section, [], [])
        notes.append(note)
    note.lead += [name for name in lead if name not in note.lead]
    note.support += [n for n in support if n not in note.support and n not in note.lead]
