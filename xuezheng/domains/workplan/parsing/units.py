"""Who answers: （牵头单位：…；配合单位：…） in any kind of bracket, or on a line of its own."""

import re

from xuezheng.domains.workplan.parsing.model import Heading, Units

LEAD = r"牵头(?:责任)?(?:单位|科室|部门|处室|股室)?|责任(?:单位|科室|部门|处室|股室|领导单位)|主办(?:单位|科室)?|承办(?:单位|科室)|负责(?:单位|科室|部门)|主责(?:单位|科室)|完成单位"
SUPPORT = r"配合(?:单位|科室|部门|处室|股室)?|协办(?:单位|科室)?|协同(?:单位|科室|部门)?|参与(?:单位|科室|部门)?|协助(?:单位|科室)?"
LABEL = re.compile(rf"(?P<lead>{LEAD})|(?P<support>{SUPPORT})")
NOTE = re.compile(
    rf"[（(〔【\[](?:{LEAD}|{SUPPORT})\s*[：:][^）)〕】\]]*[）)〕】\]]"
    rf"|(?:^|(?<=\n))[ ]*(?:{LEAD}|{SUPPORT})\s*[：:][^\n]*",
)
ENDS = r"科室|科|室|局|办公室|办|中心|镇|街道|乡|学校|小学|中学|幼儿园|院|委员会|委|站|大队|队|处|股|馆|会|公司|所|部|政府|组|厅|机构|单位|教研室"
SPLIT = re.compile(r"[、，,；;/／\s]+|及|和(?=[\u4e00-\u9fff]{2,})")


def names(text: str) -> list[str]:
    """Names joined by 、，； or spaces, or by nothing: then cut after each ending such as 科 or 局."""
    found = []
    for piece in SPLIT.split(text.strip(" 。.：:")):
        piece = piece.strip("。 等（()）")
        if not piece:
            continue
        parts = re.findall(
            rf"[\u4e00-\u9fffA-Za-z（）()“”]{{1,12}}?(?:{ENDS})(?=[\u4e00-\u9fff]{{2,}}(?:{ENDS})|$)",
            piece,
        )
        joined = "".join(parts)
        glued = len(parts) > 1 and joined == piece and all(len(part) >= 3 for part in parts)
        found += parts if glued else [piece]
    return list(dict.fromkeys(found))


def find_notes(text: str) -> list[tuple[int, int, list[str], list[str]]]:
    """(start, end, lead, support) of every note in the text."""
    notes = []
    for match in NOTE.finditer(text):
        lead: list[str] = []
        support: list[str] = []
        body = match.group().strip("（(〔【[）)〕】] \n")
        labels = [m for m in LABEL.finditer(body) if re.match(r"\s*[：:]", body[m.end() :])]
        for at, label in enumerate(labels):
            upto = labels[at + 1].start() if at + 1 < len(labels) else len(body)
            values = names(re.sub(r"^\s*[：:]", "", body[label.end() : upto]))
            (lead if label["lead"] else support).extend(values)
        if lead or support:
            notes.append((match.start(), match.end(), lead, support))
    return notes


def assign(notes: list[tuple[int, int, list[str], list[str]]], flat: list[Heading]) -> list[Units]:
    """Each note to the innermost section in which it stands; notes of one section are joined."""
    by_section: dict[str, Units] = {}
    for start, _end, lead, support in notes:
        inside = [h for h in flat if h.start <= start < h.end]
        path = max(inside, key=lambda h: h.level).path if inside else ""
        units = by_section.setdefault(path, Units(path, [], []))
        units.lead += [name for name in lead if name not in units.lead]
        units.support += [name for name in support if name not in units.support]
    return list(by_section.values())
