"""A Hub on this machine: the HTTP that the real `huggingface_hub` client speaks, all in memory.

    with LoopbackHub() as hub:
        ...  # a process of its own with {**os.environ, **hub.environment(home, token="t-ada")}
        hub.repository("ada/name").files()  # path -> bytes at main
        hub.repository("ada/page", "space").variables
        hub.requests  # ["POST /api/repos/create", ...] in order
    hub.tokens  # the token that came with each of them, empty where none did

Who there is (`repositories.USERS`): `ada` (token t-ada, who pays, also admin of `lab`, which pays,
and reader of `library`), `bob` (t-bob, a free account, also admin of `club`, which is free) and
`eve`, whose token t-eve may only read. Kinds of repository are "model", "dataset" and "space"; one
name may stand for one of each, as on the Hub, unless `one_kind_a_name` is set. A new repository has
a first commit with a .gitattributes. `routes.py` has what it answers, `hardware.py` what a Space
costs whom.

What goes wrong is said before: `hub.fault("PUT", "/lfs/", cut=1_000_000)` reads (or, of a GET,
sends) so many bytes of the body and closes the connection; `corrupt=True` flips a bit of the body
that is sent; `status=503` answers that instead; each for the next `times` requests of this method
in whose path the pattern is found. `hub.nobody` is the address of a Hub that is down; one that goes
down in the middle is a fault with cut=0 for many requests.

The client reads its environment when it is imported, so it has to be set before that. Nagle's
delay is off and writes are buffered: with either, a call takes 40 ms.
"""

import json
import re
import socket
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.hub.repositories import USERS, Files, Repository, User

KINDS = {"models": "model", "datasets": "dataset", "spaces": "space"}


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong with the next requests that match."""

    method: str
    pattern: str
    times: int
    status: int | None
    cut: int | None
    corrupt: bool


class Refusal(Exception):  # noqa: N818 - an answer, not a mistake
    """An answer with a status of 400 or more."""

    def __init__(self, status: int, message: str, code: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.body = {"error": message, **more}


@dataclass(frozen=True)
class Content:
    """An answer that is a file, not JSON."""

    body: bytes
    headers: dict[str, str]


class LoopbackHub:
    """The server and all it holds; a context manager that serves on a free port."""

    def __init__(self) -> None:
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.lfs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.tokens: list[str] = []
        self.faults: list[Fault] = []
        self.one_kind_a_name = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_", (Call,), {"hub": self}))
        self._server.daemon_threads = True
        self._down = socket.socket()  # bound, so that nobody else takes it, but it does not listen
        self._down.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.nobody = f"http://127.0.0.1:{self._down.getsockname()[1]}"

    def __enter__(self) -> Self:
        from tests.hub import routes  # noqa: F401 - fills ROUTES

        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._down.close()

    def environment(self, home: Path, token: str | None, *, down: bool = False) -> dict[str, str]:
        """What a client needs in its environment: a cache in `home`, this Hub and this token."""
        return {
            "HF_ENDPOINT": self.nobody if down else self.url,
            "HF_HOME": str(home),
            "HF_TOKEN": token or "",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }

    def repository(self, name: str, kind: str = "model") -> Repository:
        """The repository of this name."""
        return self.repositories[kind, name]

    def add(self, name: str, files: Files, kind: str = "model", **settings: Any) -> Repository:
        """Put a repository there as if somebody had pushed these files."""
        repository = Repository(kind, name, **settings)
        repository.commit({".gitattributes": b"*.safetensors filter=lfs\n"}, "initial commit")
        if files:
            repository.commit({**repository.files(), **files}, "somebody's files")
        self.repositories[kind, name] = repository
        return repository

    def fault(
        self,
        method: str,
        pattern: str,
        *,
        times: int = 1,
        status: int | None = None,
        cut: int | None = None,
        corrupt: bool = False,
    ) -> None:
        """Let the next `times` requests go wrong in whose path the pattern is found."""
        told = {"times": times, "status": status, "cut": cut, "corrupt": corrupt}
        self.faults.append(Fault(method=method, pattern=pattern, **told))

    def clear(self) -> None:
        """Forget every repository, request and fault."""
        for held in (self.repositories, self.lfs, self.requests, self.tokens, self.faults):
            held.clear()
        self.one_kind_a_name = False


class Call(BaseHTTPRequestHandler):
    """One request: finds the fault, the user and the route, and answers."""

    hub: LoopbackHub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    fault: Fault | None
    user: User | None
    body: bytes

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def handle_one_request(self) -> None:
        """Take a connection that the other end cut as the end of it."""
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _handle(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        self.hub.requests.append(f"{self.command} {path}")
        self.hub.tokens.append(self._token())
        self.fault = next((fault for fault in self.hub.faults if self._meets(fault, path)), None)
        if self.fault:
            self.fault.times -= 1
            if self.fault.cut is not None and self.command != "GET":
                self.rfile.read(self.fault.cut)
                self._hang_up()
                return
        self.body = self._read_body()
        try:
            if self.fault and self.fault.status:
                raise Refusal(self.fault.status, "as the test asked")
            self.user = self._who()
            self._send(200, self._answer(path), {})
        except Refusal as refusal:
            self._send(refusal.status, refusal.body, refusal.headers)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

    def _meets(self, fault: Fault, path: str) -> bool:
        if fault.times < 1 or fault.method != self.command or not re.search(fault.pattern, path):
            return False
        # What is cut is longer than what is read of it.
        size = int(self.headers.get("Content-Length", 0))
        return fault.cut is None or self.command == "GET" or size > fault.cut

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _who(self) -> User | None:
        token = self._token()
        if token and token not in USERS:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return USERS.get(token)

    def _answer(self, path: str) -> Any:
        method = "GET" if self.command == "HEAD" else self.command
        for wanted, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, path) if wanted == method else None
            if found:
                groups = {name: text for name, text in found.groupdict().items() if text}
                return answer(
                    self, **{name: urllib.parse.unquote(text) for name, text in groups.items()}
                )
        raise Refusal(404, f"no such route: {self.command} {path}")

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
        if isinstance(answer, Content):
            body, headers = answer.body, headers | answer.headers
            start = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            if start:
                first, size, status = int(start[1]), len(body), 206
                body = body[first:]
                headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        else:
            body = json.dumps(answer).encode()
            headers = {"Content-Type": "application/json", **headers}
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.fault and self.fault.corrupt:
            middle = len(body) // 2
            body = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
        if self.fault and self.fault.cut is not None:
            self.wfile.write(body[: self.fault.cut])
            self.wfile.flush()
            self._hang_up()
        else:
            self.wfile.write(body)

    def find(self, kinds: str, name: str, *, write: bool = False) -> Repository:
        """The repository, if this user may know of it (or may write it)."""
        repository = self.hub.repositories.get((KINDS[kinds], name))
        owner = name.split("/")[0]
        hidden = repository and repository.private and not (self.user and self.user.may_read(owner))
        if repository is None or hidden:
            raise Refusal(404 if self.user else 401, "Repository not found", "RepoNotFound")
        if write and not (self.user and self.user.may_write(owner)):
            raise Refusal(403 if self.user else 401, f"no right to write {name}")
        return repository


Route = Callable[..., Any]
ROUTES: list[tuple[str, str, Route]] = []


def route(method: str, pattern: str) -> Callable[[Route], Route]:
    """Let the function answer requests whose path matches; named groups are its arguments."""

    def keep(answer: Route) -> Route:
        ROUTES.append((method, pattern, answer))
        return answer

    return keep
