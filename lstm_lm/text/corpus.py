"""Text -> token ids in a memory-mapped file -> contiguous streams. Knows nothing of models.

The first `int(0.9 * characters)` characters train and the rest validate, so that a single file is
split as published figures are. The ids are cached under a name made of the text's own hash and
the tokenizer's settings: the same text is tokenised once.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_lm.console import Reporter
from lstm_lm.errors import ModelFolderError, TextError
from lstm_lm.surroundings.files import expanded, partial_name
from lstm_lm.text.sources import free_space, read_text
from lstm_lm.text.tokenizer import (
    CharTokenizer,
    SentencePieceTokenizer,
    Tokenizer,
    load_tokenizer,
)

log = logging.getLogger(__name__)

TRAINING_SHARE = 0.9
VERSION = 1  # of the cache; raised when the same text would be encoded in another way
Ids = npt.NDArray[Any]


def cache_folder() -> Path:
    """Where corpora are cached: $LSTM_LM_CACHE, or lstm-lm in the user's cache folder.

    Raises:
        TextError: this account has no home folder, and the variable is not set.
    """
    chosen = os.environ.get("LSTM_LM_CACHE")
    if chosen:
        return expanded(chosen)
    try:
        return expanded(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lstm-lm"
    except RuntimeError:  # an account that the system does not know, as in some containers
        raise TextError(
            "this account has no home folder: set LSTM_LM_CACHE to a folder for texts"
        ) from None


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A text as token ids, split into training and validation."""

    tokenizer: Tokenizer
    training: Ids
    """(tokens,) unsigned, memory-mapped: the first nine tenths of the characters."""
    validation: Ids
    """(tokens,) unsigned, memory-mapped: the rest."""
    characters: int
    """Characters of the whole text."""
    fingerprint: str
    """Hash of the text and of the tokenizer's settings."""

    @property
    def validation_characters(self) -> int:
        """Characters of the validation text."""
        return self.characters - int(TRAINING_SHARE * self.characters)

    @property
    def validation_characters_per_token(self) -> float:
        """Characters a token of the validation text: turns nats a token into nats a character."""
        return self.validation_characters / len(self.validation)


@dataclass(frozen=True, kw_only=True)
class _Scan:
    """What one pass over the text told."""

    characters: int
    alphabet: set[str]
    digest: str


def build_corpus(
    files: list[Path],
    tokenizer: str,
    vocab_size: int,
    *,
    cache: Path | None = None,
    reporter: Reporter | None = None,
) -> Corpus:
    """The corpus of the files, from the cache when this text was tokenised before.

    Args:
        files: UTF-8 text files, joined in this order.
        tokenizer: "char" or "sentencepiece".
        vocab_size: subwords to learn; ignored by "char".
        cache: where to keep the ids; None: `cache_folder()`.
        reporter: told how far the work is.

    Raises:
        TextError: a file is empty, binary or no UTF-8; the text is too short for the tokenizer;
            the cache cannot be written.
    """
    reporter = reporter or Reporter()
    folder = (cache or cache_folder()) / "corpus"
    scan = _scan(files, reporter)
    settings = "char" if tokenizer == "char" else f"sentencepiece-{vocab_size}"
    key = hashlib.sha256(f"{VERSION} {settings} {scan.digest}".encode()).hexdigest()[:32]
    place = folder / key
    cached = cached_corpus(key, cache=cache)
    if cached is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(place, files, scan, tokenizer, vocab_size, reporter)
        except OSError as error:
            raise TextError(
                f"cannot write the token cache {folder}: {error.strerror} "
                f"({_free(folder)}); set LSTM_LM_CACHE to another folder"
            ) from None
    return cached or _open(place, key)


def cached_corpus(fingerprint: str, *, cache: Path | None = None) -> Corpus | None:
    """The corpus of this fingerprint from the cache, or None where it is not there."""
    place = (cache or cache_folder()) / "corpus" / fingerprint
    return _open(place, fingerprint) if (place / "corpus.json").exists() else None


def _free(folder: Path) -> str:
    while not folder.exists():
        folder = folder.parent
    return f"{free_space(folder) / 2**20:,.0f} MiB are free there"


def _scan(files: list[Path], reporter: Reporter) -> _Scan:
    """Count and hash the text, and collect its characters."""
    characters, alphabet, digest = 0, set[str](), hashlib.sha256()
    size = sum(path.stat().st_size for path in files if path.is_file())
    with reporter.bar("reading", size, "B") as bar:
        for text in read_text(files):
            encoded = text.encode()
            digest.update(encoded)
            alphabet.update(text)
            characters += len(text)
            bar.update(len(encoded))
    return _Scan(characters=characters, alphabet=alphabet, digest=digest.hexdigest())


