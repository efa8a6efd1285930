"""The gates of any torch.nn.LSTM, checked against what the module itself gives.

The module runs as it is; then each layer and direction runs alone through torch's own kernel, which
gives its hidden states, and from these one matrix product gives every gate of every step (the
equations of `signals.py`); the cell state is a scan. Nothing is handed out unless hidden states,
last states and outputs agree with the module's. Knows nothing of text or of language models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_lm.errors import ModuleError
from lstm_lm.signals import SIGNAL_NAMES
from lstm_lm.trace import GateTrace

# Largest difference from the module's own numbers, for values up to 1: of rounding, never of
# equations. TF32, which cuDNN may use for float32, rounds to 10 bits; so does half.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}
TF32_TOLERANCE = 2e-2


def trace_lstm(
    lstm: nn.LSTM,
    inputs: Tensor,
    state: tuple[Tensor, Tensor] | None = None,
    *,
    sequence: int | None = None,
    tokens: Sequence[str] | None = None,
) -> GateTrace:
    """Every signal of every unit at every step of one sequence: see `GateTrace.from_lstm`."""
    _check_module(lstm)
    x = _one_sequence(lstm, inputs, sequence)  # (T, E)
    h0, c0 = _one_state(lstm, state, inputs, sequence)  # each (layers * directions, H)
    if tokens is not None and len(tokens) != len(x):
        raise ModuleError(f"{len(tokens)} tokens for {len(x)} steps: give one for each")
    with torch.no_grad():
        outputs, last = lstm(
            x[None] if lstm.batch_first else x[:, None], (h0[:, None], c0[:, None])
        )
        passes = _passes(lstm, x, h0, c0)
        _compare(lstm, passes, outputs.reshape(len(x), -1), last[0][:, 0], last[1][:, 0])
    signals = {
        name: torch.stack([one.signals[name] for one in passes]).float().cpu().numpy()
        for name in SIGNAL_NAMES
    }
    return GateTrace(
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
    difference: float
    """Largest, of h = o * tanh(c) and the last c, from those of torch's kernel."""


