"""Notes that a leader speaks: kept, played by permission, put into words by the plan office."""

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.district import District
from xuezheng.domains.workplan.models import Commitment, Plan, Source
from xuezheng.domains.workplan.services import recordings, sources
from xuezheng.domains.workplan.tests.test_services import adopted, plan
from xuezheng.kernel.cases.service import StepRefused

pytestmark = pytest.mark.usefixtures("files_dir")
__all__ = ["plan"]
SOUND = b"\x1a\x45\xdf\xa3" + bytes(range(200))


@pytest.fixture
def row(district: District, plan: Plan) -> Commitment:
    return adopted(district, plan).commitments.get(kind="document")


def voice(content: bytes = SOUND) -> SimpleUploadedFile:
    return SimpleUploadedFile("张三的录音.webm", content, content_type="video/x-anything")


def client(district: District, who: str) -> Client:
    made = Client()
    made.force_login(district.users[who])
    return made


def spoken(district: District, row: Commitment, **changed: object) -> Source:
    arguments = {"text": "", "commitments": [row], "voice": voice()} | changed
    return sources.write_note(
        organisation=row.plan.organisation, by=district.actor("director"), **arguments
    )


@pytest.mark.parametrize(
    ("start", "media_type"),
    [
        (b"\x1a\x45\xdf\xa3", "audio/webm"),
        (b"OggS", "audio/ogg"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00AVI ", None),
        (b"ID3\x03", "audio/mpeg"),
        (b"#!AMR\n", "audio/amr"),
        (b"<html>", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_the_first_bytes_say_what_it_is(start: bytes, media_type: str | None) -> None:
    found = recordings.kind_of(start)
    assert (found and found[0]) == media_type


def test_a_leader_speaks_and_the_plan_office_writes_it_down(
    district: District, row: Commitment
) -> None:
    director, office = client(district, "director"), client(district, "plan")
    address = reverse("commitment_note", args=[row.plan_id, row.code])
    director.post(address, {"text": "", "voice": voice(), "from": "leader"})
    note = Source.objects.get(kind="note")
    assert note.is_spoken and note.text == ""
    assert "张三" not in note.file.name, "no name of a person from the telephone"
    page = reverse("source_detail", args=[note.id])
    player = reverse("source_file", args=[note.id])
    assert f'src="{player}"' in director.get(reverse("leader")).text
    assert "待整理文字" in office.get(page).text
    down = reverse("source_write_down", args=[note.id])
    assert office.post(down, {"text": " "}).status_code == 422
    assert director.post(down, {"text": "x"}).status_code == 403
    assert office.post(down, {"text": "三天内报方案。"}).url == page
    note.refresh_from_db()
    assert note.text == "三天内报方案。"
    assert "待整理文字" not in office.get(page).text
    with pytest.raises(StepRefused, match="还没有文字"):
        sources.write_down(note, text="别的", by=district.actor("plan"))


def test_it_is_played_whole_and_in_parts(district: District, row: Commitment) -> None:
    note, office = spoken(district, row), client(district, "plan")
    address = reverse("source_file", args=[note.id])
    whole = office.get(address)
    assert whole.content == SOUND and whole.headers["Content-Type"] == "audio/webm"
    assert whole.headers["Cache-Control"] == "private, no-store"
    for asked, status, content in (
        ("bytes=0-1", 206, SOUND[:2]),
        ("bytes=200-", 206, SOUND[200:]),
        ("bytes=0-99999", 206, SOUND),
        ("bytes=204-", 416, b""),
        ("bytes=5-2", 416, b""),
        ("lines=1-2", 200, SOUND),
    ):
        answer = office.get(address, headers={"Range": asked})
        assert (answer.status_code, answer.content) == (status, content), asked
    assert office.get(address, headers={"Range": "bytes=2-3"}).headers["Content-Range"] == (
        "bytes 2-3/204"
    )


def test_what_is_refused(district: District, row: Commitment) -> None:
    with pytest.raises(StepRefused, match="录一段语音"):
        spoken(district, row, voice=None)
    with pytest.raises(StepRefused, match="不是录音"):
        spoken(district, row, voice=voice(b"<script>"))
    most = 4096 * 1024
    with pytest.raises(StepRefused, match="4096 KB"):
        spoken(district, row, voice=voice(SOUND[:4] + bytes(most)))
    assert spoken(district, row, voice=voice(SOUND[:4] + bytes(most - 4))).file.size == most
    with pytest.raises(PermissionDenied):
        sources.write_note(
            organisation=row.plan.organisation,
            text="",
            commitments=[row],
            voice=voice(),
            by=district.actor("plan"),
        )
    assert recordings.longest_seconds(row.plan.organisation) == 120
