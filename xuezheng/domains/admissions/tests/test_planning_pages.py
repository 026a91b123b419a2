"""Pages of the season desk: who may, what they show, tables in and out, the public's look-ups."""

import io
import json
import uuid
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.access_admissions import PLANNING
from tests.season import SeasonRoom
from xuezheng.domains.admissions.exchange import INTAKES, RESERVED, ZONES
from xuezheng.domains.admissions.models import (
    Consultation,
    DwellingLock,
    ReservedEntry,
    RuleSet,
    Season,
    Zone,
    ZonePart,
)
from xuezheng.domains.admissions.services import consulting, rule_sets
from xuezheng.kernel.exchange import services as exchange
from xuezheng.registry.models import Dwelling, Pupil

pytest_plugins = ["tests.season"]
pytestmark = pytest.mark.usefixtures("files_dir")
#: Who plans; who allocates or publishes and reads; who replies to a consultation.
SETS, READS = {"admit"}, {"admit", "deputy", "director"}
OTHERS = {"head1", "sec3", "town1", "base", "auditor", "registrar", "teacher1"}


def client(room: SeasonRoom, username: str) -> Client:
    made = Client(raise_request_exception=False)
    made.force_login(room.district.users[username])
    return made


@pytest.fixture
def world(room: SeasonRoom) -> dict[str, Any]:
    """A draft rule set, a season that is being prepared, a consultation with the towns."""
    by = room.district.actor("admit")
    draft = rule_sets.create_rule_set(
        name="草稿", level="primary", data=room.season.rule_set.data, by=by
    )
    row = consulting.draft_consultation(
        room.season, explanation="新校建成", transition="不设过渡期", by=by
    )
    consulting.ask_offices(row, version=row.case.version, by=by)
    return {"draft": draft, "row": row}


def addresses(room: SeasonRoom, world: dict[str, Any]) -> list[tuple[str, tuple, set[str]]]:
    """(name, arguments, who may) of every page that is read."""
    season, number = room.season.pk, world["row"].case.number
    draft = world["draft"].pk
    sees = {"admit", "deputy", "director", "town1"}
    return [
        ("season_list", (), READS),
        ("season_add", (), SETS),
        ("season_detail", (season,), READS),
        ("season_edit", (season,), SETS),
        ("season_copy", (season,), SETS),
        ("season_difference", (season,), READS),
        ("season_intakes", (season,), READS),
        ("season_redirections", (season, room.intakes["S1"].pk), SETS),
        ("season_rules", (season,), SETS),
        ("season_open", (season,), SETS),
        ("season_forecast", (season,), READS),
        ("reserved_list", (season,), SETS),
        ("dwelling_lock_list", (), SETS),
        ("rule_set_list", (), SETS),
        ("rule_set_add", (), SETS),
        ("rule_set_detail", (draft,), SETS),
        ("rule_set_edit", (draft,), SETS),
        ("rule_set_adopt", (draft,), SETS),
        ("rule_set_try", (draft, season), SETS),
        ("zone_list", (season,), READS),
        ("zone_add", (season,), SETS),
        ("zone_edit", (season, room.zones["shore"].pk), SETS),
        ("zone_map", (season,), READS),
        ("zone_survey", (season,), SETS),
        ("consultation_list", (), sees),
        ("consultation_add", (), SETS),
        ("consultation_detail", (number,), sees),
        ("consultation_edit", (number,), SETS),
        ("consultation_print", (number,), sees),
        ("consultation_docx", (number,), sees),
    ]


def test_every_page_for_every_role(room: SeasonRoom, world: dict[str, Any]) -> None:
    wrong = []
    clients = {name: client(room, name) for name in sorted(READS | OTHERS)}
    for name, args, may in addresses(room, world):
        for username, browser in clients.items():
            status = browser.get(reverse(name, args=args)).status_code
            if status != (200 if username in may else 403):
                wrong.append((name, username, status))
    assert not wrong


def test_writing_is_refused_to_all_others(room: SeasonRoom, world: dict[str, Any]) -> None:
    season, number = room.season.pk, world["row"].case.number
    writes = [
        ("season_close", (season,)),
        ("rule_set_remove", (world["draft"].pk,)),
        ("zone_remove", (season, room.zones["shore"].pk)),
        ("season_intakes", (season,)),
        ("consultation_answer", (number, 1)),
        ("consultation_step", (number, "open")),
    ]
    for username in ("head1", "town1", "auditor", "base"):
        browser = client(room, username)
        for name, args in writes:
            status = browser.post(reverse(name, args=args)).status_code
            assert status == 403, (name, username)
    assert (
        client(room, "head1").post(reverse("consultation_reply", args=[number])).status_code == 403
    )
    missing = reverse("consultation_paper", args=[number, uuid.uuid4()])
    assert client(room, "admit").get(missing).status_code == 404
    assert client(room, "head1").get(missing).status_code == 403


