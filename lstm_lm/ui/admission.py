"""Which requests reach the page: a list of routes, each with the largest body that it takes.

Gradio serves some eighty routes, and this page needs thirty of them. Others keep what anybody
uploads, write a file a request, run ffmpeg, or fetch an address for whoever asks (gradio 6.31:
upload, deep_link, process_recording, file=http...). So what ALLOWED_ROUTES does not list is not
there: 404, before anything is read or written. A body is read here, counted as it comes, whatever
its length was said to be, and handed on whole only if it is small enough: 413 before it is parsed.
It has to say that it is JSON, which another site's page in a visitor's browser cannot send unasked
(Fetch standard, CORS-safelisted request-header). Answers go out as they come: they are streams.

A path is judged as the router behind this judges it: decoded once by the server, without the root
path. In front of this are only gradio's own layers that add CORS headers and compress answers.
Knows nothing of models, of visitors or of layout.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lstm_lm.ui.endpoints import ENDPOINTS
from lstm_lm.ui.shelf.reading import LONGEST_READ
from lstm_lm.ui.views.uses.author_probes import LONGEST_PASTE

TOKEN_BYTES = 16 * 4  # a subword has at most 16 characters (SentencePiece's own default)
REST = 44_000  # of a question: names, numbers, settings; escapes of a text that is mostly short
QUESTION = LONGEST_READ * TOKEN_BYTES + REST  # bytes: 300,000
PASTED = 2 * LONGEST_PASTE * 4 + 2 * REST  # bytes: both sides of Try's two authors
SMALL = 4_000  # bytes of a message that holds no text
LONGEST_LENGTH = 12  # digits of a body's length that are looked at
LINGER_BYTES = 1_000_000  # of a body that was refused, read so that the refusal arrives
LINGER_SECONDS = 2.0
JSON = b"application/json"

NAME = r"[\w-]{1,64}"  # of a session or an event: gradio draws them from letters and digits
FILE = r"(?:[\w@-][\w.@-]*/)*[\w@-][\w.@-]*"  # no part begins with a dot
ENDPOINT = f"(?:{'|'.join(ENDPOINTS)})"
MODULE = "/gradio_api/file="


@dataclass(frozen=True, kw_only=True)
class AllowedRoute:
    """A route that is open, and its bound."""

    path: str
    """A pattern of the whole path."""
    why: str
    """Who needs it, and what for."""
    methods: tuple[str, ...] = ("GET",)
    largest: int = 0
    """Bytes of a request's body; 0: it has none."""


ALLOWED_ROUTES = (
    # The page itself.
    AllowedRoute(
        path="/?", methods=("GET", "HEAD"), why="the page; HEAD: gradio looks whether it is up"
    ),
    AllowedRoute(path=f"/assets/{FILE}", why="gradio's scripts and styles"),
    AllowedRoute(path=f"/static/{FILE}", why="gradio's fonts and pictures"),
    AllowedRoute(path="/theme.css", why="the theme"),
    AllowedRoute(path="/favicon.ico", why="the page's sign"),
    AllowedRoute(path="/manifest.json", why="named by gradio's page: how a browser installs it"),
    AllowedRoute(path="/pwa_icon", why="the sign that the manifest names"),
    AllowedRoute(path="/robots.txt", why="what search engines may read"),
    AllowedRoute(
        path="/config", why="what the page consists of: gradio_client, and a page that reconnects"
    ),
    AllowedRoute(path="/gradio_api/startup-events", why="gradio's own launch, once"),
    AllowedRoute(
        path="/gradio_api/app_id", why="whether the server is still the same, after a break"
    ),
    AllowedRoute(
        path=f"/gradio_api/heartbeat/{NAME}", why="how the server knows that a visitor has left"
    ),
    # What the page asks.
    AllowedRoute(
        path="/gradio_api/queue/join",
        methods=("POST",),
        largest=QUESTION,
        why="an event: write, read, another model; and what gradio_client asks",
    ),
    AllowedRoute(path="/gradio_api/queue/data", why="the answers to events, as a stream"),
    AllowedRoute(
        path="/gradio_api/run/predict",
        methods=("POST",),
        largest=SMALL,
        why="an event that waits for no other: Stop",
    ),
    AllowedRoute(
        path="/gradio_api/component_server/?",
        methods=("POST",),
        largest=PASTED,
        why="a component's question: numbers of a step, units, texts to tell apart",
    ),
    AllowedRoute(
        path="/gradio_api/(?:cancel|reset)/?",
        methods=("POST",),
        largest=SMALL,
        why="an event that is no longer wanted",
    ),
    # What programs ask.
    AllowedRoute(path="/gradio_api/info/?", why="the endpoints' description, for gradio_client"),
    AllowedRoute(
        path=f"/gradio_api/call/(?:v2/)?{ENDPOINT}/?",
        methods=("POST",),
        largest=QUESTION,
        why="the endpoints without gradio_client: curl",
    ),
    AllowedRoute(
        path=f"/gradio_api/call/(?:v2/)?{ENDPOINT}/{NAME}", why="their answer, as a stream"
    ),
    AllowedRoute(
        path="/gradio_api/mcp/?",
        methods=("GET", "POST", "DELETE"),
        largest=QUESTION,
        why="the endpoints as tools for language models",
    ),
    AllowedRoute(
        path="/gradio_api/mcp/schema", why="the tools' description, for the Hub's own server"
    ),
    AllowedRoute(path="/gradio_api/mcp/sse", why="the same tools over the older transport"),
    AllowedRoute(
        path="/gradio_api/mcp/messages/?",
        methods=("POST",),
        largest=QUESTION,
        why="what is asked over the older transport",
    ),
)
MODULE_ROUTE = AllowedRoute(
    path=f"{re.escape(MODULE)}.+",
    methods=("GET", "HEAD"),
    why="a module of the page's own: of the components' files and no others",
)
_PATTERNS = [(re.compile(route.path, re.ASCII), route) for route in ALLOWED_ROUTES]


