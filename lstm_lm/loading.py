"""A model folder <-> a LanguageModel, and the checks that keep broken and hostile files out.

Nothing in a folder is run or unpickled. Sizes are checked before anything is built, and the
weight file's header before a tensor is read. Knows nothing of training or of pages.
"""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lstm_lm.config import ModelConfig, from_json, to_json
from lstm_lm.errors import ConfigError, ModelFolderError, ModelNotFoundError
from lstm_lm.model import LanguageModel
from lstm_lm.tokenizer import CharTokenizer, SentencePieceTokenizer, load_tokenizer

MODEL_TYPE = "lstm-lm"
CONFIG_FILE = "config.json"
WEIGHT_FILE = "model.safetensors"
METRICS_FILE = "metrics.jsonl"
RESULTS_FILE = "results.json"
CARD_FILE = "README.md"
BUNDLED = Path(__file__).parent / "models"

LARGEST_JSON = 2**20  # bytes, of config.json and of the weight file's header
# What a write that was killed leaves behind: of `write_atomically`, and of `save`'s tokenizer.
WRITING = ".writing-"
PARTIAL = re.compile(r"\..+\.partial-\d+|" + re.escape(WRITING) + r"\w+")
WEIGHT_TYPES = {"F32": 4, "F16": 2}  # name in a safetensors header -> bytes


def bundled_models() -> list[str]:
    """Names of the models that come with the project, the page's first choice first."""
    names = sorted(path.parent.name for path in BUNDLED.glob(f"*/{CONFIG_FILE}"))
    return sorted(names, key=lambda name: name != "shakespeare-char")


def load(name: str | Path, *, revision: str | None = None) -> LanguageModel:
    """The model of a bundled name, a folder or a Hub repository id, in evaluation mode.

    Raises:
        ModelNotFoundError: nothing answers to the name.
        ModelFolderError: the folder is broken, foreign or hostile.
    """
    return load_folder(model_folder(name, revision=revision))


def model_folder(name: str | Path, *, revision: str | None = None) -> Path:
    """The folder behind a bundled name, a folder's path or a Hub repository id.

    Raises:
        ModelNotFoundError: nothing answers to the name.
    """
    text = str(name)
    if text in bundled_models():
        return BUNDLED / text
    with contextlib.suppress(OSError, RuntimeError):  # a name too long; a ~user that is not there
        folder = Path(name).expanduser()
        if folder.is_dir():
            return folder
    raise ModelNotFoundError(
        f"no model {text!r}: neither a model that comes with the project "
        f"({', '.join(bundled_models()) or 'none here'}) nor a folder"
    )


def load_folder(folder: Path) -> LanguageModel:
    """The model in this folder, checked before it is used, in evaluation mode.

    Raises:
        ModelFolderError: names the file and what is wrong with it.
    """
    try:
        config = _read_config(folder)
        kind = CharTokenizer if config.tokenizer == "char" else SentencePieceTokenizer
        tokenizer = load_tokenizer(config.tokenizer, _read(folder / kind.file_name, 2**26))
        if tokenizer.vocab_size != config.vocab_size:
            raise ModelFolderError(
                f"{kind.file_name} has {tokenizer.vocab_size} tokens, "
                f"but config.json says {config.vocab_size}: they belong to different models"
            )
        weights = _read_weights(folder / WEIGHT_FILE, config)
    except ModelFolderError as error:
        raise ModelFolderError(f"{folder}: {error}") from None
    model = LanguageModel(config, tokenizer, seed=None)
    model.load_state_dict(weights)
    return model.requires_grad_(False).eval()


def _read(path: Path, largest: int) -> bytes:
    """The file's bytes, if there are at most `largest`."""
    try:
        size = path.stat().st_size
        if size > largest:
            raise ModelFolderError(f"{path.name} has {size:,} bytes: at most {largest:,} are read")
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelFolderError(f"no {path.name} in it: this is no model folder") from None
    except OSError as error:
        raise ModelFolderError(f"cannot read {path.name}: {error.strerror}") from None


