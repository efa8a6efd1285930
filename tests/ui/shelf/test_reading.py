"""What a model can read of a person's text: notes and marks for the rest, and no text too long."""

import re

import pytest

from lstm_lm.errors import UserError
from lstm_lm.ui.shelf import reading
from lstm_lm.ui.shelf.reading import LONGEST_RAW, LONGEST_READ, readable
from tests.conftest import tiny_model

MODEL = tiny_model()  # knows a to h, space and newline


def test_unknown_characters_are_named_and_marked_where_they_stand() -> None:
    token_ids, notes, marks = readable(MODEL, "éab\u0007éc" + "é" * 500 + "d\x00", "the text")
    assert MODEL.tokenizer.decode(token_ids) == "abcd"
    assert marks == [
        {"before": 0, "text": "é"},
        {"before": 2, "text": "U+0007é"},
        {"before": 3, "text": "é" * 500},
        {"before": 4, "text": "U+0000"},
    ]
    (note,) = notes
    assert note.startswith("This model has never seen 'é' (U+00E9), ")
    assert note.endswith("it reads on without, and the text is marked where they stand.")


@pytest.mark.parametrize("text", ["é" * 300_000, "aé" * 150_000, "a" * 300_000])
def test_a_text_far_too_long_is_refused_before_a_character_is_looked_at(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_without", lambda *_: pytest.fail("looked at"))
    monkeypatch.setattr(type(MODEL.tokenizer), "unknown", lambda *_: pytest.fail("looked at"))
    line = f"the text has 300,000 characters; the page reads at most {LONGEST_READ:,} tokens: "
    with pytest.raises(UserError, match=f"^{re.escape(line)}[^\\n]*$"):
        readable(MODEL, text, "the text")


def test_the_longest_text_of_unknown_characters_is_one_mark() -> None:
    token_ids, notes, marks = readable(MODEL, "é" * LONGEST_RAW, "the text")
    assert MODEL.tokenizer.decode(token_ids) == "\n"
    assert marks == [{"before": 0, "text": "é" * LONGEST_RAW}]
    assert notes[-1] == "Nothing of the text can be read, so the model starts from a newline."
