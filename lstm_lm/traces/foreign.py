"""The gates of any torch.nn.LSTM, checked against what the module itself gives.

The module runs as it is; then each layer and direction runs alone through torch's own kernel, which
gives its hidden states, and from these one matrix product gives every gate of every step (the
equations of `signals.py`); the cell state is a scan. Nothing is handed out unless hidden states,
last states and outputs agree with the module's, as closely as its precision lets them
(`rounding.py`). Knows nothing of text or of language models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from lstm_lm.cells.rounding import (
    Precision,
    gamma,
    sigmoid_error,
    sum_gamma,
    tanh_error,
)
from lstm_lm.cells.signals import SIGNAL_NAMES
from lstm_lm.errors import ModuleError
from lstm_lm.traces.arrays import SignalArrays
from lstm_lm.traces.foreign_inputs import (
    as_an_lstm_gives,
    check_module,
    one_sequence,
    one_state,
    refuse_nan,
)

LUCK = 4.0
"""How much further than the one nudge that is tried another of its size may move a result."""


def trace_lstm(
    lstm: nn.LSTM,
    inputs: Tensor,
    state: tuple[Tensor, Tensor] | None = None,
    *,
    sequence: int | None = None,
    tokens: Sequence[str] | None = None,
) -> SignalArrays:
    """Every signal of every unit at every step of one sequence: see `GateTrace.from_lstm`."""
    check_module(lstm)
    x = one_sequence(lstm, inputs, sequence)  # (T, E)
    h0, c0 = one_state(lstm, state, inputs, sequence)  # each (layers * directions, H)
    refuse_nan(lstm, x, h0, c0)
    if tokens is not None and not isinstance(tokens, Sequence):
        raise ModuleError(f"tokens is {type(tokens).__name__}: give a list of {len(x)} texts")
    if tokens is not None and len(tokens) != len(x):
        raise ModuleError(f"{len(tokens)} tokens for {len(x)} steps: give one for each")
    with torch.no_grad():
        batch = x[None] if lstm.batch_first else x[:, None]
        outputs, last = as_an_lstm_gives(lstm, batch, lstm(batch, (h0[:, None], c0[:, None])))
        passes = _passes(lstm, x, h0, c0)
        _compare(lstm, passes, outputs.reshape(len(x), -1), last[0][:, 0], last[1][:, 0])
    signals = {
        name: torch.stack([one.signals[name] for one in passes]).float().cpu().numpy()
        for name in SIGNAL_NAMES
    }
    return SignalArrays(
        tokens=[str(step) for step in range(len(x))] if tokens is None else list(tokens),
        token_ids=np.full(len(x), -1, np.int64),
        signals=signals,
        log_probs=np.full(len(x), np.nan, np.float32),
        final_state=(last[0].cpu(), last[1].cpu()),
        layer_names=[one.name for one in passes],
    )


@dataclass(frozen=True, kw_only=True)
class _Pass:
    """One layer in one direction."""

    name: str
    signals: dict[str, Tensor]
    """Signal -> (steps, units), step t being the one that reads input t."""
    last_h: Tensor
    last_c: Tensor
    found: list["_Difference"]
    """Of h = o * tanh(c) and the last c from those of torch's kernel."""
    of_h: Tensor
    """(steps, 1): how far rounding may move the hidden states of this layer as a whole."""
    of_c: float
    """The same of its last c."""


@dataclass(frozen=True, kw_only=True)
class _Difference:
    """Where two numbers that should be one differ most, for what rounding allows there."""

    where: str
    size: float
    allowed: float

    @classmethod
    def of(cls, where: str, ours: Tensor, theirs: Tensor, allowed: Tensor | float) -> "_Difference":
        """That of two tensors; `allowed` is one number or one for each element."""
        sizes = (ours - theirs).abs()  # of a half and a float32: float32
        # Inputs so large that a bound overflows have none.
        limits = torch.as_tensor(allowed).to(sizes).expand_as(sizes).nan_to_num(nan=math.inf)
        worst = int((sizes / limits).nan_to_num(nan=math.inf).argmax())
        return cls(
            where=where,
            size=float(sizes.flatten()[worst]),
            allowed=float(limits.flatten()[worst]),
        )

    @property
    def ratio(self) -> float:
        """Above 1 it is no rounding."""
        return math.inf if math.isnan(self.size) else self.size / self.allowed


