import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lstm_lm.errors import ModelFolderError, TextError, UnknownCharacterError
from lstm_lm.text.tokenizer import (
    CharTokenizer,
    SentencePieceTokenizer,
    Tokenizer,
    load_tokenizer,
)
from tests.conftest import PROVERBS

# Any Unicode text: what UTF-8 can write, which is everything but halves of surrogate pairs.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NASTY = [
    "",
    "<unk>",
    "<0x41>",
    "<0x41><0xE2>\u2581",
    "\u2581",
    " \u2581 \u2581\u2581",
    "  two  spaces  ",
    "\0",
    "a\0b",
    "\ttab\t",
    "\r\n\r\n\n",
    "\ufeff",
    "\U0010ffff",
    "e\u0301 \u0323\u0301",
    "👩‍👩‍👧",
    "ﬁ Å ㎏",  # normalisation would change these
]


@pytest.fixture(scope="module")
def spaceless() -> SentencePieceTokenizer:
    """Learned from a text without a space, so that none of its pieces is one."""
    return SentencePieceTokenizer.train(["abcd\n" * 300], vocab_size=265)


def check_round_trip(tokenizer: Tokenizer, text: str) -> None:
    token_ids = tokenizer.encode(text)
    assert token_ids.dtype == "int64"
    assert tokenizer.decode(token_ids) == text
    assert tokenizer.decode(token_ids.tolist()) == text
    assert all(0 <= token_id < tokenizer.vocab_size for token_id in token_ids)


@given(TEXTS)
def test_subwords_give_any_text_back(subwords: SentencePieceTokenizer, text: str) -> None:
    check_round_trip(subwords, text)


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_subwords_give_nasty_texts_back(subwords: SentencePieceTokenizer, text: str) -> None:
    check_round_trip(subwords, text)


@given(TEXTS)
@example("  a\u2581 b ")
def test_subwords_without_a_space_piece_give_any_text_back(
    spaceless: SentencePieceTokenizer, text: str
) -> None:
    check_round_trip(spaceless, text)


def test_subwords_learned_from_text_full_of_their_own_signs_are_lossless() -> None:
    text = "<0x41> is a byte, <unk> is unknown, \u2581 a space\t\0 <s></s>\n" * 100
    tokenizer = SentencePieceTokenizer.train([text], vocab_size=320)
    check_round_trip(tokenizer, text)


@given(st.text())  # surrogates included
def test_characters_give_any_text_of_theirs_back(text: str) -> None:
    check_round_trip(CharTokenizer(text), text)


@given(TEXTS, TEXTS)
def test_a_newline_parts_the_text_for_subwords(
    subwords: SentencePieceTokenizer, before: str, after: str
) -> None:
    whole = subwords.encode(before + "\n" + after).tolist()
    parts = [subwords.encode(before + "\n").tolist(), subwords.encode(after).tolist()]
    assert whole == parts[0] + parts[1]


def test_subwords_are_fewer_than_characters(subwords: SentencePieceTokenizer) -> None:
    assert len(subwords.encode(PROVERBS)) < 0.6 * len(PROVERBS)
    assert subwords.vocab_size == 300


@given(st.text(st.sampled_from("\n \u2581etho€"), max_size=60))
def test_subwords_of_a_long_text_are_those_of_its_pieces(
    subwords: SentencePieceTokenizer, text: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lstm_lm.text.tokenizer.PIECE_CHARACTERS", 1)
        cut = subwords.encode(text).tolist()
        patch.setattr("lstm_lm.text.tokenizer.PIECE_CHARACTERS", 1000)
        assert cut == subwords.encode(text).tolist()


def test_a_foreign_subword_model_that_sees_over_a_newline_gets_its_text_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import io

    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter([PROVERBS] * 10), model_writer=model, vocab_size=300,
        model_type="bpe", byte_fallback=True, minloglevel=2,
    )  # fmt: skip
    foreign = SentencePieceTokenizer(model.getvalue())
    whole = foreign.encode("the\nbird\n").tolist()
    monkeypatch.setattr("lstm_lm.text.tokenizer.PIECE_CHARACTERS", 1)
    assert foreign.encode("the\nbird\n").tolist() == whole


