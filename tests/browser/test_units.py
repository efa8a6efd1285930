"""A page for every unit: its numbers and colours are the model's, and each has an address."""

import base64
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.traces.palette import DIVERGING
from lstm_lm.ui.views.units.view import UnitView
from tests.browser.conftest import SERIOUS, Site, assert_no_violation, open_page
from tests.browser.test_page import choose_model

pytestmark = pytest.mark.browser

SPANS = """(found) => found.map((span) => [span.textContent,
  getComputedStyle(span).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)])"""


def units_of(page: Page) -> Locator:
    page.get_by_role("tab", name="Units").click()
    shown = page.locator("#unit-pages")
    expect(shown.locator(".highest li").first).to_be_visible()
    return shown


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


def signed(value: float) -> str:
    return number(value) if f"{value:.3f}".startswith("-") else f"+{value:.3f}"


def color(share: float) -> np.ndarray:
    """The page's light diverging palette at a value of -1..1, in 127 steps either way."""
    stops = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in DIVERGING])
    at = 0.5 + np.rint(np.clip(share, -1, 1) * 127) / 254
    return np.array([np.interp(at, np.linspace(0, 1, 5), channel) for channel in stops.T])


def assert_colored(spans: list[Any], tokens: list[str], values: np.ndarray, scale: float) -> None:
    """Each token has the colour of its value, to a step of the palette."""
    step = max(np.abs(color(at) - color(at + 1 / 127)).max() for at in np.linspace(-1, 0.99, 99))
    assert [text.replace("↵\n", "\n").replace("↵", "\n") for text, _ in spans] == tokens
    for (_, rgb), value in zip(spans, values, strict=True):
        assert np.abs(np.array(rgb) - color(value / scale)).max() <= step + 1, (rgb, value)


def assert_shows(shown: Locator, unit: dict[str, Any], tokens: list[str]) -> None:
    """What is on the page is the payload: sentence, peaks, colours, means, weights, scores."""
    expect(shown.locator(".sentence")).to_have_text(unit["sentence"])
    expect(shown.locator(".moves input")).to_have_value(str(unit["unit"]))
    state = next(iter(unit["extremes"]))
    values, scale = floats(unit["lines"][state]), unit["scales"][state]
    for side in ("highest", "lowest"):
        places = unit["extremes"][state][side]
        rows = shown.locator(f".{side} li")
        assert rows.locator(".number").all_inner_texts() == [number(p["value"]) for p in places]
        first = places[0]
        spans = rows.first.locator(".run span, .at").evaluate_all(SPANS)
        cut = slice(first["start"], first["stop"])
        assert_colored(spans, tokens[cut], values[cut], scale)
    for name, histogram in unit["histograms"].items():
        drawn = shown.locator(f'.histogram[data-signal="{name}"]')
        expect(drawn.locator("[data-mean]")).to_have_text(number(histogram["mean"]))
        counts = drawn.locator("rect").evaluate_all("all => all.map((r) => +r.dataset.count)")
        assert counts == [count for count in histogram["counts"] if count]
    pushed = [*unit["pushes_up"], *unit["pushes_down"]]
    assert shown.locator(".pushes .value").all_inner_texts() == [
        signed(p["weight"]) for p in pushed
    ]
    gate = next(iter(set(unit["writers"]) & {"forget_gate", "hidden_state"}))
    below = [w["effect"] for w in unit["from_below"].get(gate, [])]
    read = [w["weight"] for w in unit["read_from"].get(gate, [])]
    writers = [w["effect"] for w in unit["writers"][gate]] + below + read
    assert shown.locator(".writers .value").all_inner_texts() == [signed(w) for w in writers]
    scores = [d["units"][0] for d in unit["follows"]]
    assert shown.locator(".follows .value").all_inner_texts() == [
        number(value, 2) for s in scores for value in (s["score"], s["shuffled"])
    ]


def asked(view: UnitView, name: str, layer: int, unit: int) -> tuple[dict[str, Any], list[str]]:
    survey, answer = view.survey([name]), view.unit([name, layer, unit])
    assert survey
    assert answer
    return answer, survey["tokens"]


@pytest.fixture(scope="module")
def view(site: Site) -> UnitView:
    """What the page asks, asked beside it: the same seed writes the same text."""
    return UnitView(site.handlers.shelf)


def test_the_view_opens_on_a_unit_worth_looking_at_and_shows_what_is_measured(
    page: Page, site: Site, view: UnitView
) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.get_by_role("tab", name="Training").click()
    expect(page.locator("#curves .sentence")).not_to_be_empty()
    assert not [body for body in sent if "survey" in body]
    shown = units_of(page)
    assert len([body for body in sent if "survey" in body]) == 1  # not before it is in sight
    survey = view.survey([site.real])
    assert survey
    first = survey["worth"][0]
    assert_shows(shown, *asked(view, site.real, first["layer"], first["unit"]))
    expect(shown.locator(".evidence")).to_contain_text(survey["told"])
    links = shown.locator(".worth a")
    assert links.all_inner_texts() == [f"unit {w['unit']}" for w in survey["worth"]]
    expect(links.first).to_have_attribute("aria-current", "true")
    told = survey["worth"][-1]
    moved = view.sway([site.real, told["layer"], told["unit"], "cell_state"])
    assert moved
    expect(shown.locator(".worth li").last.locator("[data-moved]")).to_have_text(
        f"{100 * moved['moved']:.1f} %"
    )
    expect(shown.locator(".overview")).to_contain_text("when it is held")
    another = next(w for w in survey["worth"] if w["unit"] != first["unit"])
    links.filter(has_text=re.compile(rf"^unit {another['unit']}$")).first.click()
    assert_shows(shown, *asked(view, site.real, another["layer"], another["unit"]))


