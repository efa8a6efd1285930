import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.config import SamplingConfig
from lstm_lm.writing.sampling import (
    draw,
    ladder,
    log_probabilities,
    next_token_probabilities,
    sample,
    uniform,
)

P = np.array([0.1, 0.4, 0.05, 0.25, 0.2])  # likeliest first: 1, 3, 4, 0, 2
LOGITS = np.log(P).astype(np.float32) + 3

SAMPLINGS = st.builds(
    SamplingConfig,
    temperature=st.floats(0.0, 1e6),
    top_k=st.none() | st.integers(0, 10),
    top_p=st.none() | st.floats(0.0, 1.0, exclude_min=True),
    min_p=st.none() | st.floats(0.0, 1.0),
)
MANY_LOGITS = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=12)


def kept(**settings: float) -> set[int]:
    sampling = SamplingConfig(temperature=1.0, **settings)  # pyright: ignore[reportArgumentType]
    return set(np.flatnonzero(ladder(np.log(P), sampling).after_min_p).tolist())


def test_temperature_0_takes_the_likeliest_and_the_first_of_equals() -> None:
    greedy = SamplingConfig(temperature=0.0)
    assert next_token_probabilities(LOGITS, greedy).tolist() == [0, 1, 0, 0, 0]
    equals = np.array([1.0, 2.0, 2.0], np.float32)
    assert next_token_probabilities(equals, greedy).tolist() == [0, 1, 0]
    assert {sample(LOGITS, greedy, position) for position in range(50)} == {1}


def test_temperature_1_is_the_models_own_distribution() -> None:
    ours = next_token_probabilities(LOGITS, SamplingConfig(temperature=1.0))
    np.testing.assert_allclose(ours, P, rtol=1e-6)
    np.testing.assert_allclose(log_probabilities(LOGITS), np.log(P), rtol=1e-6)


def test_temperature_raises_the_probabilities_to_its_inverse() -> None:
    ours = next_token_probabilities(LOGITS, SamplingConfig(temperature=0.5))
    np.testing.assert_allclose(ours, P**2 / (P**2).sum(), rtol=1e-6)


def test_temperature_1000_is_near_uniform() -> None:
    ours = next_token_probabilities(LOGITS, SamplingConfig(temperature=1000.0))
    np.testing.assert_allclose(ours, np.full(5, 0.2), rtol=2e-3)


@pytest.mark.parametrize("temperature", [1e-3, 1e-40, 1e-300, 5e-324])
def test_temperatures_near_0_are_nearly_greedy(temperature: float) -> None:
    ours = next_token_probabilities(LOGITS, SamplingConfig(temperature=temperature))
    np.testing.assert_allclose(ours, [0, 1, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {0, 1, 2, 3, 4}),
        ({"top_k": 0}, {0, 1, 2, 3, 4}),
        ({"top_k": 1}, {1}),
        ({"top_k": 3}, {1, 3, 4}),
        ({"top_k": 99}, {0, 1, 2, 3, 4}),
        ({"top_p": 1e-9}, {1}),
        ({"top_p": 0.39}, {1}),
        ({"top_p": 0.41}, {1, 3}),
        ({"top_p": 0.66}, {1, 3, 4}),
        ({"top_p": 0.96}, {0, 1, 2, 3, 4}),
        ({"top_p": 1.0}, {0, 1, 2, 3, 4}),
        ({"min_p": 0.0}, {0, 1, 2, 3, 4}),
        ({"min_p": 0.24}, {0, 1, 3, 4}),
        ({"min_p": 0.6}, {1, 3}),
        ({"min_p": 1.0}, {1}),
        # top_p counts within what top_k left: 0.4 / 0.65 = 0.615.
        ({"top_k": 2, "top_p": 0.6}, {1}),
        ({"top_k": 2, "top_p": 0.62}, {1, 3}),
        ({"top_k": 4, "min_p": 0.3}, {1, 3, 4}),
        ({"top_p": 0.66, "min_p": 0.6}, {1, 3}),
    ],
    ids=str,
)
def test_top_k_top_p_and_min_p_keep_the_right_tokens(
    settings: dict[str, float], expected: set[int]
) -> None:
    assert kept(**settings) == expected


def test_what_is_kept_is_scaled_up_in_proportion() -> None:
    ours = next_token_probabilities(LOGITS, SamplingConfig(temperature=1.0, top_k=2))
    np.testing.assert_allclose(ours, [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0], rtol=1e-6)


def test_of_equal_tokens_top_k_keeps_the_first() -> None:
    rungs = ladder(np.zeros(6), SamplingConfig(top_k=2))
    assert np.flatnonzero(rungs.after_top_k).tolist() == [0, 1]


@given(MANY_LOGITS, SAMPLINGS)
def test_probabilities_sum_to_one_and_keep_the_likeliest(
    values: list[float], sampling: SamplingConfig
) -> None:
    logits = np.array(values, np.float32)
    ours = next_token_probabilities(logits, sampling)
    assert ours.shape == logits.shape
    assert (ours >= 0).all()
    assert math.isclose(ours.sum(), 1.0, abs_tol=1e-12)
    assert ours[int(np.argmax(logits))] == ours.max() > 0
    if sampling.top_k:
        assert np.count_nonzero(ours) <= sampling.top_k


