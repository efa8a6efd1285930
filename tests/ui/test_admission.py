"""What is let in, by method, path and body, against a bare ASGI application behind it."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from lstm_lm.ui.admission import ALLOWED_ROUTES, MODULE_ROUTE, PASTED, QUESTION, Admission
from lstm_lm.ui.component import module_files
from lstm_lm.ui.shelf.reading import LONGEST_READ
from lstm_lm.ui.views.uses.author_probes import LONGEST_PASTE
from tests.conftest import run_apart

JOIN = "/gradio_api/queue/join"
MODULE = "/home/ada/my models/main.js"
TYPE = (b"content-type", b"application/json")
CHUNKED = (b"transfer-encoding", b"chunked")


class Behind:
    """An application that reads the whole body and says what it was."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})


class Exchange:
    """One request to the application behind an admission, and what came of it."""

    def __init__(
        self,
        path: str,
        method: str = "GET",
        headers: Iterable[tuple[bytes, bytes]] = (),
        parts: Iterable[bytes] = (),
        *,
        root: str = "",
        hangs_up: bool = False,
        kind: str = "http",
    ) -> None:
        self.behind = Behind()
        self.taken = 0
        self.sent: list[Message] = []
        self._parts = list(parts) or [b""]
        self._hangs_up = hangs_up
        scope: Scope = {"type": kind, "method": method, "path": path, "root_path": root}
        scope["headers"] = list(headers)
        admission = Admission(self.behind, [MODULE])
        run_apart(asyncio.wait_for(admission(scope, self._receive, self._send), 10))

    async def _receive(self) -> Message:
        if self.taken == len(self._parts):
            return {"type": "http.disconnect"}
        body = self._parts[self.taken]
        self.taken += 1
        more = self._hangs_up or self.taken < len(self._parts)
        return {"type": "http.request", "body": body, "more_body": more}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


def post(path: str, *parts: bytes, length: int | None = None, **more: Any) -> Exchange:
    """A body of JSON in these parts, with its length or the one that is claimed."""
    size = sum(map(len, parts)) if length is None else length
    headers = [TYPE, (b"content-length", str(size).encode())]
    return Exchange(path, "POST", headers, parts, **more)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("GET", "/assets/index-DphvyggB.js"),
        ("GET", "/assets/svelte/svelte_svelte.js"),
        ("GET", "/static/fonts/ui-sans-serif/ui-sans-serif-Bold.woff2"),
        ("GET", "/gradio_api/heartbeat/9x3k2"),
        ("GET", "/gradio_api/call/generate/0a1b"),
        ("GET", "/gradio_api/call/v2/trace/0a1b"),
        ("POST", "/gradio_api/call/models"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/component_server/"),
        ("DELETE", "/gradio_api/mcp/"),
        ("GET", "/gradio_api/mcp"),
        ("GET", f"/gradio_api/file={MODULE}"),
        ("HEAD", f"/gradio_api/file={MODULE}"),
    ],
)
def test_what_the_page_and_programs_need_is_open(method: str, path: str) -> None:
    assert Exchange(path, method).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/upload",
        "/gradio_api/upload/",
        "/GRADIO_API/UPLOAD",
        "/gradio_api/Queue/Join",
        "//gradio_api/queue/join",
        "/gradio_api//queue/join",
        "/gradio_api/queue/join/",
        "/gradio_api/queue/join\n",
        "/gradio_api/queue/../upload",
        "/assets/../gradio_api/upload",
        "/assets/..\\..\\secret",
        "/assets/.env",
        "/assets/",
        "/assets/a//b.js",
        "/gradio_api/heartbeat/a/b",
        f"/gradio_api/heartbeat/{'a' * 65}",
        "/gradio_api/heartbeat/ä",
        "/gradio_api/call/write",
        "/gradio_api/call/generate/a/b",
        "/gradio_api/run/generate",
        "/gradio_api/api/predict",
        "/gradio_api/mcp/other",
        "/gradio_api/file=http://127.0.0.1:1/",
        "/gradio_api/file=https://example.org/main.js",
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=main.js",
        f"/gradio_api/file=/{MODULE}",
        f"/gradio_api/file={MODULE}/",
        f"/gradio_api/file={MODULE}/../main.js",
        f"/gradio_api/file={MODULE.upper()}",
        f"/gradio_api/file={MODULE}\0",
        f"/gradio_api/file/{MODULE}",
        "/gradio_api/file=",
        "/gradio_api/proxy=https://x.hf.space/",
        "*",
    ],
)
def test_anything_else_is_not_there(path: str) -> None:
    for method in ("GET", "POST", "HEAD", "OPTIONS", "PUT"):
        found = Exchange(path, method)
        assert (found.status, found.behind.scopes, found.taken) == (404, [], 0)


def test_another_method_is_told_which_ones_there_are() -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"):
        found = Exchange("/", method)
        assert (found.status, found.headers[b"allow"]) == (405, b"GET, HEAD")
        assert found.behind.scopes == []


@pytest.mark.parametrize("root", ["/lstm", "/a/b"])
def test_a_root_path_may_have_been_taken_off_or_not(root: str) -> None:
    for path in (f"{root}/config", "/config", root, f"{root}/"):
        assert Exchange(path, root=root).status == 200
    for path in (f"{root}/gradio_api/upload", f"{root}config", f"{root}//config", f"/x{root}/"):
        assert Exchange(path, root=root).status == 404
    assert Exchange("/config", root="https://example.org/lstm").status == 200


