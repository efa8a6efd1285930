"""One token at a time, with every gate: the step that a writing model is made of.

An `Engine` holds a model's weights, laid out for reading each of them once a step; a `Stepper`
holds one text's state and the buffers, made once, that its steps write into. Many steppers share
one engine. Knows nothing of text or of sampling. CPU, float32, batch 1: no step can be faster than
one read of the weights, and what is added to that is the overhead of the calls. What is held at a
value comes in from `interventions.py`; a step that holds nothing pays nothing for it.

What makes it fast (`tests/benchmarks/bench_step.py`): layer 0's input projection is a row of a
table made once, and W_ih and W_hh of the layers above lie side by side so that one product does
both. The step itself is the cell's (`lstm.py`, `gru.py`, `rnn.py`).
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lstm_lm.cells.cell import LayerHold, LayerWeights, State
from lstm_lm.cells.kinds import cell_of
from lstm_lm.config import ModelConfig

Array = npt.NDArray[np.float32]

Held = list[LayerHold | None]
"""What is held at a step, a layer each; None: nothing in this layer."""

LARGEST_TABLE = 2**24  # numbers of layer 0's table; a larger vocabulary projects a token at a time


class Engine:
    """A model's weights as the one-token step and the whole-text trace read them.

    Args:
        config: the sizes.
        weights: name -> weight, as the weight file has them; they are copied.
    """

    @torch.no_grad()
    def __init__(self, config: ModelConfig, weights: Mapping[str, Tensor]) -> None:
        self.config = config
        self.cell = cell = cell_of(config.cell)
        self.signal_names = tuple(signal.name for signal in cell.signals)
        self.layers: list[LayerWeights] = []
        weights = {name: weight.detach().cpu() for name, weight in weights.items()}
        for layer in range(config.layers):
            w_ih = cell.ordered(weights[f"rnn.weight_ih_l{layer}"])
            w_hh = cell.ordered(weights[f"rnn.weight_hh_l{layer}"])
            b_ih, b_hh = weights[f"rnn.bias_ih_l{layer}"], weights[f"rnn.bias_hh_l{layer}"]
            self.layers.append(
                LayerWeights(
                    w_ih=w_ih,
                    w_hh=w_hh,
                    bias=cell.bias(b_ih, b_hh),
                    recurrent_bias=cell.ordered(b_hh),
                    joined=torch.cat((w_ih, w_hh), 1),
                )
            )
        self.embedding = weights["embedding.weight"].float().clone()
        self.decoder_weight = weights["decoder.weight"].float().clone()
        self.decoder_bias = weights["decoder.bias"].float().clone()
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

    def start(self, state: State | None = None) -> "Stepper":
        """A stepper for one text, from the zero state or from (h, c), each (layers, 1, units)."""
        return Stepper(self, state)


class Stepper:
    """One text on its way through the model.

    Attributes:
        logits: (V,) float32, of the token after the last one read.
    """

    @torch.no_grad()
    def __init__(self, engine: Engine, state: State | None) -> None:
        config = engine.config
        self._engine = engine
        self._rows = {name: row for row, name in enumerate(engine.cell.step_order)}
        H, L = config.hidden_size, config.layers
        # What a step writes: its signals, layer by layer.
        self._signals = torch.zeros(L, len(self._rows), H)
        # Layer l > 0 reads [h of the layer below, its own h]: one buffer, the halves are views.
        self._inputs = [torch.zeros(2 * H) for _ in range(L)]
        self.logits = torch.zeros(config.vocab_size)
        self._h = [joined[H:] for joined in self._inputs]  # views
        self._c = [torch.zeros(H) for _ in range(L)]
        if state is not None:
            self.set_state(state)

    @torch.no_grad()
    def set_state(self, state: State) -> None:
        """Put (h, c), each (layers, 1, units), in place of the state: the logits are its own."""
        config = self._engine.config
        H, L = config.hidden_size, config.layers
        h, c = (part.detach().float().cpu().reshape(L, H) for part in state)
        for layer in range(L):
            self._h[layer].copy_(h[layer])
            self._c[layer].copy_(c[layer])
        self._decode(h[-1])

    @torch.no_grad()
    def step(self, token_id: int, held: Held | None = None) -> None:
        """Read one token: afterwards `signals()`, `state()` and `logits` are those of this step.

        Args:
            token_id: the token.
            held: what is held at a value in this step, a layer each (`interventions.py`).
        """
        engine = self._engine
        cell, H = engine.cell, engine.config.hidden_size
        below = None
        for layer, weights in enumerate(engine.layers):
            buffer, joined, own_h = self._signals[layer], self._inputs[layer], self._h[layer]
            projected = None
            if below is None:
                projected = engine.input_projection(token_id)
            else:
                joined[:H] = below
            hold = None if held is None else held[layer]
            cell.step(weights, projected, joined, own_h, buffer, self._c[layer], hold)
            below = buffer[-1]  # every cell's hidden state comes last
            own_h.copy_(below)
        assert below is not None
        self._decode(below)

    def _decode(self, h: Tensor) -> None:
        torch.addmv(self._engine.decoder_bias, self._engine.decoder_weight, h, out=self.logits)

    def signals(self) -> dict[str, Array]:
        """Signal -> (layers, units) float32 of the last step: a copy of its own."""
        copy = self._signals.numpy().copy()
        return {name: copy[:, self._rows[name]] for name in self._engine.signal_names}

    def state(self) -> State:
        """(h, c), each (layers, 1, units) float32: a copy of its own."""
        return torch.stack(self._h)[:, None], torch.stack(self._c)[:, None]
