"""What the Training view shows: the rows of metrics.jsonl, in bits a character, and what they say.

Runs are read while they are trained: a file is read again only when it has changed, and a line
that is half written is left for the next look. Knows nothing of gradio.
"""

import contextlib
import io
import json
import math
import os
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lstm_lm.checks import is_number, is_text, read_file, read_json
from lstm_lm.config import MOST_EVALUATIONS
from lstm_lm.errors import ModelFolderError, UserError
from lstm_lm.hub.names import model_folder
from lstm_lm.store.folder import LONGEST_ROW, METRICS_FILE, RESULTS_FILE, bundled_models
from lstm_lm.visible_text import printable

RUNS_FOLDER = Path("runs")  # where train.py puts its runs
MOST_OPENED = 3  # runs drawn when the view opens
MOST_DRAWN = 6  # runs drawn at once: as many colours as the colour-blind can tell apart
LARGEST_FILE = 2**24  # bytes of a metrics.jsonl that are read
SAME_TEXT = 0.01  # share by which two counts of characters may differ: losses are rounded

NO_METRICS = (
    "No run has been scored yet. Train a model with python train.py, and its curves and "
    "samples appear here from its first evaluation on."
)
NONE_CHOSEN = "Choose a run, and its curves and samples appear here."
KEYS = (
    "step", "tokens", "seconds", "val_bpc",
    "val_loss", "train_loss", "val_nats_per_character", "val_tokens",
)  # fmt: skip
Payload = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """A row of metrics.jsonl."""

    step: float
    tokens: float
    """Read in training so far."""
    seconds: float
    """Of training so far."""
    train: float | None
    """Bits a character, with dropout, the mean since the evaluation before; None: not known."""
    val: float
    """Bits a character on the validation text, with the state carried over."""
    characters: float | None
    """Of the validation text; None: not known."""
    sample: str
    """What the model wrote then."""

    @classmethod
    def of(cls, row: object) -> "Evaluation | None":
        """The row's evaluation; None where a number that is needed is missing or not finite."""
        if not isinstance(row, dict):
            return None
        step, tokens, seconds, val, val_loss, train_loss, a_character, val_tokens = (
            _number(row.get(key)) for key in KEYS
        )
        if step is None or tokens is None or seconds is None or not val:
            return None
        sample = row.get("sample")
        return cls(
            step=step,
            tokens=tokens,
            seconds=seconds,
            # Bits a character for each nat a token, as this run's validation text has them.
            train=_number(train_loss * val / val_loss) if train_loss and val_loss else None,
            val=val,
            characters=_number(val_tokens * val_loss / a_character)
            if val_tokens and val_loss and a_character
            else None,
            sample=sample if is_text(sample) else "",
        )


Evaluations = tuple[Evaluation, ...]


def _number(value: object) -> float | None:
    """A number that training may have counted, neither negative nor beyond reason, or None."""
    return value if is_number(value) and value >= 0 else None


def read_evaluations(path: Path) -> Evaluations:
    """The evaluations in a metrics.jsonl, by step; lines that cannot be read are left out.

    The last line may be half written, and a file that is not there has none.
    """
    try:
        content = read_file(path, LARGEST_FILE)
    except ModelFolderError:
        return ()
    found: list[Evaluation] = []
    for line in islice(io.BytesIO(content), 2 * MOST_EVALUATIONS):  # lines that are none included
        try:
            row = read_json(line, path.name) if len(line) <= LONGEST_ROW else None
        except ModelFolderError:
            continue
        evaluation = Evaluation.of(row)
        if evaluation is not None:
            found.append(evaluation)
    return tuple(sorted(found, key=lambda evaluation: evaluation.step))


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """A run as the view shows it."""

    name: str
    label: str
    finished: bool
    evaluations: Evaluations


