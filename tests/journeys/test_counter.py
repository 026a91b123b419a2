"""A paper form at the counter: typed, verified, given a place, on the list of the kindergarten."""

import datetime as dt
import re

from playwright.sync_api import Page, expect

from tests.journeys.season_end import close, give_places
from tests.journeys.test_every_page import violations
from tests.season import child_id

CHILD, MUM = "林小满", "林晓岚"
#: A home of the kindergarten's own area: where somebody lives whom it has to check.
HOME = (
    "SELECT m.code, d.road, d.number FROM admissions_application a"
    " JOIN cases_case c ON c.id = a.case_id"
    " JOIN access_post p ON p.organisation_id = c.organisation_id"
    " JOIN access_user u ON u.id = p.user_id"
    " JOIN registry_dwelling d ON d.id = a.register_dwelling_id"
    " JOIN registry_community m ON m.id = d.community_id"
    " WHERE a.season_id = %s AND u.username = 'kindergarten' AND d.number IS NOT NULL"
    " ORDER BY a.case_id LIMIT 1"
)


def whole(page: Page) -> None:
    """What every page promises."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_paper_form_becomes_a_place(site, sign_in) -> None:
    season, year = site.query(
        "SELECT id, year FROM admissions_season WHERE level = 'kindergarten' AND state = 'open'"
    )[0]
    community, road, number = site.query(HOME, season)[0]
    head = sign_in("kindergarten")
    head.goto("/admissions/counter/")
    whole(head)
    head.get_by_text("录入纸质表").click()
    head.get_by_label("孩子姓名").fill(CHILD)
    # All faults at once, what was typed stays.
    head.get_by_role("button", name="提交并打印回执").click()
    expect(head.locator(".field--error").first).to_be_visible()
    expect(head.get_by_label("孩子姓名")).to_have_value(CHILD)
    whole(head)
    head.locator("[name=id_number]").fill(child_id(77, dt.date(year - 3, 3, 5)))
    head.locator("[name=guardian_name]").fill(MUM)
    head.locator("[name=relation]").select_option("52")
    head.locator("[name=guardian_id]").fill(child_id(931, dt.date(1991, 5, 5)))
    for outer in ("register", "home"):
        head.locator(f"[name={outer}__community]").select_option(community)
        head.locator(f"[name={outer}__road]").fill(road)
        head.locator(f"[name={outer}__number]").fill(str(number))
    head.locator("[name=register_date]").fill(f"{year - 3}-04-01")
    head.locator("[name=owner]").select_option("parent")
    head.locator("[name=share]").fill("100")
    head.locator("[name=title]").select_option("deed")
    head.locator("[name=title_date]").fill(f"{year - 6}-04-01")
    head.get_by_role("button", name="提交并打印回执").click()
    head.wait_for_url(re.compile(r"/counter/[A-Z0-9-]+/$"))
    reference = head.url.split("/")[-2]
    expect(head.locator("main")).to_contain_text(reference)
    whole(head)

    # The kindergarten looks at the papers and verifies.
    head.goto(f"/admissions/applications/{reference}/")
    whole(head)
    expect(head.locator("main")).to_contain_text("纸质表")
    head.get_by_role("button", name="核验通过").click()
    state = "SELECT state FROM cases_case WHERE number = %s"
    expect(head.locator("main")).to_be_visible()
    assert site.query(state, reference) == [("verified",)]

    officer, leader = sign_in("admissions"), sign_in("director")
    close(site, officer, season)
    give_places(officer, leader, season)

    head.goto("/admissions/school/")
    row = head.locator("tbody tr", has_text=reference)
    expect(row).to_contain_text(CHILD)
    expect(row).to_contain_text("待报到")
    assert site.query(state, reference) == [("placed",)]
