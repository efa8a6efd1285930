"""What the end of a run says."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.training.verdict import longest_repetition, more_time, repeats

tokens = st.lists(st.integers(0, 2), max_size=40).map(lambda ids: np.array(ids, dtype=np.uint16))


def brute_force(sequence: np.ndarray, text: np.ndarray) -> int:
    ours, theirs = sequence.tolist(), text.tolist()
    for length in range(min(len(ours), len(theirs)), 0, -1):
        windows = {tuple(theirs[k : k + length]) for k in range(len(theirs) - length + 1)}
        if any(tuple(ours[k : k + length]) in windows for k in range(len(ours) - length + 1)):
            return length
    return 0


@given(tokens, tokens)
def test_the_longest_repetition_is_that_of_a_plain_search(
    sequence: np.ndarray, text: np.ndarray
) -> None:
    found = longest_repetition(sequence, text)
    assert found.length == brute_force(sequence, text)
    if found.length:
        run = sequence[found.start : found.start + found.length].tolist()
        places = range(len(text) - found.length + 1)
        assert any(text[k : k + found.length].tolist() == run for k in places)


def test_a_planted_run_is_found_in_a_long_text() -> None:
    rng = np.random.default_rng(0)
    text = rng.integers(65, size=300_000).astype(np.uint16)
    sequence = rng.integers(65, size=5_000).astype(np.uint16)
    sequence[1_000:1_137] = text[77_777 : 77_777 + 137]
    found = longest_repetition(sequence, text)
    # A neighbour may match by chance, 1 in 65 on each side.
    assert 137 <= found.length <= 140
    assert 997 <= found.start <= 1_000


def rows(*losses: float) -> list[dict[str, float]]:
    return [{"step": 100 * (k + 1), "val_loss": loss} for k, loss in enumerate(losses)]


def test_a_run_that_got_worse_is_told_so() -> None:
    said = more_time(rows(2.0, 1.5, 1.6), epochs=9, gap=0.4)
    assert said.startswith("More time would not help: validation was best at step 200")
    assert "0.100 nats worse" in said


def test_a_text_that_was_hardly_read_wants_more_time() -> None:
    assert "read only 0.4 times" in more_time(rows(2.0, 1.5), epochs=0.4, gap=0.0)


def test_a_wide_gap_wants_more_text_and_a_narrow_one_more_time() -> None:
    assert "help little" in more_time(rows(2.0, 1.5), epochs=12, gap=0.33)
    assert more_time(rows(2.0, 1.5), epochs=12, gap=0.05).startswith("More time would help: after")


def test_repetition_is_held_against_what_other_text_shares() -> None:
    assert repeats("5,000 characters", 24, 30).startswith("It does not repeat")
    assert repeats("5,000 characters", 400, 30).startswith("It repeats")
