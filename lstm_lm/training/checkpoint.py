"""Run folders: what an exact resume needs, saved so that a crash at any moment loses little.

A checkpoint is one safetensors file, written to a sibling and renamed; the two newest are kept,
and one that is damaged is passed over for the one before it. Knows nothing of the loop.
"""

import contextlib
import json
import logging
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from lstm_lm.checks import read_file, read_json, read_weight_header, readable_name
from lstm_lm.config import TrainConfig, from_json, to_json
from lstm_lm.errors import CheckpointError, ConfigError, ModelFolderError
from lstm_lm.store.folder import write_tensors
from lstm_lm.surroundings.files import write_atomically
from lstm_lm.visible_text import shell_path

log = logging.getLogger(__name__)

KEPT = 2
RUN_FILE = "run.json"
LOCK_FILE = "lock"  # what a claim holds: see claims.py
LARGEST_RUN_FILE = 2**26  # bytes: it names every file of the text


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was decided once, when a run began."""

    train: TrainConfig
    """The settings, with the number of steps filled in."""
    sources: list[str]
    """What --text named; empty for the standard library."""
    files: list[str]
    """The local files they led to, absolute."""
    fingerprint: str
    """Of the corpus: a resumed run must read the same text."""
    command: str
    """The command that began the run."""


def checkpoint_folder(run_folder: Path) -> Path:
    """Where a run keeps its checkpoints."""
    return run_folder / "checkpoint"


def refuse_folder_in_use(folder: Path) -> None:
    """Return if a run may begin in the folder: it holds a claim at most, or is not there yet.

    Raises:
        CheckpointError: it holds something, or is no folder.
    """
    place = checkpoint_folder(folder)
    try:
        in_use = folder.exists() and any(path != place for path in folder.iterdir())
        in_use |= place.exists() and any(path.name != LOCK_FILE for path in place.iterdir())
    except OSError as error:
        raise CheckpointError(f"cannot write into {folder}: {error.strerror}") from None
    if in_use:
        raise CheckpointError(
            f"{folder} is not empty: choose another --out, or go on with --resume "
            f"{shell_path(folder)}"
        )


def is_run(folder: Path) -> bool:
    """Whether a run began in this folder, as far as this account may see."""
    with contextlib.suppress(OSError):
        return (checkpoint_folder(folder) / RUN_FILE).exists()
    return False


def write_run(folder: Path, run: Run) -> None:
    """Begin a run in the folder.

    Raises:
        CheckpointError: the folder cannot be written.
    """
    data = {
        "train": to_json(run.train),
        "sources": run.sources,
        "files": run.files,
        "fingerprint": run.fingerprint,
        "command": run.command,
    }
    path = checkpoint_folder(folder) / RUN_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda partial: partial.write_text(json.dumps(data, indent=2)))
    except OSError as error:
        raise CheckpointError(f"cannot write into {folder}: {error.strerror or error}") from None


def read_run(folder: Path) -> Run:
    """The run that began in the folder.

    Raises:
        CheckpointError: no run began here, or its description is damaged or cannot be read.
    """
    path = checkpoint_folder(folder) / RUN_FILE
    try:
        path.stat()
    except PermissionError as error:
        raise _cannot_read(path, error) from None
    except OSError:
        raise CheckpointError(
            f"{folder} is no run: it has no checkpoint/{RUN_FILE}; "
            "give the folder that train.py named when it began"
        ) from None
    try:
        data = read_json(read_file(path, LARGEST_RUN_FILE), RUN_FILE)
        return Run(
            train=from_json(TrainConfig, data["train"]),
            sources=[str(source) for source in data["sources"]],
            files=[str(file) for file in data["files"]],
            fingerprint=str(data["fingerprint"]),
            command=str(data["command"]),
        )
    except (ModelFolderError, KeyError, TypeError, ConfigError) as error:
        if _denied(error):
            raise _cannot_read(path, error) from None
        raise CheckpointError(f"{path} is damaged ({error}): start a new run") from None


def _denied(error: Exception) -> bool:
    """Whether the error is, or stands for, the system's refusal to let this account read."""
    return isinstance(error, PermissionError) or isinstance(error.__context__, PermissionError)


