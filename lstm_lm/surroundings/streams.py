"""Standard output and error, so that what is printed can end nothing.

A reader that left, a full disk under a log, a terminal that is gone, a stream that was never open,
an encoding that lacks a character: whoever prints, in this program or in a library of it, prints on
into nothing, or an escape in the character's place. Knows nothing of what is printed.
"""

import contextlib
import io
import os
import sys
from typing import TextIO

from lstm_lm.visible_text import printable

GONE = (OSError, ValueError)
"""What a stream raises that is broken, or closed, or has no such character."""


class Surviving(io.TextIOWrapper):
    """A text stream that writes to nowhere from its first failure on."""

    lost: OSError | None = None
    """Why it writes to nowhere; None: it does not."""

    def write(self, text: str, /) -> int:
        """Write the text, if it still goes anywhere."""
        try:
            return super().write(text)
        except GONE as error:
            self._give_up(error)
            return len(text)

    def flush(self) -> None:
        """Hand over what was written, if it still goes anywhere."""
        try:
            super().flush()
        except GONE as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        if isinstance(error, BlockingIOError):  # the reader is slow: only this text is lost
            return
        if isinstance(error, OSError):
            self.lost = self.lost or error
        # What is buffered must go somewhere, or the interpreter would fail with it at its exit.
        with contextlib.suppress(*GONE):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)


def prepare_streams() -> None:
    """Let nothing that is printed end this process: the first thing that a program of ours does."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # Else the next file that is opened, perhaps a model, would be what is printed into.
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            nowhere = io.BufferedWriter(io.FileIO(os.devnull, "w"))
            stream = io.TextIOWrapper(nowhere, encoding="utf-8")
        if type(stream) is io.TextIOWrapper:  # not what a test or a notebook has put there
            setattr(sys, name, _surviving(stream))


def _surviving(stream: io.TextIOWrapper) -> Surviving:
    with contextlib.suppress(*GONE):
        stream.flush()
    return Surviving(
        stream.buffer,
        encoding=stream.encoding,
        errors="backslashreplace",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def write_line(stream: TextIO | None, text: str) -> None:
    """Write the text, made printable, and a newline: to nowhere where the stream is gone."""
    if stream is None:
        return
    line = printable(text, keep="\n\t") + "\n"
    with contextlib.suppress(*GONE):  # nobody is left to be told
        try:
            stream.write(line)
        except UnicodeEncodeError as error:
            line = line.encode(error.encoding, "backslashreplace").decode(error.encoding)
            stream.write(line)
        stream.flush()


def say(text: str) -> None:
    """Tell the person at the terminal, on stderr."""
    write_line(sys.stderr, text)
