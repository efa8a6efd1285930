"""Two texts that began as one: where they part, what they still share, whether they meet again.

For a branch beside the text that it left, or a text beside itself with a gate held. Tokens are
compared step by step. Knows nothing of models or of pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FEWEST_TOGETHER = 8  # tokens the same up to the end that count as having met again


@dataclass(frozen=True, kw_only=True)
class Parting:
    """How two texts compare, over the steps that both have from some step on."""

    compared: int
    """How many steps both have."""
    first: int | None
    """The first step whose token differs; None: none does."""
    same: int
    """How many of the steps compared have the same token in both."""
    meet: int | None
    """The step, after `first`, from which on all tokens are the same, at least eight of them."""
    log_prob: float
    """Of the other text minus the one, nats, over the steps compared: below 0, less likely."""


def parting(
    one: Sequence[int],
    other: Sequence[int],
    log_probs_of_one: Sequence[float],
    log_probs_of_other: Sequence[float],
    start: int = 0,
) -> Parting:
    """Compare two texts from step `start` on, by token id.

    Args:
        one: token ids of the text that was there first.
        other: token ids of the text beside it.
        log_probs_of_one: natural log of each token's probability, one a step.
        log_probs_of_other: the same, of the other text.
        start: the first step to compare.

    >>> found = parting([1, 2, 3], [1, 5, 3], [-1.0] * 3, [-2.0] * 3, start=1)
    >>> found.first, found.same, found.meet, found.log_prob
    (1, 1, None, -2.0)
    """
    end = min(len(one), len(other))
    differs = np.array(one[start:end]) != np.array(other[start:end])
    where = np.flatnonzero(differs)
    last = int(where[-1]) + 1 if len(where) else 0  # tokens are the same from here on
    met = len(where) > 0 and len(differs) - last >= FEWEST_TOGETHER
    return Parting(
        compared=max(0, end - start),
        first=start + int(where[0]) if len(where) else None,
        same=int((~differs).sum()),
        meet=start + last if met else None,
        log_prob=float(np.sum(log_probs_of_other[start:end]) - np.sum(log_probs_of_one[start:end])),
    )


def mean_difference(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """How far apart two stretches of signals are: mean |difference| over the units.

    Args:
        one: (steps, ..., units).
        other: the same, of the other text.

    Returns:
        (steps, ...) float32.
    """
    return np.abs(other - one).mean(axis=-1, dtype=np.float64).astype(np.float32)
