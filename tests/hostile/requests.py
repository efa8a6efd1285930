"""Hostile requests: how each is sent, byte for byte, and with what it is to be refused.

A target and the headers go onto the wire as they stand here, so that no client tidies them first.
The capitals stand for what only a running page knows: the address of a server that must never be
asked, the path of a file that the page does serve, the folder that the server may write to, the
numbers of a component and of an event that waits its turn.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

OUTSIDE, MODULE, FOLDER, COMPONENT, QUEUED = "<out>", "<module>", "<folder>", "<part>", "<event>"
MEGABYTE = 10**6
MULTIPART = "multipart/form-data; boundary=x"
JSON = "application/json"
PART = b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.html"\r\n\r\n'
GONE, METHOD, LARGE, KIND = 404, 405, 413, 415


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A request, and the status that is right."""

    target: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    start: bytes = b""
    """The body's first bytes."""
    more: int = 0
    """How many bytes of `x` are ready to come after them."""
    length: int | None = None
    """What Content-Length claims; None: the true length, or none where the body is chunked."""
    chunked: bool = False
    right: int = GONE

    def known(self, names: Mapping[str, str]) -> "Hostile":
        """It with what the capitals stand for."""
        target, start = self.target, self.start
        for name, value in names.items():
            target = target.replace(name, value)
            start = start.replace(name.encode(), value.encode())
        return dataclasses.replace(self, target=target, start=start)

    def head(self, host: str) -> bytes:
        """The request line and the headers."""
        length = len(self.start) + self.more if self.length is None else self.length
        headers = {"Host": host, **self.headers}
        if self.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif length or self.method == "POST":
            headers["Content-Length"] = str(length)
        lines = [
            f"{self.method} {self.target} HTTP/1.1",
            *(f"{k}: {v}" for k, v in headers.items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def body(self) -> Iterator[bytes]:
        """The body in pieces, as they go onto the wire."""
        pieces = [self.start] if self.start else []
        pieces += [b"x" * 65_536] * (self.more // 65_536)
        pieces += [b"x" * (self.more % 65_536)] if self.more % 65_536 else []
        for piece in pieces:
            yield b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece
        if self.chunked:
            yield b"0\r\n\r\n"


def upload(target: str = "/gradio_api/upload", **more: object) -> Hostile:
    settings = {"method": "POST", "headers": {"Content-Type": MULTIPART}, "start": PART}
    return Hostile(target=target, **(settings | more))  # pyright: ignore[reportArgumentType]


def question(target: str, more: int, **settings: object) -> Hostile:
    """A body of JSON that begins well, and is too much of it."""
    asked = {"method": "POST", "headers": {"Content-Type": JSON}, "start": b'{"data":["'}
    asked |= {"more": more, "right": LARGE, **settings}
    return Hostile(target=target, **asked)  # pyright: ignore[reportArgumentType]


def post(target: str, **more: object) -> Hostile:
    """A small body of JSON."""
    settings = {"method": "POST", "headers": {"Content-Type": JSON}, "start": b"{}"}
    return Hostile(target=target, **(settings | more))  # pyright: ignore[reportArgumentType]


def get(target: str, **more: object) -> Hostile:
    return Hostile(target=target, **more)  # pyright: ignore[reportArgumentType]


def called(function: str) -> bytes:
    """A question to a function of a component."""
    return (
        f'{{"data":[],"component_id":{COMPONENT},"fn_name":"{function}","session_hash":"a"}}'
    ).encode()


FILE = "/gradio_api/file="
END = b"done\r\n--x--\r\n"

UPLOADS = {
    "300 MB": upload(length=300 * MEGABYTE, more=MEGABYTE),
    "300 MB in chunks": upload(chunked=True, more=300 * MEGABYTE),
    "a page of HTML": upload(start=PART + END),
    "nothing": upload(start=b""),
    "with a name to watch it": upload("/gradio_api/upload?upload_id=a", start=PART + END),
    "watched": get("/gradio_api/upload_progress?upload_id=a"),
    "with a slash": upload("/gradio_api/upload/", start=PART + END),
    "with two slashes": upload("/gradio_api//upload", start=PART + END),
    "with an encoded letter": upload("/gradio_api/%75pload", start=PART + END),
    "with an encoded slash": upload("/gradio_api%2fupload", start=PART + END),
    "by way of another route": upload("/assets/../gradio_api/upload", start=PART + END),
    "by way of another route, encoded": upload("/assets/%2e%2e/gradio_api/upload", start=PART),
    "in capitals": upload("/GRADIO_API/upload", start=PART + END),
    "as from a proxy": upload("http://127.0.0.1/gradio_api/upload", start=PART + END),
    "by PUT": upload(method="PUT", start=PART + END),
    "as a component's question": upload(
        "/gradio_api/component_server", start=PART + END, right=KIND
    ),
    "as a component's question of 5 MB": upload(
        "/gradio_api/component_server/", more=5 * MEGABYTE, right=LARGE
    ),
    "as a recording": upload("/gradio_api/process_recording", more=5 * MEGABYTE),
    "as a recording, claimed": upload("/gradio_api/process_recording", length=300 * MEGABYTE),
    "as a message to a tool": upload("/gradio_api/mcp/", start=PART + END, right=KIND),
}

FETCHES = {
    "an address": get(f"{FILE}{OUTSIDE}"),
    "an address, by HEAD": get(f"{FILE}{OUTSIDE}", method="HEAD"),
    "an address, encoded": get(f"{FILE}http%3A%2F%2F127.0.0.1%3A1%2F"),
    "an address over TLS": get(f"{FILE}https://example.org/a.png"),
    "an address with one slash": get(f"{FILE}http:/127.0.0.1:1/"),
    "an address in capitals": get(f"{FILE}HTTP://127.0.0.1:1/"),
    "an address of ftp": get(f"{FILE}ftp://127.0.0.1/a"),
    "an address of a file": get(f"{FILE}file:///etc/passwd"),
    "an address of data": get(f"{FILE}data:text/html,a"),
    "the metadata of a cloud": get(f"{FILE}http://169.254.169.254/latest/meta-data/"),
    "an address by the older route": get(f"/gradio_api/file/{OUTSIDE}"),
    "an address through a proxy": get(f"/gradio_api/proxy={OUTSIDE}"),
    "a Space through a proxy": get("/gradio_api/proxy=https://a.hf.space/"),
    "a Space through a proxy, by HEAD": get("/gradio_api/proxy=https://a.hf.space/", method="HEAD"),
    "buckets of the Hub": get("/gradio_api/run-history/buckets"),
    "records of the Hub": get("/gradio_api/run-history/records?bucket_id=a/b"),
    "words for a model to write code by": post("/gradio_api/vibe-starter-queries"),
}

FILES = {
    "of passwords": get(f"{FILE}/etc/passwd"),
    "of passwords, encoded": get(f"{FILE}%2fetc%2fpasswd"),
    "of passwords, twice encoded": get(f"{FILE}%252fetc%252fpasswd"),
    "of passwords, in parts": get(f"{FILE}/etc/passwd", headers={"Range": "bytes=0-9"}),
    "outside of its folder": get(f"{FILE}{MODULE}/../../../../../../../../etc/passwd"),
    "outside of its folder, encoded": get(f"{FILE}{MODULE}/%2e%2e/%2e%2e/%2e%2e/page.py"),
    "beside its folder": get(f"{FILE}{MODULE}/../../workbench.html"),
    "of the project": get(f"{FILE}app.py"),
    "in the folder where it runs": get(f"{FILE}./README.md"),
    "with an end in it": get(f"{FILE}{MODULE}%00.png"),
    "by another name": get(f"{FILE}/{MODULE}"),
    "with a backslash": get(f"{FILE}..%5c..%5capp.py"),
    "of the folder for uploads": get(f"{FILE}{FOLDER}/gradio/a"),
    "of gradio's scripts, and out": get("/assets/../../../../../../etc/passwd"),
    "of gradio's scripts, and out, encoded": get("/assets/%2e%2e%2f%2e%2e%2fpackage.json"),
    "of gradio's pictures, and out": get("/static/..%2f..%2fetc/passwd"),
    "of svelte": get("/svelte/svelte.js"),
    "of a component": get("/gradio_api/custom_component/a/client/component/index.js"),
    "hidden": get("/assets/.env"),
    "by the older route": get(f"/gradio_api/file/{MODULE}"),
}

OTHERS = {
    "a state to keep": get("/gradio_api/deep_link?session_hash=somebody"),
    "who watches": get("/monitoring"),
    "what was watched": get("/monitoring/summary"),
    "a key to watch": get("/monitoring/a"),
    "a board to watch": get("/monitoring/a/dashboard/"),
    "news of changes, without end": get("/gradio_api/dev/reload"),
    "code of the page": get("/gradio_api/vibe-code"),
    "another code for the page": post("/gradio_api/vibe-code"),
    "an edit of the page": post("/gradio_api/vibe-edit"),
    "the last edit back": post("/gradio_api/undo-vibe-edit/"),
    "what was run": get("/gradio_api/runs"),
    "a bucket to write to": post("/gradio_api/run-history/connect"),
    "a stream to feed": post("/gradio_api/stream/a"),
    "a stream to end": post("/gradio_api/stream/a/close"),
    "a film": get("/gradio_api/stream/a/b/1/playlist.m3u8"),
    "a film's file": get("/gradio_api/stream/a/b/1/playlist-file"),
    "a picture of 10 gigapixels": get("/pwa_icon/100000"),
    "who I am": get("/gradio_api/user"),
    "a token": get("/gradio_api/token"),
    "whether I may": get("/gradio_api/login_check"),
    "to be let in": Hostile(
        target="/login",
        method="POST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        start=b"username=a&password=b",
    ),
    "to leave": get("/logout"),
    "what there is": get("/openapi.json"),
    "what there is, of gradio": get("/gradio_api/openapi.json"),
    "how long the queue is": get("/gradio_api/queue/status"),
    "an endpoint past the queue": post("/gradio_api/run/generate"),
    "an endpoint past the queue, by its older name": post("/gradio_api/api/generate"),
    "an event of the page by name": post("/gradio_api/call/write"),
    "a tool that is none": post("/gradio_api/mcp/tools"),
    "another page": get("/other"),
    "a page's page": get("/gradio_api/"),
    "no path": get("*", method="OPTIONS"),
    "a function that is none": post(
        "/gradio_api/component_server/",
        start=called("nothing"),
    ),
    "a function that is not for browsers": post(
        "/gradio_api/component_server/",
        start=called("get_config"),
    ),
    "a queued event past the queue": post(
        "/gradio_api/run/predict",
        start=f'{{"data":[],"fn_index":{QUEUED},"session_hash":"a"}}'.encode(),
    ),
    "its properties": get("/", method="PROPFIND", right=METHOD),
    "what was sent": get("/", method="TRACE", right=METHOD),
    "the page to go": get("/", method="DELETE", right=METHOD),
    "a question by GET": get("/gradio_api/queue/join", right=METHOD),
    "a wire": get(
        "/gradio_api/queue/join",
        headers={
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
        right=403,
    ),
}

LARGE_BODIES = {
    "an event of 10 MB": question("/gradio_api/queue/join", 10 * MEGABYTE),
    "an event of 1 GB, claimed": question("/gradio_api/queue/join", 100, length=1000 * MEGABYTE),
    "an event in chunks": question("/gradio_api/queue/join", 10 * MEGABYTE, chunked=True),
    "an event in chunks, claimed small": question(
        "/gradio_api/queue/join",
        MEGABYTE,
        chunked=True,
        headers={"Content-Type": JSON, "X-Content-Length": "2"},
    ),
    "an event a little too large": question("/gradio_api/queue/join", 300_000),
    "a stop of 10 kB": question("/gradio_api/run/predict", 10_000),
    "a component's question of 10 MB": question("/gradio_api/component_server/", 10 * MEGABYTE),
    "a component's question of 1 MB": question("/gradio_api/component_server", MEGABYTE),
    "an endpoint's question": question("/gradio_api/call/generate", MEGABYTE),
    "an endpoint's question by name": question("/gradio_api/call/v2/trace", MEGABYTE),
    "a tool's question": question("/gradio_api/mcp/", 10 * MEGABYTE, chunked=True),
    "a tool's question of the older kind": question(
        "/gradio_api/mcp/messages/?session_id=a", MEGABYTE
    ),
    "an end of an event": question("/gradio_api/cancel", 100_000),
    "a beginning again": question("/gradio_api/reset", 100_000),
    "with a question that has no body": question("/config", 10, method="GET"),
    "with a question for a file": question(f"{FILE}{MODULE}", 10, method="GET"),
    "for the page": question("/", 10, method="HEAD"),
}

UNASKED = {
    "an event as plain text": post(
        "/gradio_api/queue/join", headers={"Content-Type": "text/plain"}, right=KIND
    ),
    "a component's question as a form": post(
        "/gradio_api/component_server/",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        right=KIND,
    ),
    "an endpoint's question as nothing": post("/gradio_api/call/models", headers={}, right=KIND),
}

HOSTILE = {
    f"{kind}: {name}": request
    for kind, requests in {
        "upload": UPLOADS,
        "fetch": FETCHES,
        "file": FILES,
        "asks for": OTHERS,
        "too much": LARGE_BODIES,
        "by another site": UNASKED,
    }.items()
    for name, request in requests.items()
}

OPEN = {
    "/",
    "/assets/{path:path}",
    "/config",
    "/favicon.ico",
    "/gradio_api/app_id",
    "/gradio_api/call/v2/{api_name}",
    "/gradio_api/call/v2/{api_name}/",
    "/gradio_api/call/v2/{api_name}/{event_id}",
    "/gradio_api/call/{api_name}",
    "/gradio_api/call/{api_name}/",
    "/gradio_api/call/{api_name}/{event_id}",
    "/gradio_api/cancel",
    "/gradio_api/component_server",
    "/gradio_api/component_server/",
    "/gradio_api/file={path_or_url:path}",
    "/gradio_api/heartbeat/{session_hash}",
    "/gradio_api/info",
    "/gradio_api/info/",
    "/gradio_api/mcp/",
    "/gradio_api/mcp/messages/",
    "/gradio_api/mcp/schema",
    "/gradio_api/mcp/sse",
    "/gradio_api/queue/data",
    "/gradio_api/queue/join",
    "/gradio_api/reset",
    "/gradio_api/reset/",
    "/gradio_api/run/{api_name}",
    "/gradio_api/startup-events",
    "/manifest.json",
    "/pwa_icon",
    "/robots.txt",
    "/static/{path:path}",
    "/theme.css",
}
"""The routes of gradio that are open for some of their names; each has its bound in `admission`."""
