"""One token at a time, with every gate: the step that a writing model is made of.

An `Engine` holds a model's weights, laid out for reading each of them once a step; a `Stepper`
holds one text's state and the buffers, made once, that its steps write into. Many steppers share
one engine. Knows nothing of text or of sampling. CPU, float32, batch 1: no step can be faster than
one read of the weights, and what is added to that is the overhead of the calls. What is held at a
value comes in from `interventions.py`; a step that holds nothing pays nothing for it.

What makes it fast (`tests/benchmarks/bench_step.py`): layer 0's input projection is a row of a
table made once, W_ih and W_hh of the layers above lie side by side so that one product does both,
and the rows are in the order i, f, o, g so that one sigmoid covers the three gates.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lstm_lm.cells.signals import SIGNALS_OF_CELL

if TYPE_CHECKING:
    from lstm_lm.cells.interventions import Held
    from lstm_lm.language_model import LanguageModel, State

Array = npt.NDArray[np.float32]

ROW_OF_SIGNAL: dict[str, dict[str, int]] = {
    "lstm": {
        "input_gate": 0,
        "forget_gate": 1,
        "output_gate": 2,
        "candidate": 3,
        "cell_state": 4,
        "hidden_state": 5,
    },
    "rnn": {"hidden_state": 0},
}
"""Where a signal stands in a stepper's buffer: the gates first, in the order of the rows."""

LARGEST_TABLE = 2**24  # numbers of layer 0's table; a larger vocabulary projects a token at a time


def rows_for_step(weight: Tensor, cell: str) -> Tensor:
    """A copy of the weight with an LSTM's rows i, f, g, o reordered to i, f, o, g."""
    if cell == "rnn":
        return weight.detach().float().clone()
    i, f, g, o = weight.detach().float().chunk(4)
    return torch.cat((i, f, o, g))


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer's weights, rows in the order of the step."""

    w_ih: Tensor
    """(rows, input)."""
    w_hh: Tensor
    """(rows, units)."""
    bias: Tensor
    """(rows,): b_ih + b_hh."""
    side_by_side: Tensor
    """(rows, input + units): [w_ih w_hh]."""


class Engine:
    """A model's weights as the one-token step and the whole-text trace read them.

    Args:
        model: its weights are copied; later changes to them are not seen.
    """

    @torch.no_grad()
    def __init__(self, model: "LanguageModel") -> None:
        config = model.config
        self.config = config
        self.signal_names = tuple(signal.name for signal in SIGNALS_OF_CELL[config.cell])
        self.layers: list[Layer] = []
        weights = {name: weight.detach().cpu() for name, weight in model.rnn.named_parameters()}
        for layer in range(config.layers):
            w_ih = rows_for_step(weights[f"weight_ih_l{layer}"], config.cell)
            w_hh = rows_for_step(weights[f"weight_hh_l{layer}"], config.cell)
            bias = rows_for_step(
                weights[f"bias_ih_l{layer}"] + weights[f"bias_hh_l{layer}"], config.cell
            )
            self.layers.append(
                Layer(w_ih=w_ih, w_hh=w_hh, bias=bias, side_by_side=torch.cat((w_ih, w_hh), 1))
            )
        self.embedding = model.embedding.weight.detach().float().cpu().clone()
        self.decoder_weight = model.decoder.weight.detach().float().cpu().clone()
        self.decoder_bias = model.decoder.bias.detach().float().cpu().clone()
        first = self.layers[0]
        small = config.vocab_size * config.rows <= LARGEST_TABLE
        self.table = (
            torch.addmm(first.bias, self.embedding, first.w_ih.t()) if small else None
        )  # (V, rows)

    def input_projection(self, token_id: int) -> Tensor:
        """W_ih x + b_ih + b_hh of layer 0 for this token, (rows,)."""
        if self.table is not None:
            return self.table[token_id]
        first = self.layers[0]
        return torch.addmv(first.bias, first.w_ih, self.embedding[token_id])

    def start(self, state: "State | None" = None) -> "Stepper":
        """A stepper for one text, from the zero state or from (h, c), each (layers, 1, units)."""
        return Stepper(self, state)


