"""What a long run tells a person: lines, and a progress bar. Knows nothing of what runs.

Library code reports to a `Reporter`, which says nothing; `Console` writes to a terminal. Work never
depends on whether it can be told of: what works for hours wraps the reporter it was given by
`unfailing`, and what is only nice to have is made within `optional`.
"""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

from lstm_lm.surroundings.streams import GONE, write_line

log = logging.getLogger(__name__)

LONGEST_REASON = 200  # characters of another library's error


class Bar:
    """A progress bar that nobody sees."""

    def update(self, amount: int) -> None:
        """The work moved on by `amount` units."""

    def note(self, **figures: str) -> None:
        """Figures to show beside the bar."""


class Reporter:
    """Says nothing: what tests and notebooks use."""

    def line(self, text: str = "") -> None:
        """A line to read."""

    @contextlib.contextmanager
    def bar(self, description: str, total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
        """A bar for `total` units of work, of which `done` are behind us."""
        yield Bar()


class _TerminalBar(Bar):
    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def update(self, amount: int) -> None:
        with contextlib.suppress(*GONE):
            self._bar.update(amount)

    def note(self, **figures: str) -> None:
        self._bar.set_postfix(figures, refresh=False)


class Console(Reporter):
    """Lines on stdout, the bar on stderr (a plain log gets a line every half minute).

    Says nothing more where these are gone.
    """

    def line(self, text: str = "") -> None:
        """Print the line above the bar, if there is one."""
        from tqdm import tqdm

        with contextlib.suppress(*GONE), tqdm.external_write_mode(file=sys.stdout):
            write_line(sys.stdout, text)

    @contextlib.contextmanager
    def bar(self, description: str, total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
        """A tqdm bar with rate and time left."""
        from tqdm import tqdm

        if sys.stderr is None or sys.stderr.closed:
            yield Bar()
            return
        bar = tqdm(
            desc=description,
            total=total,
            initial=done,
            unit=unit,
            unit_scale=True,
            dynamic_ncols=True,
            mininterval=0.2 if sys.stderr.isatty() else 30.0,
            delay=0.5,  # work that is done, or refused, at once needs no bar
            file=sys.stderr,
        )
        try:
            yield _TerminalBar(bar)
        finally:
            with contextlib.suppress(*GONE):
                bar.close()


def unfailing(reporter: Reporter) -> Reporter:
    """The reporter as one that raises nothing, whoever wrote it: its first failure is logged."""
    return reporter if isinstance(reporter, _Unfailing) else _Unfailing(reporter)


class _Unfailing(Reporter):
    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._failed = False

    def attempt(self, tell: Callable[[], object]) -> bool:
        """Whether it could be told."""
        try:
            tell()
        except Exception as error:
            if not self._failed:
                log.warning("the run goes on, but cannot be told of: %s", reason_of(error))
            self._failed = True
            return False
        return True

    def line(self, text: str = "") -> None:
        self.attempt(lambda: self._reporter.line(text))

    @contextlib.contextmanager
    def bar(self, description: str, total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
        opened, bars = contextlib.ExitStack(), [Bar()]
        bar = self._reporter.bar
        self.attempt(
            lambda: bars.append(opened.enter_context(bar(description, total, unit, done=done)))
        )
        try:
            yield _UnfailingBar(bars[-1], self)
        finally:
            self.attempt(opened.close)


class _UnfailingBar(Bar):
    def __init__(self, bar: Bar, reporter: _Unfailing) -> None:
        self._bar = bar
        self._reporter = reporter

    def update(self, amount: int) -> None:
        self._reporter.attempt(lambda: self._bar.update(amount))

    def note(self, **figures: str) -> None:
        self._reporter.attempt(lambda: self._bar.note(**figures))


@contextlib.contextmanager
def optional(reporter: Reporter, lost: str) -> Iterator[None]:
    """Within the block a failure costs what the block makes, and no more.

    Args:
        reporter: told what is lost, and why.
        lost: what is not there then.
    """
    try:
        yield
    except Exception as error:
        reporter.line(f"{lost}: {reason_of(error)}")


def reason_of(error: Exception) -> str:
    """An error of whatever library, in a line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    said = (str(error).strip().splitlines() or [""])[0][:LONGEST_REASON]
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
