"""Two texts that began as one: planted partings are found, and equal texts do not part."""

import numpy as np

from lstm_lm.insight.parting import FEWEST_TOGETHER, Parting, mean_difference, parting

COMMON = list(range(10))


def compare(one: list[int], other: list[int], start: int = 0) -> Parting:
    return parting(one, other, [-1.0] * len(one), [-1.5] * len(other), start)


def test_equal_texts_do_not_part() -> None:
    found = compare(COMMON, COMMON)
    assert (found.first, found.same, found.compared, found.meet) == (None, 10, 10, None)
    assert found.log_prob == -5.0


def test_a_planted_parting_and_meeting_are_found() -> None:
    other = [*COMMON, 7, 7, 12, *range(20, 30)]
    one = [*COMMON, 5, 5, 12, *range(20, 30)]
    found = compare(one, other, start=10)
    assert (found.first, found.compared, found.same, found.meet) == (10, 13, 11, 12)


def test_a_few_equal_tokens_at_the_end_are_no_meeting() -> None:
    tail = list(range(40, 40 + FEWEST_TOGETHER - 1))
    assert compare([1, *tail], [2, *tail]).meet is None
    assert compare([1, *tail, 9], [2, *tail, 9]).meet == 1


def test_texts_parting_in_their_last_token_do_not_meet() -> None:
    found = compare([*COMMON, 1], [*COMMON, 2])
    assert (found.first, found.meet) == (10, None)


def test_only_steps_that_both_have_count() -> None:
    found = compare(COMMON, COMMON[:4] + [99] * 3, start=3)
    assert (found.compared, found.same, found.first) == (4, 1, 4)
    assert found.log_prob == 4 * -0.5
    nothing = compare(COMMON, [*COMMON, 1], start=10)
    assert (nothing.compared, nothing.first, nothing.log_prob) == (0, None, 0)


def test_the_difference_is_the_mean_over_units() -> None:
    one = np.array([[[0.0, 1.0]], [[2.0, 2.0]]], dtype=np.float32)  # (T, L, H)
    other = np.array([[[1.0, -1.0]], [[2.0, 2.0]]], dtype=np.float32)
    assert mean_difference(one, other).tolist() == [[1.5], [0.0]]
