"""What a file is that is no plain text, by its first bytes: their "magic numbers".

As in the database of file(1), https://github.com/file/file, for what people have texts in or give
by mistake. Knows nothing of where the bytes came from.
"""

import codecs
import re

KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"%PDF-", "a PDF"),
    (0, b"{\\rtf", "rich text (RTF)"),
    (0, b"%!PS", "PostScript"),
    (0, b"\x1f\x8b", "compressed with gzip"),
    (0, b"BZh", "compressed with bzip2"),
    (0, b"\xfd7zXZ\0", "compressed with xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (0, b"\x04\x22\x4d\x18", "compressed with lz4"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"PAR1", "a Parquet table"),
    (0, b"ARROW1", "an Arrow table"),
    (0, b"SQLite format 3\0", "an SQLite database"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"\x93NUMPY", "a numpy array"),
    (0, b"GGUF", "the weights of a model (GGUF)"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.doc, .xls, .ppt)"),
    (60, b"BOOKMOBI", "a Kindle book"),
    (0, b"AT&TFORM", "a DjVu book"),
    (0, b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)"),
    (0, b"GIF8", "a picture (GIF)"),
    (0, b"II*\0", "a picture (TIFF)"),
    (0, b"MM\0*", "a picture (TIFF)"),
    (8, b"WEBP", "a picture (WebP)"),
    (8, b"WAVE", "a sound (WAV)"),
    (0, b"OggS", "a sound (Ogg)"),
    (0, b"ID3", "a sound (MP3)"),
    (0, b"fLaC", "a sound (FLAC)"),
    (4, b"ftyp", "a film or a picture (MP4, HEIC)"),
    (0, b"\x1aE\xdf\xa3", "a film (Matroska, WebM)"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program for Windows"),
)
"""Where the bytes stand, the bytes, and what a file is that has them there."""

ZIP = b"PK\x03\x04"
IN_ZIP = (
    (b"mimetypeapplication/epub+zip", "an EPUB book"),
    (b"mimetypeapplication/vnd.oasis.opendocument.", "an OpenDocument file"),
    (b"word/", "a Word document"),
    (b"xl/", "an Excel workbook"),
    (b"ppt/", "a PowerPoint presentation"),
    (b"/data.pkl", "the weights of a model (PyTorch)"),
    (b".npyPK", "numpy arrays"),
)
WOULD_PASS = (b"%PDF-", b"{\\rtf", ZIP)
"""Kinds that are refused by their first bytes alone: one of them may hold nothing but ASCII."""

PAGE = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html)\b", re.I | re.S)


def kind_of(beginning: bytes) -> str | None:
    """What a file that begins so is, where that is no text; None where its beginning tells nothing.

    >>> kind_of(b"%PDF-1.7"), kind_of(b"To be, or not to be")
    ('a PDF', None)
    """
    if beginning.startswith(ZIP):
        return next((name for part, name in IN_ZIP if part in beginning), "a zip archive")
    for offset, magic, name in KINDS:
        if beginning.startswith(magic, offset):
            return name
    if re.match(rb"\x80[\x02-\x05][\x8a\x95(c}\]]", beginning):
        return "a Python pickle"
    if beginning[8:10] == b'{"' and int.from_bytes(beginning[:8], "little") < 2**27:
        return "the weights of a model (safetensors)"
    return None


def is_page(beginning: bytes) -> bool:
    """Whether a text that begins so is a web page, its markup and all."""
    return PAGE.match(beginning.removeprefix(codecs.BOM_UTF8)) is not None
