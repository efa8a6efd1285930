"""What else could have come, and the branches: read off the page, against the library."""

import re

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from lstm_lm import SamplingConfig
from lstm_lm.language_model import LanguageModel, load
from lstm_lm.ui.shelf.models import OPENING
from lstm_lm.writing.sampling import Ladder, ladder
from tests import reference
from tests.browser.conftest import Site
from tests.browser.test_inspector import STEP, TEXT, go_to, shown_number
from tests.browser.test_page import bench, read_with
from tests.conftest import float64_weights

pytestmark = pytest.mark.browser


def logits_after(model: LanguageModel, text: str, step: int) -> np.ndarray:
    """(V,) float64, by the plain equations."""
    ids = model.tokenizer.encode(text).tolist()
    return reference.run(float64_weights(model), model.config.cell, ids[: step + 1])[1][step]


def percent(p: float) -> str:
    if 0 < p < 0.0005:
        return "< 0.1 %"
    return f"{100 * p:.1f} %" if p else "0"


def two(value: float) -> str:
    return "−∞" if value == -np.inf else f"{value:.2f}".replace("-", "−")


def assert_shown(shown: Locator, rungs: Ladder, taken: int | None) -> None:
    """Every number of the ladder, to the digits shown."""
    card = shown.locator(".ladder")
    for token in rungs.order[:12].tolist():
        for kind, text in {
            "logit": two(float(rungs.logits[token])),
            "scaled": two(float(rungs.scaled[token])),
            "probability": percent(float(rungs.probabilities[token])),
        }.items():
            expect(card.locator(f"[data-{kind}='{token}']")).to_have_text(text)
        row = card.locator(f"[data-token='{token}']")
        rank = rungs.order.tolist().index(token)
        lefts = {
            "top-k": rungs.left_by_top_k, "top-p": rungs.left_by_top_p, "min-p": rungs.left_by_min_p
        }  # fmt: skip
        out = [rule for rule, left in lefts.items() if rank >= left]
        if out:
            expect(row.locator(".out")).to_have_text(f"out by {out[0]}")
        else:
            expect(row.locator(".out")).to_have_count(0)
    expect(card.locator("[data-bits=entropy]")).to_have_text(f"{rungs.entropy:.2f}")
    expect(card.locator("[data-bits=drawn_entropy]")).to_have_text(f"{rungs.drawn_entropy:.2f}")
    if taken is not None:
        expect(card.locator("tr.taken")).to_have_attribute("data-token", str(taken))
        expect(card.locator("[data-bits=surprise]")).to_have_text(f"{rungs.surprise(taken):.2f}")


def set_field(shown: Locator, name: str, value: float) -> None:
    shown.locator(f"[data-setting={name}]").fill(f"{value:g}")


def test_the_ladder_is_pythons_to_every_digit_shown_and_follows_its_settings(
    page: Page, site: Site
) -> None:
    shown = read_with(page, "tiny", TEXT)
    go_to(shown, STEP)
    model = load(site.tiny)
    logits = logits_after(model, TEXT, STEP)
    taken = int(model.tokenizer.encode(TEXT)[STEP + 1])
    assert_shown(shown, ladder(logits, SamplingConfig(temperature=1.0)), taken)
    answered: list[str] = []
    page.on("request", lambda request: answered.append(request.url))
    for settings in (
        {"temperature": 0.5},
        {"temperature": 0.5, "top_k": 4},
        {"temperature": 1.5, "top_k": 8, "top_p": 0.8},
        {"temperature": 1.5, "top_k": 0, "top_p": 1, "min_p": 0.3},
        {"temperature": 0},
    ):
        for name, value in settings.items():
            set_field(shown, name, value)
        wanted = {
            name: int(value) if name == "top_k" else value for name, value in settings.items()
        }
        if settings == {"temperature": 0}:
            wanted["min_p"] = 0.3
        assert_shown(shown, ladder(logits, SamplingConfig(**wanted)), taken)  # pyright: ignore[reportArgumentType]
    assert not answered  # from the stored logits, at once
    shown.get_by_role("button", name="as it was").click()
    assert_shown(shown, ladder(logits, SamplingConfig(temperature=1.0)), taken)
    expect(shown.get_by_role("button", name="as it was")).to_be_hidden()


def test_a_setting_out_of_range_changes_nothing(page: Page, site: Site) -> None:
    shown = bench(page)
    before = shown.locator(".rungs").inner_text()
    set_field(shown, "top_p", 7)
    set_field(shown, "top_k", -3)
    assert shown.locator(".rungs").inner_text() == before


