"""The LSTM cell (Hochreiter and Schmidhuber 1997; its forget gate: Gers and others 2000).

At step t a layer has input x_t, previous hidden state h_{t-1} and previous cell state c_{t-1}:

    i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)
    f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
    g_t = tanh   (W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
    o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)

torch.nn.LSTM's weights have the rows i, f, g, o; steps and scans have i, f, o, g, so that one
sigmoid covers the three gates.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstm_lm.cells.cell import Cell, How, LayerHold, LayerWeights, Ledger, State
from lstm_lm.cells.diagram import Box, Diagram, Equation, reads
from lstm_lm.cells.signals import LSTM_SIGNALS

DRAWN = ("forget_gate", "input_gate", "candidate", "output_gate")

DIAGRAM = Diagram(
    gates=DRAWN,
    boxes=(
        Box(
            name="c_before", symbol="c′", term="before",
            told="the memory that the step begins with",
        ),
        Box(name="kept", symbol="f × c′", term="kept", told="what is left of the old memory"),
        Box(name="written", symbol="i × g", term="written", told="what is added to it"),
        Box(name="cell_state", symbol="c", term="memory now", told="kept + written"),
        Box(
            name="tanh_cell", symbol="tanh(c)", term="",
            told="the memory, squeezed between −1 and 1",
        ),
        Box(
            name="hidden_state", symbol="h", term="output",
            told="o × tanh(c): what the rest of the model sees",
        ),
    ),
    wires=(
        *reads(DRAWN),
        ("c_before", "kept"), ("forget_gate", "kept"),
        ("input_gate", "written"), ("candidate", "written"),
        ("kept", "cell_state"), ("written", "cell_state"), ("cell_state", "tanh_cell"),
        ("tanh_cell", "hidden_state"), ("output_gate", "hidden_state"),
    ),
    memory="cell_state",
    before="c_before",
    equations=(
        Equation(signal="forget_gate", formula="σ(W x + W h′ + b)", numbers="", plain="keep"),
        Equation(signal="input_gate", formula="σ(W x + W h′ + b)", numbers="", plain="write"),
        Equation(signal="candidate", formula="tanh(W x + W h′ + b)", numbers="", plain="new value"),
        Equation(signal="output_gate", formula="σ(W x + W h′ + b)", numbers="", plain="show"),
        Equation(
            signal="cell_state", formula="f × c′ + i × g",
            numbers="{forget_gate} × {c_before} + {input_gate} × {candidate}", plain="memory",
        ),
        Equation(
            signal="hidden_state", formula="o × tanh(c)",
            numbers="{output_gate} × {tanh_cell}", plain="output",
        ),
    ),
)  # fmt: skip


class LSTM(Cell):
    """Three gates around a memory that is only scaled and added to."""

    name = "lstm"
    label = "LSTM"
    term = "LSTM"
    article = "an"
    signals = LSTM_SIGNALS
    step_order = (
        "input_gate", "forget_gate", "output_gate", "candidate", "cell_state", "hidden_state",
    )  # fmt: skip
    has_cell_state = True
    diagram = DIAGRAM

    def module(self, input_size: int, hidden_size: int, layers: int) -> nn.RNNBase:
        """torch.nn.LSTM."""
        return nn.LSTM(input_size, hidden_size, layers)

    def first_biases(self, bias: Tensor) -> None:
        """Forget gates that begin by keeping (Jozefowicz, Zaremba and Sutskever 2015)."""
        H = len(bias) // 4
        bias[H : 2 * H] = 1.0

    def fused(
        self, x: Tensor, state: State, weights: list[Tensor], how: How
    ) -> tuple[Tensor, State]:
        """The call below nn.LSTM.forward: it takes weights that dropout has touched."""
        outputs, h, c = torch._VF.lstm(x, state, weights, *how)
        return outputs, (h, c)

    def ordered(self, weight: Tensor) -> Tensor:
        """From i, f, g, o to i, f, o, g."""
        i, f, g, o = weight.detach().float().chunk(4)
        return torch.cat((i, f, o, g))

    def ledger(
        self, values: Mapping[str, float], h: float, c: float, held: Mapping[str, float]
    ) -> Ledger:
        """What stays, f * c', and what comes, i * g, are the cell state; o * tanh(c) is shown."""
        del h
        kept, written = values["forget_gate"] * c, values["input_gate"] * values["candidate"]
        c_t = held.get("cell_state", kept + written)
        free = {
            "cell_state": kept + written,
            "hidden_state": values["output_gate"] * math.tanh(c_t),
        }
        return Ledger(kept=kept, written=written, cell_state=c_t, free=free)

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
        """One product, one sigmoid, two tanh."""
        H = len(c)
        sums = buffer[:4].view(-1)
        if projected is None:
            torch.addmv(weights.bias, weights.joined, joined, out=sums)
        else:
            torch.addmv(projected, weights.w_hh, h, out=sums)
        sums[: 3 * H].sigmoid_()  # i, f, o
        sums[3 * H :].tanh_()  # g
        i, f, o, g, c_t, h_t = buffer
        if hold is not None:
            _hold_gates(hold, i, f, o, g)
        torch.addcmul(f * c, i, g, out=c_t)  # c = f * c + i * g
        if hold is not None:
            hold.hold("cell_state", c_t)
        c.copy_(c_t)
        torch.tanh(c_t, out=h_t)
        h_t.mul_(o)  # h = o * tanh(c)
        if hold is not None:
            hold.hold("hidden_state", h_t)

    def scan(
        self, weights: LayerWeights, inputs: Tensor, h: Tensor, c: Tensor, hold: LayerHold | None
    ) -> dict[str, Tensor]:
        """The input projection of all steps in one product, then W_hh h' a step, in place."""
        steps, H = len(inputs), len(h)
        sums = torch.addmm(weights.bias, inputs, weights.w_ih.t())  # (T, 4H), all steps at once
        cell_states, hidden_states = torch.empty(steps, H), torch.empty(steps, H)
        rows = zip(
            sums, sums[:, : 3 * H], sums[:, 3 * H :], cell_states, hidden_states, strict=True
        )
        for sum_t, gates, g, c_t, h_t in rows:
            sum_t.addmv_(weights.w_hh, h)
            gates.sigmoid_()
            g.tanh_()
            i, f, o = gates.view(3, H)
            if hold is not None:
                _hold_gates(hold, i, f, o, g)
            torch.mul(f, c, out=c_t).addcmul_(i, g)  # c = f * c + i * g
            if hold is not None:
                hold.hold("cell_state", c_t)
            torch.tanh(c_t, out=h_t).mul_(o)  # h = o * tanh(c)
            if hold is not None:
                hold.hold("hidden_state", h_t)
            h, c = h_t, c_t
        i, f, o, g = sums.view(steps, 4, H).unbind(1)
        return {
            "input_gate": i,
            "forget_gate": f,
            "candidate": g,
            "output_gate": o,
            "cell_state": cell_states,
            "hidden_state": hidden_states,
        }


def _hold_gates(hold: LayerHold, i: Tensor, f: Tensor, o: Tensor, g: Tensor) -> None:
    """After the activations and before c: each (units,), in place."""
    hold.hold("input_gate", i)
    hold.hold("forget_gate", f)
    hold.hold("output_gate", o)
    hold.hold("candidate", g)
