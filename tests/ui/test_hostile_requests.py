"""Nothing hostile gets in: each of many requests is refused before it is read, written or fetched.

One page, in a process and a folder of its own, is asked all of them, and every route that it has.
"""

import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from lstm_lm.store.loading import save
from lstm_lm.ui.admission import ALLOWED_ROUTES, MODULE_ROUTE, QUESTION
from lstm_lm.ui.component import module_files
from tests.conftest import tiny_model
from tests.hostile.requests import (
    COMPONENT,
    FOLDER,
    HOSTILE,
    MODULE,
    OPEN,
    OUTSIDE,
    QUEUED,
    Hostile,
)

PATIENCE = 60.0  # seconds, on the busiest machine
MOST_SENT = 30 * 10**6  # bytes of a body that are on their way, in buffers too, when it is refused
MOST_MEGABYTES = 60  # by which all of them together may make the server larger
ROOT = Path(__file__).parents[2]

# Serves a page until its standard input ends; says where, and which routes it has, in a line.
SERVER = """
import json, sys
from lstm_lm.ui.page import build_page, launch_settings

def leaves(routes, before=""):
    for route in routes:
        path = before + (getattr(route, "path", "") or "")
        inner = getattr(route, "original_router", route)  # FastAPI's way to include a router
        if getattr(inner, "routes", None):
            yield from leaves(inner.routes, path)
        elif getattr(route, "methods", None):
            yield path, sorted(route.methods)
        else:  # something of its own below a path
            assert type(route).__name__ == "Mount", route
            yield path + "/", ["GET", "POST", "DELETE"]

page, _ = build_page([sys.argv[1]])
app, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
print(json.dumps({"url": url, "routes": list(leaves(app.routes))}), flush=True)
sys.stdin.read()
page.close()
"""


ASKED: list[bytes] = []
"""What a server outside was asked."""