def test_the_access_list_names_every_address_of_the_desk(
    room: SeasonRoom, world: dict[str, Any]
) -> None:
    read = {name for name, _args, _may in addresses(room, world)}
    written = {
        "season_close", "rule_set_remove", "zone_remove", "consultation_answer",
        "consultation_step", "consultation_reply", "consultation_paper",
    }  # fmt: skip
    public = {
        "zone_lookup", "lock_lookup", "enrol_forecast", "enrol_consultations",
        "enrol_consultation",
    }  # fmt: skip
    assert read | written | public == PLANNING


def test_lists_do_not_ask_more_for_more_rows(room: SeasonRoom, world: dict[str, Any]) -> None:
    browser = client(room, "admit")

    def queries() -> list[int]:
        counts = []
        for name, args in (
            ("season_list", ()), ("zone_list", (room.season.pk,)), ("rule_set_list", ()),
            ("zone_map", (room.season.pk,)), ("zone_survey", (room.season.pk,)),
            ("season_intakes", (room.season.pk,)), ("season_detail", (room.season.pk,)),
        ):  # fmt: skip
            with CaptureQueriesContext(
                connection,
            ) as seen:
                browser.get(reverse(name, args=args))
            counts.append(len(seen))
        return counts

    queries()
    few = queries()
    for n in range(9):
        zone = Zone.objects.create(season=room.season, code=f"N{n}", name=f"新{n}")
        zone.schools.add(room.district.orgs["S1"])
        for road in ("一路", "二路"):
            ZonePart.objects.create(zone=zone, community=room.communities["hill"], road=road)
            Dwelling.objects.create(community=room.communities["hill"], road=road, number=n)
        RuleSet.objects.create(
            organisation=room.season.organisation, name=f"规则{n}", level="primary", number=1,
            data=room.season.rule_set.data,
        )  # fmt: skip
        Season.objects.create(
            organisation=room.season.organisation, year=2010 + n, level="junior", title=f"旧{n}"
        )
    assert queries() == few


def test_the_table_of_places_is_edited_on_one_page(room: SeasonRoom) -> None:
    Season.objects.update(state="preparing")
    browser, url = client(room, "admit"), reverse("season_intakes", args=[room.season.pk])
    rows = list(room.season.intakes.order_by("school__order", "school_id"))
    data = {"plan-TOTAL_FORMS": "5", "plan-INITIAL_FORMS": "3", "version": room.season.version}
    for n, row in enumerate(rows):
        data |= {
            f"plan-{n}-school": row.school_id, f"plan-{n}-places": row.places + 5,
            f"plan-{n}-classes": 2, f"plan-{n}-mode": row.mode,
            **({f"plan-{n}-draw_when_over": "on"} if row.draw_when_over else {}),
        }  # fmt: skip
    assert browser.post(url, data).status_code == 302
    assert room.season.intakes.get(school__code="S1").places == 7
    # The same page again, from before: somebody has saved meanwhile.
    assert browser.post(url, data).status_code == 422


def sheet_of(response: Any) -> SimpleUploadedFile:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return SimpleUploadedFile("out.xlsx", content)


@pytest.mark.parametrize("table", [INTAKES, ZONES, RESERVED], ids=lambda t: t.key)
def test_what_goes_out_comes_in_unchanged(room: SeasonRoom, table: Any) -> None:
    Season.objects.update(state="preparing")
    ZonePart.objects.create(
        zone=room.zones["shore"], community=room.communities["shore"], road="望海路", side="odd",
        first=1, last=99, buildings=["3", "5"],
    )  # fmt: skip
    ReservedEntry.objects.create(
        season=room.season, list_code="military", department=room.district.orgs["B-OFF"],
        name="童一", id_number="999900202003010011", handed_in_on="2026-03-01",
    )  # fmt: skip
    browser = client(room, "admit")
    name = {
        INTAKES.key: "season_intakes", ZONES.key: "zone_list", RESERVED.key: "reserved_list",
    }[table.key]  # fmt: skip
    url = reverse(name, args=[room.season.pk])
    if table is RESERVED:
        sent = browser.post(url + "?export=reveal", {"reason": "核对报送名单"})
        masked_file = sheet_of(browser.get(url + "?export=xlsx"))
        cells = openpyxl.load_workbook(masked_file).active.iter_rows(values_only=True)
        assert "999900202003010011" not in str(list(cells))
    else:
        sent = browser.get(url + "?export=xlsx")
    assert sent.status_code == 200
    batch = exchange.receive(table=table, upload=sheet_of(sent), by=room.district.actor("admit"))
    assert (batch.new, batch.changed, batch.error) == (0, 0, 0), batch
    assert batch.unchanged > 0


