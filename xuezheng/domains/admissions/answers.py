"""What a family answers: the keys of a draft, and what a submission must hold.  Pure but for words.

The keys of `Answers` are those of the draft's JSON, of the counter's form and of the machine interface.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from django.utils.translation import gettext as _

from xuezheng.registry.codes import CITIZEN_ID, citizen_birth, citizen_id_problem, citizen_sex
from xuezheng.registry.names import normal_name


@dataclass(frozen=True)
class Address:
    """An address as a family gives it: a community of the district, then road, number, unit."""

    community: str = ""
    road: str = ""
    number: int | None = None
    suffix: str = ""
    building: str = ""
    room: str = ""

    def __bool__(self) -> bool:
        return bool(self.community)


class Faults(ValueError):
    """Answers that cannot be taken: {key: message in the user's language}."""

    def __init__(self, faults: Mapping[str, str]):
        super().__init__("; ".join(f"{key}: {text}" for key, text in faults.items()))
        self.faults = dict(faults)


@dataclass(frozen=True)
class Answers:
    """A whole registration.

    `intakes` are ids of intakes that the family puts on its list, best first (private schools,
    kindergartens); public schools of the service area follow by rule.  `twin_wish` is what
    the family of twins or triplets wants (Application.TwinWish), `together` the identity numbers of all
    the others, apart by space or comma; every child names all others.  `checks` are the registers' answers that the
    server fetched for the draft: {register: {"state", "facts", "asked_at", "answered_at"}}; they are
    never taken from a browser.
    """

    child_name: str = ""
    id_kind: str = CITIZEN_ID
    id_number: str = ""
    born_on: dt.date | None = None
    sex: str = "0"
    guardian_name: str = ""
    guardian_id: str = ""
    relation: str = ""
    phone: str = ""
    second_name: str = ""
    second_phone: str = ""
    second_relation: str = ""
    register: Address = Address()
    register_date: dt.date | None = None
    registered_since_birth: bool = False
    home: Address = Address()
    owner: str = "none"
    share: int = 0
    title: str = ""
    title_date: dt.date | None = None
    residential: bool = True
    parents_own_no_home: bool = False
    grandparents_agreed: bool = False
    grandparent_name: str = ""
    grandparent_id: str = ""
    residence_permit: bool = False
    permit_date: dt.date | None = None
    points: int | None = None
    sibling_id: str = ""
    together: str = ""
    twin_wish: str = ""
    intakes: tuple[int, ...] = ()
    checks: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Answers":
        """From JSON; keys that are not of a registration are left out.

        Raises Faults for a value that is no day, no whole number or of another shape.
        """
        given: dict[str, Any] = {}
        wrong: dict[str, str] = {}
        for item in fields(cls):
            if item.name in data:
                try:
                    given[item.name] = _value(item.name, data[item.name])
                except (TypeError, ValueError):
                    wrong[item.name] = _("填写的内容不正确，请重新填写。")
        if wrong:
            raise Faults(wrong)
        return cls(**given)

    def checked(self, *, phone_needed: bool = True) -> "Answers":
        """The answers in normal form, birth and sex taken from a citizen number.

        At the counter a family may have no telephone: then `phone_needed` is false.
        Raises Faults with every fault at once (一次性告知).
        """
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        given["child_name"] = normal_name(self.child_name)
        given["guardian_name"] = normal_name(self.guardian_name)
        given["id_number"] = self.id_number.strip().upper()
        given["guardian_id"] = self.guardian_id.strip().upper()
        given["together"] = "" if self.twin_wish == "apart" else " ".join(numbers(self.together))
        if self.id_kind == CITIZEN_ID and not citizen_id_problem(given["id_number"]):
            given["born_on"] = citizen_birth(given["id_number"])
            given["sex"] = citizen_sex(given["id_number"])
        answers = Answers(**given)
        wrong = answers._faults()
        if not phone_needed and not answers.phone:
            wrong.pop("phone", None)
        if wrong:
            raise Faults(wrong)
        return answers

    def _faults(self) -> dict[str, str]:
        wrong = {}
        for key in ("child_name", "guardian_name", "relation", "phone"):
            if not getattr(self, key):
                wrong[key] = _("请填写。")
        if self.id_kind == CITIZEN_ID and citizen_id_problem(self.id_number):
            wrong["id_number"] = _("证件号码不正确，请对照户口簿核对18位号码。")
        elif not self.id_number:
            wrong["id_number"] = _("请填写证件号码。")
        if self.born_on is None:
            wrong["born_on"] = _("请填写出生日期。")
        if not self.register and not self.home:
            wrong["home"] = _("请填写户籍地址或居住地址，用来找服务区学校。")
        if not 0 <= self.share <= 100:
            wrong["share"] = _("份额是0到100的百分数。")
        if self.owner == "grandparent" and not self.grandparents_agreed:
            wrong["grandparents_agreed"] = _("查询祖辈房产须祖辈本人同意。")
        if len(set(self.intakes)) < len(self.intakes):
            wrong["intakes"] = _("同一所学校只能填一次。")
        if self.id_number in numbers(self.together):
            wrong["together"] = _("请填写另一个孩子的证件号码。")
        return wrong


def numbers(text: str) -> list[str]:
    """Identity numbers in a text, in order, each once."""
    return list(dict.fromkeys(re.findall(r"[0-9A-Z]+", text.upper())))


def _value(name: str, raw: Any) -> Any:
    if name in {"register", "home"}:
        return raw if isinstance(raw, Address) else Address(**raw)
    if name in {"born_on", "register_date", "title_date", "permit_date"}:
        return dt.date.fromisoformat(raw) if isinstance(raw, str) and raw else raw or None
    if name in {"points", "share"}:
        number = None if raw in ("", None) else int(raw)
        return (number or 0) if name == "share" else number
    if name == "intakes":
        return tuple(int(key) for key in raw)
    if name == "checks":
        if not isinstance(raw, Mapping):
            raise TypeError(name)
        return dict(raw)
    if name in {
        "registered_since_birth", "residential", "parents_own_no_home",
        "grandparents_agreed", "residence_permit",
    }:  # fmt: skip
        return bool(raw)
    if not isinstance(raw, str):
        raise TypeError(name)
    return raw.strip()
