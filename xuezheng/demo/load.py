"""Loading the demo district into an empty database: organisations, people, hazards, plan, figures.

`district` is of true size (about 40,000 children); `small` has some 1,500 children at a dozen sites,
for tests, and everything else in full.

The district does not exist.  Everything is made from data/*.yaml and one seed for chance, so that the
same day gives the same district; days are counted from today, so that it is always in mid-story.
"""

import datetime as dt
import json
import os
import random
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from xuezheng.demo.district import build_district
from xuezheng.demo.plan_desk import load_desk
from xuezheng.demo.plan_periods import load_periods
from xuezheng.demo.plan_rounds import load_rounds
from xuezheng.demo.plan_scores import load_scores
from xuezheng.demo.progress import Progress
from xuezheng.domains.admissions.demo import load_seasons
from xuezheng.domains.oversight.demo import load_hazards
from xuezheng.domains.workplan.demo import load_plan, tell_lights
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.indicators.compute import compute
from xuezheng.kernel.indicators.jobs import year_of
from xuezheng.registry.demo import Scale, load_people

DATA = Path(__file__).parent / "data"
SEED = 20_260
CODE = "XL"
#: Steps as the terminal names them, with about how long each takes.
ORGANISATIONS = "单位和账号 / organisations"
PEOPLE = "人员和住址 / people and places"
SEASONS = "招生入学 / admissions"
HAZARDS = "隐患 / hazards"
PLAN = "工作要点 / the plan"
FIGURES = "指标 / figures"
STEPS = {ORGANISATIONS: 2, PEOPLE: 50, HAZARDS: 8, PLAN: 12, SEASONS: 12, FIGURES: 30}


#: Families have no password: the next page shows the code.
BY_CODE = "短信验证码"


class DemoRefused(Exception):
    """The demo district goes into an empty database only."""


def read(name: str) -> dict[str, Any]:
    """One of the data files."""
    return yaml.safe_load((DATA / f"{name}.yaml").read_text(encoding="utf-8"))


def is_empty() -> bool:
    """Whether the database holds no organisation yet."""
    return not Organisation.objects.exists()


def is_demo() -> bool:
    """Whether the database holds the demo district."""
    return Organisation.objects.filter(code=CODE).exists()


def load_demo(
    today: dt.date | None = None, *, scale: Scale = Scale.DISTRICT, progress: bool = False
) -> None:
    """Load everything in one transaction.  Raises DemoRefused when there is data already."""
    if not is_empty():
        raise DemoRefused("数据库里已有数据，示例区只能装入空库 / the database is not empty")
    today = today or timezone.localdate()
    chance = random.Random(SEED)
    password = f"xilan-{secrets.token_hex(4)}"
    shown = Progress(STEPS, sys.stdout if progress else None)
    with transaction.atomic():
        shown.step(ORGANISATIONS)
        people = build_district(read("district"), read("towns"), chance, today, password)
        told = shown.step(PEOPLE)
        # Chance of its own: the hazards and the plan are the same at every scale.
        load_people(read("people"), scale, random.Random(SEED), today, told)
        shown.step(HAZARDS)
        load_hazards(read("hazards"), chance, today)
        shown.step(PLAN)
        plan = load_plan(read("plan"), people, today)
        told = shown.step(SEASONS)
        kept = load_seasons(
            read("seasons"), read("people"), people, scale, random.Random(SEED), today, told
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        compute_history(today, shown.step(FIGURES))
        tell_lights(plan, today)
        load_desk(plan, people, today)
        load_rounds(plan, people, today)
        load_scores(plan, people, today)
        load_periods(plan, people, read("periods"), today)
    if not connection.in_atomic_block:
        # As the database itself would within minutes: until then indexes alone answer nothing.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    shown.end()
    entries = read("district")["signins"]
    keep_registers(kept.files)
    rows = [[entry["username"], password, entry["zh"], entry["en"]] for entry in entries]
    keep_signins([*rows, *([phone, BY_CODE, zh, en] for phone, zh, en in kept.signins)])


def compute_history(today: dt.date, told: Callable[[float], None] = lambda share: None) -> None:
    """Readings at the end of each month of this year and the two before, and of today."""
    ends = [
        (dt.date(year, month, 28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
        for year in range(today.year - 2, today.year + 1)
        for month in range(1, 13)
    ]
    days = [*(day for day in ends if day < today), today]
    for number, day in enumerate(days, start=1):
        compute(period=year_of(day), as_of=day)
        told(number / len(days))


def keep_registers(files: dict[str, dict[str, Any]]) -> None:
    """What the registers of other departments say, for the connector that reads files."""
    for name, content in files.items():
        path = Path(settings.DATA_DIR) / "registers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _signins_file() -> Path:
    return Path(settings.DATA_DIR) / "demo-signins.json"


def keep_signins(rows: list[list[str]]) -> None:
    """Kept beside the database, readable by its owner only, to be printed at each start.

    A row: user name, password, what the person does in Chinese and in English.
    """
    path = _signins_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        json.dump(rows, handle, ensure_ascii=False)


def print_signins() -> None:
    """The table of sign-ins, one for each role."""
    path = _signins_file()
    if not path.exists() or not User.objects.exists():
        return
    print("登录账号 / sign-ins（示例数据，均为虚构 / demo data, all invented）")
    for username, password, zh, en in json.loads(path.read_text(encoding="utf-8")):
        print(f"  {username:<16} {password}   {zh} / {en}")
    print(flush=True)
