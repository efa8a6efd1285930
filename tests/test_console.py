"""What is told of a long run: made printable, and never the end of it."""

import contextlib
import io
import logging
import sys
from collections.abc import Iterator

import pytest

from lstm_lm.console import Bar, Console, Reporter, optional, reason_of, unfailing
from tests.conftest import Lines


class Broken(io.StringIO):
    """A stream that fails at each write."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str, /) -> int:
        raise self.error


def work(reporter: Reporter) -> list[int]:
    """Three steps that tell of themselves."""
    done: list[int] = []
    with reporter.bar("working", 3, "step") as bar:
        for number in range(3):
            bar.update(1)
            bar.note(loss=str(number))
            reporter.line(f"step {number}")
            done.append(number)
    reporter.line()
    return done


def test_a_line_of_a_sample_reaches_the_terminal_without_its_escapes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Console().line("wrote:\n\t\x1b]52;c;cm0=\x07 \u202eabc \x9b1m caf\udce9 é")
    assert capsys.readouterr().out == (
        "wrote:\n\t\\x1b]52;c;cm0=\\x07 \\u202eabc \\u009b1m caf\\xe9 é\n"
    )


@pytest.mark.parametrize(
    "error",
    [
        BrokenPipeError(32, "Broken pipe"),
        OSError(5, "Input/output error"),
        OSError(28, "No space left on device"),
        ValueError("I/O operation on closed file"),
    ],
    ids=["left", "hung-up", "full", "closed"],
)
def test_a_console_whose_streams_break_says_nothing_more(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)
    monkeypatch.setattr(sys, "stdout", Broken(error))
    monkeypatch.setattr(sys, "stderr", Broken(error))
    assert work(Console()) == [0, 1, 2]


def test_a_console_without_streams_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        assert work(Console()) == [0, 1, 2]


class NoBar(Reporter):
    """A reporter of a notebook whose bar cannot even be made."""

    @contextlib.contextmanager
    def bar(self, description: str, total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
        raise ModuleNotFoundError("No module named 'ipywidgets'")
        yield Bar()

    def line(self, text: str = "") -> None:
        raise RuntimeError("the kernel is gone")


def test_an_unfailing_reporter_survives_any_reporter_and_logs_its_first_failure(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert work(unfailing(NoBar())) == [0, 1, 2]
    assert caplog.messages == [
        "the run goes on, but cannot be told of: ModuleNotFoundError: No module named 'ipywidgets'"
    ]


def test_an_unfailing_reporter_lets_the_errors_of_the_work_through() -> None:
    for reporter in (Reporter(), NoBar()):
        with (
            pytest.raises(KeyError, match="the work's own"),
            unfailing(reporter).bar("working", 3, "step"),
        ):
            raise KeyError("the work's own")


def test_an_unfailing_reporter_tells_what_it_is_told() -> None:
    lines = Lines()
    assert work(unfailing(unfailing(lines))) == [0, 1, 2]
    assert lines.said == ["step 0", "step 1", "step 2", ""]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("bad backend\nsupported: many"), "ValueError: bad backend"),
        (ZeroDivisionError(), "ZeroDivisionError"),
        (PermissionError(13, "Permission denied", "/x"), "Permission denied: /x"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (RuntimeError("x" * 500), "RuntimeError: " + "x" * 200),
    ],
)
def test_what_is_optional_is_told_in_a_line_when_it_fails(error: Exception, reason: str) -> None:
    lines = Lines()
    with optional(lines, "no picture"):
        raise error
    assert lines.said == [f"no picture: {reason}"]
    assert reason_of(error) == reason


def test_what_is_optional_can_be_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt), optional(Reporter(), "no picture"):
        raise KeyboardInterrupt
