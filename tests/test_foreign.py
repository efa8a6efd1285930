"""The gates of any torch.nn.LSTM, against the module itself and against the equations."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

from lstm_lm import GateTrace
from lstm_lm.errors import ModuleError
from lstm_lm.model import LanguageModel
from lstm_lm.signals import SIGNAL_NAMES
from tests import reference
from tests.conftest import random_tokens

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
    last = trace["hidden_state"][-2 if lstm.bidirectional else -1 :]
    np.testing.assert_allclose(np.concatenate(list(last), 1), outputs.detach(), rtol=0, atol=1e-6)
    assert trace.final_state is not None
    for ours, theirs in zip(trace.final_state, (h_n, c_n), strict=True):
        np.testing.assert_allclose(ours[:, 0], theirs.detach(), rtol=0, atol=2e-6)
    # ... and the equations, for every layer and direction.
    before = state_of(rows, *sizes) if carried else (torch.zeros(rows, H), torch.zeros(rows, H))
    if batch and carried:
        before = before[0][:, batch - 1], before[1][:, batch - 1]
    for row, signals in enumerate(by_the_equations(lstm, inputs, before)):
        for name in SIGNAL_NAMES:
            np.testing.assert_allclose(trace[name][row], signals[name], rtol=0, atol=5e-6)


def test_both_directions_are_named_in_torchs_order_and_aligned_with_the_inputs() -> None:
    lstm = lstm_of(num_layers=2, bidirectional=True)
    trace = GateTrace.from_lstm(lstm, inputs_of())
    assert trace.layer_names == [
        "layer 0, forward", "layer 0, backward", "layer 1, forward", "layer 1, backward"
    ]  # fmt: skip
    # The backward direction's first step reads the last input, from the zero state.
    cell = trace["input_gate"][1, -1] * trace["candidate"][1, -1]
    np.testing.assert_allclose(trace["cell_state"][1, -1], cell, rtol=0, atol=1e-6)
    # Turned around, a one-layer backward pass is a forward one with the same weights.
    one = lstm_of(bidirectional=True)
    alone = nn.LSTM(E, H)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        alone.get_parameter(f"{name}_l0").data = one.get_parameter(f"{name}_l0_reverse").data
    turned = GateTrace.from_lstm(alone, inputs_of().flip(0))
    both = GateTrace.from_lstm(one, inputs_of())
    for name in SIGNAL_NAMES:
        np.testing.assert_allclose(both[name][1], turned[name][0, ::-1], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float64, 2.5e-7), (torch.float16, 5e-3), (torch.bfloat16, 4e-2)],
    ids=str,
)
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
def test_other_precisions_are_traced(
    dtype: torch.dtype, tolerance: float, bidirectional: bool
) -> None:
    lstm = lstm_of(num_layers=2, bidirectional=bidirectional).to(dtype)
    x = inputs_of().to(dtype)
    trace = GateTrace.from_lstm(lstm, x)
    outputs, _ = lstm(x)
    last = np.concatenate(list(trace["hidden_state"][-2 if bidirectional else -1 :]), 1)
    np.testing.assert_allclose(last, outputs.detach().float(), rtol=0, atol=1e-6)
    rows = 4 if bidirectional else 2
    zero = torch.zeros(rows, H), torch.zeros(rows, H)
    for row, signals in enumerate(by_the_equations(lstm, x, zero)):
        for name in SIGNAL_NAMES:
            np.testing.assert_allclose(trace[name][row], signals[name], rtol=0, atol=tolerance)


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
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=2e-6)


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
    broken = lstm_of()
    with torch.no_grad():
        broken.get_parameter("weight_hh_l0")[0, 0] = float("nan")
    with pytest.raises(ModuleError, match=r"differs by nan"):
        GateTrace.from_lstm(broken, inputs_of())


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
        (lstm, x, {"tokens": ["a"]}, "1 tokens for 14 steps: give one for each"),
    ]  # fmt: skip
    for module, inputs, more, message in cases:
        with pytest.raises(ModuleError, match="^" + re.escape(message)) as caught:
            GateTrace.from_lstm(module, inputs, **more)  # pyright: ignore[reportArgumentType]
        assert "\n" not in str(caught.value)
