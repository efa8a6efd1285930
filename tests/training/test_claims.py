"""A run folder is one process's: real locks, and one real process that is killed."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lstm_lm.console import Reporter
from lstm_lm.errors import CheckpointError
from lstm_lm.training import claims
from lstm_lm.training.checkpoint import Run, checkpoint_folder, write_run
from lstm_lm.training.claims import claim_free, claim_new, claim_run
from tests.conftest import Lines, tiny_training

ROOT = Path(__file__).parents[2]
RUN = Run(train=tiny_training(), sources=[], files=[], fingerprint="f", command="train it")
HOLD = """
import sys, time
from pathlib import Path
from lstm_lm.training.claims import claim_run
from lstm_lm.console import Reporter
with claim_run(Path(sys.argv[1]), Reporter()):
    print("claimed", flush=True)
    time.sleep(600)
"""


def test_a_run_that_is_trained_is_refused_until_its_process_is_gone_however_it_went(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "live"
    write_run(folder, RUN)
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert held.stdout
        assert held.stdout.readline() == "claimed\n"
        with pytest.raises(CheckpointError) as refused:
            claim_run(folder, Reporter())
        assert str(refused.value) == (
            f"{folder} is being trained by process {held.pid}: wait for its end, or stop it with "
            "Ctrl-C, which saves it"
        )
    finally:
        held.send_signal(signal.SIGKILL)
        held.communicate()
    with claim_run(folder, Reporter()):
        pass
    assert [path.name for path in checkpoint_folder(folder).iterdir()] == ["run.json"]


def test_a_process_of_another_machine_is_named_with_it(tmp_path: Path) -> None:
    write_run(tmp_path / "run", RUN)
    with claim_run(tmp_path / "run", Reporter()):
        lock = checkpoint_folder(tmp_path / "run") / "lock"
        for signed, who in [
            ("12 far\x1b[2J", r"process 12 on far\x1b[2J: wait"),
            ("nonsense", "another process: wait"),
            ("", "another process: wait"),
        ]:
            lock.write_text(signed)
            with pytest.raises(CheckpointError) as refused:
                claim_run(tmp_path / "run", Reporter())
            assert f"is being trained by {who}" in str(refused.value)


def test_processes_that_begin_at_once_get_a_folder_each(tmp_path: Path) -> None:
    """Threads stand for them: a lock is of the open file, so they shut each other out as well."""
    together, ended = threading.Barrier(8), threading.Barrier(8)
    folders: list[str] = []

    def begin() -> None:
        together.wait()
        with claim_free(tmp_path / "runs" / "text-char", Reporter()) as claim:
            folders.append(claim.folder.name)
            write_run(claim.folder, RUN)
            ended.wait()

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(folders) == ["text-char", *(f"text-char-{number}" for number in range(2, 9))]
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == sorted(folders)


def test_of_processes_that_are_given_one_folder_one_gets_it(tmp_path: Path) -> None:
    together, ended = threading.Barrier(8), threading.Barrier(8)
    said: list[str] = []

    def begin() -> None:
        together.wait()
        try:
            with claim_new(tmp_path / "new" / "run", Reporter()):
                said.append("mine")
                ended.wait()
        except CheckpointError as error:
            # By its number, or by "another process" in the moment before that one has signed.
            said.append("trained" if "is being trained by " in str(error) else str(error))
            ended.wait()

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["mine", *["trained"] * 7]


def test_what_was_made_for_a_run_that_did_not_begin_is_removed_and_nothing_else(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "empty").mkdir()

    def give_up(folder: Path) -> None:
        with claim_new(folder, Reporter()) as claim:
            assert claim.folder.is_dir()
            raise KeyboardInterrupt

    for name in ("mine/a/b", "empty"):
        with pytest.raises(KeyboardInterrupt):
            give_up(tmp_path / name)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "mine"]
    with claim_new(tmp_path / "empty", Reporter()):
        write_run(tmp_path / "empty", RUN)
        (tmp_path / "empty" / "config.json").touch()
    assert sorted(path.name for path in (tmp_path / "empty").rglob("*")) == [
        "checkpoint", "config.json", "run.json",
    ]  # fmt: skip


def test_a_folder_is_refused_that_another_filled_while_it_was_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole run of another process, between the first look and the lock."""
    make = claims._make

    def quicker(folder: Path, *, new: bool = False) -> list[Path]:
        write_run(folder, RUN)
        return make(folder, new=new)

    monkeypatch.setattr(claims, "_make", quicker)
    with pytest.raises(CheckpointError, match="is not empty: choose another --out, or go on with"):
        claim_new(tmp_path / "run", Reporter())
    assert [path.name for path in checkpoint_folder(tmp_path / "run").iterdir()] == ["run.json"]


def test_what_a_killed_process_claimed_before_its_run_began_can_be_claimed_again(
    tmp_path: Path,
) -> None:
    lock = checkpoint_folder(tmp_path / "run") / "lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("12 here\n")
    with claim_new(tmp_path / "run", Reporter()):
        assert lock.read_text().startswith(f"{os.getpid()} ")


@pytest.mark.skipif(os.name != "posix", reason="the locks of POSIX")
def test_a_file_system_without_locks_is_told_of_and_the_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", flock)
    lines, folder = Lines(), tmp_path / "run"
    with claim_new(folder, lines):
        write_run(folder, RUN)
    assert lines.said == [
        f"no lock can be had on {folder} (No locks available): see to it that no other process "
        "trains in it"
    ]


@pytest.mark.skipif(os.name != "posix", reason="the locks of POSIX")
def test_a_lock_file_that_was_removed_before_it_was_locked_is_not_a_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process before let go between our opening of the file and our lock on it."""
    write_run(tmp_path / "run", RUN)
    lock = checkpoint_folder(tmp_path / "run") / "lock"
    opened: list[int] = []
    real = claims._open

    def open_then_lose(path: Path) -> int:
        opened.append(real(path))
        if len(opened) == 1:
            path.unlink()
        return opened[-1]

    monkeypatch.setattr(claims, "_open", open_then_lose)
    with claim_run(tmp_path / "run", Reporter()):
        assert len(opened) == 2
        assert lock.exists()
        with pytest.raises(CheckpointError, match="is being trained by process"):
            claim_run(tmp_path / "run", Reporter())


@pytest.mark.parametrize("name", ["file", "file/run"])
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"cannot write into .*: Not a directory"):
        claim_new(tmp_path / name, Reporter())
    with pytest.raises(CheckpointError, match=r"cannot write into .*: File name too long"):
        claim_free(tmp_path / ("x" * 300), Reporter())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