@given(MANY_LOGITS, SAMPLINGS, st.integers(0, 2**63 - 1), st.integers(0, 10**6))
def test_only_tokens_that_were_kept_are_drawn(
    values: list[float], sampling: SamplingConfig, seed: int, position: int
) -> None:
    logits = np.array(values, np.float32)
    p = next_token_probabilities(logits, sampling)
    assert p[draw(p, uniform(seed, position))] > 0
    for u in (0.0, np.nextafter(1.0, 0.0)):
        assert p[draw(p, float(u))] > 0


def chi_square(counts: Counter[int], p: np.ndarray, draws: int) -> float:
    return sum((counts[token] - draws * q) ** 2 / (draws * q) for token, q in enumerate(p))


def test_draws_follow_the_probabilities() -> None:
    """False-alarm odds one in a million: the chance that chi-square, 4 degrees, is above 33.4."""
    sampling, draws = SamplingConfig(temperature=1.0, seed=11), 5000
    counts = Counter(sample(LOGITS, sampling, position) for position in range(draws))
    assert chi_square(counts, P, draws) < 33.4


def test_seeds_are_independent_of_each_other() -> None:
    """As above, over seeds at one position, and for pairs of neighbouring seeds (24 degrees).

    False-alarm odds of the pairs one in a million: chi-square, 24 degrees, above 72.5.
    """
    draws = 5000
    drawn = [
        sample(LOGITS, SamplingConfig(temperature=1.0, seed=seed), position=7)
        for seed in range(draws + 1)
    ]
    assert chi_square(Counter(drawn[:draws]), P, draws) < 33.4
    pairs = Counter(5 * one + other for one, other in itertools.pairwise(drawn))
    assert chi_square(pairs, np.outer(P, P).ravel(), draws) < 72.5


def test_the_random_number_depends_on_seed_and_position_alone() -> None:
    first = [uniform(3, position) for position in range(20)]
    np.random.default_rng(0).random(100)
    assert [uniform(3, position) for position in reversed(range(20))] == first[::-1]
    assert len({uniform(seed, position) for seed in range(20) for position in range(20)}) == 400
    assert all(0 <= u < 1 for u in first)


def test_draw_walks_the_cumulated_distribution() -> None:
    p = np.array([0.0, 0.25, 0.0, 0.5, 0.25, 0.0])
    assert [draw(p, u) for u in (0.0, 0.24, 0.25, 0.74, 0.75, 0.999999)] == [1, 1, 3, 3, 4, 4]


def test_the_ladder_shows_every_rung() -> None:
    """Five tokens of 0.1, 0.4, 0.05, 0.25, 0.2, each rung worked out by hand."""
    sampling = SamplingConfig(temperature=0.5, top_k=4, top_p=0.9, min_p=0.3)
    rungs = ladder(LOGITS, sampling)
    np.testing.assert_array_equal(rungs.logits, LOGITS)
    np.testing.assert_allclose(np.exp(rungs.log_probs), P, rtol=1e-6)
    np.testing.assert_allclose(rungs.scaled, 2 * np.log(P / 0.4), rtol=0, atol=1e-6)
    np.testing.assert_allclose(rungs.tempered, P**2 / 0.275, rtol=1e-5)
    assert rungs.order.tolist() == [1, 3, 4, 0, 2]
    assert np.flatnonzero(rungs.after_top_k).tolist() == [0, 1, 3, 4]
    # Squares 0.16, 0.0625, 0.04, 0.01 of 0.2725: 0.587, 0.817, 0.963.
    assert np.flatnonzero(rungs.after_top_p).tolist() == [1, 3, 4]
    # 0.0625 / 0.16 = 0.39, 0.04 / 0.16 = 0.25.
    assert np.flatnonzero(rungs.after_min_p).tolist() == [1, 3]
    expected = [0, 0.16 / 0.2225, 0, 0.0625 / 0.2225, 0]
    np.testing.assert_allclose(rungs.probabilities, expected, rtol=1e-5)
    assert math.isclose(rungs.surprise(4), math.log2(5), rel_tol=1e-6)
    assert math.isclose(rungs.entropy, -(P * np.log2(P)).sum(), rel_tol=1e-6)
    q = 0.16 / 0.2225
    two = -(q * math.log2(q) + (1 - q) * math.log2(1 - q))
    assert math.isclose(rungs.drawn_entropy, two, rel_tol=1e-5)


def test_the_ladder_at_temperature_0_leaves_the_first_of_the_likeliest() -> None:
    rungs = ladder(np.array([1.0, 2.0, 2.0], np.float32), SamplingConfig(temperature=0.0))
    assert rungs.scaled.tolist() == [-math.inf, 0.0, -math.inf]
    assert rungs.probabilities.tolist() == rungs.tempered.tolist() == [0, 1, 0]
    assert rungs.drawn_entropy == 0.0
    assert rungs.entropy > 1.0  # the model's own, which temperature does not touch


@given(MANY_LOGITS, SAMPLINGS, st.integers(0, 10**6))
def test_what_is_drawn_is_what_the_ladder_shows(
    values: list[float], sampling: SamplingConfig, position: int
) -> None:
    logits = np.array(values, np.float32)
    rungs = ladder(logits, sampling)
    assert sample(logits, sampling, position) == rungs.draw(sampling.seed, position)
    np.testing.assert_array_equal(next_token_probabilities(logits, sampling), rungs.probabilities)
    assert (rungs.after_min_p <= rungs.after_top_p).all()
    assert (rungs.after_top_p <= rungs.after_top_k).all()
    assert (rungs.probabilities[~rungs.after_min_p] == 0).all()
    assert 0 <= rungs.drawn_entropy <= math.log2(max(1, rungs.left_by_min_p)) + 1e-9