def _passes(lstm: nn.LSTM, x: Tensor, h0: Tensor, c0: Tensor) -> list[_Pass]:
    """Every layer and direction, in torch's order: of each layer forward, then backward.

    Beside each pass runs a second one, with every weight nudged as far as rounding could: how far
    its results move tells how far another kernel's may lie from these, over all layers and steps
    that an error is carried through (an algorithm that is stable gives the exact result of data
    that are off by its rounding: Higham 2002, section 1.5).
    """
    suffixes = ("", "_reverse") if lstm.bidirectional else ("",)
    precision = Precision.of(x)
    precise = torch.promote_types(x.dtype, torch.float32)
    widest = max(x.shape[1], len(suffixes) * lstm.hidden_size) + lstm.hidden_size
    nudge = _Nudge(gamma(5, precision.written) + sum_gamma(widest, precision.summed))
    nudged_x = x.to(precise)
    passes: list[_Pass] = []
    for layer in range(lstm.num_layers):
        weights = [_weights(lstm, f"l{layer}{suffix}") for suffix in suffixes]
        rows = slice(len(passes), len(passes) + len(suffixes))
        flat = [weight for of_direction in weights for weight in of_direction]
        state = h0[rows, None], c0[rows, None]  # each (directions, 1, H)
        how = (lstm.bias, 1, 0.0, False, lstm.bidirectional, False)
        outputs, h_n, c_n = torch._VF.lstm(x[:, None], state, flat, *how)
        nudged, _, nudged_c = torch._VF.lstm(
            nudged_x[:, None],
            tuple(part.to(precise) for part in state),
            [nudge.of(weight.to(precise)) for weight in flat],
            *how,
        )
        moved = (nudged - outputs).abs()[:, 0].unflatten(1, (len(suffixes), -1)).amax(2)  # (T, D)
        moved_c = (nudged_c - c_n).abs().amax((1, 2))  # (D,)
        for direction, suffix in enumerate(suffixes):
            name = f"layer {layer}"
            if lstm.bidirectional:
                name += ", backward" if suffix else ", forward"
            h = outputs[:, 0, direction * lstm.hidden_size :][:, : lstm.hidden_size]  # (T, H)
            first = state[0][direction, 0], state[1][direction, 0]
            last = h_n[direction, 0], c_n[direction, 0]
            so_far = _so_far(moved[:, direction], backward=bool(suffix))
            passes.append(
                _open_up(
                    name,
                    weights[direction],
                    x,
                    h,
                    first,
                    last,
                    backward=bool(suffix),
                    precision=precision,
                    of_h=LUCK * so_far[:, None] + 2 * precision.activation,
                    of_c=LUCK * float(moved_c[direction]),
                )
            )
        x, nudged_x = outputs[:, 0], nudged[:, 0]
    return passes


class _Nudge:
    """Moves each weight up or down by a fraction of itself; the same ones each time."""

    def __init__(self, fraction: float) -> None:
        self._fraction = fraction
        self._generator = torch.Generator().manual_seed(1)

    def of(self, weight: Tensor) -> Tensor:
        """The weight, nudged."""
        signs = torch.randint(2, weight.shape, generator=self._generator) * 2 - 1
        return weight * (1 + self._fraction * signs.to(weight))  # in the weight's own precision


def _so_far(values: Tensor, *, backward: bool) -> Tensor:
    """The largest of (steps,) values up to each step, in the order that the text is read in."""
    return values.flip(0).cummax(0).values.flip(0) if backward else values.cummax(0).values


def _weights(lstm: nn.LSTM, ending: str) -> list[Tensor]:
    names = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if lstm.bias else [])
    return [getattr(lstm, f"{name}_{ending}").detach() for name in names]


