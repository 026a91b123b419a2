"""Every list goes in, comes out, and comes in again unchanged; masked it changes nothing."""

import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from tests.district import District
from xuezheng.kernel.access.models import EdgeKind, Organisation, OrganisationEdge, Post, User
from xuezheng.kernel.exchange import services, staging
from xuezheng.kernel.exchange.export import export_list
from xuezheng.kernel.exchange.models import Batch
from xuezheng.kernel.exchange.table import Table
from xuezheng.kernel.exchange.template import write_template, write_wrong_rows
from xuezheng.registry import exchange
from xuezheng.registry.exchange.tests.files import classes, confirmed, number, send
from xuezheng.registry.models import (
    Community,
    Dwelling,
    Employment,
    Guardian,
    Guardianship,
    Pupil,
    Residence,
    SchoolClass,
    SiteAlias,
    SiteProfile,
    StaffMember,
)

PUPIL_LINES = [
    ("童一", number(1), f"G{number(1)}", "东澳小学", 2022, 1),
    ("童二", number(2), f"G{number(2)}", "东澳小学", 2022, 1),
]
#: For each list: who imports it, headings, rows.
FILES: dict[str, tuple[str, tuple[str, ...], list[tuple]]] = {
    "sites": (
        "registrar",
        ("本地代码", "学校标识码", "名称", "类别", "镇街", "办学性质", "城乡类型", "海岛", "核定学位"),
        [
            ("S1", "2133000001", "东澳小学", "小学", "东澳镇", "公办", "镇区", "否", 900),
            ("S9", "2133000009", "新澳小学", "小学", "西澳镇", "民办", "乡村", "是", 300),
        ],
    ),
    "classes": (
        "sec1",
        ("学校", "入学年", "班号", "班级名称"),
        [("东澳小学", 2021, 1, ""), ("", 2021, 2, "向日葵班")],
    ),
    "pupils": ("sec1", ("姓名", "身份证件号", "学籍号", "学校", "入学年", "班号"), PUPIL_LINES),
    "guardians": (
        "sec1",
        ("学生学籍号", "学生姓名", "监护人姓名", "与学生的关系", "监护人证件号", "监护人手机"),
        [
            (f"G{number(1)}", "童一", "长一", "父亲", number(1, dt.date(1985, 1, 1)), "13800000001"),
            (f"G{number(1)}", "童一", "长二", "母亲", "", "13800000002"),
            (f"G{number(2)}", "童二", "长一", "父亲", number(1, dt.date(1985, 1, 1)), "13800000001"),
        ],
    ),
    "staff": (
        "head1",
        ("姓名", "身份证件号", "工号", "人员类别", "任职单位", "手机号码", "在编", "学历"),
        [("师一", number(1, dt.date(1980, 1, 1)), "A01", "专任教师", "", "13900000001", "是", "大学本科"),
         ("师二", "", "A02", "工勤人员", "东澳小学", "", "否", "")],
    ),
    "communities": (
        "registrar",
        ("统计用区划代码", "社区（村）名称", "镇街", "类别", "所在岛屿"),
        [("999900000001", "前湾社区", "东澳镇", "社区", ""), ("999900000002", "后湾村", "东澳镇", "村", "后屿")],
    ),
    "dwellings": (
        "registrar",
        ("社区（村）", "道路或自然村", "门牌号", "门牌附号", "幢", "室"),
        [("前湾社区", "前湾路", 1, "", "2", "301"), ("999900000002", "后湾", "", "", "", "")],
    ),
    "residences": (
        "registrar",
        ("学生学籍号", "住址类别", "社区（村）", "道路或自然村", "门牌号", "幢", "室", "起始日"),
        [
            (f"G{number(1)}", "居住地", "前湾社区", "前湾路", 1, "2", "301", dt.date(2023, 1, 1)),
            (f"G{number(1)}", "户籍地", "后湾村", "新屋", 7, "", "", dt.date(2023, 1, 1)),
        ],
    ),
    "accounts": (
        "security",
        ("用户名", "姓名", "单位", "岗位", "职务"),
        [("dao.shi1", "师一", "东澳小学", "教师", ""), ("dao.shi2", "师二", "S1", "校办（安全）管理员", "文书")],
    ),
}  # fmt: skip
#: Lists that must be there first.
NEEDS = {
    "guardians": ("pupils",),
    "dwellings": ("communities",),
    "residences": ("pupils", "communities", "dwellings"),
}
ROWS = {
    "sites": lambda: Organisation.objects.filter(code__in=["S1", "S9"]),
    "classes": lambda: SchoolClass.objects.filter(entry_year=2021),
    "pupils": Pupil.objects.all,
    "guardians": Guardian.objects.all,
    "staff": StaffMember.objects.all,
    "communities": Community.objects.all,
    "dwellings": Dwelling.objects.filter,
    "residences": Residence.objects.all,
    "accounts": lambda: User.objects.filter(username__startswith="dao."),
}
TABLES = {table.key: table for table in exchange.TABLES}


