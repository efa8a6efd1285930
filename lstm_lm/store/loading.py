"""A model folder <-> a network; a broken or hostile folder is refused before it is used.

Sizes are checked before anything is built, and the weight file's header before a tensor is read
(see `checks.py`). Knows nothing of training or of pages.
"""

import json
import tempfile
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lstm_lm.cells.network import Network
from lstm_lm.checks import (
    WEIGHT_TYPES,
    WeightFile,
    check_weight_file,
    read_file,
    readable_name,
)
from lstm_lm.config import ModelConfig, to_json
from lstm_lm.errors import ModelFolderError, shown
from lstm_lm.store.folder import CONFIG_FILE, MODEL_TYPE, WEIGHT_FILE, read_config, write_tensors
from lstm_lm.surroundings.files import WRITING, write_atomically
from lstm_lm.text.tokenizer import CharTokenizer, SentencePieceTokenizer, load_tokenizer
from lstm_lm.visible_text import printable

N = TypeVar("N", bound=Network)

LARGEST_WEIGHT = 1e9  # no training leaves more; the sums of smaller ones never overflow
READ_AT_ONCE = 2**22  # bytes of weights, while they are checked


def read_network(folder: Path, made_of: type[N]) -> N:
    """The model in this folder, checked before it is used, in evaluation mode.

    Args:
        folder: the model folder.
        made_of: Network, or a kind of it.

    Raises:
        ModelFolderError: names the file and what is wrong with it.
    """
    try:
        config = read_config(folder)
        kind = CharTokenizer if config.tokenizer == "char" else SentencePieceTokenizer
        content = read_file(folder / kind.file_name, kind.largest_file)
        tokenizer = load_tokenizer(config.tokenizer, content)
        if tokenizer.vocab_size != config.vocab_size:
            raise ModelFolderError(
                f"{kind.file_name} has {tokenizer.vocab_size} tokens, "
                f"but config.json says {config.vocab_size}: they belong to different models"
            )
        weights = _read_weights(folder / WEIGHT_FILE, config)
    except ModelFolderError as error:
        name = str(folder) if str(folder).isprintable() else shown(str(folder))
        raise ModelFolderError(f"{name}: {error}") from None
    model = made_of(config, tokenizer, seed=None)
    model.load_state_dict(weights)
    model.folder, model.name = folder, printable(folder.resolve().name)
    return model.requires_grad_(False).eval()


def _read_weights(path: Path, config: ModelConfig) -> dict[str, Tensor]:
    """Every weight as float32, after the header was compared with what the config asks for."""
    file = check_weight_file(path, config.shapes())
    try:
        _check_values(file)
        with readable_name(file.path) as name:
            weights = load_file(name)
    except (SafetensorError, OSError) as error:
        raise ModelFolderError(f"{path.name} is damaged ({error})") from None
    return {name: weight.float() for name, weight in weights.items()}


def _check_values(file: WeightFile) -> None:
    """Raise ModelFolderError if a weight is not finite; a little is in memory at a time."""
    types = {"F32": torch.float32, "F16": torch.float16}
    buffer = bytearray(READ_AT_ONCE)
    with file.path.open("rb") as content:
        content.seek(file.start)
        for start, stop, name, kind in file.spans:
            for at in range(start, stop, READ_AT_ONCE):
                count = content.readinto(memoryview(buffer)[: min(READ_AT_ONCE, stop - at)])
                if not count:
                    raise ModelFolderError(f"{WEIGHT_FILE} is cut short")  # since it was opened
                part = torch.frombuffer(buffer, dtype=types[kind])[: count // WEIGHT_TYPES[kind]]
                low, high = map(float, part.aminmax())  # NaN, where there is one
                if not (low >= -LARGEST_WEIGHT and high <= LARGEST_WEIGHT):
                    raise ModelFolderError(
                        f"{WEIGHT_FILE}: {name} holds values that are not finite or beyond "
                        f"{LARGEST_WEIGHT:g}"
                    )


def save(model: Network, folder: Path) -> None:
    """Write the model's config, weights and tokenizer; each file is complete or not there.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_type": MODEL_TYPE, **to_json(model.config)}
    write_atomically(
        folder / CONFIG_FILE, lambda path: path.write_text(json.dumps(config, indent=2) + "\n")
    )
    name = model.tokenizer.file_name
    with tempfile.TemporaryDirectory(dir=folder, prefix=WRITING) as partial:
        model.tokenizer.save(Path(partial))
        content = (Path(partial) / name).read_bytes()
    write_atomically(folder / name, lambda path: path.write_bytes(content))
    write_tensors(folder / WEIGHT_FILE, model.weights(), {"format": "pt"})
