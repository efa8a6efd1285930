"""The plain tanh RNN (Elman 1990), to compare with: no gates, and no memory beside h.

h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstm_lm.cells.cell import Cell, How, LayerHold, LayerWeights, Ledger, State
from lstm_lm.cells.diagram import Diagram, Equation, reads
from lstm_lm.cells.signals import RNN_SIGNALS

DIAGRAM = Diagram(
    gates=("hidden_state",),
    boxes=(),
    wires=reads(("hidden_state",)),
    memory="",
    before="",
    equations=(
        Equation(signal="hidden_state", formula="tanh(W x + W h′ + b)", numbers="", plain=""),
    ),
    note="a plain RNN has no gates, and no memory beside h",
)


class RNN(Cell):
    """One matrix and a tanh."""

    name = "rnn"
    label = "plain RNN"
    term = "plain tanh RNN"
    signals = RNN_SIGNALS
    step_order = ("hidden_state",)
    has_cell_state = False
    diagram = DIAGRAM
    learning_rate = 0.25

    def module(self, input_size: int, hidden_size: int, layers: int) -> nn.RNNBase:
        """torch.nn.RNN, with its tanh."""
        return nn.RNN(input_size, hidden_size, layers)

    def fused(
        self, x: Tensor, state: State, weights: list[Tensor], how: How
    ) -> tuple[Tensor, State]:
        """The call below nn.RNN.forward: it takes weights that dropout has touched."""
        h, c = state
        outputs, h = torch._VF.rnn_tanh(x, h, weights, *how)
        return outputs, (h, c)

    def ledger(
        self, values: Mapping[str, float], h: float, c: float, held: Mapping[str, float]
    ) -> Ledger:
        """Nothing is kept or written: h is made anew."""
        del values, h, c, held
        free = {"cell_state": 0.0}  # the hidden state is itself a sum's value
        return Ledger(kept=0.0, written=0.0, cell_state=0.0, free=free)

    def step(
        self,
        weights: LayerWeights,
        projected: Tensor | None,
        joined: Tensor,
        h: Tensor,
        buffer: Tensor,
        c: Tensor,
        hold: LayerHold | None,
    ) -> None:
        """One product and a tanh."""
        h_t = buffer[0]
        if projected is None:
            torch.addmv(weights.bias, weights.joined, joined, out=h_t)
        else:
            torch.addmv(projected, weights.w_hh, h, out=h_t)
        h_t.tanh_()
        if hold is not None:
            hold.hold("hidden_state", h_t)

    def scan(
        self, weights: LayerWeights, inputs: Tensor, h: Tensor, c: Tensor, hold: LayerHold | None
    ) -> dict[str, Tensor]:
        """The input projection of all steps in one product, then W_hh h' a step, in place."""
        del c
        sums = torch.addmm(weights.bias, inputs, weights.w_ih.t())  # (T, H)
        for h_t in sums:
            h = h_t.addmv_(weights.w_hh, h).tanh_()
            if hold is not None:
                hold.hold("hidden_state", h)
        return {"hidden_state": sums}
