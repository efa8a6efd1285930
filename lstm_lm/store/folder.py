"""A model folder on disk: what its files are called, and how the small ones are read and written.

Everything but the weights and the tokenizer, which are `loading.py`'s. Knows nothing of networks,
of the Hub or of training.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from lstm_lm.checks import LARGEST_JSON, is_number, is_text, read_file, read_json
from lstm_lm.config import MOST_EVALUATIONS, ModelConfig, from_json
from lstm_lm.errors import ConfigError, ModelFolderError, shown
from lstm_lm.surroundings.files import write_atomically

MODEL_TYPE = "lstm-lm"
CONFIG_FILE = "config.json"
WEIGHT_FILE = "model.safetensors"
METRICS_FILE = "metrics.jsonl"
RESULTS_FILE = "results.json"
CARD_FILE = "README.md"
CURVE_FILE = "loss.png"
BUNDLED = Path(__file__).parents[1] / "models"

LARGEST_METRICS = 2**25  # bytes of a metrics.jsonl
LONGEST_ROW = 2**16  # bytes of a line of it, and of results.json
METRICS = ("step", "train_loss", "val_loss", "val_bpc")  # what every row of it has
MORE_METRICS = ("tokens", "seconds", "val_nats_per_character", "val_tokens")


def bundled_models() -> list[str]:
    """Names of the models that come with the project, the page's first choice first."""
    names = sorted(path.parent.name for path in BUNDLED.glob(f"*/{CONFIG_FILE}"))
    return sorted(names, key=lambda name: name != "shakespeare-char")


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
