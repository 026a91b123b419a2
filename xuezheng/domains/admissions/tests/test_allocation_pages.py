"""Who may open which page of the allocation desk, the stage and the public proof; what they do."""

import errno
import io
import json
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from docx import Document

from tests import access_admissions
from tests.season import SeasonRoom
from xuezheng.domains.admissions.models import Allocation, Draw, DrawStep, Freeze, Offer, Season
from xuezheng.domains.admissions.services import proving
from xuezheng.domains.admissions.services.freezing import freeze_of
from xuezheng.domains.admissions.tests.test_publishing import (
    allocate,
    draw,
    fill,
    freeze,
    publish,
)
from xuezheng.kernel.access.models import User
from xuezheng.kernel.audit.models import Entry
from xuezheng.kernel.files import store

pytestmark = pytest.mark.usefixtures("files_dir")
READERS = ("admit", "deputy", "director")
OTHERS = ("plan", "head1", "sec1", "town1", "base", "auditor", "teacher1", "registrar")


def as_(room: SeasonRoom, who: str) -> Client:
    client = Client()
    client.force_login(room.district.users.get(who) or User.objects.get(username=who))
    return client


@pytest.fixture
def ready(room: SeasonRoom) -> SeasonRoom:
    """Allocated, not published; six children, one with a private school on its list."""
    fill(room, 6, private=1)
    freeze(room)
    draw(room)
    allocate(room)
    return room


def addresses(room: SeasonRoom) -> dict[str, tuple[str, set[str]]]:
    """Name -> (address, who may)."""
    season, frozen = room.season.pk, freeze_of(room.season).pk
    run, drawn = Allocation.objects.get(), Draw.objects.get().pk
    code = next(iter(run.result["assignments"]))
    officer, readers = {"admit"}, set(READERS)
    given = {
        "allocation_home": ((season,), readers),
        "roll_freeze": ((season,), officer),
        "freeze_detail": ((frozen,), readers),
        "freeze_void": ((frozen,), officer),
        "draw_commit": ((frozen,), officer),
        "draw_stage": ((drawn,), officer),
        "draw_minutes": ((drawn,), officer),
        "allocation_detail": ((run.pk,), readers),
        "allocation_child": ((run.pk, code), readers),
        "what_if_add": ((season,), officer),
        "what_if_compare": ((season,), readers),
        "allocation_publish": ((run.pk,), {"deputy", "director"}),
    }
    return {name: (reverse(name, args=args), may) for name, (args, may) in given.items()}


def test_pages_open_for_those_who_may_and_no_others(ready: SeasonRoom) -> None:
    ready.family("stranger")
    wrong = []
    for name, (url, may) in addresses(ready).items():
        for who in (*READERS, *OTHERS, "p-stranger"):
            status = as_(ready, who).get(url).status_code
            if status != (200 if who in may else 403):
                wrong.append((name, who, status))
        assert Client().get(url).status_code == 302
    assert not wrong
    tested = set(addresses(ready)) | {
        "allocation_check", "allocation_run", "draw_act", "proof", "proof_file", "my_leaf",
    }  # fmt: skip
    assert tested == access_admissions.ALLOCATION


def test_the_auditor_checks_what_is_published(ready: SeasonRoom) -> None:
    run = Allocation.objects.get()
    url = reverse("allocation_check", args=[run.pk])
    assert as_(ready, "auditor").get(url).status_code == 404
    assert as_(ready, "town1").get(url).status_code == 403
    publish(ready, run)
    assert "复核通过" in as_(ready, "auditor").get(url).content.decode()
    Allocation.objects.update(sha256="0" * 64)
    assert "复核不通过" in as_(ready, "auditor").get(url).content.decode()


def test_from_freezing_to_publishing_by_pages(room: SeasonRoom) -> None:
    fill(room, 4)
    officer, deputy = as_(room, "admit"), as_(room, "deputy")
    season = room.season.pk
    assert officer.post(reverse("roll_freeze", args=[season])).status_code == 302
    frozen = Freeze.objects.get()
    given = {"sources": "收盘指数\n", "rehearsal": ""}
    assert officer.post(reverse("draw_commit", args=[frozen.pk]), given).status_code == 302
    drawn = Draw.objects.get()

    def act(name: str, **data: object) -> int:
        return officer.post(reverse("draw_act", args=[drawn.pk, name]), data).status_code

    for place, digit in enumerate("314159"):
        assert act("digit", place=place, digit=digit, who="5号", witnesses="公证员") == 302
    assert act("digit", place=0, digit="3", who="5号", witnesses="") == 422, "sent twice"
    assert act("note", text="停电三分钟后恢复", witnesses="公证员") == 302
    assert act("strike", reason="看错", witnesses="公证员") == 302
    assert act("open", witnesses="公证员") == 422, "a digit and a value are missing"
    assert act("digit", place=5, digit="8", who="6号", witnesses="公证员") == 302
    assert act("value", index=0, value="3121.40") == 302
    assert act("open", witnesses="公证员") == 302
    assert act("nonsense") == 404
    page = officer.get(reverse("draw_stage", args=[drawn.pk])).content.decode()
    assert Draw.objects.get().seed in page
    minutes = officer.get(reverse("draw_minutes", args=[drawn.pk]))
    words = "\n".join(
        cell.text
        for row in Document(io.BytesIO(minutes.content)).tables[0].rows
        for cell in row.cells
    )
    assert "停电三分钟后恢复" in words
    assert DrawStep.objects.count() == 12
    assert officer.post(reverse("allocation_run", args=[season])).status_code == 302
    run = Allocation.objects.get()
    what_if = {"name": "多一个学位", f"places_{room.intakes['S1'].pk}": "3"}
    assert officer.post(reverse("what_if_add", args=[season]), what_if).status_code == 302
    assert "多一个学位" in officer.get(reverse("what_if_compare", args=[season])).content.decode()
    url = reverse("allocation_publish", args=[run.pk])
    assert officer.post(url).status_code == 403
    assert deputy.post(url).status_code == 302
    assert Offer.objects.count() == 4
    assert Season.objects.get(pk=season).state == "published"
    assert deputy.post(url).status_code == 302
    assert Offer.objects.count() == 4