class Stepper:
    """One text on its way through the model.

    Attributes:
        logits: (V,) float32, of the token after the last one read.
    """

    @torch.no_grad()
    def __init__(self, engine: Engine, state: "State | None") -> None:
        config = engine.config
        self._engine = engine
        self._rows = ROW_OF_SIGNAL[config.cell]
        H, L = config.hidden_size, config.layers
        # What a step writes: its signals, layer by layer.
        self._signals = torch.zeros(L, len(self._rows), H)
        # Layer l > 0 reads [h of the layer below, its own h]: one buffer, the halves are views.
        self._inputs = [torch.zeros(2 * H) for _ in range(L)]
        self._tanh_c = torch.zeros(H)
        self.logits = torch.zeros(config.vocab_size)
        self._c = [torch.zeros(H) for _ in range(L)]
        if state is not None:
            self.set_state(state)

    @torch.no_grad()
    def set_state(self, state: "State") -> None:
        """Put (h, c), each (layers, 1, units), in place of the state: the logits are its own."""
        config = self._engine.config
        H, L = config.hidden_size, config.layers
        h, c = (part.detach().float().cpu().reshape(L, H) for part in state)
        for layer in range(L):
            self._inputs[layer][H:] = h[layer]
            self._c[layer].copy_(c[layer])
        self._decode(h[-1])

    @torch.no_grad()
    def step(self, token_id: int, held: "Held | None" = None) -> None:
        """Read one token: afterwards `signals()`, `state()` and `logits` are those of this step.

        Args:
            token_id: the token.
            held: what is held at a value in this step, a layer each (`interventions.py`).
        """
        engine = self._engine
        H = engine.config.hidden_size
        lstm = engine.config.cell == "lstm"
        below = None
        for layer, weights in enumerate(engine.layers):
            buffer, own_h = self._signals[layer], self._inputs[layer][H:]
            hold = None if held is None else held[layer]
            sums = buffer[:4].view(-1) if lstm else buffer[0]
            if below is None:
                torch.addmv(engine.input_projection(token_id), weights.w_hh, own_h, out=sums)
            else:
                self._inputs[layer][:H] = below
                torch.addmv(weights.bias, weights.side_by_side, self._inputs[layer], out=sums)
            if lstm:
                sums[: 3 * H].sigmoid_()  # i, f, o
                sums[3 * H :].tanh_()  # g
                i, f, o, g, c, h = buffer
                if hold is not None:
                    hold.hold_gates(i, f, o, g)
                torch.addcmul(f * self._c[layer], i, g, out=c)  # c = f * c + i * g
                if hold is not None:
                    hold.hold_cell(c)
                self._c[layer].copy_(c)
                torch.tanh(c, out=self._tanh_c)
                torch.mul(o, self._tanh_c, out=h)  # h = o * tanh(c)
            else:
                h = sums.tanh_()
            if hold is not None:
                hold.hold_hidden(h)
            own_h.copy_(h)
            below = h
        assert below is not None
        self._decode(below)

    def _decode(self, h: Tensor) -> None:
        torch.addmv(self._engine.decoder_bias, self._engine.decoder_weight, h, out=self.logits)

    def signals(self) -> dict[str, Array]:
        """Signal -> (layers, units) float32 of the last step: a copy of its own."""
        copy = self._signals.numpy().copy()
        return {name: copy[:, self._rows[name]] for name in self._engine.signal_names}

    def state(self) -> "State":
        """(h, c), each (layers, 1, units) float32: a copy of its own."""
        H = self._engine.config.hidden_size
        h = torch.stack([inputs[H:] for inputs in self._inputs])
        return h[:, None], torch.stack(self._c)[:, None]
