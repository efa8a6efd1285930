"""Tokens of two tokenizers brought together by characters: planted cases, sums, and any text."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lm.insight.alignment import (
    Pieces,
    costs_of,
    costs_over,
    per_character,
    pieces_of,
    stretches,
)
from lstm_lm.insight.comparison import Comparison, compare, findings, words
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import CharTokenizer, SentencePieceTokenizer, Tokenizer
from lstm_lm.traces.reading import trace_tokens
from tests import tolerance

TEXT = "to café 🙂́\nend"  # an accent within a letter, an emoji with a combining mark


def as_bytes(text: str) -> list[bytes]:
    """A token a character."""
    return [character.encode() for character in text]


def pieces(tokenizer: Tokenizer, text: str) -> Pieces:
    return pieces_of([tokenizer.token_bytes(each) for each in tokenizer.encode(text).tolist()])


def test_a_character_model_has_a_piece_a_character() -> None:
    found = pieces_of(as_bytes(TEXT))
    assert found.bounds.tolist() == list(range(len(TEXT) + 1))
    assert found.tokens.tolist() == found.bounds.tolist()


def test_the_bytes_of_a_character_are_one_piece_and_a_subword_is_another() -> None:
    smile = [bytes([byte]) for byte in "🙂".encode()]
    mark = [bytes([byte]) for byte in "\u0301".encode()]  # a combining mark is a character too
    found = pieces_of([b"to", b" ca", *smile, *mark, b"f"])
    assert found.bounds.tolist() == [0, 2, 5, 6, 7, 8]
    assert found.tokens.tolist() == [0, 1, 2, 6, 8, 9]
    assert found.last_tokens().tolist() == [0, 0, 1, 1, 1, 5, 7, 8]
    assert [found.at(character) for character in (0, 1, 2, 5, 7)] == [0, 0, 1, 2, 4]


def test_a_token_without_text_belongs_to_the_piece_before_it() -> None:
    found = pieces_of([b"", b"a", b"", b"b", b""])
    assert found.bounds.tolist() == [0, 1, 2]
    assert found.tokens.tolist() == [0, 2, 5]


def test_costs_are_summed_over_tokens_and_shared_by_characters() -> None:
    one = pieces_of([b"a", b"bcd", b"\xc3", b"\xa9"])
    costs = costs_of(one, np.array([np.nan, -3.0, -1.0, -0.5], dtype=np.float32))
    assert np.isnan(costs[0])
    assert costs[1:].tolist() == [3.0, 1.5]
    assert per_character(one.bounds, costs)[1:].tolist() == [1.0, 1.0, 1.0, 1.5]


def test_stretches_end_where_both_end_and_keep_the_sums() -> None:
    one, other = pieces_of(as_bytes("abcdef")), pieces_of([b"ab", b"c", b"def"])
    third = pieces_of([b"abc", b"de", b"f"])
    assert stretches(one, other).tolist() == [0, 2, 3, 6]
    assert stretches(other, third).tolist() == [0, 3, 6]
    costs = np.arange(1.0, 7.0)
    assert costs_over(np.array([0, 2, 3, 6]), one, costs).tolist() == [3.0, 3.0, 15.0]
    with pytest.raises(ValueError, match="6 characters against 2"):
        stretches(one, pieces_of([b"ab"]))


@settings(max_examples=25)
@given(text=st.text(min_size=1, max_size=40))
def test_pieces_of_any_text_are_its_own_characters(
    subwords: SentencePieceTokenizer, text: str
) -> None:
    found = pieces(subwords, text)
    ids = subwords.encode(text).tolist()
    parts = [
        subwords.decode(ids[a:b]) for a, b in zip(found.tokens, found.tokens[1:], strict=False)
    ]
    assert parts == [text[a:b] for a, b in zip(found.bounds, found.bounds[1:], strict=False)]
    assert found.characters == len(text)
    assert stretches(found, pieces(CharTokenizer(text), text)).tolist() == found.bounds.tolist()


def test_half_a_surrogate_pair_is_a_character_of_a_char_model() -> None:
    assert pieces(CharTokenizer("a\ud800"), "a\ud800a").bounds.tolist() == [0, 1, 2, 3]


def test_the_compared_sums_are_the_scores_of_both_models(
    model: LanguageModel, rnn: LanguageModel
) -> None:
    text = "abc abd\nhead cab dace\n" * 5
    both = []
    for one in (model, rnn):
        trace = trace_tokens(one, one.tokenizer.encode(text))
        parts = pieces(one.tokenizer, text)
        both.append((parts, costs_of(parts, trace.log_probs)))
    found = compare(text, (both[0][0], both[1][0]), (both[0][1], both[1][1]))
    assert found.characters == len(text) - 1  # before the first, nothing was read
    scores = [one.score(text) for one in (model, rnn)]
    near = max(tolerance.score(one, len(text)) for one in (model, rnn))
    tolerance.assert_near(found.costs.sum(axis=1), np.negative(scores), near)
    difference = np.nansum(found.difference_per_character())
    assert difference == pytest.approx(scores[0] - scores[1], abs=2 * near)


NAMES = "ann", "bob"
LINES = "the cat sat\non a mat he\nhad in mind\n" * 6


def planted(differences: np.ndarray, text: str = LINES) -> Comparison:
    """The right model at 2 nats a character; the left one better by this much, from the second."""
    costs = np.stack([2.0 - differences, np.full(len(differences), 2.0)])
    return Comparison(text=text, bounds=np.arange(1, len(text) + 1), costs=costs)


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, len(LINES) - 1)


def test_a_model_that_is_better_everywhere_is_said_to_be_ahead() -> None:
    first, *more = findings(planted(noise() + 0.3), NAMES)
    assert first.sentence.startswith("ann finds this text likelier: 1.6")
    assert first.sentence.endswith(" nats a character, against 2.000 in bob.")
    assert "less than once in a million times" in first.evidence
    assert not more
    other, *_ = findings(planted(noise() - 0.3), NAMES)
    assert other.sentence.startswith("bob finds this text likelier: 2.000 nats a character, ")


def test_noise_finds_nothing() -> None:
    """Of 60 texts a sign test at 1 in 100 and shifts at 5 in 100 say something in few."""
    said = [findings(planted(noise(seed)), NAMES) for seed in range(60)]
    assert all("Neither finds this text clearly likelier" in one[0].sentence for one in said[:1])
    ahead = sum("Neither" not in one[0].sentence for one in said)
    assert ahead <= 4  # more than 4 of 60 at 1 in 100: odds 1 in 2,800
    assert sum(len(one) > 1 for one in said) <= 10  # more than 10 at 5 in 100: odds 1 in 4,000


def test_one_great_difference_is_found_with_its_word() -> None:
    differences = noise()
    at = LINES.index("mat", 60) + 1
    differences[at - 1] = 1.9 + 4
    found = findings(planted(differences), NAMES)[1]
    assert found.character == at
    assert found.sentence.startswith(f"They differ most at “a” in “mat”, character {at + 1}: ann ")
    assert found.evidence.startswith("That is 5.90 nats; the middle place differs by 0.1")


def test_a_kind_of_place_is_found_and_a_shifted_text_is_the_control() -> None:
    differences = noise()
    starts = [at for at in range(1, len(LINES)) if LINES[at - 1] in " \n" and LINES[at].isalpha()]
    differences[np.array(starts) - 1] += 0.6
    found = findings(planted(differences), NAMES)[-1]
    assert found.sentence.startswith("ann is ")
    assert " ahead at a word's first letter" in found.sentence
    assert found.character in starts
    assert re_number(found.evidence.split("here ")[1]) == pytest.approx(0.6, abs=0.15)


def re_number(text: str) -> float:
    return float(text.rstrip("."))


def test_words_are_summed_with_the_space_before_them() -> None:
    found = planted(np.arange(1.0, 8.0), "xab cd\ne")  # from a on
    assert words(found).tolist() == [1 + 2, 3 + 4 + 5, 6 + 7]


def test_the_same_model_twice_is_said_and_too_short_a_text_too() -> None:
    same = findings(planted(np.zeros(len(LINES) - 1)), NAMES)
    assert same[0].sentence == "Both give every character of this text the same probability."
    assert same[0].evidence == "2.000 nats a character each."
    short = compare("ab", (pieces_of([b"ab"]), pieces_of(as_bytes("ab"))), (
        np.array([math.nan]), np.array([math.nan, 1.0])
    ))  # fmt: skip
    assert findings(short, NAMES)[0].sentence == "The text is too short to be compared."
    assert np.isnan(short.difference_per_character()).all()
