"""The linear probe against scikit-learn and shuffled labels; words and sentences by plain sums."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from lstm_lm.errors import UserError
from lstm_lm.insight.completion import compare, complete_word, word_left
from lstm_lm.insight.keystrokes import keystrokes
from lstm_lm.insight.linear_probe import train_probe
from lstm_lm.insight.probe_features import (
    hidden_means,
    mean_hidden_states,
    scores_along,
    token_shares,
)
from lstm_lm.language_model import LanguageModel
from tests import tolerance
from tests.conftest import ALPHABET, tiny_model

LABELS = ["Ada", "Ben"] * 20


def features(seed: int, apart: float = 0.0, units: int = 30) -> np.ndarray:
    """Noise, with the second label moved by `apart` in a direction of two units."""
    values = np.random.default_rng(seed).normal(size=(len(LABELS), units))
    values[1::2, [4, 9]] += [apart, -apart]
    return values


def test_labels_that_lie_apart_are_told_and_so_are_the_units() -> None:
    probe = train_probe(features(1, apart=4.0), LABELS)
    assert probe.accuracy > 0.95
    assert probe.odds == 1 / 200
    assert probe.chance == 0.5
    assert set(probe.telling_units(2)) == {4, 9}
    assert probe.stands_out
    assert probe.sentence().startswith("A linear probe on the hidden state tells Ada from Ben for")
    new = features(2, apart=4.0)
    assert np.mean([a == b for a, b in zip(probe.tell(new), LABELS, strict=True)]) > 0.9


def test_noise_is_not_told_more_often_than_the_odds_say() -> None:
    # Odds of 0.05 or less come 1.5 times in 30 on average, 8 or more once in 3,000 (binomial).
    probes = [train_probe(features(seed), LABELS, shuffles=99) for seed in range(30)]
    assert sum(probe.stands_out for probe in probes) < 8
    quiet = next(probe for probe in probes if not probe.stands_out)
    assert "does not tell Ada from Ben better than chance" in quiet.sentence()


def test_the_probe_is_scikit_learns_ridge_regression() -> None:
    values = features(3, apart=1.0)
    probe = train_probe(values, LABELS)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    theirs = Ridge(alpha=(scaled**2).sum() / len(scaled)).fit(
        scaled, np.array([[label == name for name in ("Ada", "Ben")] for label in LABELS], float)
    )
    np.testing.assert_allclose(probe.weights, theirs.coef_, atol=1e-10)
    np.testing.assert_allclose(probe.scores(values), theirs.predict(scaled), atol=1e-10)


def test_accuracy_is_that_of_examples_left_out() -> None:
    values = features(4, apart=1.5)
    probe = train_probe(values, LABELS, folds=len(LABELS) // 2, seed=3)
    assert probe.accuracy == np.mean([a == b for a, b in zip(probe.told, LABELS, strict=True)])
    # With as many units as examples a probe is right on nearly all that it was trained on.
    wide = train_probe(features(5, units=200), LABELS)
    trained_on = np.mean(
        [a == b for a, b in zip(wide.tell(features(5, units=200)), LABELS, strict=True)]
    )
    assert trained_on > 0.95 > 0.75 > wide.accuracy


def test_more_than_two_labels_and_unequal_ones() -> None:
    random = np.random.default_rng(6)
    labels = ["x"] * 30 + ["y"] * 10 + ["z"] * 5
    values = random.normal(size=(45, 12))
    values[30:40, 0] += 6
    values[40:, 1] += 6
    probe = train_probe(values, labels)
    assert probe.chance == 30 / 45
    assert probe.accuracy > 0.9
    assert probe.standard_error == pytest.approx(
        (probe.accuracy * (1 - probe.accuracy) / 45) ** 0.5
    )
    assert probe.labels == ("x", "y", "z")


def test_too_few_examples_are_refused() -> None:
    with pytest.raises(UserError, match="all 4 examples have the same label"):
        train_probe(np.zeros((4, 2)), ["x"] * 4)
    with pytest.raises(UserError, match="y has 2 examples: give at least 3 for each label"):
        train_probe(np.zeros((6, 2)), ["x"] * 4 + ["y"] * 2)


def test_features_are_the_mean_hidden_state(model: LanguageModel) -> None:
    texts = ["abc", "head bad\n"]
    for layer in (None, 0):
        expected = [model.trace(text)["hidden_state"][-1 if layer is None else 0] for text in texts]
        means = [values.mean(axis=0) for values in expected]
        tolerance.assert_near(
            mean_hidden_states(model, texts, layer), means, tolerance.states(model)
        )


def test_texts_read_together_are_as_texts_read_alone_in_every_layer(model: LanguageModel) -> None:
    texts = ["abc" * n for n in range(1, 40)] + ["h"]  # of more than one batch, and padded
    together = hidden_means(model, texts)
    assert together.shape == (2, 40, 8)
    for number in (0, 7, 38, 39):
        alone = model.trace(texts[number])["hidden_state"].mean(axis=1, dtype=np.float64)
        tolerance.assert_near(together[:, number], alone, tolerance.states(model))


def test_token_shares_count(model: LanguageModel) -> None:
    shares = token_shares(model, ["aab", "h"])
    assert shares[0, ALPHABET.index("a")] == pytest.approx(2 / 3)
    assert shares[1, ALPHABET.index("h")] == 1
    assert shares.sum() == pytest.approx(2)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_score_along_a_text_ends_in_the_score_of_the_text(cell: str) -> None:
    model = tiny_model(cell=cell)
    texts = [letter * 3 + "e" * n for n in range(1, 5) for letter in "ab"]
    for layer in (None, 0):
        probe = train_probe(mean_hidden_states(model, texts, layer), list("xy") * 4, shuffles=9)
        near = tolerance.probe(model, probe)
        along = scores_along(model, probe, "bad cab", layer)
        assert "".join(along.tokens) == "bad cab"
        for steps in (1, 4, 7):
            whole = probe.scores(mean_hidden_states(model, ["bad cab"[:steps]], layer))[0]
            np.testing.assert_allclose(along.so_far[steps - 1], whole, rtol=0, atol=near)
            np.testing.assert_allclose(along.each[:steps].mean(axis=0), whole, rtol=0, atol=near)


def word_probability(model: LanguageModel, prompt: str, word: str) -> float:
    """p(word, then no letter | prompt), token by token."""
    log_probs, text = 0.0, prompt
    for character in word:
        log_probs += float(next_log_probs(model, text)[ALPHABET.index(character)])
        text += character
    ends = [i for i, character in enumerate(ALPHABET) if not character.isalnum()]
    return float(np.exp(log_probs) * next_log_probs(model, text)[ends].exp().sum())


def next_log_probs(model: LanguageModel, text: str) -> torch.Tensor:
    ids = torch.from_numpy(model.tokenizer.encode(text))[None]
    return model(ids, model.zero_state())[0][-1, 0].log_softmax(-1)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_completions_are_the_likeliest_words_with_their_probability(cell: str) -> None:
    model = tiny_model(cell=cell, scale=3.0)
    found = complete_word(model, "ab", keep=6, beam=400)
    letters = [character for character in ALPHABET if character.isalnum()]
    words = ["".join(way) for n in range(4) for way in itertools.product(letters, repeat=n)]
    by_word = {word: word_probability(model, "ab", word) for word in words if len(word) < 3}
    for completion in found:
        exact = word_probability(model, "ab", completion.text)
        assert completion.probability == pytest.approx(exact, rel=1e-4)
    least = found[-1].probability
    short = {completion.text for completion in found}
    assert all(p <= least * 1.0001 for word, p in by_word.items() if word not in short)
    assert sum(completion.probability for completion in found) <= 1.0001


def test_after_a_space_the_next_word_is_found_with_what_stands_before_it() -> None:
    model = tiny_model(scale=3.0)
    for completion in complete_word(model, "ab ", keep=5):
        assert completion.text.strip().isalnum()
    with pytest.raises(UserError, match="the prompt is empty"):
        complete_word(model, "")


def test_subword_models_complete_words_too(subwords) -> None:
    from lstm_lm.config import ModelConfig

    config = ModelConfig(vocab_size=subwords.vocab_size, hidden_size=8, embedding_size=4, layers=1)
    model = LanguageModel(config, subwords, seed=2).requires_grad_(False).eval()
    found = complete_word(model, "the early b", keep=5)
    assert len(found) == 5
    assert all(" " not in completion.text for completion in found)
    assert 0 < sum(completion.probability for completion in found) <= 1


def test_the_likelier_text_is_the_one_with_the_higher_score(model: LanguageModel) -> None:
    found = compare(model, "abc", "head")
    for number, text in enumerate(("abc", "head")):
        expected = model.score("\n" + text)  # which leaves out the first token, the context
        assert found.log_probs[number] == pytest.approx(expected, abs=1e-4)
        assert found.of_tokens[number].sum() == pytest.approx(expected, abs=1e-4)
        assert found.tokens[number] == tuple(text)
    assert found.likelier == int(found.log_probs[1] > found.log_probs[0])
    assert "is likelier" in found.sentence()
    assert found.parts_at == 0
    assert compare(model, "abc", "abd").parts_at == 2
    assert compare(model, "abc", "abcd").parts_at is None
    assert compare(model, "abc", "abc").sentence().startswith("Neither is likelier")
    with pytest.raises(UserError, match="the context is empty"):
        compare(model, "a", "b", context="")


def test_keys_are_saved_where_the_word_meant_is_offered_and_nowhere_else() -> None:
    model, text = tiny_model(scale=3.0), "bad cab a head"
    found = keystrokes(model, text, offered=3)
    assert "".join(piece for piece, _ in found.pieces) == text
    assert found.presses == len(found.pieces)
    assert found.saved == 1 - found.presses / len(text)
    at = 0
    for piece, taken in found.pieces:
        offered = [each.text for each in complete_word(model, text[:at] or "\n", keep=3)]
        meant = word_left(text[:at], text[at:])
        assert taken == (len(meant) > 1 and meant in offered)
        assert piece == text[at:][: len(piece)]
        assert taken or len(piece) == 1
        at += len(piece)
    # A text of words that are offered takes a press each, and the space between comes along.
    words = ""
    for _ in range(3):
        offered = [each.text for each in complete_word(model, words or "\n", keep=30)]
        words += f"{next(word for word in offered if len(word) > 1)} "
    assert keystrokes(model, words, offered=30).presses == 3
    assert not keystrokes(model, "a").pieces[0][1]  # a letter is a press in any case
    with pytest.raises(UserError, match="the text is empty"):
        keystrokes(model, "")


def test_shuffled_labels_are_told_as_by_chance_however_many_units_there_are() -> None:
    # Shuffled across folds, labels are told worse than by chance, and a quarter is reached oftener.
    random = np.random.default_rng(7)
    labels = ["a"] * 20 + ["b"] * 20
    above = 0
    for _ in range(20):
        probe = train_probe(random.normal(size=(40, 512)), labels, shuffles=99)
        above += probe.odds <= 0.25
    assert 1 <= above <= 11  # 5 are expected; more than 11 come once in 1,000