class HungUpError(Exception):
    """Whoever sent the request left before its end: nobody is there to be told."""


class RefusedError(Exception):
    """An answer as gradio's clients show it: the page in a corner, gradio_client as an error."""

    def __init__(self, status: int, detail: str, *, unread: bool = True, allow: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.unread = unread
        self.headers = {"content-type": "application/json"} | ({"allow": allow} if allow else {})
        self.body = json.dumps({"detail": detail}).encode()

    async def send(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with it; the connection ends where a body is left unread."""
        unread = self.unread and _has_body(scope)
        headers = {**self.headers, "content-length": str(len(self.body))}
        headers |= {"connection": "close"} if unread else {}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": pairs})
        await send({"type": "http.response.body", "body": self.body, "more_body": unread})
        if unread:
            await _linger(receive)
            await send({"type": "http.response.body"})


class Admission:
    """Lets in the allowed routes, and refuses the rest before it costs anything.

    Args:
        app: what is behind it.
        files: the paths that MODULE_ROUTE may name, each in full.
    """

    def __init__(self, app: ASGIApp, files: Collection[str]) -> None:
        self._app = app
        self._files = frozenset(files)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: with a refusal, or by what is behind."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no view uses a websocket
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            route = self._admit(scope)
            body = await _body(scope, receive, route.largest)
        except RefusedError as refused:
            await refused.send(scope, receive, send)
        except HungUpError:
            return
        else:
            await self._app(scope, receive if body is None else _again(body, receive), send)

    def _admit(self, scope: Scope) -> AllowedRoute:
        """The open route that is asked for.

        Raises:
            RefusedError: there is none, or none for this method.
        """
        route = self.allowed(route_path(scope))
        if route is None:
            raise RefusedError(404, "There is nothing here.")
        if scope["method"] not in route.methods:
            methods = ", ".join(route.methods)
            raise RefusedError(405, f"This takes {methods} only.", allow=methods)
        return route

    def allowed(self, path: str) -> AllowedRoute | None:
        """The open route of this path, or None."""
        if path.startswith(MODULE):
            return MODULE_ROUTE if path.removeprefix(MODULE) in self._files else None
        return next((route for pattern, route in _PATTERNS if pattern.fullmatch(path)), None)


def route_path(scope: Scope) -> str:
    """The path as Starlette's router takes it: without the root path, where it begins with it.

    A reverse proxy may have taken the root path off, or not.
    """
    path, root = scope["path"], scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path


async def _body(scope: Scope, receive: Receive, largest: int) -> bytes | None:
    """The whole body; None where the request says that it has none.

    Raises:
        RefusedError: it is too long, or no JSON.
        HungUpError: it ended before its end.
    """
    if not _has_body(scope):
        return None
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length", b"0")
    too_long = f"This is more than the page takes at once ({largest:,} bytes): shorten it."
    if not declared.isdigit() or len(declared) > LONGEST_LENGTH or int(declared) > largest:
        raise RefusedError(413, too_long)
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != JSON:
        raise RefusedError(415, "This takes application/json only.")
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise HungUpError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > largest:
            raise RefusedError(413, too_long, unread=more)
    return b"".join(parts)


def _has_body(scope: Scope) -> bool:
    """Whether a body comes after the headers (RFC 9112, section 6.3)."""
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read, then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message


async def _linger(receive: Receive) -> None:
    """Read on for a moment, and keep nothing, so that the answer arrives.

    A connection that is closed with bytes unread is reset, and with it goes what was sent last
    (RFC 9112, section 9.6).
    """
    left = LINGER_BYTES
    with anyio.move_on_after(LINGER_SECONDS):
        while left > 0:
            message = await receive()
            left -= len(message.get("body", b""))
            if not message.get("more_body", False):
                return
