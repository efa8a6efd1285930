"""Findings on planted cases with a known answer, and silence where there is nothing."""

import numpy as np
import pytest

from lstm_lm.insight.findings import find, find_longest, find_surprise, longest_hold, overview
from lstm_lm.insight.order import alike_together
from lstm_lm.insight.properties import properties, token_kinds
from lstm_lm.traces.trace import GateTrace
from tests.planted import HALVER, LATCH, delay_rnn, hand_set_lstm

LINES = (
    "the first line is here\n",
    "and the second one\n",
    "then a third line of it\n",
    "four\n",
    "while the fifth of them all is longer\n",
)
# In no regular order: a text that repeats itself exactly is also right when it is shifted.
TEXT = list("".join(LINES[i] for i in np.random.default_rng(2).integers(len(LINES), size=36)))


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
    assert (found.kind, found.stands_out, found.signal, found.layer) == (
        "acts",
        True,
        "forget_gate",
        0,
    )


def test_a_unit_that_counts_the_line_is_found() -> None:
    values = noise()
    position = next(p for p in properties(TEXT) if p.name == "the position in the line").values
    values[:, 11] = -position / 10 + values[:, 11] / 10
    found = find(planted("cell_state", values), "cell_state", 0)
    assert found.unit == 11
    assert found.sentence.startswith(
        "Unit 11 of layer 1 follows the position in the line: |r| = 1.00"
    )


@pytest.mark.parametrize("signal", ["forget_gate", "cell_state"])
def test_noise_seldom_yields_a_finding(signal: str) -> None:
    # Each of the 30 is said with a chance of at most 1 in 20 (95 of 100 shifts), and must also
    # pass a threshold: 8 or more of 30 would happen once in 10,000.
    said = sum(find(planted(signal, noise(seed=seed)), signal, 0).stands_out for seed in range(30))
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


def surprised(surprise: np.ndarray) -> GateTrace:
    return GateTrace(
        tokens=["x"] * len(surprise),
        token_ids=np.zeros(len(surprise), np.int64),
        signals={"hidden_state": np.zeros((1, len(surprise), 1), np.float32)},
        log_probs=-surprise.astype(np.float32),
    )


def test_a_planted_surprise_is_found_with_its_probability() -> None:
    surprise = np.random.default_rng(1).exponential(size=300)
    surprise[0] = np.nan  # nothing was read before the first token
    surprise[170:172] = 20.0, 19.0  # what follows a surprise belongs to it
    found = find_surprise(surprised(surprise))
    assert (found.stands_out, found.step) == (True, 170)
    assert "Step 171 was the surprise: 'x' at 20.0 nats (probability 2.1e-09)" in found.sentence


def test_surprises_that_thin_out_as_they_may_are_not_said() -> None:
    # Exponential ones: said with a chance of 1 in 20 (a little more, since the scale is estimated):
    # 26 or more of 200 would come less than once in 10,000.
    random = np.random.default_rng(3)
    said = [find_surprise(surprised(random.exponential(2.0, 500))) for _ in range(200)]
    assert sum(found.stands_out for found in said) < 26
    quiet = next(found for found in said if not found.stands_out)
    assert quiet.sentence.startswith("No step stands out as a surprise: the largest is 'x' at")
    assert quiet.step is not None


def test_the_unit_that_keeps_longest_is_found_and_where() -> None:
    random = np.random.default_rng(4)
    steps = len(TEXT)
    forget = random.uniform(0.3, 0.7, (steps, 16))
    forget[:, 6] = 0.95
    forget[100:140, 6] = 0.999
    cell = random.normal(size=(steps, 16))
    forget[:, 9], cell[:, 9] = 1.0, 0.0  # keeps for ever, but holds nothing
    trace = GateTrace(
        tokens=TEXT,
        token_ids=np.zeros(steps, np.int64),
        signals={
            "forget_gate": forget[None].astype(np.float32),
            "cell_state": cell[None].astype(np.float32),
        },
        log_probs=np.zeros(steps, np.float32),
    )
    found = find_longest(trace, 0)
    assert (found.stands_out, found.unit, found.signal) == (True, 6, "cell_state")
    start, stop = longest_hold(trace["forget_gate"][0, :, 6])
    assert found.step == start
    assert start <= 100 < 139 <= stop
    assert f"it kept half for {stop - start} steps" in found.sentence
    forget[:, [6, 9]] = 0.5
    trace["forget_gate"][:] = forget
    assert find_longest(trace, 0).sentence.startswith("No unit of layer 1 keeps much longer")


@pytest.mark.parametrize(
    ("gates", "hold"),
    [
        ([0.9, 0.5, 0.5, 0.5], (0, 1)),
        ([0.0, 1.0, 1.0, 0.0, 1.0], (0, 2)),
        ([0.5, 0.25, 0.8, 0.8, 0.8, 0.8], (1, 4)),
        ([0.1, 0.1, 0.1], (0, 0)),
    ],
)
def test_the_longest_hold_is_where_the_product_stays_above_a_half(
    gates: list[float], hold: tuple[int, int]
) -> None:
    assert longest_hold(np.array(gates, dtype=np.float32)) == hold


def test_the_overview_has_a_finding_of_each_kind_and_says_where() -> None:
    trace = hand_set_lstm().trace("".join("ab.b\n b.\n".replace(" ", "") for _ in range(20)))
    found = overview(trace)
    assert {finding.kind for finding in found} == {"acts", "keeps", "follows", "surprise"}
    order = [finding.stands_out for finding in found]
    assert order == sorted(order, reverse=True)
    keeps = next(finding for finding in found if finding.kind == "keeps")
    assert keeps.unit == LATCH != HALVER
    for finding in found:
        assert finding.to_json()["sentence"] == finding.sentence
        if finding.stands_out:
            assert finding.step is not None
    of_rnn = overview(delay_rnn().trace("ab.b\n" * 20))
    assert {finding.kind for finding in of_rnn} == {"follows", "surprise"}
