import contextlib
import json
import math
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lstm_lm.config import TrainConfig
from lstm_lm.console import Bar, Reporter
from lstm_lm.errors import CheckpointError, ConfigError, TextError, UserError
from lstm_lm.language_model import LanguageModel, load_folder
from lstm_lm.store.folder import read_metrics
from lstm_lm.text.corpus import Corpus
from lstm_lm.training import checkpoint, planning, sizing
from lstm_lm.training import loop as training
from lstm_lm.training.checkpoint import Run, checkpoint_folder, read_run
from lstm_lm.training.interruption import interruptible
from lstm_lm.training.loop import Interrupted, begin, train
from lstm_lm.training.trainer import Trainer
from lstm_lm.writing.evaluation import quick_stateful_loss
from tests.conftest import Lines, MakeCorpus, tiny_training

METRICS = {"step", "tokens", "seconds", "train_loss", "val_loss", "val_bpc", "sample"}


def begin_tiny(corpus: Corpus, folder: Path, config: TrainConfig | None = None) -> Run:
    return begin(
        config or tiny_training(),
        corpus,
        folder,
        sources=["text.txt"],
        files=["/text.txt"],
        command="python train.py",
        reporter=Reporter(),
    )


def weight_bytes(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def rows(folder: Path) -> list[dict[str, object]]:
    """The metrics without the clock."""
    return [{**row, "seconds": None} for row in read_metrics(folder)]


@pytest.fixture
def crash_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the program die within the step of this number, once."""
    step = Trainer.train_step

    def arrange(number: int) -> None:
        def train_step(self: Trainer) -> Tensor:
            if self.next_step == number:
                monkeypatch.setattr(Trainer, "train_step", step)
                raise SystemError("power cut")
            return step(self)

        monkeypatch.setattr(Trainer, "train_step", train_step)

    return arrange


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(
    corpus: Corpus, tmp_path: Path, crash_at: Callable[[int], None], cell: str
) -> None:
    config = tiny_training(cell=cell)
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    last = train(begin_tiny(corpus, whole, config), corpus, whole, Reporter())
    begin_tiny(corpus, halves, config)
    for number in (5, 6, 11):
        crash_at(number)
        with pytest.raises(SystemError, match="power cut"):
            train(read_run(halves), corpus, halves, Reporter())
        assert checkpoint.load_checkpoint(halves)[0] == number
    resumed = train(read_run(halves), corpus, halves, Reporter())
    for name, weight in last.weights().items():
        assert torch.equal(resumed.weights()[name], weight)
    assert weight_bytes(halves) == weight_bytes(whole)
    assert rows(halves) == rows(whole)


def test_a_run_that_fell_back_to_an_older_checkpoint_ends_the_same(
    corpus: Corpus, tmp_path: Path, crash_at: Callable[[int], None]
) -> None:
    """The newest checkpoint is damaged, and metrics hold a row that will be written again."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(begin_tiny(corpus, whole), corpus, whole, Reporter())
    crash_at(8)
    with pytest.raises(SystemError):
        train(begin_tiny(corpus, broken), corpus, broken, Reporter())
    newest = checkpoint_folder(broken) / "step-000000008.safetensors"
    newest.write_bytes(newest.read_bytes()[:-50])
    assert [row["step"] for row in rows(broken)] == [4, 8]
    lines = Lines()
    train(read_run(broken), corpus, broken, lines)
    assert lines.said[0].startswith("the checkpoint step-000000008.safetensors is damaged")
    assert lines.said[1] == "going on after step 7 of 12"
    assert weight_bytes(broken) == weight_bytes(whole)
    assert rows(broken) == rows(whole)


def test_a_run_that_died_before_its_first_checkpoint_begins_again(
    corpus: Corpus, tmp_path: Path, crash_at: Callable[[int], None]
) -> None:
    whole, early = tmp_path / "whole", tmp_path / "early"
    train(begin_tiny(corpus, whole), corpus, whole, Reporter())
    crash_at(0)
    with pytest.raises(SystemError):
        train(begin_tiny(corpus, early), corpus, early, Reporter())
    train(read_run(early), corpus, early, Reporter())
    assert weight_bytes(early) == weight_bytes(whole)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_and_stops_after_the_step(
    corpus: Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    number: signal.Signals,
) -> None:
    # Not ignored, as SIGHUP is where nohup runs the tests.
    previous = signal.signal(number, signal.SIG_DFL)
    request.addfinalizer(lambda: signal.signal(number, previous))
    before = signal.getsignal(number)
    step = Trainer.train_step

    def train_step(self: Trainer) -> Tensor:
        if self.next_step == 6:
            signal.raise_signal(number)
        return step(self)

    monkeypatch.setattr(Trainer, "train_step", train_step)
    run = begin_tiny(corpus, tmp_path / "run", tiny_training(checkpoint_seconds=1000.0))
    with pytest.raises(Interrupted) as caught:
        train(run, corpus, tmp_path / "run", Reporter())
    assert (caught.value.step, caught.value.folder) == (7, tmp_path / "run")
    assert checkpoint.load_checkpoint(tmp_path / "run")[0] == 7
    assert signal.getsignal(number) is before


def test_a_terminal_that_goes_does_not_stop_what_nohup_began() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible() as interrupted:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupted.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_resuming_a_finished_run_changes_nothing(corpus: Corpus, tmp_path: Path) -> None:
    run = begin_tiny(corpus, tmp_path / "run")
    train(run, corpus, tmp_path / "run", Reporter())
    weights, before = weight_bytes(tmp_path / "run"), rows(tmp_path / "run")
    train(run, corpus, tmp_path / "run", Reporter())
    assert weight_bytes(tmp_path / "run") == weights
    assert rows(tmp_path / "run") == before


def test_metrics_hold_a_row_an_evaluation_with_the_promised_keys(
    corpus: Corpus, tmp_path: Path
) -> None:
    config = tiny_training()
    train(begin_tiny(corpus, tmp_path / "run", config), corpus, tmp_path / "run", Reporter())
    metrics = read_metrics(tmp_path / "run")
    assert [row["step"] for row in metrics] == [4, 8, 12]
    for row in metrics:
        assert row.keys() >= METRICS
        assert row["tokens"] == row["step"] * config.batch_size * config.sequence_length
        # By characters, a nat a token is 1 / ln 2 bits a character.
        assert row["val_bpc"] == pytest.approx(row["val_loss"] / math.log(2), abs=2e-5)
        assert len(row["sample"]) == 300
    assert [row["seconds"] for row in metrics] == sorted(row["seconds"] for row in metrics)


def test_the_model_that_is_kept_is_the_best_one(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learning rate below zero makes the last evaluation worse than those before."""
    monkeypatch.setattr(Trainer, "learning_rate", lambda self, step: 0.01 if step < 8 else -0.1)
    train(begin_tiny(corpus, tmp_path / "run"), corpus, tmp_path / "run", Reporter())
    losses = [row["val_loss"] for row in read_metrics(tmp_path / "run")]
    kept = quick_stateful_loss(load_folder(tmp_path / "run"), corpus.validation)
    assert min(losses) < losses[-1]
    assert kept == pytest.approx(min(losses), abs=1e-5)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert results["val_loss"] == pytest.approx(min(losses), abs=1e-5)


def test_a_run_folder_is_a_model_folder(corpus: Corpus, tmp_path: Path) -> None:
    last = train(begin_tiny(corpus, tmp_path / "run"), corpus, tmp_path / "run", Reporter())
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "config.json", "model.safetensors", "tokenizer.json", "README.md", "metrics.jsonl",
        "results.json", "loss.png", "checkpoint", "snapshots",
    }  # fmt: skip
    assert not last.training
    assert LanguageModel.from_pretrained(tmp_path / "run").config == last.config
    assert not list((tmp_path / "run").rglob("*.pt"))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_loss_goes_down_on_a_periodic_text(
    make_corpus: MakeCorpus, tmp_path: Path, cell: str
) -> None:
    corpus = make_corpus("abcdefghij" * 200)
    config = tiny_training(
        cell=cell, layers=1, hidden_size=24, steps=100, evaluations=5, learning_rate=0.03,
        dropout=0.0, weight_dropout=0.0, embedding_dropout=0.0, checkpoint_seconds=1000.0,
    )  # fmt: skip
    model = train(begin_tiny(corpus, tmp_path / "run", config), corpus, tmp_path / "run", Lines())
    losses = [row["val_loss"] for row in read_metrics(tmp_path / "run")]
    assert losses[0] > losses[-1]
    assert losses[-1] < 0.1 < math.log(10)
    assert model.complete("abc").startswith("defghijabcdefghij")


def test_subwords_can_be_trained_on(make_corpus: MakeCorpus, tmp_path: Path) -> None:
    text = "the early bird catches the worm, and the second mouse gets the cheese.\n" * 40
    corpus = make_corpus(text, "sentencepiece", 300)
    config = tiny_training(tokenizer="sentencepiece", vocab_size=300)
    train(begin_tiny(corpus, tmp_path / "run", config), corpus, tmp_path / "run", Reporter())
    row = read_metrics(tmp_path / "run")[-1]
    characters_per_token = corpus.validation_characters / len(corpus.validation)
    assert characters_per_token > 1.5
    nats = row["val_loss"] / characters_per_token
    assert row["val_nats_per_character"] == pytest.approx(nats, abs=2e-5)
    assert row["val_bpc"] == pytest.approx(nats / math.log(2), abs=2e-5)


def test_learning_rate_rises_then_falls_to_a_fiftieth(corpus: Corpus) -> None:
    config = tiny_training(steps=200, learning_rate=0.5)
    trainer = Trainer(config, corpus, torch.device("cpu"), torch.float32)
    rates = [trainer.learning_rate(step) for step in range(200)]
    assert rates[0] == pytest.approx(0.05, rel=1e-3)
    assert max(rates) == rates[9] == pytest.approx(0.5, rel=0.01)
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.01, rel=0.02)


def test_other_seeds_give_other_models(corpus: Corpus, tmp_path: Path) -> None:
    kept = []
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        run = begin_tiny(corpus, tmp_path / name, tiny_training(seed=seed))
        train(run, corpus, tmp_path / name, Reporter())
        kept.append(weight_bytes(tmp_path / name))
    assert kept[0] == kept[1] != kept[2]


def spoil(trainer: Trainer) -> None:
    with torch.no_grad():
        trainer.model.decoder.bias.fill_(float("nan"))


@pytest.mark.parametrize("spoilt_at", [5, 7], ids=["seen-in-the-loss", "seen-in-the-evaluation"])
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_weights(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt_at: int
) -> None:
    step = Trainer.train_step

    def train_step(self: Trainer) -> Tensor:
        loss = step(self)
        if self.next_step == spoilt_at + 1:  # after the step: its own loss was still good
            spoil(self)
        return loss

    monkeypatch.setattr(Trainer, "train_step", train_step)
    run = begin_tiny(corpus, tmp_path / "run", tiny_training(checkpoint_seconds=1000.0))
    with pytest.raises(UserError, match=r"the loss became nan before step \d+: lower --learning-r"):
        train(run, corpus, tmp_path / "run", Reporter())
    assert [row["step"] for row in read_metrics(tmp_path / "run")] == [4]
    kept = quick_stateful_loss(load_folder(tmp_path / "run"), corpus.validation)
    assert kept == pytest.approx(read_metrics(tmp_path / "run")[0]["val_loss"], abs=1e-5)
    step_number, tensors, _, _ = checkpoint.load_checkpoint(tmp_path / "run")
    assert step_number == 4
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


def test_a_first_evaluation_that_is_no_number_saves_no_model(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.train_step

    def train_step(self: Trainer) -> Tensor:
        loss = step(self)
        if self.next_step == 4:
            spoil(self)
        return loss

    monkeypatch.setattr(Trainer, "train_step", train_step)
    run = begin_tiny(corpus, tmp_path / "run", tiny_training(checkpoint_seconds=1000.0))
    with pytest.raises(UserError, match="nothing was saved yet"):
        train(run, corpus, tmp_path / "run", Reporter())
    assert not (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("spoilt_at", "left"),
    [
        (2, "the last checkpoint is of step 2 in {folder}/checkpoint"),
        (7, "the best weights so far are in {folder}"),
    ],
    ids=["before-an-evaluation", "after-an-evaluation"],
)
def test_a_loss_that_is_no_number_says_what_was_saved(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt_at: int, left: str
) -> None:
    step = Trainer.train_step

    def train_step(self: Trainer) -> Tensor:
        if self.next_step == spoilt_at:
            spoil(self)
        return step(self)

    monkeypatch.setattr(Trainer, "train_step", train_step)
    folder = tmp_path / "run"
    run = begin_tiny(corpus, folder, tiny_training(checkpoint_seconds=0.0))
    with pytest.raises(UserError, match=re.escape(left.format(folder=folder)) + r"\Z"):
        train(run, corpus, folder, Reporter())
    assert (folder / "model.safetensors").exists() == ("best weights" in left)


def test_what_was_planned_is_said_and_written_down(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = planning.Speed(step_seconds=0.01, evaluation_seconds=0.1)
    monkeypatch.setattr(planning, "measure", lambda *_: speed)
    lines = Lines()
    begin(
        tiny_training(steps=None, minutes=0.5, evaluations=None), corpus, tmp_path / "run",
        sources=[], files=[], command="", reporter=lines, given=["layers"],
    )  # fmt: skip
    written = json.loads((tmp_path / "run" / "checkpoint" / "run.json").read_text())["train"]
    assert (written["steps"], written["evaluations"], written["minutes"]) == (2850, 12, None)
    assert written["hidden_size"] in sizing.SIZES
    assert lines.said[0].startswith(f"why this size: 2 layers of {written['hidden_size']} units (")
    assert lines.said[1:] == [
        "0.5 minutes are 2,850 steps and 12 evaluations at the speed measured here"
    ]


def test_a_folder_that_holds_something_is_not_written_into(corpus: Corpus, tmp_path: Path) -> None:
    begin_tiny(corpus, tmp_path / "run")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat").touch()
    for name in ("run", "photos"):
        with pytest.raises(CheckpointError, match="is not empty: choose another --out, or go on"):
            begin_tiny(corpus, tmp_path / name)
    with pytest.raises(CheckpointError, match=r"cannot write into .*: Not a directory"):
        begin_tiny(corpus, tmp_path / "photos" / "cat")
    (tmp_path / "empty").mkdir()
    begin_tiny(corpus, tmp_path / "empty")


def test_settings_that_cannot_work_leave_no_run_behind(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(TextError, match="lower --batch-size or --sequence-length"):
        begin_tiny(corpus, tmp_path / "run", tiny_training(batch_size=5000))
    with pytest.raises(ConfigError, match="at most 500,000,000 are supported"):
        begin_tiny(corpus, tmp_path / "run", tiny_training(hidden_size=16_384, layers=16))
    assert not (tmp_path / "run").exists()


def test_another_text_cannot_take_a_run_on(
    corpus: Corpus, make_corpus: MakeCorpus, tmp_path: Path
) -> None:
    run = begin_tiny(corpus, tmp_path / "run")
    with pytest.raises(CheckpointError, match="the text is not the one that this run began with"):
        train(run, make_corpus("another text\n" * 50), tmp_path / "run", Reporter())


def test_a_checkpoint_of_another_model_is_refused(corpus: Corpus) -> None:
    trainers = [
        Trainer(tiny_training(hidden_size=size), corpus, torch.device("cpu"), torch.float32)
        for size in (8, 9)
    ]
    for one in trainers:
        one.train_step()
    with pytest.raises(CheckpointError, match="the checkpoint is of another model"):
        trainers[0].restore(1, trainers[1].tensors())


def test_a_disk_that_fills_up_at_an_evaluation_is_the_persons_to_mend(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    run = begin_tiny(corpus, tmp_path / "run")
    monkeypatch.setattr(training, "save", save)
    with pytest.raises(CheckpointError, match=r"cannot write into .*: No space left.*--resume"):
        train(run, corpus, tmp_path / "run", Reporter())
    monkeypatch.undo()
    train(run, corpus, tmp_path / "run", Reporter())
    assert [row["step"] for row in read_metrics(tmp_path / "run")] == [4, 8, 12]


class Failing(Reporter):
    """Breaks whatever it is told, and notes which checkpoint was there by then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved: list[int | None] = []

    def line(self, text: str = "") -> None:
        if text.startswith("step "):
            self.saved.append(checkpoint.newest_step(self.folder))
        raise UnicodeEncodeError("charmap", text, 0, 1, "character maps to <undefined>")

    @contextlib.contextmanager
    def bar(self, description: str, total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
        yield FailingBar()
        raise BrokenPipeError(32, "Broken pipe")


class FailingBar(Bar):
    def update(self, amount: int) -> None:
        raise OSError(5, "Input/output error")

    def note(self, **figures: str) -> None:
        raise RuntimeError("the notebook's widget is gone")


def test_no_reporter_can_end_a_run_and_each_checkpoint_is_saved_before_it_is_told(
    corpus: Corpus, tmp_path: Path
) -> None:
    quiet, folder = tmp_path / "quiet", tmp_path / "run"
    train(begin_tiny(corpus, quiet), corpus, quiet, Reporter())
    config, reporter = tiny_training(checkpoint_seconds=1000.0), Failing(folder)
    train(begin_tiny(corpus, folder, config), corpus, folder, reporter)
    assert reporter.saved == [4, 8, 12]
    assert weight_bytes(folder) == weight_bytes(quiet)
    assert (folder / "results.json").exists()


def test_a_reporter_that_fails_hides_no_error_of_the_training(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trainer, "train_step", lambda self: torch.tensor(float("nan")))
    run = begin_tiny(corpus, tmp_path / "run")
    with pytest.raises(UserError, match="the loss became nan"):
        train(run, corpus, tmp_path / "run", Failing(tmp_path / "run"))


@pytest.mark.parametrize(
    ("drawing", "missing", "reason"),
    [
        ("write_loss_curve", "no picture of the losses in", "ImportError: numpy.core failed"),
        ("write_card", "no card in", "ImportError: numpy.core failed"),
    ],
)
def test_a_picture_or_a_card_that_fails_costs_the_run_no_more_than_itself(
    corpus: Corpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    drawing: str,
    missing: str,
    reason: str,
) -> None:
    def fail(*arguments: object) -> None:
        raise ImportError("numpy.core failed\nto import")

    monkeypatch.setattr(training, drawing, fail)
    lines, folder = Lines(), tmp_path / "run"
    train(begin_tiny(corpus, folder), corpus, folder, lines)
    assert f"{missing} {folder}: {reason}" in lines.said
    assert (folder / "results.json").exists()
    assert (folder / "loss.png").exists() == (drawing != "write_loss_curve")
    assert (folder / "README.md").exists() == (drawing != "write_card")
    assert checkpoint.newest_step(folder) == 12
