import http.server
import io
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lstm_lm.errors import TextError
from lstm_lm.hub.datasets import dataset_file
from lstm_lm.text.sources import CHUNK_BYTES, read_text, standard_library, text_files

CHUNKS = pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 5, CHUNK_BYTES])


def joined(*paths: Path) -> str:
    return "".join(read_text(list(paths)))


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_folder_is_searched_for_text_files_in_order(tmp_path: Path) -> None:
    for name in ("b.txt", "a/z.py", "a/y.MD", "image.png", "none", ".hidden.txt", ".git/x.txt"):
        write(tmp_path / "texts" / name, name)
    files = text_files([str(tmp_path / "texts")], tmp_path / "spool")
    assert [file.relative_to(tmp_path / "texts").as_posix() for file in files] == [
        "a/y.MD",
        "a/z.py",
        "b.txt",
    ]


def test_empty_files_of_a_folder_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "package/__init__.py", "")
    write(tmp_path / "package/code.py", "x = 1\n")
    files = text_files([str(tmp_path / "package")], tmp_path / "spool")
    assert [file.name for file in files] == ["code.py"]


def test_the_standard_library_can_be_read(tmp_path: Path) -> None:
    files = standard_library()
    assert all(file.stat().st_size for file in files)
    assert not any("test" in file.parts or "site-packages" in file.parts for file in files)
    assert sum(len(text) for text in read_text(files)) > 5_000_000


def test_sources_keep_their_order_and_a_named_file_needs_no_suffix(tmp_path: Path) -> None:
    first, second = write(tmp_path / "z.weird", "1"), write(tmp_path / "a.txt", "2")
    assert text_files([str(first), str(second)], tmp_path) == [first, second]


def test_a_folder_without_text_says_what_it_is_searched_for(tmp_path: Path) -> None:
    write(tmp_path / "photos/cat.png", "x")
    with pytest.raises(TextError, match=r"no text files in the folder .*photos.*\.txt \.md"):
        text_files([str(tmp_path / "photos")], tmp_path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere/no.txt", "no such file or folder: nowhere/no.txt"),
        ("/dev/null", "/dev/null is no regular file; to read a pipe, use --text -"),
        ("~nobody-of-that-name/x", "cannot read ~nobody-of-that-name/x: Could not determine"),
        ("x" * 300, "cannot read x+: File name too long"),
        ("hf://datasets/owner/name", "is incomplete: write hf://datasets/OWNER/NAME/FILE"),
        ("hf://datasets/owner//file", "is incomplete: write hf://datasets/OWNER/NAME/FILE"),
        ("hf://datasets/no owner/name/file", "cannot load hf://datasets/no owner/name/file: Repo"),
        ("http://[::1", r"cannot fetch http://\[::1: Invalid IPv6 URL"),
        ("http://localhost:port/", "cannot fetch .*: nonnumeric port"),
        ("http://127.0.0.1/a b", "cannot fetch .*: URL can't contain control characters"),
        ("http://", "cannot fetch http://"),
    ],
)
def test_a_source_that_cannot_be_found_is_named(
    source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(TextError, match=message):
        text_files([source], tmp_path, dataset_file)


def test_a_reader_that_knows_no_hub_says_so(tmp_path: Path) -> None:
    with pytest.raises(
        TextError, match=r"hf://datasets/ada/texts/a\.txt is on the Hub: download it"
    ):
        text_files(["hf://datasets/ada/texts/a.txt"], tmp_path)


@CHUNKS
def test_files_are_joined_by_a_newline_where_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr("lstm_lm.text.sources.CHUNK_BYTES", chunk_bytes)
    paths = [
        write(tmp_path / str(number), text)
        for number, text in enumerate(["no newline", "one\n", "crlf\r\n", "last"])
    ]
    assert joined(*paths) == "no newline\none\ncrlf\r\nlast"


def test_a_byte_order_mark_is_left_out_at_a_files_start_only(tmp_path: Path) -> None:
    first = write(tmp_path / "first", b"\xef\xbb\xbfone\xef\xbb\xbf\n")
    second = write(tmp_path / "second", b"\xef\xbb\xbftwo")
    assert joined(first, second) == "one\ufeff\ntwo"


@CHUNKS
def test_characters_across_a_chunks_border_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr("lstm_lm.text.sources.CHUNK_BYTES", chunk_bytes)
    text = "aé€\U0001f600z" * 3
    assert joined(write(tmp_path / "text", text)) == text


@pytest.mark.parametrize("before", [CHUNK_BYTES - 2, CHUNK_BYTES - 1, CHUNK_BYTES + 7])
def test_characters_across_the_real_border_are_whole(tmp_path: Path, before: int) -> None:
    text = "x" * before + "€" * 5
    assert joined(write(tmp_path / "text", text)) == text


@pytest.mark.parametrize("content", [b"\xff\xfea\0b\0", b"\xfe\xff\0a\0b"])
def test_utf16_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(TextError, match="is UTF-16: convert it to UTF-8 first"):
        joined(write(tmp_path / "text", content))


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"void\.txt is empty"):
        joined(write(tmp_path / "void.txt", b""))


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        (b"ab\0cd", "2"),
        (b"\xef\xbb\xbfab\0", "5"),
        (b"x" * CHUNK_BYTES + b"y\0", "4,194,305"),
    ],
    ids=["plain", "after-a-mark", "second-chunk"],
)
def test_a_binary_file_is_named_with_the_offset(
    tmp_path: Path, content: bytes, offset: str
) -> None:
    with pytest.raises(TextError, match=f"is binary: byte offset {offset} is zero"):
        joined(write(tmp_path / "file", content))


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        (b"caf\xe9 au lait", "3"),
        (b"\xef\xbb\xbfab\xff", "5"),
        (b"abc\xe2\x82", "3"),  # half a character at the end
        (b"x" * (CHUNK_BYTES + 9) + b"\xff", "4,194,313"),
        (b"x" * (CHUNK_BYTES - 1) + b"\xe2\x82\xacyy\xff", "4,194,308"),  # a straddling € is good
        (b"x" * (CHUNK_BYTES - 1) + b"\xe2\x82x", "4,194,303"),  # and this one is not
        (b"x" * (CHUNK_BYTES - 2) + b"\xe2\x82", "4,194,302"),
    ],
    ids=["latin1", "after-a-mark", "cut", "second-chunk", "after-a-straddle", "straddle", "end"],
)
def test_a_file_that_is_not_utf8_is_named_with_the_offset(
    tmp_path: Path, content: bytes, offset: str
) -> None:
    with pytest.raises(TextError, match=f"is not UTF-8: byte offset {offset} begins no character"):
        joined(write(tmp_path / "file", content))


