"""Organisations, people and posts of the demo district."""

import datetime as dt
import random
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.hashers import make_password

from xuezheng.kernel.access.models import (
    EdgeKind,
    Organisation,
    OrganisationEdge,
    Post,
    SecondFactor,
    User,
)
from xuezheng.kernel.access.signin.factor import new_secret
from xuezheng.registry import roles
from xuezheng.registry.organisations import OrganisationKind

#: kind -> (how many, suffix, English suffix, code digit)
SITES = [
    (OrganisationKind.PRIMARY, 32, "小学", "Primary School", 1),
    (OrganisationKind.JUNIOR, 13, "初级中学", "Junior High School", 2),
    (OrganisationKind.NINE_YEAR, 7, "学校", "School", 3),
    (OrganisationKind.SENIOR, 5, "高级中学", "Senior High School", 4),
    (OrganisationKind.VOCATIONAL, 2, "职业技术学校", "Vocational School", 5),
    (OrganisationKind.SPECIAL, 1, "特殊教育学校", "Special School", 6),
    (OrganisationKind.KINDERGARTEN, 60, "幼儿园", "Kindergarten", 7),
    (OrganisationKind.ADULT, 8, "成人文化技术学校", "Adult School", 8),
    (OrganisationKind.TRAINING, 12, "培训中心", "Training Centre", 9),
]
#: How the sites are spread over the towns, in the order of towns.yaml.
SPREAD = [9, 9, 8, 6, 6, 5, 5, 4, 3, 2, 1, 1]
SINCE_YEARS = 4
ISLAND_ROLES = (
    (roles.SITE_HEAD, "校长", "Head"),
    (roles.SITE_SECRETARY, "安全员", "Safety keeper"),
    (roles.SITE_SECRETARY, "学籍管理员", "Records keeper"),
    (roles.TEACHER, "班主任", "Class teacher"),
    (roles.TEACHER, "语数教师", "Teacher"),
    (roles.TEACHER, "总务", "Bursar"),
)


class Builder:
    """Collects rows, then writes each table once."""

    def __init__(self, chance: random.Random, since: dt.date, password: str):
        self.chance, self.since = chance, since
        # One hash for all: making three hundred would take a minute.
        self.password = make_password(password)
        self.organisations: list[Organisation] = []
        self.edges: list[tuple[str, str, str]] = []
        self.users: dict[str, User] = {}
        self.posts: list[tuple[str, str, str, str, str]] = []

    def organisation(self, code: str, kind: str, parent: str | None, **fields: Any) -> None:
        self.organisations.append(
            Organisation(
                code=code,
                kind=kind,
                order=len(self.organisations),
                opened=self.since,
                **fields,
            )
        )
        if parent:
            self.edges.append((parent, code, EdgeKind.AUTHORITY))

    def user(self, username: str, name: str, name_en: str = "") -> None:
        if username not in self.users:
            self.users[username] = User(
                username=username,
                name=name,
                name_en=name_en,
                password=self.password,
                is_sample=True,
            )

    def post(self, username: str, org: str, role: str, title: str, title_en: str) -> None:
        self.posts.append((username, org, role, title, title_en))

    def write(self) -> dict[str, User]:
        """Write everything; returns the users by name."""
        Organisation.objects.bulk_create(self.organisations)
        ids = dict(Organisation.objects.values_list("code", "id"))
        OrganisationEdge.objects.bulk_create(
            OrganisationEdge(
                parent_id=ids[parent], child_id=ids[child], kind=kind, valid_from=self.since
            )
            for parent, child, kind in self.edges
        )
        User.objects.bulk_create(self.users.values())
        users = {user.username: user for user in User.objects.all()}
        seen = set()
        rows = []
        for username, org, role, title, title_en in self.posts:
            # Two posts of one role in one place begin on different days.
            start = self.since
            while (username, org, role, start) in seen:
                start += dt.timedelta(days=1)
            seen.add((username, org, role, start))
            rows.append(
                Post(
                    user=users[username],
                    organisation_id=ids[org],
                    role=role,
                    title=title,
                    title_en=title_en,
                    valid_from=start,
                )
            )
        Post.objects.bulk_create(rows)
        # Bound beforehand: their sign-in page tells the code (settings.IS_DEMO).
        sensitive = {role.key for role in roles.ROLES if role.second_factor}
        bound = {username for username, _org, role, *_titles in self.posts if role in sensitive}
        SecondFactor.objects.bulk_create(
            SecondFactor(user=users[username], secret=new_secret()) for username in sorted(bound)
        )
        return users


