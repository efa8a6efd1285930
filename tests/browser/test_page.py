"""The page, as a person meets it: each test is a story, in a real browser."""

import re
import time

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.language_model import load
from tests import reference
from tests.browser.conftest import Site, fill_numbers, open_page
from tests.conftest import float64_weights

pytestmark = pytest.mark.browser
TEXT = "abc\nhead fade"


def bench(page: Page, view: str = "write") -> Locator:
    return page.locator(f"#{view}-bench")


def choose_model(page: Page, name: str) -> None:
    page.locator("#model input").click()
    page.get_by_role("option", name=re.compile(rf"{name}$")).click()


def read(page: Page, text: str) -> Locator:
    page.get_by_role("tab", name="Read").click()
    page.get_by_label("Your text").fill(text)
    shown = bench(page, "read")
    expect(shown.locator(".equations")).not_to_be_empty()  # it is drawn once it is first shown
    page.get_by_role("button", name="Read", exact=True).click()
    return shown


def read_with(page: Page, model: str, text: str) -> Locator:
    """Read a text with another model, and wait until it is shown."""
    choose_model(page, model)
    shown = read(page, text)
    expect(shown.locator(".text")).to_have_text(text)
    return shown


def write(page: Page, *, prompt: str = "", length: int = 60, pace: int = 400) -> Locator:
    page.get_by_label("Prompt").fill(prompt)
    settings = page.locator("#settings")
    if not page.get_by_label("Seed").is_visible():
        settings.get_by_role("button").first.click()
    fill_numbers(page, {"Length": length, "Pace": pace})
    page.get_by_role("button", name="Write", exact=True).click()
    return bench(page)


def test_the_page_is_full_before_anything_is_pressed(page: Page, site: Site) -> None:
    shown = bench(page)
    opening = site.handlers.shelf.get(site.real).opening
    expect(shown.locator(".sentence")).to_have_text(re.compile(r"Unit \d+ .* cell state|No unit"))
    expect(shown.locator(".text")).to_have_text("".join(opening.tokens))
    expect(shown.locator(".inside [data-signal]:not(:empty)")).to_have_count(6)
    painted = shown.locator(".scroller canvas").evaluate(
        "c => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 60, c.width, 200)"
        ".data.buffer)).size"
    )
    assert painted > 50  # colours of the heatmap, not an empty canvas


def test_write_streams_and_ends_with_the_text_that_python_writes(page: Page, site: Site) -> None:
    shown = write(page, prompt="ROMEO:", length=60, pace=60)
    expect(shown.locator(".progress")).to_have_text(re.compile(r"writing · \d+ of 66 steps"))
    expect(shown.locator(".progress")).to_have_text("66 steps", timeout=20_000)
    from lstm_lm import LanguageModel, SamplingConfig

    lm = LanguageModel.from_pretrained(site.real)
    sampling = SamplingConfig(max_new_tokens=60, temperature=0.6, seed=1)
    expect(shown.locator(".text")).to_have_text("ROMEO:" + lm.complete("ROMEO:", sampling))


def test_stop_stops_within_200_ms(page: Page, site: Site) -> None:
    shown = write(page, length=2000, pace=100)
    expect(shown.locator(".progress")).to_have_text(re.compile(r"writing · [2-9]\d of"))
    run = next(r for r in reversed(site.handlers.store._runs.values()) if r.capacity == 2001)
    page.get_by_role("button", name="Stop").click()
    pressed = run.steps
    expect(shown.locator(".progress")).to_have_text(re.compile(r"^\d+ steps$"))
    steps = run.steps
    assert steps - pressed <= 20  # at 100 a second, what 200 ms allow
    time.sleep(0.3)
    assert run.steps == steps < run.capacity
    expect(shown.locator(".progress")).to_have_text(f"{steps} steps")
    expect(shown.locator(".inside [data-signal]:not(:empty)")).to_have_count(6)


