"""The address that the page is served on: tried before anything is loaded for it.

gradio tries a hundred ports, five seconds each, on a host that is not here.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lstm_lm.errors import ConfigError, UserError, shown

HOST, FIRST_PORT, PORTS = "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS"
USUAL_HOST, USUAL_PORT, USUAL_PORTS = "127.0.0.1", 7860, 100  # gradio's own


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where to serve."""

    host: str
    """A name or an address of this machine, an IPv6 one without brackets."""
    port: int | None
    """None: the first free one of those that the environment names, or of gradio's own."""
    called: str
    """What the host came from."""

    @classmethod
    def chosen(
        cls, host: str | None, port: int | None, environment: Mapping[str, str]
    ) -> "Address":
        """The one of the options, or else of the environment."""
        named = host or environment.get(HOST) or USUAL_HOST
        return cls(host=named.strip("[]"), port=port, called="--host" if host else HOST)


def check_address(address: Address, environment: Mapping[str, str]) -> None:
    """Raise ConfigError unless this machine can serve there.

    Args:
        address: where.
        environment: of the process, checked by `surroundings.prepare_page`.
    """
    host, port = address.host, address.port
    try:
        family, *_, found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):  # no such name; one that no name can be
        raise ConfigError(f"{address.called} is {shown(host)}: no machine has that name") from None
    first = port or int(environment.get(FIRST_PORT, USUAL_PORT))
    count = 1 if port else int(environment.get(PORTS, USUAL_PORTS))
    last = min(first + count - 1, 65535)
    problem: OSError | None = None
    for number in range(first, last + 1):
        with socket.socket(family, socket.SOCK_STREAM) as trying:
            if os.name == "posix":  # a port that was in use a moment ago is free
                trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trying.bind((found[0], number, *found[2:]))
                return
            except OSError as error:
                problem = error
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    break
    reason = problem.errno if problem else None
    ports = f"port {first}" if count == 1 else f"ports {first} to {last}"
    other = "choose another --port" + (", or leave it out" if port else "")
    if reason == errno.EADDRINUSE:
        raise ConfigError(f"{ports}: in use; {other}")
    if reason == errno.EACCES:
        raise ConfigError(f"{ports}: not for this account, but for the administrator; {other}")
    raise ConfigError(
        f"{address.called} is {shown(host)}, which is not this machine "
        f"({problem.strerror if problem else 'no port'}): give an address of its own, 0.0.0.0 for "
        "all of them, or leave it out"
    )


def as_gradio_writes(host: str) -> str:
    """The host as gradio's `launch` takes it: it puts it into addresses as it stands."""
    return f"[{host}]" if ":" in host else host


@contextlib.contextmanager
def launching() -> Iterator[None]:
    """Within the block, where gradio launches the page, what fails is the place it is served at."""
    from httpx import TransportError  # gradio asks itself whether it is there

    try:
        yield
    except (OSError, TransportError) as error:
        raise UserError(f"cannot serve there: {error or type(error).__name__}") from None
