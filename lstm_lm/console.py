"""What a long run tells a person: lines, and a progress bar. Knows nothing of what runs.

Library code reports to a `Reporter`, which says nothing; `Console` writes to a terminal.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import Any


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
        self._bar.update(amount)

    def note(self, **figures: str) -> None:
        self._bar.set_postfix(figures, refresh=False)


class Console(Reporter):
    """Lines on stdout, the bar on stderr (a plain log gets a line every half minute)."""

    def line(self, text: str = "") -> None:
        """Print the line above the bar, if there is one."""
        from tqdm import tqdm

        tqdm.write(text, file=sys.stdout)
        sys.stdout.flush()

    @contextlib.contextmanager
    def bar(self, description: str, total: int, unit: str, *, done: int = 0) -> Iterator[Bar]:
        """A tqdm bar with rate and time left."""
        from tqdm import tqdm

        with tqdm(
            desc=description,
            total=total,
            initial=done,
            unit=unit,
            unit_scale=True,
            dynamic_ncols=True,
            mininterval=0.2 if sys.stderr.isatty() else 30.0,
            delay=0.5,  # work that is done, or refused, at once needs no bar
            file=sys.stderr,
        ) as bar:
            yield _TerminalBar(bar)
