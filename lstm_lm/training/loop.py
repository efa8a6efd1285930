"""The training loop: steps, evaluations, checkpoints, and what is written and said of them.

Truncated backpropagation over contiguous streams with carried state (`trainer.py`). Knows nothing
of the command line or of pages; it reports to a `Reporter`.
"""

import contextlib
import json
import math
import platform
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lstm_lm.config import TrainConfig, to_json
from lstm_lm.console import Bar, Reporter, optional, unfailing
from lstm_lm.errors import CheckpointError, UserError
from lstm_lm.language_model import LanguageModel, load_folder
from lstm_lm.store.card import public_command, write_card
from lstm_lm.store.folder import METRICS_FILE, RESULTS_FILE, WEIGHT_FILE, read_metrics
from lstm_lm.store.loading import save
from lstm_lm.store.loss_curve import write_loss_curve
from lstm_lm.store.snapshots import snapshot_folder, snapshot_steps
from lstm_lm.surroundings.files import write_atomically
from lstm_lm.text.corpus import Corpus, Streams
from lstm_lm.training import checkpoint
from lstm_lm.training.checkpoint import Run
from lstm_lm.training.device import choose_device, choose_precision
from lstm_lm.training.interruption import interruptible
from lstm_lm.training.planning import settle
from lstm_lm.training.processes import Processes
from lstm_lm.training.scoring import conclusion, evaluation_row, told
from lstm_lm.training.sizing import RULED, spelled_out
from lstm_lm.training.tracking import Tracker, open_tracker
from lstm_lm.training.trainer import MOST_EVALUATIONS, Trainer
from lstm_lm.visible_text import shell_path

REPORT_STEPS = 10  # losses are read from the device, and checked, this often


class Interrupted(Exception):  # noqa: N818 - not an error: the person asked for it
    """The run stopped at the person's wish, everything saved."""

    def __init__(self, step: int, folder: Path) -> None:
        super().__init__(f"step {step}")
        self.step = step
        self.folder = folder


def begin(
    config: TrainConfig,
    corpus: Corpus,
    folder: Path,
    *,
    sources: list[str],
    files: list[str],
    command: str,
    reporter: Reporter,
    given: Collection[str] = RULED,
    processes: Processes | None = None,
) -> Run:
    """Decide sizes and the number of steps, and write the run down; `train` then does it.

    Args:
        config: the settings.
        corpus: the text.
        folder: the run folder, empty or not there yet.
        sources: what the person gave as text.
        files: the files that were read.
        command: what the person typed.
        reporter: told what was decided, and why.
        given: names of the settings that the person chose; the others in `sizing.RULED` follow
            from the text and the time.
        processes: those that share the run.

    Raises:
        CheckpointError: the folder holds another run, or cannot be written.
        TextError: the text is too short for the settings.
        DeviceError: the device is not there.
    """
    checkpoint.refuse_folder_in_use(folder)
    device = choose_device(config.device)
    dtype, _ = choose_precision(config.precision, device)
    settled, lines = settle(config, given, corpus, device, dtype)
    (processes or Processes()).share(settled.batch_size)  # refuses what cannot be shared
    Streams(corpus.training, settled.batch_size, settled.sequence_length, settled.seed)
    for line in lines:
        reporter.line(line)
    run = Run(
        train=settled,
        sources=sources,
        files=files,
        fingerprint=corpus.fingerprint,
        command=spelled_out(command, settled, given),
    )
    checkpoint.write_run(folder, run)
    return run


def train(
    run: Run,
    corpus: Corpus,
    folder: Path,
    reporter: Reporter,
    processes: Processes | None = None,
    track: str | None = None,
) -> LanguageModel:
    """Train, or go on training, until the run's last step; the best model stays in the folder.

    Args:
        run: from `begin` or `checkpoint.read_run`.
        corpus: the run's text.
        folder: the run folder.
        reporter: told of progress.
        processes: those that share the run; all call this, and the first one writes.
        track: a tracker that gets the rows of the metrics too, one of `tracking.TRACKERS`.

    Returns:
        The model of the last step, in evaluation mode.

    Raises:
        Interrupted: Ctrl-C or SIGTERM; a checkpoint was saved.
        CheckpointError: a checkpoint cannot be read or written.
        UserError: the loss is no longer a number.
    """
    if run.fingerprint != corpus.fingerprint:
        raise CheckpointError(
            "the text is not the one that this run began with: bring it back, or start a new run"
        )
    reporter = unfailing(reporter)
    device = choose_device(run.train.device)
    dtype, warning = choose_precision(run.train.precision, device)
    if warning:
        reporter.line(warning)
    trainer = Trainer(run.train, corpus, device, dtype, processes)
    tracker = open_tracker(
        track if trainer.processes.first else None, folder, to_json(run.train), reporter
    )
    loop = _Loop(run, corpus, folder, trainer, reporter, tracker)
    try:
        if checkpoint.has_checkpoint(folder):
            loop.resume()
        with interruptible() as interrupted:
            loop.run(interrupted)
    finally:
        tracker.close()
    if trainer.processes.first:
        loop.conclude()
    return trainer.model.eval()


