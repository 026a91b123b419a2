"""Pages of snapshots and of a province: who sees what, and what an old figure opens."""

import datetime as dt
import io
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from tests.district import SINCE, District
from tests.statistics.test_bundles import named, organisation, said
from xuezheng.domains.oversight.models import Hazard
from xuezheng.domains.oversight.tests.test_indicators import hazard
from xuezheng.kernel.access.actors import JobActor
from xuezheng.kernel.access.models import Organisation, OrganisationEdge, Post, User
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.cases.models import Case, Move
from xuezheng.kernel.indicators.bundles import key_text, pack
from xuezheng.kernel.indicators.definitions import INDICATORS
from xuezheng.kernel.indicators.library import folder_of, keep_snapshot
from xuezheng.kernel.indicators.models import Snapshot
from xuezheng.kernel.indicators.province import manifest_entry, take_bundle, trust_key
from xuezheng.registry import roles

BY = JobActor("tests")
KEY = "hazard_rectified_in_time"
LIST = "/indicators/snapshots/"


def client(district: District, username: str) -> Client:
    made = Client()
    made.force_login(district.users[username])
    return made


@pytest.fixture
def kept(district: District, settings, tmp_path: Path) -> Snapshot:
    """A snapshot of three hazards of this year, two of them in time."""
    settings.DATA_DIR = tmp_path
    year = timezone.localdate().year
    for org, done in (("S1", f"{year}-01-05"), ("K1", f"{year}-01-06"), ("S2", None)):
        hazard(district, org, f"{year}-01-06", done)
    return keep_snapshot(by=BY, scanner=False)


def test_ordering_queues_one_job_and_is_in_the_trail(
    district: District, django_capture_on_commit_callbacks
) -> None:
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            answer = client(district, "plan").post(f"{LIST}make/")
        assert answer.status_code == 302
    assert ProcrastinateJob.objects.filter(task_name="indicators.snapshot").count() == 1
    assert Entry.objects.filter(action="snapshot.order", user__username="plan").count() == 2
    assert client(district, "director").post(f"{LIST}make/").status_code == 403


def test_the_same_data_are_kept_once(kept: Snapshot) -> None:
    assert keep_snapshot(by=BY, scanner=False) == kept
    assert Entry.objects.filter(action="snapshot.made").count() == 1


def test_the_list_its_filter_its_export_and_its_empty_state(
    district: District, kept: Snapshot
) -> None:
    reader = client(district, "director")
    page = reader.get(LIST)
    assert kept.digest[:16] in page.content.decode()
    assert "现在生成一份" not in page.content.decode()
    assert kept.digest[:16] not in reader.get(f"{LIST}?year=1999").content.decode()
    book = openpyxl.load_workbook(io.BytesIO(reader.get(f"{LIST}?export=xlsx").content))
    assert [cell.value for cell in book.active[4]][4] == kept.digest
    kept.delete()
    assert "还没有数据快照" in reader.get(LIST).content.decode()


def test_a_figure_as_of_a_snapshot_stays_when_the_records_change(
    district: District, kept: Snapshot
) -> None:
    Hazard.objects.update(rectified_on=None)
    reader = client(district, "safety")
    page = reader.get(f"{LIST}{kept.id}/?indicator={KEY}").content.decode()
    assert "2 / 3" in page
    year = timezone.localdate().year
    early = reader.get(f"{LIST}{kept.id}/?indicator={KEY}&as_of={year}-01-05").content.decode()
    assert "2 / 3" not in early
    later = timezone.localdate() + dt.timedelta(days=1)
    refused = reader.get(f"{LIST}{kept.id}/?indicator={KEY}&as_of={later}")
    assert refused.status_code == 409
    assert "那天以后" in refused.content.decode()


def test_proof_links_what_still_exists(district: District, kept: Snapshot) -> None:
    gone, stays = Hazard.objects.order_by("case_id")[:2]
    number = gone.case.number
    Move.objects.filter(case=gone.case_id).delete()
    gone.delete()
    Case.objects.filter(number=number).delete()
    page = client(district, "safety").get(f"{LIST}{kept.id}/{KEY}/B/").content.decode()
    assert f"/hazards/{stays.case.number}/" in page
    assert number not in page
    assert "记录已不存在" in page
    assert Entry.objects.filter(action="indicator.proof", user__username="safety").exists()


