"""Matching: a planted pattern, a plain reference, and noise against its stated chance."""

import numpy as np
import pytest

from lstm_lm.errors import UserError
from lstm_lm.insight.matching import match
from lstm_lm.insight.state_index import THRESHOLDS, StateIndex, state_blocks
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.reading import trace_tokens
from tests import tolerance
from tests.conftest import random_tokens
from tests.planted import trace_of

UNITS, STEPS = 70, 3_000  # more than one word of 64, and not a whole number of them


def noise(seed: int = 0, steps: int = STEPS) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(steps, UNITS)).astype(np.float32)


def plant(values: np.ndarray, places: dict[int, tuple[int, ...]], length: int = 3) -> None:
    """At each place make these units stand out for `length` steps, odd ones on the low side."""
    for start, units in places.items():
        for unit in units:
            values[start : start + length, unit] = -9.0 if unit % 2 else 9.0
            values[[start - 1, start + length], unit] = 0.0


PATTERN = (3, 8, 20, 65, 66)
PLACES = {500: PATTERN, 1_000: PATTERN, 1_700: PATTERN, 2_400: PATTERN[:4]}


def index_of(values: np.ndarray) -> StateIndex:
    return StateIndex.of_trace(
        trace_of({"cell_state": values}, ["a"] * len(values)), "cell_state", 0
    )


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_on_is_what_lies_beyond_the_units_own_quantile(threshold: float) -> None:
    values = noise()
    values[:, 5] = np.round(values[:, 5])  # many ties
    values[:, 6] = 1.0  # a unit that never moves
    index = index_of(values)
    high = np.quantile(values, threshold, axis=0).astype(np.float32)
    low = np.quantile(values, round(1 - threshold, 3), axis=0).astype(np.float32)
    expected = np.concatenate((values > high, values <= low), axis=1)
    on = index.on(index.rows(0, STEPS), threshold)
    for step in range(0, STEPS, 97):
        np.testing.assert_array_equal(index.unpacked(on[step]), expected[step])
        np.testing.assert_array_equal(index.packed(expected[step]), on[step])
    np.testing.assert_allclose(index.rates(threshold), expected.mean(axis=0), atol=1e-12)
    np.testing.assert_array_equal(index.on(index.encoded(values[:50]), threshold), on[:50])


def test_an_index_takes_half_a_byte_a_unit_and_step() -> None:
    index = StateIndex.build([np.zeros((1_000, 512), np.float32)], 1_000)
    assert index.size <= 1_000 * 512 // 2 + 512 * 15 * 12


def test_blocks_give_the_index_of_the_whole(model: LanguageModel) -> None:
    tokens = random_tokens(500)
    trace = trace_tokens(model, tokens)
    whole = StateIndex.of_trace(trace, "hidden_state", 1)
    near = tolerance.states(model)
    blocks = list(state_blocks(model, tokens, "hidden_state", 1, block=64))
    np.testing.assert_allclose(np.concatenate(blocks), trace["hidden_state"][1], rtol=0, atol=near)
    pieces = StateIndex.build(blocks, 500)
    same = pieces.on(pieces.rows(0, 500), 0.9) == whole.on(whole.rows(0, 500), 0.9)
    assert same.mean() > 0.99  # values that lie on a quantile may fall to either side


def test_a_planted_pattern_is_found_everywhere_and_ranked() -> None:
    values = noise()
    plant(values, PLACES)
    found = match(index_of(values), 500, 503)
    assert found.threshold == 0.99
    assert set(found.units) == {(unit, -1 if unit % 2 else 1) for unit in PATTERN}
    top = [(m.start, m.stop, m.shared) for m in found.matches[:3]]
    assert sorted(top[:2]) == [(1_000, 1_003, 5), (1_700, 1_703, 5)]
    assert top[2] == (2_400, 2_403, 4)
    assert found.matches[0].union <= found.matches[1].union
    assert found.matches[0].by_chance == pytest.approx(STEPS * 0.01**5, rel=0.5)
    assert "5 units are on in this span" in found.sentence()
    assert "2 of the places shown share 5, as units that knew nothing" in found.sentence()


def test_the_span_itself_is_no_match_but_in_another_text_it_is() -> None:
    values = noise()
    plant(values, PLACES)
    index = index_of(values)
    assert all(m.start != 500 for m in match(index, 500, 503).matches)
    other = noise(seed=9, steps=40)
    plant(other, {20: PATTERN})
    found = match(index, 20, 23, values=other)
    assert {m.start for m in found.matches if m.shared == 5} == {500, 1_000, 1_700}


