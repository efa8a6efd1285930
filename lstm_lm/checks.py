"""What a file from elsewhere must pass before anything is made of it.

Nothing is run or unpickled, nothing waits on a pipe, and no more is read than a file of its kind
can need. Every error says in one line which file is wrong and how, and repeats little of it.
Knows nothing of models: what a weight file must hold is told to it.
"""

import contextlib
import json
import math
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeGuard

from lstm_lm.errors import ModelFolderError, shown

LARGEST_JSON = 2**20  # bytes, of a JSON object of ours and of a weight file's header
LONGEST_NUMBER = 20  # digits of a whole number in JSON: nothing of ours counts further
LARGEST_NUMBER = 1e15
MOST_SETTINGS = 2**16  # bytes of a SentencePiece model that are no pieces
LONGEST_PIECE = 2**10  # bytes
PIECE, NORMALIZER, NORMALIZER_TABLE = 1, 3, 2  # field numbers of sentencepiece_model.proto
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: what holds it cannot be sent on
WEIGHT_TYPES = {"F32": 4, "F16": 2}  # name in a safetensors header -> bytes


def open_plain(path: Path) -> BinaryIO:
    """The file, opened to be read, if it is a plain one that lies in its folder.

    A link may lead elsewhere in the folder, or to where the Hub's cache keeps its files.

    Raises:
        ModelFolderError: it is not there, no plain file, or a link that leads out of the folder.
    """
    try:
        real = Path(os.path.realpath(path, strict=True))
        if not any(real.is_relative_to(home) for home in _homes(path.parent)):
            raise ModelFolderError(f"{path.name} is a link that leads out of the folder")
        if not stat.S_ISREG(real.stat().st_mode):  # asked first: to open a pipe is to wait
            raise ModelFolderError(f"{path.name} is no plain file")
        return real.open("rb")
    except FileNotFoundError:
        raise ModelFolderError(f"no {path.name} in it: this is no model folder") from None
    except OSError as error:
        raise ModelFolderError(f"cannot read {path.name}: {error.strerror}") from None


