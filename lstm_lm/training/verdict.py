"""What the end of a run says: whether more time would help, and whether the model repeats its text.

Knows nothing of the loop; works on the rows of metrics.jsonl, on losses and on token ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[Any]
Hashes = npt.NDArray[np.uint64]

BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no power of it is zero modulo 2**64
WORSE = 0.005  # nats a token above the best that count as worse
WIDE_GAP = 0.2  # nats a token between validation and training text
LARGEST_TEXT = 5_000_000  # training tokens that are searched for repetitions


def more_time(rows: Sequence[dict[str, Any]], epochs: float, gap: float) -> str:
    """Whether training longer would help, in a sentence with its numbers.

    Args:
        rows: of metrics.jsonl, at least one.
        epochs: how many times the training text was read.
        gap: loss on validation text minus loss on training text, both without dropout, nats a
            token.
    """
    losses = [row["val_loss"] for row in rows]
    best = min(range(len(losses)), key=losses.__getitem__)
    if losses[-1] > losses[best] + WORSE:
        return (
            f"More time would not help: validation was best at step {rows[best]['step']:,} and got "
            f"{losses[-1] - losses[best]:.3f} nats worse since; more text or more --dropout would."
        )
    if epochs < 2:
        return f"More time would help: the text was read only {epochs:.1f} times."
    if gap > WIDE_GAP:
        return (
            f"More time would help little: after {epochs:.1f} readings the model knows its "
            f"training text {gap:.2f} nats a token better than other text; more text or more "
            "--dropout would."
        )
    return (
        f"More time would help: after {epochs:.1f} readings the model knows its training text only "
        f"{gap:.2f} nats a token better than other text; so might a larger --hidden-size."
    )


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """The longest run of one token sequence that stands word for word in another."""

    length: int
    """Tokens."""
    start: int
    """Where it begins in the sequence that was searched for."""


def longest_repetition(sequence: Ids, text: Ids) -> Repetition:
    """The longest run of `sequence` that also stands in `text`.

    A run of n tokens holds runs of n - 1, so its length is found by bisection; the windows of one
    length are compared by 64-bit hashes, all at once.

    Args:
        sequence: (n,) token ids, searched for.
        text: (m,) token ids, searched in.

    >>> longest_repetition(np.array([9, 1, 2, 3, 9]), np.array([1, 2, 3, 4]))
    Repetition(length=3, start=1)
    """
    low, high = 0, min(len(sequence), len(text))
    tables = _power_hashes(sequence), _power_hashes(text)
    start = 0
    while low < high:
        middle = (low + high + 1) // 2
        ours, theirs = (_window_hashes(table, middle) for table in tables)
        at = np.flatnonzero(np.isin(ours, theirs))
        if len(at):
            low, start = middle, int(at[0])
        else:
            high = middle - 1
    return Repetition(length=low, start=start)


def _power_hashes(ids: Ids) -> list[Hashes]:
    """Entry k: the hash of every window of 2**k tokens."""
    hashes = [np.asarray(ids).astype(np.uint64) * BASE + np.uint64(1)]
    power = BASE
    while len(hashes[-1]) > (size := 2 ** (len(hashes) - 1)):
        last = hashes[-1]
        with np.errstate(over="ignore"):
            hashes.append(last[:-size] * power + _mixed(last[size:]))
            power = power * power
    return hashes


def _mixed(hashes: Hashes) -> Hashes:
    """The hashes with their bits stirred, so that sums of windows do not cancel."""
    return (hashes ^ (hashes >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)


def _window_hashes(table: list[Hashes], length: int) -> Hashes:
    """The hash of every window of `length` tokens, from two windows of 2**k that cover it."""
    k = length.bit_length() - 1
    halves = table[k]
    shift = length - 2**k
    first, second = halves[: len(halves) - shift], halves[shift:]
    with np.errstate(over="ignore"):
        return first * BASE + _mixed(second)


def repeats(written: str, ours: int, expected: int) -> str:
    """Whether the model repeats its training text, in a sentence with its numbers.

    Args:
        written: how much was written, for people: "5,000 characters".
        ours: characters of the longest run of it that stands in the training text.
        expected: the same for as much of the validation text.
    """
    verdict = "It repeats" if ours > 1.5 * expected + 10 else "It does not repeat"
    return (
        f"{verdict} its training text: of {written} that it wrote, the longest run that stands "
        f"there word for word has {ours} characters; of as much validation text, {expected}."
    )
