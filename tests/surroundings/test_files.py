"""Files are written whole, where their owner wants them, with the mode that the owner expects."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from lstm_lm.errors import UserError
from lstm_lm.language_model import LanguageModel
from lstm_lm.store.folder import write_tensors
from lstm_lm.store.loading import save
from lstm_lm.surroundings.files import remove_partial_files, write_atomically
from lstm_lm.text.corpus import cache_folder
from lstm_lm.traces.trace import GateTrace

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes of POSIX")


def test_files_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("good")

    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text() == "good"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match=r"No such file"):
        write_tensors(tmp_path / "no" / "file", {"x": torch.zeros(2)}, {})


def test_what_a_kill_left_behind_is_removed_and_nothing_else(tmp_path: Path) -> None:
    def killed(partial: Path) -> None:
        partial.write_text("half")
        os.link(partial, tmp_path / partial.name.replace(str(os.getpid()), "99"))

    write_atomically(tmp_path / "model.safetensors", killed)
    (tmp_path / ".writing-ab_12xyz").mkdir()
    (tmp_path / ".writing-ab_12xyz" / "tokenizer.json").touch()
    others = ["model.safetensors", ".gitignore", "notes.partial-7", ".a.partial-b", "writing-1"]
    for name in others:
        (tmp_path / name).touch()
    assert len(list(tmp_path.iterdir())) == len(others) + 2
    remove_partial_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


@pytest.fixture
def masked() -> Iterator[Callable[[int], None]]:
    """Sets this process's umask, and puts back what it was."""
    before = os.umask(0o022)
    os.umask(before)
    yield lambda mask: (os.umask(mask), None)[1]
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


@posix
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_every_file_of_a_model_has_the_mode_of_the_umask(
    model: LanguageModel, tmp_path: Path, masked: Callable[[int], None], mask: int, mode: int
) -> None:
    """Also the weights, which safetensors 0.8 writes for their owner alone."""
    masked(mask)
    save(model, tmp_path / "model")
    names = ("config.json", "model.safetensors", "tokenizer.json")
    assert modes(tmp_path / "model") == dict.fromkeys(names, mode)


@posix
def test_a_file_that_was_there_keeps_its_mode(
    model: LanguageModel, tmp_path: Path, masked: Callable[[int], None]
) -> None:
    masked(0o022)
    save(model, tmp_path)
    for path in tmp_path.iterdir():
        path.chmod(0o640)
    save(model, tmp_path)
    assert set(modes(tmp_path).values()) == {0o640}


@posix
def test_a_link_is_followed_and_stays_one(model: LanguageModel, tmp_path: Path) -> None:
    """Over two links, one of them relative; and one whose target is yet to come."""
    disk, run = tmp_path / "disk", tmp_path / "run"
    disk.mkdir()
    run.mkdir()
    (disk / "weights").write_text("old")
    (disk / "second").symlink_to("weights")
    (run / "model.safetensors").symlink_to(disk / "second")
    (run / "tokenizer.json").symlink_to(disk / "to-come")
    save(model, run)
    assert (run / "model.safetensors").is_symlink()
    assert (disk / "second").is_symlink()
    assert (disk / "weights").read_bytes() != b"old"
    assert (disk / "to-come").read_text() == (run / "tokenizer.json").read_text()
    assert sorted(path.name for path in disk.iterdir()) == ["second", "to-come", "weights"]


@posix
@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path, linked: bool) -> None:
    pipe, received = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    path = pipe
    if linked:
        path = tmp_path / "link"
        path.symlink_to("pipe")
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    write_atomically(path, lambda partial: partial.write_text("content"))
    reader.join()
    assert received == [b"content"]
    assert pipe.is_fifo()
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted({"pipe", path.name})


INTO_STDOUT = """
from pathlib import Path
from lstm_lm.surroundings.files import write_atomically
write_atomically(Path("/dev/stdout"), lambda partial: partial.write_text("content"))
"""


@posix
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout")
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_standard_output_is_written_into_whatever_it_is(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "log"
    log.write_text("before ")
    into = log.open("ab") if kind == "file" else subprocess.PIPE
    done = subprocess.run([sys.executable, "-c", INTO_STDOUT], check=True, stdout=into, timeout=60)
    if kind == "file":
        assert log.read_text() == "before content"
        assert list(tmp_path.iterdir()) == [log]
    else:
        assert done.stdout == b"content"


def test_two_writers_of_one_name_do_not_share_a_partial_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even two of the same number, as processes of two containers often are."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    path = tmp_path / "file"

    def other_writes_meanwhile(partial: Path) -> None:
        partial.write_text("mine")
        write_atomically(path, lambda other: other.write_text("other's"))
        assert partial.read_text() == "mine"

    write_atomically(path, other_writes_meanwhile)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_the_system_takes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_atomically(path, lambda partial: partial.write_text("content"))
    assert path.read_text() == "content"


def test_a_home_is_expanded_wherever_python_takes_a_path(
    model: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("LSTM_LM_CACHE", "~/cache")
    model.save_pretrained("~/model")
    loaded = LanguageModel.from_pretrained("~/model")
    assert (loaded.name, loaded.folder) == ("model", tmp_path / "home" / "model")
    trace = model.trace("abc")
    trace.save("~/trace.npz")
    trace.to_csv(Path("~") / "trace.csv")
    assert GateTrace.load("~/trace.npz").tokens == ["a", "b", "c"]
    assert cache_folder() == tmp_path / "home" / "cache"
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == [
        "model", "trace.csv", "trace.npz",
    ]  # fmt: skip


def test_a_home_that_is_not_there_is_one_line(model: LanguageModel) -> None:
    with pytest.raises(UserError, match="cannot find ~nobody-of-that-name/x: Could not determine"):
        model.save_pretrained("~nobody-of-that-name/x")
