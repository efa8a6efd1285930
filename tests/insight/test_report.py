"""The findings of a model and a text on the command line."""

import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lstm_lm.insight.__main__ import main
from lstm_lm.insight.report import held_out
from lstm_lm.language_model import LanguageModel
from lstm_lm.surroundings.streams import Surviving
from tests.insight.test_units import TEXT
from tests.planted import delay_rnn, hand_set_lstm


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Both hand-set models and a text that they know."""
    hand_set_lstm().save_pretrained(tmp_path / "lstm")
    delay_rnn().save_pretrained(tmp_path / "rnn")
    (tmp_path / "text.txt").write_text(TEXT * 20)
    return tmp_path


def test_a_line_of_each_kind_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lstm, rnn = str(folder / "lstm"), str(folder / "rnn")
    assert main([lstm, str(folder / "text.txt"), "--compare", rnn, "--steps", "900"]) == 0
    lines = capsys.readouterr().out.splitlines()
    kinds = [line.split()[0] for line in lines]
    assert set(kinds) >= {"keeps", "follows", "detector", "saturation", "unit", "holding"}
    assert "models" in kinds
    assert kinds.count("gradient") == kinds.count("context") == 2
    assert all(re.match(r"\w+ +\S.*[.!]$", line) for line in lines)
    assert (
        "Unit 0 of layer 1 follows the position in the line: |r| = 1.00 with its cell state."
        in "".join(lines)
    )


def test_what_cannot_be_read_is_one_line_and_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, message in (
        (["nowhere"], "nowhere"),
        ([str(folder / "lstm"), str(folder / "gone.txt")], "no such file or folder"),
        ([str(folder / "lstm"), str(folder / "text.txt"), "--steps", "0"], "--steps is 0"),
    ):
        assert main(arguments) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        assert message in printed.err


def test_what_is_held_out_begins_with_a_line_of_the_last_tenth() -> None:
    text = "".join(f"line {number}\n" for number in range(1_000))
    rest = held_out([text[:4_000], text[4_000:]])
    assert text.endswith(rest)
    assert rest.startswith("line 9")
    assert 0.09 * len(text) < len(rest) <= 0.1 * len(text)


def test_an_rnn_is_reported_without_gates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder / "rnn"), str(folder / "text.txt"), "--steps", "900"]) == 0
    kinds = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert not kinds & {"acts", "keeps", "saturation"}
    assert isinstance(LanguageModel.from_pretrained(folder / "rnn"), LanguageModel)


class Failing(io.RawIOBase):
    """What stdout leads to, and no longer takes."""

    def __init__(self, error: OSError) -> None:
        self.error: OSError | None = error

    def writable(self) -> bool:
        return True

    def write(self, content: Any, /) -> int:
        if self.error:
            raise self.error
        return len(content)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BrokenPipeError(32, "Broken pipe"), 0, ""),
        (
            OSError(28, "No space left on device"),
            2,
            "lstm_lm.insight: cannot write the findings: No space left on device\n",
        ),
    ],
    ids=["left", "full"],
)
def test_a_reader_that_left_has_what_it_wanted_and_a_full_disk_is_told(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: OSError,
    code: int,
    said: str,
) -> None:
    stdout = Failing(error)
    monkeypatch.setattr(sys, "stdout", Surviving(io.BufferedWriter(stdout), encoding="utf-8"))
    assert main([str(folder / "lstm"), str(folder / "text.txt"), "--steps", "900"]) == code
    assert capsys.readouterr().err == said
    stdout.error = None  # or what is still buffered would fail when it is closed
