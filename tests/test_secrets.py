"""A training on an address with a password and a key: neither is anywhere that others may look."""

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import train

TEXT = "the early bird catches the worm, and the second mouse gets the cheese.\n" * 60
SIZES = ["--layers", "1", "--hidden-size", "8", "--embedding-size", "4", "--batch-size", "4",
         "--sequence-length", "8", "--steps", "2", "--evaluations", "1"]  # fmt: skip
LONG = "SECRET" * 60  # as long as a signature


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(TEXT.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_no_secret_of_an_address_is_kept_or_told(
    host: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    address = f"http://ada:SECRET@{host}/texts/book.txt?signature={LONG}"
    assert train.main(["--text", address, *SIZES]) == 0
    run = tmp_path / "runs" / "book-char"
    told = [*capfd.readouterr(), *map(str, tmp_path.rglob("*"))]
    told += [path.read_bytes().decode("latin1") for path in run.rglob("*") if path.is_file()]
    assert len(told) > 8
    assert not [text for text in told if "SECRET" in text]
    kept = json.loads((run / "checkpoint" / "run.json").read_text())
    assert kept["sources"] == [f"http://...@{host}/texts/book.txt?..."]

    # The address is not needed to go on while the text is in the cache, and then can be.
    (text,) = map(Path, kept["files"])
    shutil.rmtree(tmp_path / "cache" / "corpus")
    assert train.main(["--resume", str(run)]) == 0
    shutil.rmtree(tmp_path / "cache")
    capfd.readouterr()
    assert train.main(["--resume", str(run)]) == 2
    error = capfd.readouterr().err
    assert error.endswith(f"in the cache: save it again as {text}, then --resume\n")
    text.parent.mkdir(parents=True)
    text.write_text(TEXT)
    assert train.main(["--resume", str(run)]) == 0


def test_a_long_name_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "a-very-long-name-" * 14
    (tmp_path / f"{name}.txt").write_text(TEXT)
    assert train.main(["--text", f"{name}.txt", *SIZES]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert 90 <= len(folder.name) <= 100
    assert name.startswith(folder.name.removesuffix("-char"))
