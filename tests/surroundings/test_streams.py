"""Whatever becomes of stdout and stderr, a program that prints goes on and ends as it would have.

Real processes, since they are about what the interpreter does at its exit; they import next to
nothing.
"""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lstm_lm.surroundings.streams import Surviving, write_line

ROOT = Path(__file__).parents[2]
PRINTS = """
import sys
from lstm_lm.surroundings.streams import prepare_streams
prepare_streams()
for number in range(3):
    print("line", number, "\\U0001f528 \\u6587", flush=number == 1)
    print("word", number, file=sys.stderr)
open("reached", "w").write(repr(sys.stdout.lost))
"""
posix = pytest.mark.skipif(os.name != "posix", reason="streams as POSIX hands them over")


def run(
    folder: Path, redirection: str, program: str = PRINTS, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """The program, started by a shell."""
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" {redirection}', sys.executable, program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (folder / "reached").exists(), done.stderr
    return done


@posix
@pytest.mark.parametrize("redirection", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_streams_that_were_never_open_end_nothing(tmp_path: Path, redirection: str) -> None:
    assert run(tmp_path, redirection).returncode == 0


@posix
def test_a_file_that_is_opened_next_is_not_taken_for_a_closed_stdout(tmp_path: Path) -> None:
    program = PRINTS.replace("for number", "import os; kept = open('model', 'w')\nfor number")
    program += "os.write(1, b'printed by a library in C')"
    assert run(tmp_path, ">&-", program).returncode == 0
    assert (tmp_path / "model").read_bytes() == b""


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_under_a_log_ends_nothing_and_is_known(tmp_path: Path) -> None:
    done = run(tmp_path, ">/dev/full")
    assert (done.returncode, done.stderr) == (0, "word 0\nword 1\nword 2\n")
    assert "No space left on device" in (tmp_path / "reached").read_text()


@posix
def test_a_reader_that_left_ends_nothing_not_even_at_the_exit(tmp_path: Path) -> None:
    """The reader is gone before the first line; the last one is still buffered at the exit."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "word 0\nword 1\nword 2\n")
    assert "Broken pipe" in (tmp_path / "reached").read_text()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8:strict"])
def test_an_encoding_without_the_character_gets_an_escape(tmp_path: Path, encoding: str) -> None:
    done = run(tmp_path, "", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "word 0\nword 1\nword 2\n")
    sign = "\U0001f528 \u6587" if encoding.startswith("utf") else "\\U0001f528 \\u6587"
    assert done.stdout == "".join(f"line {number} {sign}\n" for number in range(3))


class Slow(io.BytesIO):
    """A terminal whose reader does not keep up, once."""

    def __init__(self) -> None:
        super().__init__()
        self.full = True

    def write(self, text: Any, /) -> int:
        if self.full:
            self.full = False
            raise BlockingIOError(11, "write could not complete without blocking")
        return super().write(text)


def test_a_reader_that_is_slow_misses_a_line_and_gets_the_next() -> None:
    content = Slow()
    stream = Surviving(content, encoding="ascii", write_through=True)
    print("missed", file=stream, end="")
    print("there", file=stream, end="")
    assert content.getvalue() == b"there"
    assert stream.lost is None


def test_a_line_is_escaped_for_any_stream_and_needs_none(
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = io.BytesIO()
    narrow = io.TextIOWrapper(content, encoding="cp1252", newline="\n")
    write_line(narrow, "\x1b[2J é 文")
    assert content.getvalue() == b"\\x1b[2J \xe9 \\u6587\n"
    write_line(None, "said to nobody")
    closed = io.StringIO()
    closed.close()
    write_line(closed, "said to nobody")
    assert capsys.readouterr() == ("", "")
