"""The console in a real browser, before everything that is really there."""

from __future__ import annotations

import re
import statistics
from datetime import datetime

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.chromium import window
from tests.browser.conftest import Stack
from tests.browser.parcel import broken, hold
from tests.e2e.support.reviews import DIFF, inline

pytestmark = [pytest.mark.kafka, pytest.mark.e2e]

PATIENCE = 30_000
HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">\u202egnp.exe"
WAIT_FOR_END = """() => new Promise((tell) => {
  const part = document.getElementById("saga");
  const look = () => part.querySelector(".title .status").textContent.trim() === "completed" && tell(Date.now());
  new MutationObserver(look).observe(part, {subtree: true, childList: true, characterData: true});
  look();
})"""

expect.set_options(timeout=PATIENCE)


def row(page: Page, name: str) -> Locator:
    return page.locator("#list tbody tr").filter(has_text=f"{name}@1")


def command(page: Page, within: Locator, label: str, reason: str) -> None:
    """Open an action, give a reason, and ask for it."""
    action = within.locator("details.act").filter(has=page.locator("summary", has_text=re.compile(f"^{label}")))
    action.locator("summary").click()
    action.get_by_label("Reason").fill(reason)
    action.get_by_role("button", name=label).click()


def test_a_saga_started_while_the_list_is_open_appears_and_moves_without_reload(page: Page, stack: Stack) -> None:
    page.evaluate("() => { window.isTheSamePage = true }")
    held = hold(stack.folder, "appears")
    held.touch()
    stack.send("appears", "Fragile")
    expect(row(page, "appears")).to_contain_text("Fragile")
    row(page, "appears").locator("input.tick").check()
    held.unlink()
    expect(row(page, "appears").locator(".status")).to_have_text("completed")
    expect(row(page, "appears").locator("input.tick")).to_be_checked()
    assert page.evaluate("() => window.isTheSamePage") is True


def test_a_paused_saga_says_why_and_goes_on_by_the_button(page: Page, stack: Stack) -> None:
    held = hold(stack.folder, "paused")
    held.touch()
    address = stack.send("paused")
    stack.until_known("paused@1", "running")
    page.goto(address)
    command(page, page.locator("#actions"), "Pause", "the van is late")
    expect(page.locator("#notice")).to_contain_text("Pause has been asked for")
    expect(page.locator("#reason")).to_contain_text("the van is late")
    expect(page.locator("#reason")).to_contain_text("ada")
    command(page, page.locator("#actions"), "Resume", "it is here")
    expect(page.locator(".title .status")).to_have_text("running")
    held.unlink()
    expect(page.locator(".title .status")).to_have_text("completed")
    expect(page.locator("#events")).to_contain_text("parcel.weighed")


