"""Everything about admissions of the demo district, told and written."""

import datetime as dt
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from PIL import Image, ImageDraw

from xuezheng.domains.admissions.demo import families
from xuezheng.domains.admissions.demo.areas import (
    DAYS,
    Term,
    found_private_school,
    full_school,
    make_areas,
    make_season,
    moment,
    plan_places,
    rule_sets,
    sites_of,
)
from xuezheng.domains.admissions.demo.cases import Cases, Taken
from xuezheng.domains.admissions.demo.closing import close
from xuezheng.domains.admissions.demo.paths import lock_last_year, tell_paths
from xuezheng.domains.admissions.demo.rolls import Child, entered, homes, invented, leavers
from xuezheng.domains.admissions.demo.telling import Book, Office, Pace, Teller
from xuezheng.domains.admissions.flows import CONSULTATION
from xuezheng.domains.admissions.models import (
    Allocation,
    Consultation,
    ConsultationReply,
    Season,
)
from xuezheng.domains.admissions.rules.ages import Level
from xuezheng.domains.admissions.services.standing import stand
from xuezheng.kernel.access.actors import StaffActor
from xuezheng.kernel.access.models import Organisation, User
from xuezheng.kernel.files.store import keep_bytes
from xuezheng.kernel.reference.calendar import calendar_exceptions
from xuezheng.registry.demo.plan import Calendar, Scale
from xuezheng.registry.demo.rows import go_on_after, write

PACES = {
    Level.PRIMARY: Pace(0.968, 0.0, 0.95, 0.02, 0.38, (1, 1, 4, 38, 56)),
    Level.JUNIOR: Pace(0.972, 0.03, 0.95, 0.03, 0.12, (1, 1, 5, 40, 53)),
    Level.KINDERGARTEN: Pace(0.62, 0.42, 0.93, 0.02, 0.05, (1, 1, 6, 42, 50), follows=False),
}
LAST_YEAR = {
    Level.PRIMARY: Pace(0.951, 0.0, 0.84, 0.09, 0.3, (2, 4, 10, 46, 38)),
    Level.JUNIOR: Pace(0.957, 0.0, 0.84, 0.08, 0.24, (2, 4, 11, 46, 37)),
}
#: Children of kindergarten age that are invented, by scale.
YOUNG = {Scale.SMALL: 60, Scale.DISTRICT: 2600}


@dataclass
class Kept:
    """What the terminal tells of two families, and files of other departments' registers."""

    signins: list[tuple[str, str, str]] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)


def load_seasons(
    spec: dict[str, Any],
    people: dict[str, Any],
    users: dict[str, User],
    scale: Scale,
    chance: random.Random,
    today: dt.date,
    told: Callable[[float], None] = lambda share: None,
) -> Kept:
    """Write last year's seasons and this year's.  `told` hears the share that is done."""
    bureau = Organisation.objects.get(code="XL")
    year = Calendar(today).current + 1
    office = Office.read(users["admissions"], users["admissions2"], users["deputy-basic"])
    ladders = rule_sets(bureau, today)
    places = homes()
    days_off = calendar_exceptions(today - dt.timedelta(days=500), today + dt.timedelta(days=120))
    book = Book(Cases(), days_off)
    paper = keep_bytes(
        _paper(), "sample.png", "image/png", organisation_id=bureau.id,
        by=StaffActor(users["admissions"]),
    )  # fmt: skip
    earlier: dict[Level, Season] = {}
    private = found_private_school(sites_of(Level.PRIMARY)).id

    def teller(level: Level, children: list[Child], back: int = 0) -> Teller:
        sites = sites_of(level)
        season = make_season(
            spec, bureau, level, year - (1 if back else 0), ladders[level], today, back=back,
            copied_from=earlier.get(level),
        )  # fmt: skip
        wide = full_school(sites) if level == Level.PRIMARY else None
        term = make_areas(level, season, [s for s in sites if s.id != private], wide)
        if not back and level == Level.PRIMARY:
            term.private = private
        plan_places(term, sites, children)
        pace = (LAST_YEAR if back else PACES)[level]
        day = today - dt.timedelta(days=back)
        past = Teller(term, book, office, pace, chance, day, paper.id, past=bool(back))
        if back:
            past.today = season.arrival_on
        return past

    for level in (Level.PRIMARY, Level.JUNIOR):
        children = entered(level, year - 1, places)
        last = teller(level, children, back=365)
        earlier[level] = last.term.season
        for child in children:
            last.tell(child)
        told(0.2 if level == Level.PRIMARY else 0.35)
    children = leavers(Level.PRIMARY, year, places)
    primary = teller(Level.PRIMARY, children)
    for child in children:
        primary.tell(child)
    _flush(book)
    _arrive_last_year(list(earlier.values()))
    for season in earlier.values():
        lock_last_year(season, today)
    told(0.55)
    close(primary.term, office, today)
    told(0.7)

    children = leavers(Level.JUNIOR, year, places)
    junior = teller(Level.JUNIOR, children)
    small = invented(year, YOUNG[scale], people, chance, places)
    young = teller(Level.KINDERGARTEN, small)
    taken = {child.id_number for child in small}
    first = families.first_family(young, primary.term.season, places, taken)
    second = families.second_family(young, junior, children, taken)
    for child in children:
        junior.tell(child)
    for child in small:
        young.tell(child)
    if first and first.twin:
        young.follow(first.twin, "")
    _flush(book)
    stand(junior.term.season)
    stand(young.term.season)
    _consult(spec, young.term, primary.term, office, users, book, today)
    site = Organisation.objects.get(id=sites_of(Level.PRIMARY)[0].id)
    tell_paths(spec, junior.term.season, site, users, chance, today)
    told(1.0)
    return _kept(first, second)