def _write(
    place: Path,
    files: list[Path],
    scan: _Scan,
    kind: str,
    vocab_size: int,
    reporter: Reporter,
) -> None:
    """Tokenise into a sibling folder of this process alone, then rename it to `place`."""
    border = int(TRAINING_SHARE * scan.characters)
    if border < 1 or scan.characters - border < 2:
        raise TextError(
            f"the text has {scan.characters} characters: too short to train on and to validate"
        )
    tokenizer: Tokenizer
    if kind == "char":
        if len(scan.alphabet) < 2:
            raise TextError("the text is one character over and over: nothing to learn from it")
        tokenizer = CharTokenizer(scan.alphabet)
    else:
        reporter.line(f"learning {vocab_size} subwords from the text")
        tokenizer = SentencePieceTokenizer.train(_part(files, 0, border), vocab_size)
    dtype = np.uint16 if tokenizer.vocab_size <= 2**16 else np.uint32
    partial = place.with_name(partial_name(place.name))
    partial.mkdir()
    try:
        counts: list[int] = []
        with (
            reporter.bar("tokenising", scan.characters, "char") as bar,
            (partial / "tokens.bin").open("wb") as file,
        ):
            for start, stop in ((0, border), (border, scan.characters)):
                count = 0
                for text in _whole_lines(_part(files, start, stop)):
                    token_ids = tokenizer.encode(text).astype(dtype)
                    file.write(token_ids.tobytes())
                    count += len(token_ids)
                    bar.update(len(text))
                counts.append(count)
        if counts[1] < 2:
            raise TextError("the last tenth of the text is one token: too short to validate on")
        tokenizer.save(partial)
        meta = {
            "characters": scan.characters,
            "training_tokens": counts[0],
            "validation_tokens": counts[1],
            "dtype": np.dtype(dtype).name,
            "tokenizer": kind,
        }
        (partial / "corpus.json").write_text(json.dumps(meta) + "\n")
        try:
            partial.rename(place)
        except OSError:
            if not place.is_dir():  # another process was quicker, with the same text
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _part(files: list[Path], start: int, stop: int) -> Iterator[str]:
    """The characters [start, stop) of the joined text, in pieces."""
    position = 0
    for text in read_text(files):
        piece = text[max(0, start - position) : max(0, stop - position)]
        if piece:
            yield piece
        position += len(text)
        if position >= stop:
            return


def _whole_lines(texts: Iterable[str]) -> Iterator[str]:
    """The same text, cut after newlines where there are any.

    A newline is always a token of its own, so subwords come out as if the text were encoded whole.
    """
    rest = ""
    for text in texts:
        cut = text.rfind("\n") + 1
        if cut:
            yield rest + text[:cut]
            rest = text[cut:]
        else:
            rest += text
            if len(rest) > 2**24:  # no newline in 16 million characters: cut anyway, still lossless
                yield rest
                rest = ""
    if rest:
        yield rest


def _open(place: Path, key: str) -> Corpus:
    try:
        meta = json.loads((place / "corpus.json").read_text())
        kind = meta["tokenizer"]
        file_name = (CharTokenizer if kind == "char" else SentencePieceTokenizer).file_name
        tokenizer = load_tokenizer(kind, (place / file_name).read_bytes())
        tokens = np.memmap(place / "tokens.bin", dtype=meta["dtype"], mode="r")
        border = meta["training_tokens"]
        if len(tokens) != border + meta["validation_tokens"]:
            raise ValueError("tokens are missing")
    except (OSError, ValueError, KeyError, TypeError, ModelFolderError) as error:
        raise TextError(
            f"the token cache {place} is damaged ({error}): delete that folder and start again"
        ) from None
    return Corpus(
        tokenizer=tokenizer,
        training=tokens[:border],
        validation=tokens[border:],
        characters=meta["characters"],
        fingerprint=key,
    )


class Streams:
    """The training tokens as `batch_size` contiguous streams, read `sequence_length` at a time.

    An epoch rolls the tokens by a random offset and lays them out as streams; a step reads the
    next tokens of every stream, so that the state of one step is the right start of the next.
    Where a step reads depends on the seed and the step's number alone.
    """

    def __init__(self, tokens: Ids, batch_size: int, sequence_length: int, seed: int) -> None:
        needed = batch_size * (sequence_length + 1)
        if len(tokens) < needed:
            raise TextError(
                f"the text has {len(tokens):,} training tokens, but batch_size {batch_size} x "
                f"(sequence_length {sequence_length} + 1) needs {needed:,}: give a text of at "
                f"least {int(needed / TRAINING_SHARE) + 1:,} tokens, or lower --batch-size "
                "or --sequence-length"
            )
        self.tokens = tokens
        self.batch_size = batch_size
        self.sequence_length = sequence_length
        self.seed = seed
        self.stream_length = len(tokens) // batch_size
        self.steps_per_epoch = (self.stream_length - 1) // sequence_length

    def batch(self, step: int) -> tuple[Ids, Ids, bool]:
        """The step's inputs and targets, and whether the state starts at zero here.

        Args:
            step: counts from 0.

        Returns:
            Inputs and targets, each (batch_size, sequence_length) int64, and True at the first
            step of an epoch.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        offset = int(np.random.default_rng((self.seed, epoch)).integers(len(self.tokens)))
        starts = (
            offset
            + np.arange(self.batch_size) * self.stream_length
            + position * self.sequence_length
        )
        index = starts[:, None] + np.arange(self.sequence_length + 1)  # (B, T + 1)
        block = self.tokens[index % len(self.tokens)].astype(np.int64)
        return block[:, :-1], block[:, 1:], position == 0
