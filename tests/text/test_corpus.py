import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.console import Bar, Reporter
from lstm_lm.errors import TextError
from lstm_lm.text.corpus import Corpus, Streams, build_corpus, cached_corpus
from tests.conftest import PROVERBS, MakeCorpus

TEXT = PROVERBS * 30 + "Ünïcödé, €\r\n\ttabs\n" + PROVERBS * 13


@pytest.mark.parametrize("kind", ["char", "sentencepiece"])
@pytest.mark.parametrize("cut", [0, 1, 7])
def test_the_first_nine_tenths_of_the_characters_train(
    make_corpus: MakeCorpus, kind: str, cut: int
) -> None:
    text = TEXT[cut:]
    corpus = make_corpus(text, kind)
    border = int(0.9 * len(text))
    assert corpus.tokenizer.decode(corpus.training) == text[:border]
    assert corpus.tokenizer.decode(corpus.validation) == text[border:]
    assert corpus.characters == len(text)
    assert corpus.validation_characters == len(text) - border
    assert corpus.validation_characters_per_token == (len(text) - border) / len(corpus.validation)


@pytest.mark.parametrize(
    ("kind", "chunk_bytes"),
    [("char", 1), ("char", 1000), ("sentencepiece", 100), ("sentencepiece", 1000)],
)
def test_encoding_in_chunks_is_encoding_whole(
    make_corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch, kind: str, chunk_bytes: int
) -> None:
    monkeypatch.setattr("lstm_lm.text.sources.CHUNK_BYTES", chunk_bytes)
    corpus = make_corpus(TEXT, kind)
    border = int(0.9 * len(TEXT))
    assert corpus.training.tolist() == corpus.tokenizer.encode(TEXT[:border]).tolist()
    assert corpus.validation.tolist() == corpus.tokenizer.encode(TEXT[border:]).tolist()


