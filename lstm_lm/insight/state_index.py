"""A bit-packed index of which units are on at every step of a long text.

A unit is *on, high* at a quantile q where its value is above the q quantile of its own values, and
*on, low* where it is at or below the 1 - q quantile: what a unit means may lie on either side, and
units differ in scale. Each value is kept as a number of 4 bits, how many of its unit's 15 quantiles
it is above, and the four bits of all units lie side by side as words of 64 (a bit-sliced index:
O'Neil and Quass 1997), so that any of the thresholds is a few word operations for 64 units at a
time. 1 million steps of 512 units take 256 MB. Knows nothing of tokens or models.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.cell import State
from lstm_lm.errors import UserError
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace

Words = npt.NDArray[np.uint64]

THRESHOLDS = (0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99)
"""The quantiles that a threshold may have."""
QUANTILES = (*(round(1 - q, 3) for q in THRESHOLDS[:0:-1]), *THRESHOLDS)
PLANES = 4
WORD = 64
SAMPLE = 65_536  # steps that the quantiles are taken from, the first of the text
ROWS_AT_ONCE = 16_384


class StateIndex:
    """Which units are on at every step, at any threshold.

    Attributes:
        edges: (15, units) float32, the quantiles of each unit.
        steps: how many steps are indexed.
        units: how many units.
    """

    def __init__(self, edges: Array, planes: Words, above: npt.NDArray[np.int64]) -> None:
        self.edges = edges
        self._planes = planes  # (steps, PLANES, words)
        self._above = above  # (15, units): steps above each quantile
        self.steps = len(planes)
        self.units = edges.shape[1]
        words = planes.shape[2]
        valid = np.zeros(words * WORD, dtype=bool)
        valid[: self.units] = True
        self._valid = _packed(valid[None])[0]

    @classmethod
    def build(cls, blocks: Iterable[Array], steps: int) -> "StateIndex":
        """The index of values that come block by block, so that they need never lie together.

        Args:
            blocks: each (some steps, units) float32; together `steps` steps.
            steps: how many steps will come.

        Raises:
            UserError: there are no steps.
        """
        if not steps:
            raise UserError("there is nothing to index: give at least one step")
        waiting: list[Array] = []
        edges: Array | None = None
        planes = np.empty(0, dtype=np.uint64)
        above = np.empty(0, dtype=np.int64)
        filled, gathered = 0, 0
        for block in blocks:
            waiting.append(block)
            gathered += len(block)
            if edges is None:
                if gathered < min(SAMPLE, steps):
                    continue
                sample = np.concatenate(waiting)
                edges = np.quantile(sample, QUANTILES, axis=0).astype(np.float32)
                units = sample.shape[1]
                planes = np.empty((steps, PLANES, -(-units // WORD)), dtype=np.uint64)
                above = np.zeros((len(QUANTILES), units), dtype=np.int64)
            for values in waiting:
                for rows in np.split(values, range(ROWS_AT_ONCE, len(values), ROWS_AT_ONCE)):
                    planes[filled : filled + len(rows)] = _encode(rows, edges, above)
                    filled += len(rows)
            waiting.clear()
        assert edges is not None
        assert filled == steps, "the blocks hold another number of steps than was said"
        return cls(edges, planes, above)

    @classmethod
    def of_trace(cls, trace: GateTrace, signal: str, layer: int) -> "StateIndex":
        """The index of one signal of one layer of a trace."""
        return cls.build([trace[signal][layer]], trace.steps)

    @property
    def size(self) -> int:
        """Bytes of memory."""
        return self._planes.nbytes + self.edges.nbytes + self._above.nbytes

    def encoded(self, values: Array) -> Words:
        """Values of any text, (steps, units), in the form of this index."""
        return _encode(values, self.edges, np.zeros_like(self._above))

    def rows(self, start: int, stop: int) -> Words:
        """The indexed steps of this range, in the form of this index."""
        return self._planes[start:stop]

    def picked(self, steps: npt.NDArray[np.int64]) -> Words:
        """The indexed steps of these numbers, in the form of this index."""
        return self._planes[steps]

    def on(self, rows: Words, threshold: float) -> Words:
        """Which units are on.

        Args:
            rows: (steps, 4, words) from `encoded`, `rows` or `picked`.
            threshold: one of THRESHOLDS.

        Returns:
            (steps, 2 words) uint64: a bit a unit, first those that are high, then those low.
        """
        level = QUANTILES.index(threshold)
        high = _at_least(rows, level + 1)
        low = ~_at_least(rows, len(QUANTILES) - level)
        return np.concatenate((high, low & self._valid), axis=1)

    def rates(self, threshold: float) -> npt.NDArray[np.float64]:
        """How often each unit is on, (2 units,) 0..1: first high, then low."""
        level = QUANTILES.index(threshold)
        high, mirror = self._above[level], self._above[len(QUANTILES) - 1 - level]
        return np.concatenate((high, self.steps - mirror)) / self.steps

    def unpacked(self, word_row: Words) -> npt.NDArray[np.bool_]:
        """One row of `on` as (2 units,) bool: first high, then low."""
        bits = np.unpackbits(word_row.view(np.uint8), bitorder="little").astype(bool)
        return np.concatenate([half[: self.units] for half in np.split(bits, 2)])

    def packed(self, on: npt.NDArray[np.bool_]) -> Words:
        """The inverse of `unpacked`: (2 words,)."""
        padded = np.zeros((2, len(self._valid) * WORD), dtype=bool)
        padded[:, : self.units] = on.reshape(2, self.units)
        return _packed(padded).ravel()


def state_blocks(
    model: LanguageModel,
    token_ids: npt.NDArray[np.int64],
    signal: str,
    layer: int,
    *,
    block: int = 8_192,
) -> Iterator[Array]:
    """One signal of one layer over a long text, block by block, the state carried on.

    Args:
        model: that reads.
        token_ids: (steps,).
        signal: one of the model's signals.
        layer: from 0.
        block: steps at a time.
    """
    state: State | None = None
    for start in range(0, len(token_ids), block):
        trace = trace_tokens(model, token_ids[start : start + block], state)
        state = trace.final_state
        yield trace[signal][layer]


def _encode(values: Array, edges: Array, above: npt.NDArray[np.int64]) -> Words:
    """The values as bit planes; `above` is counted up."""
    code = np.zeros(values.shape, dtype=np.uint8)
    for number, edge in enumerate(edges):
        is_above = values > edge
        above[number] += is_above.sum(axis=0)
        code += is_above
    words = -(-values.shape[1] // WORD)
    padded = np.zeros((len(values), words * WORD), dtype=np.uint8)
    padded[:, : values.shape[1]] = code
    return np.stack([_packed((padded >> plane) & 1) for plane in range(PLANES)], axis=1)


def _packed(bits: npt.NDArray[np.generic]) -> Words:
    """(n, 64 words) of 0 and 1 as (n, words) uint64."""
    return np.packbits(bits.astype(np.uint8), axis=1, bitorder="little").view(np.uint64)


def _at_least(rows: Words, code: int) -> Words:
    """Which 4-bit numbers are at least `code`: (steps, words)."""
    if code >= 2**PLANES:
        return np.zeros_like(rows[:, 0])
    more = np.zeros_like(rows[:, 0])
    equal = np.full_like(more, np.iinfo(np.uint64).max)
    for plane in range(PLANES - 1, -1, -1):
        bits = rows[:, plane]
        if code >> plane & 1:
            equal &= bits
        else:
            more |= equal & bits
            equal &= ~bits
    return more | equal
