"""A school secretary brings pupils by Excel: template, errors, wrong rows put right, written, undone."""

import os
from pathlib import Path

import openpyxl
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PHONE
from tests.journeys.test_every_page import violations
from xuezheng.registry.exchange.tests.files import number

#: A folder for pictures of the pages, when somebody wants to look at them.
PICTURES = os.environ.get("PICTURES", "")


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)


def saved(page: Page, name: str, folder: Path) -> Path:
    """What a click on the link or button of that name downloads."""
    with page.expect_download() as download:
        page.get_by_role("link", name=name).first.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_from_the_template_to_the_undo(site, sign_in, tmp_path: Path) -> None:
    page = sign_in("school")
    page.goto("/imports/")
    picture(page, "imports-empty")
    page.get_by_role("link", name="导入 Excel").click()
    template = saved(page, "学生名册", tmp_path)
    book = openpyxl.load_workbook(template)
    sheet = book.worksheets[0]
    columns = {str(cell.value).strip("*"): cell.column for cell in sheet[2]}
    for line, (name, numeral) in enumerate(
        [("童一", number(1)), ("童二", "99990020160512"), ("童三", float(number(3)[:17] + "0"))], 4
    ):
        sheet.cell(line, columns["姓名"]).value = name
        sheet.cell(line, columns["身份证件号"]).value = numeral
    filled = tmp_path / "学生.xlsx"
    book.save(filled)

    page.get_by_label("导入哪份名册").select_option("pupils")
    page.locator("input[type=file]").set_input_files(str(filled))
    picture(page, "upload")
    page.get_by_role("button", name="上传并比对").click()
    page.wait_for_url("**/imports/*-*/")
    main = page.locator("main")
    expect(main).to_contain_text("身份证号应为18位")
    expect(main).to_contain_text("Excel 只保留 15 位有效数字")
    expect(main).to_contain_text("模板的示例行没有读取")
    assert not violations(page)
    picture(page, "batch-errors")
    wrong = saved(page, "下载错误行", tmp_path)
    page.set_viewport_size(PHONE)
    picture(page, "batch-errors-phone")
    page.set_viewport_size({"width": 1360, "height": 900})

    book = openpyxl.load_workbook(wrong)
    sheet = book.worksheets[0]
    columns = {str(cell.value).strip("*"): cell.column for cell in sheet[2]}
    for line in (3, 4):
        sheet.cell(line, columns["身份证件号"]).value = number(line)
    book.save(wrong)
    page.get_by_role("link", name="再传一个文件").click()
    page.locator("input[type=file]").set_input_files(str(wrong))
    page.get_by_role("button", name="上传并比对").click()
    expect(main).to_contain_text("写入 2 行")
    before = site.query("SELECT count(*) FROM registry_pupil")[0][0]
    page.get_by_role("button", name="写入 2 行").click()
    expect(page.locator(".messages")).to_contain_text("新增 2 行")
    assert not violations(page)
    picture(page, "batch-applied")
    assert site.query("SELECT count(*) FROM registry_pupil")[0][0] == before + 2

    page.get_by_role("button", name="撤销这一批").click()
    expect(page.locator(".messages")).to_contain_text("已撤销")
    assert site.query("SELECT count(*) FROM registry_pupil")[0][0] == before
    page.goto("/imports/")
    picture(page, "imports")


def test_the_first_month(site, sign_in) -> None:
    page = sign_in("registrar")
    page.goto("/opening/")
    expect(page.locator("main")).to_contain_text("学生名册")
    picture(page, "opening")
    page.set_viewport_size(PHONE)
    picture(page, "opening-phone")
    page.set_viewport_size({"width": 1360, "height": 900})
    page.goto("/opening/switches/?system=oversight")
    school = page.locator("tr", has_text="小学").first
    school.locator("input[type=checkbox]").check()
    page.get_by_role("button", name="停用").click()
    expect(page.locator(".messages")).to_contain_text("已设置 1 所学校")
    expect(page.locator("main")).to_contain_text("未启用")
    assert not violations(page)
    picture(page, "switches")
    page.goto("/opening/names/")
    picture(page, "names")