def test_half_a_character_is_shown_as_such(subwords: SentencePieceTokenizer) -> None:
    token_ids = subwords.encode("€").tolist()
    assert [subwords.token(token_id) for token_id in token_ids] == ["<0xE2>", "<0x82>", "<0xAC>"]
    assert subwords.decode(token_ids[:2]) == "\ufffd"


def test_half_a_surrogate_pair_is_refused_by_subwords(subwords: SentencePieceTokenizer) -> None:
    with pytest.raises(TextError, match="character 2 is half a surrogate pair"):
        subwords.encode("ab\ud800")


def test_unknown_characters_are_named_with_position_and_code_point() -> None:
    tokenizer = CharTokenizer("ab")
    with pytest.raises(UnknownCharacterError) as caught:
        tokenizer.encode("ab€a\U0001f600€")
    assert caught.value.characters == {"€": 2, "\U0001f600": 4}
    message = str(caught.value)
    assert "'€' (U+20AC) at character 2" in message
    assert "(U+1F600) at character 4" in message


def test_of_many_unknown_characters_five_are_named() -> None:
    with pytest.raises(UnknownCharacterError, match=r"U\+0067.* and 4 others") as caught:
        CharTokenizer("ab").encode("cdefghijk")
    assert len(caught.value.characters) == 9
    assert "U+0068" not in str(caught.value)


def test_saved_tokenizers_load_as_they_were(
    tmp_path: Path, subwords: SentencePieceTokenizer
) -> None:
    for tokenizer in (CharTokenizer("hé\U0001f600\0"), subwords):
        tokenizer.save(tmp_path)
        loaded = load_tokenizer(tokenizer.kind, (tmp_path / tokenizer.file_name).read_bytes())
        assert loaded.vocab_size == tokenizer.vocab_size
        everything = range(tokenizer.vocab_size)
        assert [loaded.token(i) for i in everything] == [tokenizer.token(i) for i in everything]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "tokenizer.json is not JSON"),
        (b"\xff\xfe", "tokenizer.json is not JSON"),
        (b"[" * 100_000, "tokenizer.json holds more than a list"),
        (b"[]", "tokenizer.json holds no JSON object"),
        (b'{"characters": ["a", "\\ud800"]}', "half a surrogate pair"),
        (b'{"characters": "ab"}', 'holds no list of single "characters"'),
        (b'{"characters": ["a", "bc"]}', 'holds no list of single "characters"'),
        (b'{"characters": ["a", 3]}', 'holds no list of single "characters"'),
        (b'{"characters": ["b", "a"]}', "not sorted and distinct"),
        (b'{"characters": ["a", "a"]}', "not sorted and distinct"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_bad_char_tokenizer_file_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ModelFolderError, match=message):
        load_tokenizer("char", content)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100, b"\x0a\x03abc"])
def test_a_bad_subword_file_is_refused(content: bytes) -> None:
    with pytest.raises(ModelFolderError, match=r"tokenizer\.model is no SentencePiece model"):
        load_tokenizer("sentencepiece", content)


def test_subwords_without_byte_fallback_are_refused() -> None:
    import io

    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter([PROVERBS] * 10), model_writer=model, vocab_size=28, minloglevel=2,
        normalization_rule_name="identity",
    )  # fmt: skip
    with pytest.raises(ModelFolderError, match="made without byte fallback"):
        load_tokenizer("sentencepiece", model.getvalue())


def test_a_tokenizer_file_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CharTokenizer, "largest_file", 10)
    with pytest.raises(ModelFolderError, match="more than 10 bytes"):
        load_tokenizer("char", json.dumps({"characters": ["a"]}).encode())


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (5000, r"does not hold 5000 different subwords: choose at most \d+ with --vocab-size"),
        (258, r"too many different characters for 258 subwords: choose at least 279 with"),
    ],
)
def test_a_vocabulary_that_does_not_fit_the_text_is_refused_with_one_that_does(
    size: int, message: str
) -> None:
    with pytest.raises(TextError, match=message) as caught:
        SentencePieceTokenizer.train([PROVERBS * 5], vocab_size=size)
    fits = int(str(caught.value).split(" with --vocab-size")[0].split()[-1])
    assert SentencePieceTokenizer.train([PROVERBS * 5], vocab_size=fits).vocab_size == fits