@CHUNKS
def test_the_offset_of_a_bad_byte_does_not_depend_on_the_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    monkeypatch.setattr("lstm_lm.text.sources.CHUNK_BYTES", chunk_bytes)
    with pytest.raises(TextError, match="byte offset 7 begins no character"):
        joined(write(tmp_path / "file", "a€é?".encode() + b"\xe2\x82?"))


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"cannot read .*: Is a directory"):
        joined(tmp_path)


def give_stdin(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_standard_input_is_kept_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_stdin(monkeypatch, "líne\r\n".encode())
    (path,) = text_files(["-"], tmp_path / "spool")
    assert path.parent == tmp_path / "spool"
    assert joined(path) == "líne\r\n"


def test_empty_standard_input_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    give_stdin(monkeypatch, b"")
    with pytest.raises(TextError, match="standard input is empty"):
        text_files(["-"], tmp_path)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(TextError, match="standard input is closed"):
        text_files(["-"], tmp_path)


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_stdin(monkeypatch, b"text")
    write(tmp_path / "file", "in the way")
    with pytest.raises(TextError, match=r"cannot write into .*: Not a directory; set LSTM_LM_C"):
        text_files(["-"], tmp_path / "file" / "spool")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        sent = self.headers.get("Authorization")
        if path == "/private":
            known = sent == "Basic QWRhOm9wZW4gc2VzYW1l"  # Ada:open sesame
            self.answer(*((200, b"for Ada\n") if known else (401, b"who are you?")))
        elif path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/sent")
            self.end_headers()
        elif path == "/sent":
            self.answer(200, f"{sent} {query}\n".encode())
        elif path == "/page":
            self.answer(200, b"<!DOCTYPE html>\n<html><body>a text</body></html>\n")
        elif self.path == "/text":
            self.answer(200, b"fetched\n")
        elif self.path == "/empty":
            self.answer(200, b"")
        elif self.path == "/broken-off":
            self.answer(200, b"half", length=8)
        else:
            self.answer(404, b"no")

    def answer(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "*")
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()
        thread.join()


def test_a_url_is_fetched_into_a_file(server: str, tmp_path: Path) -> None:
    (path,) = text_files([f"{server}/text"], tmp_path / "spool")
    assert joined(path) == "fetched\n"
    assert list((tmp_path / "spool").iterdir()) == [path]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("missing", "missing answered 404 Not Found"),
        ("empty", "empty is empty"),
        ("broken-off", "broken-off broke off 4 bytes early: try again"),
    ],
)
def test_a_url_without_a_text_is_named(
    server: str, tmp_path: Path, page: str, message: str
) -> None:
    with pytest.raises(TextError, match=message):
        text_files([f"{server}/{page}"], tmp_path)