def test_the_public_page_names_nobody(ready: SeasonRoom) -> None:
    visitor = Client()
    url = reverse("proof", args=[ready.season.pk])
    before = visitor.get(url).content.decode()
    assert Draw.objects.get().seed in before
    assert "最后录取到" not in before
    publish(ready, Allocation.objects.get())
    page = visitor.get(url).content.decode()
    assert "抽签号" in page
    for name in ("roll.txt", "draw.json", "allocation.json", "result.json", "replay.py"):
        response = visitor.get(reverse("proof_file", args=[ready.season.pk, 1, name]))
        assert response.status_code == 200
        text = (b"".join(response) if response.streaming else response.content).decode()
        assert "周" not in text
        assert "999900" not in text
    for number, name in ((2, "result.json"), (1, "secret.txt"), (1, "..")):
        assert visitor.get(f"/enrol/proof/{ready.season.pk}/{number}/{name}").status_code == 404
    Season.objects.update(state="preparing")
    assert visitor.get(url).status_code == 404


def test_a_file_is_made_once_and_kept_under_its_seal(ready: SeasonRoom, settings) -> None:
    run, visitor = Allocation.objects.get(), Client()
    publish(ready, run)
    names = ("roll.txt", "draw.json", "allocation.json", "result.json", "replay.py")

    def fetched(name: str) -> str:
        answer = visitor.get(reverse("proof_file", args=[ready.season.pk, 1, name]))
        return (b"".join(answer) if answer.streaming else answer.content).decode()

    expected = proving.files_of(ready.season)
    assert {name: fetched(name) for name in names} == expected
    kept = {path.name for path in (Path(settings.FILES_DIR) / "published").iterdir()}
    root = Draw.objects.get().freeze
    assert kept == {
        f"roll-{root.pk}-{root.root}",
        f"allocation.json-{run.pk}-{run.sha256}",
        f"result.json-{run.pk}-{run.sha256}",
    }
    with CaptureQueriesContext(connection) as queries:
        assert fetched("allocation.json") == expected["allocation.json"]
    assert not [q for q in queries if '"given"' in q["sql"]], "the rows are not read again"


def test_a_full_disk_does_not_keep_anybody_from_checking(
    ready: SeasonRoom, settings, tmp_path: Path
) -> None:
    publish(ready, Allocation.objects.get())
    url = reverse("proof_file", args=[ready.season.pk, 1, "roll.txt"])
    settings.FILES_DIR = tmp_path / "files"
    with patch.object(store.Path, "replace", side_effect=OSError(errno.ENOSPC, "full")):
        assert Client().get(url).content.decode() == proving.files_of(ready.season)["roll.txt"]
    assert not list((tmp_path / "files" / "published").iterdir())


def test_downloads_are_counted_by_address(ready: SeasonRoom) -> None:
    publish(ready, Allocation.objects.get())
    url = reverse("proof_file", args=[ready.season.pk, 1, "draw.json"])
    answers = Counter(Client(REMOTE_ADDR="10.1.1.1").get(url).status_code for _n in range(123))
    assert answers == {200: 120, 429: 3}, "admissions.proofs_per_hour"
    assert Client(REMOTE_ADDR="10.1.1.2").get(url).status_code == 200


def test_a_family_takes_its_own_line_and_nobody_elses(ready: SeasonRoom) -> None:
    own = ready.families["family0"].applications.get().case.number
    url = reverse("my_leaf", args=[own])
    family, other = Client(), Client()
    family.force_login(ready.families["family0"])
    other.force_login(ready.families["family1"])
    mine = json.loads(family.get(url).content)
    assert set(mine) == {"root", "line", "path"}
    assert other.get(url).status_code == 404
    assert Client().get(url).status_code == 302


def test_the_list_narrows_exports_and_counts_its_queries(ready: SeasonRoom) -> None:
    run = Allocation.objects.get()
    url = reverse("allocation_detail", args=[run.pk])
    officer = as_(ready, "admit")
    page = officer.get(url, {"school": "S1"})
    assert page.context["page"].paginator.count == 2
    code = next(iter(run.result["assignments"]))
    assert officer.get(url, {"code": code}).context["page"].paginator.count == 1
    assert officer.get(url, {"export": "xlsx"}).status_code == 200
    assert Entry.objects.filter(action="admissions.result_export").exists()
    assert "q" not in as_(ready, "deputy").get(url).context["filters"].fields
    why = officer.get(reverse("allocation_child", args=[run.pk, code])).content.decode()
    assert "周" not in why
    assert officer.get(reverse("allocation_child", args=[run.pk, "NOBODY"])).status_code == 404
