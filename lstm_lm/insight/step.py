"""The arithmetic of one step for one unit: where each of its sums comes from.

A gate's value is sigmoid (or tanh) of a sum, and the sum is a bias and one product for each number
that the layer reads (signals.py has the equations):

    sum = b + W_i[unit] x + W_h[unit] h_{t-1}

Here each sum is taken apart in float64, its largest products named and the rest added up, so that
the parts add up to the sum. Knows nothing of pages or of texts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lstm_lm.cells.signals import SIGNALS_OF_CELL
from lstm_lm.cells.stepper import ROW_OF_SIGNAL, Array, Engine

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
    """One of a unit's sums: total = bias + x.total + h.total."""

    signal: str
    """What it is the sum of: a gate, the candidate, or an RNN's hidden state."""
    function: str
    """What makes the value of it: sigmoid or tanh."""
    bias: float
    """b_i + b_h."""
    x: Share
    h: Share
    total: float
    value: float
    """The function of the total: where the signal is held, what it would have been."""


@dataclass(frozen=True, kw_only=True)
class UnitStep:
    """One unit of one layer at one step, from what it reads to what it puts out."""

    x: Array
    """(input,) float32: what the layer reads from below."""
    sums: tuple[UnitSum, ...]
    """An LSTM's four, in the order of its signals; an RNN's one."""
    h_before: float
    c_before: float
    kept: float
    """f * c_{t-1}; 0 for an RNN."""
    written: float
    """i * g; 0 for an RNN."""
    cell_state: float
    """c_t = kept + written, unless it is held; 0 for an RNN."""
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
        c: its cell state before the step, (units,) float32; an RNN's is zero.
        held: signal -> the value at which this unit's is held.
    """
    cell, H = engine.config.cell, engine.config.hidden_size
    weights = engine.layers[layer]
    sums: list[UnitSum] = []
    for signal in SIGNALS_OF_CELL[cell]:
        if cell == "lstm" and signal.row is None:
            continue  # a state has no sum of its own
        row = ROW_OF_SIGNAL[cell][signal.name] * H + unit
        of_x = _share(weights.w_ih[row].numpy(), x)
        of_h = _share(weights.w_hh[row].numpy(), h)
        bias = float(weights.bias[row])
        total = math.fsum((bias, of_x.total, of_h.total))
        function = SATURATES.get(signal.name, "sigmoid")
        value = math.tanh(total) if function == "tanh" else _sigmoid(total)
        sums.append(
            UnitSum(
                signal=signal.name, function=function, bias=bias, x=of_x, h=of_h, total=total,
                value=value,
            )
        )  # fmt: skip
    held = held or {}
    free = {each.signal: each.value for each in sums}
    of = {**free, **held}
    c_before = float(c[unit])
    lstm = cell == "lstm"
    kept = of["forget_gate"] * c_before if lstm else 0.0
    written = of["input_gate"] * of["candidate"] if lstm else 0.0
    free["cell_state"] = kept + written
    cell_state = held.get("cell_state", kept + written)
    tanh_cell = math.tanh(cell_state)
    if lstm:
        free["hidden_state"] = of["output_gate"] * tanh_cell
    return UnitStep(
        x=x,
        sums=tuple(sums),
        h_before=float(h[unit]),
        c_before=c_before,
        kept=kept,
        written=written,
        cell_state=cell_state,
        tanh_cell=tanh_cell,
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
