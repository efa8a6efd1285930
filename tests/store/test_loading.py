import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lstm_lm.config import ModelConfig
from lstm_lm.errors import ModelNotFoundError
from lstm_lm.language_model import LanguageModel, load, load_folder
from lstm_lm.store.folder import read_metrics
from lstm_lm.store.loading import save
from lstm_lm.text.tokenizer import CharTokenizer, SentencePieceTokenizer
from tests.conftest import ALPHABET, random_tokens, tiny_model

TOKENS = torch.from_numpy(random_tokens(40))[None]


def logits(model: LanguageModel) -> torch.Tensor:
    return model(TOKENS, model.zero_state())[0]


@pytest.fixture
def folder(model: LanguageModel, tmp_path: Path) -> Path:
    """A good model folder, to be broken."""
    save(model, tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layers", [1, 3])
def test_a_saved_model_loads_with_the_same_logits_bit_for_bit(
    tmp_path: Path, cell: str, layers: int
) -> None:
    model = tiny_model(cell, layers)
    model.save_pretrained(tmp_path / "new" / "model")
    loaded = LanguageModel.from_pretrained(tmp_path / "new" / "model")
    assert loaded.config == model.config
    assert torch.equal(logits(loaded), logits(model))
    assert loaded.tokenizer.decode(range(len(ALPHABET))) == ALPHABET
    assert not loaded.training
    assert not any(weight.requires_grad for weight in loaded.parameters())


def test_a_subword_model_loads_with_its_tokenizer(
    tmp_path: Path, subwords: SentencePieceTokenizer
) -> None:
    config = ModelConfig(vocab_size=300, tokenizer="sentencepiece", hidden_size=4, embedding_size=2)
    save(LanguageModel(config, subwords), tmp_path)
    loaded = load(str(tmp_path))
    assert loaded.tokenizer.encode("the cheese").tolist() == subwords.encode("the cheese").tolist()


def test_a_model_folder_holds_these_files_and_no_others(folder: Path) -> None:
    names = {"config.json", "model.safetensors", "tokenizer.json"}
    assert {path.name for path in folder.iterdir()} == names
    config = json.loads((folder / "config.json").read_text())
    assert config["model_type"] == "lstm-lm"
    assert load_file(folder / "model.safetensors")["rnn.weight_ih_l0"].shape == (32, 5)


def test_saving_again_writes_over_what_was_there(folder: Path) -> None:
    other = tiny_model(seed=2)
    save(other, folder)
    assert torch.equal(logits(load_folder(folder)), logits(other))


def test_float16_weights_load(model: LanguageModel, folder: Path) -> None:
    halves = {name: weight.half() for name, weight in model.weights().items()}
    save_file(halves, folder / "model.safetensors")
    loaded = load_folder(folder)
    for name, weight in loaded.weights().items():
        assert weight.dtype == torch.float32
        assert torch.equal(weight, halves[name].float())
    torch.testing.assert_close(logits(loaded), logits(model), rtol=0, atol=0.1)


@pytest.mark.parametrize("name", ["no-such-model", "a/b/c", "x" * 300, "~nobody-of-it/x", "./x"])
def test_what_is_no_name_of_a_model_is_refused_without_asking_the_hub(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match=f"no model '{name}'"):
        load(name)


def test_what_is_on_this_machine_has_no_revisions(folder: Path) -> None:
    for name in (folder, "shakespeare-char"):
        with pytest.raises(ModelNotFoundError, match="'v1': it is on this machine, and only"):
            load(name, revision="v1")


def test_metrics_are_read_a_line_a_row(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == []
    losses = {"train_loss": 2.5, "val_loss": 2.25, "val_bpc": 3.25}
    rows = [{"step": 1, **losses, "sample": ""}, {"step": 2, **losses, "sample": "é\u2028 \n"}]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (tmp_path / "metrics.jsonl").write_text("\n\n".join(lines) + "\n")
    assert read_metrics(tmp_path) == rows


def test_a_model_of_every_character_there_is_comes_back(tmp_path: Path) -> None:
    characters = [chr(point) for point in (0, 9, 10, 0x2028, 0xFEFF, 0x1F600, 0x10FFFF)]
    config = ModelConfig(vocab_size=7, hidden_size=3, embedding_size=2)
    save(LanguageModel(config, CharTokenizer(characters)), tmp_path)
    tokenizer = load(tmp_path).tokenizer
    assert [tokenizer.token(token_id) for token_id in range(7)] == characters
