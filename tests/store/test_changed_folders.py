"""Properties of loading: a folder changed anywhere gives a sound model or a ModelFolderError."""

import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lm.config import ModelConfig
from lstm_lm.errors import ModelFolderError
from lstm_lm.language_model import LanguageModel, load_folder
from lstm_lm.store.loading import save
from lstm_lm.text.tokenizer import SentencePieceTokenizer
from tests.conftest import PROVERBS, tiny_model

FILES = {
    "characters": ["config.json", "model.safetensors", "tokenizer.json"],
    "subwords": ["config.json", "tokenizer.model"],
}
TEXT = f"{PROVERBS}  \u2581€ \0\U0001f600"
# What is put in some bytes' place: any bytes, or what a parser may trip over.
PIECES = st.binary(max_size=8) | st.sampled_from(
    [b"9" * 30, b"-1", b"null", b"1e999", b"[", b"{}", b'"', b"\\ud800", b"\xff" * 9 + b"\x01"]
)
# Where, counted from the start or the end; how many bytes go; what comes.
CHANGES = st.lists(
    st.tuples(st.integers(-6000, 6000), st.integers(0, 8), PIECES), min_size=1, max_size=4
)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, subwords: SentencePieceTokenizer) -> Path:
    """A good folder of each kind."""
    root = tmp_path_factory.mktemp("good")
    save(tiny_model(), root / "characters")
    config = ModelConfig(vocab_size=300, tokenizer="sentencepiece", hidden_size=4, embedding_size=2)
    save(LanguageModel(config, subwords), root / "subwords")
    return root


def check_sound(model: LanguageModel, text: str) -> None:
    """Assert that nothing about the model can surprise what uses it."""
    assert {name: tuple(w.shape) for name, w in model.weights().items()} == model.config.shapes()
    assert all(torch.isfinite(weight).all() for weight in model.parameters())
    size = model.config.vocab_size
    assert model.tokenizer.vocab_size == size
    assert all(model.tokenizer.token(token_id).encode() for token_id in range(size))
    token_ids = model.tokenizer.encode(text)
    assert model.tokenizer.decode(token_ids) == text
    logits, _ = model(torch.from_numpy(token_ids)[None], model.zero_state())
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in FILES.items() for name in names]
)
@settings(max_examples=100)
@given(changes=CHANGES)
def test_a_file_changed_anywhere_gives_a_sound_model_or_is_refused(
    kind: str, name: str, changes: list[tuple[int, int, bytes]], good: Path
) -> None:
    folder = good / f"{kind}-changed"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good / kind, folder)
    content = (folder / name).read_bytes()
    for place, length, piece in changes:
        at = place % (len(content) + 1)
        content = content[:at] + piece + content[at + length :]
    (folder / name).write_bytes(content)
    try:
        model = load_folder(folder)
    except ModelFolderError as error:
        message = str(error)
    else:
        if kind == "characters":  # another alphabet, or another order, is a sound model too
            text = model.tokenizer.decode(range(model.config.vocab_size))
        else:
            text = TEXT
        check_sound(model, text)
        return
    assert message.startswith(f"{folder}: ")
    assert message.isprintable()
    assert len(message) < len(str(folder)) + 400


@given(content=st.binary(max_size=300), kind=st.sampled_from(list(FILES)), data=st.data())
def test_a_file_of_any_bytes_is_refused(
    content: bytes, kind: str, data: st.DataObject, good: Path
) -> None:
    folder = good / f"{kind}-replaced"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(good / kind, folder)
    (folder / data.draw(st.sampled_from(FILES[kind]))).write_bytes(content)
    with pytest.raises(ModelFolderError):
        load_folder(folder)
