"""The gates of any torch.nn.LSTM, against the module itself and against the equations."""

import copy
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from lstm_lm import GateTrace
from lstm_lm.cells.rounding import UNIT_ROUNDOFF
from lstm_lm.cells.signals import SIGNAL_NAMES
from lstm_lm.errors import ModuleError
from lstm_lm.language_model import LanguageModel
from tests import reference, tolerance
from tests.conftest import random_tokens

NUMERIC = pytest.mark.numeric

E, H, T = 5, 8, 14


def lstm_of(**settings: object) -> nn.LSTM:
    """An LSTM with weights that matter, in evaluation mode."""
    torch.manual_seed(3)
    lstm = nn.LSTM(E, H, **settings)  # pyright: ignore[reportArgumentType]
    with torch.no_grad():
        for weight in lstm.parameters():
            weight.add_(0.4 * torch.randn(weight.shape))
    return lstm.eval()


def inputs_of(*batch: int, steps: int = T) -> Tensor:
    return torch.randn(steps, *batch, E, generator=torch.Generator().manual_seed(4))


def state_of(rows: int, *batch: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(5)
    h = torch.rand(rows, *batch, H, generator=generator) * 2 - 1
    return h, torch.randn(rows, *batch, H, generator=generator)


def by_the_equations(
    lstm: nn.LSTM, x: Tensor, state: tuple[Tensor, Tensor]
) -> list[dict[str, np.ndarray]]:
    """A dict of signals for each layer and direction, in plain float64: (steps, units)."""
    suffixes = ("", "_reverse") if lstm.bidirectional else ("",)
    inputs = x.double().tolist()
    found: list[dict[str, np.ndarray]] = []
    for layer in range(lstm.num_layers):
        outputs = []
        for suffix in suffixes:
            weights = {
                f"rnn.{name}_l0": (
                    getattr(lstm, f"{name}_l{layer}{suffix}").detach().double().numpy()
                    if lstm.bias or name.startswith("weight")
                    else np.zeros(4 * H)
                )
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            h, c = (part[len(found)].double().tolist() for part in state)
            signals = {name: np.zeros((len(inputs), H)) for name in SIGNAL_NAMES}
            order = range(len(inputs))
            for t in reversed(order) if suffix else order:
                of_step = reference.lstm_step(weights, 0, inputs[t], h, c)
                h, c = of_step["hidden_state"], of_step["cell_state"]
                for name in SIGNAL_NAMES:
                    signals[name][t] = of_step[name]
            found.append(signals)
            outputs.append(signals["hidden_state"])
        inputs = np.concatenate(outputs, axis=1).tolist()
    return found


SHAPES = st.fixed_dictionaries(
    {
        "num_layers": st.integers(1, 3),
        "bidirectional": st.booleans(),
        "bias": st.booleans(),
        "batch_first": st.booleans(),
    }
)


@NUMERIC
@given(
    shape=SHAPES, batch=st.integers(0, 3), steps=st.sampled_from([1, 2, 9]), carried=st.booleans()
)
def test_any_lstms_gates_are_those_of_the_equations_and_of_torch(
    shape: dict[str, object], batch: int, steps: int, carried: bool
) -> None:
    lstm = lstm_of(**shape)
    rows = lstm.num_layers * (2 if lstm.bidirectional else 1)
    sizes = (batch,) if batch else ()
    inputs = inputs_of(*sizes, steps=steps)
    if batch and lstm.batch_first:
        inputs = inputs.transpose(0, 1)
    state = state_of(rows, *sizes) if carried else None
    outputs, (h_n, c_n) = lstm(inputs, state)
    chosen = batch - 1 if batch else None
    trace = GateTrace.from_lstm(lstm, inputs, state, sequence=chosen)
    assert (trace.layers, trace.steps, trace.units) == (rows, steps, H)
    assert trace["forget_gate"].dtype == np.float32
    axis = 0 if lstm.batch_first else 1
    if batch:
        inputs, outputs = inputs.select(axis, batch - 1), outputs.select(axis, batch - 1)
        h_n, c_n = h_n[:, batch - 1], c_n[:, batch - 1]
    # Torch's own results ...
    near = tolerance.carried(lstm, inputs)
    last = trace["hidden_state"][-2 if lstm.bidirectional else -1 :]
    tolerance.assert_near(np.concatenate(list(last), 1), outputs.detach(), near)
    assert trace.final_state is not None
    for ours, theirs in zip(trace.final_state, (h_n, c_n), strict=True):
        tolerance.assert_near(ours[:, 0], theirs.detach(), near)
    # ... and the equations, for every layer and direction.
    before = state_of(rows, *sizes) if carried else (torch.zeros(rows, H), torch.zeros(rows, H))
    if batch and carried:
        before = before[0][:, batch - 1], before[1][:, batch - 1]
    for row, signals in enumerate(by_the_equations(lstm, inputs, before)):
        for name in SIGNAL_NAMES:
            tolerance.assert_near(trace[name][row], signals[name], near)


@NUMERIC
def test_both_directions_are_named_in_torchs_order_and_aligned_with_the_inputs() -> None:
    lstm = lstm_of(num_layers=2, bidirectional=True)
    trace = GateTrace.from_lstm(lstm, inputs_of())
    assert trace.layer_names == [
        "layer 0, forward", "layer 0, backward", "layer 1, forward", "layer 1, backward"
    ]  # fmt: skip
    # The backward direction's first step reads the last input, from the zero state.
    cell = trace["input_gate"][1, -1] * trace["candidate"][1, -1]
    tolerance.assert_near(trace["cell_state"][1, -1], cell, tolerance.one_sum(2, 1.0))
    # Turned around, a one-layer backward pass is a forward one with the same weights.
    one = lstm_of(bidirectional=True)
    alone = nn.LSTM(E, H)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        alone.get_parameter(f"{name}_l0").data = one.get_parameter(f"{name}_l0_reverse").data
    turned = GateTrace.from_lstm(alone, inputs_of().flip(0))
    both = GateTrace.from_lstm(one, inputs_of())
    near = tolerance.carried(one, inputs_of())
    for name in SIGNAL_NAMES:
        tolerance.assert_near(both[name][1], turned[name][0, ::-1], near)


def nudged(lstm: nn.LSTM, fraction: float) -> nn.LSTM:
    """The same in float64, with each weight moved up or down by a fraction of itself."""
    moved = copy.deepcopy(lstm).double()
    generator = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for weight in moved.parameters():
            signs = torch.randint(2, weight.shape, generator=generator) * 2 - 1
            weight.mul_(1 + fraction * signs)
    return moved


def steps_from_its_own_states(
    lstm: nn.LSTM, x: Tensor, trace: GateTrace
) -> list[dict[str, np.ndarray]]:
    """Each step by the equations in float64, from the trace's own states before that step.

    So no error is carried on, and what a module of halves rounded on its way is not compared with
    what it would have been.
    """
    suffixes = ("", "_reverse") if lstm.bidirectional else ("",)
    inputs, found = x.double().tolist(), []
    for layer in range(lstm.num_layers):
        for suffix in suffixes:
            row = len(found)
            weights = {
                f"rnn.{name}_l0": lstm.get_parameter(f"{name}_l{layer}{suffix}").double().numpy()
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            }
            states = trace["hidden_state"][row], trace["cell_state"][row]
            zeros = np.zeros((1, H))
            h, c = (
                np.concatenate((part[1:], zeros) if suffix else (zeros, part[:-1])).tolist()
                for part in states
            )
            reads = zip(inputs, h, c, strict=True)
            steps = [reference.lstm_step(weights, 0, *read) for read in reads]
            found.append({name: np.array([step[name] for step in steps]) for name in SIGNAL_NAMES})
        below = list(trace["hidden_state"][len(found) - len(suffixes) : len(found)])
        inputs = np.concatenate(below, axis=1).tolist()
    return found


@NUMERIC
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_other_precisions_are_traced(dtype: torch.dtype, bidirectional: bool) -> None:
    lstm = lstm_of(num_layers=2, bidirectional=bidirectional).to(dtype).requires_grad_(False)
    x = inputs_of().to(dtype)
    trace = GateTrace.from_lstm(lstm, x)
    # The gates are exact of the states that the module went through, in any precision ...
    exactly = tolerance.one_step(lstm, x)
    # ... which themselves are as exact as it is: a trace is float32.
    kept = max(UNIT_ROUNDOFF[dtype], UNIT_ROUNDOFF[torch.float32])
    for row, signals in enumerate(steps_from_its_own_states(lstm, x, trace)):
        for name in SIGNAL_NAMES:
            within = 12 * kept if name == "hidden_state" else exactly
            tolerance.assert_near(trace[name][row], signals[name], within)
    # And they are the module's, and those of the equations with the weights as they are rounded:
    # as near as these are to those of weights that are off by five roundings, one for each part
    # of a sum and each addition.
    zero = torch.zeros(4, H), torch.zeros(4, H)
    exact = by_the_equations(lstm, x, zero)
    moved = by_the_equations(nudged(lstm, 5 * kept), x, zero)
    near = 4 * max(
        float(np.abs(one[name] - other[name]).max())
        for one, other in zip(exact, moved, strict=True)
        for name in SIGNAL_NAMES
    )
    assert near < 100 * kept
    outputs, _ = lstm(x)
    last = np.concatenate(list(trace["hidden_state"][-2 if bidirectional else -1 :]), 1)
    tolerance.assert_near(last, outputs.float(), near)
    for row, signals in enumerate(exact):
        for name in SIGNAL_NAMES:
            tolerance.assert_near(trace[name][row], signals[name], near)


def other_kernel(rounding: str) -> Callable[..., tuple[Tensor, Tensor, Tensor]]:
    """torch._VF.lstm as another library might compute it, in plain float64.

    Args:
        rounding: "every result" is rounded to the precision of the input, or only "the outputs".
    """

    def lstm(
        x: Tensor, state: tuple[Tensor, Tensor], weights: Sequence[Tensor], bias: bool, layers: int,
        dropout: float, training: bool, bidirectional: bool, batch_first: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        def rounded(values: Tensor) -> Tensor:
            return values.to(x.dtype).double() if rounding == "every result" else values

        assert bias
        assert not batch_first
        inputs, last = x.double(), []
        for layer in range(layers):
            outputs = []
            for direction in range(1 + bidirectional):
                row = layer * (1 + bidirectional) + direction
                W_i, W_h, b_i, b_h = (each.double() for each in weights[4 * row : 4 * row + 4])
                h, c = (part[row].double() for part in state)
                of_direction = torch.zeros(*inputs.shape[:2], h.shape[-1], dtype=torch.float64)
                order = range(len(inputs))
                for t in reversed(order) if direction else order:
                    from_x = rounded(rounded(inputs[t] @ W_i.t()) + b_i)
                    from_h = rounded(rounded(h @ W_h.t()) + b_h)
                    i, f, g, o = rounded(from_x + from_h).chunk(4, 1)
                    i, f, o = (rounded(each.sigmoid()) for each in (i, f, o))
                    c = rounded(rounded(f * c) + rounded(i * rounded(g.tanh())))
                    h = of_direction[t] = rounded(o * rounded(c.tanh()))
                outputs.append(of_direction)
                last.append((h, c))
            inputs = torch.cat(outputs, 2)
        h_n, c_n = (torch.stack(part).to(x.dtype) for part in zip(*last, strict=True))
        return inputs.to(x.dtype), h_n, c_n

    return lstm


PRECISIONS = pytest.mark.parametrize("dtype", list(UNIT_ROUNDOFF), ids=str)


@PRECISIONS
@pytest.mark.parametrize("rounding", ["every result", "the outputs"])
@pytest.mark.parametrize("whole", [True, False], ids=["each layer too", "the module only"])
def test_a_sound_lstm_is_traced_however_the_kernels_of_a_machine_round(
    dtype: torch.dtype, rounding: str, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel, own = other_kernel(rounding), torch._VF.lstm
    calls = []

    def lstm(*how: Any) -> tuple[Tensor, Tensor, Tensor]:
        calls.append(how[4])
        return (kernel if whole or how[4] > 1 else own)(*how)

    monkeypatch.setattr(torch._VF, "lstm", lstm)
    for units, bidirectional, layers in ((H, True, 3), (64, False, 2)):
        torch.manual_seed(units)
        lstm_module = nn.LSTM(E, units, layers, bidirectional=bidirectional).to(dtype)
        with torch.no_grad():
            for weight in lstm_module.parameters():
                weight.mul_(2)  # so that errors are carried far
        GateTrace.from_lstm(lstm_module, torch.randn(60, E).to(dtype))
        assert layers in calls


@PRECISIONS
def test_a_chaotic_lstm_is_traced_though_its_rounding_grows_until_nothing_is_left(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two kernels agree at first and are far apart in the end: no defect, and not refused."""
    kernel, own = other_kernel("every result"), torch._VF.lstm
    monkeypatch.setattr(torch._VF, "lstm", lambda *how: (kernel if how[4] > 1 else own)(*how))
    torch.manual_seed(1)
    lstm = nn.LSTM(E, 32, 2).to(dtype)
    with torch.no_grad():
        for weight in lstm.parameters():
            weight.mul_(12)
    x = torch.randn(400, E).to(dtype)
    trace = GateTrace.from_lstm(lstm, x)
    last = torch.from_numpy(trace["hidden_state"][-1])
    apart = (last - lstm(x)[0].detach().float()).abs().amax(1)
    assert apart[0] < 40 * UNIT_ROUNDOFF[dtype] + UNIT_ROUNDOFF[torch.float32]
    assert apart[200:].max() > 0.1


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_inputs_whose_squares_are_beyond_their_precision_are_traced(dtype: torch.dtype) -> None:
    x = inputs_of().to(dtype) * torch.finfo(dtype).max ** 0.75
    lstm = lstm_of(num_layers=2).to(dtype)
    trace = GateTrace.from_lstm(lstm, x)
    tolerance.assert_near(trace["hidden_state"][-1], lstm(x)[0].detach().float(), 0.1)


class Wrong(nn.LSTM):
    """An LSTM with a defect in what it computes."""

    defect = ""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> object:
        weights = [weight.detach().clone() for weight in self.parameters()]
        if self.defect == "gate rows swapped":
            weights = [weight.roll(H, 0) for weight in weights]
        elif self.defect == "a bias left out":
            weights[-1].zero_()
        assert hx is not None
        outputs, *state = torch._VF.lstm(
            input, hx, weights, True, self.num_layers, 0.0, False, False, False
        )
        if self.defect == "a step late":
            outputs = torch.cat((outputs[:1] * 0, outputs[:-1]))
        elif self.defect == "the first layer's state last":
            state = [part.flip(0) for part in state]
        elif self.defect == "wrong at the last step":
            outputs[-1] *= -1
        return outputs, tuple(state)


@PRECISIONS
@pytest.mark.parametrize(
    "defect",
    [
        "gate rows swapped",
        "a bias left out",
        "a step late",
        "the first layer's state last",
        "wrong at the last step",
    ],
)
def test_a_wrong_lstm_is_refused_in_every_precision(dtype: torch.dtype, defect: str) -> None:
    lstm = Wrong(E, H, 2)
    lstm.load_state_dict(lstm_of(num_layers=2).state_dict())
    lstm, x = lstm.to(dtype).eval(), inputs_of().to(dtype)
    GateTrace.from_lstm(lstm, x)
    lstm.defect = defect
    with pytest.raises(ModuleError, match=r"differs by \d.* \(at most .* is rounding\)"):
        GateTrace.from_lstm(lstm, x)


@NUMERIC
def test_the_gates_of_a_language_models_lstm_are_those_of_its_trace(model: LanguageModel) -> None:
    token_ids = random_tokens(40)
    text = model.tokenizer.decode(token_ids)
    theirs = model.trace(text)
    ours = GateTrace.from_lstm(
        model.rnn,  # pyright: ignore[reportArgumentType]
        model.embedding(torch.from_numpy(token_ids)),
        tokens=list(text),
    )
    assert ours.tokens == theirs.tokens
    assert ours.layer_names == theirs.layer_names == ["layer 0", "layer 1"]
    for name in SIGNAL_NAMES:
        tolerance.assert_near(ours[name], theirs[name], tolerance.states(model))


def test_a_cell_that_grows_large_is_traced() -> None:
    """Gates wide open for 3,000 steps: c grows to thousands, and so does its rounding."""
    lstm = lstm_of()
    with torch.no_grad():
        for weight in lstm.parameters():
            weight.zero_()
        bias = lstm.get_parameter("bias_ih_l0")
        bias[: 2 * H] = 20.0  # input and forget gate
        bias[2 * H : 3 * H] = 1.0
    trace = GateTrace.from_lstm(lstm, inputs_of(steps=3000))
    np.testing.assert_allclose(trace["cell_state"][0, -1], 3000 * np.tanh(1.0), rtol=1e-4)


def test_steps_are_named_by_number_or_by_the_tokens_given() -> None:
    lstm, x = lstm_of(), inputs_of(steps=3)
    assert GateTrace.from_lstm(lstm, x).tokens == ["0", "1", "2"]
    trace = GateTrace.from_lstm(lstm, x, tokens=("a", "b", "\n"))
    assert trace.tokens == ["a", "b", "\n"]
    assert trace.token_ids.tolist() == [-1, -1, -1]
    assert np.isnan(trace.log_probs).all()


def test_the_module_and_its_inputs_stay_as_they_are() -> None:
    lstm = lstm_of(num_layers=2, dropout=0.5)
    x, state = inputs_of(2).requires_grad_(), state_of(2, 2)
    before = {name: value.clone() for name, value in lstm.state_dict().items()}
    kept = state[0].clone(), state[1].clone()
    GateTrace.from_lstm(lstm, x, state, sequence=1)
    assert not lstm.training
    assert all(torch.equal(value, before[name]) for name, value in lstm.state_dict().items())
    assert torch.equal(state[0], kept[0])
    assert torch.equal(state[1], kept[1])
    assert x.grad is None
    single = lstm_of().train()
    GateTrace.from_lstm(single, inputs_of())  # without dropout, training changes nothing
    assert single.training


class Scaled(nn.LSTM):
    """Gives something else than an LSTM's equations."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> object:
        outputs, state = super().forward(input, hx)
        return outputs * 1.5, state


def test_a_module_whose_output_is_not_the_equations_is_refused() -> None:
    with pytest.raises(ModuleError, match=r"its output differs by .* is it a subclass, or has it"):
        GateTrace.from_lstm(Scaled(E, H), inputs_of())
    hooked = lstm_of()
    hooked.register_forward_hook(
        lambda module, given, found: (found[0], (found[1][0], found[1][1] + 1))
    )
    with pytest.raises(ModuleError, match=r"layer 0 differs by"):
        GateTrace.from_lstm(hooked, inputs_of())


class OneOutput(nn.LSTM):
    """Gives the outputs alone."""

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> object:
        return super().forward(input, hx)[0]


def test_a_module_that_gives_no_outputs_and_state_is_refused() -> None:
    message = "OneOutput gives (14, 1, 8), where torch.nn.LSTM gives ((14, 1, 8), ((1, 1, 8), "
    with pytest.raises(ModuleError, match="^" + re.escape(message)):
        GateTrace.from_lstm(OneOutput(E, H), inputs_of())
    last = lstm_of()
    last.register_forward_hook(lambda module, given, found: (found[0][-1], None))
    with pytest.raises(ModuleError, match=re.escape("LSTM gives ((1, 8), 'NoneType'), where")):
        GateTrace.from_lstm(last, inputs_of())


def test_what_is_no_number_is_named_with_its_place() -> None:
    """NaN spreads to every later step: the differences it leaves would blame hooks for it."""
    broken = lstm_of()
    with torch.no_grad():
        broken.get_parameter("weight_hh_l0")[0, 0] = torch.nan
    with pytest.raises(ModuleError, match=r"^weight_hh_l0 holds NaN"):
        GateTrace.from_lstm(broken, inputs_of())
    x = inputs_of(2)
    x[3, 1, 0] = torch.nan
    with pytest.raises(ModuleError, match=r"^inputs holds NaN at step 3"):
        GateTrace.from_lstm(lstm_of(), x, sequence=1)
    assert GateTrace.from_lstm(lstm_of(), x, sequence=0).steps == len(x)
    h, c = state_of(1)
    with pytest.raises(ModuleError, match=r"^c of the state holds NaN at row 0"):
        GateTrace.from_lstm(lstm_of(), inputs_of(), (h, c * torch.nan))


def test_what_cannot_be_traced_is_refused_in_a_line() -> None:
    lstm, x = lstm_of(), inputs_of()
    both = nn.ModuleDict({"encoder": lstm})
    cases: list[tuple[object, object, dict[str, object], str]] = [
        (nn.GRU(E, H), x, {}, "expected a torch.nn.LSTM, found GRU: a GRU has other gates"),
        (both, x, {}, "expected a torch.nn.LSTM, found ModuleDict: give one inside it (encoder)"),
        ("lstm", x, {}, "expected a torch.nn.LSTM, found str"),
        (nn.LSTM(E, H, proj_size=3), x, {}, "this LSTM has projections (proj_size=3), which are "),
        (nn.LSTM(E, H, 2, dropout=0.5), x, {}, "this LSTM is training with dropout 0.5, so what "),
        (lstm, pack_sequence([x]), {}, "a PackedSequence is not supported: give one sequence as"),
        (lstm, x.tolist(), {}, "inputs is a list: give a tensor (steps, 5) or (steps, batch, 5)"),
        (lstm, x[:, :4], {}, "inputs has the shape (14, 4): give a tensor (steps, 5) or (steps, "),
        (lstm_of(batch_first=True), x[0], {}, "inputs has the shape (5,): give a tensor (steps, 5) "
         "or (batch, steps, 5)"),
        (lstm, x[:0], {}, "inputs has the shape (0, 5): give"),
        (lstm, x.double(), {}, "inputs is torch.float64 on cpu, the LSTM torch.float32 on cpu: "),
        (lstm, inputs_of(3), {}, "a batch of 3 sequences: a trace is of one; choose sequ"),
        (lstm, inputs_of(3), {"sequence": 3}, "no sequence 3: the batch has 0 to 2"),
        (lstm, x, {"state": state_of(2)}, "state is [(2, 8), (2, 8)]: give (h, c), each (1, 8)"),
        (lstm, x, {"state": state_of(1)[0]}, "state is Tensor: give (h, c), each (1, 8)"),
        (lstm, x, {"state": tuple(part.numpy() for part in state_of(1))},
         "state is (ndarray, ndarray): give (h, c), each a tensor (1, 8)"),
        (lstm, x, {"sequence": "1"}, "sequence is '1': give a whole number"),
        (lstm, x, {"sequence": 0.0}, "sequence is 0.0: give a whole number"),
        (lstm, x, {"tokens": 14}, "tokens is int: give a list of 14 texts"),
        (lstm, x, {"tokens": ["a"]}, "1 tokens for 14 steps: give one for each"),
    ]  # fmt: skip
    for module, inputs, more, message in cases:
        with pytest.raises(ModuleError, match="^" + re.escape(message)) as caught:
            GateTrace.from_lstm(module, inputs, **more)  # pyright: ignore[reportArgumentType]
        assert "\n" not in str(caught.value)
