import math

import numpy as np
import pytest
import torch

from lstm_lm.errors import UnknownCharacterError
from lstm_lm.language_model import LanguageModel
from lstm_lm.writing.evaluation import (
    bits,
    cold_window_loss,
    evaluation_mode,
    quick_stateful_loss,
    score,
    stateful_loss,
)
from tests import reference, tolerance
from tests.conftest import float64_weights, random_tokens, tiny_model


def loss_by_steps(model: LanguageModel, token_ids: np.ndarray) -> float:
    """Mean nats a token, in float64, a step at a time, from the zero state."""
    ids = token_ids.tolist()
    _, logits, _ = reference.run(float64_weights(model), model.config.cell, ids[:-1])
    log_probs = reference.log_softmax(logits)
    return -math.fsum(log_probs[t, token] for t, token in enumerate(ids[1:])) / (len(ids) - 1)


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
@pytest.mark.parametrize("count", [2, 512, 514, 1100])
def test_stateful_loss_is_that_of_a_step_by_step_float64_computation(cell: str, count: int) -> None:
    model, tokens = tiny_model(cell), random_tokens(count)
    near = tolerance.log_probs(model)
    assert stateful_loss(model, tokens) == pytest.approx(loss_by_steps(model, tokens), abs=near)


def test_loss_of_any_integer_type_is_the_same(model: LanguageModel) -> None:
    tokens = random_tokens(300)
    assert stateful_loss(model, tokens.astype(np.uint16)) == stateful_loss(model, tokens)
    assert stateful_loss(model, tokens.astype(np.uint32)) == stateful_loss(model, tokens)


@pytest.fixture(scope="module")
def long_text() -> np.ndarray:
    """Long enough for streams of 1,024 tokens: with structure, so that the state matters."""
    tokens = random_tokens(34_000)
    tokens[1::2] = (tokens[::2] + 1) % 10
    return tokens


@pytest.mark.parametrize("count", [32 * 1024 + 1, 32 * 1024 + 2, 33_024, 33_025, 34_000])
def test_quick_loss_is_the_stateful_loss(
    model: LanguageModel, long_text: np.ndarray, count: int
) -> None:
    tokens = long_text[:count]
    quick, exact = quick_stateful_loss(model, tokens), stateful_loss(model, tokens)
    assert quick != exact  # it did take the other way
    assert quick == pytest.approx(exact, abs=tolerance.log_probs(model))


def test_quick_loss_of_a_short_text_is_the_stateful_loss_itself(model: LanguageModel) -> None:
    tokens = random_tokens(32 * 1024)
    assert quick_stateful_loss(model, tokens) == stateful_loss(model, tokens)


@pytest.mark.parametrize("count", [2, 100, 257, 258, 513, 700])
def test_cold_window_loss_is_that_of_a_plain_loop(model: LanguageModel, count: int) -> None:
    tokens = random_tokens(count)
    window = min(256, count - 1)
    losses = [
        loss_by_steps(model, tokens[start : start + window + 1])
        for start in range(0, count - window, window)
    ]
    near = tolerance.log_probs(model)
    assert cold_window_loss(model, tokens) == pytest.approx(np.mean(losses), abs=near)


def test_score_is_the_total_log_probability_of_all_tokens_but_the_first(
    model: LanguageModel,
) -> None:
    text = "bad cafe\nhead"
    near = tolerance.score(model, 12)
    assert score(model, text) == pytest.approx(np.nansum(model.trace(text).log_probs), abs=near)
    tokens = model.tokenizer.encode(text)
    assert model.score(text) == pytest.approx(-12 * loss_by_steps(model, tokens), abs=near)
    assert score(model, "a") == score(model, "") == 0.0
    with pytest.raises(UnknownCharacterError, match=r"U\+005A"):
        score(model, "aZ")


def test_evaluating_a_model_in_training_leaves_dropout_off_and_the_model_as_it_was() -> None:
    model, tokens = tiny_model(), random_tokens(100)
    expected = stateful_loss(model, tokens)
    model.dropout = model.weight_dropout = model.embedding_dropout = 0.5
    model.train()
    assert stateful_loss(model, tokens) == expected
    assert model.training
    with evaluation_mode(model):
        assert not model.training
    assert model.training
    assert torch.is_grad_enabled()


def test_an_untrained_model_that_knows_nothing_scores_as_chance_does() -> None:
    model = tiny_model(scale=0.0)
    near = tolerance.log_probs(model)
    assert stateful_loss(model, random_tokens(500)) == pytest.approx(math.log(10), abs=near)
    assert bits(math.log(8)) == pytest.approx(3.0, abs=1e-12)
