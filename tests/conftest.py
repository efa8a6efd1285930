"""What many tests share: a cache of their own, and tiny models and corpora made from seeds."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings

from lstm_lm.cells.cell import State
from lstm_lm.config import ModelConfig, TrainConfig
from lstm_lm.console import Reporter
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.corpus import Corpus, build_corpus
from lstm_lm.text.tokenizer import CharTokenizer, SentencePieceTokenizer
from tests.reference import Floats

# No deadline: a busy machine is no bug. No database: tests write only in tmp_path.
settings.register_profile("project", deadline=None, database=None, max_examples=50)
settings.register_profile("short", settings.get_profile("project"), max_examples=8)
settings.load_profile("project")

ALPHABET = "\n abcdefgh"
PROVERBS = "the early bird catches the worm, and the second mouse gets the cheese.\n"

MakeModel = Callable[..., LanguageModel]
MakeCorpus = Callable[..., Corpus]


class Lines(Reporter):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def line(self, text: str = "") -> None:
        self.said.append(text)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LM_CACHE", str(tmp_path / "cache"))


def tiny_model(
    cell: str = "lstm", layers: int = 2, seed: int = 1, scale: float = 1.0
) -> LanguageModel:
    """A model of 8 units a layer over ALPHABET, in evaluation mode, with biases that matter."""
    config = ModelConfig(
        vocab_size=len(ALPHABET), cell=cell, layers=layers, hidden_size=8, embedding_size=5
    )
    model = LanguageModel(config, CharTokenizer(ALPHABET), seed=seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator)).mul_(scale)
    return model.requires_grad_(False).eval()


@pytest.fixture(scope="session")
def model() -> LanguageModel:
    """Two LSTM layers."""
    return tiny_model()


@pytest.fixture(scope="session")
def rnn() -> LanguageModel:
    """Two layers of a plain tanh RNN."""
    return tiny_model(cell="rnn")


@pytest.fixture(scope="session")
def gru() -> LanguageModel:
    """Two GRU layers."""
    return tiny_model(cell="gru")


@pytest.fixture(scope="session")
def model_of(
    model: LanguageModel, gru: LanguageModel, rnn: LanguageModel
) -> Callable[[str], LanguageModel]:
    """Two layers of this cell."""
    return {"lstm": model, "gru": gru, "rnn": rnn}.__getitem__


def float64_weights(model: LanguageModel) -> dict[str, Floats]:
    """The weights as the reference cell reads them."""
    return {name: weight.double().numpy() for name, weight in model.weights().items()}


def random_state(model: LanguageModel, seed: int = 5) -> State:
    """A state that no text left behind; without a cell state it is zero."""
    generator = torch.Generator().manual_seed(seed)
    shape = (model.config.layers, 1, model.config.hidden_size)
    h = torch.rand(shape, generator=generator) * 2 - 1
    c = torch.randn(shape, generator=generator)
    return h, c if model.config.cell == "lstm" else torch.zeros(shape)


def random_tokens(count: int, seed: int = 3, size: int = len(ALPHABET)) -> np.ndarray:
    """Token ids (count,) int64."""
    return np.random.default_rng(seed).integers(size, size=count)


@pytest.fixture(scope="session")
def subwords() -> SentencePieceTokenizer:
    """A tiny SentencePiece tokenizer."""
    return SentencePieceTokenizer.train([PROVERBS * 20], vocab_size=300)


@pytest.fixture
def make_corpus(tmp_path: Path) -> MakeCorpus:
    """A corpus of this text."""

    def make(text: str, tokenizer: str = "char", vocab_size: int = 300) -> Corpus:
        path = tmp_path / "text.txt"
        path.write_bytes(text.encode())
        return build_corpus([path], tokenizer, vocab_size)

    return make


@pytest.fixture
def corpus(make_corpus: MakeCorpus) -> Corpus:
    """Forty lines of proverbs, by characters."""
    return make_corpus(PROVERBS * 40)


def run_apart(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What it returns, in a thread of its own: Playwright's event loop may be running in this."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def tiny_training(**changes: object) -> TrainConfig:
    """Twelve steps of a tiny model with every kind of dropout, saved after each step."""
    settings: dict[str, object] = {
        "layers": 2, "hidden_size": 8, "embedding_size": 4, "embedding_dropout": 0.1,
        "steps": 12, "batch_size": 4, "sequence_length": 8, "evaluations": 3,
        "checkpoint_seconds": 0.0, "device": "cpu",
    }  # fmt: skip
    return TrainConfig(**(settings | changes))  # pyright: ignore[reportArgumentType]
