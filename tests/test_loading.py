import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from lstm_lm.config import ModelConfig
from lstm_lm.errors import ModelFolderError, ModelNotFoundError
from lstm_lm.loading import (
    load,
    load_folder,
    read_metrics,
    remove_partial_files,
    save,
    write_atomically,
    write_tensors,
)
from lstm_lm.model import LanguageModel
from lstm_lm.tokenizer import CharTokenizer, SentencePieceTokenizer
from tests.conftest import ALPHABET, random_tokens, tiny_model

TOKENS = torch.from_numpy(random_tokens(40))[None]


def logits(model: LanguageModel) -> torch.Tensor:
    return model(TOKENS, model.zero_state())[0]


@pytest.fixture
def folder(model: LanguageModel, tmp_path: Path) -> Path:
    """A good model folder, to be broken."""
    save(model, tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize("cell", ["lstm", "rnn"])
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


# What can be wrong with a folder: name -> how to break it, and what is then said.

Break = Callable[[Path], object]


def without(name: str) -> Break:
    return lambda folder: (folder / name).unlink()


def holding(name: str, content: str | bytes) -> Break:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def config_with(**changes: Any) -> Break:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def weights_with(change: Callable[[dict[str, torch.Tensor]], object]) -> Break:
    def rewrite(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        change(weights)
        save_file(weights, folder / "model.safetensors")

    return rewrite


def header_with(change: Callable[[dict[str, Any]], object]) -> Break:
    """Rewrite the JSON header of the weight file, the data left as it is."""

    def rewrite(folder: Path) -> None:
        path = folder / "model.safetensors"
        content = path.read_bytes()
        end = 8 + int.from_bytes(content[:8], "little")
        header = json.loads(content[8:end])
        change(header)
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + content[end:])

    return rewrite


def cut_to(share: float) -> Break:
    def cut(folder: Path) -> None:
        path = folder / "model.safetensors"
        os.truncate(path, int(share * path.stat().st_size))

    return cut


DEEP = "[" * 100_000
BIAS = "decoder.bias"
BROKEN: dict[str, tuple[Break, str]] = {
    "no config": (without("config.json"), r"no config\.json in it: this is no model folder"),
    "no weights": (without("model.safetensors"), r"no model\.safetensors in it"),
    "no tokenizer": (without("tokenizer.json"), r"no tokenizer\.json in it"),
    "config is a folder": (
        lambda folder: ((folder / "config.json").unlink(), (folder / "config.json").mkdir()),
        r"cannot read config\.json: Is a directory",
    ),
    "foreign model": (
        config_with(model_type="llama"),
        r"is of model_type 'llama', not 'lstm-lm': this model was not made by lstm-lm",
    ),
    "no model type": (holding("config.json", "{}"), r"is of model_type 'None'"),
    "odd model type": (config_with(model_type=["x" * 999]), r"is of model_type .{1,50}, not"),
    "config is not JSON": (holding("config.json", "{oops"), r"config\.json is not JSON"),
    "config is not UTF-8": (holding("config.json", b"\xff\xff{}"), r"config\.json is not JSON"),
    "config is a list": (holding("config.json", "[]"), r"config\.json holds no JSON object"),
    "config is deep": (holding("config.json", DEEP), r"config\.json is nested too deeply"),
    "config is huge": (
        holding("config.json", " " * (2**20 + 1)),
        r"config\.json has 1,048,577 bytes: at most 1,048,576 are read",
    ),
    "huge size": (config_with(hidden_size=10**30), r"hidden_size is a number of more than 18 dig"),
    "huge number": (
        holding("config.json", '{"model_type": "lstm-lm", "vocab_size": ' + "9" * 5000 + "}"),
        r"config\.json is not JSON",
    ),
    "infinite size": (
        holding("config.json", '{"model_type": "lstm-lm", "vocab_size": 1e999}'),
        r"config\.json: vocab_size is inf",
    ),
    "NaN size": (config_with(layers=float("nan")), r"config\.json: layers is nan: give a whole"),
    "sizes of a giant": (
        config_with(layers=16, hidden_size=16_384),
        r"config\.json: these sizes make 33,\d+,\d+,\d+ parameters",
    ),
    "unknown field": (config_with(heads=8), r"config\.json: unknown setting 'heads'"),
    "unknown cell": (config_with(cell="gru"), r"cell is 'gru': choose from lstm, rnn"),
    "field of another type": (config_with(cell=["lstm"]), r"cell is \['lstm'\]"),
    "another tokenizer": (
        holding("tokenizer.json", '{"characters": ["a", "b"]}'),
        r"tokenizer\.json has 2 tokens, but config\.json says 10: they belong to different",
    ),
    "bad tokenizer": (holding("tokenizer.json", "{}"), r"tokenizer\.json holds no list"),
    "deep tokenizer": (holding("tokenizer.json", DEEP), r"tokenizer\.json is not JSON"),
    "another kind of tokenizer": (
        config_with(tokenizer="sentencepiece"),
        r"no tokenizer\.model in it",
    ),
    "wrong shape": (
        weights_with(lambda weights: weights.update({BIAS: torch.zeros(11)})),
        r"decoder\.bias has shape \[11\], config\.json asks for \[10\]",
    ),
    "another size": (config_with(hidden_size=9), r"has shape \[10, 8\], .* asks for \[10, 9\]"),
    "missing weight": (
        weights_with(lambda weights: weights.pop(BIAS)),
        r"model\.safetensors lacks the weight decoder\.bias",
    ),
    "extra weight": (
        weights_with(lambda weights: weights.update(extra=torch.zeros(2))),
        r"holds 'extra', which config\.json knows not",
    ),
    "NaN weight": (
        weights_with(lambda weights: weights[BIAS].fill_(float("nan"))),
        r"decoder\.bias holds values that are not finite",
    ),
    "infinite weight": (
        weights_with(lambda weights: weights.update({BIAS: torch.full((10,), 1e6).half()})),
        r"decoder\.bias holds values that are not finite",
    ),
    "weights of whole numbers": (
        weights_with(lambda weights: weights.update({BIAS: torch.zeros(10, dtype=torch.int32)})),
        r"decoder\.bias is I32: weights are F32 or F16",
    ),
    "weights of a list type": (
        header_with(lambda header: header[BIAS].update(dtype=["F32"])),
        r"decoder\.bias is \['F32'\]: weights are F32 or F16",
    ),
    "entry is no object": (
        header_with(lambda header: header.update({BIAS: 3})),
        r"decoder\.bias has shape None",
    ),
    "offsets outside the file": (
        header_with(lambda header: header[BIAS].update(data_offsets=[0, 10**9])),
        r"model\.safetensors is damaged",
    ),
    "offsets that overlap": (
        header_with(lambda header: header[BIAS].update(data_offsets=[4, 44])),
        r"model\.safetensors is damaged",
    ),
    "header of a list": (
        holding("model.safetensors", (2).to_bytes(8, "little") + b"[]"),
        r"the header of model\.safetensors holds no JSON object",
    ),
    "deep header": (
        holding("model.safetensors", (100_000).to_bytes(8, "little") + DEEP.encode()),
        r"the header of model\.safetensors is nested too deeply",
    ),
    "header length lies": (
        holding("model.safetensors", (2**62).to_bytes(8, "little") + b"{}"),
        r"is no safetensors file, or is cut short: its header would be 4,611,686,\S+ bytes of 10",
    ),
    "empty weights": (holding("model.safetensors", b""), r"model\.safetensors"),
    "a pickle": (
        lambda folder: torch.save({"x": torch.zeros(2)}, folder / "model.safetensors"),
        r"model\.safetensors is no safetensors file, or is cut short",
    ),
    "cut in the data": (cut_to(0.9), r"model\.safetensors is damaged"),
    "cut in the header": (cut_to(0.02), r"model\.safetensors is no safetensors file, or is cut"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_is_refused_with_what_is_wrong(folder: Path, name: str) -> None:
    breaking, message = BROKEN[name]
    breaking(folder)
    with pytest.raises(ModelFolderError, match=message) as caught:
        load(folder)
    text = str(caught.value)
    assert text.startswith(f"{folder}: ")
    assert "\n" not in text
    assert len(text) < len(str(folder)) + 300


@pytest.mark.parametrize("name", ["no-such-model", "owner/name", "x" * 300, "~nobody-of-it/x"])
def test_an_unknown_name_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(ModelNotFoundError, match=f"no model '{name}'"):
        load(name)


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("good")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "good"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match=r"No such file"):
        write_tensors(tmp_path / "no" / "file", {"x": torch.zeros(2)}, {})


def test_what_a_kill_left_behind_is_removed_and_nothing_else(tmp_path: Path) -> None:
    def killed(partial: Path) -> None:
        partial.write_text("half")
        os.link(partial, tmp_path / partial.name.replace(str(os.getpid()), "99"))

    write_atomically(tmp_path / "model.safetensors", killed)
    (tmp_path / ".writing-ab_12xyz").mkdir()
    (tmp_path / ".writing-ab_12xyz" / "tokenizer.json").touch()
    others = ["model.safetensors", ".gitignore", "notes.partial-7", ".a.partial-b", "writing-1"]
    for name in others:
        (tmp_path / name).touch()
    assert len(list(tmp_path.iterdir())) == len(others) + 2
    remove_partial_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_metrics_are_read_a_line_a_row(tmp_path: Path) -> None:
    assert read_metrics(tmp_path) == []
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n\n{"step": 2, "sample": "é"}\n')
    assert read_metrics(tmp_path) == [{"step": 1}, {"step": 2, "sample": "é"}]


def test_a_model_of_every_character_there_is_comes_back(tmp_path: Path) -> None:
    characters = [chr(point) for point in (0, 9, 10, 0xD800, 0xFEFF, 0x1F600, 0x10FFFF)]
    config = ModelConfig(vocab_size=7, hidden_size=3, embedding_size=2)
    save(LanguageModel(config, CharTokenizer(characters)), tmp_path)
    tokenizer = load(tmp_path).tokenizer
    assert [tokenizer.token(token_id) for token_id in range(7)] == characters
