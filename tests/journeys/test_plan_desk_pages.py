"""The desk's own pages hold what every page promises: the crawler of all pages may not get so far."""

import pytest

from tests.journeys.conftest import DESK, PHONE
from tests.journeys.test_every_page import violations

PAGES = (
    *("/sources/", "/sources/add/", "/supervision/", "/recurring/", "/recurring/add/"),
    *("/drafts/", "/drafts/add/", "/rounds/mine/", "/plans/{plan}/week/", "/plans/{plan}/rounds/"),
    *("/plans/{plan}/sheet/back/", "/plans/{plan}/versions/", "/sources/{source}/"),
    *("/supervision/{sheet}/", "/supervision/{sheet}/sheet/", "/drafts/{draft}/"),
)


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_no_page_of_the_desk_shuts_anybody_out(viewport, site, sign_in) -> None:
    known = {
        "plan": "SELECT max(plan_id) FROM workplan_round",
        "source": "SELECT max(id) FROM workplan_source",
        "sheet": (
            "SELECT max(number) FROM cases_case WHERE kind = 'supervision' AND state <> 'proposed'"
        ),
        "draft": "SELECT max(id) FROM workplan_draft",
    }
    values = {name: site.query(sql)[0][0] for name, sql in known.items()}
    page, wrong = sign_in("plan", viewport), []
    for address in PAGES:
        url = address.format(**values)
        response = page.goto(url)
        wrong += [f"{url}: {response.status}"] if response.status != 200 else []
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        wrong += [f"{url}: {over} px too wide"] if over > 0 else []
        wrong += [f"{url}: {text}" for text in violations(page)]
    assert not wrong, "\n".join(wrong)
