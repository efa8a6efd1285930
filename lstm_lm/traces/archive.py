"""The arrays of a saved trace (.npz), checked by their headers before any is decompressed.

A zip of a few kilobytes can hold zeros for the whole of a machine's memory, and its list of files
can be as long as the file: so the list is measured first, then each array's header is compared
with what a trace holds, and only then is data read. No pickle. Knows nothing of what traces mean.
"""

import json
import math
import os
import re
import stat
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.signals import SIGNALS_OF_CELL, VOCABULARY
from lstm_lm.errors import UserError, shown

Arrays = dict[str, npt.NDArray[Any]]
Header = tuple[tuple[int, ...], np.dtype[Any]]  # shape, type

LARGEST_TRACE = 2**31  # bytes of all arrays together
LARGEST_TEXT = 2**23  # bytes of JSON in an array: the tokens of a million steps
MOST_MEMBERS = 16
LARGEST_LIST = 2**12  # bytes of the list of members
END = 22  # bytes of the record at a zip's end, when it has no comment
TEXTS = ("tokens", "about")  # JSON in an array of bytes, since strings would need a pickle

# The header that numpy writes; its own reader takes any Python literal.
HEADER = re.compile(
    rb"\{'descr': '([<|][fiu][1248])', 'fortran_order': (?:True|False), "
    rb"'shape': \(([0-9, ]*)\), \} *\n"
)
LONGEST_HEADER = 2**10  # bytes
NUMBER = re.compile(rb"[0-9]+")
# What numpy, zipfile and json raise on a file that is something else, or damaged.
DAMAGED = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    NotImplementedError,
    RecursionError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_archive(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a saved trace by name, and what its texts say.

    Returns:
        The signals (layers, steps, units) float32, at least one; "token_ids" (steps,) int64;
        "log_probs" (steps,) float32. And of the texts "tokens", one string a step, and, where the
        file has it, "about", an object.

    Raises:
        UserError: the file is not there, or is no saved trace.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # asked first: to open a pipe is to wait
            raise UserError(f"{path} is no saved trace (it is no plain file)")
        with path.open("rb") as file:
            _check_list(file)
            with zipfile.ZipFile(file) as archive:
                return _read(archive)
    except FileNotFoundError:
        raise UserError(f"no such file: {path}") from None
    except DAMAGED as error:
        raise UserError(f"{path} is no saved trace ({_line(error)})") from None


def _line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text if text.isprintable() and len(text) < 100 else shown(text)


def _check_list(file: BinaryIO) -> None:
    """Raise ValueError if the zip's list of members is longer than a trace's."""
    size = os.fstat(file.fileno()).st_size
    if size > LARGEST_TRACE:
        raise ValueError(f"it has {size:,} bytes: at most {LARGEST_TRACE:,} are read")
    file.seek(max(0, size - 20 - END))
    tail = file.read()
    # The record of the end; before it, in larger archives, would stand where another one is.
    if tail[-END:-18] != b"PK\5\6" or tail[:4] == b"PK\6\7":
        raise ValueError("not an archive of ours")
    members = int.from_bytes(tail[-12:-10], "little")
    length = int.from_bytes(tail[-10:-6], "little")
    if members > MOST_MEMBERS or length > LARGEST_LIST:
        raise ValueError(f"its list of {members:,} arrays is too long")
    file.seek(0)


def _read(archive: zipfile.ZipFile) -> tuple[Arrays, dict[str, Any]]:
    known = {*VOCABULARY, "token_ids", "log_probs", *TEXTS}
    members = {
        name: info
        for info in archive.infolist()
        if (name := info.filename.removesuffix(".npy")) in known
    }
    headers = {name: _header(archive, info) for name, info in members.items()}
    names = _check_shapes(headers)
    total = sum(members[name].file_size for name in names)
    if total > LARGEST_TRACE:
        raise ValueError(f"its arrays have {total:,} bytes: at most {LARGEST_TRACE:,} are read")
    texts = {
        name: _text(archive, members[name], headers[name]) for name in TEXTS if name in members
    }
    layers, steps, _ = headers[names[0]][0]
    if not _are_texts(texts.get("tokens"), steps):
        raise ValueError("its tokens are not a text for each step")
    about = texts.setdefault("about", {})
    if not isinstance(about, dict) or not isinstance(about.get("model", ""), str):
        raise ValueError("what it says of its model is no text")
    if "layer_names" in about and not _are_texts(about["layer_names"], layers):
        raise ValueError("its layer names are not a text for each layer")
    return {name: _array(archive, members[name]) for name in names}, texts


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Header:
    """Shape and type of an array, if its data has the size that they make."""
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{shown(info.filename)} is encrypted, or compressed in another way")
    with archive.open(info) as member:
        magic, length = member.read(8), int.from_bytes(member.read(2), "little")
        found = HEADER.fullmatch(member.read(min(length, LONGEST_HEADER)))
    if magic != b"\x93NUMPY\1\0" or not found:
        raise ValueError(f"{shown(info.filename)} is no array of numbers")
    dtype, shape = np.dtype(found[1].decode()), tuple(map(int, NUMBER.findall(found[2])))
    size = info.file_size - 10 - length
    if size != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{shown(info.filename)} has {size:,} bytes, but shape {shown(shape)}")
    return shape, dtype


def _check_shapes(headers: dict[str, Header]) -> list[str]:
    """The names of the arrays, if their shapes and types belong together."""
    signals = _in_order({*VOCABULARY} & headers.keys())
    if not signals:
        raise ValueError("it holds no signal")
    shape = headers[signals[0]][0]
    if len(shape) != 3 or not all(shape):
        raise ValueError(f"{signals[0]} has shape {shown(shape)}, not (layers, steps, units)")
    wanted = {
        **dict.fromkeys(signals, (shape, np.dtype(np.float32))),
        "token_ids": (shape[1:2], np.dtype(np.int64)),
        "log_probs": (shape[1:2], np.dtype(np.float32)),
    }
    for name, (of_shape, of_type) in wanted.items():
        found = headers.get(name)
        if found != (of_shape, of_type):
            what = "is not there" if found is None else f"is {shown(found[0])} {found[1]}"
            raise ValueError(f"{name} {what}, not {of_shape} {of_type}")
    return list(wanted)


def _in_order(names: set[str]) -> list[str]:
    """The signals in the order of the cell that has them all; of no cell, as the vocabulary has."""
    for signals in SIGNALS_OF_CELL.values():
        known = [signal.name for signal in signals]
        if names <= {*known}:
            return [name for name in known if name in names]
    return [name for name in VOCABULARY if name in names]


def _text(archive: zipfile.ZipFile, info: zipfile.ZipInfo, header: Header) -> Any:
    shape, dtype = header
    if len(shape) != 1 or dtype != np.uint8 or shape[0] > LARGEST_TEXT:
        raise ValueError(f"{shown(info.filename)} is {shown(shape)} {dtype}")
    return json.loads(_array(archive, info).tobytes().decode("ascii"))


def _are_texts(tokens: object, count: int) -> bool:
    return (
        isinstance(tokens, list)
        and len(tokens) == count
        and all(isinstance(token, str) for token in tokens)
    )


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(info) as member:
        return np.lib.format.read_array(member, allow_pickle=False)