def test_areas_come_from_a_file_and_go_back(room: SeasonRoom) -> None:
    Season.objects.update(state="preparing")
    book = openpyxl.Workbook()
    headings = [
        "服务区编号",
        "服务区",
        "学校",
        "社区（村）",
        "道路或自然村",
        "单双号",
        "起始号",
        "截止号",
    ]
    for row in (
        headings,
        ["N1", "新区", "东澳小学、南礁小学", "海沿社区", "望海路", "单号", 1, 99],
        ["N1", "新区", "东澳小学、南礁小学", "山前村", "山前路", "", "", ""],
        ["N2", "错区", "没有的学校", "海沿社区", "", "", "", ""],
        ["N3", "错号", "东澳小学", "海沿社区", "", "双号", "", ""],
    ):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    by = room.district.actor("admit")
    batch = exchange.receive(
        table=ZONES, upload=SimpleUploadedFile("z.xlsx", out.getvalue()), by=by
    )
    assert (batch.new, batch.error) == (2, 2)
    batch = exchange.confirm(batch, mode="valid", by=by)
    zone = Zone.objects.get(code="N1")
    assert zone.parts.count() == 2
    assert {s.code for s in zone.schools.all()} == {"S1", "S3"}
    exchange.undo(batch, by=by)
    assert not Zone.objects.filter(code="N1").exists()


def test_a_ladder_is_edited_without_a_script(room: SeasonRoom, world: dict[str, Any]) -> None:
    browser, draft = client(room, "admit"), world["draft"]
    url = reverse("rule_set_edit", args=[draft.pk])
    data = {
        "version": 1, "tiers": 2, "note": "试",
        "t0-code": "A", "t0-label": "有户", "t0-conditions": 1, "t0-c0-is": "register_in_zone",
        "t0-o0": "register_date", "t1-code": "B", "t1-label": "其他", "t1-conditions": 0,
    }  # fmt: skip
    page = browser.post(url, data | {"do": "more-1", "t1-new": "register_by"})
    assert page.status_code == 200
    assert "户籍迁入不晚于" in page.content.decode()
    draft.refresh_from_db()
    assert draft.version == 1, "only saving writes"
    late = {"t1-conditions": 1, "t1-c0-is": "register_by", "t1-c0-value": "soon"}
    refused = browser.post(url, data | late | {"do": "save"})
    assert refused.status_code == 422
    assert "第 2 顺位“户籍迁入不晚于”" in refused.content.decode()
    assert browser.post(url, data | {"do": "save"}).status_code == 302
    draft.refresh_from_db()
    assert [tier["code"] for tier in draft.data["tiers"]] == ["A", "B"]
    for raw in ("{", "[]", json.dumps({"tiers": [1]})):
        sent = data | {"do": "raw", "raw": raw, "version": 2}
        assert browser.post(url, sent).status_code == 422
    swapped = {"tiers": draft.data["tiers"][::-1]}
    sent = data | {"do": "raw", "raw": json.dumps(swapped), "version": 2}
    assert browser.post(url, sent).status_code == 302


def test_a_consultation_from_draft_to_publication(room: SeasonRoom, world: dict[str, Any]) -> None:
    number = world["row"].case.number
    admit, town, deputy = (client(room, name) for name in ("admit", "town1", "deputy"))
    detail = reverse("consultation_detail", args=[number])

    def step(browser: Client, name: str, **data: Any) -> int:
        row = Consultation.objects.select_related("case").get(case__number=number)
        url = reverse("consultation_step", args=[number, name])
        return browser.post(url, {"version": row.case.version, **data}).status_code

    reply = reverse("consultation_reply", args=[number])
    sent = {"organisation": room.district.orgs["T1"].pk, "text": "请考虑校车"}
    assert town.post(reply, sent).status_code == 302
    assert "请考虑校车" in admit.get(detail).content.decode()
    public = reverse("enrol_consultation", args=[number])
    assert Client().get(public).status_code == 404
    assert step(admit, "open", until="2020-01-01") == 422
    assert step(admit, "open", until="2099-01-01") == 302
    assert Client().post(public, {"text": "希望按路分"}).status_code == 302
    assert "希望按路分" not in Client().get(public).content.decode(), "only with its answer"
    assert step(admit, "submit") == 422, "its days are not over"
    Consultation.objects.update(public_until="2020-02-01")
    assert step(admit, "submit") == 422, "two opinions have no answer"
    row = Consultation.objects.get(case__number=number)
    assert {each.user_id for each in row.replies.filter(organisation=None)} == {None}
    for each in row.replies.all():
        url = reverse("consultation_answer", args=[number, each.pk])
        assert admit.post(url, {"adopted": "yes", "answer": ""}).status_code == 422
        assert admit.post(url, {"adopted": "yes", "answer": "已采纳"}).status_code == 302
    assert "希望按路分" in Client().get(public).content.decode()
    assert step(admit, "submit") == 302
    assert step(admit, "pass", opinion="程序合法") == 302
    assert step(admit, "publish", meeting_number="1", document_number="2") == 403
    assert (
        step(deputy, "publish", meeting_number="局务会9号", document_number="教〔2026〕5号") == 302
    )
    row.refresh_from_db()
    assert (row.state, row.document_number) == ("published", "教〔2026〕5号")
    printed = admit.get(reverse("consultation_print", args=[number])).content.decode()
    for words in ("程序合法", "教〔2026〕5号", "希望按路分", "海沿社区全部"):
        assert words in printed
    docx = admit.get(reverse("consultation_docx", args=[number]))
    assert docx.content[:2] == b"PK"


