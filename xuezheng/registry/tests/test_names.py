"""Names are stored one way and found by the initials that people would type."""

import pytest

from xuezheng.registry.names import initials, normal_name, pinyin


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (" 王 小明 ", "王小明"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("ＡＢＣ  Smith", "ABC Smith"),
        ("", ""),
    ],
)
def test_one_way_of_writing(given: str, stored: str) -> None:
    assert normal_name(given) == stored


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("王小明", "wxm"),
        ("单思远", "ssy"),
        ("尉迟若溪", "ycrx"),
        ("曾安", "za"),
        ("John Smith", "js"),
        ("买买提·吐尔逊", "mmttex"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_surname_is_read_as_a_surname() -> None:
    assert pinyin("单思远")[0] == "shan"