@pytest.mark.parametrize("kind", ["char", "sentencepiece"])
def test_the_same_text_is_tokenised_once(
    make_corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    first = make_corpus(TEXT, kind)

    def write(*arguments: object) -> None:
        raise AssertionError("tokenised again")

    monkeypatch.setattr("lstm_lm.text.corpus._write", write)
    second = make_corpus(TEXT, kind)
    assert second.fingerprint == first.fingerprint
    assert np.array_equal(second.training, first.training)
    found = cached_corpus(first.fingerprint)
    assert found is not None
    assert np.array_equal(found.validation, first.validation)
    with pytest.raises(AssertionError, match="tokenised again"):
        make_corpus(TEXT + "more", kind)


def test_the_vocabulary_size_is_part_of_what_is_cached(make_corpus: MakeCorpus) -> None:
    sizes = [make_corpus(TEXT, "sentencepiece", size).tokenizer.vocab_size for size in (300, 310)]
    assert sizes == [300, 310]
    assert cached_corpus("0" * 32) is None


def test_an_abandoned_tokenisation_leaves_nothing(
    make_corpus: MakeCorpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def encode(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lstm_lm.text.tokenizer.CharTokenizer.encode", encode)
    with pytest.raises(KeyboardInterrupt):
        make_corpus(TEXT)
    assert list((tmp_path / "cache" / "corpus").iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ab", "the text has 2 characters: too short"),
        ("\ufeff", "the text has 0 characters: too short"),
        ("a" * 100, "the text is one character over and over"),
    ],
)
def test_a_text_too_short_is_named(make_corpus: MakeCorpus, text: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        make_corpus(text)


def test_a_validation_text_of_one_token_is_named(make_corpus: MakeCorpus) -> None:
    with pytest.raises(TextError, match="the last tenth of the text is one token"):
        make_corpus("ab" * 10, "sentencepiece", 261)


@pytest.mark.parametrize("file", ["tokens.bin", "corpus.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_damaged_cache_is_named(
    make_corpus: MakeCorpus, corpus: Corpus, tmp_path: Path, file: str, content: bytes | None
) -> None:
    path = tmp_path / "cache" / "corpus" / corpus.fingerprint / file
    if content is None and file == "corpus.json":
        path.unlink()
        assert cached_corpus(corpus.fingerprint) is None
        return
    path.write_bytes(content) if content is not None else path.unlink()
    with pytest.raises(TextError, match=r"is damaged .*: delete that folder and start again"):
        cached_corpus(corpus.fingerprint)
    shutil.rmtree(path.parent)
    assert make_corpus(PROVERBS * 40).fingerprint == corpus.fingerprint


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    text, blocked = tmp_path / "text", tmp_path / "blocked"
    text.write_text(TEXT)
    blocked.write_text("a file, where a folder is needed")
    with pytest.raises(TextError, match=r"MiB are free there.*set LSTM_LM_CACHE to another folder"):
        build_corpus([text], "char", 300, cache=blocked)


def streams(count: int = 500, seed: int = 4) -> Streams:
    return Streams(np.arange(count, dtype=np.uint16), batch_size=3, sequence_length=7, seed=seed)


@given(st.integers(0, 500))
def test_targets_are_the_inputs_shifted_by_one(step: int) -> None:
    inputs, targets, _ = streams().batch(step)
    assert inputs.shape == targets.shape == (3, 7)
    assert inputs.dtype == targets.dtype == np.int64
    assert np.array_equal(targets, (inputs + 1) % 500)  # token t of this text is t
    assert np.array_equal(targets[:, :-1], inputs[:, 1:])


@given(st.integers(0, 500))
def test_a_step_starts_where_the_one_before_ended(step: int) -> None:
    of = streams()
    _, targets, _ = of.batch(step)
    inputs, _, fresh = of.batch(step + 1)
    assert fresh == ((step + 1) % of.steps_per_epoch == 0)
    if not fresh:
        assert np.array_equal(inputs[:, 0], targets[:, -1])


def test_an_epoch_reads_no_token_twice_and_nearly_all_of_them() -> None:
    of = streams()
    for epoch in range(3):
        steps = range(epoch * of.steps_per_epoch, (epoch + 1) * of.steps_per_epoch)
        seen = np.concatenate([of.batch(step)[0].ravel() for step in steps])
        assert len(set(seen.tolist())) == len(seen)
        assert len(seen) > 500 - 3 * (7 + 1)


def test_where_a_step_reads_depends_on_seed_and_step_alone() -> None:
    used = streams()
    for step in (50, 3, 0, 77):
        used.batch(step)
    assert np.array_equal(used.batch(20)[0], streams().batch(20)[0])
    assert not np.array_equal(streams(seed=4).batch(0)[0], streams(seed=5).batch(0)[0])
    epoch = streams().steps_per_epoch
    assert not np.array_equal(streams().batch(0)[0], streams().batch(epoch)[0])


def test_a_text_too_short_for_the_streams_says_how_long_it_must_be() -> None:
    with pytest.raises(TextError, match=r"has 23 training tokens.*needs 24.*at least 27 tokens"):
        streams(count=23)
    assert streams(count=int(0.9 * 27)).steps_per_epoch == 1


class Meanwhile(Reporter):
    """Another process builds the corpus of the same text while this one tokenises."""

    def __init__(self, files: list[Path]) -> None:
        self.files = files
        self.built: list[Corpus] = []

    @contextlib.contextmanager
    def bar(self, description: str, total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
        yield Bar()
        if description == "tokenising":
            self.built.append(build_corpus(self.files, "char", 0))


def test_two_processes_that_tokenise_the_same_text_at_once_both_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even two of the same number, as processes of two containers often are."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    meanwhile = Meanwhile([path])
    corpus = build_corpus([path], "char", 0, reporter=meanwhile)
    for each in (corpus, *meanwhile.built):
        assert each.tokenizer.decode(each.training) == TEXT[: int(0.9 * len(TEXT))]
    assert [each.name for each in (tmp_path / "cache" / "corpus").iterdir()] == [corpus.fingerprint]
