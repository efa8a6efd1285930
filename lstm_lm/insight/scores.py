"""How well signals tell a property: average precision and correlation of all units at once.

Average precision is that of scikit-learn (ties share a threshold): the mean, over the steps that
have the property, of the share of such steps among all that score at least as high. Correlation is
Pearson's r. Chance is the same score with the property shifted in time against the signal, round
the end: that keeps the rhythm of both (how long a unit stays on, how long a line is), which an
ordinary shuffle would destroy and so make chance look smaller than it is. Knows nothing of models.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COLUMNS = 64  # sorted at once: what fits the cache
SHIFTS = 399  # the smallest false-alarm odds that can be shown are 1 in 400
NEAREST = 0.1  # of the text: a shift by less leaves the two too much alike


def signed_average_precisions(
    values: npt.NDArray[Any], properties: Sequence[npt.NDArray[np.bool_]]
) -> Floats:
    """The average precision of every column for every property, high and low.

    Args:
        values: (steps, columns) real.
        properties: each (steps,), true at least once.

    Returns:
        (properties, 2, columns) float64, 0..1: of the values, and of their negatives.
    """
    steps, columns = values.shape
    result = np.zeros((len(properties), 2, columns))
    if not properties:
        return result
    for first in range(0, columns, COLUMNS):
        block = np.ascontiguousarray(values[:, first : first + COLUMNS].T)  # (n, T)
        order = np.argsort(block, axis=1)
        ordered = np.take_along_axis(block, order, axis=1)
        new = np.ones(block.shape, dtype=bool)
        np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
        tied = np.flatnonzero(~new.all(axis=1))
        for number, where in enumerate(properties):
            found = where[order]  # (n, T), lowest value first
            count = int(where.sum())
            place = np.flatnonzero(found).reshape(len(block), count)
            place -= (np.arange(len(block)) * steps)[:, None]  # of each true step in its column
            earlier = np.arange(count)
            high = ((count - earlier) / (steps - place)).mean(axis=1)
            low = ((earlier + 1) / (place + 1)).mean(axis=1)
            for column in tied:
                begins = np.flatnonzero(new[column])
                group = np.searchsorted(begins, place[column], "right") - 1
                begin, end = begins[group], np.append(begins[1:], steps)[group]
                below = np.searchsorted(place[column], begin)  # true steps under the group
                upto = np.searchsorted(place[column], end)
                high[column] = ((count - below) / (steps - begin)).mean()
                low[column] = (upto / end).mean()
            result[number, 0, first : first + COLUMNS] = high
            result[number, 1, first : first + COLUMNS] = low
    return result


def average_precision(values: npt.NDArray[Any], where: npt.NDArray[np.bool_]) -> float:
    """Average precision of one signal, 0..1.

    >>> average_precision(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.8333333333333333
    """
    return float(signed_average_precisions(values[:, None], [where])[0, 0, 0])


def standardised(values: npt.NDArray[Any]) -> Floats:
    """Each column with mean 0 and length 1; a constant column becomes 0."""
    centred = values - values.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(centred, axis=0)
    # A column that only carries rounding error is constant.
    return np.where(length > 1e-6, centred / np.maximum(length, 1e-12), 0.0)


def correlations(values: npt.NDArray[Any], properties: npt.NDArray[Any]) -> Floats:
    """Pearson's r of every property with every column: (properties, columns), -1..1.

    Args:
        values: (steps, columns) real.
        properties: (steps, properties) real.
    """
    return standardised(properties).T @ standardised(values)


def shifts(steps: int) -> npt.NDArray[np.int64]:
    """The shifts in time that chance is measured with: evenly over the text, none near 0."""
    nearest = max(1, int(steps * NEAREST))
    return np.unique(np.linspace(nearest, max(nearest, steps - nearest), SHIFTS).astype(np.int64))


def shifted_average_precisions(values: npt.NDArray[Any], where: npt.NDArray[np.bool_]) -> Floats:
    """The average precision of one signal for the property at every shift: (shifts,)."""
    steps, count = len(values), int(where.sum())
    place_of_step = np.empty(steps, dtype=np.int64)
    place_of_step[np.argsort(-values, kind="stable")] = np.arange(steps)
    true_steps = np.flatnonzero(where)
    moved = (true_steps + shifts(steps)[:, None]) % steps  # (shifts, count)
    places = np.sort(place_of_step[moved], axis=1)
    return ((np.arange(count) + 1) / (places + 1)).mean(axis=1)


def shifted_correlations(values: npt.NDArray[Any], other: npt.NDArray[Any]) -> Floats:
    """Pearson's r of two signals at every shift of the other: (shifts,)."""
    one, two = (np.fft.rfft(standardised(part[:, None])[:, 0]) for part in (values, other))
    every = np.fft.irfft(one * np.conj(two), n=len(values))  # at shifts 0..T-1
    return every[shifts(len(values))]


def false_alarm_odds(score: float, chance: Floats) -> float:
    """How often chance scores as high, counting the score itself: at least 1 / (shifts + 1)."""
    return float((1 + np.count_nonzero(chance >= score - 1e-12)) / (len(chance) + 1))


def by_chance(larger: int, pairs: int) -> float:
    """The odds that of so many pairs of equals at least so many point the same way (sign test).

    >>> by_chance(5, 5), by_chance(3, 5)
    (0.0625, 1.0)
    """
    tail = sum(math.comb(pairs, count) for count in range(larger, pairs + 1))
    return min(1.0, 2 * tail / 2**pairs)
