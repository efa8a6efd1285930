"""Processes of their own for the real Hub client, each with a fresh cache, at half a second each.

`huggingface_hub` reads its environment when it is imported, so every call that a test makes runs
in a new process. A fork server that has imported torch, but not the client, keeps that cheap.
"""

import contextlib
import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.hub.server import LoopbackHub

# Most of what the client imports, and torch, which imports _dynamo for an optimizer.
PRELOADED = ["httpx2", "tqdm.auto", "yaml", "filelock", "torch._dynamo", "matplotlib.figure",
             "matplotlib.backends.backend_agg", "lstm_lm.training.session",
             "lstm_lm.hub.download"]  # fmt: skip
PATIENCE = 300  # seconds for one call, on the busiest machine


@dataclass
class Person:
    """Somebody at a computer of their own: a token, and a cache that starts empty."""

    hub: LoopbackHub
    home: Path
    token: str | None = None
    down: bool = False
    """Whether the Hub cannot be reached from there."""
    more: dict[str, str] = field(default_factory=dict)
    """More of the environment."""

    def run(self, function: Callable[..., Any], *arguments: Any, **settings: Any) -> Any:
        """What the function returns in a process of its own; its exception is raised here.

        The function and its arguments are pickled; what it writes to stdout and stderr is in
        `said` afterwards.
        """
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        environment = self.hub.environment(self.home, self.token, down=self.down) | self.more
        ours, theirs = context.Pipe(duplex=False)
        self.home.mkdir(parents=True, exist_ok=True)
        process = context.Process(
            target=_child,
            args=(theirs, environment, str(self.home / "said"), function, arguments, settings),
        )
        process.start()
        theirs.close()
        try:
            assert ours.poll(PATIENCE), f"no answer within {PATIENCE} s: {self.said}"
            returned, value = ours.recv()
        except EOFError:
            raise AssertionError(f"the process ended: {self.said}") from None
        finally:
            process.kill()
            process.join()
        if returned:
            return value
        raise value

    @property
    def said(self) -> str:
        """What the last call wrote to stdout and stderr."""
        path = self.home / "said"
        return path.read_text(errors="replace") if path.exists() else "nothing"


def _child(
    answer: Connection,
    environment: dict[str, str],
    said: str,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    settings: dict[str, Any],
) -> None:
    assert "huggingface_hub" not in sys.modules, "the client was imported before its environment"
    os.environ.update(environment)
    with open(said, "w", buffering=1) as file:  # noqa: PTH123 - a descriptor is wanted
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
        try:
            shorten_waits()
            value = (True, function(*arguments, **settings))
        except BaseException as error:
            traceback.print_exc()
            value = (False, error)
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        answer.send(value)


def shorten_waits() -> None:
    """Let the client try again at once where it would wait up to eight seconds."""
    import time
    import types

    from huggingface_hub import file_download
    from huggingface_hub.utils import _http

    impatient = types.SimpleNamespace(sleep=lambda seconds: None, time=time.time)
    for module in (_http, file_download):
        module.time = impatient  # pyright: ignore[reportAttributeAccessIssue]
