"""The Find view: a span is dragged or keyed; its places, and units after marks, are true."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.insight.detectors import detect
from lstm_lm.insight.matching import Matching, match
from lstm_lm.insight.properties import marked
from lstm_lm.insight.state_index import StateIndex
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from tests.browser.conftest import SERIOUS, Site, assert_no_violation, open_page
from tests.browser.test_page import choose_model

pytestmark = pytest.mark.browser

OWN = "a head\nfade bad cab\n" * 12


def find(page: Page) -> Locator:
    page.get_by_role("tab", name="Find").click()
    shown = page.locator("#find")
    expect(shown.locator(".list li").first).to_be_visible()
    return shown


def own_text(page: Page, site: Site) -> tuple[Locator, GateTrace]:
    """The view on a text of one's own, read by the tiny model."""
    choose_model(page, "tiny")
    page.get_by_role("tab", name="Find").click()
    shown = page.locator("#find")
    shown.get_by_text("A text of your own").click()
    shown.get_by_label("Your text, of up to").fill(OWN + "<img src=x onerror='window.hacked=1'>")
    shown.get_by_role("button", name="Choose in it").click()
    expect(shown.locator(".from")).to_contain_text("of your text")
    expect(shown.locator(".notes")).to_contain_text("never seen")
    assert page.evaluate("window.hacked") is None
    tokens = shown.locator(".main [data-step]").evaluate_all("all => all.map((t) => t.textContent)")
    text = "".join(token.replace("↵\n", "\n") for token in tokens)
    model = site.handlers.shelf.get(site.tiny).model
    return shown, trace_tokens(model, np.array(model.tokenizer.encode(text)))


def assert_places(shown: Locator, found: Matching) -> None:
    """Chips, places and numbers on the page are these."""
    chips = [f"unit {unit}, {'high' if sign > 0 else 'low'}" for unit, sign in found.units]
    expect(shown.locator(".chip")).to_have_text(chips)
    expect(shown.locator(".list [data-place=union]")).to_have_text(
        [str(place.union) for place in found.matches]
    )
    expect(shown.locator(".list [data-place=shared]")).to_have_text(
        [f"{place.shared} of {len(found.units)}" for place in found.matches]
    )
    steps = shown.locator(".list li").evaluate_all(
        "all => all.map(({ dataset: { start, stop } }) => [+start, +stop])"
    )
    assert steps == [[place.start, place.stop] for place in found.matches]
    lit = shown.locator(".main .match").evaluate_all("all => all.map((t) => +t.dataset.step)")
    assert set(lit) == {at for start, stop in steps for at in range(start, stop)}


def assert_link_leads_back(chromium: Browser, shown: Locator) -> None:
    """Somebody else sees the same span and the same places."""
    shown.get_by_label("On means").fill("5")
    shown.get_by_role("button", name="End one token earlier").click()
    expect(shown.locator(".quantile")).to_contain_text("(quantile 0.95)")
    now = shown.locator(".now").first.inner_text()
    expect(shown.locator(".spoken")).to_contain_text(f"{now}. ")  # this span's answer is drawn
    sentence = shown.locator(".sentence").inner_text()
    shown.get_by_role("button", name="Copy link").click()
    link = shown.locator(".address").input_value()
    assert "show=find&model=shakespeare-char&" in link
    visitor = chromium.new_page()
    visitor.goto(link)
    theirs = visitor.locator("#find")
    expect(theirs.locator(".now").first).to_have_text(now)
    expect(theirs.locator(".quantile")).to_contain_text("(quantile 0.95)")
    expect(theirs.locator(".sentence")).to_have_text(sentence)
    visitor.close()


