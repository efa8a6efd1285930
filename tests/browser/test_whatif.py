"""What if, as a person does it: held, zeroed and swapped, against the library's own numbers."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm import Intervention, SamplingConfig
from lstm_lm.cells.interventions import StateChange
from lstm_lm.language_model import load
from lstm_lm.ui.shelf.models import OPENING
from tests.browser.conftest import Site, open_page
from tests.browser.test_inspector import STEP, TEXT, go_to, shown_number, sticking_out
from tests.browser.test_ladder import go_to_text
from tests.browser.test_page import bench, read_with

pytestmark = pytest.mark.browser


def open_panel(shown: Locator) -> Locator:
    shown.get_by_role("button", name="What if").click()
    panel = shown.get_by_role("group", name="What if", exact=True)
    expect(panel).to_be_visible()
    return panel


def write_again(panel: Locator) -> None:
    panel.get_by_role("button", name="Write again").click()


def two(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def test_a_forget_gate_held_at_0_shows_the_librarys_text_and_numbers(
    page: Page, site: Site
) -> None:
    shown = bench(page)
    opening = site.handlers.shelf.get(site.real).opening
    step = go_to_text(shown, opening.tokens, "ROMEO:")
    panel = open_panel(shown)
    panel.get_by_label("Units whose signal is held").select_option("all")
    expect(panel.locator(".words")).to_have_text(
        f"Write again from step {step + 1} with the forget gate of all of layer 1 held at 0."
    )
    write_again(panel)
    row = shown.locator(".branches li")
    expect(row).to_have_count(1)
    model = load(site.real)
    hold = Intervention("forget_gate", layer=0, value=0.0, start=step)
    kept = "".join(opening.tokens[: step + 1])
    sampling = SamplingConfig(
        max_new_tokens=max(120, opening.steps - step - 1), temperature=OPENING.temperature,
        seed=OPENING.seed,
    )  # fmt: skip
    theirs = list(model.generate(kept, sampling, interventions=[hold]))
    tokens = [each.token for each in theirs]
    first = next(
        step + 1 + at for at, token in enumerate(tokens) if token != opening.tokens[step + 1 + at]
    )
    nats = model.effect("".join(opening.tokens), [hold])
    expect(row).to_contain_text(f"step {first + 1} is the first that differs")
    expect(row).to_contain_text(f"becomes {two(abs(nats))} nats {'less' if nats < 0 else 'more'}")
    shown.get_by_role("button", name="Look inside branch 1").click()
    expect(shown.locator(".text")).to_have_text(kept + "".join(tokens))
    expect(shown.locator(".text .first")).to_have_text(tokens[first - step - 1])
    box = shown.locator("[data-box=forget_gate]")
    unit = int(shown.locator(".inside .unit").input_value())
    was = float(opening.values[step, opening.signal_names.index("forget_gate"), 0, unit])
    expect(box).to_have_text(re.compile(rf"0\.000held; it would have been {was:.3f}$"))
    shown.get_by_role("button", name="Go to where branch 1 parts").click()
    expect(shown.locator(".inside .title")).to_contain_text(f"Inside step {first + 1} of branch 1")
    expect(shown.locator(".inside [data-signal=cell_state]")).to_have_text(
        shown_number(float(theirs[first - step - 1].signals["cell_state"][0, unit]))
    )


def test_a_text_that_was_read_goes_on_with_and_without_the_state_zeroed(
    page: Page, site: Site
) -> None:
    shown = read_with(page, "tiny", TEXT)
    unit = go_to(shown, STEP)
    panel = open_panel(shown)
    panel.get_by_role("button", name="zero the state").click()
    write_again(panel)
    rows = shown.locator(".branches li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("nothing changed")
    model = load(site.tiny)
    nats = model.effect(TEXT, [StateChange(STEP)])
    expect(rows.nth(1)).to_contain_text(
        f"becomes {two(abs(nats))} nats {'less' if nats < 0 else 'more'} likely"
    )
    sampling = SamplingConfig(max_new_tokens=120, temperature=1.0, seed=1)
    for number, changes in ((1, []), (2, [StateChange(STEP)])):
        written = model.complete(TEXT[: STEP + 1], sampling, interventions=changes)
        shown.get_by_role("button", name=f"Look inside branch {number}").click()
        expect(shown.locator(".text")).to_have_text(TEXT[: STEP + 1] + written)
    before = float(model.trace(TEXT)["cell_state"][0, STEP - 1, unit])
    expect(shown.locator("[data-box=c_before]")).to_contain_text(
        f"0.000put in place; it would have been {shown_number(before)}"
    )
    # A second change is measured against the same unchanged text; a third finds no room.
    shown.locator(".scroller canvas").focus()
    shown.get_by_role("button", name="Remove branch 2").click()
    go_to(shown, STEP)
    panel.get_by_role("button", name="hold a signal").click()
    panel.get_by_label("Units whose signal is held").select_option("several")
    panel.get_by_label("Units, such as").fill("3, 9")
    expect(panel.get_by_role("button", name="Write again")).to_be_disabled()
    expect(panel.locator(".words")).to_have_text("Name units from 0 to 7, such as 3, 7 or 12-20.")
    panel.get_by_label("Units, such as").fill("3, 5-7")
    panel.get_by_label("Value to hold it at").fill("1")
    write_again(panel)
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("forget gate of units 3, 5, 6 and 7 of layer 1 held at 1")
    write_again(panel)
    expect(rows).to_have_count(3)
    write_again(panel)
    expect(panel.get_by_role("status")).to_contain_text("remove a branch")


def test_another_texts_state_is_swapped_in_by_the_keyboard_alone(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny-rnn", TEXT)
    go_to(shown, STEP)
    shown.get_by_role("button", name="What if").focus()
    page.keyboard.press("Enter")
    panel = shown.get_by_role("group", name="What if", exact=True)
    options = panel.get_by_label("Signal to hold").locator("option")
    expect(options).to_have_text(["hidden state (output)"])  # all that an RNN has
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="swap the state")).to_be_focused()
    expect(panel.get_by_role("button", name="Write again")).to_be_disabled()
    page.keyboard.press("Tab")
    page.keyboard.type("deaf cab")
    expect(panel.locator(".words")).to_contain_text("as if the model had just read “deaf cab”")
    page.keyboard.press("Enter")
    row = shown.locator(".branches li").nth(1)
    model = load(site.tiny_rnn)
    change = StateChange(STEP, model.trace("deaf cab").final_state)
    nats = model.effect(TEXT, [change])
    expect(row).to_contain_text("With the state after reading “deaf cab” put in place")
    expect(row).to_contain_text(f"becomes {two(abs(nats))} nats")
    expect(shown.locator(".plot .spoken")).to_have_text(re.compile(r"^Branch 2\. With the state"))
    panel.get_by_label("Another text").focus()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(shown.get_by_role("button", name="What if")).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_axe_violation_and_nothing_wider_with_what_if_open(
    chromium: Browser, site: Site, theme: str
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    open_page(page, f"{site.url}?__theme={theme}")
    shown = bench(page)
    shown.get_by_role("button", name="What if").tap()
    write_again(shown.get_by_role("group", name="What if", exact=True))
    expect(shown.locator(".branches li")).to_have_count(1)
    shown.get_by_role("button", name="Look inside branch 1").tap()
    expect(shown.locator(".box.held")).to_be_visible()
    found = Axe().run(page, context="#write-bench").response["violations"]
    assert not [each["id"] for each in found], found
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert not sticking_out(shown)
    controls = shown.locator(".whatif :is(button, select, input):visible").all()
    boxes = [box for box in (each.bounding_box() for each in controls) if box]
    assert len(boxes) == 9
    assert min(box["height"] for box in boxes) >= 40  # a fingertip
    context.close()