class TrainingRuns:
    """The runs on offer: the page's models, those that come with the project, and ./runs.

    Args:
        names: models of the page; a bundled name, a folder or a repository id.
        label: a run's name for people.
        runs_folder: a folder of run folders.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        label: Callable[[str], str] = str,
        runs_folder: Path = RUNS_FOLDER,
    ) -> None:
        # Found once: to find a model of the Hub may ask the Hub.
        self._models = _found(list(dict.fromkeys([*names, *bundled_models()])))
        self._label = label
        self._runs_folder = runs_folder
        # Runs only ever join: a session may still have one chosen whose folder is gone.
        self._folders: dict[str, Path] = {}
        self._read: dict[str, tuple[tuple[int, int], Evaluations]] = {}
        self.look()

    def look(self) -> None:
        """Take in the runs that have come to have metrics."""
        folders = dict(self._folders)
        known = {os.path.realpath(folder) for folder in folders.values()}
        for name, folder in self._candidates():
            # Not resolve, which raises where a link leads to itself.
            place = os.path.realpath(folder)
            if name in folders or place in known or not _is_there(folder / METRICS_FILE):
                continue
            folders[name] = folder
            known.add(place)
        self._folders = folders

    def _candidates(self) -> list[tuple[str, Path]]:
        """The models, and whatever lies in the folder of runs, under names that can be sent."""
        runs: list[Path] = []
        with contextlib.suppress(OSError):
            runs = sorted(self._runs_folder.iterdir())
        return self._models + [(printable(run.as_posix()), run) for run in runs]

    def choices(self) -> list[tuple[str, str]]:
        """(label, name) of each run on offer; a label that two would share is the whole name."""
        labels = [self._label(name) for name in self._folders]
        return [
            (label if labels.count(label) == 1 else name, name)
            for label, name in zip(labels, self._folders, strict=True)
        ]

    def opening(self) -> list[str]:
        """The first run, then those scored on the same text, then the rest: three at most."""
        names = list(self._folders)
        if not names:
            return []
        first = _characters(self.evaluations(names[0]))

        def elsewhere(name: str) -> bool:
            return not _same_text([first, _characters(self.evaluations(name))])

        names[1:] = sorted(names[1:], key=elsewhere)
        return names[:MOST_OPENED]

    def evaluations(self, name: str) -> Evaluations:
        """The run's evaluations so far; its file is read again only if it has changed."""
        stamp = self._stamp(name)
        if stamp is None:
            return ()
        read = self._read.get(name)
        if read is None or read[0] != stamp:
            read = stamp, read_evaluations(self._folders[name] / METRICS_FILE)
            self._read[name] = read
        return read[1]

    def version(self, chosen: Sequence[str]) -> str:
        """Another text whenever the payload of these runs would be another."""
        drawn = [name for name in chosen if name in self._folders]
        parts = [[name, self._stamp(name), self._finished(name)] for name in drawn]
        return json.dumps([parts, bool(self._folders)])

    def _stamp(self, name: str) -> tuple[int, int] | None:
        try:
            status = (self._folders[name] / METRICS_FILE).stat()
        except (KeyError, OSError):
            return None
        return status.st_mtime_ns, status.st_size

    def _finished(self, name: str) -> bool:
        return name in bundled_models() or _is_there(self._folders[name] / RESULTS_FILE)

    def payload(self, chosen: Sequence[str]) -> Payload:
        """What the curves component draws of these runs, in the order in which they are offered."""
        runs = [
            TrainingRun(
                name=name,
                label=label,
                finished=self._finished(name),
                evaluations=self.evaluations(name),
            )
            for label, name in self.choices()
            if name in chosen
        ]
        scored = [run for run in runs if run.evaluations]
        drawn = scored[:MOST_DRAWN]
        notes: list[str] = []
        if len(scored) > MOST_DRAWN:
            notes.append(f"{MOST_DRAWN} runs are drawn at most: the first of those chosen.")
        notes += [f"{run.label} has no evaluation yet." for run in runs if not run.evaluations]
        return {
            "sentences": sentences(drawn) or [NONE_CHOSEN if self._folders else NO_METRICS],
            "notes": notes,
            "runs": [_drawn(run) for run in drawn],
            "places": places([run.evaluations for run in drawn]),
        }


def _is_there(path: Path) -> bool:
    """Whether there is such a file, as far as may be seen."""
    with contextlib.suppress(OSError):
        return path.exists()
    return False


def _found(names: Sequence[str]) -> list[tuple[str, Path]]:
    """The models of these names that there are, with their folders."""
    found: list[tuple[str, Path]] = []
    for name in names:
        try:
            found.append((name, model_folder(name)))
        except UserError:
            continue
    return found