def problems(batch: Batch) -> list[tuple[str, str]]:
    return [
        (problem.field, problem.text)
        for _number, rows in staging.parts(batch)
        for row in rows
        for problem in row.problems
    ]


def load(district: District, key: str) -> Batch:
    username, headings, rows = FILES[key]
    batch = send(district, username, TABLES[key], headings, rows)
    assert not problems(batch)
    return confirmed(district, username, batch)


@pytest.fixture
def place(district: District) -> District:
    classes(district, "S1")
    return district


def exported(
    district: District, username: str, table: Table, *, reason: str = ""
) -> SimpleUploadedFile:
    request = RequestFactory()
    request = request.post("/?export=reveal", {"reason": reason}) if reason else request.get("/")
    request.actor = district.actor(username)
    request.after_fence = []
    response = export_list(request, table, ROWS[table.key](), may_reveal=bool(reason))
    data = b"".join(response.streaming_content)
    for write in request.after_fence:
        write()
    return SimpleUploadedFile("导出.xlsx", data)


def cells(upload: SimpleUploadedFile) -> list[list[Any]]:
    upload.seek(0)
    book = openpyxl.load_workbook(io.BytesIO(upload.read()))
    return [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]


@pytest.mark.parametrize("key", FILES)
@pytest.mark.parametrize("reason", ["", "核对在校名册"])
def test_round_trip(place: District, key: str, reason: str) -> None:
    for needed in NEEDS.get(key, ()):
        load(place, needed)
    batch = load(place, key)
    username, _headings, rows = FILES[key]
    assert batch.new + batch.changed == len(rows)

    again = send(place, username, TABLES[key], *FILES[key][1:])
    assert (again.unchanged, again.error, again.to_write) == (len(rows), 0, 0)

    upload = exported(place, username, TABLES[key], reason=reason)
    back = services.receive(table=TABLES[key], upload=upload, by=place.actor(username))
    assert not problems(back)
    assert (back.unchanged, back.to_write) == (len(rows), 0)
    text = str(cells(upload))
    whole = bool(reason)
    if key in {"pupils", "guardians"}:
        assert (number(1) in text) is whole
    if key in {"guardians", "staff"}:
        assert ("13800000001" in text or "13900000001" in text) is whole


@pytest.mark.parametrize("key", FILES)
def test_undo(place: District, key: str) -> None:
    for needed in NEEDS.get(key, ()):
        load(place, needed)
    before = {model: set(model.objects.values_list("pk", flat=True)) for model in MODELS}
    profile = SiteProfile.objects.count()
    batch = load(place, key)
    undone = services.undo(batch, by=place.actor(FILES[key][0]))
    assert undone.left == 0
    after = {model: set(model.objects.values_list("pk", flat=True)) for model in MODELS}
    if key == "residences":
        after[Dwelling] &= before[Dwelling]  # a dwelling made on the way stays
    assert after == before
    assert SiteProfile.objects.count() == profile + (key == "sites")


MODELS = (
    Organisation, OrganisationEdge, SchoolClass, Pupil, Guardian, Guardianship, StaffMember,
    Employment, Community, Dwelling, Residence, User, Post,
)  # fmt: skip


@pytest.mark.parametrize("table", exchange.TABLES, ids=lambda table: table.key)
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_template(place: District, table: Table, language: str) -> None:
    from django.utils import translation

    username = FILES[table.key][0]
    with translation.override(language):
        data = write_template(table, place.actor(username))
    book = openpyxl.load_workbook(io.BytesIO(data))
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    assert len(visible) == 2
    sheet = visible[0]
    assert table.version in sheet["A1"].value
    headings = [cell.value for cell in sheet[2]]
    assert len(headings) == len(table.template_fields)
    formats = {
        at: columns.number_format
        for columns in sheet.column_dimensions.values()
        for at in range(columns.min, columns.max + 1)
    }
    for at, field in enumerate(table.template_fields, start=1):
        if field.kind in {"id", "code", "phone"}:
            assert formats[at] == "@"
    if any(field.kind == "choice" for field in table.fields):
        assert sheet.data_validations.count
    # The sample row alone is no data.
    with pytest.raises(services.Refused, match="没有数据"):
        services.receive(
            table=table, upload=SimpleUploadedFile("模板.xlsx", data), by=place.actor(username)
        )