class Outside(http.server.BaseHTTPRequestHandler):
    """A server that must never be asked."""

    def handle(self) -> None:
        """Remember that it was, whatever the request is."""
        ASKED.append(self.rfile.readline())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    sent: int
    """Bytes of the request's body that the server took."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page in a process of its own."""

    url: str
    routes: list[tuple[str, list[str]]]
    folder: Path
    """All that it may write to."""
    outside: str
    process: "subprocess.Popen[str]"
    names: dict[str, str] = field(default_factory=dict)

    def files(self) -> set[tuple[str, int]]:
        """Every file there, with its size."""
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {(str(path), path.stat().st_size) for path in paths}

    def megabytes(self) -> float:
        """Of the process's memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def ask(self, request: Hostile) -> Answer:
        """Send it as it stands; stop sending once an answer is there."""
        host, port = self.url.removeprefix("http://").rstrip("/").split(":")
        with closing(socket.create_connection((host, int(port)), PATIENCE)) as wire:
            wire.sendall(request.head(f"{host}:{port}"))
            sent = 0
            for piece in request.body():
                try:
                    wire.sendall(piece)
                except OSError:  # it has hung up
                    break
                sent += len(piece)
            head = request.method == "HEAD"
            return Answer(sent=sent, **_received(wire, head))


def _received(wire: socket.socket, head: bool) -> dict[str, Any]:
    """The status and the body of an answer."""
    found = b""
    while b"\r\n\r\n" not in found:
        piece = wire.recv(65_536)
        assert piece, f"no answer: {found!r}"
        found += piece
    start, _, body = found.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", start)
    while length and not head and len(body) < int(length[1]):
        piece = wire.recv(65_536)
        assert piece, f"half an answer: {found!r}"
        body += piece
    return {"status": int(start.split()[1]), "body": body}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("page")
    save(tiny_model(), folder / "tiny")
    (folder / "tmp").mkdir()
    environment = {
        **os.environ,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "hub"),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "TMPDIR": str(folder / "tmp"),
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
    }
    outside = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=outside.serve_forever, daemon=True).start()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(folder / "tiny")],
            cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
        )  # fmt: skip
    try:
        assert process.stdout
        lines = (line for line in process.stdout if line.startswith("{"))
        said = json.loads(next(lines, "") or pytest.fail((folder / "log").read_text()))
        served = Page(
            **said,
            folder=folder / "gradio",
            outside=f"http://127.0.0.1:{outside.server_port}/",
            process=process,
        )
        served.names.update(_names(served))
        yield served
    finally:
        process.kill()
        process.wait()
        outside.shutdown()
        outside.server_close()


def _names(page: Page) -> dict[str, str]:
    """What the capitals of a hostile request stand for here."""
    config = httpx.get(f"{page.url}config", timeout=PATIENCE).json()
    (bench,) = (c["id"] for c in config["components"] if c["props"].get("elem_id") == "write-bench")
    (event,) = (d["id"] for d in config["dependencies"] if d["api_name"] == "generate")
    module = next(path for path in module_files() if path.endswith("/workbench/static/main.js"))
    # A visit of somebody, whose state there would be to keep.
    asked = {"data": [], "component_id": bench, "fn_name": "exact", "session_hash": "somebody"}
    httpx.post(f"{page.url}gradio_api/component_server/", json=asked, timeout=PATIENCE)
    return {
        OUTSIDE: page.outside,
        MODULE: module,
        FOLDER: str(page.folder.parent),
        COMPONENT: str(bench),
        QUEUED: str(event),
    }


def test_there_are_many_of_them() -> None:
    assert len(HOSTILE) >= 100


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_request_is_refused_and_leaves_nothing(name: str, page: Page) -> None:
    request = HOSTILE[name].known(page.names)
    before = page.files()
    answer = page.ask(request)
    assert answer.status == request.right, answer
    assert answer.sent < MOST_SENT
    assert b"passwd" not in answer.body
    assert len(answer.body) < 300
    assert page.files() == before
    assert ASKED == []


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_all_of_them_together_leave_the_server_as_large_as_it_was(page: Page) -> None:
    large = [each.known(page.names) for each in HOSTILE.values() if each.more > 10**6]
    page.ask(large[0])
    before = page.megabytes()
    for request in large * 3:
        page.ask(request)
    assert page.megabytes() - before < MOST_MEGABYTES


def test_what_the_page_needs_is_answered_all_the_while(page: Page) -> None:
    module = page.names[MODULE]
    for path in ("", "config", "theme.css", "favicon.ico", "gradio_api/app_id", "gradio_api/info"):
        assert httpx.get(page.url + path, timeout=PATIENCE).status_code == 200
    found = httpx.get(f"{page.url}gradio_api/file={module}", timeout=PATIENCE)
    assert found.text == Path(module).read_text(encoding="utf-8")
    assert found.headers["content-type"].endswith("/javascript")
    text = {"data": ["a" * (QUESTION - 1000), 1]}
    asked = httpx.post(f"{page.url}gradio_api/call/generate", json=text, timeout=PATIENCE)
    assert asked.status_code == 200


# Every route.

FILL = {
    "api_name": ["generate", "trace", "models", "predict"],
    "path": ["a.js", "fonts/a.woff2"],
    "path_or_url": ["a"],
    "url_path": ["https://a.hf.space/"],
    "session_hash": ["a"],
    "environment": ["client"],
    "size": ["512"],
    "component_id": ["1"],
}


def filled(path: str) -> Iterator[str]:
    """The path with names that fit in place of its parameters."""
    found = re.search(r"{(\w+)(?::\w+)?}", path)
    if not found:
        yield path
        return
    for value in FILL.get(found[1], ["a"]):
        yield from filled(path[: found.start()] + value + path[found.end() :])


def is_open(path: str) -> bool:
    """Whether some request for the route may pass."""
    if path == "/gradio_api/file={path_or_url:path}":
        return any(re.fullmatch(MODULE_ROUTE.path, each) for each in filled(path))
    return any(re.fullmatch(route.path, each) for each in filled(path) for route in ALLOWED_ROUTES)


def test_every_route_is_on_the_short_list_or_shut(page: Page) -> None:
    paths = {path for path, _ in page.routes}
    assert len(paths) > 70
    assert {path for path in paths if is_open(path)} == OPEN


def test_every_route_that_is_not_on_the_list_answers_404(page: Page) -> None:
    before = page.files()
    with httpx.Client(base_url=page.url, timeout=PATIENCE) as client:
        for path, methods in page.routes:
            if path in OPEN:
                continue
            for target in filled(path):
                for method in {*methods, "GET", "POST"}:
                    answer = client.request(method, target.lstrip("/"))
                    assert answer.status_code == 404, (method, target)
                    assert method == "HEAD" or answer.json() == {"detail": "There is nothing here."}
    assert page.files() == before


def test_every_allowed_route_is_one_of_gradios(page: Page) -> None:
    """What gradio no longer has is not kept open."""
    targets = [target for path, _ in page.routes for target in filled(path)]
    for route in (*ALLOWED_ROUTES, MODULE_ROUTE):
        assert any(re.fullmatch(route.path, target) for target in targets), route


def test_gradios_own_files_all_fit_the_list(page: Page) -> None:
    import gradio

    root = Path(gradio.__file__).parent / "templates" / "frontend"
    found = [path for part in ("assets", "static") for path in (root / part).rglob("*")]
    addresses = [f"/{path.relative_to(root).as_posix()}" for path in found if path.is_file()]
    assert len(addresses) > 300
    shut = [address for address in addresses if not _is_listed(address)]
    assert shut == []


def _is_listed(address: str) -> bool:
    return any(re.fullmatch(route.path, address, re.ASCII) for route in ALLOWED_ROUTES)
