"""What lends GPUs to the Spaces on ZeroGPU, on this machine: the HTTP that `spaces` 0.51.3 speaks.

    with DeviceApi() as api:
        ...  # a process with {**os.environ, **api.environment}
        api.requests  # ["POST /startup-report", "POST /schedule", "POST /allow", "POST /release"]

It lends a GPU whenever it is asked for one, and there is none: who runs on it has to do without.
"""

import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

# ZeroGPU has a build of torch for CUDA, of which `spaces` puts aside what it then stands in for; a
# build for CPUs has no such thing. Importing torch by itself starts no CUDA, so `spaces` still
# comes in time.
ANY_BUILD = """
import torch
if torch.version.cuda is None:
    torch.version.cuda, torch._C._cuda_init, torch.cuda._is_in_bad_fork = "12.8", None, bool
"""
LOAN = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "GPU-none", "allowToken": "loan"}


class DeviceApi:
    """The server and what it was asked; a context manager that serves on a free port."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.seconds: list[int] = []
        """For how long a GPU was wanted, each time."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("_", (_Call,), {"api": self}))
        self._server.daemon_threads = True
        self.environment = {
            "SPACES_ZERO_GPU": "true",
            "SPACES_ZERO_DEVICE_API_URL": f"http://127.0.0.1:{self._server.server_port}",
        }

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Call(BaseHTTPRequestHandler):
    api: DeviceApi
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Answer."""
        asked = urllib.parse.urlsplit(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.api.requests.append(f"POST {asked.path}")
        if asked.path == "/schedule":
            wanted = urllib.parse.parse_qs(asked.query)["durationSeconds"]
            self.api.seconds.append(int(wanted[0]))
        body = json.dumps(LOAN if asked.path == "/schedule" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
