"""A leader with a telephone: from the message to the deed in two taps, and a note that is spoken."""

from playwright.sync_api import Page, expect

from tests.journeys.conftest import PHONE


def tap_message(page: Page) -> int:
    """The link of the day's message; what its text carries is `boards/digest.py`'s own test."""
    page.goto("/leader/")
    return 1


def test_two_taps_and_a_spoken_note(site, sign_in) -> None:
    leader = sign_in("deputy-support", PHONE)
    asked = "SELECT count(*) FROM workplan_extension WHERE state = 'granted'"
    before = site.query(asked)[0][0]
    taps = tap_message(leader)
    leader.locator(".leader-yes button[type=submit]").first.click()
    taps += 1
    expect(leader.locator("main, .messages").first).to_be_visible()
    expect(leader.locator("body")).to_contain_text("已同意")
    assert site.query(asked)[0][0] == before + 1 and taps <= 2

    waiting = "SELECT count(*) FROM workplan_roundreport WHERE state = 'confirmed'"
    signing = leader
    if not leader.locator("#sign-together").count():
        signing = sign_in("deputy-basic", PHONE)
    before = site.query(waiting)[0][0]
    taps = tap_message(signing)
    signing.locator("#sign-together button").click()
    taps += 1
    expect(signing.locator("body")).to_contain_text("已签")
    assert site.query(waiting)[0][0] < before and taps <= 2

    leader.goto("/leader/")
    task = leader.locator(".leader-list li", has=leader.locator("[data-voice]")).first
    task.locator("summary", has_text="批示").click()
    button = task.locator("[data-voice-button]")
    button.click()
    expect(task.locator("[data-voice-state]")).to_contain_text("已录 1 秒")
    button.click()
    expect(task.locator("[data-voice-state]")).to_contain_text("提交时一并送出")
    task.get_by_role("button", name="确认批示").click()
    player = leader.locator("audio.voice-player").first
    expect(player).to_be_visible()
    kept = site.query(
        "SELECT f.media_type, f.size FROM workplan_source s JOIN files_storedfile f ON f.id = s.file_id"
        " WHERE s.kind = 'note' AND s.text = ''"
    )
    assert kept[0][0] == "audio/webm" and kept[0][1] > 500
    player.evaluate("audio => audio.load()")
    player.evaluate(
        "audio => new Promise((good, bad) => { audio.onloadedmetadata = good;"
        " audio.onerror = bad; audio.preload = 'metadata'; audio.load(); }).then(() => true)"
    )
    width = leader.evaluate("() => document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
