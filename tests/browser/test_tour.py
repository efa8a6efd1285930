"""The tour, walked from one end to the other, doing at each stop what it asks for."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from lstm_lm.insight.completion import compare
from lstm_lm.insight.examples import hidden_memory, open_choice
from lstm_lm.insight.keeping import longest_keep
from lstm_lm.language_model import load
from tests.browser.conftest import Site, assert_no_violation, open_page
from tests.browser.test_page import bench, choose_model

pytestmark = pytest.mark.browser


def begin(page: Page) -> Locator:
    page.get_by_role("button", name=re.compile("the tour$")).click()
    card = page.get_by_role("region", name="Tour").and_(page.locator(".stop"))
    expect(card).to_be_visible()
    return card


def seen(card: Locator, text: str | re.Pattern[str]) -> None:
    expect(card.locator(".seen")).to_contain_text(text)
    expect(card.locator(".next")).to_have_text(re.compile("Next|Finish"))


def on(card: Locator, name: str) -> None:
    card.locator(".next").click()
    expect(card.locator(".name")).to_have_text(name)
    expect(card.locator(".seen")).to_have_text("")


def shown_number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def typed(text: str) -> float:
    return float(text.replace("−", "-"))


def test_the_whole_tour_can_be_done_and_says_what_the_model_says(page: Page, site: Site) -> None:
    shown, opening = bench(page), site.handlers.shelf.get(site.real).opening
    row = {name: at for at, name in enumerate(opening.signal_names)}
    card = begin(page)
    expect(card.locator(".name")).to_have_text("One column a step")
    shown.locator(".scroller canvas").click(position={"x": 65, "y": 120})
    seen(card, "A layer has 512 units")
    on(card, "The memory is a conveyor")
    keep = longest_keep(opening.trace())
    at_unit(shown, keep.start, keep.unit)
    for _ in range(3):
        shown.get_by_role("button", name="Next step").click()
    seen(card, "of it was kept")
    on(card, "The forget gate keeps")
    shown.get_by_role("button", name=re.compile("^Forget gate")).click()
    shown.get_by_role("button", name="show me where").click()
    seen(card, shown.locator(".sentence").inner_text())
    on(card, "What if it were shut?")
    shown.get_by_role("button", name="What if").click()
    panel = shown.get_by_role("group", name="What if", exact=True)
    panel.get_by_label("Units whose signal is held").select_option("one")
    panel.get_by_role("button", name="Write again").click()
    expect(card.locator(".told")).to_contain_text("write once more")
    panel.get_by_label("Units whose signal is held").select_option("all")
    panel.get_by_role("button", name="Write again").click()
    seen(card, "With the forget gate of all 512 units of layer 1 held at 0")
    seen(card, re.compile("As it was: .+Now: .+", re.DOTALL))
    on(card, "The input gate writes")
    expect(shown.locator(".branches li")).to_have_count(0)
    shown.get_by_role("button", name=re.compile("^Input gate")).click()
    shown.get_by_role("button", name="show me where").click()
    shown.locator("[data-box=input_gate]").click()
    seen(card, "goes into the memory")
    step, unit = place(shown)
    gate = opening.values[step, row["input_gate"], 0, unit]
    seen(card, f"σ of that {shown_number(gate)}: {100 * gate:.0f} % of the candidate")
    on(card, "The output gate shows")
    place_of = hidden_memory(opening.trace())
    card.get_by_role("button", name=f"go to step {place_of.step + 1}").click()
    at_unit(shown, place_of.step, place_of.unit)
    hidden = opening.values[place_of.step, row["hidden_state"], 0, place_of.unit]
    seen(card, f"and h is {shown_number(hidden)}. What it holds stays.")
    on(card, "One step by hand")
    answer = card.get_by_label("The memory now")
    answer.fill("99")
    answer.press("Enter")
    expect(card.locator(".told")).to_contain_text("Not yet")
    given = re.findall(r"= (−?[\d.]+)", card.locator(".given").inner_text())
    f, before, i, g = map(typed, given)
    answer.fill(f"{f * before + i * g:.3f}".replace("-", "−"))
    answer.press("Enter")
    held = opening.values[place_of.step, row["cell_state"], 0, place_of.unit]
    seen(card, f"= {shown_number(held)}.")
    on(card, "A long memory")
    card.get_by_role("button", name=f"from step {keep.start + 1}").click()
    card.get_by_role("button", name=f"to step {keep.stop + 1}").click()
    seen(
        card,
        f"{keep.stop - keep.start} steps lie between, and {100 * keep.share:.0f} % of what "
        f"unit {keep.unit} held, {shown_number(keep.held)}, is still in its memory: "
        f"{shown_number(keep.share * keep.held)}.",
    )
    expect(shown.locator(".inside .title")).to_contain_text(
        f"step {keep.stop + 1}: unit {keep.unit} "
    )
    on(card, "Why a plain RNN forgets")
    page.get_by_role("tab", name="Memory").click()
    expect(page.locator("#memory .finding")).to_have_attribute("aria-busy", "false")
    seen(card, page.locator("#memory .sentence").inner_text())
    assert "gradient" in card.locator(".seen").inner_text()
    on(card, "What a unit has learned")
    shown.get_by_role("button", name=re.compile("^Cell state")).click()
    shown.get_by_role("button", name="show me where").click()
    seen(card, shown.locator(".sentence").inner_text())
    on(card, "From memory to text")
    step = open_choice(site.handlers.shelf.get(site.real).model, opening.trace())
    expect(shown.locator(".inside .title")).to_contain_text(f"step {step + 1}: ")
    expect(shown.locator(".ladder .told")).to_contain_text("After")
    shown.locator(".ladder [data-setting=temperature]").fill("1")
    shown.locator(".ladder .token:enabled").nth(1).click()
    expect(shown.locator(".branches li")).to_have_count(1)
    seen(card, shown.locator(".branches li .sentence-of").last.inner_text())
    on(card, "What LSTMs are for")
    tried = page.locator("#try")
    expect(tried.get_by_label("Second sentence")).not_to_have_value("")
    tried.get_by_label("Second sentence").fill("The king is bread.")
    model = load(site.real)
    seen(card, compare(model, "The king is dead.", "The king is bread.").sentence())
    on(card, "Tell two authors apart")
    expect(tried).to_be_visible()
    tried.get_by_role("button", name="Carroll · King James Bible").click()
    tried.get_by_role("button", name="Tell them apart").click()
    seen(card, "A linear probe on the hidden state tells Carroll from King James Bible for")
    card.locator(".next").click()
    expect(page.locator("#curves")).to_be_visible()
    expect(card.locator(".name")).to_have_text("Now train your own")
    card.get_by_role("button", name="Finish").click()
    expect(card).to_be_hidden()


def place(shown: Locator) -> tuple[int, int]:
    """The step and the unit that the inspector speaks of."""
    found = re.search(r"step (\d+): unit (\d+)", shown.locator(".inside .title").inner_text())
    assert found
    return int(found[1]) - 1, int(found[2])


def at_unit(shown: Locator, step: int, unit: int) -> None:
    expect(shown.locator(".inside .title")).to_contain_text(f"step {step + 1}: unit {unit} ")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_taken_up_where_it_was_left_and_fits_a_phone(
    page: Page, site: Site, theme: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, f"{site.url}?__theme={theme}")
    card = begin(page)
    expect(card).to_be_focused()
    card.get_by_role("button", name="Skip").click()
    expect(card.locator(".name")).to_have_text("The memory is a conveyor")
    card.locator("summary").click()
    expect(card.get_by_role("link", name=re.compile("^Hochreiter"))).to_have_attribute(
        "href", "https://doi.org/10.1162/neco.1997.9.8.1735"
    )
    box = card.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert_no_violation(page)
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    open_page(page, site.url)
    begin(page)
    expect(card.locator(".name")).to_have_text("The memory is a conveyor")


def test_a_plain_rnn_is_told_apart(page: Page, site: Site) -> None:
    choose_model(page, "tiny-rnn")
    expect(bench(page).get_by_role("button", name=re.compile("^Forget gate"))).to_have_count(0)
    card = begin(page)
    expect(card.locator(".task")).to_contain_text("is a plain RNN, without gates")
