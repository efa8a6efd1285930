"""The Memory view: numbers that are the models' own, chosen by click and key, on any text."""

import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.traces.reading import trace_tokens
from tests.browser.conftest import SERIOUS, Site, assert_no_violation, open_page
from tests.ui.views.test_memory import gradients

pytestmark = pytest.mark.browser

HIGH = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
TEXT = "abc abd\nhead cab dace\n" * 9


def memory(page: Page) -> Locator:
    page.get_by_role("tab", name="Memory").click()
    shown = page.locator("#memory")
    expect(shown.locator(".fading path").first).to_be_visible()
    expect(shown.locator(".points circle").first).to_be_visible()
    return shown


def tiny_memory(page: Page, site: Site) -> Locator:
    page.locator("#model input").click()
    page.get_by_role("option", name="tiny", exact=True).click()
    shown = memory(page)
    expect(shown.locator(".sentence")).to_contain_text("tiny (LSTM)")
    return shown


def numbers(shown: Locator) -> np.ndarray:
    """The table of a step: a row for each earlier token, the nearest first."""
    cells = shown.locator(".look tbody tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].slice(2).map((cell) => cell.textContent))"
    )
    return np.array(
        [[float(cell.replace(" × 10", "e").translate(HIGH)) for cell in row] for row in cells]
    )


def test_the_numbers_of_a_step_are_those_of_independent_arithmetic(page: Page, site: Site) -> None:
    shown = tiny_memory(page, site)
    shown.get_by_text("The numbers").click()
    canvas = shown.locator(".lines canvas")
    canvas.focus()
    canvas.press("Home")
    for _ in range(11):
        canvas.press("ArrowRight")
    expect(shown.locator("caption").first).to_contain_text("step 13")
    expect(shown.locator(".look .spoken")).to_contain_text("step 13")
    lstm, rnn = (site.handlers.shelf.get(name) for name in (site.tiny, site.tiny_rnn))
    ids = np.array(lstm.opening.token_ids)
    found = numbers(shown)[::-1]
    assert found.shape == (12, 4)
    for column, one in enumerate((lstm, rnn)):
        np.testing.assert_allclose(found[:, column], gradients(one.model, ids, 12), rtol=6e-2)
    unit = int(re.findall(r"unit (\d+)", shown.locator(".rows dt").nth(2).inner_text())[0])
    f = trace_tokens(lstm.model, ids)["forget_gate"][0].astype(np.float64)
    kept = np.array([np.prod(f[t + 1 : 12], axis=0) for t in range(12)])
    np.testing.assert_allclose(found[:, 2], kept[:, unit], rtol=6e-2)
    np.testing.assert_allclose(found[:, 3], np.median(kept, axis=1), rtol=6e-2)
    # A click chooses a step too: the fifth token of the first line.
    canvas.click(position={"x": 66 + 12 * 4 + 6, "y": 8})
    expect(shown.locator(".look .title")).to_contain_text("step 5")
    shown.get_by_role("button", name="Next step").click()
    expect(shown.locator(".look .title")).to_contain_text("step 6")


def test_a_text_of_ones_own_is_looked_at_and_a_bad_one_is_answered(page: Page, site: Site) -> None:
    shown = tiny_memory(page, site)
    expect(shown.locator(".contexts .told").first).to_contain_text("wrote this text itself")
    shown.get_by_text("Another text").click()
    field, go = shown.get_by_role("textbox"), shown.get_by_role("button", name="Look at it")
    field.fill("ab " * 300)
    go.click()
    expect(shown.locator(".status")).to_contain_text("this view takes at most 600")
    hostile = "<img src=x onerror='window.hacked=1'>"
    field.fill(TEXT + hostile)
    go.click()
    expect(shown.locator(".notes")).to_contain_text("never seen")
    expect(shown.locator(".contexts path")).to_have_count(2)
    expect(shown.locator(".contexts .told").first).to_contain_text("tokens of your text")
    assert page.evaluate("window.hacked") is None
    chart = shown.locator(".contexts .chart")
    chart.press("ArrowRight")
    expect(shown.locator(".contexts .spoken")).to_have_text(
        re.compile(r"^1 allowed · LSTM \d\.\d\d ± \d\.\d\d · plain RNN \d\.\d\d ± \d\.\d\d$")
    )
    square = shown.locator(".square").first
    square.press("Home")
    expect(shown.locator(".gates .spoken")).to_contain_text("unit 0 · forget gate open ")
    shown.get_by_role("button", name="Back to").click()
    expect(shown.locator(".contexts .told").first).to_contain_text("wrote this text itself")
    # Another model, chosen while another tab is open, is looked at on coming back.
    page.get_by_role("tab", name="Write").click()
    page.locator("#model input").click()
    page.get_by_role("option", name=site.real).click()
    page.get_by_role("tab", name="Memory").click()
    expect(shown.locator(".notes")).to_contain_text(
        f"no plain RNN with the same tokens to set beside {site.real}"
    )
    expect(shown.locator(".sentence")).to_contain_text(f"In {site.real} (LSTM) ")


@pytest.mark.parametrize(("theme", "width"), [("light", 390), ("dark", 1440)])
def test_no_axe_violation_and_nothing_wider_than_the_screen(
    chromium: Browser, site: Site, theme: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    sent: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("request", lambda request: sent.append(request.post_data or ""))
    open_page(page, f"{site.url}?__theme={theme}")
    assert not [body for body in sent if '"fading"' in body]  # not before it is opened
    shown = memory(page)
    assert len([body for body in sent if '"fading"' in body]) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = tiny_memory(page, site)  # whose tables are short: axe reads every cell
    shown.locator(".lines canvas").press("Home")
    for summary in shown.locator("summary").all():
        summary.click()
    expect(shown.locator(".gates tbody tr").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_no_violation(page, impacts=SERIOUS)
    assert not [url for url in asked if not url.startswith((site.url, "data:", "blob:"))]
    page.close()
