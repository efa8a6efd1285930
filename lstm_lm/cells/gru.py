"""The GRU cell (Cho and others 2014), in the form of torch.nn.GRU: two gates, no memory beside h.

    r_t = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
    z_t = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
    n_t = tanh   (W_in x_t + b_in + r_t * (W_hn h_{t-1} + b_hn))
    h_t = (1 - z_t) * n_t + z_t * h_{t-1}

The reset gate r scales what the candidate n sees of the past; the update gate z says how much of
the past stays. Since r comes between W_hn h_{t-1} and the sum, that product is taken apart from
the input's, and b_hn goes with it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lstm_lm.cells.cell import Cell, How, LayerHold, LayerWeights, Ledger, State
from lstm_lm.cells.diagram import Box, Diagram, Equation, reads
from lstm_lm.cells.signals import GRU_SIGNALS

DRAWN = ("update_gate", "reset_gate", "candidate")

DIAGRAM = Diagram(
    gates=DRAWN,
    boxes=(
        Box(name="kept", symbol="z × h′", term="kept", told="what is left of the old state"),
        Box(name="written", symbol="(1 − z) × n", term="written", told="what is added to it"),
        Box(
            name="hidden_state", symbol="h", term="state now",
            told="kept + written: its memory, and what the rest of the model sees",
        ),
    ),
    wires=(
        *reads(DRAWN),
        ("reset_gate", "candidate"), ("update_gate", "kept"), ("update_gate", "written"),
        ("candidate", "written"), ("kept", "hidden_state"), ("written", "hidden_state"),
    ),
    memory="hidden_state",
    before="h_before",
    equations=(
        Equation(signal="reset_gate", formula="σ(W x + W h′ + b)", numbers="", plain="look back"),
        Equation(signal="update_gate", formula="σ(W x + W h′ + b)", numbers="", plain="keep"),
        Equation(
            signal="candidate", formula="tanh(W x + b + r × (W h′ + b))", numbers="",
            plain="new value",
        ),
        Equation(
            signal="hidden_state", formula="z × h′ + (1 − z) × n",
            numbers="{update_gate} × {h_before} + (1 − {update_gate}) × {candidate}",
            plain="memory and output",
        ),
    ),
)  # fmt: skip


class GRU(Cell):
    """Two gates, and a hidden state that is its own memory."""

    name = "gru"
    label = "GRU"
    term = "GRU"
    signals = GRU_SIGNALS
    step_order = ("reset_gate", "update_gate", "candidate", "hidden_state")
    has_cell_state = False
    diagram = DIAGRAM

    def module(self, input_size: int, hidden_size: int, layers: int) -> nn.RNNBase:
        """torch.nn.GRU."""
        return nn.GRU(input_size, hidden_size, layers)

    def first_biases(self, bias: Tensor) -> None:
        """Update gates that begin by keeping, as an LSTM's forget gates do."""
        H = len(bias) // 3
        bias[H : 2 * H] = 1.0

    def fused(
        self, x: Tensor, state: State, weights: list[Tensor], how: How
    ) -> tuple[Tensor, State]:
        """The call below nn.GRU.forward: it takes weights that dropout has touched."""
        h, c = state
        outputs, h = torch._VF.gru(x, h, weights, *how)
        return outputs, (h, c)

    def bias(self, b_ih: Tensor, b_hh: Tensor) -> Tensor:
        """Both biases of r and z; of n the input's alone."""
        H = len(b_ih) // 3
        return self.ordered(torch.cat((b_ih[: 2 * H] + b_hh[: 2 * H], b_ih[2 * H :])))

    def recurrent_scale(self, signal: str, values: Mapping[str, float]) -> float | None:
        """The candidate sees the past through the reset gate."""
        return values["reset_gate"] if signal == "candidate" else None

    def ledger(
        self, values: Mapping[str, float], h: float, c: float, held: Mapping[str, float]
    ) -> Ledger:
        """What stays, z * h', and what comes, (1 - z) * n, are the hidden state."""
        del c, held
        kept = values["update_gate"] * h
        written = (1.0 - values["update_gate"]) * values["candidate"]
        free = {"cell_state": 0.0, "hidden_state": kept + written}
        return Ledger(kept=kept, written=written, cell_state=0.0, free=free)

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
        """Two products: of the input, where it is not known, and of h'."""
        sums = buffer[:3].view(-1)
        if projected is None:
            torch.addmv(weights.bias, weights.w_ih, joined[: -len(h)], out=sums)
        else:
            sums.copy_(projected)
        _advance(weights, sums, torch.mv(weights.w_hh, h), h, buffer[3], hold)

    def scan(
        self, weights: LayerWeights, inputs: Tensor, h: Tensor, c: Tensor, hold: LayerHold | None
    ) -> dict[str, Tensor]:
        """The input projection of all steps in one product, then W_hh h' a step."""
        del c
        steps, H = len(inputs), len(h)
        sums = torch.addmm(weights.bias, inputs, weights.w_ih.t())  # (T, 3H), all steps at once
        hidden_states, past = torch.empty(steps, H), torch.empty(3 * H)
        for sum_t, h_t in zip(sums, hidden_states, strict=True):
            torch.mv(weights.w_hh, h, out=past)
            _advance(weights, sum_t, past, h, h_t, hold)
            h = h_t
        r, z, n = sums.view(steps, 3, H).unbind(1)
        return {"reset_gate": r, "update_gate": z, "candidate": n, "hidden_state": hidden_states}


def _advance(
    weights: LayerWeights,
    sums: Tensor,
    past: Tensor,
    h: Tensor,
    h_t: Tensor,
    hold: LayerHold | None,
) -> None:
    """Make r, z and n of the sums, in place, and write h_t.

    Args:
        weights: the layer's.
        sums: W_ih x and its bias, (3 units,).
        past: W_hh h', (3 units,), without biases.
        h: the hidden state before, (units,).
        h_t: the one after, written.
        hold: what is held at a value; None: nothing.
    """
    H = len(h)
    sums[: 2 * H].add_(past[: 2 * H]).sigmoid_()  # r, z
    r, z, n = sums.view(3, H)
    if hold is not None:
        hold.hold("reset_gate", r)
        hold.hold("update_gate", z)
    n.addcmul_(r, past[2 * H :].add_(weights.recurrent_bias[2 * H :])).tanh_()
    if hold is not None:
        hold.hold("candidate", n)
    torch.lerp(n, h, z, out=h_t)  # h = n + z * (h' - n)
    if hold is not None:
        hold.hold("hidden_state", h_t)
