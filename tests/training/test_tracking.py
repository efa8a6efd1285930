import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import train
from lstm_lm.store.folder import read_metrics
from lstm_lm.training.tracking import open_tracker
from tests.conftest import PROVERBS, Lines

ROOT = Path(__file__).parents[2]
READ_BACK = """
import json, sys
from trackio.sqlite_storage import SQLiteStorage
print(json.dumps(SQLiteStorage.get_logs("lstm-lm", sys.argv[1])))
"""


def test_trackio_gets_every_row_of_the_metrics(tmp_path: Path) -> None:
    import json

    text, folder = tmp_path / "text.txt", tmp_path / "proverbs"
    text.write_text(PROVERBS * 20)
    environment = os.environ | {
        "TRACKIO_DIR": str(tmp_path / "tracked"),
        "LSTM_LM_CACHE": str(tmp_path / "cache"),
        "HF_HUB_OFFLINE": "1",
    }
    options = ["--hidden-size", "8", "--steps", "6", "--evaluations", "3", "--track", "trackio"]
    subprocess.run(
        [sys.executable, "train.py", "--text", text, "--out", folder, *options],
        cwd=ROOT, env=environment, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    read_back = subprocess.run(
        [sys.executable, "-c", READ_BACK, "proverbs"],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    kept = json.loads(read_back.stdout.splitlines()[-1])
    rows = read_metrics(folder)
    assert [row["step"] for row in rows] == [2, 4, 6]
    for row, log in zip(rows, kept, strict=True):
        assert {name: log[name] for name in row} == row


def test_a_tracker_that_is_not_installed_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert train.main(["--track", "trackio"]) == 2
    assert capsys.readouterr().err == (
        "train.py: --track trackio needs the package trackio, which is not installed: "
        "python -m pip install trackio, or leave --track out\n"
    )


class Failing:
    """Stands for trackio, and fails at one of its calls."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.calls: list[str] = []

    def call(self, name: str) -> None:
        self.calls.append(name)
        if name == self.at:
            raise RuntimeError(f"database is locked at {name}\nTry again")

    def init(self, **settings: object) -> "Failing":
        self.call("init")
        return self

    def log(self, row: object, step: int) -> None:
        self.call("log")

    def finish(self) -> None:
        self.call("finish")


@pytest.mark.parametrize(
    ("at", "calls"),
    [
        ("init", ["init"]),
        ("log", ["init", "log", "finish"]),  # no row more, but what it has is kept
        ("finish", ["init", "log", "log", "finish"]),
    ],
)
def test_a_tracker_that_fails_is_told_once_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, calls: list[str]
) -> None:
    trackio, lines = Failing(at), Lines()
    monkeypatch.setitem(sys.modules, "trackio", trackio)
    tracker = open_tracker("trackio", tmp_path, {}, lines)
    for step in (1, 2):
        tracker.log({"step": step})
    tracker.close()
    assert trackio.calls == calls
    assert lines.said == [
        "the metrics no longer go to trackio, metrics.jsonl has them: "
        f"RuntimeError: database is locked at {at}"
    ]
