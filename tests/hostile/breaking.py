"""How to break a good model folder: each function here gives one that breaks the folder it gets."""

import json
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Break = Callable[[Path], object]
Cases = dict[str, tuple[Break, str]]  # name -> how to break the folder, and what is then said

CONFIG, WEIGHTS, CHARACTERS, SUBWORDS = (
    "config.json", "model.safetensors", "tokenizer.json", "tokenizer.model",
)  # fmt: skip
BIAS = "decoder.bias"  # the first of the weight file's data: 10 numbers, 40 bytes
DEEP = b"[" * 100_000
DUNDER = "__import__('os').abort()"


def without(name: str) -> Break:
    return lambda folder: (folder / name).unlink()


def holding(name: str, content: str | bytes) -> Break:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data)


def changed(name: str, change: Callable[[bytes], bytes]) -> Break:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))


def cut(name: str, share: float) -> Break:
    return changed(name, lambda content: content[: int(share * len(content))])


def sparse(name: str, size: int) -> Break:
    """A file that says it has `size` bytes and takes none."""

    def make(folder: Path) -> None:
        (folder / name).write_bytes(b"")
        os.truncate(folder / name, size)

    return make


def instead(name: str, make: Callable[[Path], object]) -> Break:
    """Something else in the file's place; `make` gets its path."""

    def replace(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        make(folder / name)

    return replace


def pipe(path: Path) -> None:
    os.mkfifo(path)  # here, so that a system without pipes can import this


def linked(name: str, target: str) -> Break:
    return instead(name, lambda path: path.symlink_to(target))


def moved_out(name: str) -> Break:
    """The right file, but outside of the folder, behind a link."""

    def move(folder: Path) -> None:
        (folder / name).rename(folder.with_suffix(f".{name}"))
        (folder / name).symlink_to(f"../{folder.name}.{name}")

    return move


def config_with(**changes: Any) -> Break:
    return changed(CONFIG, lambda text: json.dumps({**json.loads(text), **changes}).encode())


def config_saying(field: str, value: str) -> Break:
    """The config with this JSON text as the field's value."""
    mark = "a mark"
    return lambda folder: (
        config_with(**{field: mark})(folder),
        changed(CONFIG, lambda text: text.replace(f'"{mark}"'.encode(), value.encode()))(folder),
    )


def weights_with(change: Callable[[dict[str, torch.Tensor]], object]) -> Break:
    def rewrite(folder: Path) -> None:
        weights = load_file(folder / WEIGHTS)
        change(weights)
        save_file(weights, folder / WEIGHTS)

    return rewrite


def bias(tensor: torch.Tensor) -> Break:
    return weights_with(lambda weights: weights.update({BIAS: tensor}))


def swap(weights: dict[str, torch.Tensor], one: str, other: str) -> None:
    weights[one], weights[other] = weights[other], weights[one]


def header_text(change: Callable[[bytes], bytes]) -> Break:
    """Rewrite the JSON header of the weight file, its length right, the data left as it is."""

    def rewrite(content: bytes) -> bytes:
        end = 8 + int.from_bytes(content[:8], "little")
        text = change(content[8:end])
        return len(text).to_bytes(8, "little") + text + content[end:]

    return changed(WEIGHTS, rewrite)


def header_with(change: Callable[[dict[str, Any]], object]) -> Break:
    def rewrite(text: bytes) -> bytes:
        header = json.loads(text)
        change(header)
        return json.dumps(header).encode()

    return header_text(rewrite)


def entry_with(**changes: Any) -> Break:
    return header_with(lambda header: header[BIAS].update(changes))


def many_tensors(header: dict[str, Any]) -> None:
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header.update({f"t{number}": empty for number in range(200_000)})


def length_of(length: int) -> Break:
    return changed(WEIGHTS, lambda content: length.to_bytes(8, "little") + content[8:])


def as_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", "cos\nabort\n(tR.")


def giant(units: int, *, whole: bool) -> Break:
    """Weights of allowed sizes: the header promises all of them; the data is cut short, or whole.

    Where it is whole it takes no place on the disk: it is all zero, and NaN at its end.
    """

    def make(folder: Path) -> None:
        config_with(layers=2, hidden_size=units, embedding_size=units)(folder)
        shapes = {"embedding.weight": [10, units], BIAS: [10]}
        for layer in range(2):
            shapes |= {f"rnn.weight_{part}_l{layer}": [4 * units, units] for part in ("ih", "hh")}
            shapes |= {f"rnn.bias_{part}_l{layer}": [4 * units] for part in ("ih", "hh")}
        shapes["decoder.weight"] = [10, units]
        header, end = {}, 0
        for name, shape in shapes.items():
            start, end = end, end + 4 * math.prod(shape)
            header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
        text = json.dumps(header).encode()
        with (folder / WEIGHTS).open("wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.seek(end - 4 if whole else 996, os.SEEK_CUR)
            file.write(b"\0\0\xc0\x7f")

    return make


def characters(*values: Any) -> Break:
    return holding(CHARACTERS, json.dumps({"kind": "char", "characters": list(values)}))


def piece(text: bytes) -> bytes:
    """A piece of a SentencePiece model: field 1, holding a text as its field 1."""
    inner = b"\x0a" + varint(len(text)) + text
    return b"\x0a" + varint(len(inner)) + inner


def varint(number: int) -> bytes:
    """The number below 2**21, in three bytes."""
    return bytes([number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14])
