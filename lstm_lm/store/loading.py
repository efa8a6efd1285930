"""A model folder <-> a network; a broken or hostile folder is refused before it is used.

Sizes are checked before anything is built, and the weight file's header before a tensor is read
(see `checks.py`). Knows nothing of training or of pages.
"""

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lstm_lm.cells.network import Network
from lstm_lm.config import MOST_EVALUATIONS, ModelConfig, from_json, to_json
from lstm_lm.errors import ConfigError, ModelFolderError, ModelNotFoundError, UserError, shown
from lstm_lm.hub.repository import is_repository_id, split_name
from lstm_lm.store.checks import (
    LARGEST_JSON,
    WEIGHT_TYPES,
    WeightFile,
    check_weight_file,
    is_number,
    is_text,
    read_file,
    read_json,
    readable_name,
)
from lstm_lm.store.snapshots import SNAPSHOT
from lstm_lm.surroundings.files import WRITING, expanded, write_atomically
from lstm_lm.text.tokenizer import CharTokenizer, SentencePieceTokenizer, load_tokenizer
from lstm_lm.visible_text import printable, spelled

N = TypeVar("N", bound=Network)

MODEL_TYPE = "lstm-lm"
CONFIG_FILE = "config.json"
WEIGHT_FILE = "model.safetensors"
METRICS_FILE = "metrics.jsonl"
RESULTS_FILE = "results.json"
CARD_FILE = "README.md"
BUNDLED = Path(__file__).parents[1] / "models"

LARGEST_WEIGHT = 1e9  # no training leaves more; the sums of smaller ones never overflow
READ_AT_ONCE = 2**22  # bytes of weights, while they are checked
LARGEST_METRICS = 2**25  # bytes of a metrics.jsonl
LONGEST_ROW = 2**16  # bytes of a line of it, and of results.json
METRICS = ("step", "train_loss", "val_loss", "val_bpc")  # what every row of it has
MORE_METRICS = ("tokens", "seconds", "val_nats_per_character", "val_tokens")


def bundled_models() -> list[str]:
    """Names of the models that come with the project, the page's first choice first."""
    names = sorted(path.parent.name for path in BUNDLED.glob(f"*/{CONFIG_FILE}"))
    return sorted(names, key=lambda name: name != "shakespeare-char")


def model_folder(name: str | Path, *, revision: str | None = None) -> Path:
    """The folder behind a bundled name, a folder's path or a Hub repository id.

    Raises:
        ModelNotFoundError: nothing answers to the name.
        HubError: the Hub cannot be reached, does not let us in, or sent something damaged.
    """
    text = str(name)
    local = _local_folder(name)
    if local is not None:
        if revision is not None:
            raise ModelNotFoundError(
                f"no model {text!r} of revision {revision!r}: it is on this machine, "
                "and only repositories of the Hub have revisions"
            )
        return local
    repo_id, at = split_name(text)
    if isinstance(name, str) and is_repository_id(repo_id):
        from lstm_lm.hub.download import fetch

        return fetch(repo_id, revision or at)
    raise ModelNotFoundError(
        f"no model {text!r}: neither a model that comes with the project "
        f"({', '.join(bundled_models()) or 'none here'}), nor a folder, nor the OWNER/NAME of a "
        "repository on the Hub"
    )


def is_local(name: str | Path) -> bool:
    """Whether the model is on this machine: a bundled one, or a folder."""
    return _local_folder(name) is not None


def _local_folder(name: str | Path) -> Path | None:
    bundled, _, rest = str(name).partition("/")
    early = SNAPSHOT.fullmatch(rest) and (BUNDLED / str(name)).is_dir()
    if bundled in bundled_models() and (early or not rest):
        return BUNDLED / str(name)
    for folder in readings(name):
        with contextlib.suppress(OSError):  # a name too long
            if folder.is_dir():
                return folder
    return None


def readings(name: str | Path) -> list[Path]:
    """The folders that a name can mean: as it stands, or as the page and the terminal show it."""
    with contextlib.suppress(UserError):  # a ~user that is not there
        return [expanded(each) for each in dict.fromkeys([str(name), spelled(str(name))])]
    return []


def read_network(folder: Path, kind: type[N]) -> N:
    """The model in this folder, checked before it is used, in evaluation mode.

    Args:
        folder: the model folder.
        kind: Network, or what is made of it.

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
    model = kind(config, tokenizer, seed=None)
    model.load_state_dict(weights)
    model.folder, model.name = folder, printable(folder.resolve().name)
    return model.requires_grad_(False).eval()


def read_config(folder: Path) -> ModelConfig:
    """The sizes of the model in this folder, without its weights.

    Raises:
        ModelFolderError: config.json is missing, broken or foreign.
    """
    data = read_json(read_file(folder / CONFIG_FILE, LARGEST_JSON), CONFIG_FILE)
    kind = data.pop("model_type", None)
    if kind != MODEL_TYPE:
        raise ModelFolderError(
            f"config.json is of model_type {shown(kind)}, not {MODEL_TYPE!r}: "
            "this model was not made by lstm-lm"
        )
    try:
        return from_json(ModelConfig, data)
    except ConfigError as error:
        raise ModelFolderError(f"config.json: {error}") from None


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


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The rows of the folder's metrics.jsonl, oldest first; none where there is no such file.

    Raises:
        ModelFolderError: the file is too large, or a line of it is no evaluation.
    """
    path = folder / METRICS_FILE
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = []
    # Not splitlines: a sample may hold other line separators.
    for number, line in enumerate(io.BytesIO(read_file(path, LARGEST_METRICS)), 1):
        if not line.strip():
            continue
        if len(line) > LONGEST_ROW or len(rows) == MOST_EVALUATIONS:
            raise ModelFolderError(f"{METRICS_FILE} is too large at line {number:,} to be ours")
        row = read_json(line, f"line {number:,} of {METRICS_FILE}")
        numbers = [row.get(key) for key in METRICS] + [row.get(key, 0) for key in MORE_METRICS]
        if not all(map(is_number, numbers)) or not is_text(row.get("sample")):
            raise ModelFolderError(
                f"line {number:,} of {METRICS_FILE} is no evaluation: remove that line"
            )
        rows.append(row)
    return rows


def read_results(folder: Path) -> dict[str, float]:
    """The numbers in the folder's results.json, by name; none where the file is none of ours."""
    try:
        results = read_json(read_file(folder / RESULTS_FILE, LONGEST_ROW), RESULTS_FILE)
    except ModelFolderError:
        return {}
    return {name: value for name, value in results.items() if is_number(value)}


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, complete or not at all."""

    def write(partial: Path) -> None:
        on_cpu = {name: tensor.cpu() for name, tensor in tensors.items()}
        try:
            save_file(on_cpu, partial, metadata)
        except SafetensorError as error:  # it wraps the system's own error in a text
            raise OSError(None, str(error), str(path)) from None

    write_atomically(path, write)
