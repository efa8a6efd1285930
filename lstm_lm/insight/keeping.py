"""The longest memory of a text: which unit keeps half of what it holds over the most steps.

*Keeps half* is the cell's own path: the product of the forget gates from one step to the other is
at least 1/2. Knows nothing of pages.
"""

from dataclasses import dataclass

import numpy as np

from lstm_lm.insight.findings import lively, longest_hold
from lstm_lm.insight.result import Result
from lstm_lm.traces.trace import GateTrace


@dataclass(frozen=True, kw_only=True)
class Keep(Result):
    """A stretch over which a unit kept half of its memory."""

    layer: int
    """From 0."""
    unit: int
    """From 0."""
    start: int
    """The step whose memory is kept, from 0."""
    stop: int
    """The last step at which half of it is still there."""
    held: float
    """The cell state after `start`."""
    share: float
    """What is left of it after `stop`, 0..1: the product of the forget gates since."""


def longest_keep(trace: GateTrace) -> Keep:
    """The longest stretch over which a unit keeps half of what it holds.

    Only lively units count: an open forget gate keeps nothing where nothing is written. Of
    stretches of one length it is the one in which the memory is largest.

    Raises:
        SignalError: the trace is of a plain RNN, which has no forget gates.
    """
    found: list[tuple[int, float, int, int, int]] = []
    for layer in range(trace.layers):
        for unit in np.flatnonzero(lively(trace, layer)).tolist():
            start, stop = longest_hold(trace["forget_gate"][layer, :, unit])
            held = abs(float(trace["cell_state"][layer, start, unit]))
            found.append((stop - start, held, layer, unit, start))
    steps, _, layer, unit, start = max(found)
    gates = trace["forget_gate"][layer, start + 1 : start + steps + 1, unit]
    return Keep(
        layer=layer,
        unit=unit,
        start=start,
        stop=start + steps,
        held=float(trace["cell_state"][layer, start, unit]),
        share=float(np.prod(gates.astype(np.float64))),
    )