def test_a_step_that_is_paused_says_so_in_the_topology_and_is_resumed_there(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/topology")
    section = page.locator("section", has=page.get_by_role("heading", name="parcel"))
    section.get_by_label("What to pause or resume").select_option("step:parcel/weigh")
    section.get_by_role("button", name="Pause…").click()
    page.get_by_label("Reason").fill("the scale is away")
    page.get_by_role("button", name="Pause all of it").click()
    pause = section.get_by_label("Pause", exact=True)
    expect(pause).to_contain_text("Paused: the step parcel/weigh, by ada")
    expect(pause).to_contain_text("the scale is away")
    expect(section.locator(".draw-across .state-paused")).to_have_count(1)
    stack.send("held-up")
    pause.get_by_role("button", name="Resume all of it").click()
    page.get_by_role("button", name="Resume all of it").click()
    expect(pause).to_have_count(0)
    stack.until_known("held-up@1", "completed")


def test_an_incident_is_solved_from_the_inbox(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/incidents")
    mark = broken(stack.folder, "heavy")
    mark.touch()
    stack.send("heavy")
    card = page.locator("#inbox .card").filter(has_text="heavy@1")
    expect(card).to_contain_text("the scale is broken")
    mark.unlink()
    command(page, card, "Retry", "there is a new scale")
    expect(page.locator("#inbox .card").filter(has_text="heavy@1")).to_have_count(0)
    stack.until_known("heavy@1", "completed")


def test_many_are_cancelled_after_a_confirmation_with_their_number(page: Page, stack: Stack) -> None:
    names = ("many-1", "many-2")
    for name in names:
        hold(stack.folder, name).touch()
        stack.send(name)
    page.goto(f"{stack.url}/sagas?key_prefix=many-&status=running")
    for name in names:
        row(page, name).locator("input.tick").check()
    page.get_by_role("button", name="Cancel …").click()
    expect(page.locator("h1")).to_have_text("Cancel 2 sagas?")
    page.get_by_label("Reason").fill("nobody wants them")
    page.get_by_role("button", name="Cancel 2 sagas").click()
    expect(page.locator("#notice")).to_contain_text("of 2 sagas")
    page.goto(f"{stack.url}/sagas?key_prefix=many-")
    for name in names:
        stack.until_known(f"{name}@1", "cancelling")
        hold(stack.folder, name).unlink()
        expect(row(page, name).locator(".status")).to_have_text("cancelled")


def test_a_filter_is_in_the_address_and_the_list_obeys_while_one_types(page: Page, stack: Stack) -> None:
    stack.send("needle", "Needle in a haystack")
    stack.send("straw", "Straw")
    stack.until_known("needle@1", "completed")
    stack.until_known("straw@1", "completed")
    page.goto(f"{stack.url}/sagas")
    page.get_by_label("Search").fill("NEEDLE")
    expect(row(page, "straw")).to_have_count(0)
    expect(row(page, "needle")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/sagas\?q=NEEDLE$"))
    page.reload()
    expect(row(page, "straw")).to_have_count(0)


def test_a_finding_is_found_at_its_line(page: Page, stack: Stack) -> None:
    stack.review(inline("acme/pay", 1, DIFF))
    stack.until_known(f"acme/pay#1@{'b' * 12}", "completed")
    page.goto(f"{stack.url}/sagas?key_prefix=acme%2Fpay")
    page.locator("#list .what a").first.click()
    page.get_by_role("link", name="the diff with its findings").click()
    lines = page.locator(".draw-diff tr")
    shown = lines.all_inner_texts()
    at = next(number for number, line in enumerate(shown) if "eval(amount)" in line)
    assert re.search(r"eval|code", shown[at + 1])
    expect(lines.nth(at + 1).locator(".draw-finding").first).to_be_visible()


def test_hostile_titles_stay_text(page: Page, stack: Stack) -> None:
    address = stack.send("hostile", HOSTILE)
    stack.until_known("hostile@1", "completed")
    for place in (f"{stack.url}/sagas?key_prefix=hostile", address):
        page.goto(place)
        expect(page.locator("main")).to_contain_text("<script>document.title='taken'</script>")
        expect(page.locator("main")).to_contain_text("⟨U+202E⟩gnp.exe")
        assert "taken" not in (page.title().split(" · ")[-1])
        assert page.evaluate("() => document.title") != "taken"
        assert page.locator("main img").count() == 0


def test_the_end_of_a_step_is_on_the_open_page_within_a_second(page: Page, stack: Stack) -> None:
    late: list[float] = []
    for name in ("quick-1", "quick-2", "quick-3"):
        held = hold(stack.folder, name)
        held.touch()
        address = stack.send(name)
        stack.until_known(f"{name}@1", "running")
        page.goto(address)
        expect(page.locator("#standing")).to_have_text("live")
        held.unlink()
        shown = page.evaluate(WAIT_FOR_END)
        reply = stack.views.get(f"/sagas/{name}%401")
        assert reply is not None
        late.append(shown / 1000 - datetime.fromisoformat(reply.body["ended_at"]).timestamp())
    assert statistics.median(late) < 1.0, late


def test_the_keyboard_reaches_the_content_and_an_action(page: Page, stack: Stack) -> None:
    held = hold(stack.folder, "keys")
    held.touch()
    address = stack.send("keys")
    stack.until_known("keys@1", "running")
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.locator("#actions summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#actions details[open]").get_by_label("Reason")).to_be_visible()
    held.unlink()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("is_dark", [False, True])
def test_nothing_hinders_anybody_on_any_page(
    browser: Browser, stack: Stack, mistakes: list[str], width: int, is_dark: bool
) -> None:
    stack.send("seen", HOSTILE)
    stack.until_known("seen@1", "completed")
    with window(browser, mistakes, width, is_dark=is_dark) as context:
        page = context.new_page()
        for path in ("/sagas", "/sagas/seen%401", "/incidents", "/dead-letters", "/topology", "/login"):
            page.goto(f"{stack.url}{path}")
            page.wait_for_load_state("networkidle" if path in {"/dead-letters", "/login"} else "load")
            found = Axe().run(page).response["violations"]
            assert [one for one in found if one["impact"] in {"serious", "critical"}] == [], path
            assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), path