def _read_json(content: bytes, name: str) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except RecursionError:
        raise ModelFolderError(f"{name} is nested too deeply to be one of ours") from None
    except ValueError as error:
        raise ModelFolderError(f"{name} is not JSON ({error})") from None
    if not isinstance(data, dict):
        raise ModelFolderError(f"{name} holds no JSON object")
    return data


def _read_config(folder: Path) -> ModelConfig:
    data = _read_json(_read(folder / CONFIG_FILE, LARGEST_JSON), CONFIG_FILE)
    kind = data.pop("model_type", None)
    if kind != MODEL_TYPE:
        raise ModelFolderError(
            f"config.json is of model_type {str(kind)[:40]!r}, not {MODEL_TYPE!r}: "
            "this model was not made by lstm-lm"
        )
    try:
        return from_json(ModelConfig, data)
    except ConfigError as error:
        raise ModelFolderError(f"config.json: {error}") from None


def _read_weights(path: Path, config: ModelConfig) -> dict[str, Tensor]:
    """Every weight as float32, after the header was compared with what the config asks for."""
    check_weight_header(path, config)
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelFolderError(f"{path.name} is damaged ({error})") from None
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            raise ModelFolderError(f"{path.name}: {name} holds values that are not finite")
    return {name: weight.float() for name, weight in weights.items()}


def check_weight_header(path: Path, config: ModelConfig) -> None:
    """Raise ModelFolderError unless the file holds exactly the weights the config describes."""
    shapes = config.shapes()
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(LARGEST_JSON, max(0, size - 8)):
                raise ModelFolderError(
                    f"{path.name} is no safetensors file, or is cut short: "
                    f"its header would be {length:,} bytes of {size:,}"
                )
            header = _read_json(file.read(length), f"the header of {path.name}")
    except FileNotFoundError:
        raise ModelFolderError(f"no {path.name} in it: this is no model folder") from None
    except OSError as error:
        raise ModelFolderError(f"cannot read {path.name}: {error.strerror}") from None
    header.pop("__metadata__", None)
    for name in shapes:
        if name not in header:
            raise ModelFolderError(f"{path.name} lacks the weight {name}")
    for name, entry in header.items():
        if name not in shapes:
            raise ModelFolderError(f"{path.name} holds {name[:80]!r}, which config.json knows not")
        found = entry.get("shape") if isinstance(entry, dict) else None
        if found != list(shapes[name]):
            raise ModelFolderError(
                f"{path.name}: {name} has shape {str(found)[:60]}, "
                f"config.json asks for {list(shapes[name])}"
            )
        if str(entry.get("dtype")) not in WEIGHT_TYPES:
            raise ModelFolderError(
                f"{path.name}: {name} is {str(entry.get('dtype'))[:20]}: weights are F32 or F16"
            )


def save(model: LanguageModel, folder: Path) -> None:
    """Write the model's config, weights and tokenizer; each file is complete or not there.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_type": MODEL_TYPE, **to_json(model.config)}
    write_atomically(
        folder / CONFIG_FILE, lambda path: path.write_text(json.dumps(config, indent=2) + "\n")
    )
    with tempfile.TemporaryDirectory(dir=folder, prefix=WRITING) as partial:
        model.tokenizer.save(Path(partial))
        name = model.tokenizer.file_name
        (Path(partial) / name).replace(folder / name)
    write_tensors(folder / WEIGHT_FILE, model.weights(), {"format": "pt"})


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The rows of the folder's metrics.jsonl, oldest first; none where there is no such file."""
    path = folder / METRICS_FILE
    if not path.exists():
        return []
    # Not splitlines: a sample may hold other line separators.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, complete or not at all."""

    def write(partial: Path) -> None:
        on_cpu = {name: tensor.cpu() for name, tensor in tensors.items()}
        try:
            save_file(on_cpu, partial, metadata)
        except SafetensorError as error:  # it wraps the system's own error in a text
            raise OSError(None, str(error), str(path)) from None

    write_atomically(path, write)


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a sibling file, then rename it over `path`."""
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()


def remove_partial_files(folder: Path) -> None:
    """Remove what writes into this folder left behind when they were killed.

    Nothing may be writing there. What cannot be removed stays: it does no harm.
    """
    for path in folder.iterdir():
        if not PARTIAL.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
