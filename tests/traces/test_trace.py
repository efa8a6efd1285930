"""The whole-text trace, against the equations, the steps and torch's own cells."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_lm.cells.signals import LSTM_SIGNALS, SIGNAL_NAMES
from lstm_lm.errors import SignalError, UnknownCharacterError, UserError
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from tests import reference, tolerance
from tests.conftest import ALPHABET, float64_weights, random_state, random_tokens, tiny_model

pytestmark = pytest.mark.numeric

CELLS = pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
TEXTS = st.text(ALPHABET, min_size=2, max_size=60)
TOKENS = random_tokens(50)
TEXT = "abc defgh\nhead bead cafe\nfeed a bad gaffe"


@CELLS
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("carried", [False, True], ids=["zero-state", "carried-state"])
def test_trace_computes_the_equations(cell: str, layers: int, carried: bool) -> None:
    model = tiny_model(cell, layers)
    state = random_state(model) if carried else None
    before = state or model.zero_state()
    first = before[0][:, 0].double().numpy(), before[1][:, 0].double().numpy()
    signals, logits, after = reference.run(float64_weights(model), cell, TOKENS.tolist(), first)
    trace = trace_tokens(model, TOKENS, state)
    assert trace.signals == tuple(signals)
    near = tolerance.states(model)
    for name in trace:
        assert trace[name].dtype == np.float32
        assert trace[name].shape == (layers, 50, 8)
        tolerance.assert_near(trace[name], signals[name], near)
    expected = reference.log_softmax(logits)[np.arange(49), TOKENS[1:]]
    tolerance.assert_near(trace.log_probs[1:], expected, tolerance.log_probs(model))
    assert trace.final_state is not None
    for part, expected_part in zip(trace.final_state, after, strict=True):
        tolerance.assert_near(part[:, 0], expected_part, near)


@CELLS
def test_trace_agrees_with_the_steps(cell: str) -> None:
    model = tiny_model(cell)
    state = random_state(model)
    trace = trace_tokens(model, TOKENS, state)
    stepper = model.engine.start(state)
    near = tolerance.states(model)
    for t, token_id in enumerate(TOKENS.tolist()):
        stepper.step(token_id)
        for name, values in stepper.signals().items():
            tolerance.assert_near(trace[name][:, t], values, near)


def test_trace_agrees_with_torchs_lstm_and_lstm_cells(model: LanguageModel) -> None:
    h, c = random_state(model)
    trace = trace_tokens(model, TOKENS, (h, c))
    x = model.embedding(torch.from_numpy(TOKENS))  # (T, E)
    outputs, last = model.rnn(x[:, None], (h, c))
    near = tolerance.states(model)
    tolerance.assert_near(trace["hidden_state"][-1], outputs[:, 0], near)
    tolerance.assert_near(trace.final_state, last, near)

    cells = []
    for layer, width in enumerate((5, 8)):
        cell = nn.LSTMCell(width, 8)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        cell.load_state_dict({n: model.rnn.get_parameter(f"{n}_l{layer}") for n in names})
        cells.append(cell.requires_grad_(False))
    states = [(h[layer, 0], c[layer, 0]) for layer in range(2)]
    for t in range(50):
        inputs = x[t]
        for layer, cell in enumerate(cells):
            states[layer] = cell(inputs, states[layer])
            inputs = states[layer][0]
            hidden_t, cell_t = trace["hidden_state"][layer, t], trace["cell_state"][layer, t]
            tolerance.assert_near(hidden_t, states[layer][0], near)
            tolerance.assert_near(cell_t, states[layer][1], near)


def test_trace_of_an_rnn_agrees_with_torchs_rnn(rnn: LanguageModel) -> None:
    h, c = random_state(rnn)
    trace = trace_tokens(rnn, TOKENS, (h, c))
    outputs, last = rnn.rnn(rnn.embedding(torch.from_numpy(TOKENS))[:, None], h)
    tolerance.assert_near(trace["hidden_state"][-1], outputs[:, 0], tolerance.states(rnn))
    assert trace.final_state is not None
    tolerance.assert_near(trace.final_state[0], last, tolerance.states(rnn))


@CELLS
@given(data=st.data(), text=TEXTS)
def test_splitting_a_text_anywhere_and_carrying_the_state_gives_the_same_trace(
    model_of: Callable[[str], LanguageModel], cell: str, data: st.DataObject, text: str
) -> None:
    used = model_of(cell)
    cut = data.draw(st.integers(1, len(text) - 1), label="cut")
    whole, before = used.trace(text), used.trace(text[:cut])
    after = used.trace(text[cut:], before.final_state)
    near = tolerance.states(used)
    for name in whole:
        joined = np.concatenate((before[name], after[name]), axis=1)
        tolerance.assert_near(joined, whole[name], near)
    joined = np.concatenate((before.log_probs, after.log_probs))
    tolerance.assert_near(joined, whole.log_probs, tolerance.log_probs(used))
    assert before.final_state is not None


@given(text=TEXTS, seed=st.integers(0, 1000), scale=st.sampled_from([0.1, 1.0, 30.0]))
def test_signals_stay_in_their_range(text: str, seed: int, scale: float) -> None:
    trace = tiny_model(seed=seed, scale=scale).trace(text)
    for signal in LSTM_SIGNALS:
        values = trace[signal.name]
        assert np.isfinite(values).all()
        assert values.min() >= signal.low
        assert values.max() <= signal.high
    # What |f| <= 1 and |i g| <= 1 leave the cell state: at most one a step.
    reach = np.arange(1, len(text) + 1)[:, None] * (1 + 1e-6)
    assert (np.abs(trace["cell_state"]) <= reach).all()


def test_log_probs_are_those_of_the_models_logits(model: LanguageModel) -> None:
    token_ids = random_tokens(1200)  # more than one chunk of 512
    trace = trace_tokens(model, token_ids)
    logits, _ = model(torch.from_numpy(token_ids)[None], model.zero_state())
    expected = logits[:-1, 0].log_softmax(-1)[torch.arange(1199), torch.from_numpy(token_ids[1:])]
    assert np.isnan(trace.log_probs[0])
    tolerance.assert_near(trace.log_probs[1:], expected, tolerance.log_probs(model))


def test_steps_are_those_that_read_their_token(model: LanguageModel) -> None:
    trace = model.trace(TEXT)
    assert trace.tokens == list(TEXT)
    assert trace.token_ids.tolist() == [ALPHABET.index(character) for character in TEXT]
    assert trace.token_ids.dtype == np.int64
    assert (trace.layers, trace.steps, trace.units, len(trace)) == (2, len(TEXT), 8, len(TEXT))
    assert trace.signals == SIGNAL_NAMES
    assert repr(trace).startswith(f"GateTrace({len(TEXT)} steps, 2 layers, 8 units: input_gate,")


def test_tracing_twice_gives_the_same_bits(model: LanguageModel) -> None:
    first, second = model.trace(TEXT), model.trace(TEXT)
    assert all(np.array_equal(first[name], second[name]) for name in SIGNAL_NAMES)


def test_a_name_that_is_no_signal_is_refused_with_those_that_are(model: LanguageModel) -> None:
    with pytest.raises(SignalError) as caught:
        model.trace("abc")["forgetgate"]
    assert str(caught.value) == (
        "'forgetgate' is no signal: choose from input_gate, forget_gate, candidate, output_gate, "
        "cell_state, hidden_state"
    )
    assert isinstance(caught.value, KeyError)


def test_an_rnns_missing_gate_is_explained(rnn: LanguageModel) -> None:
    trace = rnn.trace("abc")
    assert list(trace) == ["hidden_state"]
    with pytest.raises(SignalError) as caught:
        trace["forget_gate"]
    assert str(caught.value) == (
        "this trace has no forget_gate: it holds hidden_state (a plain RNN has no gates)"
    )


def test_an_empty_text_and_an_unknown_character_are_refused(model: LanguageModel) -> None:
    with pytest.raises(UserError, match="the text is empty: give at least one character"):
        model.trace("")
    with pytest.raises(UnknownCharacterError, match=r"'Z' \(U\+005A\) at character 1"):
        model.trace("aZ")


@CELLS
def test_a_saved_trace_loads_as_it_was(
    model_of: Callable[[str], LanguageModel], cell: str, tmp_path: Path
) -> None:
    trace = model_of(cell).trace(TEXT)
    trace.save(tmp_path / "trace.npz")
    loaded = GateTrace.load(tmp_path / "trace.npz")
    assert loaded.tokens == trace.tokens
    assert loaded.signals == trace.signals
    assert np.array_equal(loaded.token_ids, trace.token_ids)
    assert np.array_equal(loaded.log_probs, trace.log_probs, equal_nan=True)
    for name in trace:
        assert np.array_equal(loaded[name], trace[name])
        assert loaded[name].dtype == np.float32


def test_a_trace_holds_tokens_that_no_encoding_can_write(tmp_path: Path) -> None:
    values = {"hidden_state": np.zeros((1, 3, 2), np.float32)}
    tokens = ["\0", "\ud800", "€"]
    trace = GateTrace(tokens, np.arange(3), values, np.zeros(3, np.float32))
    trace.save(tmp_path / "trace.npz")
    assert GateTrace.load(tmp_path / "trace.npz").tokens == tokens


def test_a_file_that_is_no_trace_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such file: .*none\.npz"):
        GateTrace.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("not an archive")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.savez(tmp_path / "half.npz", hidden_state=np.zeros((1, 3, 2)))
    np.savez(tmp_path / "pickle.npz", hidden_state=np.array([object()]))
    np.save(tmp_path / "array.npz", np.zeros(3))
    (tmp_path / "array.npz.npy").rename(tmp_path / "array.npz")
    (tmp_path / "empty.npz").touch()
    whole = (tmp_path / "half.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:-30])
    for name in ("text", "other", "half", "pickle", "array", "empty", "cut"):
        with pytest.raises(UserError, match=rf"{name}\.npz is no saved trace"):
            GateTrace.load(tmp_path / f"{name}.npz")
