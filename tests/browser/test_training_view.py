"""The Training view: curves that are the rows of metrics.jsonl, samples that are their samples."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.store.folder import BUNDLED, METRICS_FILE, read_metrics
from tests.browser.conftest import SERIOUS, Site, assert_no_violation, open_page

pytestmark = pytest.mark.browser

# Every run's drawn points: [step, x, y] of the validation circles, [x, y] of both paths.
DRAWN = """(svg) => Object.fromEntries([...svg.querySelectorAll('g[data-run]')]
  .filter((group) => group.querySelector('path'))
  .map((group) => [group.dataset.run, {
    circles: [...group.querySelectorAll('circle')].map((circle) =>
      [Number(circle.dataset.step), Number(circle.getAttribute('cx')), Number(circle.getAttribute('cy'))]),
    ...Object.fromEntries(['val', 'train'].map((kind) => [kind,
      group.querySelector(`path.${kind}`).getAttribute('d').slice(1).split('L')
        .map((pair) => pair.split(' ').map(Number))])),
  }]))"""  # noqa: E501


def training(page: Page) -> Locator:
    page.get_by_role("tab", name="Training").click()
    shown = page.locator("#curves")
    expect(shown.locator(".chart .place circle").first).to_be_visible()
    return shown


def drawn(shown: Locator) -> dict[str, Any]:
    return shown.locator(".chart").evaluate(DRAWN)


def assert_on_one_scale(values: list[float], pixels: list[float]) -> None:
    """The pixels are one linear function of the values, to a tenth of a pixel."""
    slope, offset = np.polyfit(values, pixels, 1)
    assert np.abs(slope * np.array(values) + offset - pixels).max() < 0.1
    assert abs(slope) > 0


def assert_drawn_as_rows(shown: Locator, along: str, x: str, y: str) -> None:
    """Every point of every run lies where its row puts it, on one pair of scales."""
    ways = {"linear": float, "log": lambda value: float(np.log(value))}
    xs: list[tuple[float, float]] = []
    ys: list[tuple[float, float]] = []
    found = drawn(shown)
    assert len(found) > 1
    for name, points in found.items():
        rows = read_metrics(BUNDLED / name)
        assert [point[0] for point in points["circles"]] == [row["step"] for row in rows]
        assert [point[1:] for point in points["circles"]] == points["val"]
        for row, val, train in zip(rows, points["val"], points["train"], strict=True):
            xs += [(ways[x](row[along]), val[0]), (ways[x](row[along]), train[0])]
            in_bits = row["train_loss"] * row["val_bpc"] / row["val_loss"]
            ys += [(ways[y](row["val_bpc"]), val[1]), (ways[y](in_bits), train[1])]
    for pairs in (xs, ys):
        assert_on_one_scale([value for value, _ in pairs], [pixel for _, pixel in pairs])


@pytest.fixture
def live_run(site: Site) -> Iterator[Path]:
    """The metrics.jsonl of the tiny model's folder, which is on offer once it is there."""
    path = Path(site.tiny) / METRICS_FILE
    yield path
    path.unlink(missing_ok=True)


def lines_of(*steps: int, sample: str = "wrote") -> str:
    rows = [
        {
            "step": step, "tokens": step * 10, "seconds": step / 10, "train_loss": 2.0,
            "val_loss": 2.0 - step / 1000, "val_bpc": 3.0 - step / 1000, "val_tokens": 100,
            "val_nats_per_character": 2.0, "learning_rate": 0.1, "sample": f"{sample} {step}",
        }
        for step in steps
    ]  # fmt: skip
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_the_view_opens_full_and_every_point_is_its_row(page: Page, site: Site) -> None:
    shown = training(page)
    expect(shown.locator(".sentence")).to_have_text(
        re.compile(r"^shakespeare-char fell from \d\.\d\d to \d\.\d\d bits a character; half of ")
    )
    expect(shown.locator(".evidence")).to_contain_text("stands")
    expect(page.get_by_role("checkbox", name="shakespeare-char")).to_be_checked()
    assert_drawn_as_rows(shown, "step", "linear", "linear")


def test_each_axis_can_be_logarithmic_and_count_something_else(page: Page, site: Site) -> None:
    shown = training(page)
    across = shown.get_by_role("group", name="Scale of the x axis")
    across.get_by_role("button", name="log").click()
    assert_drawn_as_rows(shown, "step", "log", "linear")
    up = shown.get_by_role("group", name="Scale of the y axis")
    up.get_by_role("button", name="log").click()
    for button, along in (("tokens", "tokens"), ("seconds", "seconds")):
        shown.get_by_role("button", name=button).click()
        assert_drawn_as_rows(shown, along, "log", "log")


