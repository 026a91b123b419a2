"""Twins and triplets: asked when there are any, tied by all numbers, seen by who checks and who classes."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.season import SeasonRoom, child_id
from xuezheng.domains.admissions.answers import numbers
from xuezheng.domains.admissions.models import Application, Draft, RollEntry
from xuezheng.domains.admissions.services import twins
from xuezheng.domains.admissions.services.freezing import tied_words
from xuezheng.domains.admissions.tests.test_family import (  # noqa: F401
    BORN,
    CHILD,
    begin,
    enter,
    fill,
    given,
    page,
    post,
    registers,
    submit,
)
from xuezheng.domains.admissions.views.review_facts import said_by_family

pytestmark = pytest.mark.usefixtures("files_dir")
NAMES = ("周小禾", "周小苗", "周小穗")
NEXT_DAY = BORN + dt.timedelta(days=1)


def someone(number: int, born: dt.date = BORN) -> dict:
    return CHILD | {"child_name": NAMES[number - 1], "id_number": child_id(number, born)}


def others(own: int, count: int) -> str:
    return " ".join(child_id(n, BORN) for n in range(1, count + 1) if n != own)


def test_only_who_has_twins_is_asked(room: SeasonRoom) -> None:
    mum = enter(room)
    pk = begin(room, mum)
    post(mum, pk, "child", someone(1))
    assert "双胞胎意愿" not in page(mum, "my_draft", pk)
    assert mum.get(reverse("my_draft_page", args=[pk, "twins"])).status_code == 404
    second = begin(room, mum)
    post(mum, second, "child", someone(2, NEXT_DAY))
    assert "双胞胎意愿" not in page(mum, "my_draft", pk), "a year or a day apart is no twin"
    post(mum, second, "child", someone(2))
    for draft, other in ((pk, 2), (second, 1)):
        assert "双胞胎意愿" in page(mum, "my_draft", draft)
        assert child_id(other, BORN) in page(mum, "my_draft_page", draft, "twins")
    assert child_id(1, BORN) not in page(enter(room, "neighbour"), "my_admissions")


def test_who_says_so_is_asked_and_may_take_it_back(room: SeasonRoom) -> None:
    mum = enter(room)
    pk = begin(room, mum)
    fill(mum, pk, more={"twin": "on"})
    answer = post(mum, pk, "twins", {"twin_wish": "split"})
    assert answer.status_code == 422, "one school: whose?"
    assert post(mum, pk, "twins", {"twin_wish": "split", "together": CHILD["id_number"]}).status_code == 422  # fmt: skip
    answer = post(mum, pk, "twins", {"twin_wish": "split", "together": others(1, 3)})
    assert answer.status_code == 302
    assert given(pk)["together"] == others(1, 3)
    post(mum, pk, "more", {})
    assert (given(pk)["twin_wish"], given(pk)["together"]) == ("", "")
    submit(mum, pk)
    row = Application.objects.get()
    assert (row.twin_wish, row.together) == ("", None)


def test_the_known_brother_is_tied_though_only_the_wish_was_saved(room: SeasonRoom) -> None:
    mum = enter(room)
    first = begin(room, mum)
    fill(mum, first, child=someone(1))
    second = begin(room, mum)
    fill(mum, second, child=someone(2))
    version = Draft.objects.get(pk=second).version
    url = reverse("my_draft_save", args=[second, "twins"])
    answer = mum.post(url, {"changed": "twin_wish", "twin_wish": "class", "version": version})
    assert answer.status_code == 200, answer.content
    assert given(second)["together"] == child_id(1, BORN)


@pytest.mark.parametrize(
    ("count", "wish", "tied"),
    [(2, "class", True), (2, "split", True), (2, "apart", False), (3, "class", True),
     (3, "school", True), (3, "apart", False)],
)  # fmt: skip
def test_all_are_tied_whoever_is_registered_first(
    room: SeasonRoom, count: int, wish: str, tied: bool
) -> None:
    mum = enter(room)
    for number in range(1, count + 1):
        pk = begin(room, mum)
        fill(mum, pk, child=someone(number), more={"twin": "on"})
        # In whatever order, by comma or space.
        named = "，".join(reversed(others(number, count).split()))
        answer = post(mum, pk, "twins", {"twin_wish": wish, "together": named})
        assert answer.status_code == 302
        submit(mum, pk)
    rows = list(Application.objects.select_related("entry", "case").order_by("pk"))
    assert {row.twin_wish for row in rows} == {wish}
    assert len({row.together for row in rows}) == 1
    assert (rows[0].together is not None) is tied
    words = tied_words((row.together, row.entry.code) for row in rows)
    assert len(words) == (count if tied else 0)
    assert len(set(words.values())) == int(tied)
    groups = twins.groups_of(rows)
    codes = tuple(sorted(row.entry.code for row in rows))
    assert groups == ({codes: wish} if tied else {})
    told = dict((str(label), words) for label, words in said_by_family(rows[0]))
    shown = told["双胞胎（多胞胎）"]
    assert str(Application.TwinWish(wish).label) in shown
    assert (f"另外{count - 1}个" in shown) is tied


def test_the_verifier_is_told_of_a_missing_partner(room: SeasonRoom) -> None:
    mum = enter(room)
    pk = begin(room, mum)
    fill(mum, pk, more={"twin": "on"})
    post(mum, pk, "twins", {"twin_wish": "class", "together": child_id(2, BORN)})
    submit(mum, pk)
    shown = [words for label, words in said_by_family(Application.objects.get())]
    assert any("还没有找到另一个孩子" in words for words in shown)
    assert RollEntry.objects.count() == 1, "a named number is not looked up"


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        (["", ""], "class"),
        (["class", ""], "class"),
        (["split", "split", ""], "split"),
        (["class", "split"], "school"),
        (["school", "school"], "school"),
    ],
)
def test_a_wish_counts_as_far_as_all_who_say_something_agree(said: list[str], wish: str) -> None:
    assert twins.agreed(said) == wish


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("a1 b2", ["A1", "B2"]),
        ("A1，B2、A1", ["A1", "B2"]),
        ("  A1 ;B2\n", ["A1", "B2"]),
    ],
)
def test_numbers_in_a_text(text: str, found: list[str]) -> None:
    assert numbers(text) == found
