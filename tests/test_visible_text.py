"""What steers a terminal or cannot be encoded is made visible; all else stays as it is."""

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.errors import ModelFolderError, SignalError, UnknownCharacterError, UserError
from lstm_lm.visible_text import printable, shell_path, shell_word, spelled

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=30)
NAMES = st.binary(min_size=1, max_size=20).map(
    lambda name: name.replace(b"\0", b"x").decode("utf-8", "surrogateescape")
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07\x1b[2J", r"\x1b]0;title\x07\x1b[2J"),
        ("\x9b31m", r"\u009b31m"),  # the same sequence as one character of C1
        ("abc\u202egnp.exe\u2066", r"abc\u202egnp.exe\u2066"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        ("a\r\nb\tc\x7f", r"a\r\nb\tc\x7f"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
    ],
)
def test_what_steers_or_cannot_be_encoded_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_text_of_every_script_stays_as_it_is() -> None:
    text = "naïve, 中文, עברית, می\u200cرود, 👩\u200d👧, \u00a0\u3000, \ue000, \U0003fffd, \\x1b"
    assert printable(text) == text


def test_lines_are_kept_where_they_may_stand_and_a_lone_return_is_not() -> None:
    assert printable("a\r\n\tb\rc\n", keep="\n\t") == "a\r\n\tb\\rc\n"


@given(ANY_TEXT)
def test_any_text_becomes_one_line_that_can_be_encoded_and_obeyed_by_nothing(text: str) -> None:
    shown = printable(text)
    assert shown.encode().decode() == shown
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@given(NAMES.filter(lambda name: "\\" not in name))
def test_the_name_of_a_file_can_be_read_back_from_what_is_shown(name: str) -> None:
    assert spelled(printable(name)) == name


@pytest.mark.skipif(not shutil.which("bash"), reason="words are read by a real shell")
def test_a_shell_reads_any_name_back_from_its_word() -> None:
    bad = bytes(range(1, 256)).decode("utf-8", "surrogateescape")
    names = ["my book", "it's", "$HOME `id`", "-x", "~", "~/x", "caf\udce9", "a\n\x1b\u202e", bad]
    words = " ".join(map(shell_path, names))
    assert words.isprintable()
    said = subprocess.run(
        ["bash", "-c", rf"printf '%s\0' {words}"],
        check=True,
        capture_output=True,
        env={"LC_ALL": "C.UTF-8"},
    ).stdout.split(b"\0")[:-1]
    wanted = [f"./{name}" if name[0] in "-~" else name for name in names]
    assert [name.decode("utf-8", "surrogateescape") for name in said] == wanted


def test_an_option_of_a_command_stays_one() -> None:
    assert shell_word("--out=my book") == "'--out=my book'"


@pytest.mark.parametrize("kind", [UserError, ModelFolderError, SignalError])
def test_every_error_for_a_person_is_one_line_that_can_be_shown(kind: type[UserError]) -> None:
    assert str(kind("no model \x1b[2J'caf\udce9\n'")) == r"no model \x1b[2J'caf\xe9\n'"
    assert str(UnknownCharacterError("no \x1b", {"\x1b": 3})) == r"no \x1b"
