"""An order of the units in which those that behave alike lie together. Knows nothing of pages.

The correlogram order of Friendly 2002 ("Corrgrams", The American Statistician 56): units are laid
out by the angle of their first two principal components, and the circle is cut at its widest gap.
"""

import numpy as np
import numpy.typing as npt

from lstm_lm.traces.arrays import Array


def alike_together(values: Array) -> npt.NDArray[np.int64]:
    """The units in their new order.

    Args:
        values: (steps, units) float32, one signal of one layer.

    Returns:
        (units,) int64, a permutation: which unit stands in each row.
    """
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred / np.maximum(spread, 1e-6)
    steps, units = scaled.shape
    if units < 3 or steps < 3:
        return np.arange(units)
    # The smaller of the two Gram matrices gives the same components.
    if units <= steps:
        _, vectors = np.linalg.eigh(scaled.T @ scaled)
        components = vectors[:, [-1, -2]]  # (units, 2)
    else:
        _, vectors = np.linalg.eigh(scaled @ scaled.T)
        components = scaled.T @ vectors[:, [-1, -2]]
    angle = np.arctan2(components[:, 1], components[:, 0])
    order = np.argsort(angle, kind="stable")
    gaps = np.diff(angle[order], append=angle[order[0]] + 2 * np.pi)
    return np.roll(order, -int(np.argmax(gaps)) - 1)