@pytest.mark.parametrize("threshold", [0.7, 0.9])
def test_matches_are_those_of_a_plain_search(threshold: float) -> None:
    values = np.repeat(noise(4, 400), 2, axis=0)
    plant(values, {100: PATTERN, 300: PATTERN, 600: PATTERN[:3]})
    found = match(index_of(values), 100, 103, threshold=threshold, keep=10_000)
    high = values > np.quantile(values, threshold, axis=0).astype(np.float32)
    low = values <= np.quantile(values, round(1 - threshold, 3), axis=0).astype(np.float32)
    on = np.concatenate((high, low), axis=1)
    pattern = on[100:103].all(axis=0) & ~on[99] & ~on[103]
    assert sorted(found.units) == sorted(
        (unit % UNITS, 1 if unit < UNITS else -1) for unit in np.flatnonzero(pattern)
    )
    runs: list[list[int]] = []
    for step in range(len(on)):
        if step and (on[step] & pattern == on[step - 1] & pattern).all():
            runs[-1][1] = step + 1
        else:
            runs.append([step, step + 1])
    shared = [int((on[start] & pattern).sum()) for start, _ in runs]
    around = [-1, *shared, -1]
    expected = []
    for number, (start, stop) in enumerate(runs):
        k = shared[number]
        if k >= max(around[number], around[number + 2], pattern.sum() / 2, 1) and not (
            start < 103 and stop > 100
        ):
            union = int((pattern | on[start:stop].all(axis=0)).sum())
            expected.append((start, stop, k, union))
    ours = [(m.start, m.stop, m.shared, m.union) for m in found.matches]
    assert sorted(ours) == sorted(expected)
    assert [(-k, union) for *_, k, union in ours] == sorted((-k, union) for *_, k, union in ours)
    assert found.places == len(expected)


def test_noise_shares_as_often_as_chance_says() -> None:
    # Units that know nothing of each other: the steps that share 3 or more are Poisson-like around
    # what is stated; 5 standard deviations off would come less than once in 100,000.
    values = noise(6, 20_000)
    values[100, :6] = 9.0
    values[[99, 101], :6] = 0.0
    found = match(index_of(values), 100, 101, threshold=0.9, keep=10_000)
    with_three = [m for m in found.matches if m.shared >= len(found.units) // 2]
    steps = sum(m.stop - m.start for m in with_three)
    least = min(m.shared for m in with_three)
    stated = next(m.by_chance for m in with_three if m.shared == least)
    assert abs(steps - stated) < 5 * np.sqrt(stated)


def test_a_pattern_of_many_units_is_not_found_in_noise() -> None:
    values = noise(5)
    values[500:503, :12] = 9.0  # 12 units at the quantile 0.99: chance shares 6 once in 10^9 steps
    values[[499, 503], :12] = 0.0
    found = match(index_of(values), 500, 503)
    assert len(found.units) == 12
    assert found.matches == ()
    assert found.sentence().startswith("12 units are on in this span and off just outside at")
    assert "nowhere else are half of them on together" in found.sentence()


def test_when_nothing_matches_it_says_why() -> None:
    values = noise()
    found = match(index_of(values), 100, 160)
    assert found.units == ()
    assert found.sentence() == (
        "No unit is on at all 60 steps of this span at quantile 0.99: "
        "choose a shorter span or a lower threshold."
    )
    values[200:260, 7] = 9.0
    inside = match(index_of(values), 210, 220, threshold=0.9)
    assert inside.sentence() == (
        "1 unit is on in all of this span at quantile 0.9, but none is off just before and after: "
        "choose a longer span or a higher threshold, or do not ask for that."
    )
    open_ended = match(index_of(values), 210, 220, threshold=0.9, off_before=False, off_after=False)
    assert open_ended.units == ((7, 1),)


def test_spans_and_thresholds_that_are_none_are_refused() -> None:
    index = index_of(noise(steps=20))
    with pytest.raises(UserError, match="5 to 5 is no span of this text: choose at least one"):
        match(index, 5, 5)
    with pytest.raises(UserError, match=r"0\.93 is no threshold: choose one of 0\.5, 0\.7"):
        match(index, 5, 6, threshold=0.93)
    with pytest.raises(UserError, match="nothing to index"):
        StateIndex.build([], 0)
