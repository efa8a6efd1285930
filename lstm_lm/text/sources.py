"""Where text comes from: files, folders, URLs, Hub datasets, standard input -> local files.

Knows nothing of tokens. What cannot be read twice (a URL, standard input) is first put into a
file of its own, because a corpus is read once to count it and once to encode it.
"""

import codecs
import contextlib
import hashlib
import http.client
import logging
import os
import shutil
import sys
import sysconfig
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from lstm_lm.addresses import is_web_address, last_part, split_credentials, told_address
from lstm_lm.errors import TextError
from lstm_lm.surroundings.files import partial_name
from lstm_lm.text.errors import no_text
from lstm_lm.text.file_kinds import WOULD_PASS, is_page
from lstm_lm.visible_text import printable

log = logging.getLogger(__name__)

SUFFIXES = (
    ".txt", ".md", ".rst", ".tex", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".html", ".css",
    ".py", ".pyi", ".ipynb", ".js", ".ts", ".c", ".h", ".cc", ".cpp", ".hpp", ".java", ".go",
    ".rs", ".rb", ".php", ".sh", ".sql", ".lua", ".r", ".jl", ".hs", ".ml", ".swift", ".kt",
)  # fmt: skip
"""What a folder is searched for; name a file itself to read it whatever its suffix."""

NOT_SOURCE = frozenset({"test", "tests", "idle_test", "site-packages", "__pycache__"})
CHUNK_BYTES = 4 * 2**20
WEEK = 7 * 24 * 3600  # seconds
LONGEST_HEAD = 2**12  # bytes of a web page before its first element
PAGE_SUFFIXES = (".html", ".htm", ".xhtml")
LONGEST_MAGIC = max(map(len, WOULD_PASS))
HUB_DATASET = "hf://datasets/"


def standard_library() -> list[Path]:
    """The source files of the running Python's standard library, its tests left out, sorted.

    Raises:
        TextError: this Python comes without its source.
    """
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(
        path
        for path in folder.rglob("*.py")
        if not NOT_SOURCE.intersection(path.relative_to(folder).parts)
        and path.stat().st_size  # an empty __init__.py holds no text
    )
    if not files:
        raise TextError(
            f"this Python keeps no source files under {folder}: name a text with --text"
        )
    return files


def text_files(
    sources: list[str], spool: Path, from_hub: Callable[[str], Path] | None = None
) -> list[Path]:
    """The local files behind the sources, in their order.

    Args:
        sources: files, folders, addresses, or `-` for standard input.
        spool: the folder that keeps what had to be fetched.
        from_hub: brings hf://datasets/OWNER/NAME/FILE here (`hub.datasets.dataset_file`); None:
            such a source is refused.

    Raises:
        TextError: a source is missing, empty, or cannot be fetched.
    """
    files: list[Path] = []
    for source in sources:
        if not source.strip():
            raise TextError("--text is empty: name a file, a folder, a URL, or - for stdin")
        if source == "-":
            if sys.stdin is None:
                raise TextError("standard input is closed: pipe a text into --text -")
            found = [_fetched(sys.stdin.buffer, spool, "standard input")]
        elif source.startswith(HUB_DATASET):
            if from_hub is None:
                raise TextError(f"{source[:80]} is on the Hub: download it and give the file")
            found = [from_hub(source)]
        elif is_web_address(source):
            found = [_download(source, spool)]
        elif "://" in source:
            raise TextError(
                f"cannot fetch {told_address(source)}: give http://, https:// or {HUB_DATASET}"
            )
        else:
            found = _local(source)
        if len(found) == 1:
            _mention_page(found[0], source)
        files += found
    return files


def _mention_page(path: Path, source: str) -> None:
    """Say in a line that a text is a web page, unless its name says so: it is rarely meant."""
    name = last_part(source) if "://" in source else path.name
    with contextlib.suppress(OSError), path.open("rb") as file:  # who reads it says what is wrong
        if is_page(file.read(LONGEST_HEAD)) and not name.lower().endswith(PAGE_SUFFIXES):
            log.warning(
                "%s is a web page (HTML), and its markup is learned too; its text alone would be "
                "better given as a plain-text file",
                "standard input" if source == "-" else told_address(source),
            )


def _local(source: str) -> list[Path]:
    try:
        path = Path(source).expanduser()
        is_folder = path.is_dir()
    except (OSError, RuntimeError) as error:  # a name too long; a ~user that is not there
        reason = getattr(error, "strerror", None) or error
        raise TextError(f"cannot read {source[:80]}: {reason}") from None
    if is_folder:
        files, denied = _of_folder(path)
        if denied and not files:
            raise TextError(f"cannot read {denied[0].filename}: {denied[0].strerror}")
        for error in denied:
            log.warning("%s is left out: %s", printable(str(error.filename)), error.strerror)
        if not files:
            raise TextError(
                f"no text files in the folder {source}: it is searched for {' '.join(SUFFIXES)}; "
                "name a file itself to read it whatever its suffix"
            )
        return files
    if not path.exists():
        raise TextError(f"no such file or folder: {source}")
    if not path.is_file():
        raise TextError(f"{source} is no regular file; to read a pipe, use --text -")
    return [path]


