"""Uploads: what is taken, what is stripped, what is refused."""

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from tests.district import District, photo
from xuezheng.kernel.files.store import fixity_problems, keep, path_of, read_upload


def upload(name: str, data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def test_place_and_device_are_removed() -> None:
    original = photo()
    assert Image.open(io.BytesIO(original.read())).getexif()
    original.seek(0)
    data, media_type = read_upload(original)
    assert media_type == "image/jpeg"
    assert not Image.open(io.BytesIO(data)).getexif()


def test_a_large_picture_is_made_smaller() -> None:
    out = io.BytesIO()
    Image.new("RGB", (4000, 3000)).save(out, "PNG")
    data, _type = read_upload(upload("x.png", out.getvalue()))
    assert max(Image.open(io.BytesIO(data)).size) == 2048


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.exe", b"MZ\x90"),
        ("x.jpg", b"not a picture"),
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"),
        ("x.html", b"<html>"),
        ("x.pdf", b"<html>"),
        ("x.docx", b"%PDF-1.7"),
        ("x.html", b"%PDF-1.7"),
        ("x.jpg", b""),
    ],
)
def test_anything_else_is_refused_by_its_content(name: str, data: bytes) -> None:
    with pytest.raises(ValidationError):
        read_upload(upload(name, data))


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    with pytest.raises(ValidationError):
        read_upload(upload("x.png", out.getvalue()))


def test_too_many_bytes_are_refused_before_reading() -> None:
    with pytest.raises(ValidationError, match="20 MB"):
        read_upload(upload("x.pdf", b"%PDF-" + b"0" * (20 * 1024 * 1024)))


@pytest.mark.usefixtures("files_dir")
def test_kept_by_hash_and_checked(district: District) -> None:
    by = district.actor("sec1")
    org = district.orgs["S1"].id
    first = keep(photo("../../etc/passwd.jpg"), organisation_id=org, by=by)
    second = keep(photo(), organisation_id=org, by=by)
    assert first.name == "passwd.jpg"
    assert first.sha256 == second.sha256
    assert fixity_problems() == []
    path_of(first.sha256).write_bytes(b"altered")
    assert fixity_problems() == [f"{first.id} altered", f"{second.id} altered"]
    path_of(first.sha256).unlink()
    assert fixity_problems() == [f"{first.id} missing", f"{second.id} missing"]
