"""Models that visitors load from the Hub by repository id: who may, how large, how many.

On one's own machine one may load any model that one's token opens. On a Space, behind a reverse
proxy, or served to others, only the owner's models are there, unless the owner sets LSTM_LM_OPEN=1;
then visitors may load public models of a bounded size, and of these only a few are kept. Whose own
machine it is, is asked again at every loading (`visit.py`). A model that was loaded is offered to
the visitor who loaded it, until they leave. Knows nothing of gradio or of layout.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lstm_lm.errors import ConfigError, UserError
from lstm_lm.hub.repository import split_name
from lstm_lm.ui.shelf.models import ModelShelf

OPEN = "LSTM_LM_OPEN"
KEPT = "LSTM_LM_OPEN_MODELS"
LARGEST = 100 * 10**6  # bytes of one model that a visitor may let a Space download
MOST_KEPT = 4
LOOK_SECONDS = 0.2  # between two lines about a download
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PROXIED = ("GRADIO_ROOT_PATH", "FORWARDED_ALLOW_IPS")  # set only where a reverse proxy is in front


@dataclass(frozen=True, kw_only=True)
class GuestRules:
    """What visitors may load."""

    allowed: bool
    """Whether they may at all."""
    kept: int = MOST_KEPT
    """How many of their models are in memory at once."""
    largest: int | None = None
    """Bytes of one model; None: whatever fits."""
    own_token: bool = False
    """Whether the token of who serves the page is used: only where nobody else visits it."""
    allowed_from_elsewhere: bool = False
    """Whether those may load models who come from elsewhere though nobody else was expected."""

    def for_visit(self, from_this_machine: bool) -> "GuestRules":
        """The rules for one visitor: who comes from elsewhere never gets the owner's own."""
        if from_this_machine or not self.own_token:
            return self
        return GuestRules(allowed=self.allowed_from_elsewhere, kept=self.kept, largest=LARGEST)


def rules_from(environment: Mapping[str, str], *, host: str | None, share: bool) -> GuestRules:
    """The rules for a page that is served like this.

    Args:
        environment: of the process.
        host: the address that it is served on; None: gradio's choice.
        share: whether it has a public link.

    Raises:
        ConfigError: a variable makes no sense.
    """
    address = host or environment.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    elsewhere = share or any(environment.get(name) for name in ("SPACE_ID", *PROXIED))
    alone = address in LOOPBACK and not elsewhere
    given = environment.get(KEPT, str(MOST_KEPT))
    if not given.isascii() or not given.isdigit() or int(given) < 1:
        raise ConfigError(f"{KEPT} is {given[:40]!r}: give a whole number of at least 1")
    opened = environment.get(OPEN, "").strip() not in ("", "0")
    if alone:
        return GuestRules(
            allowed=True, kept=int(given), own_token=True, allowed_from_elsewhere=opened
        )
    return GuestRules(allowed=opened, kept=int(given), largest=LARGEST)


class Fetch(Protocol):
    """How a model of the Hub is brought here: `lstm_lm.hub.download.fetch`."""

    def __call__(
        self,
        repo_id: str,
        revision: str | None,
        *,
        largest: int | None,
        token: bool,
        progress: Callable[[int, int], None],
    ) -> Path:
        """The folder, once it is complete; `progress` is told bytes so far and in all."""
        ...


@dataclass(frozen=True, kw_only=True)
class Loading:
    """How far a model is on its way here."""

    told: str
    """A line for the visitor."""
    share: float | None = None
    """0..1 of its bytes; None: not known."""
    name: str | None = None
    """Of the model, once it is on the shelf."""
    failed: bool = False


class Guests:
    """Brings models of the Hub to the shelf.

    Args:
        shelf: where they go; it knows who is asking.
        rules: of the page; what a visitor may follows from them and from where they are.
        fetch: brings a model here.
    """

    def __init__(self, shelf: ModelShelf, rules: GuestRules, fetch: Fetch) -> None:
        self.rules = rules
        self._shelf = shelf
        self._fetch = fetch

    @property
    def names(self) -> list[str]:
        """What is on offer to everybody."""
        return self._shelf.names

    def load(self, asked: object) -> Iterator[Loading]:
        """How the loading of `owner/name` or `owner/name@revision` goes; the last tells its end."""
        try:
            yield from self._load(str(asked or "").strip())
        except UserError as error:
            yield Loading(told=str(error), failed=True)
        except Exception:
            # Our own mistake: its traceback goes to the log, and the visitor may try again.
            yield Loading(told=f"{str(asked)[:80]} cannot be loaded", failed=True)
            raise

    def _load(self, asked: str) -> Iterator[Loading]:
        rules = self.rules.for_visit(self._shelf.asked_from_this_machine())
        if not rules.allowed:
            raise UserError("this page shows only the models that its owner chose")
        if asked not in self._shelf.names:
            yield Loading(told=f"{asked}: asking the Hub")
            folder = yield from self._download(asked, rules)
            yield Loading(told=f"{asked}: reading it, and writing its first text", share=1.0)
            self._shelf.add_guest(asked, folder, rules.kept, owners=rules.own_token)
        yield Loading(told=f"{asked} is loaded.", name=asked)

    def _download(self, asked: str, rules: GuestRules) -> Generator[Loading, None, Path]:
        """Download in a thread of its own, and tell how far it is; returns the folder."""
        repo_id, revision = split_name(asked)
        far = (0, 0)  # bytes so far, bytes in all
        done: Future[Path] = Future()

        def progress(so_far: int, total: int) -> None:
            nonlocal far
            far = so_far, total

        def work() -> None:
            try:
                folder = self._fetch(
                    repo_id,
                    revision,
                    largest=rules.largest,
                    token=rules.own_token,
                    progress=progress,
                )
                done.set_result(folder)
            except BaseException as error:
                done.set_exception(error)

        # A daemon: who stops the page does not wait for a download.
        threading.Thread(target=work, daemon=True).start()
        told = (0, 0)
        while not done.done():
            wait([done], timeout=LOOK_SECONDS)
            if far != told and not done.done():
                told = so_far, total = far
                megabytes = f"{so_far / 1e6:.1f} of {total / 1e6:.1f} MB"
                yield Loading(told=f"{asked}: {megabytes}", share=so_far / max(1, total))
        return done.result()
