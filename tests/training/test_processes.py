"""Several processes follow the run that one alone would make: real processes, over gloo."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lstm_lm.errors import ConfigError
from lstm_lm.training.processes import Place, Processes, join

ROOT = Path(__file__).parents[2]
TEXT = "the early bird catches the worm, and the second mouse gets the cheese.\n" * 60
OPTIONS = (
    "--hidden-size", "16", "--embedding-size", "8", "--batch-size", "8", "--sequence-length", "16",
    "--dropout", "0", "--weight-dropout", "0", "--evaluations", "3", "--device", "cpu",
)  # fmt: skip


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def run_together(count: int, folder: Path, *arguments: str) -> str:
    """What torchrun starts: `count` processes that find each other by their environment.

    Its own agent is left out: it resolves this machine's name, which a machine without a network
    may not have.
    """
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(count)}
    common = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    running = [
        subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *arguments],
            env={**os.environ, **place, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for rank in range(count)
    ]
    outputs = [process.communicate(timeout=120) for process in running]
    assert not any(process.returncode for process in running), outputs
    for out, _ in outputs[1:]:
        assert not out  # one process speaks
    return outputs[0][0]


def losses(run: Path) -> list[tuple[int, float, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [(row["step"], row["train_loss"], row["val_loss"]) for row in rows]


def test_two_processes_follow_the_loss_curve_of_one_and_one_goes_on(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    options = ("--text", "text.txt", "--steps", "24", *OPTIONS)
    run_together(1, tmp_path, *options, "--out", "one")
    run_together(2, tmp_path, *options, "--out", "two")
    assert [row[0] for row in losses(tmp_path / "two")] == [8, 16, 24]  # each written once
    for alone, together in zip(losses(tmp_path / "one"), losses(tmp_path / "two"), strict=True):
        assert together == pytest.approx(alone, abs=2e-5)
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for name, weight in one.items():
        assert (weight - two[name]).abs().max() < 1e-4, name

    # What two processes saved, one goes on with, and says so.
    sorted((tmp_path / "two" / "checkpoint").glob("step-*"))[-1].unlink()
    said = run_together(1, tmp_path, "--resume", "two")
    assert "the run was on 2 processes and goes on with 1" in said
    for alone, together in zip(losses(tmp_path / "one"), losses(tmp_path / "two"), strict=True):
        assert together == pytest.approx(alone, abs=2e-5)


def test_the_shares_are_the_whole_batch() -> None:
    shares = [Processes(rank=rank, count=4).share(12) for rank in range(4)]
    streams = [stream for share in shares for stream in range(12)[share]]
    assert streams == list(range(12))


def test_a_batch_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ConfigError, match="batch_size is 9: give a multiple of the 2 processes"):
        Processes(count=2).share(9)


TORCHRUN = {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}


def test_a_process_is_alone_unless_it_is_told_of_others() -> None:
    for environment in ({}, {"WORLD_SIZE": ""}, {"WORLD_SIZE": "1", "RANK": "x"}, {"RANK": "3"}):
        assert Place.of(environment) is None
    assert Place.of(TORCHRUN) == Place(count=2, rank=1, local_rank=0, host="127.0.0.1", port=29500)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"WORLD_SIZE": "two"}, "^WORLD_SIZE is 'two': a whole number from 1 to 10000 belongs th"),
        ({"WORLD_SIZE": "0"}, "^WORLD_SIZE is '0'"),
        ({"WORLD_SIZE": "9" * 5000}, "^WORLD_SIZE is '9999"),
        ({"RANK": "2"}, "^RANK is '2': a whole number from 0 to 1 belongs there; start it with to"),
        ({"RANK": "-1"}, "^RANK is '-1'"),
        ({"LOCAL_RANK": "x"}, "^LOCAL_RANK is 'x'"),
        ({"MASTER_PORT": "70000"}, "^MASTER_PORT is '70000': a whole number from 1 to 65535"),
        ({"MASTER_ADDR": " "}, "^MASTER_ADDR is not set: the first process's machine belongs the"),
        (
            {"RANK": "", "MASTER_PORT": ""},
            "^RANK is not set: .*; MASTER_PORT is not set: .*; start it with torchrun, or unset WO",
        ),
    ],
)
def test_what_makes_no_sense_of_torchruns_variables_is_named(
    changes: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Place.of(TORCHRUN | changes)


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_process_without_the_others_waits_a_while_and_says_so(
    rank: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("lstm_lm.training.processes.PATIENCE", 0.5)
    monkeypatch.setattr("lstm_lm.training.processes.SILENCE", 0.05)
    for name, value in (TORCHRUN | {"RANK": rank, "MASTER_PORT": str(free_port())}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        ConfigError,
        match=r"^WORLD_SIZE is 2, but the processes did not meet at "
        r"127\.0\.0\.1:\d+ within 0\.5 seconds \(.*\); start it with torchrun, or",
    ):
        join("cpu")  # fmt: skip
    assert "waiting for the other processes at 127.0.0.1:" in caplog.text