def _passes(lstm: nn.LSTM, x: Tensor, h0: Tensor, c0: Tensor) -> list[_Pass]:
    """Every layer and direction, in torch's order: of each layer forward, then backward."""
    suffixes = ("", "_reverse") if lstm.bidirectional else ("",)
    passes: list[_Pass] = []
    for layer in range(lstm.num_layers):
        weights = [_weights(lstm, f"l{layer}{suffix}") for suffix in suffixes]
        rows = slice(len(passes), len(passes) + len(suffixes))
        flat = [weight for of_direction in weights for weight in of_direction]
        state = h0[rows, None], c0[rows, None]  # each (directions, 1, H)
        how = (lstm.bias, 1, 0.0, False, lstm.bidirectional, False)
        outputs, h_n, c_n = torch._VF.lstm(x[:, None], state, flat, *how)
        for direction, suffix in enumerate(suffixes):
            name = f"layer {layer}"
            if lstm.bidirectional:
                name += ", backward" if suffix else ", forward"
            h = outputs[:, 0, direction * lstm.hidden_size :][:, : lstm.hidden_size]  # (T, H)
            first = state[0][direction, 0], state[1][direction, 0]
            last = h_n[direction, 0], c_n[direction, 0]
            passes.append(_open_up(name, weights[direction], x, h, first, last, bool(suffix)))
        x = outputs[:, 0]
    return passes


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
    backward: bool,
) -> _Pass:
    """The gates behind the hidden states h, (steps, units), that torch computed for this layer."""
    precise = torch.float64 if x.dtype == torch.float64 else torch.float32
    W_ih, W_hh, *biases = (weight.to(precise) for weight in weights)
    h0, c = (part.to(precise) for part in first)
    x, h = x.to(precise), h.to(precise)
    # The step before step t is t - 1, or t + 1 where the text is read from its end.
    before = torch.cat((h[1:], h0[None]) if backward else (h0[None], h[:-1]))
    sums = x @ W_ih.t() + before @ W_hh.t() + sum(biases)  # (T, 4H)
    i, f, g, o = sums.chunk(4, dim=1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    cells = torch.empty_like(h)
    steps = range(len(h))
    for t in reversed(steps) if backward else steps:
        c = f[t] * c + i[t] * g[t]
        cells[t] = c
    largest = max(1.0, float(cells.abs().max()))  # c has no bound: rounding grows with it
    differences = (o * cells.tanh() - h).abs().max(), (c - last[1]).abs().max() / largest
    return _Pass(
        name=name,
        signals=dict(zip(SIGNAL_NAMES, (i, f, g, o, cells, h), strict=True)),
        last_h=last[0],
        last_c=last[1],
        difference=max(float(difference) for difference in differences),
    )


def _compare(
    lstm: nn.LSTM, passes: list[_Pass], outputs: Tensor, last_h: Tensor, last_c: Tensor
) -> None:
    """Raise unless the passes are what the module itself computed."""
    allowed = TOLERANCE[outputs.dtype]
    if outputs.is_cuda and outputs.dtype == torch.float32 and torch.backends.cudnn.allow_tf32:
        allowed = TF32_TOLERANCE
    directions = 2 if lstm.bidirectional else 1
    ours = torch.cat([one.signals["hidden_state"] for one in passes[-directions:]], dim=1)
    found = {one.name: one.difference for one in passes}
    found["its output"] = float((ours - outputs).abs().max())
    for one, h, c in zip(passes, last_h, last_c, strict=True):
        scale = max(1.0, float(c.abs().max()))
        differences = (one.last_h - h).abs().max(), (one.last_c - c).abs().max() / scale
        found[one.name] = max(found[one.name], *(float(difference) for difference in differences))
    worst = max(found, key=lambda name: (math.isnan(found[name]), found[name]))
    if not found[worst] <= allowed:
        raise ModuleError(
            f"what this module gives is not what the LSTM equations give with its weights: "
            f"{worst} differs by {found[worst]:.2g} (at most {allowed:g} is rounding); "
            "is it a subclass, or has it hooks that change the result?"
        )


def _check_module(lstm: object) -> None:
    if not isinstance(lstm, nn.LSTM):
        more = ""
        if isinstance(lstm, (nn.GRU, nn.RNN)):
            more = f": a {type(lstm).__name__} has other gates"
        elif isinstance(lstm, nn.Module):
            inside = [name for name, part in lstm.named_modules() if isinstance(part, nn.LSTM)]
            more = f": give one inside it ({', '.join(inside)})" if inside else ""
        raise ModuleError(f"expected a torch.nn.LSTM, found {type(lstm).__name__}{more}")
    if lstm.proj_size:
        raise ModuleError(
            f"this LSTM has projections (proj_size={lstm.proj_size}), which are not supported: "
            "its hidden state is not o * tanh(c); only proj_size=0 can be traced"
        )
    if lstm.training and lstm.dropout and lstm.num_layers > 1:
        raise ModuleError(
            f"this LSTM is training with dropout {lstm.dropout:g}, so what it gives is random: "
            "call lstm.eval() first"
        )


def _one_sequence(lstm: nn.LSTM, inputs: object, sequence: int | None) -> Tensor:
    """The inputs of one sequence, (T, E)."""
    if isinstance(inputs, PackedSequence):
        raise ModuleError(
            "a PackedSequence is not supported: give one sequence as a tensor (steps, "
            f"{lstm.input_size}), cut to its own length"
        )
    layout = (
        f"(batch, steps, {lstm.input_size})"
        if lstm.batch_first
        else (f"(steps, batch, {lstm.input_size})")
    )
    expected = f"give a tensor (steps, {lstm.input_size}) or {layout}"
    if not isinstance(inputs, Tensor):
        raise ModuleError(f"inputs is a {type(inputs).__name__}: {expected}")
    if inputs.dim() not in (2, 3) or inputs.shape[-1] != lstm.input_size or not inputs.numel():
        raise ModuleError(f"inputs has the shape {tuple(inputs.shape)}: {expected}")
    weight = lstm.weight_ih_l0
    if inputs.dtype != weight.dtype or inputs.device != weight.device:
        raise ModuleError(
            f"inputs is {inputs.dtype} on {inputs.device}, the LSTM {weight.dtype} on "
            f"{weight.device}: inputs.to(lstm.weight_ih_l0) gives what it needs"
        )
    if weight.dtype not in TOLERANCE:
        raise ModuleError(f"an LSTM of {weight.dtype} is not supported: use lstm.float()")
    batch_axis = 0 if lstm.batch_first else 1
    count = inputs.shape[batch_axis] if inputs.dim() == 3 else 1
    if sequence is None and count > 1:
        raise ModuleError(
            f"a batch of {count} sequences: a trace is of one; choose sequence=0 to {count - 1}"
        )
    index = sequence or 0
    if not 0 <= index < count:
        raise ModuleError(f"no sequence {index}: the batch has 0 to {count - 1}")
    return inputs.detach().select(batch_axis, index) if inputs.dim() == 3 else inputs.detach()


def _one_state(
    lstm: nn.LSTM, state: Any, inputs: Tensor, sequence: int | None
) -> tuple[Tensor, Tensor]:
    """(h, c) before the first step, each (layers * directions, H); zero where none is given."""
    rows = lstm.num_layers * (2 if lstm.bidirectional else 1)
    if state is None:
        zeros = inputs.new_zeros(rows, lstm.hidden_size)
        return zeros, zeros
    batch = () if inputs.dim() == 2 else (inputs.shape[0 if lstm.batch_first else 1],)
    expected = (rows, *batch, lstm.hidden_size)
    fits = isinstance(state, tuple) and len(state) == 2
    found = [tuple(part.shape) for part in state] if fits else type(state).__name__
    if not fits or any(shape != expected for shape in found):
        raise ModuleError(f"state is {found}: give (h, c), each {expected}")
    parts = (part.detach().to(inputs) for part in state)
    h0, c0 = (part if not batch else part[:, sequence or 0] for part in parts)
    return h0, c0
