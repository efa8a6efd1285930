"""Findings on planted cases with a known answer, and silence where there is nothing."""

import numpy as np
import pytest

from lstm_lm.insight.findings import find
from lstm_lm.insight.order import alike_together
from lstm_lm.insight.properties import properties, token_kinds
from lstm_lm.trace import GateTrace

TEXT = list("the first line is here\nand the second one\nthen a third line of it\nfour\n" * 6)


def planted(signal: str, values: np.ndarray) -> GateTrace:
    return GateTrace(
        tokens=TEXT,
        token_ids=np.zeros(len(TEXT), np.int64),
        signals={signal: values[None].astype(np.float32)},
        log_probs=np.zeros(len(TEXT), np.float32),
    )


def noise(units: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.4, 0.6, (len(TEXT), units))


def test_a_layer_that_forgets_at_line_ends_is_found_with_its_numbers() -> None:
    values = noise()
    ends = np.array([token == "\n" for token in TEXT])
    values[ends] -= 0.35
    found = find(planted("forget_gate", values), "forget_gate", 0)
    inside, outside = values[ends].mean(), values[~ends].mean()
    assert found.sentence == (
        f"Layer 1 forgets most at a line's end: mean forget gate {inside:.2f} there, "
        f"{outside:.2f} elsewhere."
    )
    assert found.step is not None
    assert TEXT[found.step] == "\n"


def test_a_unit_that_counts_the_line_is_found() -> None:
    values = noise()
    position = next(p for p in properties(TEXT) if p.name == "the position in the line").values
    values[:, 11] = -position / 10 + values[:, 11] / 10
    found = find(planted("cell_state", values), "cell_state", 0)
    assert found.unit == 11
    assert found.sentence.startswith("Unit 11 follows the position in the line: |r| = 1.00")


@pytest.mark.parametrize("signal", ["forget_gate", "cell_state"])
def test_noise_seldom_yields_a_finding(signal: str) -> None:
    # Each of the 30 is said with a chance of at most 1 in 20 (95 of 100 shifts), and must also
    # pass a threshold: 8 or more of 30 would happen once in 10,000.
    said = 0
    for seed in range(30):
        sentence = find(planted(signal, noise(seed=seed)), signal, 0).sentence
        said += not sentence.startswith(("In this text no", "No unit"))
    assert said < 8


def test_a_text_too_short_says_so() -> None:
    trace = GateTrace(
        tokens=["a"],
        token_ids=np.zeros(1, np.int64),
        signals={"forget_gate": np.zeros((1, 1, 3), np.float32)},
        log_probs=np.zeros(1, np.float32),
    )
    assert "1 steps are too few" in find(trace, "forget_gate", 0).sentence


def test_kinds_and_properties_are_those_of_the_text() -> None:
    kinds = {kind.name: kind.where.tolist() for kind in token_kinds(list("A b\n"))}
    assert kinds["at a line's end"] == [False, False, False, True]
    assert kinds["at a space"] == [False, True, False, False]
    assert kinds["at a word's first letter"] == [True, False, True, False]
    assert kinds["at a capital letter"] == [True, False, False, False]
    values = {p.name: p.values.tolist() for p in properties(list("ab c\n  d"))}
    assert values["the position in the line"] == [1, 2, 3, 4, 0, 1, 2, 3]
    assert values["the letters since the last space"] == [1, 2, 0, 1, 0, 0, 0, 1]
    assert values["the depth of indentation"] == [0, 0, 0, 0, 0, 1, 2, 2]


def test_subword_tokens_are_counted_at_their_last_character() -> None:
    values = {p.name: p.values.tolist() for p in properties(["To", " be", "\n", "or"])}
    assert values["the position in the line"] == [2, 5, 0, 2]


def test_units_that_behave_alike_lie_together() -> None:
    rng = np.random.default_rng(3)
    waves = np.stack([np.sin(np.arange(200) / 9), np.cos(np.arange(200) / 5)])
    kind = rng.integers(2, size=24)
    values = (waves[kind] + 0.1 * rng.normal(size=(24, 200))).T.astype(np.float32)
    order = alike_together(values)
    assert sorted(order.tolist()) == list(range(24))
    # Two groups on a circle that is cut once: at most two borders between them.
    assert np.count_nonzero(np.diff(kind[order])) <= 2
