"""The few early models that a run keeps, to be compared with the late one.

A snapshot is a model folder like any other, `RUN/snapshots/step-000203`, with config, weights and
tokenizer. Which steps are kept follows from the run's number of steps alone, so a resumed run keeps
the same ones, and writes those after its checkpoint again, bit for bit. Knows nothing of the loop.
"""

import re
from pathlib import Path

FOLDER = "snapshots"
PARTS = (256, 64, 16, 4)  # a snapshot is taken after one in so many of the run's steps
SNAPSHOT = re.compile(FOLDER + r"/step-(\d{6,12})\Z")


def snapshot_steps(steps: int) -> set[int]:
    """The steps after which a run keeps its model: at most four, each four times the last.

    Early is where a model changes most, so they lie evenly in the logarithm.

    >>> sorted(snapshot_steps(13_000))
    [50, 203, 812, 3250]
    >>> sorted(snapshot_steps(12))
    [3]
    """
    return {steps // part for part in PARTS} - {0}


def snapshot_folder(run_folder: Path, step: int) -> Path:
    """Where the run keeps its model of this step."""
    return run_folder / FOLDER / f"step-{step:06d}"


def snapshot_step(name: str | Path) -> int | None:
    """The step of a snapshot by its name or folder; None where it is none.

    >>> snapshot_step("shakespeare-char/snapshots/step-000203")
    203
    """
    found = SNAPSHOT.search(Path(name).as_posix())
    return int(found[1]) if found else None


def snapshots(model_folder: Path) -> list[Path]:
    """The snapshots beside a model, oldest first; none where there is no such folder.

    The weights are written last, so that what is only half there is not among them.
    """
    places = (model_folder / FOLDER).glob("step-*/model.safetensors")
    found = [place.parent for place in places if snapshot_step(place.parent) is not None]
    return sorted(found, key=lambda folder: snapshot_step(folder) or 0)