def _drawn(run: TrainingRun) -> Payload:
    """A run for the browser: what is drawn, and what is read."""
    return {
        "name": run.name,
        "label": run.label,
        "points": [
            {
                "step": row.step,
                "tokens": row.tokens,
                "seconds": row.seconds,
                "minutes": row.seconds / 60,
                "train": row.train,
                "val": row.val,
            }
            for row in run.evaluations
        ],
        "samples": [row.sample for row in run.evaluations],
    }


def places(runs: Sequence[Evaluations]) -> list[Payload]:
    """Where the slider of the samples can stand: a place for each evaluation of the longest run.

    Returns:
        `percent` of a run's steps, and `rows`: for each run the evaluation nearest to that share
        of its own steps so far.
    """
    if not runs:
        return []
    shares = [[row.step / (run[-1].step or 1) for row in run] for run in runs]
    longest = max(shares, key=len)
    return [
        {"percent": round(100 * share), "rows": [_nearest(of_run, share) for of_run in shares]}
        for share in longest
    ]


def _nearest(shares: Sequence[float], share: float) -> int:
    """The row, of rows that rise, that lies nearest to the share; the first of equals."""
    after = bisect_left(shares, share)
    around = range(max(0, after - 1), min(len(shares), after + 1))
    return bisect_left(shares, shares[min(around, key=lambda row: abs(shares[row] - share))])


# The sentences


def sentences(runs: Sequence[TrainingRun]) -> list[str]:
    """How the first run went and, where several are drawn, how they stand to each other."""
    if not runs:
        return []
    first = fall(runs[0])
    return [first] if len(runs) == 1 else [first, comparison(runs)]


def fall(run: TrainingRun) -> str:
    """How far a run's validation loss fell, and when."""
    rows = run.evaluations
    first, last = rows[0], rows[-1]
    if len(rows) == 1:
        return (
            f"{run.label} was scored once so far: {first.val:.2f} bits a character "
            f"at step {first.step:,.0f}."
        )
    best = min(rows, key=lambda row: row.val)
    if f"{best.val:.2f}" == f"{first.val:.2f}":
        return (
            f"{run.label} has not fallen: {first.val:.2f} bits a character at step "
            f"{first.step:,.0f}, {last.val:.2f} at step {last.step:,.0f}."
        )
    text = f"{run.label} fell from {first.val:.2f} to {best.val:.2f} bits a character"
    if f"{last.val:.2f}" != f"{best.val:.2f}":
        text += f" by step {best.step:,.0f}, then rose to {last.val:.2f}"
    half = next(row for row in rows if row.val <= (first.val + best.val) / 2)
    if half is not best:
        percent = math.ceil(100 * half.step / (last.step or 1))
        text += f"; half of that drop came in the first {percent} % of its steps"
    return f"{text}." if run.finished else f"{text} so far."


def comparison(runs: Sequence[TrainingRun]) -> str:
    """How the last values of several runs stand to each other."""
    ranked = sorted(runs, key=lambda run: run.evaluations[-1].val)
    lowest, highest = ranked[0], ranked[-1]
    low, high = lowest.evaluations[-1], highest.evaluations[-1]
    what = f"after {low.step:,.0f} steps {lowest.label} stands at {low.val:.2f}"
    other = f"after {high.step:,.0f} {highest.label} at {high.val:.2f}"
    if len(runs) > 2:
        what = f"of these {len(runs)} runs {lowest.label} stands lowest, at {low.val:.2f}"
        what += f" after {low.step:,.0f} steps"
        other = f"{highest.label} highest, at {high.val:.2f} after {high.step:,.0f}"
    text = f"{what[0].upper()}{what[1:]}, {other}"
    same = _same_text([_characters(run.evaluations) for run in runs])
    if same is None:
        return f"{text}."
    if not same:
        return f"{text}; not all were scored on the same text, so this compares the texts as well."
    percent = round(100 * (1 - low.val / high.val))
    fewer = f"{text}: {percent} % fewer bits a character in {lowest.label}."
    return fewer if percent else f"{text}: as good as the same."


def _characters(evaluations: Evaluations) -> float | None:
    """Of the validation text of the last evaluation."""
    return evaluations[-1].characters if evaluations else None


def _same_text(counts: Sequence[float | None]) -> bool | None:
    """Whether validation texts have the same length, and so may be the same; None: not known."""
    known = [count for count in counts if count]
    if len(known) < len(counts):
        return None
    return max(known) - min(known) <= SAME_TEXT * max(known)
