"""The Compare view: two models over one text, numbers that are the library's, both at a click."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from lstm_lm.insight.comparison import share
from lstm_lm.ui.views.compare.view import EXAMPLE
from tests.browser.conftest import SERIOUS, Site, assert_no_violation, open_page

pytestmark = pytest.mark.browser

PAINTED = """(heights) => {
    const canvas = document.querySelector("#compare .scroller canvas");
    const context = canvas.getContext("2d");
    const ratio = canvas.height / canvas.clientHeight;
    return heights.every((y) => {
        const { data } = context.getImageData(0, y * ratio, canvas.width, 1);
        return new Set(new Uint32Array(data.buffer)).size > 20;
    });
}"""
"""Whether the rows of the picture at these heights have the colours of a heatmap."""
BLANK = PAINTED.replace("size > 20", "size < 8")
TEXT = "abc abd\nhead cab dace\n" * 3


def compare(page: Page) -> Locator:
    page.get_by_role("tab", name="Compare").click()
    shown = page.locator("#compare")
    expect(shown.locator(".gave.right tbody tr").first).to_be_visible()
    return shown


def test_it_opens_full_with_the_run_beside_its_early_self(page: Page, site: Site) -> None:
    """On this page no other model has the same tokens."""
    shown = compare(page)
    early = f"{site.real}/snapshots/step-000050"
    expect(shown.get_by_role("combobox", name="Right model")).to_have_value(early)
    expect(shown.get_by_role("textbox")).to_have_value(EXAMPLE)
    model = site.handlers.shelf.get(site.real).model
    nats = -model.score(EXAMPLE) / (len(EXAMPLE) - 1)
    expect(shown.locator(".sentence")).to_have_text(
        re.compile(rf"^{site.real} finds this text likelier: {nats:.3f} nats a character, against ")
    )
    page.wait_for_function(PAINTED, arg=[100, 430])  # each comes with an answer of its own
    finding = shown.locator(".also button").first
    at = int(re.findall(r"\d+", shown.locator(".look .where").inner_text())[0])
    shown.locator(".scroller canvas").press("ArrowRight")
    expect(shown.locator(".look .where")).to_contain_text(f"character {at + 1} of {len(EXAMPLE)}")
    finding.click()
    expect(shown.locator(".look .where")).to_contain_text(f"character {at} of {len(EXAMPLE)}")


def test_a_click_shows_what_both_gave_and_the_numbers_are_the_librarys(
    page: Page, site: Site
) -> None:
    page.locator("#model input").click()
    page.get_by_role("option", name="tiny", exact=True).click()
    shown = compare(page)
    expect(shown.get_by_role("combobox", name="Right model")).to_have_value(site.tiny_rnn)
    shown.get_by_role("textbox").fill("<img src=x onerror='window.hacked=1'>")
    shown.get_by_role("button", name="Compare", exact=True).click()
    expect(shown.locator(".notes")).to_contain_text("tiny has never seen '<' (U+003C)")
    shown.get_by_role("textbox").fill("x" * 2_001)
    shown.get_by_role("textbox").press("Shift+Enter")
    expect(shown.locator(".status")).to_contain_text("at most 2,000")
    shown.get_by_role("textbox").fill(TEXT)
    shown.get_by_role("textbox").press("Shift+Enter")
    expect(shown.locator(".look .told").first).to_contain_text(f"reads {len(TEXT)} tokens")
    shown.locator(".scroller canvas").click(position={"x": 11 * 9 + 5, "y": 200})
    expect(shown.locator(".look .where")).to_contain_text(f"character 10 of {len(TEXT)} · “e”")
    expect(shown.locator(".look .spoken")).to_contain_text("character 10 of")
    for side, name in (("left", site.tiny), ("right", site.tiny_rnn)):
        model = site.handlers.shelf.get(name).model
        cost = model.score(TEXT[:9]) - model.score(TEXT[:10])
        card = shown.locator(f".gave.{side}")
        expect(card.locator("[data-gave=cost]")).to_have_text(f"{cost:.3f}")
        percent = float(card.locator("[data-gave=probability]").inner_text().removesuffix(" %"))
        assert percent == pytest.approx(100 * np.exp(-cost), rel=0.06)
        expect(card.locator(".came .number")).to_have_text(f"{share(np.exp(-cost))}")
    assert page.evaluate("window.hacked") is None
    shown.get_by_role("button", name="Swap").click()
    expect(shown.locator(".gave.left .title")).to_have_text("tiny-rnn")


def test_no_signal_is_shown_under_the_name_of_another(page: Page) -> None:
    shown = compare(page)
    page.wait_for_function(PAINTED, arg=[100, 430])
    held: list[Route] = []

    def hold(route: Route) -> None:
        if '"paint"' in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/component_server/", hold)
    signals = shown.get_by_role("group", name="Signal of").first.get_by_role("button")
    with page.expect_request(lambda request: '"paint"' in (request.post_data or "")):
        signals.first.click()
    page.wait_for_function(BLANK, arg=[100])
    page.wait_for_function(PAINTED, arg=[430])  # the other's is still its own
    held.pop().fulfill(json={"error": "this picture is not to be had: ask again"})
    expect(shown.locator(".status")).to_have_text("This picture is not to be had: ask again.")
    page.unroute("**/component_server/")
    signals.nth(1).click()
    page.wait_for_function(PAINTED, arg=[100, 430])
    expect(shown.locator(".status")).to_be_empty()


@pytest.mark.parametrize(("theme", "width"), [("dark", 390)])
def test_no_axe_violation_and_nothing_wider_than_the_screen(
    chromium: Browser, site: Site, theme: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    sent: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("request", lambda request: sent.append(request.post_data or ""))
    open_page(page, f"{site.url}?__theme={theme}")
    assert not [body for body in sent if '"compare"' in body]  # not before it is opened
    compare(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_no_violation(page, impacts=SERIOUS)
    assert not [url for url in asked if not url.startswith((site.url, "data:", "blob:"))]
    page.close()
