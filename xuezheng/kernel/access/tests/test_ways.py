"""Ways to sign in against local fakes: what is right comes through, what is wrong by one detail does not."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.utils import timezone
from joserfc.jwk import RSAKey

from xuezheng.kernel.access.models import SmsChallenge
from xuezheng.kernel.access.signin import passwords
from xuezheng.kernel.access.signin.ways import Subject, WayRefused, oidc, sms
from xuezheng.kernel.access.signin.ways.cas import CasWay
from xuezheng.kernel.access.signin.ways.oidc import OidcWay
from xuezheng.kernel.access.signin.ways.sms import SmsWay, normal_number
from xuezheng.kernel.access.tests.fakes import CLIENT, SECRET, Fake, running

CALLBACK = "https://bureau.example/sign-in/x/return/"


@pytest.fixture
def fake() -> Iterator[Fake]:
    oidc._documents.clear()
    with running() as fake:
        yield fake


def returned(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


def oidc_way(fake: Fake, **options: str) -> OidcWay:
    return OidcWay(fake.url, CLIENT, SECRET, "x", **options)


# -- OpenID Connect ---------------------------------------------------------------------------------
def test_oidc_says_who_it_is(fake: Fake) -> None:
    way = oidc_way(fake)
    begun = way.begin({}, CALLBACK)
    back = returned(fake.visit(begun.url))
    assert way.finish(back, begun.remember, CALLBACK) == Subject("oidc", "username", "sec1")
    # The code is spent.
    with pytest.raises(WayRefused, match="ticket"):
        way.finish(back, begun.remember, CALLBACK)


def test_oidc_by_another_claim(fake: Fake) -> None:
    fake.claims["number"] = "990101199001010011"
    way = oidc_way(fake, link="identity", claim="number")
    begun = way.begin({}, CALLBACK)
    subject = way.finish(returned(fake.visit(begun.url)), begun.remember, CALLBACK)
    assert subject == Subject("oidc", "identity", "990101199001010011")


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        ("iss", "ticket"),
        ("aud", "ticket"),
        ("expired", "ticket"),
        ("nonce", "ticket"),
        ("no nonce", "ticket"),
        ("forged", "ticket"),
        ("shared secret", "ticket"),
        ("unsigned", "ticket"),
    ],
)
def test_oidc_refuses_a_token_that_is_wrong_by_one_detail(
    fake: Fake, spoil: str, code: str
) -> None:
    way = oidc_way(fake)
    begun = way.begin({}, CALLBACK)
    back = returned(fake.visit(begun.url))
    fake.spoil = spoil
    with pytest.raises(WayRefused) as caught:
        way.finish(back, begun.remember, CALLBACK)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "remember", "code"),
    [
        ({"state": "other"}, {}, "state"),
        ({"state": ""}, {}, "state"),
        ({}, {"state": ""}, "state"),
        ({"code": ""}, {}, "denied"),
        ({"error": "access_denied"}, {}, "denied"),
        ({"code": "unknown"}, {}, "ticket"),
        ({}, {"verifier": "x" * 64}, "ticket"),
    ],
)
def test_oidc_refuses_an_answer_of_another_request(
    fake: Fake, change: dict, remember: dict, code: str
) -> None:
    way = oidc_way(fake)
    begun = way.begin({}, CALLBACK)
    back = returned(fake.visit(begun.url)) | change
    with pytest.raises(WayRefused) as caught:
        way.finish(back, begun.remember | remember, CALLBACK)
    assert caught.value.code == code


def test_oidc_an_empty_request_never_matches_an_empty_session(fake: Fake) -> None:
    with pytest.raises(WayRefused, match="state"):
        oidc_way(fake).finish({}, {}, CALLBACK)


def test_oidc_a_claim_that_is_missing(fake: Fake) -> None:
    fake.claims = {}
    way = oidc_way(fake)
    begun = way.begin({}, CALLBACK)
    with pytest.raises(WayRefused, match="denied"):
        way.finish(returned(fake.visit(begun.url)), begun.remember, CALLBACK)


@pytest.mark.parametrize("spoil", ["down", "issuer"])
def test_oidc_a_provider_that_cannot_be_used(fake: Fake, spoil: str) -> None:
    fake.spoil = spoil
    with pytest.raises(WayRefused, match="upstream"):
        oidc_way(fake).begin({}, CALLBACK)


def test_oidc_follows_a_change_of_keys(fake: Fake) -> None:
    way = oidc_way(fake)
    for kid in ("b", "c"):
        fake.key = RSAKey.generate_key(2048, {"kid": "a"})
        begun = way.begin({}, CALLBACK)
        assert way.finish(returned(fake.visit(begun.url)), begun.remember, CALLBACK), kid


# -- tickets ----------------------------------------------------------------------------------------
def test_cas_says_who_it_is_once(fake: Fake) -> None:
    way = CasWay(fake.url, "x")
    begun = way.begin({}, CALLBACK)
    back = returned(fake.visit(begun.url))
    assert way.finish(back, begun.remember, CALLBACK) == Subject("cas", "username", "sec1")
    with pytest.raises(WayRefused, match="ticket"):
        way.finish(back, begun.remember, CALLBACK)


def test_cas_by_an_attribute(fake: Fake) -> None:
    fake.claims["number"] = "990101199001010011"
    way = CasWay(fake.url, "x", link="identity", claim="number")
    begun = way.begin({}, CALLBACK)
    subject = way.finish(returned(fake.visit(begun.url)), begun.remember, CALLBACK)
    assert subject == Subject("cas", "identity", "990101199001010011")


@pytest.mark.parametrize(
    ("change", "remember", "spoil", "code"),
    [
        ({"state": "other"}, {}, "", "state"),
        ({"ticket": ""}, {}, "", "denied"),
        ({"ticket": "ST-99"}, {}, "", "ticket"),
        ({}, {"service": "https://bureau.example/other/"}, "", "ticket"),
        ({}, {}, "entities", "upstream"),
        ({}, {}, "nonsense", "upstream"),
        ({}, {}, "down", "upstream"),
    ],
)
def test_cas_refuses(fake: Fake, change: dict, remember: dict, spoil: str, code: str) -> None:
    way = CasWay(fake.url, "x")
    begun = way.begin({}, CALLBACK)
    back = returned(fake.visit(begun.url)) | change
    fake.spoil = spoil
    with pytest.raises(WayRefused) as caught:
        way.finish(back, begun.remember | remember, CALLBACK)
    assert caught.value.code == code


# -- SMS --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("13800001234", "13800001234"),
        ("+86 138-0000-1234", "13800001234"),
        ("0086 13800001234", "13800001234"),
        ("12800001234", ""),
        ("1380000123", ""),
        ("138000012345", ""),
        ("", ""),
    ],
)
def test_numbers(typed: str, number: str) -> None:
    assert normal_number(typed) == number


def given(number: str = "13800001234", known: bool = True, address: str = "10.0.0.1") -> dict:
    return {"number": number, "known": known, "rules": passwords.rules_for(""), "from": address}


def answer(code: str) -> dict:
    return {"code": code, "rules": passwords.rules_for("")}


@pytest.fixture
def way(db, tmp_path: Path) -> SmsWay:
    return SmsWay(str(tmp_path / "texts"), "", "")


def sent(way: SmsWay) -> list[str]:
    path = Path(way.address)
    if not path.exists():
        return []
    assert path.stat().st_mode & 0o777 == 0o600
    return [line.partition("\t")[2] for line in path.read_text(encoding="utf-8").splitlines()]


def code_of(text: str) -> str:
    return next(word for word in text.replace("，", " ").split() if word.isdigit())


def test_a_code_by_sms_is_good_once(way: SmsWay) -> None:
    begun = way.begin(given(), "")
    code = code_of(sent(way)[0])
    assert len(code) == 6
    assert code not in SmsChallenge.objects.get().digest
    subject = way.finish(answer(f" {code} "), begun.remember, "")
    assert subject == Subject("sms", "phone", "13800001234")
    with pytest.raises(WayRefused, match="expired"):
        way.finish(answer(code), begun.remember, "")


def test_five_tries(way: SmsWay) -> None:
    begun = way.begin(given(), "")
    code = code_of(sent(way)[0])
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(WayRefused, match="code"):
            way.finish(answer(wrong), begun.remember, "")
    with pytest.raises(WayRefused, match="expired"):
        way.finish(answer(code), begun.remember, "")


@pytest.mark.parametrize(("seconds", "good"), [(299, True), (300, False), (301, False)])
def test_five_minutes(way: SmsWay, monkeypatch, seconds: int, good: bool) -> None:
    began = timezone.now()
    monkeypatch.setattr(sms.timezone, "now", lambda: began)
    begun = way.begin(given(), "")
    code = code_of(sent(way)[0])
    monkeypatch.setattr(sms.timezone, "now", lambda: began + dt.timedelta(seconds=seconds))
    if good:
        assert way.finish(answer(code), begun.remember, "")
    else:
        with pytest.raises(WayRefused, match="expired"):
            way.finish(answer(code), begun.remember, "")


def test_an_unknown_number_is_treated_alike_and_gets_nothing(way: SmsWay) -> None:
    begun = way.begin(given(known=False), "")
    assert not sent(way)
    for code in ("", "000000"):
        with pytest.raises(WayRefused, match="code"):
            way.finish(answer(code), begun.remember, "")
    for _ in range(4):
        way.begin(given(known=False), "")
    with pytest.raises(WayRefused, match="many"):
        way.begin(given(known=False), "")


def test_limits_per_number_and_per_address(way: SmsWay) -> None:
    for _ in range(5):
        way.begin(given(), "")
    with pytest.raises(WayRefused, match="many"):
        way.begin(given(), "")
    assert len(sent(way)) == 5
    way.begin(given("13900001234"), "")
    for number in range(54):
        way.begin(given(f"137{number:08d}"), "")
    with pytest.raises(WayRefused, match="many"):
        way.begin(given("13600001234"), "")
    way.begin(given("13600001234", address="10.0.0.2"), "")


def test_the_gateway(fake: Fake, db) -> None:
    way = SmsWay(f"{fake.url}/sms", "token", "")
    way.begin(given(), "")
    assert fake.texts[0]["to"] == "13800001234"
    fake.spoil = "down"
    with pytest.raises(WayRefused, match="upstream"):
        way.begin(given(), "")


def test_a_challenge_of_nobody(way: SmsWay) -> None:
    with pytest.raises(WayRefused, match="state"):
        way.finish(answer("000000"), {}, "")
