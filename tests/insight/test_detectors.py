"""Detectors against scikit-learn, on planted units, and on noise that must find nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from lstm_lm.insight import scores
from lstm_lm.insight.detectors import STATES, detect, unit_scores
from lstm_lm.insight.properties import marked, properties
from lstm_lm.traces.trace import GateTrace
from tests.planted import trace_of as planted

LINES = (
    'so said the first, "it is over", and left\n',
    'then (he knew) the "second one came", late\n',
    "nothing (or little) was left of the house\n",
    'she "knew"\n',
    "and in the end they all went home again, as (it seems) they must\n",
)
# In no regular order: a text that repeats itself exactly is also right when it is shifted.
TEXT = list("".join(LINES[i] for i in np.random.default_rng(7).integers(len(LINES), size=48)))
STEPS = len(TEXT)


def trace_of(signals: dict[str, np.ndarray], tokens: list[str] = TEXT) -> GateTrace:
    return planted(signals, tokens)


def drifting(seed: int, units: int = 24, keep: float = 0.95) -> np.ndarray:
    """Units that remember their own noise, as cells do: (steps, units)."""
    random = np.random.default_rng(seed)
    values = np.zeros((STEPS, units))
    for step in range(1, STEPS):
        values[step] = keep * values[step - 1] + random.normal(size=units)
    return values


@given(
    st.lists(st.integers(-3, 3), min_size=2, max_size=25),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_average_precision_is_scikit_learns_with_ties_and_without(
    coarse: list[int], seed: int, ties: bool
) -> None:
    random = np.random.default_rng(seed)
    values = np.array(coarse, dtype=np.float32)[:, None] + (0 if ties else random.random(
        (len(coarse), 3), dtype=np.float32))  # fmt: skip
    where = random.random(len(coarse)) < 0.4
    where[int(random.integers(len(coarse)))] = True
    ours = scores.signed_average_precisions(values, [where])[0]
    for column in range(values.shape[1]):
        for row, sign in enumerate((1, -1)):
            theirs = average_precision_score(where, sign * values[:, column])
            assert ours[row, column] == pytest.approx(theirs, abs=1e-12)


def test_all_units_at_once_are_each_unit_alone() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(300, 130)).astype(np.float32)
    wheres = [random.random(300) < share for share in (0.02, 0.3, 0.9)]
    at_once = scores.signed_average_precisions(values, wheres)
    alone = [[scores.average_precision(values[:, c], w) for c in range(130)] for w in wheres]
    np.testing.assert_allclose(at_once[:, 0], alone, rtol=0, atol=1e-15)
    other = random.normal(size=(300, 2))
    r = np.corrcoef(values.T, other.T)[130:, :130]
    np.testing.assert_allclose(scores.correlations(values, other), r, rtol=0, atol=1e-12)


def test_chance_is_the_score_at_each_shift() -> None:
    random = np.random.default_rng(1)
    values, other = random.normal(size=(2, 500))
    where = other > 1
    r = scores.shifted_correlations(values, other)
    precision = scores.shifted_average_precisions(values, where)
    assert len(r) == len(precision) == len(scores.shifts(500))
    for number, shift in list(enumerate(scores.shifts(500).tolist()))[::20]:
        moved = np.roll(other, shift)
        assert r[number] == pytest.approx(np.corrcoef(values, moved)[0, 1], abs=1e-12)
        assert precision[number] == pytest.approx(
            average_precision_score(moved > 1, values), abs=1e-12
        )


def test_planted_units_are_found_whatever_their_sign() -> None:
    by_key = {p.key: p.values for p in properties(TEXT)}
    cell, hidden = drifting(1), drifting(2)
    cell[:, 5] = 0.1 * cell[:, 5] - 3 * by_key["quotes"]
    cell[:, 9] = 0.3 * cell[:, 9] - by_key["line"]
    hidden[:, 7] = 0.05 * hidden[:, 7] + by_key["brackets"]
    found = {
        d.key: d for d in detect(trace_of({"cell_state": cell, "hidden_state": hidden})).found()
    }
    quotes, line, brackets = (found[key].best for key in ("quotes", "line", "brackets"))
    assert (quotes.signal, quotes.unit, quotes.sign) == ("cell_state", 5, -1)
    assert (line.signal, line.unit, line.sign) == ("cell_state", 9, -1)
    assert (brackets.signal, brackets.unit, brackets.sign) == ("hidden_state", 7, 1)
    assert quotes.score > 0.98
    assert quotes.odds == 1 / (len(scores.shifts(STEPS // 2)) + 1)
    assert by_key["quotes"][found["quotes"].step] == 1
    assert (
        found["quotes"]
        .sentence()
        .startswith("Unit 5 of layer 1 follows the inside of quotation marks: average precision")
    )


def test_the_score_is_that_of_the_half_it_was_not_chosen_on() -> None:
    quotes = next(p for p in properties(TEXT) if p.key == "quotes")
    cell = drifting(3)
    half = STEPS // 2
    cell[:half, 4] += 50 * quotes.values[:half]  # right in the first half only
    detector = detect(trace_of({"cell_state": cell}), [quotes]).detectors[0]
    assert detector.best.unit == 4
    assert detector.best.chosen == 1.0
    assert detector.best.score == pytest.approx(
        average_precision_score(quotes.values[half:], cell[half:, 4].astype(np.float32))
    )
    assert not detector.stands_out
    assert detector.sentence().startswith("No unit stands out as following the inside")


@pytest.mark.parametrize("keep", [0.0, 0.97])
def test_noise_is_not_said_to_follow_anything(keep: float) -> None:
    # Each of the 40 texts may yield a false alarm with odds of 1 in 20 at most, however slowly its
    # units change: 8 or more of 40 would come once in 1,400 (binomial), and the strength
    # that is asked for besides makes it rarer.
    said = sum(
        bool(detect(trace_of({"cell_state": drifting(seed, 16, keep)}), keep=1).found())
        for seed in range(40)
    )
    assert said < 8


def test_the_false_alarm_odds_of_slow_noise_are_what_they_say() -> None:
    # 60 slow units against the position in the line: odds of 0.1 or less come 6 times on average,
    # and 16 or more once in 8,000 (binomial).
    line = next(p for p in properties(TEXT) if p.key == "line")
    alarms = 0
    for seed in range(60):
        values = drifting(100 + seed, 1, 0.99)
        alarms += detect(trace_of({"cell_state": values}), [line]).detectors[0].best.odds <= 0.1
    assert alarms < 16


def test_what_a_text_does_not_hold_is_named_and_not_tested() -> None:
    tokens = list("plain words and nothing else\n" * 20)
    trace = trace_of({"cell_state": drifting(1)[: len(tokens)]}, tokens)
    untested = detect(trace).untested
    assert untested["the inside of quotation marks"] == (
        "it is found at 0 places in this text, and 4 are needed"
    )
    assert "it does not change" in untested["the depth of indentation"]


def test_marked_spans_that_lie_together_are_split_between_them() -> None:
    spans = [(at, at + 7) for at in range(40, 400, 40)]  # all in the first half
    part = marked(TEXT, spans)
    cell = drifting(8)
    cell[:, 2] -= 40 * part.values
    detector = detect(trace_of({"cell_state": cell}), [part]).detectors[0]
    assert (detector.best.unit, detector.best.sign) == (2, -1)
    assert detector.stands_out
    assert "Unit 2 of layer 1 follows what was marked" in detector.sentence()


def test_several_layers_gates_and_chosen_units_can_be_asked_for() -> None:
    line = next(p for p in properties(TEXT) if p.key == "line")
    both = np.stack((drifting(1), drifting(2)))
    both[1, :, 3] = line.values
    trace = GateTrace(
        tokens=TEXT,
        token_ids=np.zeros(STEPS, np.int64),
        signals={"forget_gate": both.astype(np.float32)},
        log_probs=np.zeros(STEPS, np.float32),
    )
    best = detect(trace, [line], signals=["forget_gate", *STATES]).detectors[0].best
    assert (best.layer, best.unit, best.signal) == (1, 3, "forget_gate")
    first = detect(trace, [line], signals=["forget_gate"], layers=[0]).detectors[0]
    assert all(unit.layer == 0 for unit in first.units)
    only = detect(trace, [line], signals=["forget_gate"], units=[7, 9]).detectors[0]
    assert {unit.unit for unit in only.units} == {7, 9}
    assert unit_scores(trace, line, "forget_gate", 1).argmax() == 3


def test_a_detection_becomes_json() -> None:
    data = detect(trace_of({"cell_state": drifting(1)})).to_json()
    first = data["detectors"][0]
    assert first["units"][0].keys() >= {"signal", "layer", "unit", "score", "shuffled", "odds"}