def test_an_address_is_looked_up_step_by_step(room: SeasonRoom) -> None:
    Dwelling.objects.create(community=room.communities["shore"], road="望海路", number=7)
    url, browser = reverse("zone_lookup"), Client()
    assert "门牌号" not in browser.get(url).content.decode()
    code = room.communities["shore"].code
    second = browser.post(url, {"season": room.season.pk, "community": code}).content.decode()
    assert "望海路" in second
    whole = {
        "season": room.season.pk, "community": code, "was": code, "step": "address",
        "road": "望海路", "number": "7",
    }  # fmt: skip
    answer = browser.post(url, whole)
    assert "海沿社区全部 → 东澳小学" in answer.content.decode()
    assert "望海路" not in answer.request["QUERY_STRING"]
    Zone.objects.all().delete()
    missed = browser.post(url, whole).content.decode()
    assert "没有查到" in missed
    assert room.season.phone in missed


def test_look_ups_are_limited(room: SeasonRoom) -> None:
    url, code = reverse("zone_lookup"), room.communities["shore"].code
    statuses = [
        Client().post(url, {"season": room.season.pk, "community": code}).status_code
        for _n in range(61)
    ]
    assert statuses == [200] * 60 + [429]


def test_a_lock_shows_school_and_year_and_no_child(room: SeasonRoom) -> None:
    home = Dwelling.objects.create(
        community=room.communities["shore"], road="望海路", number=7, building="3", room="201"
    )
    pupil = Pupil.objects.create(name="童锁", born_on="2018-01-01", sex="1")
    DwellingLock.objects.create(
        dwelling=home, school=room.district.orgs["S1"], pupil=pupil,
        from_year=room.season.year - 1, until_year=room.season.year + 5,
    )  # fmt: skip
    code = room.communities["shore"].code
    sent = {
        "season": room.season.pk, "community": code, "was": code, "step": "address",
        "road": "望海路", "number": "7", "building": "3幢", "room": "201",
    }  # fmt: skip
    page = Client().post(reverse("lock_lookup"), sent).content.decode()
    assert str(room.season.year + 5) in page
    assert "东澳小学" in page
    assert "童锁" not in page
    free = Client().post(reverse("lock_lookup"), sent | {"room": "999"}).content.decode()
    assert "没有这个住址" in free


def test_public_pages_open_for_anybody(room: SeasonRoom) -> None:
    for name in ("zone_lookup", "lock_lookup", "enrol_forecast", "enrol_consultations"):
        assert Client().get(reverse(name)).status_code == 200, name
    Season.objects.update(state="preparing")
    page = Client().get(reverse("enrol_forecast")).content.decode()
    assert room.season.title not in page


def test_the_page_of_a_season_leads_to_every_desk(room: SeasonRoom, client) -> None:
    url = reverse("season_detail", args=[room.season.id])
    roll, checking = reverse("roll", args=[room.season.id]), reverse("application_list")
    client.force_login(room.district.users["admit"])
    text = client.get(url).content.decode()
    for link in (
        roll, f"{checking}?season={room.season.id}", reverse("follow_up_list"),
        reverse("path_list"), reverse("dwelling_lock_list"), reverse("allocation_home", args=[room.season.id]),
    ):  # fmt: skip
        assert f'href="{link}"' in text
        assert client.get(link).status_code == 200
    client.force_login(room.district.users["deputy"])
    text = client.get(url).content.decode()
    assert f'href="{roll}"' not in text, "nobody is led to a closed door"
