"""A trace as a file: NPZ, which loads back, and CSV, which every other program reads.

Knows nothing of figures or of pages.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from lstm_lm.errors import SignalError, UserError
from lstm_lm.surroundings.files import expanded, write_atomically
from lstm_lm.traces.archive import read_archive
from lstm_lm.traces.arrays import SignalArrays

CSV_COLUMNS = ("step", "token", "token_id", "layer", "unit")


def save_npz(trace: SignalArrays, path: Path) -> None:
    """Write the trace's arrays to an .npz file: see `GateTrace.save`."""

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            npz_into(trace, file)

    _write(path, write)


def npz_into(trace: SignalArrays, file: BinaryIO) -> None:
    """Write what `GateTrace.save` writes into an open binary file."""
    about = {"model": trace.model, "layer_names": trace.layer_names}
    arrays: dict[str, npt.NDArray[np.generic]] = {
        **{name: trace[name] for name in trace},
        "token_ids": trace.token_ids,
        "log_probs": trace.log_probs,
        # JSON, so that no array of objects (a pickle) is needed for strings.
        "tokens": _json_bytes(trace.tokens),
        "about": _json_bytes(about),
    }
    np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]


def load_npz(path: str | Path) -> SignalArrays:
    """The trace that `save_npz` wrote: see `GateTrace.load`."""
    arrays, texts = read_archive(expanded(path))
    token_ids, log_probs = arrays.pop("token_ids"), arrays.pop("log_probs")
    about = texts["about"]
    return SignalArrays(
        texts["tokens"],
        token_ids,
        arrays,
        log_probs,
        model=about.get("model", ""),
        layer_names=about.get("layer_names"),
    )


def write_csv(
    trace: SignalArrays, path: Path, signals: Sequence[str] | None, layers: Sequence[int] | None
) -> None:
    """Write the trace as a table, a row for each unit at each step: see `GateTrace.to_csv`."""

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            csv_into(trace, file, signals, layers)

    _write(path, write)


def csv_into(
    trace: SignalArrays,
    file: BinaryIO,
    signals: Sequence[str] | None = None,
    layers: Sequence[int] | None = None,
) -> None:
    """Write what `GateTrace.to_csv` writes into an open binary file.

    Raises:
        SignalError: no such signal or layer, or none.
    """
    chosen = trace.signals if signals is None else tuple(signals)
    rows = range(trace.layers) if layers is None else [trace.layer_index(n) for n in layers]
    arrays = [trace[name] for name in chosen]
    if not arrays or not len(rows):
        raise SignalError("there is nothing to write: choose at least one signal and one layer")
    # A lone surrogate has no UTF-8; everything else is written as it is.
    text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
    writer = csv.writer(text)  # its line end, \r\n, makes it quote a lone \r too
    writer.writerow([*CSV_COLUMNS, *chosen])
    for step in range(trace.steps):
        writer.writerows(_rows_of_step(trace, arrays, rows, step))
    text.flush()
    text.detach()  # the file is the caller's to close


def _rows_of_step(
    trace: SignalArrays, arrays: list[Any], layers: Sequence[int], step: int
) -> Iterator[tuple[object, ...]]:
    token, token_id = trace.tokens[step], int(trace.token_ids[step])
    for layer in layers:
        # As text a float32 is as short as it can be and still be read back exactly.
        values = [array[layer, step].astype(str).tolist() for array in arrays]
        for unit, of_unit in enumerate(zip(*values, strict=True)):
            yield step, token, token_id, layer, unit, *of_unit


def _json_bytes(value: object) -> npt.NDArray[np.uint8]:
    return np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)


def _write(path: Path, write: Callable[[Path], None]) -> None:
    try:
        write_atomically(expanded(path), write)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from None
