"""A file that is no UTF-8 text -> the error that says what it is, and what does not spoil its text.

Told from the file's beginning and from what is around the byte in question.
"""

import codecs
import shlex
from pathlib import Path

from lstm_lm.errors import TextError
from lstm_lm.text.encodings import encoding_of, wide_encoding
from lstm_lm.text.file_kinds import kind_of

LOOKED_AT = 2**16  # bytes
MOSTLY = 10  # characters of UTF-8 to each byte that is none: a text with a few wrong bytes
OR_EDITOR = "or save it as UTF-8 in your editor"


def no_text(path: Path, offset: int, *, at_end: bool = False) -> TextError:
    """The error for the file, whose byte at the offset is zero or begins no character of UTF-8.

    Args:
        path: of the file.
        offset: counts from 0.
        at_end: whether the file ends within the character that begins at the offset.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        beginning = file.read(LOOKED_AT)
        start = max(0, offset - LOOKED_AT // 2)
        file.seek(start)
        around = file.read(LOOKED_AT)
    kind = kind_of(beginning)
    if kind:
        return TextError(f"{path} is {kind}, no plain text: give the text that is in it")
    wide = wide_encoding(beginning)
    if wide:
        return TextError(f"{path} is {wide}: convert it to UTF-8 first, {_with_iconv(wide, path)}")
    before, rest = around[: offset - start], around[offset - start :]
    if rest.startswith(b"\0"):
        return TextError(f"{path} is binary: byte offset {offset:,} is zero; give plain text")
    found = f"{path} is not UTF-8: byte offset {offset:,} begins no character"
    if at_end and (len(rest) > 1 or not before.isascii()):
        return TextError(
            f"{found}, for the file ends within it and was cut off: get the file whole, or leave "
            f"out its last {'byte' if len(rest) == 1 else f'{len(rest)} bytes'}"
        )
    text = around.decode("utf-8", "replace")
    beyond = sum(character > "\x7f" for character in text)
    wrong = text.count("\ufffd")
    if beyond - wrong >= MOSTLY * wrong:
        return TextError(f"{found}, though its other bytes do: mend the text there")
    line = before.rfind(b"\n") + 1 if start else 0  # no encoding has a newline in a character
    reading = encoding_of(around[line:].removeprefix(codecs.BOM_UTF8))
    if reading is None:
        return TextError(
            f"{found}; save it as UTF-8 in your editor, or convert it with "
            "iconv -f ITS-ENCODING -t UTF-8"
        )
    return TextError(
        f"{found}; in {reading.name} it reads {reading.shows!r}: if that is right, convert it "
        f"{_with_iconv(reading.name, path)}"
    )


def _with_iconv(encoding: str, path: Path) -> str:
    given = shlex.quote(str(path))
    return f"with  iconv -f {encoding} -t UTF-8 {given} > utf8.txt  {OR_EDITOR}"
