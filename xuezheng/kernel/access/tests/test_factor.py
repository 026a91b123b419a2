"""The second factor: skew, replay, recovery codes."""

import datetime as dt

import pytest
from django.db import connection

from xuezheng.kernel.access.models import RecoveryCode, SecondFactor, User
from xuezheng.kernel.access.signin import factor

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NOW = dt.datetime(2026, 3, 2, 8, 0, 10, tzinfo=dt.UTC)
STEP = factor.step_of(NOW)


@pytest.mark.parametrize(
    ("offset", "last", "accepted"),
    [
        (-2, 0, None),
        (-1, 0, STEP - 1),
        (0, 0, STEP),
        (1, 0, STEP + 1),
        (2, 0, None),
        # A step that was used, and any before it, is spent.
        (0, STEP, None),
        (0, STEP - 1, STEP),
        (-1, STEP - 1, None),
        (-1, STEP, None),
        (1, STEP, STEP + 1),
        (1, STEP + 1, None),
    ],
)
def test_codes_near_now_are_accepted_once(offset: int, last: int, accepted: int | None) -> None:
    code = factor.code_at(SECRET, STEP + offset)
    assert factor.accepted_step(SECRET, code, NOW, last) == accepted


@pytest.mark.parametrize("given", ["", "abcdef", "12345", "1234567", "١٢٣٤٥٦"])
def test_what_is_no_code(given: str) -> None:
    assert factor.accepted_step(SECRET, given, NOW, 0) is None


def test_blanks_in_a_code_do_not_matter() -> None:
    code = factor.code_at(SECRET, STEP)
    assert factor.accepted_step(SECRET, f" {code[:3]} {code[3:]} ", NOW, 0) == STEP


def test_the_rfc_6238_example() -> None:
    # Appendix B, SHA-1, the last six of the eight digits.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert factor.code_at(secret, 59 // 30) == "287082"
    assert factor.code_at(secret, 1_111_111_109 // 30) == "081804"


@pytest.fixture
def user(db) -> User:
    return User.objects.create_user("someone", "x", name="某人")


def test_enrol_verify_replay_recover(user: User) -> None:
    assert factor.enrol(user, SECRET, "000000", NOW) is None
    codes = factor.enrol(user, SECRET, factor.code_at(SECRET, STEP), NOW)
    assert len(set(codes)) == 10
    # The code that enrolled is spent.
    assert factor.verify(user, factor.code_at(SECRET, STEP), NOW) == ""
    later = NOW + dt.timedelta(seconds=30)
    code = factor.code_at(SECRET, STEP + 1)
    assert factor.verify(user, code, later) == "code"
    assert factor.verify(user, code, later) == ""
    assert factor.verify(user, codes[0].lower(), later) == "recovery"
    assert factor.verify(user, codes[0], later) == ""
    renewed = factor.new_recovery_codes(user)
    assert factor.verify(user, codes[1], later) == ""
    assert factor.verify(user, renewed[0].replace("-", " "), later) == "recovery"
    assert factor.drop(user)
    assert not factor.drop(user)
    assert factor.verify(user, renewed[1], later) == ""


def test_the_database_holds_neither_secret_nor_codes(user: User) -> None:
    codes = factor.enrol(user, SECRET, factor.code_at(SECRET, STEP), NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM access_secondfactor")
        assert SECRET not in cursor.fetchone()[0]
    digests = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert not digests & set(codes)
    assert SecondFactor.objects.get().secret == SECRET


def test_the_demo_tells_only_a_code_that_will_do(user: User) -> None:
    enrolled = SecondFactor(user=user, secret=SECRET)
    assert factor.usable_code(enrolled, NOW) == factor.code_at(SECRET, STEP)
    enrolled.last_step = STEP
    assert factor.usable_code(enrolled, NOW) == factor.code_at(SECRET, STEP + 1)
    enrolled.last_step = STEP + 1
    assert factor.usable_code(enrolled, NOW) == ""


def test_the_picture_obeys_the_content_policy() -> None:
    text = factor.picture(factor.address(SECRET, "someone", "教育局")).decode()
    assert text.startswith("<svg")
    assert "style" not in text
    assert "script" not in text
