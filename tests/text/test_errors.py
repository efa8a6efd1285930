"""A file that is no UTF-8 is named for what it is, and no advice spoils its text."""

import gzip
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from lstm_lm.errors import TextError
from lstm_lm.text.sources import read_text

QUOTED = "“It’s” — so, he said.\n"


def problem(path: Path, content: bytes) -> str:
    """What is wrong with a file of this content."""
    path.write_bytes(content)
    with pytest.raises(TextError) as caught:
        "".join(read_text([path]))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="this machine has no iconv")
@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (QUOTED, "cp1252"),
        (QUOTED, "utf-16"),
        (QUOTED, "utf-16-le"),
        ("第一回 风雪山神庙\n", "gb18030"),
        ("吾輩は猫である。\n", "cp932"),
        ("Καλημέρα, τι κάνεις;\n", "cp1253"),
        ("Où est le café? Ça va?\n", "mac_roman"),
    ],
)
def test_the_advice_followed_gives_the_text(tmp_path: Path, text: str, codec: str) -> None:
    advice = problem(tmp_path / "it's a book.txt", (text * 40).encode(codec))
    command = re.search(r"with  (iconv .*) > utf8\.txt", advice)
    assert command, advice
    done = subprocess.run(shlex.split(command[1]), check=True, capture_output=True)
    assert done.stdout.decode() == text * 40


def test_what_the_bytes_do_not_show_is_not_guessed(tmp_path: Path) -> None:
    advice = problem(tmp_path / "text", b"some \xff\xfe\xfd\x80 bytes")
    assert advice.endswith("or convert it with iconv -f ITS-ENCODING -t UTF-8")


def test_a_text_far_into_a_file_is_looked_at_where_it_is_wrong(tmp_path: Path) -> None:
    plain = b"plain ASCII, line after line of it.\n" * 5_000
    advice = problem(tmp_path / "text", plain + ("第一回 风雪山神庙\n" * 9).encode("gb18030"))
    assert f"byte offset {len(plain):,} begins no character; in GB18030 it reads '第一回" in advice


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"plain text\xe2\x82", "its last 2 bytes"),
        ("schön wär’s".encode() + b"\xe2", "its last byte"),
    ],
)
def test_a_file_that_was_cut_off_is_said_to_be(tmp_path: Path, content: bytes, left: str) -> None:
    advice = problem(tmp_path / "text", content)
    assert "for the file ends within it and was cut off" in advice
    assert advice.endswith(f"or leave out {left}")


def test_one_byte_at_the_end_of_plain_text_is_a_letter_of_another_encoding(tmp_path: Path) -> None:
    assert "in WINDOWS-1252 it reads 'café'" in problem(tmp_path / "text", b"caf\xe9")


def test_a_few_wrong_bytes_in_utf8_are_not_taken_for_an_encoding(tmp_path: Path) -> None:
    content = ("Zażółć gęślą jaźń. " * 20).encode() + b"\xe9 " + "Są też inne.".encode()
    advice = problem(tmp_path / "text", content)
    assert advice.endswith("begins no character, though its other bytes do: mend the text there")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.4\nonly ASCII in it\n", "a PDF"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a PDF"),
        (b"{\\rtf1\\ansi only ASCII in it}", "rich text (RTF)"),
        (gzip.compress(b"text"), "compressed with gzip"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    advice = problem(tmp_path / "text", content)
    assert advice.endswith(f"text is {kind}, no plain text: give the text that is in it")
