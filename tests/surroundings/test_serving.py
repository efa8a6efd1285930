"""Where the page is served is tried before anything is loaded for it."""

import errno
import socket
from collections.abc import Iterator

import pytest
from httpx import ConnectError

from lstm_lm.errors import ConfigError, UserError
from lstm_lm.surroundings.serving import Address, as_gradio_writes, check_address, launching


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def check(host: str | None, port: int | None, **environment: str) -> None:
    check_address(Address.chosen(host, port, environment), environment)


def test_the_host_is_the_option_then_the_variable_then_this_machine() -> None:
    variable = {"GRADIO_SERVER_NAME": "0.0.0.0"}
    assert Address.chosen(None, None, {}).host == "127.0.0.1"
    assert Address.chosen(None, None, variable).host == "0.0.0.0"
    assert Address.chosen("::1", None, variable).host == "::1"
    assert Address.chosen("[::1]", None, {}).host == "::1"
    assert as_gradio_writes("::1") == "[::1]"
    assert as_gradio_writes("localhost") == "localhost"


def test_a_port_that_is_free_is_no_problem(taken: int) -> None:
    check(None, None, GRADIO_SERVER_PORT=str(taken), GRADIO_NUM_PORTS="99")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    check("localhost", port)


def test_a_port_in_use_is_named(taken: int) -> None:
    with pytest.raises(ConfigError, match=rf"^port {taken}: in use; choose another --port, or lea"):
        check(None, taken)
    with pytest.raises(ConfigError, match=rf"^port {taken}: in use; choose another --port$"):
        check("0.0.0.0", None, GRADIO_SERVER_PORT=str(taken), GRADIO_NUM_PORTS="1")


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("10.9.9.9", r"^--host is '10\.9\.9\.9', which is not this machine \("),
        ("2001:db8::1", r"^--host is '2001:db8::1', which is not this machine \("),
        ("no such host", r"^--host is 'no such host': no machine has that name"),
        ("http://127.0.0.1", r"^--host is 'http://127\.0\.0\.1': no machine has that name"),
        ("x" * 300, r"^--host is 'x+\.*: no machine has that name"),
    ],
)
def test_a_host_that_is_not_here_is_named(host: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check(host, None)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=message.replace("--host", "GRADIO_SERVER_NAME")):
        check(None, None, GRADIO_SERVER_NAME=host)


def test_ports_of_the_administrator_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(socket.socket):
        def bind(self, address: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(ConfigError, match=r"^port 80: not for this account, but for the adminis"):
        check(None, 80)
    with pytest.raises(ConfigError, match=r"^ports 80 to 89: not for this account, but for the "):
        check(None, None, GRADIO_SERVER_PORT="80", GRADIO_NUM_PORTS="10")


@pytest.mark.parametrize("error", [OSError("no port"), ConnectError("no port")])
def test_what_a_launch_raises_of_its_place_is_one_line(error: Exception) -> None:
    with pytest.raises(UserError, match=r"^cannot serve there: no port$"), launching():
        raise error


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(TypeError), launching():
        raise TypeError