def test_figures_and_rows_are_narrowed_to_the_reader(district: District, kept: Snapshot) -> None:
    """A town officer who also sits in an office: figures of the town only; a row that has since
    left the town is counted and not shown."""
    district.hold("both", roles.TOWN_OFFICER, "T1")
    district.hold("both", roles.OFFICER, "B-BASE")
    reader = client(district, "both")
    page = reader.get(f"{LIST}{kept.id}/?indicator={KEY}").content.decode()
    assert "东澳镇" in page
    assert "西澳镇" not in page
    assert reader.get(f"{LIST}{kept.id}/{KEY}/B/").status_code == 404
    assert reader.get(f"{LIST}{kept.id}/{KEY}/T2/").status_code == 404
    proof = reader.get(f"{LIST}{kept.id}/{KEY}/T1/").content.decode()
    assert "不在您的查看范围内" not in proof
    OrganisationEdge.objects.filter(parent__code="T1", child__code="S1").update(
        valid_to=timezone.localdate() - dt.timedelta(days=1)
    )
    moved = reader.get(f"{LIST}{kept.id}/{KEY}/T1/").content.decode()
    assert "2 / 2" in moved
    assert "另有 1 行" in moved
    assert Hazard.objects.get(case__organisation__code="S1").case.number not in moved


def test_an_altered_snapshot_is_refused_on_the_page(district: District, kept: Snapshot) -> None:
    (folder_of(kept) / "manifest.json").unlink()
    answer = client(district, "safety").get(f"{LIST}{kept.id}/")
    assert answer.status_code == 409
    assert "缺少清单" in answer.content.decode()


# -- the province


@pytest.fixture
def officer(db) -> Client:
    """A province with six districts; five have sent a bundle, one of them long ago."""
    top = organisation("P", "province")
    now = timezone.now()
    today = timezone.localdate()
    for number in range(1, 7):
        add_district(top, number, now, today)
    user = User.objects.create_user("officer", "secret-word-1", name="闻澜")
    Post.objects.create(user=user, organisation=top, role=roles.PROVINCE_OFFICER, valid_from=SINCE)
    made = Client()
    made.force_login(user)
    return made


def add_district(top: Organisation, number: int, now: dt.datetime, today: dt.date) -> None:
    code = f"9900{number:02d}"
    organisation(code, "district", top)
    if number == 6:
        return
    key = Ed25519PrivateKey.generate()
    trust_key(code=code, public_key=key_text(key.public_key()), by=BY)
    told = today - dt.timedelta(days=40) if number == 5 else today
    year = {"from": f"{today.year}-01-01", "to": f"{today.year}-12-31", "as_of": today.isoformat()}
    data = pack(
        manifest_entry(code, told, now),
        [named(code, "district"), named(f"{code}-A")],
        [
            said(code, (3, 9, 1, 7, 5)[(number - 1) % 5], 10, **year),
            said(f"{code}-A", 1, 4, **year),
        ],
        [{"view": "hazard", "org": code, "rows": 77, "sums": {}}],
        key=key,
    )
    take_bundle(data=data, by=BY)


def order(page: str) -> list[str]:
    """District codes in the order of the rows."""
    return re.findall(r'href="/province/(\d{6})/"', page)


def test_the_province_sees_sorts_filters_and_exports(officer: Client) -> None:
    assert officer.get("/").url == "/province/"
    page = officer.get("/province/").content.decode()
    assert order(page) == [f"9900{n:02d}" for n in range(1, 7)]
    assert "有 2 个区县超过" in page
    best = officer.get(f"/province/?sort=-{KEY}").content.decode()
    assert order(best) == ["990002", "990004", "990005", "990001", "990003", "990006"]
    assert order(officer.get("/province/?state=stale").content.decode()) == ["990005", "990006"]
    assert order(officer.get("/province/?q=990003").content.decode()) == ["990003"]
    assert "–" in officer.get("/province/?year=2023").content.decode()
    answer = officer.get(f"/province/?sort=-{KEY}&export=xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert [book.active.cell(4, n).value for n in (1, 4)] == ["990002", 90]
    assert Entry.objects.filter(action="province.export").exists()


def test_what_is_harmed_by_ranking_is_not_ranked(officer: Client, monkeypatch) -> None:
    monkeypatch.setitem(INDICATORS, KEY, replace(INDICATORS[KEY], ranked=False))
    page = officer.get(f"/province/?sort=-{KEY}").content.decode()
    assert order(page) == [f"9900{n:02d}" for n in range(1, 7)]
    assert f"sort=-{KEY}" not in page.split("<thead>")[1].split("</thead>")[0]
    assert "不排序" in page


def test_one_district(officer: Client) -> None:
    page = officer.get("/province/990001/").content.decode()
    assert "990001-A" in page
    assert "77 行" in page
    assert officer.get("/province/990006/").status_code == 200
    assert officer.get("/province/990001-A/").status_code == 404
    assert officer.get("/province/P/").status_code == 404


def test_a_province_officer_sees_nothing_of_other_pages(officer: Client) -> None:
    for path in ("/hazards/", "/plans/", "/indicators/", LIST, "/board/"):
        assert officer.get(path).status_code == 403, path


def test_more_districts_cost_no_more_queries(
    officer: Client, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(100) as few:
        officer.get("/province/")
    top = Organisation.objects.get(code="P")
    for number in range(10, 40):
        add_district(top, number, timezone.now(), timezone.localdate())
    with django_assert_max_num_queries(100) as many:
        officer.get("/province/")
    assert len(many) == len(few)
    assert len(few) < 20
