"""A reverse proxy on this machine, as people put one before the page: nginx, caddy, traefik.

    with proxy(page_url, prefix="/lstm", add={"X-Forwarded-For": "203.0.113.9"}) as url: ...

It hands on what it gets byte by byte, so that streams stream, and one request a connection.
"""

import contextlib
import http.client
import http.server
import threading
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "upgrade", "host"}
"""Headers between two neighbours (RFC 9110, section 7.6.1), and the one that is replaced."""


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands a request on to the page, and the answer back."""

    page: str
    prefix: str
    keep_prefix: bool
    host: str
    add: Mapping[str, str]
    drop: frozenset[str]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def parse_request(self) -> bool:
        """Take every method alike."""
        if not super().parse_request():
            return False
        self._hand_on()
        self.close_connection = True
        return False

    def _hand_on(self) -> None:
        if not self.path.startswith(self.prefix):
            self.send_error(404)
            return
        path = self.path if self.keep_prefix else self.path[len(self.prefix) :] or "/"
        gone = OF_ONE_HOP | self.drop
        headers = {name: value for name, value in self.headers.items() if name.lower() not in gone}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        page = http.client.HTTPConnection(self.page, timeout=120)
        with contextlib.closing(page), contextlib.suppress(ConnectionError):
            page.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": self.host, **headers, **self.add}.items():
                page.putheader(name, value)
            page.endheaders(body or None)
            answer = page.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in OF_ONE_HOP:
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while piece := answer.read1(65_536):
                self.wfile.write(piece)
                self.wfile.flush()


@contextlib.contextmanager
def proxy(
    page: str,
    *,
    prefix: str = "",
    keep_prefix: bool = False,
    host: str = "",
    add: Mapping[str, str] | None = None,
    drop: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Serve the page a second time; the address of that.

    Args:
        page: its own address.
        prefix: the path under which it is served.
        keep_prefix: whether the page is asked with it.
        host: what the page is told of its name; empty: its own address.
        add: headers that are added.
        drop: headers that are taken off, in lower case.
    """
    address = urlsplit(page).netloc
    settings = {
        "page": address, "prefix": prefix, "keep_prefix": keep_prefix, "host": host or address,
        "add": add or {}, "drop": drop,
    }  # fmt: skip
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("_", (Handler,), settings))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{prefix}/"
    finally:
        server.shutdown()
        server.server_close()
