"""What a recurrent cell has to say of itself, so that nothing else asks which cell it is.

A cell is one file: the signals it has and the order they are computed in, its torch module and
first weights, one step, a whole text, and the state it carries. `kinds.py` lists the cells. Knows
nothing of embeddings, decoders or text.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from lstm_lm.cells.diagram import Diagram
from lstm_lm.cells.signals import Signal

How = tuple[bool, int, float, bool, bool, bool]
"""What torch's kernels take after the weights: biases, layers, dropout, training, bidirectional,
batch first."""

State = tuple[Tensor, Tensor]
"""Hidden and cell state, each (layers, batch, units) float32; a cell without a cell state has
zeros there."""


class LayerHold:
    """What is held in one layer at a step; a cell calls it at the place where it is exact."""

    def __init__(self) -> None:
        self._held: dict[str, list[tuple[Tensor | slice, float]]] = {}

    def add(self, signal: str, units: Sequence[int] | None, value: float) -> None:
        """Hold these units of the signal too, None for all; it goes over what was added before."""
        which = slice(None) if units is None else torch.tensor(units)
        self._held.setdefault(signal, []).append((which, value))

    def hold(self, signal: str, values: Tensor) -> None:
        """Put what is held of this signal into its values (units,), in place."""
        for units, value in self._held.get(signal, ()):
            values[units] = value


@dataclass(frozen=True, kw_only=True)
class LayerWeights:
    """One layer's weights as steps and scans read them, rows in the cell's own order."""

    w_ih: Tensor
    """(rows, input)."""
    w_hh: Tensor
    """(rows, units)."""
    bias: Tensor
    """(rows,): what is added to W_ih x before anything else."""
    recurrent_bias: Tensor
    """(rows,): what is added to W_hh h' where it is needed apart; b_hh."""
    joined: Tensor
    """(rows, input + units): [w_ih w_hh], for one product where the cell allows it."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What one unit keeps and writes at a step, in float64."""

    kept: float
    """What stays of its memory: of an LSTM f * c', of a GRU z * h'; 0 without gates."""
    written: float
    """What is added to it: of an LSTM i * g, of a GRU (1 - z) * n; 0 without gates."""
    cell_state: float
    """The cell state, where it is held that value; 0 for a cell without one."""
    free: dict[str, float]
    """Each state -> what it would be, were it not held itself."""


class Cell(ABC):
    """A kind of cell. It has no state of its own: what it is given, it reads or writes."""

    name: ClassVar[str]
    """In configs and options."""
    label: ClassVar[str]
    """As a person reads it, in the middle of a sentence."""
    term: ClassVar[str]
    """As the field calls it in full."""
    article: ClassVar[str] = "a"
    """What goes before the label: a or an."""
    signals: ClassVar[tuple[Signal, ...]]
    """In the order of traces."""
    step_order: ClassVar[tuple[str, ...]]
    """The signals in the order of a step's buffer: those with rows first, as `ordered` has them."""
    has_cell_state: ClassVar[bool]
    """Whether it carries a memory beside the hidden state."""
    diagram: ClassVar[Diagram]
    """How it is drawn."""
    learning_rate: ClassVar[float] = 1.0
    """The largest learning rate that it bears, as a share of an LSTM's."""

    @property
    def blocks(self) -> int:
        """How many blocks of H rows its weights have."""
        return sum(signal.row is not None for signal in self.signals) or 1

    @abstractmethod
    def module(self, input_size: int, hidden_size: int, layers: int) -> nn.RNNBase:
        """The torch module that holds the weights, under torch's own names."""

    def first_biases(self, bias: Tensor) -> None:
        """First values of b_ih (rows,), which is zero, in place."""
        del bias

    @abstractmethod
    def fused(
        self, x: Tensor, state: State, weights: list[Tensor], how: How
    ) -> tuple[Tensor, State]:
        """All steps and layers in torch's own kernel.

        Args:
            x: (steps, batch, input).
            state: before the first step.
            weights: as `module` has them, in its order.
            how: the arguments of torch's kernel after the weights.

        Returns:
            The last layer's hidden states, (steps, batch, units), and the state after the last.
        """

    def ordered(self, weight: Tensor) -> Tensor:
        """A float32 copy of a weight or bias, (rows, ...), its blocks in the order of the step."""
        return weight.detach().float().clone()

    def bias(self, b_ih: Tensor, b_hh: Tensor) -> Tensor:
        """What is added to W_ih x, (rows,), from the two biases as the module has them."""
        return self.ordered(b_ih + b_hh)

    def recurrent_scale(self, signal: str, values: Mapping[str, float]) -> float | None:
        """What W_hh h' + b_hh is multiplied by in the sum of this signal, from signals before it.

        None where nothing is: the sum is one of products, and its two biases are one.
        """
        del signal, values
        return None

    @abstractmethod
    def ledger(
        self, values: Mapping[str, float], h: float, c: float, held: Mapping[str, float]
    ) -> Ledger:
        """What one unit does with its gates, in plain arithmetic.

        Args:
            values: signal -> value, of all that have rows; of a cell without gates, its state.
            h: the unit's hidden state before the step.
            c: its cell state before the step.
            held: signal -> the value at which a state is held.
        """

    @abstractmethod
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
        """One step of one layer.

        Args:
            weights: the layer's.
            projected: W_ih x + bias, (rows,), where it is known; None: x stands in `joined`.
            joined: [x h'], (input + units,); of layer 0 only its second half, h', counts.
            h: h', (units,), the same numbers.
            buffer: (signals, units), written: the step's signals, in the order `step_order`.
            c: (units,), the cell state, read and written by cells that have one.
            hold: what is held at a value; None: nothing.
        """

    @abstractmethod
    def scan(
        self, weights: LayerWeights, inputs: Tensor, h: Tensor, c: Tensor, hold: LayerHold | None
    ) -> dict[str, Tensor]:
        """All steps of one layer.

        Args:
            weights: the layer's.
            inputs: (steps, input) float32.
            h: the hidden state before the first step, (units,).
            c: the cell state before the first step, (units,).
            hold: what is held at a value in every step; None: nothing.

        Returns:
            Signal -> (steps, units) float32.
        """