class _Loop:
    """The bookkeeping around `Trainer.train_step`: evaluations, checkpoints, metrics, the bar."""

    def __init__(
        self,
        run: Run,
        corpus: Corpus,
        folder: Path,
        trainer: Trainer,
        reporter: Reporter,
        tracker: Tracker,
    ) -> None:
        self.config = run.train
        self.command = run.command
        self.corpus = corpus
        self.folder = folder
        self.trainer = trainer
        self.reporter = reporter
        self.tracker = tracker
        assert self.config.steps is not None
        self.steps = self.config.steps
        evaluations = min(self.config.evaluations or MOST_EVALUATIONS, self.steps)
        self.evaluate_at = {
            round((number + 1) * self.steps / evaluations) for number in range(evaluations)
        }
        self.snapshot_at = snapshot_steps(self.steps)
        self.pending: list[Tensor] = []  # losses that are still on the device
        # From here on: what a checkpoint's info holds.
        self.loss_sum = 0.0  # since the last evaluation
        self.loss_count = 0
        self.seconds = 0.0
        self.best: float | None = None
        # And what the last evaluation found.
        self.is_best = False

    def info(self) -> dict[str, Any]:
        """What a checkpoint holds besides tensors."""
        return {
            "loss_sum": self.loss_sum,
            "loss_count": self.loss_count,
            "seconds": self.seconds,
            "best": self.best,
            "processes": self.trainer.processes.count,
        }

    def resume(self) -> None:
        """Go back to the newest whole checkpoint."""
        step, tensors, info, warnings = checkpoint.load_checkpoint(self.folder)
        for warning in warnings:
            self.reporter.line(warning)
        self.trainer.restore(step, tensors)
        self.loss_sum, self.loss_count = info["loss_sum"], info["loss_count"]
        self.seconds, self.best = info["seconds"], info["best"]
        before, now = info.get("processes", 1), self.trainer.processes.count
        if before != now:
            self.reporter.line(
                f"the run was on {before} processes and goes on with {now}: the batches and the "
                "schedule stay, dropout draws other numbers"
            )
        if self.trainer.processes.first:
            # Rows of evaluations after the checkpoint will be written again.
            rows = [row for row in read_metrics(self.folder) if row["step"] <= step]
            self._write_metrics(rows)
        self.reporter.line(f"going on after step {step:,} of {self.steps:,}")

    def run(self, interrupted: threading.Event) -> None:
        """All steps that are left."""
        trainer, processes = self.trainer, self.trainer.processes
        trainer.model.train()
        clock = last_save = time.perf_counter()
        with self.reporter.bar(
            "training",
            self.steps * trainer.tokens_a_step,
            "tok",
            done=trainer.next_step * trainer.tokens_a_step,
        ) as bar:
            while trainer.next_step < self.steps:
                self.pending.append(trainer.train_step())
                bar.update(trainer.tokens_a_step)
                step = trainer.next_step
                if step in self.snapshot_at:
                    self._keep_snapshot(step, bar)
                evaluate = step in self.evaluate_at
                stop = due = False
                if processes.count == 1 or evaluate or step % REPORT_STEPS == 0:
                    # Clocks and signals differ between processes: what they do must not.
                    waited = time.perf_counter() - last_save
                    wishes = [interrupted.is_set(), waited >= self.config.checkpoint_seconds]
                    stop, due = processes.any(wishes, trainer.device)
                save_now = evaluate or stop or due
                if save_now or step % REPORT_STEPS == 0:
                    self._collect_losses(bar)
                if not save_now:
                    continue
                now = time.perf_counter()
                self.seconds, clock = self.seconds + now - clock, now
                row = self._evaluate(step) if evaluate and processes.first else None
                tensors = trainer.tensors()
                if processes.first:
                    checkpoint.save_checkpoint(self.folder, step, tensors, self.info())
                if row:  # only what is saved is told
                    self._tell(row)
                last_save = time.perf_counter()
                if stop and step < self.steps:
                    raise Interrupted(step, self.folder)

    def _keep_snapshot(self, step: int, bar: Bar) -> None:
        """Keep the model as it is now, to be compared with the later one."""
        self._collect_losses(bar)
        # A loss is from before its step: the step itself may have spoilt the weights.
        weights = self.trainer.model.weights().values()
        self._check_finite([float(torch.stack([each.abs().sum() for each in weights]).sum())])
        if self.trainer.processes.first:
            with self._writing():
                save(self.trainer.model, snapshot_folder(self.folder, step))

    def _collect_losses(self, bar: Bar) -> None:
        """Read the losses since the last time, and stop if one is no number."""
        if not self.pending:
            return
        losses = self.trainer.processes.mean(torch.stack(self.pending)).tolist()
        self.pending.clear()
        self._check_finite(losses)
        self.loss_sum += sum(losses)
        self.loss_count += len(losses)
        bar.note(loss=f"{losses[-1]:.3f}")

    def _check_finite(self, losses: list[float]) -> None:
        """Raise UserError if a loss is no number."""
        lost = [loss for loss in losses if not math.isfinite(loss)]
        if lost:
            raise UserError(
                f"the loss became {lost[0]} before step {self.trainer.next_step}: lower "
                f"--learning-rate (it is {self.config.learning_rate:g}) or --clip; "
                f"{self._what_is_saved()}"
            )

    def _what_is_saved(self) -> str:
        if (self.folder / WEIGHT_FILE).exists():  # written after an evaluation that was a number
            return f"the best weights so far are in {self.folder}"
        step = checkpoint.newest_step(self.folder)
        if step is None:
            return "nothing was saved yet"
        place = checkpoint.checkpoint_folder(self.folder)
        return f"the last checkpoint is of step {step:,} in {place}"

    def _evaluate(self, step: int) -> dict[str, Any]:
        """Score the model, keep it if it is the best so far, and write down how it does.

        Returns:
            The row of the metrics.
        """
        model = self.trainer.model
        model.eval()
        loss, row = evaluation_row(
            model,
            self.corpus,
            step=step,
            tokens=step * self.trainer.tokens_a_step,
            seconds=self.seconds,
            train_loss=self.loss_sum / max(1, self.loss_count),
            learning_rate=self.trainer.learning_rate(step - 1),
        )
        self._check_finite([loss])  # the last step may have spoilt the weights
        self.loss_sum, self.loss_count = 0.0, 0
        self.is_best = self.best is None or loss < self.best
        with self._writing():
            if self.is_best:
                self.best = loss
                save(model, self.folder)
            self._write_metrics([*read_metrics(self.folder), row])
        model.train()
        return row

    def _tell(self, row: dict[str, Any]) -> None:
        """Say how the model does, wherever that is said; nothing of it may cost the run."""
        self._write_card(self.command)
        self.tracker.log(row)
        for line in told(row, characters=self.config.tokenizer == "char", is_best=self.is_best):
            self.reporter.line(line)

    def _write_card(self, command: str = "") -> None:
        with optional(self.reporter, f"no card in {self.folder}"):
            write_card(self.folder, command)

    def conclude(self) -> None:
        """Score the model that was kept, in both protocols, and write the result down."""
        kept = load_folder(self.folder)
        results, lines = conclusion(
            kept,
            self.corpus,
            read_metrics(self.folder),
            steps=self.steps,
            tokens_a_step=self.trainer.tokens_a_step,
            about={
                "seconds": round(self.seconds, 1),
                "command": public_command(self.command),
                "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, "
                f"torch {torch.__version__}, {self.trainer.device.type}",
            },
        )
        with self._writing():
            write_atomically(
                self.folder / RESULTS_FILE,
                lambda path: path.write_text(json.dumps(results, indent=2) + "\n"),
            )
        with optional(self.reporter, f"no picture of the losses in {self.folder}"):
            write_loss_curve(self.folder, read_metrics(self.folder))
        self._write_card()
        for line in lines:
            self.reporter.line(line)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Within the block a file that cannot be written is the person's to mend."""
        try:
            yield
        except OSError as error:
            raise CheckpointError(
                f"cannot write into {self.folder}: {error.strerror or error}; free some space "
                f"and go on with --resume {shell_path(self.folder)}"
            ) from None

    def _write_metrics(self, rows: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_atomically(
            self.folder / METRICS_FILE, lambda path: path.write_text(text, encoding="utf-8")
        )