def _cannot_read(path: Path, error: Exception) -> CheckpointError:
    reason = error if isinstance(error, PermissionError) else error.__context__
    return CheckpointError(
        f"cannot read {path}: {getattr(reason, 'strerror', None) or reason}; nothing is lost: "
        "go on once you may read it, or as the account that it belongs to"
    )


def save_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, Tensor], info: dict[str, Any]
) -> None:
    """Save the state after `step` steps, then drop all but the two newest checkpoints.

    Raises:
        CheckpointError: it could not be written; the checkpoints before it are untouched.
    """
    path = checkpoint_folder(folder) / f"step-{step:09d}.safetensors"
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {"step": str(step), "info": json.dumps(info), "crc32": _checksum(on_cpu)}
    try:
        write_tensors(path, on_cpu, metadata)
    except OSError as error:
        good = newest_step(folder)
        kept = "none was saved before it" if good is None else f"step {good} is still there"
        raise CheckpointError(
            f"cannot save the checkpoint of step {step}: {error.strerror or error}; {kept}; "
            f"free some space and go on with --resume {shell_path(folder)}"
        ) from None
    for old in _newest_first(folder)[KEPT:]:
        with contextlib.suppress(FileNotFoundError):
            old.unlink()


def load_checkpoint(folder: Path) -> tuple[int, dict[str, Tensor], dict[str, Any], list[str]]:
    """The newest whole checkpoint: its step, tensors, info, and warnings about damaged ones.

    Raises:
        CheckpointError: there is none, or one that is there may not be read.
    """
    warnings: list[str] = []
    reason = "none is there"
    for path in _newest_first(folder):
        try:
            real, *_ = read_weight_header(path)
            with readable_name(real) as readable, safe_open(readable, framework="pt") as file:
                metadata = file.metadata() or {}
                # Cloned: in the file they lie at any address, and matrix products of data that is
                # aligned differently differ in their last bits.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            if metadata.get("crc32") != _checksum(tensors):
                raise ValueError("its checksum is wrong")
            info = read_json(metadata["info"].encode(), "its info")
            return int(metadata["step"]), tensors, info, warnings
        except (SafetensorError, ModelFolderError, OSError, ValueError, KeyError) as error:
            if _denied(error):  # the one before would cost steps that are not lost
                raise _cannot_read(path, error) from None
            reason = f"the checkpoint {path.name} is damaged ({error})"
            warnings.append(f"{reason}: using the one before")
    raise CheckpointError(
        f"{folder} has no whole checkpoint: start again from its command "
        f"(checkpoint/{RUN_FILE}); {reason}"
    )


def has_checkpoint(folder: Path) -> bool:
    """Whether anything was saved in this run."""
    return newest_step(folder) is not None


def newest_step(folder: Path) -> int | None:
    """The step of the newest checkpoint, whole or not; None where there is none."""
    newest = next(iter(_newest_first(folder)), None)
    return None if newest is None else _step(newest)


def _newest_first(folder: Path) -> list[Path]:
    place = checkpoint_folder(folder)
    try:
        # Not glob, for which a folder that may not be read is an empty one.
        found = [path for path in place.iterdir() if path.match("step-*.safetensors")]
    except PermissionError as error:
        raise _cannot_read(place, error) from None
    except OSError:
        return []
    return sorted(found, key=_step, reverse=True)


def _step(path: Path) -> int:
    found = re.match(r"step-(\d+)", path.name)
    return int(found[1]) if found else -1


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    """CRC-32 of the bytes of all tensors, in the order of their names."""
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(tensors[name].numpy().tobytes(), value)
    return f"{value:08x}"
