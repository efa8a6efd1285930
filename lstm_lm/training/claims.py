"""A run folder is one process's: claimed before anything of a run is written there.

A claim is a lock of the system on `checkpoint/lock`, which holds the process's number. The system
lets go of it however the process ends, so that a killed run can be resumed at once. A new folder
is made, not looked for: of two processes that make it one is told that it is there.
"""

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from lstm_lm.console import Reporter
from lstm_lm.errors import CheckpointError
from lstm_lm.training.checkpoint import LOCK_FILE, checkpoint_folder, is_run, refuse_folder_in_use

TRIES = 20  # to claim what another process is making or letting go of at this moment
LOCKED_BYTE = 2**30  # on Windows, where locked bytes cannot be read: beyond the process's number


class Claim:
    """A run folder that is this process's until the block ends.

    If no run was begun in it by then, what was made for it is removed again.
    """

    def __init__(self, folder: Path, file: int, made: list[Path]) -> None:
        self.folder = folder
        self._file = file
        self._made = made

    def __enter__(self) -> "Claim":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _let_go(self.folder, self._file, self._made)


def claim_new(folder: Path, reporter: Reporter) -> Claim:
    """Claim the folder for a new run: it is empty, or not there yet.

    Raises:
        CheckpointError: it holds something, another process trains in it, or it cannot be written.
    """
    refuse_folder_in_use(folder)
    with _writing(folder):
        made = _make(folder)
    return _claim(folder, made, reporter, new=True)


def claim_free(folder: Path, reporter: Reporter) -> Claim:
    """Claim the folder, or the first of folder-2, folder-3, ... that is not there yet.

    Raises:
        CheckpointError: it cannot be written.
    """
    number, free = 1, folder
    while True:
        with _writing(free):
            try:
                return _claim(free, _make(free, new=True), reporter, new=True)
            except FileExistsError:
                number += 1
                free = folder.with_name(f"{folder.name}-{number}")


def claim_run(folder: Path, reporter: Reporter) -> Claim:
    """Claim the folder of a run, to go on with it.

    Raises:
        CheckpointError: another process trains in it, or it cannot be written.
    """
    return _claim(folder, [], reporter, new=False)


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Within the block a folder that cannot be written is the person's to mend."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"cannot write into {folder}: {error.strerror or error}") from None


def _make(folder: Path, *, new: bool = False) -> list[Path]:
    """Make the folder and those above it that are missing; those made here, outermost first.

    Raises:
        OSError: it cannot be made.
        FileExistsError: it is there, and `new` asks for one that is not.
    """
    made: list[Path] = []
    for _ in range(TRIES):
        try:
            for above in reversed([above for above in folder.parents if not above.exists()]):
                with contextlib.suppress(FileExistsError):
                    above.mkdir()
                    made.append(above)
            folder.mkdir()
            made.append(folder)
        except FileNotFoundError:
            continue  # one above it was removed by another process that let go
        except OSError as error:
            if isinstance(error, FileExistsError) and not new and folder.is_dir():
                return made
            _remove(made)
            raise
        return made
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(folder))


def _claim(folder: Path, made: list[Path], reporter: Reporter, *, new: bool) -> Claim:
    place = checkpoint_folder(folder)
    with contextlib.ExitStack() as undo:
        undo.callback(_remove, made)
        with _writing(folder):
            try:
                place.mkdir()
                made.append(place)
            except FileExistsError:
                pass
            file = _locked(folder, place / LOCK_FILE, reporter)
        undo.pop_all()
    claim = Claim(folder, file, made)
    if new:
        with contextlib.ExitStack() as undo:
            undo.push(claim)
            refuse_folder_in_use(folder)  # another may have been quicker, and be done
            undo.pop_all()
    return claim


def _locked(folder: Path, path: Path, reporter: Reporter) -> int:
    """The open file, locked for this process alone where the file system has locks.

    Raises:
        CheckpointError: another process has locked it.
        OSError: it cannot be opened.
    """
    for _ in range(TRIES):
        file = _open(path)
        try:
            locked = _lock(file)
        except OSError as error:
            reporter.line(
                f"no lock can be had on {folder} ({error.strerror}): see to it that no other "
                "process trains in it"
            )
            return file
        if not locked:
            who = _signature(file)
            os.close(file)
            raise CheckpointError(
                f"{folder} is being trained by {who}: wait for its end, or stop it with Ctrl-C, "
                "which saves it"
            )
        # Whoever had it before may have removed the file between its opening and its locking.
        if _is_still(file, path):
            _sign(file)
            return file
        os.close(file)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError as error:
        try:
            return os.open(path, os.O_RDONLY)  # a colleague's, which can be locked all the same
        except FileNotFoundError:
            raise error from None


def _lock(file: int) -> bool:
    """Lock the file; False where another process has.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            os.lseek(file, 0, os.SEEK_SET)
            return False
        raise
    return True


def _is_still(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _sign(file: int) -> None:
    with contextlib.suppress(OSError):  # a colleague's file; the lock holds without a name
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()} {socket.gethostname()}\n".encode())


def _signature(file: int) -> str:
    """Which process has locked the file."""
    signed = ""
    with contextlib.suppress(OSError):
        signed = os.read(file, 200).decode("utf-8", "replace").strip()
    number, _, host = signed.partition(" ")
    if not number.isdigit():
        return "another process"
    return f"process {number}" + (f" on {host}" if host != socket.gethostname() else "")


def _let_go(folder: Path, file: int, made: list[Path]) -> None:
    with contextlib.suppress(OSError):
        path = checkpoint_folder(folder) / LOCK_FILE
        if _is_still(file, path):
            path.unlink()  # before the lock goes: see `_locked`
    os.close(file)
    if not is_run(folder):
        _remove(made)


def _remove(made: list[Path]) -> None:
    """Remove the folders that are empty, innermost first."""
    with contextlib.suppress(OSError):
        for folder in reversed(made):
            folder.rmdir()