def test_a_server_that_is_not_there_is_named(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TextError, match=r"cannot fetch .*: .*download it and name the file"):
        text_files(["http://127.0.0.1:1/"], tmp_path)


def test_two_texts_on_standard_input_at_once_stay_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is read whole while the first is half read, as two processes may do it."""
    spool, others = tmp_path / "spool", list[Path]()
    monkeypatch.setattr(os, "getpid", lambda: 7)  # as two containers have it

    class Halting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            chunk = super().read(3)
            if not others:
                give_stdin(monkeypatch, b"the second text")
                others.extend(text_files(["-"], spool))
            return chunk

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Halting(b"the first text")))
    (first,) = text_files(["-"], spool)
    assert joined(first) == "the first text"
    assert joined(*others) == "the second text"
    assert set(spool.iterdir()) == {first, *others}


def test_what_a_killed_fetch_left_is_removed_after_a_week(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "fetching.partial-12", "old")
    write(tmp_path / "fetching.partial-13", "being written")
    write(tmp_path / "text.txt", "kept")
    for name in ("fetching.partial-12", "text.txt"):
        os.utime(tmp_path / name, (0, 0))
    give_stdin(monkeypatch, b"text")
    (path,) = text_files(["-"], tmp_path)
    names = {"fetching.partial-13", "text.txt", path.name}
    assert {each.name for each in tmp_path.iterdir()} == names


def deny(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the system refuse to list the folder of this name, whoever runs the tests."""
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(os.fspath(path)).name == name:
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)


def test_a_folder_that_may_not_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "books" / "locked" / "inner.txt", "1")
    write(tmp_path / "books" / "outer.png", "2")
    deny(monkeypatch, "locked")
    for source in ("books/locked", "books"):
        with pytest.raises(TextError, match=r"cannot read .*locked: Permission denied\Z"):
            text_files([str(tmp_path / source)], tmp_path)
    write(tmp_path / "books" / "outer.txt", "3")
    assert text_files([str(tmp_path / "books")], tmp_path) == [tmp_path / "books" / "outer.txt"]
    assert caplog.messages == [f"{tmp_path / 'books' / 'locked'} is left out: Permission denied"]


def test_a_password_in_an_address_is_sent_but_not_to_where_the_server_sends_on(
    server: str, tmp_path: Path
) -> None:
    ours = server.replace("http://", "http://Ada:open%20sesame@")
    assert joined(*text_files([f"{ours}/private"], tmp_path)) == "for Ada\n"
    assert joined(*text_files([f"{ours}/sent"], tmp_path)) == "Basic QWRhOm9wZW4gc2VzYW1l \n"
    assert joined(*text_files([f"{ours}/moved"], tmp_path)) == "None \n"
    assert joined(*text_files([f"{ours}/sent?key=1"], tmp_path)).endswith(" key=1\n")
    assert not any("sesame" in path.name for path in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("{host}/private?key=SECRET", "/private?... answered 401 Unauthorized"),
        ("{host}/missing?SECRET", "/missing?... answered 404 Not Found"),
        ("{host}/none#SECRET", "/none#... answered 404 Not Found"),
        ("http://ada:SECRET@127.0.0.1:1/x?SECRET", "cannot fetch http://...@127.0.0.1:1/x?...: "),
        ("http://ada:SECRET/x@127.0.0.1/", "http://...@127.0.0.1/: it is no valid address; downl"),
        ("http://127.0.0.1/a b?SECRET", "http://127.0.0.1/a b?...: it is no valid address; downl"),
        ("http://[::1?SECRET", "cannot fetch http://[::1?...: it is no valid address; download"),
        ("ftp://ada:SECRET@host/x", "cannot fetch ftp://...@host/x: give http://, https:// or hf:"),
    ],
)
def test_no_error_repeats_what_an_address_keeps_from_others(
    server: str, tmp_path: Path, address: str, message: str
) -> None:
    with pytest.raises(TextError) as caught:
        text_files([address.format(host=server.replace("http://", "http://ada:SECRET@"))], tmp_path)
    assert "SECRET" not in str(caught.value)
    assert message in str(caught.value)


def test_a_web_page_is_said_to_be_one(
    server: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    page = write(tmp_path / "saved.txt", "<html>\nfull of markup</html>\n")
    named = write(tmp_path / "saved.html", "<html>\nfull of markup</html>\n")
    text_files([f"{server}/page?SECRET", str(page)], tmp_path / "spool")
    said = [record.getMessage() for record in caplog.records]
    assert [text.partition(" is a web page (HTML), and its")[0] for text in said] == [
        f"{server}/page?...",
        str(page),
    ]
    caplog.clear()
    text_files([f"{server}/text", str(named)], tmp_path / "spool")
    assert not caplog.records
