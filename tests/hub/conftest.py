"""The loopback Hub, and people with computers of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hub.client import Person
from tests.hub.server import LoopbackHub


@pytest.fixture(scope="session")
def _server() -> Iterator[LoopbackHub]:
    with LoopbackHub() as hub:
        yield hub


@pytest.fixture
def hub(_server: LoopbackHub) -> LoopbackHub:
    """A Hub that holds nothing yet."""
    _server.clear()
    return _server


@pytest.fixture
def person(hub: LoopbackHub, tmp_path: Path) -> Callable[..., Person]:
    """A person with this token (none: not logged in) and an empty cache of their own."""
    count = iter(range(100))

    def make(token: str | None = None) -> Person:
        return Person(hub, tmp_path / f"home-{next(count)}", token)

    return make