def test_every_unit_is_reached_by_number_key_and_link_and_colours_a_text(
    page: Page, site: Site, view: UnitView
) -> None:
    choose_model(page, "tiny")
    shown = units_of(page)
    expect(shown.locator(".layers button")).to_have_count(2)
    # Both are asked for before either is answered.
    shown.evaluate(
        """(root) => { root.querySelectorAll(".layers button")[0].click();
          const field = root.querySelector(".moves input");
          field.value = 6;
          field.dispatchEvent(new Event("change")); }"""
    )
    field = shown.get_by_role("spinbutton", name="Unit")
    assert_shows(shown, *asked(view, site.tiny, 0, 6))
    shown.get_by_role("button", name="Layer 2").click()
    assert_shows(shown, *asked(view, site.tiny, 1, 6))
    shown.get_by_role("button", name="Next unit").click()
    expect(shown.get_by_role("button", name="Next unit")).to_be_disabled()
    page.locator(".units .title").first.click()  # keys go to the page, not to a field
    page.keyboard.press("ArrowLeft")
    expect(field).to_have_value("6")
    field.fill("99")
    field.press("Enter")
    expect(field).to_have_value("6")
    link = shown.locator('.writers a[data-layer="0"]').first
    target = int(link.get_attribute("data-unit") or -1)
    link.click()
    answer, tokens = asked(view, site.tiny, 0, target)
    assert_shows(shown, answer, tokens)
    expect(shown.locator(".pushes .told")).to_have_text(re.compile("^Only layer 2 is read out"))
    hostile = "a head<img src=x onerror='window.hacked=1'>\nfade"
    shown.get_by_label("Your text, to be coloured by the unit").fill(hostile)
    unknown = shown.locator(".result .unknown").first
    expect(unknown).to_be_visible()
    expect(unknown).to_have_css("background-color", "rgba(0, 0, 0, 0)")  # it has no value
    expect(shown.locator(".own .status")).to_contain_text("never seen")
    shown.locator(".peaks").get_by_role("button", name="Hidden state").click()
    expect(shown.locator(".peaks .high")).to_have_text("+1.00")
    own = view.color([site.tiny, 0, target, "hidden_state", hostile])
    assert own
    first = floats(own["values"])[0]
    page.wait_for_function(
        "([r, g, b]) => { const c = getComputedStyle(document.querySelector('.result span'))"
        ".backgroundColor.match(/\\d+/g).map(Number);"
        " return Math.max(Math.abs(c[0] - r), Math.abs(c[1] - g), Math.abs(c[2] - b)) < 8; }",
        arg=color(first).tolist(),
    )
    spans = shown.locator(".result span:not(.unknown)").evaluate_all(SPANS)
    assert_colored(spans, own["tokens"], floats(own["values"]), 1.0)
    assert page.evaluate("window.hacked") is None


def test_a_link_leads_somebody_else_to_the_unit(page: Page, site: Site, view: UnitView) -> None:
    choose_model(page, "tiny-rnn")
    shown = units_of(page)
    expect(shown.locator(".histogram")).to_have_count(1)
    shown.get_by_role("button", name="Layer 2").click()
    shown.get_by_role("spinbutton", name="Unit").fill("3")
    shown.get_by_role("spinbutton", name="Unit").press("Enter")
    expect(shown.locator(".sentence")).to_contain_text("Unit 3 of layer 2")
    shown.get_by_role("button", name="Copy link").click()
    link = shown.locator(".address").input_value()
    assert "show=unit&model=tiny-rnn&" in link
    visitor = page.context.new_page()
    visitor.goto(link)
    theirs = visitor.locator("#unit-pages")
    expect(theirs.locator(".highest li").first).to_be_visible()
    assert_shows(theirs, *asked(view, site.tiny_rnn, 1, 3))
    expect(visitor.get_by_role("tab", name="Units")).to_have_attribute("aria-selected", "true")
    visitor.goto(link.replace("unit=3", "unit=8"))
    expect(visitor.locator("#write-bench .notes")).to_contain_text("unit is 8: here it can be 0")
    visitor.close()


def test_the_workbench_leads_to_the_page_of_the_unit_that_it_lays_open(
    page: Page, site: Site, view: UnitView
) -> None:
    inside = page.locator("#write-bench .inside")
    inside.get_by_role("spinbutton", name="unit").fill("37")
    inside.get_by_role("spinbutton", name="unit").press("Enter")
    expect(inside.locator(".title")).to_contain_text("unit 37 of layer 1")
    inside.get_by_role("button", name="its page").click()
    assert_shows(page.locator("#unit-pages"), *asked(view, site.real, 0, 37))


def test_no_axe_violation_in_light_or_dark_and_nothing_wider_than_the_screen(
    chromium: Browser, site: Site
) -> None:
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    open_page(page, f"{site.url}?__theme=light")
    shown = units_of(page)
    expect(shown.locator(".result span").first).to_be_attached()
    expect(shown.locator(".hold .swayed .bars").first).to_be_visible()
    # The person's text is painted as the other two are, which hold some thousand more letters.
    painted = {"exclude": [[".kwic .context"], [".whole"]]}
    for theme, width in (("light", 1440), ("dark", 390)):
        before = shown.locator(".result span").first.get_attribute("style") or ""
        if theme == "dark":
            page.evaluate("document.body.classList.add('dark')")
            expect(shown.locator(".result span").first).not_to_have_attribute("style", before)
        page.set_viewport_size({"width": width, "height": 900})
        expect(shown.locator(".help").first).to_be_visible(visible=width > 760)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_no_violation(page, context=painted, impacts=SERIOUS)
    assert not [url for url in requests if not url.startswith((site.url, "data:", "blob:"))]
    page.close()