def _open_up(
    name: str,
    weights: list[Tensor],
    x: Tensor,
    h: Tensor,
    first: tuple[Tensor, Tensor],
    last: tuple[Tensor, Tensor],
    *,
    backward: bool,
    precision: Precision,
    of_h: Tensor,
    of_c: float,
) -> _Pass:
    """The gates behind the hidden states h, (steps, units), that torch computed for this layer."""
    precise = torch.promote_types(x.dtype, torch.float32)
    W_ih, W_hh, *biases = (weight.to(precise) for weight in weights)
    h0, c = (part.to(precise) for part in first)
    x, h = x.to(precise), h.to(precise)
    # The step before step t is t - 1, or t + 1 where the text is read from its end.
    before = torch.cat((h[1:], h0[None]) if backward else (h0[None], h[:-1]))
    from_x, from_h = x @ W_ih.t(), before @ W_hh.t()  # (T, 4H)
    sums = from_x + from_h + sum(biases)
    parts = from_x.abs() + from_h.abs() + sum(bias.abs() for bias in biases)
    squares = x.square() @ W_ih.square().t() + before.square() @ W_hh.square().t()
    errors = precision.sum_error(parts, squares, x.shape[1] + h.shape[1]).chunk(4, dim=1)
    i, f, g, o = sums.chunk(4, dim=1)
    i_error, f_error = (sigmoid_error(at, errors[row], precision) for row, at in enumerate((i, f)))
    g_error, o_error = tanh_error(g, errors[2], precision), sigmoid_error(o, errors[3], precision)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    cells, cell_errors = torch.empty_like(h), torch.empty_like(h)
    # What one step adds to the error of c, but for f's; `written` twice more for each product.
    written = gamma(3, precision.written)
    added = i_error * (g.abs() + g_error) + i * g_error + written * (i * g).abs()
    error = torch.zeros_like(c)
    steps = range(len(h))
    for t in reversed(steps) if backward else steps:
        error = (f[t] + f_error[t]) * error + (f_error[t] + written * f[t]) * c.abs() + added[t]
        c = f[t] * c + i[t] * g[t]
        cells[t], cell_errors[t] = c, error
    tanh_c = cells.tanh()
    of_tanh = tanh_error(cells, cell_errors, precision)
    allowed = o_error * (tanh_c.abs() + of_tanh) + o * of_tanh + precision.activation
    return _Pass(
        name=name,
        signals=dict(zip(SIGNAL_NAMES, (i, f, g, o, cells, h), strict=True)),
        last_h=last[0],
        last_c=last[1],
        found=[
            _Difference.of(name, o * tanh_c, h, allowed),
            _Difference.of(name, c, last[1], error + written * c.abs() + precision.activation),
        ],
        of_h=of_h,
        of_c=of_c + float(gamma(3, precision.written) * c.abs().max()) + 2 * precision.activation,
    )


def _compare(
    lstm: nn.LSTM, passes: list[_Pass], outputs: Tensor, last_h: Tensor, last_c: Tensor
) -> None:
    """Raise unless the passes are what the module itself computed."""
    found = [difference for one in passes for difference in one.found]
    directions = 2 if lstm.bidirectional else 1
    for one, theirs in zip(passes[-directions:], outputs.chunk(directions, 1), strict=True):
        ours = one.signals["hidden_state"]
        found.append(_Difference.of("its output", ours, theirs, one.of_h))
    for one, h, c in zip(passes, last_h, last_c, strict=True):
        found.append(_Difference.of(one.name, one.last_h, h, one.of_h.max()))
        found.append(_Difference.of(one.name, one.last_c, c, one.of_c))
    worst = max(found, key=lambda difference: difference.ratio)
    if not worst.ratio <= 1:
        raise ModuleError(
            f"what this module gives is not what the LSTM equations give with its weights: "
            f"{worst.where} differs by {worst.size:.2g} (at most {worst.allowed:.2g} is rounding); "
            "is it a subclass, or has it hooks that change the result?"
        )