def test_every_colour_is_the_value_of_its_unit_and_step(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    shown.get_by_role("button", name="in order").click()
    shown.get_by_role("button", name=re.compile("^Forget gate")).click()
    page.keyboard.press("Escape")
    model = load(site.tiny)
    ids = model.tokenizer.encode(TEXT).tolist()
    gates = reference.run(float64_weights(model), "lstm", ids)[0]["forget_gate"][0]  # (T, H)
    # The middle of each cell, away from the rows' markers and the cursor's frame.
    colours = shown.locator(".scroller canvas").evaluate(
        """(canvas, [steps, units]) => {
          const context = canvas.getContext('2d');
          const at = (x, y) => Array.from(context.getImageData(x, y, 1, 1).data.slice(0, 3));
          return Array.from({ length: steps }, (_, t) => Array.from({ length: units }, (_, u) =>
            at(t * 10 + 4, 36 + Math.floor((u + 0.3) * 250 / units))));
        }""",
        [len(ids), gates.shape[1]],
    )
    ramp = page.evaluate(
        """async () => {
          const source = [...performance.getEntriesByType('resource')]
            .map((entry) => entry.name).find((name) => name.endsWith('/palette.js'));
          const { lookup } = await import(source);
          const rgb = (w) => [w & 255, (w >> 8) & 255, (w >> 16) & 255];
          return Array.from(lookup(false, false), rgb);
        }"""
    )
    # A byte is 1/255 of the gate's range; float64 may round to the neighbour.
    for t in range(1, len(ids)):  # step 0 lies under the left marker
        for unit in range(gates.shape[1]):
            byte = gates[t, unit] * 255
            allowed = [ramp[int(np.clip(np.floor(byte + d), 0, 255))] for d in (-0.01, 0.5, 1.01)]
            assert colours[t][unit] in allowed, (t, unit)


def test_a_plain_rnn_shows_its_hidden_state_and_no_gates(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny-rnn", TEXT)
    expect(shown.locator(".signals button")).to_have_count(1)
    expect(shown.locator(".equations")).to_contain_text("a plain RNN has no gates")


def test_changing_signal_or_layer_writes_nothing_again(page: Page, site: Site) -> None:
    shown = bench(page)
    text = shown.locator(".text").inner_text()
    runs = len(site.handlers.store)
    for name in ("Forget gate", "Input gate", "Candidate", "Output gate", "Hidden state"):
        shown.get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(shown.locator(".plot .readout")).to_contain_text(name.lower())
        expect(shown.locator(".plot .readout")).not_to_contain_text("…")
    expect(shown.locator(".text")).to_have_text(text)
    assert len(site.handlers.store) == runs


def test_hover_reads_out_token_unit_and_value(page: Page, site: Site) -> None:
    shown = bench(page)
    shown.locator(".scroller canvas").hover(position={"x": 305, "y": 120})
    expect(shown.locator(".plot .readout")).to_have_text(
        re.compile(r"step \d+ of 321 · .+ · layer 1 · unit \d+ · cell state −?\d+\.\d{3}")
    )


def test_clicking_the_text_pins_its_step(page: Page, site: Site) -> None:
    shown = read(page, "ROMEO:\nBut soft, what light")
    expect(shown.locator(".progress")).to_have_text("27 steps")
    shown.locator(".text").scroll_into_view_if_needed()
    box = shown.locator(".text").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 13, box["y"] + 10)  # the second letter of the first line
    expect(shown.locator(".inside .title")).to_contain_text("Inside step 2:")
    expect(shown.locator(".text mark")).to_have_text("O")


def test_an_empty_prompt_starts_from_a_newline_and_says_so(page: Page, site: Site) -> None:
    shown = write(page, length=20)
    expect(shown.locator(".notes")).to_have_text(
        "The prompt is empty, so the model starts from a newline."
    )
    expect(shown.locator(".progress")).to_have_text("21 steps")


def test_a_character_never_seen_is_named_and_the_rest_is_read(page: Page, site: Site) -> None:
    shown = read(page, "ROMEO: 5 € is enough for anyone at all")
    expect(shown.locator(".notes")).to_contain_text("has never seen '5' (U+0035), '€' (U+20AC)")
    expect(shown.locator(".text")).to_have_text("ROMEO:   is enough for anyone at all")


@pytest.mark.parametrize(
    "hostile",
    [
        "<img src=x onerror='window.hacked=1'>",
        "${window.hacked=1}{{window.hacked=1}}",
        "</pre><script>window.hacked=1</script>",
    ],
)
def test_markup_in_a_text_stays_text(page: Page, site: Site, hostile: str) -> None:
    shown = read(page, hostile + " and so on, and so on")
    expect(shown.locator(".text")).to_contain_text("and so on, and so on")
    assert page.evaluate("window.hacked") is None
    assert shown.locator("img, script").count() == 0


def test_a_prompt_of_100_000_characters_is_refused_and_kept(page: Page, site: Site) -> None:
    shown = bench(page)
    before = shown.locator(".text").inner_text()
    prompt = "to be or not to be " * 5300
    page.get_by_label("Prompt").fill(prompt)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(shown.locator(".notes")).to_contain_text("the page reads at most 4,000 tokens")
    expect(shown.locator(".text")).to_have_text(before)
    expect(page.get_by_label("Prompt")).to_have_value(prompt)


def test_everything_works_from_the_keyboard_and_is_spoken(page: Page, site: Site) -> None:
    shown = bench(page)
    canvas = shown.get_by_role("application")
    canvas.focus()
    canvas.press("Home")
    canvas.press("ArrowDown")
    canvas.press("Enter")
    expect(shown.locator(".plot .spoken")).to_have_text(
        re.compile(r"step 1 of 321 · .* · unit \d+ · cell state −?\d")
    )
    expect(shown.locator(".inside .title")).to_contain_text("Inside step 1:")
    canvas.press("Escape")
    expect(shown.locator(".inside .title")).to_have_text("Inside one step")


def test_no_request_leaves_the_machine(chromium: Browser, site: Site) -> None:
    page = chromium.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, site.url)
    outside = [url for url in asked if not url.startswith((site.url, "data:", "blob:"))]
    assert not outside
    page.close()


def test_read_opens_with_its_own_text_read(page: Page, site: Site) -> None:
    page.get_by_role("tab", name="Read").click()
    shown = bench(page, "read")
    expect(shown.locator(".text")).to_have_text(page.get_by_label("Your text").input_value())
