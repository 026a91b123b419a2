"""Every address with nonsense: an answer below 500, and nothing half written.

One seed, so that a failure is repeated by running the test again.  What is sent is what forms, links
and files can carry at all: any text, numbers out of range, dates that are none, wrong files.
"""

import io
import random
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.district import photo
from tests.test_access import Address, World, addresses, world_state

pytest_plugins = ["tests.test_access"]
pytestmark = pytest.mark.usefixtures("files_dir")

ROUNDS = 12
TEXTS = [
    "",
    " ",
    "x",
    "0",
    "-1",
    "1" * 30,
    "9" * 400,
    "2026-02-30",
    "2026-11-24",
    "0000-00-00",
    "99999-01-01",
    "NaN",
    "1e999",
    "true",
    "on",
    "yes",
    "xlsx",
    "\x00",
    "a\x00b",
    "\ud7ff\ufffe",
    "；drop table cases_case",
    "'\"<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "%s %(x)s {x} {{x}}",
    "..\\..\\etc",
    "00000000-0000-0000-0000-000000000000",
    "字" * 3000,
    "😀👨‍👩‍👧",
]
NAMES = [
    "q",
    "w",
    "who",
    "words-w",
    "page",
    "per_page",
    "export",
    "state",
    "kind",
    "due",
    "since",
    "until",
    "note",
    "reason",
    "version",
    "key",
    "name",
    "grade",
    "passed",
    "organisation",
    "category",
    "place",
    "description",
    "photos",
    "file",
    "text",
    "year",
    "action",
    "light",
    "value",
    "due_on",
    "title",
    "weight",
    "data",
    "resolution",
    "at",
    "tab",
    "counted",
    "as_of",
    "sort",
    "town",
    "stage",
    "next",
]


def _zip(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


FILES = [
    ("a.xlsx", b""),
    ("a.xlsx", b"PK\x03\x04 cut off"),
    ("a.xlsx", _zip("xl/workbook.xml", b"<workbook")),
    ("a.docx", _zip("word/document.xml", b"<w:document")),
    ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600),
    ("a.pdf", b"%PDF-1.7\n%%EOF"),
    ("a.jpg", b"\xff\xd8\xff\xe0" + b"\x00" * 200),
    ("a.txt", bytes(range(256)) * 30),
    ("../../a.txt", "一、目标\n1. 达到95%以上。".encode()),
]


class Nonsense:
    """A source of wrong input."""

    def __init__(self, seed: int):
        self.chance = random.Random(seed)

    def text(self) -> str:
        return self.chance.choice(TEXTS)

    def query(self) -> dict[str, str]:
        return {name: self.text() for name in self.chance.sample(NAMES, 6)}

    def form(self, known: dict) -> dict:
        data = {**known, **{name: self.text() for name in self.chance.sample(NAMES, 4)}}
        for name in list(data):
            roll = self.chance.random()
            if roll < 0.4:
                data[name] = self.text()
            elif roll < 0.5:
                del data[name]
            elif roll < 0.6:
                data[name] = [self.text(), self.text()]
            elif data[name] == "photo" or name in ("file", "photos"):
                data[name] = photo() if roll < 0.7 else self.file()
        return data

    def file(self) -> SimpleUploadedFile:
        name, content = self.chance.choice(FILES)
        return SimpleUploadedFile(name, content)


def ask(world: World, address: Address, data: dict) -> int:
    """The status; 500 also for an exception that reached the handler."""
    client = Client(raise_request_exception=False)
    client.force_login(world.district.users[min(address.may)])
    url = reverse(address.name, args=address.args)
    response = client.post(url, data) if address.post else client.get(url, data)
    if response.streaming:
        list(response.streaming_content)
    return response.status_code


def test_pages_with_any_query(world: World) -> None:
    nonsense, broken = Nonsense(1), []
    for address in addresses(world):
        if address.post:
            continue
        for _ in range(ROUNDS):
            # That a GET changes nothing is the fence's own test; an export leaves its audit entry.
            query = nonsense.query()
            status = ask(world, address, query)
            if status >= 500:
                broken.append((address.name, query, status))
    assert not broken


def test_forms_with_any_input_write_all_or_nothing(world: World) -> None:
    nonsense, broken = Nonsense(2), []
    for address in addresses(world):
        if not address.post:
            continue
        for _ in range(ROUNDS):
            data = nonsense.form(address.data or {})
            before = world_state()
            status = ask(world, address, data)
            if status >= 500 or (status >= 400 and world_state() != before):
                broken.append((address.name, data, status))
    assert not broken


@pytest.mark.parametrize("part", ["%00", "a%00b", "%F0%9F%98%80", "9" * 300, "..", "%", "-1"])
def test_any_path(world: World, part: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world.district.users["plan"])
    broken = []
    for address in addresses(world):
        for place in range(len(address.args)):
            args = [f"PART{i}" if i == place else arg for i, arg in enumerate(address.args)]
            try:
                url = reverse(address.name, args=args)
            except NoReverseMatch:
                # A number or key that takes no text: put in by hand.
                url = reverse(address.name, args=address.args)
                piece = f"/{address.args[place]}/"
                url = url.replace(piece, f"/{part}/", 1)
            url = url.replace(f"PART{place}", part)
            status = client.get(url).status_code
            if status >= 500:
                broken.append((url, status))
    assert not broken
