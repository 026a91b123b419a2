"""Sealed values: equal ones are found, altered or moved ones are refused, keys can be changed."""

import base64
import secrets

import pytest
from django.core.exceptions import FieldError
from django.db import models
from hypothesis import given
from hypothesis import strategies as st

from xuezheng.kernel.access import ciphers
from xuezheng.kernel.access.resealing import reseal, usage
from xuezheng.registry.models import Pupil

COLUMN = "registry_pupil.id_number"


@given(st.text(min_size=1, max_size=60))
def test_sealed_and_back(value: str) -> None:
    sealed = ciphers.seal(value, COLUMN)
    assert ciphers.unseal(sealed, COLUMN) == value
    assert value not in sealed or len(value) < 4
    assert ciphers.seal(value, COLUMN) == sealed, "equality search needs the same text"
    assert ciphers.seal(value, "other.column") != sealed


def test_a_value_moved_to_another_column_or_altered_is_refused() -> None:
    sealed = ciphers.seal("330902201501150015", COLUMN)
    with pytest.raises(ciphers.CannotUnseal, match="altered"):
        ciphers.unseal(sealed, "registry_guardian.id_number")
    tag, _, text = sealed.partition(":")
    raw = bytearray(base64.b64decode(text))
    raw[0] ^= 1
    with pytest.raises(ciphers.CannotUnseal, match="altered"):
        ciphers.unseal(f"{tag}:{base64.b64encode(raw).decode()}", COLUMN)
    with pytest.raises(ciphers.CannotUnseal, match="missing"):
        ciphers.unseal(f"v9:{text}", COLUMN)


def test_only_equality_can_be_asked(db) -> None:
    with pytest.raises(FieldError, match="sealed"):
        Pupil.objects.filter(id_number__startswith="33")


def test_keys_change_and_everything_is_found_before_and_after(db, settings) -> None:
    old = dict(settings.IDENTITY_KEYS)
    pupil = Pupil.objects.create(name="童甲", id_number="330902201501150015")
    Pupil.objects.create(name="童乙")
    settings.IDENTITY_KEYS = old | {"v2": secrets.token_bytes(64)}
    # Not yet sealed anew: found under the old key.
    assert Pupil.objects.get(id_number="330902201501150015") == pupil
    assert Pupil.objects.all().search("0015").get() == pupil
    assert reseal(lambda _model, _done: None) == 1
    assert usage() == [("registry_pupil.id_number", "v2", 1)]
    settings.IDENTITY_KEYS = {"v2": settings.IDENTITY_KEYS["v2"]}
    found = Pupil.objects.get(id_number="330902201501150015")
    assert found.id_number == "330902201501150015"
    assert Pupil.objects.all().search("0015").get() == pupil
    assert reseal(lambda _model, _done: None) == 0


@pytest.fixture
def two_keys(db, settings) -> dict[str, Pupil]:
    """One row sealed with each of two keys, one without a number."""
    first = Pupil.objects.create(name="童甲", id_number="330902201501150015")
    settings.IDENTITY_KEYS = settings.IDENTITY_KEYS | {"v2": secrets.token_bytes(64)}
    second = Pupil.objects.create(name="童乙", id_number="330902201501150023")
    assert usage() == [("registry_pupil.id_number", "v1", 1), ("registry_pupil.id_number", "v2", 1)]
    return {"甲": first, "乙": second, "无": Pupil.objects.create(name="童无")}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"id_number": "330902201501150015"}, "甲"),
        ({"id_number": "330902201501150023"}, "乙"),
        ({"id_number": "330902201501150031"}, ""),
        ({"id_number": None}, "无"),
        ({"id_number": ""}, ""),
        ({"id_number__isnull": True}, "无"),
        ({"id_number__isnull": False}, "甲乙"),
        ({"id_number__in": ["330902201501150015", "330902201501150023", None]}, "甲乙"),
        ({"id_number__in": [None]}, ""),
        ({"id_number__in": []}, ""),
    ],
)
def test_asking_and_its_contrary_under_two_keys(
    two_keys: dict[str, Pupil], asked: dict, found: str
) -> None:
    def names(rows) -> set[str]:
        return {row.name.removeprefix("童") for row in rows}

    assert names(Pupil.objects.filter(**asked)) == set(found)
    assert names(Pupil.objects.exclude(**asked)) == set("甲乙无") - set(found)


@pytest.mark.parametrize("lookup", ["id_number", "id_number__in"])
def test_columns_are_not_compared(db, lookup: str) -> None:
    others = Pupil.objects.values("student_number")
    for what in (others, models.F("student_number")):
        with pytest.raises(FieldError, match="sealed"):
            Pupil.objects.filter(**{lookup: what})
