"""Memory and context: hand-set cells with known answers, finite differences, plain loops."""

import numpy as np
import pytest
import torch

from lstm_lm.errors import SignalError, UserError
from lstm_lm.insight.context import loss_by_context, scored_at_once
from lstm_lm.insight.memory import cell_path, half_lives, influence, influence_by_distance
from lstm_lm.language_model import LanguageModel
from tests import tolerance
from tests.conftest import random_tokens, tiny_model
from tests.planted import COUNTER, HALVER, IDLE, LATCH, delay_rnn, hand_set_lstm

TEXT = "ab.b\naa.b.\nb.a\n" * 3


def log_prob(model: LanguageModel, x: torch.Tensor, target: int) -> torch.Tensor:
    """log p(target) after these embeddings (steps, E), from the zero state."""
    outputs, _ = model.rnn(x[:, None])
    return model.decoder(outputs[-1, 0]).log_softmax(-1)[target]


def test_half_lives_of_hand_set_cells_are_known() -> None:
    trace = hand_set_lstm().trace(TEXT)
    lives = half_lives(trace)[0]
    assert lives[HALVER] == lives[IDLE] == 1.0
    assert lives[LATCH] == np.inf
    newlines = TEXT.count("\n") / len(TEXT)
    assert lives[COUNTER] == pytest.approx(np.log(2) / (20 * newlines), rel=1e-5)


def test_the_cells_path_of_hand_set_cells_is_known() -> None:
    trace = hand_set_lstm().trace(TEXT)
    path = cell_path(trace, 0, 9)
    assert path.kept[:, HALVER].tolist() == [0.5 ** (9 - t) for t in range(10)]
    assert path.kept[:, LATCH].tolist() == [1.0] * 10
    assert path.longest() == LATCH
    newline = TEXT.index("\n")  # what stood before it is gone, what came after is all there
    assert (path.kept[:newline, COUNTER] < 1e-8).all()
    assert path.kept[newline:, COUNTER].tolist() == [1.0] * (10 - newline)
    assert cell_path(trace, 0, 9, window=4).kept.tolist() == path.kept[5:].tolist()


def test_the_cells_path_is_the_product_of_the_forget_gates(model: LanguageModel) -> None:
    trace = model.trace("abc abd\nhead")
    f = trace["forget_gate"].astype(np.float64)
    for layer in range(2):
        path = cell_path(trace, layer, 10)
        for t in range(11):
            product = np.prod(f[layer, t + 1 : 11], axis=0)
            np.testing.assert_allclose(path.kept[t], product, rtol=1e-6)
        np.testing.assert_allclose(path.median, np.median(path.kept, axis=1), rtol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 3])
def test_influence_is_the_finite_difference_in_float64(cell: str, layers: int) -> None:
    model = tiny_model(cell=cell, layers=layers).double()
    tokens = random_tokens(9)
    found = influence(model, tokens, 8)
    x = model.embedding.weight[torch.from_numpy(tokens[:8])]
    assert found.log_prob == pytest.approx(float(log_prob(model, x, tokens[8])), abs=1e-12)
    eps = 1e-6
    for t in range(8):
        gradient = []
        for e in range(x.shape[1]):
            up, down = x.clone(), x.clone()
            up[t, e] += eps
            down[t, e] -= eps
            difference = log_prob(model, up, tokens[8]) - log_prob(model, down, tokens[8])
            gradient.append(float(difference) / (2 * eps))
        assert found.size[t] == pytest.approx(np.linalg.norm(gradient), rel=1e-6, abs=1e-10)


def test_an_rnns_influence_is_the_product_of_its_jacobians() -> None:
    model = tiny_model(cell="rnn", layers=1).double()
    tokens = random_tokens(12)
    found = influence(model, tokens, 11)
    weights = {name: weight.numpy() for name, weight in model.weights().items()}
    W_ih, W_hh = weights["rnn.weight_ih_l0"], weights["rnn.weight_hh_l0"]
    bias = weights["rnn.bias_ih_l0"] + weights["rnn.bias_hh_l0"]
    h, states = np.zeros(8), []
    for token in tokens[:11]:
        h = np.tanh(W_ih @ weights["embedding.weight"][token] + W_hh @ h + bias)
        states.append(h)
    logits = weights["decoder.weight"] @ h + weights["decoder.bias"]
    p = np.exp(logits - logits.max())
    p /= p.sum()
    backwards = (np.eye(len(p))[tokens[11]] - p) @ weights["decoder.weight"]  # d log p / d h
    for t in range(10, -1, -1):
        at_sum = backwards * (1 - states[t] ** 2)
        assert found.size[t] == pytest.approx(np.linalg.norm(at_sum @ W_ih), rel=1e-10)
        backwards = at_sum @ W_hh


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_window_changes_nothing_but_how_far_is_looked(cell: str) -> None:
    model = tiny_model(cell=cell)
    tokens = random_tokens(30)
    whole, part = influence(model, tokens, 29), influence(model, tokens, 29, window=6)
    assert part.first == 23
    near = tolerance.gradients(model)
    np.testing.assert_allclose(part.size, whole.size[-6:], rtol=near)
    assert part.log_prob == pytest.approx(whole.log_prob, abs=tolerance.log_probs(model))


