"""The arithmetic of one step for one unit: where each of its sums comes from.

A gate's value is sigmoid (or tanh) of a sum, and the sum is a bias and one product for each number
that the layer reads (the cell has the equations):

    sum = b + W_i[unit] x + W_h[unit] h_{t-1}

or, of a GRU's candidate, b_i + W_i[unit] x + r * (b_h + W_h[unit] h_{t-1}).

Here each sum is taken apart in float64, its largest products named and the rest added up, so that
the parts add up to the sum. Knows nothing of pages or of texts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lstm_lm.cells.stepper import Array, Engine

NAMED = 6  # products named on either side of a sum
SATURATES = {"candidate": "tanh", "hidden_state": "tanh"}  # the gates: sigmoid


@dataclass(frozen=True, kw_only=True)
class Product:
    """One number read, its weight, and what the two add to a sum."""

    index: int
    """Which number of the vector: an embedding's dimension, or a unit."""
    weight: float
    value: float
    product: float


@dataclass(frozen=True, kw_only=True)
class Share:
    """What one vector, x or h_{t-1}, adds to a sum."""

    total: float
    largest: tuple[Product, ...]
    """The products of the largest size, largest first, whatever their sign."""
    others: int
    """How many products are not named."""
    rest: float
    """What these add together."""


@dataclass(frozen=True, kw_only=True)
class UnitSum:
    """One of a unit's sums: total = bias + x.total + h_scale * (h_bias + h.total)."""

    signal: str
    """What it is the sum of: a gate, the candidate, or an RNN's hidden state."""
    function: str
    """What makes the value of it: sigmoid or tanh."""
    bias: float
    """b_i + b_h; where h_scale comes between, b_i alone."""
    x: Share
    h: Share
    h_scale: float
    """The reset gate before a GRU's candidate; everywhere else 1."""
    h_bias: float
    """b_h, where h_scale comes between; everywhere else 0."""
    total: float
    value: float
    """The function of the total: where the signal is held, what it would have been."""


@dataclass(frozen=True, kw_only=True)
class UnitStep:
    """One unit of one layer at one step, from what it reads to what it puts out."""

    x: Array
    """(input,) float32: what the layer reads from below."""
    sums: tuple[UnitSum, ...]
    """In the order of the cell's signals: an LSTM's four, a GRU's three, an RNN's one."""
    h_before: float
    c_before: float
    kept: float
    """f * c_{t-1}; of a GRU z * h_{t-1}; 0 for an RNN."""
    written: float
    """i * g; of a GRU (1 - z) * n; 0 for an RNN."""
    cell_state: float
    """c_t = kept + written, unless it is held; 0 for a GRU and an RNN."""
    tanh_cell: float
    hidden_state: float
    free: dict[str, float]
    """What is held -> what it would have been, had it alone been free at this step."""


def step_of_unit(
    engine: Engine,
    layer: int,
    unit: int,
    x: Array,
    h: Array,
    c: Array,
    held: Mapping[str, float] | None = None,
) -> UnitStep:
    """Everything that one unit does at one step.

    Args:
        engine: the weights.
        layer: from 0.
        unit: from 0.
        x: what the layer reads from below at this step, (embedding,) or (units,) float32.
        h: the layer's hidden state before the step, (units,) float32.
        c: its cell state before the step, (units,) float32; zero where the cell has none.
        held: signal -> the value at which this unit's is held.
    """
    cell, H = engine.cell, engine.config.hidden_size
    weights, held = engine.layers[layer], held or {}
    sums: list[UnitSum] = []
    free: dict[str, float] = {}
    for signal in [s for s in cell.signals if s.row is not None] or cell.signals:
        row = cell.step_order.index(signal.name) * H + unit
        of_x = _share(weights.w_ih[row].numpy(), x)
        of_h = _share(weights.w_hh[row].numpy(), h)
        bias = float(weights.bias[row])
        scale = cell.recurrent_scale(signal.name, {**free, **held})
        h_bias = 0.0 if scale is None else float(weights.recurrent_bias[row])
        h_scale = 1.0 if scale is None else scale
        total = math.fsum((bias, of_x.total, h_scale * (h_bias + of_h.total)))
        function = SATURATES.get(signal.name, "sigmoid")
        value = math.tanh(total) if function == "tanh" else _sigmoid(total)
        free[signal.name] = value
        sums.append(
            UnitSum(
                signal=signal.name, function=function, bias=bias, x=of_x, h=of_h, h_scale=h_scale,
                h_bias=h_bias, total=total, value=value,
            )
        )  # fmt: skip
    c_before, h_before = float(c[unit]), float(h[unit])
    ledger = cell.ledger({**free, **held}, h_before, c_before, held)
    free |= ledger.free
    return UnitStep(
        x=x,
        sums=tuple(sums),
        h_before=h_before,
        c_before=c_before,
        kept=ledger.kept,
        written=ledger.written,
        cell_state=ledger.cell_state,
        tanh_cell=math.tanh(ledger.cell_state),
        hidden_state=held.get("hidden_state", free["hidden_state"]),
        free={signal: free[signal] for signal in held},
    )


def _share(weights: Array, vector: Array) -> Share:
    """A row of weights times what it reads, the largest products apart from the rest."""
    products = weights.astype(np.float64) * vector.astype(np.float64)
    order = np.argsort(-np.abs(products), kind="stable")
    named, others = order[:NAMED], order[NAMED:]
    return Share(
        total=math.fsum(products),
        largest=tuple(
            Product(
                index=int(k),
                weight=float(weights[k]),
                value=float(vector[k]),
                product=float(products[k]),
            )
            for k in named
        ),
        others=len(others),
        rest=math.fsum(products[others]),
    )


def _sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow far below zero."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))
