"""Where else the rows of a run go: an experiment tracker beside `metrics.jsonl`.

The tracker's package is optional, and is imported when a run begins to log. Knows nothing of
training.
"""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lstm_lm.console import Reporter, optional
from lstm_lm.errors import UserError
from lstm_lm.visible_text import printable

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
            name=printable(folder.resolve().name),
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


class _Optional(Tracker):
    """Another tracker until its first failure, which is told; from then on it gets no row."""

    def __init__(self, name: str, make: Callable[[], Tracker], reporter: Reporter) -> None:
        self._name = name
        self._reporter = reporter
        self._failed = False
        self._tracker = Tracker()

        def begin() -> None:
            self._tracker = make()

        self._attempt(begin)

    def log(self, row: Mapping[str, Any]) -> None:
        if not self._failed:
            self._attempt(lambda: self._tracker.log(row))

    def close(self) -> None:
        self._attempt(self._tracker.close)

    def _attempt(self, call: Callable[[], object]) -> None:
        told = Reporter() if self._failed else self._reporter
        failed = True
        with optional(told, f"the metrics no longer go to {self._name}, metrics.jsonl has them"):
            call()
            failed = False
        self._failed |= failed


def check_tracker(name: str | None) -> None:
    """Raise UserError if the tracker is not installed; needs no import of it."""
    if name is not None and importlib.util.find_spec(name) is None:
        raise UserError(
            f"--track {name} needs the package {name}, which is not installed: "
            f"python -m pip install {name}, or leave --track out"
        )


def open_tracker(
    name: str | None, folder: Path, settings: Mapping[str, Any], reporter: Reporter
) -> Tracker:
    """The tracker of this name (one of TRACKERS), or one that keeps nothing for None.

    It raises nothing: a run must not end because it can no longer be followed elsewhere.

    Args:
        name: of the tracker.
        folder: the run folder.
        settings: shown beside the curves.
        reporter: told of its first failure.
    """
    if name != "trackio":
        return Tracker()
    return _Optional(name, lambda: TrackioTracker(folder, settings), reporter)