def build_district(
    spec: dict[str, Any],
    towns: dict[str, Any],
    chance: random.Random,
    today: dt.date,
    password: str,
) -> dict[str, User]:
    """Write organisations, people and posts.  Returns the users by user name."""
    since = dt.date(today.year - SINCE_YEARS, 9, 1)
    b = Builder(chance, since, password)
    bureau = spec["bureau"]
    b.organisation(
        bureau["code"],
        OrganisationKind.BUREAU,
        None,
        name=bureau["name"],
        name_en=bureau["name_en"],
        short_name=bureau["short"],
    )
    for office in spec["offices"]:
        b.organisation(
            office["code"],
            OrganisationKind.OFFICE,
            bureau["code"],
            name=office["name"],
            name_en=office["name_en"],
        )
    for unit in spec["outside"]:
        b.organisation(
            unit["code"],
            OrganisationKind.OUTSIDE,
            bureau["code"],
            name=unit["name"],
            name_en=unit["name_en"],
        )
    for town in towns["towns"]:
        b.organisation(
            f"{bureau['code']}-{town['code']}",
            OrganisationKind.TOWN,
            bureau["code"],
            name=town["name"],
            name_en=town["name_en"],
            short_name=town["name"][:2],
            map_shape=town["shape"],
            map_x=town["label"][0],
            map_y=town["label"][1],
        )
    _people(b, spec, towns)
    _sites(b, spec, towns)
    return b.write()


def _people(b: Builder, spec: dict[str, Any], towns: dict[str, Any]) -> None:
    top = spec["bureau"]["code"]
    for leader in spec["leaders"]:
        b.user(leader["key"], leader["name"], leader["name_en"])
        b.post(leader["key"], top, leader["role"], leader["title"], leader["title_en"])
    for office in spec["offices"]:
        short = office["code"].rpartition("-")[2].lower()
        for suffix, key, role, title, title_en in (
            ("", "head", roles.OFFICE_HEAD, "科室负责人", "Head of office"),
            ("-2", "officer", roles.OFFICER, "科员", "Officer"),
        ):
            username = "office-basic" if short == "jj" and not suffix else f"office-{short}{suffix}"
            b.user(username, office[key], office[f"{key}_en"])
            b.post(username, office["code"], role, title, title_en)
    for person in spec["others"]:
        b.user(person["key"], person["name"], person["name_en"])
        b.post(person["key"], person["org"], person["role"], person["title"], person["title_en"])
    for number, town in enumerate(towns["towns"]):
        username = "town" if number == 0 else f"town-{town['code'].lower()}"
        b.user(username, _name(b, spec), "")
        b.post(
            username,
            f"{top}-{town['code']}",
            roles.TOWN_OFFICER,
            "教育干事",
            "Town education officer",
        )


def _name(b: Builder, spec: dict[str, Any]) -> str:
    return b.chance.choice(spec["surnames"]) + b.chance.choice(spec["given"])


def _towns_for_sites(towns: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """The town of each of `count` sites, by the spread."""
    total = sum(SPREAD)
    for number in range(count):
        position, passed = number * total / count, 0
        for town, share in zip(towns, SPREAD, strict=True):
            passed += share
            if position < passed:
                yield town
                break


def _sites(b: Builder, spec: dict[str, Any], towns: dict[str, Any]) -> None:
    top = spec["bureau"]["code"]
    for kind, count, suffix, suffix_en, digit in SITES:
        for number, town in enumerate(_towns_for_sites(towns["towns"], count)):
            stem = number % len(spec["school_stems"])
            town_code = f"{top}-{town['code']}"
            place = town["name"].removesuffix("街道").removesuffix("镇").removesuffix("乡")
            code = f"99{digit}{number + 1:03d}"
            b.organisation(
                code,
                kind,
                top,
                name=f"{place}{spec['school_stems'][stem]}{suffix}",
                name_en=f"{spec['english_stems'][stem]} {suffix_en}, {town['name_en'].split()[0]}",
                map_x=town["label"][0] + b.chance.uniform(-30, 30),
                map_y=town["label"][1] + b.chance.uniform(-25, 25),
            )
            b.edges.append((town_code, code, EdgeKind.AREA))
            _staff(b, spec, kind, number, code, town)


def _staff(
    b: Builder, spec: dict[str, Any], kind: str, number: int, code: str, town: dict[str, Any]
) -> None:
    """Head, secretary and a teacher; on the last island one teacher holds all six posts."""
    if kind == OrganisationKind.PRIMARY and number == 31:
        b.user("island", "岑孤帆", "Cen Gufan")
        for role, title, title_en in ISLAND_ROLES:
            b.post("island", code, role, title, title_en)
        return
    first = number == 0
    head = "kindergarten" if kind == OrganisationKind.KINDERGARTEN and first else f"head-{code}"
    secretary = "school" if kind == OrganisationKind.PRIMARY and first else f"sec-{code}"
    teacher = "teacher" if kind == OrganisationKind.PRIMARY and first else f"teacher-{code}"
    is_kindergarten = kind == OrganisationKind.KINDERGARTEN
    b.user(head, _name(b, spec))
    b.post(
        head,
        code,
        roles.SITE_HEAD,
        "园长" if is_kindergarten else "校长",
        "Head",
    )
    b.user(secretary, _name(b, spec))
    b.post(secretary, code, roles.SITE_SECRETARY, "校办（安全）管理员", "Secretary, safety keeper")
    if kind not in (OrganisationKind.ADULT, OrganisationKind.TRAINING):
        b.user(teacher, _name(b, spec))
        b.post(teacher, code, roles.TEACHER, "教师", "Teacher")