def _flush(book: Book) -> None:
    """Write what was told so far."""
    streams = [*book.cases.streams, *book.streams.values()]
    if told := [stream for stream in streams if stream.lines]:
        write(told, lambda share: None)
    for stream in streams:
        stream.lines.clear()
    book.cases.go_on()
    if book.entries:
        go_on_after(["admissions_rollentry"])


def _paper() -> bytes:
    """A picture that stands for any paper that families photographed."""
    picture = Image.new("RGB", (900, 640), (244, 240, 230))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((30, 30, 870, 610), outline=(150, 60, 50), width=4)
    for line in range(9):
        draw.line((80, 130 + 50 * line, 820 - 60 * (line % 3), 130 + 50 * line), (120, 120, 120), 6)
    draw.text((80, 60), "SAMPLE - demo district, invented", fill=(150, 60, 50))
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


_ARRIVED = """
WITH done AS (
    UPDATE cases_case c SET state = 'arrived', phase = 'closed', awaits = '', due = NULL,
        closed_at = s.arrival_on + time '10:00', version = c.version + 2
    FROM admissions_application a JOIN admissions_season s ON s.id = a.season_id
    WHERE a.case_id = c.id AND c.state = 'verified' AND s.id = ANY(%(seasons)s)
    RETURNING c.id, a.season_id, a.entry_id, s.result_on, s.arrival_on
), moved AS (
    INSERT INTO cases_move (case_id, at, step, source, target, note, bars_next)
    SELECT id, result_on + time '09:00', 'place', 'verified', 'placed', '', false FROM done
    UNION ALL
    SELECT id, arrival_on + time '10:00', 'arrive', 'placed', 'arrived', '', false FROM done
), stopped AS (
    UPDATE cases_caseclock k SET stopped = done.result_on FROM done
    WHERE k.case_id = done.id AND k.stopped IS NULL
)
UPDATE admissions_application a SET state = 'arrived' FROM done WHERE a.case_id = done.id
"""
_OFFERED = """
INSERT INTO admissions_offer (allocation_id, application_id, intake_id, reason, answer)
SELECT %(allocation)s, a.case_id, h.intake_id, '{"rule": "ladder"}', ''
FROM admissions_application a JOIN admissions_choice h ON h.application_id = a.case_id
WHERE a.season_id = %(season)s AND a.state = 'arrived' AND h.rank = 1
"""
#: One in eleven was at another school than that of the area.
_STOOD = """
INSERT INTO admissions_standing (choice_id, tier, code, "order", missed)
SELECT h.id, 1, CASE WHEN h.id %% 11 = 0 THEN 'RA' ELSE 'A' END, '[]', '[]'
FROM admissions_choice h JOIN admissions_application a ON a.case_id = h.application_id
WHERE a.season_id = %(season)s AND a.state = 'arrived' AND h.rank = 1
"""


