"""The address that the page is served on: tried before anything is loaded for it.

gradio tries a hundred ports, five seconds each, on a host that is not here.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Mapping

from lstm_lm.errors import ConfigError, UserError, shown

HOST, FIRST_PORT, PORTS = "GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_NUM_PORTS"
USUAL_HOST, USUAL_PORT, USUAL_PORTS = "127.0.0.1", 7860, 100  # gradio's own
PRIVILEGED = 1024  # below it a port is the administrator's


def chosen_host(given: str | None, environment: Mapping[str, str]) -> str:
    """The address to serve on, an IPv6 one without brackets."""
    return (given or environment.get(HOST) or USUAL_HOST).strip("[]")


def check_address(host: str, port: int | None, environment: Mapping[str, str]) -> None:
    """Raise ConfigError unless this machine can serve there.

    Args:
        host: from `chosen_host`.
        port: None: the first free one of those that the environment names, or gradio's own.
        environment: of the process, checked by `surroundings.prepare_page`.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):  # no such name; one that no name can be
        raise ConfigError(f"--host is {shown(host)}: no machine has that name") from None
    first = port or int(environment.get(FIRST_PORT, USUAL_PORT))
    count = 1 if port else int(environment.get(PORTS, USUAL_PORTS))
    last = min(first + count - 1, 65535)
    problem: OSError | None = None
    for number in range(first, last + 1):
        with socket.socket(family, socket.SOCK_STREAM) as trying:
            if os.name == "posix":  # a port that was in use a moment ago is free
                trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trying.bind((address[0], number, *address[2:]))
            except OSError as error:
                problem = error
                if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                    break
            else:
                return
    if problem is None:
        return
    span = f"port {first}" if count == 1 else f"none of the ports {first} to {last}"
    other = "choose another --port"
    if problem.errno == errno.EADDRINUSE:
        state = "is in use" if count == 1 else "is free"
        raise ConfigError(f"{span} {state}: {other}" + (", or leave it out" if port else ""))
    if problem.errno == errno.EACCES:
        may = "may not be served by this account" if count == 1 else "may be served by this account"
        raise ConfigError(f"{span} {may}: {other}, from {PRIVILEGED} up")
    raise ConfigError(
        f"--host is {shown(host)}, which is not this machine ({problem.strerror}): give an address "
        "of its own, 0.0.0.0 for all of them, or leave it out"
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