@contextlib.contextmanager
def readable_name(path: Path) -> Iterator[Path]:
    """The file under a name that a library can take which takes only UTF-8, as safetensors does."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with path.open("rb") as file:
            yield Path(f"/dev/fd/{file.fileno()}")
    else:
        yield path


def _homes(folder: Path) -> list[Path]:
    """Where the files of the folder may lie."""
    folder = Path(os.path.realpath(folder))
    cache = [folder.parent.parent / "blobs"] if folder.parent.name == "snapshots" else []
    return [folder, *cache]


def read_file(path: Path, largest: int) -> bytes:
    """The bytes of a plain file, if there are at most `largest`.

    Raises:
        ModelFolderError: it is larger, or not to be read (see `open_plain`).
    """
    with open_plain(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            content = file.read(largest + 1) if size <= largest else b""
        except OSError as error:
            raise ModelFolderError(f"cannot read {path.name}: {error.strerror}") from None
    size = max(size, len(content))  # a file may have grown, or lie about its size
    if size > largest:
        raise ModelFolderError(f"{path.name} has {size:,} bytes: at most {largest:,} are read")
    return content


def read_json(content: bytes, name: str) -> dict[str, Any]:
    """The JSON object that the content is; `name` is what errors call it.

    Raises:
        ModelFolderError: it is no JSON object in UTF-8, has a key twice, holds NaN or a number
            of more digits than anything counts, or is nested deeply.
    """
    try:
        data = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_int=_whole,
            parse_constant=_no_number,
        )
    except RecursionError:
        raise ModelFolderError(f"{name} is nested too deeply to be one of ours") from None
    except ValueError as error:
        raise ModelFolderError(f"{name} is not JSON ({error})") from None
    if not isinstance(data, dict):
        raise ModelFolderError(f"{name} holds no JSON object")
    return data


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {shown(twice)} stands in it twice")
    return found


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(digits):,} digits")
    return int(digits)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


@dataclass(frozen=True, kw_only=True)
class WeightFile:
    """A safetensors file whose header is what it should be."""

    path: Path
    """Where it really lies."""
    start: int
    """Where its data begins, bytes."""
    spans: list["Span"]
    """Its weights, in the order of the data."""


class Span(NamedTuple):
    """Where in the data a weight lies."""

    start: int
    stop: int
    name: str
    kind: str
    """A key of WEIGHT_TYPES."""


def check_weight_file(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> WeightFile:
    """The weight file, if its header promises exactly these weights and no byte more.

    Only the header is read.

    Raises:
        ModelFolderError: it is no safetensors file, or of another model.
    """
    real, header, start, size = read_weight_header(path)
    try:
        _check_names(header, shapes)
        spans = sorted(_span(name, header[name], shape) for name, shape in shapes.items())
        _check_spans(spans, size - start)
    except ModelFolderError as error:
        raise ModelFolderError(f"{path.name} {error}") from None
    return WeightFile(path=real, start=start, spans=spans)


def read_weight_header(path: Path) -> tuple[Path, dict[str, Any], int, int]:
    """A safetensors file's real path, what its header says of each tensor, and two places in bytes.

    The places are where the data begins and where the file ends.

    Raises:
        ModelFolderError: it is no safetensors file, or its header is larger than any of ours.
    """
    with open_plain(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if length > min(LARGEST_JSON, size - 8):
                raise ModelFolderError(
                    f"{path.name} is no safetensors file, or is cut short: "
                    f"its header would be {length:,} bytes of {size:,}"
                )
            content = file.read(length)
        except OSError as error:
            raise ModelFolderError(f"cannot read {path.name}: {error.strerror}") from None
    header = read_json(content, f"the header of {path.name}")
    header.pop("__metadata__", None)
    return Path(file.name), header, 8 + length, size


def _check_names(header: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    for name in shapes:
        if name not in header:
            raise ModelFolderError(f"lacks the weight {name}")
    for name in header:
        if name not in shapes:
            raise ModelFolderError(f"holds {shown(name)}, which config.json knows not")


def _span(name: str, entry: object, shape: tuple[int, ...]) -> Span:
    if not isinstance(entry, dict):
        raise ModelFolderError(f"says nothing of {name}")
    found = entry.get("shape")
    if not _are_whole(found) or tuple(found) != shape:
        raise ModelFolderError(
            f"has {name} in shape {shown(found)}, config.json asks for {list(shape)}"
        )
    kind = entry.get("dtype")
    if not isinstance(kind, str) or kind not in WEIGHT_TYPES:
        raise ModelFolderError(f"has {name} as {shown(kind)}: weights are F32 or F16")
    offsets = entry.get("data_offsets")
    size = WEIGHT_TYPES[kind] * math.prod(shape)
    if not _are_whole(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != size:
        raise ModelFolderError(
            f"is damaged: {name} has {size:,} bytes, but stands at {shown(offsets)}"
        )
    return Span(offsets[0], offsets[1], name, kind)


def _check_spans(spans: list[Span], size: int) -> None:
    """Raise unless the weights lie one after another in all `size` bytes of the data."""
    end = 0
    for start, stop, name, _ in spans:
        if start != end:
            how = "overlaps" if start < end else "leaves a hole after"
            raise ModelFolderError(f"is damaged: {name} {how} the weight before it")
        end = stop
    if end != size:
        how = "cut short" if end > size else "damaged"
        raise ModelFolderError(f"is {how}: its weights have {end:,} bytes, and it holds {size:,}")


def _are_whole(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(value) is int for value in values)


def check_subword_file(content: bytes, name: str, most_pieces: int) -> None:
    """Raise ModelFolderError unless SentencePiece can be trusted with the content.

    Its form is walked (protocol buffers, field numbers of sentencepiece_model.proto) before the
    library parses it, since two bytes of a file can cost it sixty of memory. A table of how to
    normalise text is refused: it would change what is read, and it is code of a kind.
    """
    pieces = others = 0
    try:
        for number, start, stop in _fields(content, 0, len(content)):
            if number == PIECE:
                pieces += 1
                if stop - start > LONGEST_PIECE:  # the page shows each as one token
                    raise ModelFolderError(f"{name} holds a piece of {stop - start:,} bytes")
            else:
                others += stop - start + 2
            if pieces > most_pieces or others > MOST_SETTINGS:
                raise ModelFolderError(f"{name} is too large: at most {most_pieces:,} pieces")
            if number == NORMALIZER and any(
                inner == NORMALIZER_TABLE and begin < end
                for inner, begin, end in _fields(content, start, stop)
            ):
                raise ModelFolderError(f"{name} changes the text that it reads")
    except (ValueError, IndexError):
        raise ModelFolderError(f"{name} is no SentencePiece model") from None


def _fields(content: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, start and stop of each field of a protocol buffer's message."""
    while at < end:
        number, kind = divmod(content[at], 8)
        at += 1
        if not 0 < number < 16 or kind not in (0, 2):  # what the models hold: one byte says it
            raise ValueError("a field of no such model")
        value, at = _varint(content, at)
        stop = at + value if kind == 2 else at
        if stop > end:
            raise ValueError("cut short")
        yield number, at, stop
        at = stop


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """The number that begins here, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether the value from a JSON file is a finite number that a measurement may give."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and -LARGEST_NUMBER < value < LARGEST_NUMBER
    )


def is_text(value: object) -> TypeGuard[str]:
    """Whether the value from a JSON file is a text that can be written as UTF-8."""
    return isinstance(value, str) and not SURROGATE.search(value)