def _of_folder(folder: Path) -> tuple[list[Path], list[OSError]]:
    """The text files in the folder and below, sorted, and folders that may not be read."""
    files: list[Path] = []
    denied: list[OSError] = []
    for place, inner, names in os.walk(folder, onerror=denied.append):
        inner[:] = [name for name in inner if not name.startswith(".")]
        for file in (Path(place, name) for name in names if not name.startswith(".")):
            try:
                if file.suffix.lower() in SUFFIXES and file.is_file() and file.stat().st_size:
                    files.append(file)
            except OSError as error:
                denied.append(error)
    return sorted(files), denied


def _fetched(stream: IO[bytes], spool: Path, name: str) -> Path:
    """Copy the stream into a file that is named by its content.

    Until then by this process: others may fetch the same, or another standard input.
    """
    partial = spool / partial_name("fetching")
    digest = hashlib.sha256()
    try:
        with _writing(spool):
            spool.mkdir(parents=True, exist_ok=True)
            _remove_left_behind(spool)
            partial.touch(exist_ok=False)
        with partial.open("wb") as file:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
                with _writing(spool):
                    file.write(chunk)
                    file.flush()
        if not partial.stat().st_size:
            raise TextError(f"{name} is empty")
        return partial.replace(spool / f"{digest.hexdigest()[:32]}.txt")
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _remove_left_behind(spool: Path) -> None:
    """Remove what fetches that were killed left: a stream that is silent for a week is no more."""
    for path in spool.glob("fetching*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > WEEK:
                path.unlink()


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Within the block a file that cannot be written is the person's to mend."""
    try:
        yield
    except OSError as error:
        raise TextError(
            f"cannot write into {folder}: {error.strerror}; set LSTM_LM_CACHE to another folder"
        ) from None


def _download(address: str, spool: Path) -> Path:
    """What the address gives, in a file; `user:password@` is sent as Basic authentication."""
    name = told_address(address)
    otherwise = "download it and name the file"
    try:
        url, credentials = split_credentials(address)
        request = urllib.request.Request(url, headers={"User-Agent": "lstm-lm"})
        if credentials:  # not to where the server may send us on to
            request.add_unredirected_header("Authorization", credentials)
        with urllib.request.urlopen(request, timeout=60) as response:
            path = _fetched(response, spool, name)
            if response.length:  # what is left of the length that the server promised
                raise TextError(f"{name} broke off {response.length:,} bytes early: try again")
            return path
    except urllib.error.HTTPError as error:
        raise TextError(f"{name} answered {error.code} {error.reason}") from None
    except (ValueError, http.client.InvalidURL) as error:
        # The error's own text may repeat any part of the address.
        reason = error if name == address else "it is no valid address"
        raise TextError(f"cannot fetch {name}: {reason}; {otherwise}") from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise TextError(f"cannot fetch {name}: {reason}; {otherwise}") from None


def source_name(source: str) -> str:
    """What a run on this source may be called: the last part of its path, without a suffix.

    >>> source_name("https://host/texts/book.txt?key=1"), source_name("poems/"), source_name("-")
    ('book', 'poems', '-')
    """
    return Path(last_part(source) if "://" in source else source.rstrip("/")).stem


def read_text(files: list[Path]) -> Iterator[str]:
    """The text of the files in pieces of a few megabytes, one after the other.

    A file that does not end in a newline is followed by one before the next begins, and a byte
    order mark at a file's start is left out; nothing else is changed.

    Raises:
        TextError: a file is empty, binary or not UTF-8 (with the byte offset).
    """
    for number, path in enumerate(files):
        last = ""
        for text in _read_file(path):
            yield text
            last = text[-1]
        if last != "\n" and number + 1 < len(files):
            yield "\n"


def _read_file(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    try:
        with path.open("rb") as file:
            if file.peek(LONGEST_MAGIC).startswith(WOULD_PASS):
                raise no_text(path, 0)
            while chunk := file.read(CHUNK_BYTES):
                if not offset and chunk.startswith(codecs.BOM_UTF8):
                    chunk = chunk[len(codecs.BOM_UTF8) :]
                    offset = len(codecs.BOM_UTF8)
                zero = chunk.find(b"\0")
                if zero >= 0:
                    raise no_text(path, offset + zero)
                pending = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(chunk)
                except UnicodeDecodeError as error:
                    raise no_text(path, offset - pending + error.start) from None
                offset += len(chunk)
                if text:
                    yield text
            pending = len(decoder.getstate()[0])
            if pending:
                raise no_text(path, offset - pending, at_end=True)
    except OSError as error:
        raise TextError(f"cannot read {path}: {error.strerror}") from None
    if not offset:
        raise TextError(f"{path} is empty")


def free_space(folder: Path) -> int:
    """Bytes free where the folder is."""
    return shutil.disk_usage(folder).free
