"""How often each gate is shut or open: Karpathy, Johnson and Fei-Fei 2015, section 4.2.

A gate is left-saturated at a step where it is below 0.1 and right-saturated where it is above 0.9.
For every gate of every unit: the fraction of the steps at which it is either; a point a unit in
their figure. Knows nothing of how the trace came about.
"""

from dataclasses import dataclass

import numpy as np

from lstm_lm.cells.signals import VOCABULARY
from lstm_lm.insight.result import Result
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.trace import GateTrace

LEFT, RIGHT = 0.1, 0.9
GATES = tuple(name for name, signal in VOCABULARY.items() if signal.is_gate)
LABELS = {name: signal.label.lower() for name, signal in VOCABULARY.items()}


@dataclass(frozen=True, kw_only=True)
class Saturation(Result):
    """The fractions of steps at which each gate is saturated; empty for a plain RNN."""

    left: dict[str, Array]
    """Gate -> (layers, units) float32, 0..1: below 0.1."""
    right: dict[str, Array]
    """Gate -> (layers, units) float32, 0..1: above 0.9."""
    steps: int
    """How many steps the fractions are of."""

    def sentence(self, gate: str, layer: int) -> str:
        """How the gates of one kind in one layer behave, with numbers.

        Args:
            gate: one of `GATES`.
            layer: from 0.
        """
        left, right = self.left[gate][layer], self.right[gate][layer]
        most = f"{(right > 0.9).sum()} of {len(right)} are open, {(left > 0.9).sum()} shut"
        return (
            f"The {LABELS[gate]}s of layer {layer + 1} are open (above {RIGHT}) {right.mean():.0%} "
            f"and shut (below {LEFT}) {left.mean():.0%} of the time; at more than nine steps in "
            f"ten {most}."
        )


def saturation(trace: GateTrace) -> Saturation:
    """The saturation of every gate that the trace holds."""
    gates = [gate for gate in GATES if gate in trace.signals]
    return Saturation(
        left={gate: (trace[gate] < LEFT).mean(axis=1, dtype=np.float32) for gate in gates},
        right={gate: (trace[gate] > RIGHT).mean(axis=1, dtype=np.float32) for gate in gates},
        steps=trace.steps,
    )
