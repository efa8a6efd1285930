"""The fused way through the cell, against the equations and against torch's own modules."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lstm_lm.config import ModelConfig
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import CharTokenizer
from tests import reference, tolerance
from tests.conftest import ALPHABET, float64_weights, random_state, random_tokens, tiny_model

pytestmark = pytest.mark.numeric

CELLS = pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
LAYERS = pytest.mark.parametrize("layers", [1, 2, 3])
TOKENS = random_tokens(40)


def batch(*token_ids: np.ndarray) -> Tensor:
    return torch.from_numpy(np.stack(token_ids))  # (B, T)


@CELLS
@LAYERS
@pytest.mark.parametrize("carried", [False, True], ids=["zero-state", "carried-state"])
def test_fused_pass_computes_the_equations(cell: str, layers: int, carried: bool) -> None:
    model = tiny_model(cell, layers)
    before = random_state(model) if carried else model.zero_state()
    logits, (h, c) = model(batch(TOKENS), before)
    outputs, _ = model.hidden_states(batch(TOKENS), before)
    first = before[0][:, 0].double().numpy(), before[1][:, 0].double().numpy()
    signals, expected, after = reference.run(float64_weights(model), cell, TOKENS.tolist(), first)
    near = tolerance.states(model)
    tolerance.assert_near(outputs[:, 0], signals["hidden_state"][-1], near)
    tolerance.assert_near(logits[:, 0], expected, tolerance.logits(model))
    tolerance.assert_near(h[:, 0], after[0], near)
    tolerance.assert_near(c[:, 0], after[1], near)


@CELLS
@LAYERS
def test_fused_pass_is_torchs_own_module_bit_for_bit(cell: str, layers: int) -> None:
    model = tiny_model(cell, layers)
    token_ids, state = batch(TOKENS, random_tokens(40, seed=8)), model.zero_state(2)
    ours, (h, c) = model.hidden_states(token_ids, state)
    theirs, last = model.rnn(model.embedding(token_ids.t()))
    assert torch.equal(ours, theirs)
    assert torch.equal(h, last[0] if cell == "lstm" else last)
    assert torch.equal(c, last[1] if cell == "lstm" else state[1])


def test_texts_of_a_batch_do_not_touch_each_other(model: LanguageModel) -> None:
    one, other = TOKENS, random_tokens(40, seed=8)
    together, _ = model(batch(one, other), model.zero_state(2))
    alone, _ = model(batch(other), model.zero_state())
    assert together.shape == (40, 2, len(ALPHABET))
    tolerance.assert_near(together[:, 1:], alone, tolerance.logits(model))


@pytest.mark.parametrize("cut", [1, 17, 39])
def test_carrying_the_state_over_a_cut_changes_nothing(model: LanguageModel, cut: int) -> None:
    whole, (h, c) = model(batch(TOKENS), model.zero_state())
    before, state = model(batch(TOKENS[:cut]), model.zero_state())
    after, (h_cut, c_cut) = model(batch(TOKENS[cut:]), state)
    tolerance.assert_near(torch.cat((before, after)), whole, tolerance.logits(model))
    tolerance.assert_near((h_cut, c_cut), (h, c), tolerance.states(model))


def dropping_model(**rates: float) -> LanguageModel:
    config = ModelConfig(
        vocab_size=len(ALPHABET), layers=2, hidden_size=8, embedding_size=5, cell="lstm"
    )
    return LanguageModel(config, CharTokenizer(ALPHABET), seed=1, **rates)


DROPOUTS = pytest.mark.parametrize("kind", ["dropout", "weight_dropout", "embedding_dropout"])


@DROPOUTS
def test_dropout_is_on_in_training_and_off_in_evaluation(kind: str) -> None:
    model, plain = dropping_model(**{kind: 0.5}), dropping_model()
    state = model.zero_state()
    expected, _ = plain(batch(TOKENS), state)

    model.eval()
    for _ in range(2):
        assert torch.equal(model(batch(TOKENS), state)[0], expected)

    model.train()
    torch.manual_seed(1)
    first, _ = model(batch(TOKENS), state)
    second, _ = model(batch(TOKENS), state)
    torch.manual_seed(1)
    again, _ = model(batch(TOKENS), state)
    assert not torch.equal(first, expected)
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_dropped_weights_are_the_recurrent_ones_and_one_draw_serves_all_steps() -> None:
    """With every recurrent weight dropped, no step knows of the one before but through c."""
    model = dropping_model(weight_dropout=0.95).train()
    with torch.no_grad():
        for layer in range(2):
            model.rnn.get_parameter(f"bias_ih_l{layer}")[8:16] = -1e4  # forget gates shut
    torch.manual_seed(0)
    outputs, _ = model.hidden_states(batch(np.zeros(6, np.int64)), model.zero_state())
    torch.testing.assert_close(outputs[4], outputs[5], rtol=0, atol=1e-3)
    before = {name: weight.clone() for name, weight in model.weights().items()}
    assert all(torch.equal(weight, before[name]) for name, weight in model.weights().items())


def test_embedding_dropout_drops_whole_tokens() -> None:
    model = dropping_model(embedding_dropout=0.5).train()
    torch.manual_seed(1)
    rows = model._embed(torch.arange(len(ALPHABET)).repeat(2))  # each token twice
    first, second = rows.chunk(2)
    assert torch.equal(first, second)
    dropped = (first == 0).all(1)
    assert 0 < int(dropped.sum()) < len(ALPHABET)
    kept = model.embedding.weight[~dropped] * 2
    torch.testing.assert_close(first[~dropped], kept, rtol=0, atol=0)


def test_same_seed_gives_same_first_weights() -> None:
    first, again = dropping_model().weights(), dropping_model().weights()
    assert all(torch.equal(weight, again[name]) for name, weight in first.items())
    other = LanguageModel(dropping_model().config, CharTokenizer(ALPHABET), seed=2).weights()
    assert not torch.equal(first["decoder.weight"], other["decoder.weight"])


def test_recurrent_weights_begin_orthogonal_and_forget_gates_open() -> None:
    weights = dropping_model().weights()
    for gate in weights["rnn.weight_hh_l1"].split(8):
        torch.testing.assert_close(gate @ gate.t(), torch.eye(8), rtol=0, atol=1e-5)
    for layer in range(2):
        bias = weights[f"rnn.bias_ih_l{layer}"] + weights[f"rnn.bias_hh_l{layer}"]
        assert bias.tolist() == [0.0] * 8 + [1.0] * 8 + [0.0] * 16


@CELLS
def test_weights_are_those_that_the_config_names(cell: str) -> None:
    model = tiny_model(cell)
    shapes = {name: tuple(weight.shape) for name, weight in model.weights().items()}
    assert shapes == model.config.shapes()
    assert isinstance(model.rnn, {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell])
    assert sum(weight.numel() for weight in model.parameters()) == model.config.parameter_count
