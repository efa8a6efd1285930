"""Findings that lead somewhere, rows sorted by what they follow, gates linked with rows."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lstm_lm.insight.detectors import unit_scores
from lstm_lm.insight.findings import overview
from lstm_lm.insight.properties import properties
from lstm_lm.insight.saturation import saturation
from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

BENCH = """async () => {
  const source = [...performance.getEntriesByType('resource')]
    .map((entry) => entry.name).find((name) => name.endsWith('/workbench/static/main.js'));
  return (await import(source)).benches.get('write-bench');
}"""


def test_other_findings_of_the_text_lead_to_their_place(page: Page, site: Site) -> None:
    trace = site.handlers.shelf.get(site.real).opening.trace()
    shown = page.locator("#write-bench")
    on_top = shown.locator(".sentence").inner_text()
    others = [f for f in overview(trace) if f.stands_out and f.sentence != on_top][:2]
    assert others
    expect(shown.locator(".also button")).to_have_text([f.sentence for f in others])
    wanted = others[-1]
    assert wanted.step is not None
    shown.locator(".also button").last.click()
    expect(shown.locator(".sentence")).to_have_text(wanted.sentence)
    expect(shown.locator(".against")).to_have_text(wanted.evidence)
    expect(shown.locator(".plot .where")).to_contain_text(f"step {wanted.step + 1} of ")


def test_rows_are_sorted_by_a_property_and_gates_are_linked_with_them(
    page: Page, site: Site
) -> None:
    trace = site.handlers.shelf.get(site.real).opening.trace()
    part = next(part for part in properties(trace.tokens) if part.key == "line")
    scores = unit_scores(trace, part, "cell_state", 0)
    order = np.argsort(-scores, kind="stable")
    shown = page.locator("#write-bench")
    shown.locator(".order .by").select_option("line")
    expect(shown.locator(".sentence")).to_contain_text("follows the position in the line")
    expect(shown.locator(".meaning")).to_contain_text("the band on top: the position in the line")
    bench = page.evaluate_handle(BENCH)
    assert bench.evaluate("bench => [...bench.view.order]") == order.tolist()

    shown.locator(".saturation > summary").click()
    found = saturation(trace)
    unit = int(order[0])
    point = shown.locator(f'.saturation svg[data-gate="forget_gate"] [data-unit="{unit}"]')
    point.hover(force=True)
    expect(shown.locator(".saturation .where")).to_contain_text(f"unit {unit} · forget gate open")
    at = bench.evaluate("bench => bench.view.pointed")
    assert found.right["forget_gate"][0, at] == found.right["forget_gate"][0, unit]
    assert (
        f"open {100 * found.right['forget_gate'][0, unit]:.0f} %"
        in shown.locator(".saturation .where").inner_text()
    )

    # And from the picture to the points: the top row is that unit.
    page.mouse.move(2, 2)
    canvas = shown.locator(".scroller canvas")
    canvas.focus()
    canvas.press("Home")
    for _ in range(3):
        canvas.press("ArrowRight")
    expect(shown.locator(".inside .title")).to_contain_text("Inside step 4: unit")
    pinned = bench.evaluate("bench => bench.view.unit")
    expect(shown.locator(".saturation .where")).to_contain_text(f"unit {pinned} ·")