def test_a_span_is_dragged_and_keyed_and_its_places_are_those_of_the_library(
    page: Page, site: Site
) -> None:
    shown, trace = own_text(page, site)
    index = StateIndex.of_trace(trace, "hidden_state", 1)
    shown.get_by_role("button", name="Layer 2", exact=True).click()
    shown.get_by_role("button", name="Hidden state", exact=True).click()
    pane = shown.locator(".main")
    pane.evaluate("(pane) => pane.scrollIntoView({ block: 'center' })")
    pane.press("Control+Home")
    for step, way in ((0, page.mouse.down), (3, page.mouse.up)):
        box = shown.locator(f"[data-step='{step + 25}']").bounding_box()
        assert box
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=3)
        way()
    expect(shown.locator(".now").first).to_contain_text("steps 26 to 29")
    assert_places(shown, match(index, 25, 29))
    expect(shown.locator(".reason")).to_contain_text("No unit is on at all 4 steps of this span")
    pane.press("Shift+ArrowLeft")
    pane.press("Shift+ArrowLeft")
    expect(shown.locator(".now").first).to_contain_text("steps 26 to 27")
    assert_places(shown, match(index, 25, 27))
    shown.get_by_label("On means").fill("1")
    expect(shown.locator(".quantile")).to_contain_text("highest 30 %")
    shown.get_by_label("off just before").uncheck()
    found = match(index, 25, 27, threshold=0.7, off_before=False)
    assert_places(shown, found)
    shown.locator(".list .context").nth(1).click()
    here = shown.locator(".main .here").evaluate_all("all => all.map((t) => +t.dataset.step)")
    assert here == list(range(found.matches[1].start, found.matches[1].stop))
    shown.get_by_role("button", name="automatic").click()
    assert_places(shown, match(index, 25, 27, off_before=False))
    unit, _ = match(index, 25, 27, off_before=False).units[0]
    shown.locator(".chip").first.click()
    expect(page.locator("#unit-pages .moves input")).to_have_value(str(unit))


def test_marks_by_key_and_by_word_are_answered_with_the_units_that_follow(
    page: Page, site: Site
) -> None:
    shown, trace = own_text(page, site)
    shown.get_by_role("button", name="remove all marks").click()
    pane = shown.locator(".main")
    pane.press("Control+Home")
    pane.press("m")
    expect(shown.locator(".answer")).to_contain_text("it is found at 1 place in this text, and 4")
    shown.get_by_label("Mark every").fill("bad")
    shown.get_by_label("Mark every").press("Enter")
    starts = [at for at in range(len(OWN)) if OWN.startswith("bad", at)]
    spans = [(0, 1), *((at, at + 3) for at in starts)]
    detector = detect(trace, [marked(trace.tokens, spans)], keep=8).detectors[0]
    expect(shown.locator(".answer")).to_contain_text(f"{len(spans)} places marked.")
    expect(shown.locator(".answer")).to_contain_text(detector.sentence())
    expect(shown.locator(".followers [data-score=score]")).to_have_text(
        [f"{unit.score:.2f}" for unit in detector.units]
    )
    shown.locator(".followers .color").first.click()
    expect(shown.locator(".of-unit")).to_contain_text(f"unit {detector.best.unit}, ")
    expect(pane.locator("[data-step='5']")).to_have_attribute("style", re.compile("^background"))
    shown.get_by_role("button", name="Remove the mark").first.click()
    expect(shown.locator(".answer")).to_contain_text(f"{len(starts)} places marked.")


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_it_opens_full_with_no_axe_violation_and_nothing_wider_than_the_screen(
    chromium: Browser, site: Site, theme: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, f"{site.url}?__theme={theme}")
    shown = find(page)
    expect(shown.locator(".sentence")).to_contain_text("on all through “")
    expect(shown.locator(".followers li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if theme == "light":
        assert_link_leads_back(chromium, shown)
    shown, _ = own_text(page, site)  # a short one: axe reads every letter
    expect(shown.locator(".followers li").first).to_be_visible()
    shown.locator(".followers .color").first.click()
    expect(shown.locator(".of-unit")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_no_violation(page, context={"include": [["#find"]]}, impacts=SERIOUS)
    assert not [url for url in asked if not url.startswith((site.url, "data:", "blob:"))]
    page.close()