def test_only_the_token_that_is_said_again_has_influence() -> None:
    tokens = np.resize([0, 2, 1, 3, 1], 20)
    model = delay_rnn(delay=3)
    found = influence(model, tokens, 15)
    assert np.flatnonzero(found.size).tolist() == [12]
    assert found.reach() == 3
    assert found.sentence().startswith("Half of the gradient of step 15 falls on the last 3 tokens")
    by_distance = influence_by_distance(model, tokens, distances=6, places=5, warm_up=4)
    assert np.flatnonzero(by_distance.mean).tolist() == [2]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_influence_by_distance_is_the_mean_of_single_ones(cell: str) -> None:
    model = tiny_model(cell=cell)
    tokens = random_tokens(40)
    found = influence_by_distance(model, tokens, distances=10, places=4, warm_up=5)
    single = [
        influence(model, tokens[start : start + 16], 15, window=10).size[::-1]
        for start in (0, 8, 16, 24)
    ]
    near = tolerance.gradients(model)
    np.testing.assert_allclose(found.mean, np.mean(single, axis=0), rtol=near)
    np.testing.assert_allclose(found.sizes, np.transpose(single), rtol=near)
    shares = [sizes / sizes.max() for sizes in single]
    np.testing.assert_allclose(found.middle, np.median(shares, axis=0), rtol=2 * near)
    far = [sizes[6:].sum() / sizes.sum() for sizes in single]
    np.testing.assert_allclose(found.beyond(6), far, rtol=2 * near)
    np.testing.assert_allclose(
        found.standard_error, np.std(single, axis=0, ddof=1) / 2, rtol=1e-3, atol=1e-9
    )


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_loss_by_context_is_that_of_reading_each_target_alone(cell: str) -> None:
    model = tiny_model(cell=cell)
    tokens = random_tokens(300)
    found = loss_by_context(model, tokens, contexts=(1, 2, 4, 16, 32), blocks=2)
    first, last = 32 + 4, 300 - 64
    near = tolerance.log_probs(model)
    targets = [*range(first, first + 64), *range(last, last + 64)]
    x = model.embedding.weight[torch.from_numpy(tokens)]
    for number, context in enumerate(found.contexts):
        at_once = scored_at_once(context)
        losses = [
            -float(log_prob(model, x[t - context - (k % 64) % at_once : t], tokens[t]))
            for k, t in enumerate(targets)
        ]
        assert found.loss[number] == pytest.approx(np.mean(losses), abs=near)
        by_block = np.reshape(losses, (2, 64)).mean(axis=1)
        assert found.standard_error[number] == pytest.approx(
            by_block.std(ddof=1) / np.sqrt(2), abs=near
        )


def test_a_delay_of_three_needs_three_tokens_of_context() -> None:
    random = np.random.default_rng(2)
    tokens = random.integers(4, size=600)
    for t in range(3, 600):
        tokens[t] = tokens[t - 3]  # so that what comes is what stood three before
    found = loss_by_context(delay_rnn(delay=3), tokens, contexts=(1, 2, 3, 4, 8, 32), blocks=6)
    assert found.reach == 3
    np.testing.assert_allclose(found.loss[:2], np.log(4), atol=1e-4)
    assert (found.loss[2:] < 0.01).all()
    assert "up to 3 tokens: 1.386 nats a token after reading 1" in found.sentence()


def test_where_context_is_worth_nothing_that_is_said() -> None:
    model = hand_set_lstm()
    with torch.no_grad():
        model.decoder.weight.zero_()
    found = loss_by_context(model, random_tokens(400, size=4), contexts=(1, 8), blocks=4)
    assert found.sentence().startswith("More context than 1 token makes no difference")


def test_a_place_that_is_not_there_is_refused_with_the_range() -> None:
    model = hand_set_lstm()
    trace = model.trace(TEXT)
    with pytest.raises(UserError, match="no layer 1: choose one of 0 to 0"):
        cell_path(trace, 1, 3)
    with pytest.raises(UserError, match="step 0 has no token before it"):
        influence(model, trace.token_ids, 0)
    with pytest.raises(UserError, match="45 tokens, and 193 are needed to look 128 back"):
        influence_by_distance(model, trace.token_ids)
    with pytest.raises(UserError, match="too few to compare contexts in: give 131 or more"):
        loss_by_context(model, trace.token_ids)
    with pytest.raises(SignalError, match="a plain RNN has no gates"):
        half_lives(delay_rnn().trace(TEXT))