def test_the_slider_goes_through_the_samples_and_marks_its_place(page: Page, site: Site) -> None:
    shown = training(page)
    panes = shown.locator(".samples .of")
    names: list[str] = panes.evaluate_all("panes => panes.map((pane) => pane.dataset.run)")
    assert names[:1] == [site.real]
    rows = {name: read_metrics(BUNDLED / name) for name in names}
    slider = shown.get_by_role("slider", name="Evaluation")
    longest = max(rows.values(), key=len)
    for place, row in enumerate(longest):
        slider.fill(str(place))
        share = row["step"] / longest[-1]["step"]
        for at, name in enumerate(names):
            last = rows[name][-1]["step"]
            nearest = min(rows[name], key=lambda each: abs(each["step"] / last - share))
            expect(panes.nth(at).locator("pre")).to_have_text(
                nearest["sample"], use_inner_text=False
            )
            index = rows[name].index(nearest)
            mark = shown.locator(f".place g[data-run='{name}'] circle")
            _, x, y = drawn(shown)[name]["circles"][index]
            assert float(mark.get_attribute("cx") or "nan") == x
            assert float(mark.get_attribute("cy") or "nan") == y
    expect(slider).to_have_attribute(
        "aria-valuetext", f"{len(longest)} of {len(longest)} · 100 % of each run"
    )


def test_the_curves_are_read_from_the_keyboard_and_spoken(page: Page, site: Site) -> None:
    shown = training(page)
    rows = read_metrics(BUNDLED / site.real)
    chart = shown.get_by_role("application")
    chart.focus()
    chart.press("End")
    last = rows[-1]
    bits = last["train_loss"] * last["val_bpc"] / last["val_loss"]
    expect(shown.locator(".spoken")).to_have_text(
        re.compile(
            f"^{site.real} · step {last['step']:,} · .* tokens · {last['seconds'] / 60:.1f} minutes"
            f" · training {bits:.2f} · validation {last['val_bpc']:.2f} bits a character$"
        )
    )
    chart.press("Enter")
    expect(shown.locator(".samples pre").first).to_have_text(last["sample"])
    chart.press("ArrowDown")
    expect(shown.locator(".spoken")).not_to_contain_text(site.real)
    chart.press("Escape")
    expect(shown.locator(".cursor circle")).to_have_count(0)


def test_hover_reads_out_the_nearest_evaluation(page: Page, site: Site) -> None:
    shown = training(page)
    step, x, y = drawn(shown)[site.real]["circles"][3]
    shown.locator(".chart").hover(position={"x": x + 2, "y": y - 2})
    expect(shown.locator(".where")).to_contain_text(f"{site.real} · step {step:,}")


def test_a_run_is_followed_while_it_is_trained(page: Page, site: Site, live_run: Path) -> None:
    hostile = "<img src=x onerror='window.hacked=1'>${window.hacked=1}"
    shown = training(page)
    live_run.write_text(lines_of(100, 200, sample=hostile))
    page.get_by_role("checkbox", name="tiny", exact=True).check(timeout=15_000)
    for name in page.locator("#runs input:checked").evaluate_all("boxes => boxes.map(b => b.name)"):
        if name != site.tiny:
            page.get_by_role("checkbox", name=name, exact=True).uncheck()
    expect(shown.locator(".samples .of")).to_have_count(1)
    expect(shown.locator(".sentence")).to_have_text(
        "tiny fell from 2.90 to 2.80 bits a character so far."
    )
    slider = shown.get_by_role("slider", name="Evaluation")
    slider.fill("1")
    # A row more, and the beginning of the next.
    live_run.write_text(lines_of(100, 200, 300, sample=hostile) + lines_of(400)[:60])
    expect(shown.locator(".sentence")).to_contain_text("to 2.70 bits", timeout=15_000)
    assert [point[0] for point in drawn(shown)[site.tiny]["circles"]] == [100, 200, 300]
    expect(shown.locator(".samples pre")).to_have_text(f"{hostile} 300")  # it was at the end
    expect(shown.locator(".spoken")).to_contain_text("New: tiny · step 300")
    assert page.evaluate("window.hacked") is None
    assert shown.locator("img").count() == 0
    page.get_by_role("checkbox", name="tiny", exact=True).uncheck()
    expect(shown.locator(".sentence")).to_have_text(re.compile("^Choose a run"))
    expect(shown.locator(".chart")).to_be_hidden()


def test_other_tabs_ask_for_nothing(page: Page, site: Site) -> None:
    training(page)
    page.get_by_role("tab", name="Write").click()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for _ in range(20):  # until what was asked before has been answered
        asked.clear()
        page.wait_for_timeout(1_000)
        if not asked:
            break
    asked.clear()
    page.wait_for_timeout(4_000)  # longer than the timer: nothing to wait for but its silence
    assert not asked


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_axe_violation_and_nothing_wider_than_the_screen(
    chromium: Browser, site: Site, theme: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, f"{site.url}?__theme={theme}")
    training(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_no_violation(page, impacts=SERIOUS)
    assert not [url for url in asked if not url.startswith((site.url, "data:", "blob:"))]
    page.close()