def test_a_body_comes_through_whole_in_one_piece_or_many() -> None:
    for parts in ([b"{}"], [b"{", b"}"], [b"", b"{", b"", b"}"]):
        assert post(JOIN, *parts).behind.bodies == [b"{}"]
    exact = b"a" * QUESTION
    assert post(JOIN, exact[:-5], exact[-5:]).behind.bodies == [exact]
    chunked = Exchange(JOIN, "POST", [TYPE, CHUNKED], [b"{", b"}"])
    assert (chunked.status, chunked.behind.bodies) == (200, [b"{}"])


def test_a_body_that_says_it_is_too_large_is_refused_unread() -> None:
    found = post(JOIN, b"a", length=300_000_000)
    assert (found.status, found.headers[b"connection"]) == (413, b"close")
    assert found.behind.scopes == []
    assert found.sent[1]["body"] == (
        b'{"detail": "This is more than the page takes at once (300,000 bytes): shorten it."}'
    )


@pytest.mark.parametrize("length", [5, None], ids=["claims 5 bytes", "claims nothing"])
def test_a_body_is_counted_whatever_it_says(length: int | None) -> None:
    parts = [b"a" * 100_000] * 100
    if length is None:
        found = Exchange(JOIN, "POST", [TYPE, CHUNKED], parts)
    else:
        found = post(JOIN, *parts, length=length)
    assert (found.status, found.behind.scopes) == (413, [])
    assert found.taken < 20  # read on for a moment after the refusal, and then no more


@pytest.mark.parametrize("length", ["-1", "+5", "5, 5", "1_0", "five", "", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    headers = [TYPE, (b"content-length", length.encode())]
    found = Exchange(JOIN, "POST", headers, [b"{}"])
    assert (found.status, found.behind.scopes) == (413, [])


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "text/json",
        "application/jsonx",
    ],
)
def test_a_body_that_does_not_say_it_is_json_is_refused(kind: str | None) -> None:
    headers = [(b"content-length", b"2")]
    headers += [(b"content-type", kind.encode())] if kind else []
    found = Exchange("/gradio_api/component_server/", "POST", headers, [b"{}"])
    assert (found.status, found.behind.scopes) == (415, [])


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON;charset=utf-8"])
def test_json_may_be_written_in_either_case(kind: str) -> None:
    headers = [(b"content-length", b"2"), (b"content-type", kind.encode())]
    assert Exchange(JOIN, "POST", headers, [b"{}"]).status == 200


def test_a_route_without_a_body_takes_none() -> None:
    for headers, status in (
        ([TYPE, (b"content-length", b"0")], 200),
        ([TYPE, (b"content-length", b"1")], 413),
        ([TYPE, CHUNKED], 413),
        ([CHUNKED], 415),
    ):
        assert Exchange("/config", "GET", headers, [b"a"]).status == status


def test_who_hangs_up_in_the_middle_is_forgotten() -> None:
    found = post(JOIN, b"{", length=100, hangs_up=True)
    assert (found.sent, found.behind.scopes) == ([], [])


def test_answers_go_out_as_they_come() -> None:
    """A stream that never ends must not be gathered: each part is on its way before the next."""

    async def stream() -> list[bytes]:
        on_the_way: list[bytes] = []

        async def endless(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            async for number in _numbers():
                await send({"type": "http.response.body", "body": number, "more_body": True})
                assert on_the_way[-1] == number

        async def send(message: Message) -> None:
            on_the_way.append(message.get("body", b""))

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "method": "GET", "path": "/gradio_api/queue/data", "headers": []}
        await Admission(endless, [])(scope, receive, send)
        return on_the_way

    assert run_apart(stream())[1:] == [b"0", b"1", b"2"]


async def _numbers() -> AsyncIterator[bytes]:
    for number in range(3):
        yield str(number).encode()


def test_a_disconnect_reaches_what_is_behind_after_the_body() -> None:
    """Streams stop by it."""
    heard: list[str] = []

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        heard.extend([(await receive())["type"] for _ in range(2)])

    messages = iter([{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    headers = [TYPE, (b"content-length", b"2")]
    scope = {"type": "http", "method": "POST", "path": JOIN, "headers": headers}
    run_apart(Admission(behind, [])(scope, receive, send))
    assert heard == ["http.request", "http.disconnect"]


def test_a_websocket_is_refused_and_the_lifespan_passes() -> None:
    found = Exchange(JOIN, kind="websocket")
    assert found.sent == [{"type": "websocket.close", "code": 1008}]
    assert found.behind.scopes == []
    assert Exchange("", kind="lifespan").behind.scopes


def test_every_allowed_route_says_why_and_the_bounds_hold_what_people_give() -> None:
    for route in (*ALLOWED_ROUTES, MODULE_ROUTE):
        assert len(route.why) > 7
        assert (route.largest > 0) == ("POST" in route.methods)
    assert QUESTION == 300_000
    assert len("𝄞".encode()) * 16 * LONGEST_READ < QUESTION
    assert 2 * LONGEST_PASTE * len("𝄞".encode()) < PASTED < 1_000_000


def test_the_components_modules_are_those_of_their_folders() -> None:
    files = module_files()
    assert len(files) > 30
    assert any(path.endswith("/lstm_lm/ui/views/workbench/static/main.js") for path in files)
    assert all(path.endswith(".js") and ("/static/" in path or "/web/" in path) for path in files)