def _arrive_last_year(seasons: list[Season]) -> None:
    """Last year's children got their places and came."""
    with connection.cursor() as cursor:
        cursor.execute(_ARRIVED, {"seasons": [season.id for season in seasons]})
        for season in seasons:
            allocation = Allocation.objects.create(
                season=season, given={}, result={}, sha256="",
                published_at=moment(season.result_on),
            )  # fmt: skip
            values = {"allocation": allocation.id, "season": season.id}
            cursor.execute(_OFFERED, values)
            cursor.execute(_STOOD, values)


def _consult(
    spec: dict[str, Any], young: Term, primary: Term, office: Office, users: dict[str, User],
    book: Book, today: dt.date,
) -> None:  # fmt: skip
    """The areas of the primary schools went through; those of the kindergartens are open to comments."""

    def at(days: int, hour: int = 10) -> dt.datetime:
        return moment(today - dt.timedelta(days=days), hour)

    officer, publisher = office.officer, office.publisher
    first = DAYS[Level.PRIMARY][0]
    done = [
        Taken(at(-first + 70), "draft", officer),
        Taken(at(-first + 64), "ask", officer),
        Taken(at(-first + 48), "open", officer),
        Taken(at(-first + 25), "submit", officer),
        Taken(at(-first + 14), "pass", officer, note="合法性审查通过。"),
        Taken(at(-first + 6), "publish", publisher),
    ]
    rows = []
    for term, key, taken in (
        (primary, "primary", done),
        (young, "kindergarten", [
            Taken(at(30), "draft", officer), Taken(at(26), "ask", officer),
            Taken(at(9), "open", officer),
        ]),
    ):  # fmt: skip
        text = spec["consultations"][key]
        case_id, _number, state = book.cases.add(
            CONSULTATION,
            title=f"{term.season.title}服务区调整",
            organisation_id=term.season.organisation_id,
            taken=taken,
        )
        published = state == "published"
        rows.append(
            Consultation(
                case_id=case_id, season=term.season, state=state, explanation=text["explanation"],
                transition=text["transition"],
                public_from=taken[2].at.date(),
                public_until=taken[2].at.date() + dt.timedelta(days=22),
                legality_opinion="程序合法，内容与上位规定一致。" if published else "",
                meeting_number=f"局务会〔{today.year}〕7号" if published else "",
                document_number=f"汐教〔{today.year}〕21号" if published else "",
                published_on=taken[-1].at.date() if published else None,
            )
        )  # fmt: skip
    _flush(book)
    Consultation.objects.bulk_create(rows)
    town = users["town"]
    replies = []
    for row, key in zip(rows, ("primary", "kindergarten"), strict=True):
        for entry in spec["consultations"][key]["replies"]:
            from_town = entry.get("town", False)
            replies.append(
                ConsultationReply(
                    consultation=row, text=entry["text"], adopted=entry.get("adopted"),
                    answer=entry.get("answer", ""),
                    organisation=town.posts.first().organisation if from_town else None,
                    user=town if from_town else None,
                    answered_by=officer.user if entry.get("answer") else None,
                )
            )  # fmt: skip
    ConsultationReply.objects.bulk_create(replies)


def _kept(first: families.Family | None, second: families.Family | None) -> Kept:
    kept = Kept()
    for family, zh, en in (
        (first, "家长：看分流结果；再登记双胞胎{0}（{1}）、{2}（{3}），核验都能通过",
         "Parent: result of one child; register the twins {0} ({1}) and {2} ({3}), every check succeeds"),
        (second, "家长：补正一个孩子的登记；再登记{0}（{1}，房产查不到，要传材料）",
         "Parent: put faults right; register {0} ({1}), no home is found, a paper is needed"),
    ):  # fmt: skip
        if family is None:
            continue
        children = [family.child, *([family.twin] if family.twin else [])]
        words = [word for child in children for word in (child.name, child.id_number)]
        more = f"；监护人 {family.child.guardians[0][1]} {family.child.guardians[0][2]}"
        kept.signins.append((family.phone, zh.format(*words) + more, en.format(*words)))
        kept.files |= family.files
    return kept