def test_the_arithmetic_in_the_browser_is_pythons(page: Page, site: Site) -> None:
    generator = np.random.default_rng(0)
    cases = []
    for size in (3, 65, 500):
        for _ in range(20):
            logits = (generator.normal(size=size) * 4).astype(np.float32)
            logits[: size // 3] = logits[0]  # equals go by id
            settings = {
                "temperature": float(generator.choice([0, 0.001, 0.6, 1, 2])),
                "top_k": int(generator.choice([0, 1, size // 2, 10**4])) or None,
                "top_p": float(generator.choice([0.1, 0.63, 0.97, 1])),
                "min_p": float(generator.choice([0, 0.05, 0.9, 1])),
            }
            cases.append((logits, settings))
    found = page.evaluate(
        """async (cases) => {
          const source = [...performance.getEntriesByType('resource')]
            .map((entry) => entry.name).find((name) => name.endsWith('/sampling.js'));
          const { ladder } = await import(source);
          const plain = (values) => Array.from(values, (x) => x === -Infinity ? '-inf' : x);
          const arrays = ['logProbs', 'scaled', 'tempered', 'probabilities'];
          return cases.map(([logits, settings]) => {
            const rungs = ladder(Float32Array.from(logits), settings);
            return {...rungs, ...Object.fromEntries(arrays.map((k) => [k, plain(rungs[k])]))};
          });
        }""",
        [[logits.tolist(), settings] for logits, settings in cases],
    )
    for (logits, settings), ours in zip(cases, found, strict=True):
        theirs = ladder(logits, SamplingConfig(**settings))
        for name, values in (
            ("logProbs", theirs.log_probs), ("scaled", theirs.scaled),
            ("tempered", theirs.tempered), ("probabilities", theirs.probabilities),
        ):  # fmt: skip
            np.testing.assert_allclose(
                np.array(ours[name], dtype=np.float64), values, rtol=1e-9, atol=1e-12
            )
        assert ours["left"] == {
            "top_k": theirs.left_by_top_k, "top_p": theirs.left_by_top_p,
            "min_p": theirs.left_by_min_p,
        }  # fmt: skip
        assert (
            ours["order"][: theirs.left_by_min_p] == theirs.order.tolist()[: theirs.left_by_min_p]
        )
        assert ours["entropy"] == pytest.approx(theirs.entropy, abs=1e-9)
        assert ours["drawnEntropy"] == pytest.approx(theirs.drawn_entropy, abs=1e-9)


def token_button(shown: Locator, rank: int) -> Locator:
    """The button of the likeliest token that was not taken, the second likeliest, ..."""
    return shown.locator(".rungs tr[data-token]:not(.taken) .token").nth(rank)


def test_a_token_not_taken_grows_the_branch_that_python_writes(page: Page, site: Site) -> None:
    shown = bench(page)
    opening = site.handlers.shelf.get(site.real).opening
    step = go_to_text(shown, opening.tokens, "ROMEO:")
    button = token_button(shown, 0)
    token = int(
        shown.locator(".rungs tr:not(.taken)[data-token]").first.get_attribute("data-token") or -1
    )
    before = shown.locator(".scroller canvas").evaluate("canvas => canvas.height")
    button.click()
    row = shown.locator(".branches li")
    expect(row).to_have_count(1)
    model = load(site.real)
    sampling = SamplingConfig(
        max_new_tokens=max(120, opening.steps - step - 1), temperature=OPENING.temperature,
        seed=OPENING.seed,
    )  # fmt: skip
    steps = list(
        model.generate("", SamplingConfig(max_new_tokens=step, temperature=0.6, seed=OPENING.seed))
    )
    assert [each.token_id for each in steps] == opening.token_ids[1 : step + 1]
    written = list(model.branch(steps[-1], token, sampling))
    theirs = [each.token for each in written]
    first = next(
        step + 1 + k for k, each in enumerate(theirs) if each != opening.tokens[step + 1 + k]
    )
    assert first == step + 1
    expect(row).to_contain_text(f"Step {step + 2} is ")
    same = sum(a == b for a, b in zip(theirs, opening.tokens[step + 1 :], strict=False))
    both = min(len(theirs), opening.steps - step - 1)
    expect(row).to_contain_text(f"of the {both} steps both have, {same} have the same token")
    nats = sum(e.log_prob for e in written[:both]) - sum(opening.log_probs[step + 1 :][:both])
    expect(row).to_contain_text(f"{abs(nats):.1f} nats {'less' if nats < 0 else 'more'} likely")
    expect(shown.locator(".plot .spoken")).to_have_text(re.compile(r"^Branch 1\. Step \d+ is"))
    assert shown.locator(".scroller canvas").evaluate("canvas => canvas.height") > before
    # Inside the branch: its text, its numbers, and its own ladder.
    shown.get_by_role("button", name="Look inside branch 1").click()
    expect(shown.locator(".inside .title")).to_have_text(
        re.compile(rf"^Inside step {step + 2} of branch 1: unit \d+")
    )
    expect(shown.locator(".text")).to_have_text("".join(opening.tokens[: step + 1] + theirs))
    expect(shown.locator(".text .differs").first).to_be_visible()
    unit = int(re.findall(r"unit (\d+)", shown.locator(".inside .title").inner_text())[0])
    for name in ("forget_gate", "cell_state"):
        value = float(written[0].signals[name][0, unit])
        expect(shown.locator(f".inside [data-signal={name}]")).to_have_text(shown_number(value))
    assert_shown(shown, ladder(written[1].logits, OPENING), model.tokenizer.encode(theirs[1])[0])
    # The bar over the branch says how far apart the picture's signal is, at most.
    apart = [
        np.abs(each.signals["cell_state"] - opening.values[step + 1 + k, 4]).mean()
        for k, each in enumerate(written[:both])
    ]
    expect(shown.locator(".branch-key")).to_contain_text(f"full colour is {max(apart):.3f}.")


def go_to_text(shown: Locator, tokens: list[str], text: str) -> int:
    """Click the step before the first place where this stands in the text; returns the step."""
    step = "".join(tokens).index(text) - 1
    canvas = shown.locator(".scroller canvas")
    canvas.focus()
    canvas.press("Home")
    for _ in range(step // 20):
        canvas.press("PageDown")
    for _ in range(step % 20):
        canvas.press("ArrowRight")
    expect(shown.locator(".inside .title")).to_contain_text(f"Inside step {step + 1}:")
    expect(shown.locator(".ladder .told")).to_contain_text("came")
    return step


def test_the_token_taken_grows_the_same_text_again(page: Page, site: Site) -> None:
    shown = bench(page)
    shown.locator(".rungs tr.taken .token").click()
    row = shown.locator(".branches li")
    expect(row).to_contain_text(re.compile(r"in both: .* all \d+ tokens are the same"))
    shown.get_by_role("button", name="Look inside branch 1").click()
    expect(shown.locator(".inside .title")).to_contain_text("of branch 1")
    opening = site.handlers.shelf.get(site.real).opening
    expect(shown.locator(".text")).to_contain_text("".join(opening.tokens))  # and a little more
    expect(shown.locator(".text .differs")).to_have_count(0)


def test_three_branches_stand_and_each_can_be_removed(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    go_to(shown, STEP)
    rows = shown.locator(".branches li")
    for count in (1, 2, 3):
        token_button(shown, count).press("Enter")
        expect(rows).to_have_count(count)
    token_button(shown, 4).click()
    expect(shown.locator(".ladder .status")).to_contain_text("remove one")
    expect(rows).to_have_count(3)
    shown.get_by_role("button", name="Look inside branch 2").click()
    expect(shown.locator(".inside .title")).to_contain_text("of branch 2")
    shown.get_by_role("button", name="Remove branch 2").click()
    expect(rows).to_have_count(2)
    expect(shown.get_by_role("button", name="Remove branch 3")).to_be_focused()
    expect(shown.locator(".inside .title")).to_have_text(re.compile(r"^Inside step \d+: unit"))
    expect(shown.locator(".text")).to_have_text(TEXT)
    # A branch of a branch goes with it.
    shown.get_by_role("button", name="Look inside branch 1").click()
    expect(shown.locator(".inside .title")).to_contain_text("of branch 1")
    token_button(shown, 0).click()
    expect(rows).to_have_count(3)
    expect(shown.get_by_role("button", name="Remove branch 2")).to_be_visible()
    shown.get_by_role("button", name="Remove branch 1").click()
    expect(rows).to_have_count(1)
    expect(shown.get_by_role("button", name="Remove branch 3")).to_be_visible()


def test_a_branch_is_pointed_at_in_its_own_place(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    go_to(shown, STEP)
    token_button(shown, 0).click()
    expect(shown.locator(".branches li")).to_have_count(1)
    canvas = shown.locator(".scroller canvas")
    y = 354 + 4 + 36 + 60  # the middle of its picture
    canvas.click(position={"x": 10 * (STEP + 2) + 5, "y": y})
    expect(shown.locator(".inside .title")).to_contain_text(f"step {STEP + 3} of branch 1")
    expect(shown.locator(".plot .readout")).to_contain_text(f"branch 1 · step {STEP + 3} of")
    canvas.click(position={"x": 10 * (STEP - 2) + 5, "y": y})  # where there is no branch yet
    expect(shown.locator(".inside .title")).to_contain_text(f"step {STEP + 3} of branch 1")
    canvas.press("Home")  # and no key leads there
    expect(shown.locator(".inside .title")).to_contain_text(f"step {STEP + 2} of branch 1")


def test_a_new_text_has_no_branches(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    go_to(shown, STEP)
    token_button(shown, 0).click()
    expect(shown.locator(".branches li")).to_have_count(1)
    shown = read_with(page, "tiny", "bad cafe")
    expect(shown.locator(".branches li")).to_have_count(0)
    expect(shown.locator(".branch-key")).to_be_hidden()


def test_focus_stays_on_the_ladder_while_arrows_move(page: Page, site: Site) -> None:
    shown = read_with(page, "tiny", TEXT)
    go_to(shown, 2)
    token_button(shown, 1).focus()
    page.keyboard.press("ArrowRight")
    expect(shown.locator(".inside .title")).to_contain_text("Inside step 4:")
    expect(shown.locator(".ladder .told")).to_contain_text(f"After “↵” came “{TEXT[4]}”")
    assert page.evaluate("document.activeElement.className") == "token"
