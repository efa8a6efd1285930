"""Inside one step, as a person reads it: every number against plain float64 equations."""

import math
import re

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.language_model import LanguageModel, load
from tests import reference
from tests.browser.conftest import Site, assert_no_violation, open_page
from tests.browser.test_page import bench, read, read_with
from tests.conftest import float64_weights

pytestmark = pytest.mark.browser
TEXT = "abc\nhead fade"
STEP = 6
ROWS = ("input_gate", "forget_gate", "candidate", "output_gate")  # of the weights


def shown_number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def shown_signed(value: float) -> str:
    shown = shown_number(value)
    return shown if shown.startswith("−") else f"+{shown}"


def go_to(shown: Locator, step: int) -> int:
    """Pin the step by the keyboard; returns the unit that is shown."""
    canvas = shown.locator(".scroller canvas")
    canvas.focus()
    canvas.press("Home")
    for _ in range(step):
        canvas.press("ArrowRight")
    title = shown.locator(".inside .title")
    expect(title).to_have_text(re.compile(rf"^Inside step {step + 1}: unit \d+ of layer"))
    return int(re.findall(r"unit (\d+)", title.inner_text())[0])


def equations_of(model: LanguageModel, text: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    ids = model.tokenizer.encode(text).tolist()
    signals, logits, _ = reference.run(float64_weights(model), model.config.cell, ids)
    return signals, logits


def read_by(
    model: LanguageModel, signals: dict[str, np.ndarray], layer: int, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """x and h_{t-1} of the layer at the step, float64."""
    h = signals["hidden_state"]
    token = model.tokenizer.encode(TEXT)[step]
    x = float64_weights(model)["embedding.weight"][token] if layer == 0 else h[layer - 1, step]
    return x, h[layer, step - 1] if step else np.zeros(h.shape[2])


@pytest.mark.parametrize("layer", [0, 1])
def test_every_number_of_a_step_is_the_equations_of_the_weights(
    page: Page, site: Site, layer: int
) -> None:
    shown = read_with(page, "tiny", TEXT)
    shown.get_by_role("button", name=f"Layer {layer + 1}").click()
    unit = go_to(shown, STEP)
    model = load(site.tiny)
    weights = float64_weights(model)
    signals, logits = equations_of(model, TEXT)
    inside = shown.locator(".inside")
    for name, values in signals.items():
        expect(inside.locator(f"[data-signal={name}]")).to_have_text(
            shown_number(values[layer, STEP, unit])
        )
    of = {name: float(values[layer, STEP, unit]) for name, values in signals.items()}
    before = float(signals["cell_state"][layer, STEP - 1, unit])
    kept, written = of["forget_gate"] * before, of["input_gate"] * of["candidate"]
    tanh_cell = math.tanh(of["cell_state"])
    for name, value in {
        "c_before": before, "kept": kept, "written": written, "tanh_cell": tanh_cell,
    }.items():  # fmt: skip
        expect(inside.locator(f"[data-value={name}]")).to_have_text(shown_number(value))
    ledger = {
        "c_before": before, "kept": kept, "written": written, "cell_state": of["cell_state"],
    }  # fmt: skip
    for name, value in ledger.items():
        expect(inside.locator(f".ledger [data-part={name}]")).to_have_text(shown_signed(value))
    x, h = read_by(model, signals, layer, STEP)
    total = {
        name: reference.sums(weights, layer, x.tolist(), h.tolist(), row)[unit]
        for row, name in enumerate(ROWS)
    }
    for name, value in total.items():
        expect(inside.locator(f".gate [data-sum={name}]")).to_have_text(shown_number(value))
    expect(inside.locator(".equations")).to_contain_text(
        f"c = f × c′ + i × g = {shown_number(of['forget_gate'])} × {shown_number(before)} + "
        f"{shown_number(of['input_gate'])} × {shown_number(of['candidate'])} = "
        f"{shown_number(of['cell_state'])}"
    )
    ids = model.tokenizer.encode(TEXT)
    log_prob = float(reference.log_softmax(logits)[STEP - 1, ids[STEP]])
    expect(inside.locator(".surprise")).to_contain_text(f"{100 * math.exp(log_prob):.1f} %")
    expect(inside.locator(".surprise")).to_contain_text(f"{-log_prob / math.log(2):.2f} bits")


@pytest.mark.parametrize("layer", [0, 1])
def test_a_gate_opens_into_its_sum_and_the_rest_dims(page: Page, site: Site, layer: int) -> None:
    shown = read_with(page, "tiny", TEXT)
    shown.get_by_role("button", name=f"Layer {layer + 1}").click()
    unit = go_to(shown, STEP)
    model = load(site.tiny)
    weights = float64_weights(model)
    signals, _ = equations_of(model, TEXT)
    x, h = read_by(model, signals, layer, STEP)
    panel = shown.locator(".sum")
    for gate, label in (("forget_gate", "Forget gate"), ("candidate", "Candidate")):
        box = shown.locator(f".gate[data-box={gate}]")
        box.click()
        expect(box).to_have_attribute("aria-expanded", "true")
        expect(panel.locator(".opened")).to_contain_text(f"{label}’s sum")
        expect(shown.locator(".box.dim")).to_have_count(9)  # all but the gate, x and h
        row = ROWS.index(gate) * 8 + unit
        bias = sum(weights[f"rnn.bias_{part}_l{layer}"][row] for part in ("ih", "hh"))
        of_x = weights[f"rnn.weight_ih_l{layer}"][row] * x
        of_h = weights[f"rnn.weight_hh_l{layer}"][row] * h
        parts = {
            "bias": bias, "x": of_x.sum(), "h": of_h.sum(), "total": bias + of_x.sum() + of_h.sum(),
        }  # fmt: skip
        for name, products in (("x", of_x), ("h", of_h)):
            largest = np.argsort(-np.abs(products))[:6]
            parts |= {f"{name} {k}": products[k] for k in largest}
            if len(products) > 6:
                parts[f"{name} rest"] = products.sum() - products[largest].sum()
        assert panel.locator("[data-part]").count() == len(parts)
        for name, value in parts.items():
            expect(panel.locator(f"[data-part='{name}']")).to_have_text(shown_signed(value))
    box.click()
    expect(panel).to_be_hidden()
    expect(shown.locator(".box.dim")).to_have_count(0)


def test_the_bars_of_the_ledger_add_up(page: Page, site: Site) -> None:
    shown = bench(page)
    edges = shown.locator(".ledger tr").evaluate_all(
        "rows => rows.map((row) => { const bar = row.querySelector('.length');"
        " return [bar.className, parseFloat(bar.style.left), parseFloat(bar.style.width)]; })"
    )
    assert len(edges) == 4
    ends = [
        (left + width, left) if "falls" in name else (left, left + width)
        for name, left, width in edges
    ]
    _, (zero, kept), (start, stop), (origin, now) = ends
    assert start == pytest.approx(kept, abs=0.01)
    assert stop == pytest.approx(now, abs=0.01)
    assert zero == pytest.approx(origin, abs=0.01)


def test_arrows_move_and_everything_follows(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    shown.get_by_role("button", name="in order").click()
    unit = go_to(shown, 2)
    model = load(site.tiny)
    signals, _ = equations_of(model, TEXT)
    gate = shown.locator(".gate[data-box=input_gate]")
    gate.focus()
    gate.press("Enter")
    gate.press("ArrowRight")
    down = unit + 1 if unit < 7 else unit - 1
    gate.press("ArrowDown" if unit < 7 else "ArrowUp")
    expect(shown.locator(".inside .title")).to_contain_text(f"Inside step 4: unit {down} of layer")
    expect(gate).to_be_focused()
    value = shown_number(signals["input_gate"][0, 3, down])
    expect(gate.locator("[data-signal]")).to_have_text(value)
    expect(shown.locator(".opened")).to_contain_text(f"= {value}")
    expect(shown.locator(".text mark")).to_have_text(TEXT[3], use_inner_text=False)
    cell = shown_number(signals["cell_state"][0, 3, down])
    spoken = shown.locator(".plot .spoken")
    expect(spoken).to_have_text(
        re.compile(rf"^step 4 of 13 · .* · layer 1 · unit {down} · cell state {cell}")
    )
    gate.press("Escape")
    expect(shown.locator(".sum")).to_be_hidden()
    # A held key asks faster than answers come: the last place is the one that is shown.
    canvas = shown.locator(".scroller canvas")
    canvas.focus()
    for _ in range(8):
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")
    expect(shown.locator(".inside .title")).to_contain_text("Inside step 12:")
    canvas.press("Enter")
    expect(spoken).to_have_text(re.compile(r"unit \d+ · cell state .*\. It keeps \d+ % of its"))


def test_buttons_and_a_number_move_where_there_are_no_arrow_keys(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    go_to(shown, 2)
    title = shown.locator(".inside .title")
    shown.get_by_role("button", name="Next step").click()
    expect(title).to_contain_text("Inside step 4:")
    field = shown.get_by_role("spinbutton", name="unit")
    field.fill("5")
    field.press("Enter")
    expect(title).to_contain_text("unit 5 of layer 1")
    field.fill("8")  # there are 8, from 0
    field.press("Enter")
    expect(field).to_have_value("5")
    expect(title).to_contain_text("unit 5 of layer 1")


def test_a_unit_named_in_a_sum_can_be_followed(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    shown.get_by_role("button", name="Layer 2", exact=True).click()
    go_to(shown, STEP)
    shown.locator(".gate[data-box=output_gate]").click()
    below, same = shown.locator(".products").all()
    name = same.get_by_role("button").first.inner_text()
    same.get_by_role("button").first.click()
    title = shown.locator(".inside .title")
    expect(title).to_contain_text(f"Inside step {STEP}: {name} of layer 2")
    name = below.get_by_role("button").first.inner_text()
    below.get_by_role("button").first.click()
    expect(title).to_contain_text(f"Inside step {STEP}: {name} of layer 1")
    expect(shown.get_by_role("button", name="Layer 1", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )


def test_a_gru_is_drawn_and_worked_out_as_a_gru(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny-gru", TEXT)
    unit = go_to(shown, STEP)
    signals, _ = equations_of(load(site.tiny_gru), TEXT)
    inside = shown.locator(".inside")
    of = {name: float(values[0, STEP, unit]) for name, values in signals.items()}
    for name, value in of.items():
        expect(inside.locator(f"[data-signal={name}]")).to_have_text(shown_number(value))
    before, keep = float(signals["hidden_state"][0, STEP - 1, unit]), of["update_gate"]
    parts = {"kept": keep * before, "written": (1 - keep) * of["candidate"]}
    for name, value in parts.items():
        expect(inside.locator(f"[data-value={name}]")).to_have_text(shown_number(value))
    for name, value in {"h_before": before, **parts, "hidden_state": of["hidden_state"]}.items():
        expect(inside.locator(f".ledger [data-part={name}]")).to_have_text(shown_signed(value))
    expect(inside.locator(".equations")).to_contain_text(
        f"h = z × h′ + (1 − z) × n = {shown_number(keep)} × {shown_number(before)} + "
        f"(1 − {shown_number(keep)}) × {shown_number(of['candidate'])} = "
        f"{shown_number(of['hidden_state'])}"
    )
    expect(inside.locator("[data-box=cell_state]")).to_have_count(0)
    inside.locator("[data-box=candidate]").click()
    sums = [inside.locator(f".sum [data-part={name}]") for name in ("bias", "x", "h", "total")]
    added = [float(each.inner_text().replace("−", "-")) for each in sums]
    assert sum(added[:3]) == pytest.approx(added[3], abs=0.002)  # each is rounded to a thousandth


def test_a_plain_rnn_is_one_sum(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny-rnn", TEXT)
    unit = go_to(shown, STEP)
    model = load(site.tiny_rnn)
    signals, _ = equations_of(model, TEXT)
    x, h = read_by(model, signals, 0, STEP)
    total = reference.sums(float64_weights(model), 0, x.tolist(), h.tolist(), 0)[unit]
    box = shown.locator(".gate")
    expect(box).to_have_count(1)
    expect(box.locator("[data-sum]")).to_have_text(shown_number(total))
    expect(box.locator("[data-signal]")).to_have_text(shown_number(math.tanh(total)))
    box.click()
    expect(shown.locator(".sum [data-part=total]")).to_have_text(shown_signed(total))
    expect(shown.locator(".ledger")).to_be_empty()


def sticking_out(shown: Locator) -> list[str]:
    """What reaches over the right edge of its card."""
    return shown.locator(".below").evaluate(
        """below => [...below.querySelectorAll('.card')].flatMap((card) => {
          const { right } = card.getBoundingClientRect();
          return [...card.querySelectorAll('*')]
            .filter((part) => part.offsetWidth && part.getBoundingClientRect().right > right)
            .map((part) => part.outerHTML.slice(0, 80));
        })"""
    )


def test_nothing_sticks_out_at_any_width(page: Page, site: Site) -> None:
    shown = bench(page)
    shown.locator(".gate[data-box=forget_gate]").click()
    expect(shown.locator(".sum")).to_be_visible()
    for width in (1600, 1301, 1300, 1140, 881, 880, 761, 760, 500, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert not sticking_out(shown), width


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_no_axe_violation_and_nothing_wider_with_all_of_it_open(
    chromium: Browser, site: Site, theme: str, width: int
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    open_page(page, f"{site.url}?__theme={theme}")
    shown = bench(page)
    shown.locator(".gate[data-box=forget_gate]").click()
    expect(shown.locator(".sum")).to_be_visible()
    shown.locator(".rungs tr:not(.taken) .token").first.click()
    expect(shown.locator(".branches li")).to_have_count(1)
    shown.locator("[data-setting=top_k]").fill("3")
    expect(shown.locator(".out").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not sticking_out(shown)
    assert_no_violation(page)
    page.close()


def test_a_finger_opens_a_gate(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    open_page(page, site.url)
    shown = bench(page)
    shown.locator(".gate[data-box=candidate]").tap()
    expect(shown.locator(".sum")).to_be_visible()
    # It opens right under its gate, and the other gates follow below.
    top = [
        (box or {})["y"]
        for box in (
            shown.locator(where).bounding_box()
            for where in (".gate[data-box=candidate]", ".sum", ".gate[data-box=output_gate]")
        )
    ]
    assert top == sorted(top)
    context.close()


def test_reading_again_keeps_the_opened_gate(page: Page, site: Site) -> None:
    shown = read(page, "ROMEO:\nBut soft, what light")
    expect(shown.locator(".progress")).to_have_text("27 steps")
    shown.locator(".gate[data-box=forget_gate]").click()
    read(page, "ROMEO:\nBut hard, what night")
    expect(shown.locator(".text")).to_contain_text("night")
    expect(shown.locator(".gate[data-box=forget_gate]")).to_have_attribute("aria-expanded", "true")
