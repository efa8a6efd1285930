"""Where else the rows of a run go: an experiment tracker beside `metrics.jsonl`.

The tracker's package is optional, and is imported when a run begins to log. Knows nothing of
training.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_lm.errors import UserError

TRACKERS = ("trackio",)
PROJECT = "lstm-lm"


class Tracker:
    """Keeps nothing: a run that is not tracked."""

    def log(self, row: Mapping[str, Any]) -> None:
        """Keep a row of the metrics."""

    def close(self) -> None:
        """Nothing more comes."""


class TrackioTracker(Tracker):
    """Logs to trackio, which keeps a local database that `trackio show` opens.

    Args:
        folder: the run folder: its name is the run's.
        settings: shown beside the curves.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        import trackio

        self._run = trackio.init(
            project=PROJECT,
            name=folder.resolve().name,
            config=dict(settings),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def log(self, row: Mapping[str, Any]) -> None:
        """Keep a row of the metrics at its step."""
        self._run.log(dict(row), step=row["step"])

    def close(self) -> None:
        """Wait until everything is kept."""
        self._run.finish()


def check_tracker(name: str | None) -> None:
    """Raise UserError if the tracker is not installed; needs no import of it."""
    if name is not None and importlib.util.find_spec(name) is None:
        raise UserError(
            f"--track {name} needs the package {name}, which is not installed: "
            f"python -m pip install {name}, or leave --track out"
        )


def open_tracker(name: str | None, folder: Path, settings: Mapping[str, Any]) -> Tracker:
    """The tracker of this name (one of TRACKERS), or one that keeps nothing for None."""
    return TrackioTracker(folder, settings) if name == "trackio" else Tracker()