def test_the_wrong_rows_can_be_sent_again(place: District) -> None:
    rows = [("童一", "123", f"G{number(1)}", "东澳小学", 2022, 1), *PUPIL_LINES[1:]]
    batch = send(place, "sec1", exchange.PUPILS, FILES["pupils"][1], rows)
    wrong = [row for _n, part in staging.parts(batch) for row in part if row.outcome == "error"]
    data = write_wrong_rows(exchange.PUPILS, wrong, place.actor("sec1"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    headings = {cell.value.strip("*"): cell.column for cell in sheet[2]}
    assert sheet.cell(3, headings["身份证件号"]).value == "123"
    assert "身份证号应为18位" in sheet.cell(3, headings["哪里不对"]).value
    sheet.cell(3, headings["身份证件号"]).value = number(1)
    out = io.BytesIO()
    book.save(out)
    upload = SimpleUploadedFile("错误行.xlsx", out.getvalue())
    again = services.receive(table=exchange.PUPILS, upload=upload, by=place.actor("sec1"))
    assert (again.new, again.error, again.notices) == (1, 0, [])


def test_a_name_that_matches_nothing_is_matched_once(place: District) -> None:
    rows = [("童一", number(1), "", "东澳中心小学", 2022, 1)]
    batch = send(place, "registrar", exchange.PUPILS, FILES["pupils"][1], rows, opening=True)
    assert batch.unmatched == {"东澳中心小学": 1}
    SiteAlias.objects.create(name="东澳中心小学", organisation=place.orgs["S1"])
    again = services.compare_again(batch, by=place.actor("registrar"))
    assert (again.unmatched, again.new, again.error) == ({}, 1, 0)


def test_headings_of_other_programs(place: District) -> None:
    headings = (
        "学生姓名",
        "证件号码",
        "全国学籍号",
        "学校（机构）名称",
        "年级",
        "班级",
        "学生当前状态",
        "入学年月",
    )
    rows = [("童一", number(1), f"G{number(1)}", "东澳小学", "2022", "1", "在校", "202209")]
    batch = send(place, "registrar", exchange.PUPILS, headings, rows)
    assert not problems(batch)
    confirmed(place, "registrar", batch)
    assert Pupil.objects.get().entered_on == dt.date(2022, 9, 1)


def test_one_time_passwords_are_handed_out_for_who_never_signed_in(place: District) -> None:
    batch = load(place, "accounts")
    _headings, lines = services.hand_out(batch, by=place.actor("security"))
    assert [line[2] for line in lines] == ["dao.shi1", "dao.shi2"]
    assert len({line[3] for line in lines}) == 2
    used = User.objects.get(username="dao.shi1")
    used.last_login = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    used.save()
    _headings, lines = services.hand_out(batch, by=place.actor("security"))
    assert [line[2] for line in lines] == ["dao.shi2"]


def test_siblings_share_a_guardian(place: District) -> None:
    load(place, "pupils")
    load(place, "guardians")
    assert Guardian.objects.filter(name="长一").count() == 1
    assert Guardianship.objects.filter(main=True).count() == 2


def test_accounts_from_before_an_import_are_linked(place: District) -> None:
    first, other = (
        User.objects.create_user(f"p-{phone}", None, phone=phone)
        for phone in ("13800000001", "13800000003")
    )
    load(place, "pupils")
    load(place, "guardians")
    assert first.guardian.name == "长一"
    _username, headings, rows = FILES["guardians"]
    changed = [(*row[:5], row[5].replace("01", "03")) for row in rows if row[2] == "长一"]
    batch = send(place, "sec1", TABLES["guardians"], headings, changed)
    confirmed(place, "sec1", batch)
    assert Guardian.objects.get(name="长一").user == other


def test_areas_and_edges_of_a_new_site(place: District) -> None:
    load(place, "sites")
    edges = OrganisationEdge.objects.filter(child__code="S9")
    assert {(edge.parent.code, edge.kind) for edge in edges} == {
        ("B", EdgeKind.AUTHORITY),
        ("T2", EdgeKind.AREA),
    }
