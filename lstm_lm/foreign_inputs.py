"""What `foreign.py` was given: a module that can be traced, one sequence of it, and its state.

Knows nothing of gates: it says what does not fit, and what to give instead.
"""

from typing import Any

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_lm.errors import ModuleError
from lstm_lm.rounding import UNIT_ROUNDOFF


def check_module(lstm: object) -> None:
    """Raise unless it is an LSTM whose gates can be traced."""
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


def one_sequence(lstm: nn.LSTM, inputs: object, sequence: int | None) -> Tensor:
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
    if weight.dtype not in UNIT_ROUNDOFF:
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


def one_state(
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
