"""A trace's file is read only if all of it is one, and before that none of it."""

import io
import json
import os
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.cells.signals import SIGNAL_NAMES
from lstm_lm.errors import UserError
from lstm_lm.traces.trace import GateTrace

GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 4), }\n"
SHAPE = (2, 3, 4)  # layers, steps, units
Members = dict[str, Any]


def members() -> Members:
    """The arrays of a good file."""
    values = np.arange(24, dtype=np.float32).reshape(SHAPE)
    return {
        "forget_gate": values,
        "hidden_state": -values,
        "token_ids": np.arange(3),
        "log_probs": np.zeros(3, np.float32),
        "tokens": text(["a", "b", "c"]),
    }


def text(value: object) -> Any:
    return np.frombuffer(json.dumps(value).encode(), np.uint8)


def saved(arrays: Members) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


def load(content: bytes, folder: Path) -> GateTrace:
    path = folder / "trace.npz"
    path.write_bytes(content)
    return GateTrace.load(path)


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """An array's file with this header."""
    return (
        b"\x93NUMPY"
        + bytes([version, 0, len(header) % 256, len(header) // 256])
        + (header.encode() + data)
    )


def zipped(change: Callable[[zipfile.ZipFile], object], compression: int = 8) -> bytes:
    """A good file but for its signals, and what `change` adds."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, array in members().items():
            if name not in SIGNAL_NAMES:
                member = io.BytesIO()
                np.save(member, array)
                archive.writestr(f"{name}.npy", member.getvalue())
        change(archive)
    return content.getvalue()


def with_member(member: bytes) -> bytes:
    return zipped(lambda archive: archive.writestr("hidden_state.npy", member))


def with_header(shape: str, data: bytes = b"", kind: str = "'<f4'") -> bytes:
    header = GOOD.replace("'<f4'", kind).replace("(2, 3, 4)", shape)
    return with_member(npy(header, data))


def patched(content: bytes, offset_from_end: int, value: bytes) -> bytes:
    start = len(content) - offset_from_end
    return content[:start] + value + content[start + len(value) :]


def promising(size: int) -> bytes:
    """A file whose one signal has `size` bytes, as its header and the zip's list have it."""
    said = with_header(f"(1, 3, {size // 12})")
    at = said.rindex(b"hidden_state.npy") - 22  # its size in the list
    size += int.from_bytes(said[at : at + 4], "little")
    return said[:at] + size.to_bytes(4, "little") + said[at + 4 :]


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not an archive of ours"),
    "text": (lambda: b"text" * 99, "not an archive of ours"),
    "a pickle": (lambda: b"cposix\nabort\n(tR.", "not an archive of ours"),
    "cut": (lambda: saved(members())[:-30], "not an archive of ours"),
    "no signal": (lambda: saved({"x": np.zeros(3)}), "it holds no signal"),
    "no ids": (
        lambda: saved({k: v for k, v in members().items() if k != "token_ids"}),
        "token_ids is not there",
    ),
    "no tokens": (
        lambda: saved({k: v for k, v in members().items() if k != "tokens"}),
        "its tokens are not a text for each step",
    ),
    "an object": (
        lambda: saved(members() | {"hidden_state": np.array([object()])}),
        "'hidden_state.npy' is no array of numbers",
    ),
    "flat": (lambda: saved(members() | {"forget_gate": np.zeros(3, "f")}), r"forget_gate has shap"),
    "float64": (
        lambda: saved(members() | {"hidden_state": np.zeros(SHAPE)}),
        r"hidden_state is \(2, 3, 4\) float64, not \(2, 3, 4\) float32",
    ),
    "another shape": (
        lambda: saved(members() | {"hidden_state": np.zeros((2, 3, 5), np.float32)}),
        r"hidden_state is \(2, 3, 5\) float32, not \(2, 3, 4\) float32",
    ),
    "no steps": (
        lambda: saved(dict.fromkeys(members(), np.zeros((2, 0, 4), np.float32))),
        r"input|forget_gate has shape \(2, 0, 4\)",
    ),
    "more ids": (lambda: saved(members() | {"token_ids": np.arange(4)}), r"token_ids is \(4,\)"),
    "ids of floats": (lambda: saved(members() | {"token_ids": np.zeros(3)}), "token_ids is"),
    "more tokens": (lambda: saved(members() | {"tokens": text(list("abcd"))}), "not a text for"),
    "tokens of numbers": (lambda: saved(members() | {"tokens": text([1, 2, 3])}), "not a text for"),
    "tokens a text": (lambda: saved(members() | {"tokens": text("abc")}), "not a text for"),
    "tokens no JSON": (
        lambda: saved(members() | {"tokens": np.frombuffer(b"[", np.uint8)}), "no saved trace",
    ),
    "tokens no ASCII": (
        lambda: saved(members() | {"tokens": np.frombuffer(b"\xff", np.uint8)}), "no saved trace",
    ),
    "tokens deep": (
        lambda: saved(members() | {"tokens": np.frombuffer(b"[" * 10**5, np.uint8)}), "recursion",
    ),
    "tokens huge": (
        lambda: saved(members() | {"tokens": np.zeros(2**23 + 1, np.uint8)}), r"tokens.npy' is \(8",
    ),
    "tokens of floats": (
        lambda: saved(members() | {"tokens": np.zeros(9)}), r"'tokens.npy' is \(9,\) float64",
    ),
    "about a list": (lambda: saved(members() | {"about": text([1])}), "of its model is no text"),
    "about a number": (lambda: saved(members() | {"about": text({"model": 1})}), "model is no te"),
    "layers unnamed": (
        lambda: saved(members() | {"about": text({"layer_names": ["one"]})}), "for each layer",
    ),
    "header deep": (lambda: with_header("(" * 4000), "is no array of numbers"),
    "header long": (lambda: with_header("(1,)" + " " * 20_000), "is no array of numbers"),
    "header code": (lambda: with_header("__import__('os').abort()"), "is no array of numbers"),
    "header no dict": (lambda: with_member(npy("[1]\n")), "is no array of numbers"),
    "header of version 2": (lambda: with_member(npy(GOOD, bytes(96), 2)), "is no array of numbers"),
    "shape negative": (lambda: with_header("(-1, 3, 4)"), "is no array of numbers"),
    "shape of 5,000 digits": (lambda: with_header(f"({'9' * 900})"), "has 0 bytes, but shape"),
    "shape lies": (lambda: with_header("(2, 3, 4)", bytes(8)), "has 8 bytes, but shape"),
    "shape vast": (lambda: with_header(f"(2, 3, {10**12})"), "has 0 bytes, but shape"),
    "shape 2**62": (lambda: with_header(f"({2**62}, 3, 0)"), r"hidden_state has shape \(46"),
    "type of nothing": (lambda: with_header("(2, 3, 4)", kind="'|V0'"), "is no array of numbers"),
    "promises": (lambda: promising(3 * 2**30), r"its arrays have 3,221,\S+ bytes: at most 2,147"),
    "not an array": (lambda: with_member(b"hello"), "is no array of numbers"),
    "bzip2": (lambda: zipped(lambda _: None, zipfile.ZIP_BZIP2), "compressed in another way"),
    "encrypted": (
        # The flag stands in the list, 8 bytes into the last entry.
        lambda: patched(
            saved(members()), 22 + 46 + len("tokens.npy") - 8, b"\1\0"
        ),
        "is encrypted",
    ),
    "many": (lambda: saved({f"a{n}": np.zeros(1) for n in range(17)}), "list of 17 arrays is too"),
    "a list of 60,000": (lambda: patched(saved(members()), 12, b"\x60\xea"), "list of 60,000"),
    "a long list": (lambda: patched(saved(members()), 10, b"\xff\xff\xff\x7f"), "is too long"),
    "a larger format": (lambda: patched(saved(members()), 42, b"PK\6\7"), "not an archive of ours"),
    "a comment": (
        lambda: patched(saved(members()), 2, b"\3\0") + b"abc", "not an archive of ours",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_file_that_is_no_trace_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    make, message = CASES[name]
    with pytest.raises(UserError, match=message) as caught:
        load(make(), tmp_path)
    text = str(caught.value)
    assert text.startswith(f"{tmp_path / 'trace.npz'} is no saved trace (")
    assert text.isprintable()
    assert len(text) < len(str(tmp_path)) + 250


def test_a_flipped_bit_is_noticed(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(saved(members()))) as archive:
        info = archive.getinfo("hidden_state.npy")
    content = bytearray(saved(members()))
    content[info.header_offset + 100] ^= 1
    with pytest.raises(UserError, match="is no saved trace"):
        load(bytes(content), tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_a_folder_or_a_hundred_gigabytes_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 10**11)
    told: list[str] = []

    def try_all() -> None:
        for path in (tmp_path / "pipe", tmp_path, tmp_path / "sparse"):
            with pytest.raises(UserError, match="is no saved trace") as caught:
                GateTrace.load(path)
            told.append(str(caught.value))

    thread = threading.Thread(target=try_all, daemon=True)  # a pipe would wait for ever
    thread.start()
    thread.join(60)
    assert len(told) == 3
    assert "it has 100,000,000,000 bytes" in told[2]


CHANGES = st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4)


@given(changes=CHANGES, cut=st.integers(-20, 20))
def test_a_changed_file_loads_as_a_trace_or_is_refused(
    changes: list[tuple[int, int]], cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(saved(members()))
    for place, value in changes:
        content[place % len(content)] = value
    try:
        trace = load(bytes(content[: len(content) - max(0, cut)]), tmp_path_factory.getbasetemp())
    except UserError:
        return
    assert trace.log_probs.shape == trace.token_ids.shape == (3,)
    assert len(trace.tokens) == 3
    assert all(trace[name].shape == SHAPE for name in trace)
