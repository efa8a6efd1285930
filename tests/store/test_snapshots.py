"""The early models that a run keeps: which, that they load, and that they are the run's own."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from lstm_lm.console import Reporter
from lstm_lm.errors import CheckpointError
from lstm_lm.hub.names import is_local
from lstm_lm.language_model import LanguageModel, load
from lstm_lm.store.folder import BUNDLED
from lstm_lm.store.snapshots import snapshot_folder, snapshot_step, snapshot_steps, snapshots
from lstm_lm.text.corpus import Corpus
from lstm_lm.training.checkpoint import read_run
from lstm_lm.training.loop import begin, train
from lstm_lm.training.trainer import Trainer
from tests.conftest import tiny_training


@pytest.mark.parametrize("steps", [1, 3, 4, 12, 255, 256, 1000, 13_000, 10**9])
def test_a_run_keeps_at_most_four_and_never_its_last(steps: int) -> None:
    kept = snapshot_steps(steps)
    assert len(kept) <= 4
    assert all(0 < step < steps for step in kept)


def begun(corpus: Corpus, folder: Path) -> None:
    begin(
        tiny_training(steps=64, evaluations=2, checkpoint_seconds=1000.0),
        corpus, folder, sources=["a"], files=["/a"], command="python train.py", reporter=Reporter(),
    )  # fmt: skip


def weights_after(corpus: Corpus, folder: Path, step: int) -> dict[str, Tensor]:
    """The weights that the run has after so many steps, without the loop."""
    trainer = Trainer(read_run(folder).train, corpus, torch.device("cpu"), torch.float32)
    for _ in range(step):
        trainer.train_step()
    return trainer.model.weights()


def test_a_snapshot_is_the_model_of_its_step_and_loads_like_any(
    corpus: Corpus, tmp_path: Path
) -> None:
    begun(corpus, tmp_path / "run")
    train(read_run(tmp_path / "run"), corpus, tmp_path / "run", Reporter())
    assert [snapshot_step(folder) for folder in snapshots(tmp_path / "run")] == [1, 4, 16]
    for folder in snapshots(tmp_path / "run"):
        assert {path.name for path in folder.iterdir()} == {
            "config.json", "model.safetensors", "tokenizer.json",
        }  # fmt: skip
        kept = LanguageModel.from_pretrained(folder).weights()
        expected = weights_after(corpus, tmp_path / "run", snapshot_step(folder) or 0)
        assert all(torch.equal(kept[name], weight) for name, weight in expected.items())


def test_a_resumed_run_keeps_the_snapshots_of_the_uninterrupted_one(
    corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies after its snapshot of step 4, before any checkpoint, and again after 16."""
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    for folder in (whole, halves):
        begun(corpus, folder)
    train(read_run(whole), corpus, whole, Reporter())
    step = Trainer.train_step
    for number in (6, 17):

        def die(self: Trainer, number: int = number) -> Tensor:
            if self.next_step == number:
                raise SystemError("power cut")
            return step(self)

        monkeypatch.setattr(Trainer, "train_step", die)
        with pytest.raises(SystemError, match="power cut"):
            train(read_run(halves), corpus, halves, Reporter())
    monkeypatch.setattr(Trainer, "train_step", step)
    train(read_run(halves), corpus, halves, Reporter())
    assert [folder.name for folder in snapshots(halves)] == [
        folder.name for folder in snapshots(whole)
    ]
    for one, other in zip(snapshots(whole), snapshots(halves), strict=True):
        for path in one.iterdir():
            assert path.read_bytes() == (other / path.name).read_bytes()


def test_a_snapshot_that_cannot_be_written_is_said_in_one_line(
    corpus: Corpus, tmp_path: Path
) -> None:
    begun(corpus, tmp_path / "run")
    (tmp_path / "run" / "snapshots").write_text("a file in the way")
    with pytest.raises(CheckpointError, match=r"cannot write into .*run: .*go on with --resume"):
        train(read_run(tmp_path / "run"), corpus, tmp_path / "run", Reporter())


def test_only_whole_snapshots_are_listed_oldest_first(tmp_path: Path) -> None:
    assert snapshots(tmp_path) == []
    for step in (1_000_000, 50, 812):
        snapshot_folder(tmp_path, step).mkdir(parents=True)
        (snapshot_folder(tmp_path, step) / "config.json").touch()
        (snapshot_folder(tmp_path, step) / "model.safetensors").touch()
    for name in ("step-x", "mine", "step-000007"):  # foreign, foreign, killed while it was written
        (tmp_path / "snapshots" / name).mkdir()
        (tmp_path / "snapshots" / name / "config.json").touch()
    assert [snapshot_step(folder) for folder in snapshots(tmp_path)] == [50, 812, 1_000_000]


def test_the_bundled_snapshots_load_by_name_are_small_and_learn() -> None:
    folders = snapshots(BUNDLED / "shakespeare-char")
    assert [snapshot_step(folder) for folder in folders] == [50, 812]
    late = load("shakespeare-char")
    scores = []
    for folder in folders:
        assert sum(path.stat().st_size for path in folder.iterdir()) < 5 * 10**6
        early = load(f"shakespeare-char/snapshots/{folder.name}")
        assert early.config == late.config
        scores.append(early.score("ROMEO:\nI will not go to her.\n"))
    assert scores == sorted(scores)
    assert scores[-1] < late.score("ROMEO:\nI will not go to her.\n")


@pytest.mark.parametrize(
    "name",
    [
        "shakespeare-char/snapshots/step-000999",
        "shakespeare-char/snapshots/../../../x/snapshots/step-000050",
        "shakespeare-char/snapshots/step-000050/../../../shakespeare-rnn/snapshots/step-000050",
        "shakespeare-char/config.json",
        "nobody/snapshots/step-000050",
    ],
)
def test_no_other_path_below_the_bundled_models_is_a_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_local(name)
