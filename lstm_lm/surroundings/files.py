"""Files, written as their owner expects: whole or not at all, where a link leads, with its mode.

A file is written beside its place and renamed over it, so that nobody reads half of it. A new one
has the mode that the umask gives, one that was there keeps its own. What is no file but a pipe or a
device is written into. Knows nothing of what is written.
"""

import contextlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from lstm_lm.errors import UserError

# What a write that was killed leaves behind: of `write_atomically`, and of a tokenizer's folder.
WRITING = ".writing-"
PARTIAL = re.compile(r"\..+\.partial-\d+|" + re.escape(WRITING) + r"\w+")
LONGEST_STEM = 50  # characters of a name in the name of its partial file: a name has 255 bytes
OPENED = re.compile(r"/dev(/fd)?|/proc/.*/fd")  # folders whose names stand for what is open


def expanded(path: str | Path) -> Path:
    """The path with `~` and `~user` read as a shell would.

    Raises:
        UserError: there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(f"cannot find {path}: {error}") from None


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a sibling file, then rename it over `path`, or over where its link leads.

    Raises:
        OSError: it cannot be written; what was there is untouched.
    """
    place = _place(path)
    if place is None:
        _write_into(path, write)
        return
    partial, mode = _claim_partial(place)
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        # Another library may have put a file of its own there, which only its owner may read.
        if stat.S_IMODE(partial.stat().st_mode) != mode:
            with contextlib.suppress(OSError):  # a file system without modes
                partial.chmod(mode)
        partial.replace(place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()


def partial_name(name: str) -> str:
    """What a file or folder of this name is called while it is written: no other writer's."""
    return f"{name}.partial-{os.getpid()}{secrets.randbelow(10**9):09}"


def _place(path: Path) -> Path | None:
    """Where the file lies, links followed; None for what is written into: a pipe, a device."""
    seen = path
    for _ in range(40):  # links, as many as Linux follows
        if OPENED.fullmatch(os.path.realpath(seen.parent)):
            return None
        if not seen.is_symlink():
            break
        seen = seen.parent / seen.readlink()
    with contextlib.suppress(OSError):
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            return None
    return Path(os.path.realpath(path))


def _claim_partial(place: Path) -> tuple[Path, int]:
    """A new file beside the place, and the mode that the file at the place shall have."""
    partial = place.with_name("." + partial_name(place.name[:LONGEST_STEM]))
    # Made here and not asked of the umask, which can only be read by setting it for all threads.
    file = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    try:
        mode = stat.S_IMODE(os.fstat(file).st_mode)
    finally:
        os.close(file)
    with contextlib.suppress(FileNotFoundError):
        mode = stat.S_IMODE(place.stat().st_mode)
    return partial, mode


def _write_into(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file elsewhere, then copy it into the pipe or device."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        write(whole)
        # Appended: opened otherwise, a log that stdout goes to would be emptied.
        with whole.open("rb") as source, path.open("ab") as target:
            shutil.copyfileobj(source, target)


def remove_partial_files(folder: Path) -> None:
    """Remove what writes into this folder left behind when they were killed.

    Nothing may be writing there. What cannot be removed stays: it does no harm.
    """
    for path in folder.iterdir():
        if not PARTIAL.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
