"""What `foreign.py` was given: a module that can be traced, one sequence of it, and its state.

Knows nothing of gates: it says what does not fit, and what to give instead.
"""

import operator
from typing import Any, SupportsIndex

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from lstm_lm.cells.rounding import UNIT_ROUNDOFF
from lstm_lm.errors import ModuleError, shown


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
    index = _whole_number(sequence)
    if not 0 <= index < count:
        raise ModuleError(f"no sequence {index}: the batch has 0 to {count - 1}")
    return inputs.detach().select(batch_axis, index) if inputs.dim() == 3 else inputs.detach()


def _whole_number(sequence: object) -> int:
    """The number of the sequence; 0 where none is chosen."""
    if sequence is None:
        return 0
    if not isinstance(sequence, SupportsIndex) or isinstance(sequence, bool):
        raise ModuleError(f"sequence is {shown(sequence)}: give a whole number")
    return operator.index(sequence)


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
    if fits and not all(isinstance(part, Tensor) for part in state):
        kinds = ", ".join(type(part).__name__ for part in state)
        raise ModuleError(f"state is ({kinds}): give (h, c), each a tensor {expected}")
    found = [tuple(part.shape) for part in state] if fits else type(state).__name__
    if not fits or any(shape != expected for shape in found):
        raise ModuleError(f"state is {found}: give (h, c), each {expected}")
    parts = (part.detach().to(inputs) for part in state)
    h0, c0 = (part if not batch else part[:, sequence or 0] for part in parts)
    return h0, c0


def refuse_nan(lstm: nn.LSTM, x: Tensor, h0: Tensor, c0: Tensor) -> None:
    """Raise ModuleError that names the place if anything to compute with is not a number."""
    for name, weight in lstm.named_parameters():
        if weight.isnan().any():
            raise ModuleError(f"{name} holds NaN: this module was broken before it came here")
    for name, rows, row in (("inputs", x, "step"), ("h", h0, "row"), ("c", c0, "row")):
        where = rows.isnan().any(dim=1).nonzero()
        if len(where):
            of = name if name == "inputs" else f"{name} of the state"
            raise ModuleError(f"{of} holds NaN at {row} {int(where[0])}: every step after reads it")


def as_an_lstm_gives(
    lstm: nn.LSTM, batch: Tensor, found: Any
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """What the module gave for the batch, if it has the form of an LSTM's outputs and state."""
    directions = 2 if lstm.bidirectional else 1
    outputs = (*batch.shape[:2], directions * lstm.hidden_size)
    state = (lstm.num_layers * directions, 1, lstm.hidden_size)
    if _shapes(found) != (outputs, (state, state)):
        raise ModuleError(
            f"{type(lstm).__name__} gives {_shapes(found)}, where torch.nn.LSTM gives "
            f"{(outputs, (state, state))}: is it a subclass, or has it hooks that change the "
            "result?"
        )
    return found


def _shapes(value: object) -> object:
    """Tensors by their shapes, in tuples as they are; anything else by the name of its type."""
    if isinstance(value, tuple):
        return tuple(map(_shapes, value))
    return tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
