"""What people give for a text by mistake is called what it is."""

import bz2
import gzip
import io
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lstm_lm.text.file_kinds import KINDS, is_page, kind_of

TEXT = b"the early bird catches the worm, and the second mouse gets the cheese.\n" * 9


def zipped(*names: str, first: bytes = b"x") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, first if number == 0 else b"<xml/>")
    return content.getvalue()


def tarred() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("book.txt"))
    return content.getvalue()


WRITTEN = {
    "compressed with gzip": gzip.compress(TEXT),
    "compressed with bzip2": bz2.compress(TEXT),
    "compressed with xz": lzma.compress(TEXT),
    "a zip archive": zipped("book.txt"),
    "an EPUB book": zipped("mimetype", "book.xhtml", first=b"application/epub+zip"),
    "an OpenDocument file": zipped("mimetype", first=b"application/vnd.oasis.opendocument.text"),
    "a Word document": zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "an Excel workbook": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "a PowerPoint presentation": zipped("[Content_Types].xml", "ppt/slides/slide1.xml"),
    "a tar archive": tarred(),
    "a Python pickle": pickle.dumps({"text": "x"}),
    "rich text (RTF)": b"{\\rtf1\\ansi hello}",
    "a PDF": b"%PDF-1.4\n1 0 obj\n",
    "a picture (JPEG)": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
    "a picture (WebP)": b"RIFF\x24\0\0\0WEBPVP8 ",
    "a Parquet table": b"PAR1\x15\x04\x15\x10",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_of_another_kind_is_named(name: str) -> None:
    assert kind_of(WRITTEN[name]) == name


def test_weights_arrays_and_databases_are_named(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(3)}, tmp_path / "safetensors")
    torch.save({"x": torch.zeros(3)}, tmp_path / "torch")
    np.save(tmp_path / "numpy.npy", np.zeros(3))
    with sqlite3.connect(tmp_path / "sqlite") as database:
        database.execute("create table texts (text)")
    names = {
        "safetensors": "the weights of a model (safetensors)",
        "torch": "the weights of a model (PyTorch)",
        "numpy.npy": "a numpy array",
        "sqlite": "an SQLite database",
    }
    for file, name in names.items():
        assert kind_of((tmp_path / file).read_bytes()) == name


@pytest.mark.parametrize(
    "text", [TEXT, "é€第".encode(), "é".encode("latin1"), b"%", b"", b"{", b"\\documentclass{book}"]
)
def test_a_text_is_of_no_other_kind(text: bytes) -> None:
    assert kind_of(text) is None


def test_no_kind_hides_another() -> None:
    for offset, magic, name in KINDS:
        assert kind_of(b"\x01" * offset + magic) == name


@pytest.mark.parametrize(
    ("beginning", "page"),
    [
        (b"<!DOCTYPE html>\n<html>", True),
        (b"\xef\xbb\xbf \n<!-- saved -->\n<html lang=en>", True),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0', True),
        (b"<HTML><HEAD>", True),
        (b"<htmlish>", False),
        (b"the <html> element", False),
        (b'<?xml version="1.0"?><book/>', False),
    ],
)
def test_a_web_page_is_known_by_its_beginning(beginning: bytes, page: bool) -> None:
    assert is_page(beginning) is page
