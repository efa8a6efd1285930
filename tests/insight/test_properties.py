"""Properties of a text by parsers: small texts with a known answer, and code cut anywhere."""

import heapq
import inspect
import tokenize

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.errors import UserError
from lstm_lm.insight import parsers
from lstm_lm.insight.properties import marked, properties, text_of
from lstm_lm.insight.python_code import code_regions, looks_like_python

CODE = '''def greet(name):  # say "hi"
    """A doc with 'quotes' and # no comment."""
    text = f"hello {name}, it's (you"
    return {"a": [text, 'b']}
'''
STANDARD = inspect.getsource(tokenize)


def inside(text: str, flags: np.ndarray) -> list[str]:
    """The runs of characters that have the property."""
    runs, run = [], ""
    for character, flag in zip(text + " ", [*flags, False], strict=True):
        if flag:
            run += character
        elif run:
            runs.append(run)
            run = ""
    return runs


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('He said "go on" and left', ['"go on']),
        ("He said “go on” and left", ["“go on"]),
        ("Il dit «va» et «viens»", ["«va", "«viens"]),
        ("Er sagte „geh“ und ging", ["„geh"]),
        ("the other's boys' don't o'er 'tis th' end", []),
        ("the other’s boys’ don’t o’er ’tis th’ end", []),
        ("and cries 'don't go,' she said", ["'don't go,"]),
        ("His absolute 'shall'? i' the kings' way", ["'shall"]),
        ("“She said ‘don’t’ twice,” he said", ["“She said ‘don’t’ twice,"]),
        ("and never closed 'so it seems", []),
        ('an open "mark ends\n\nwith its paragraph', ['"mark ends\n']),
        ("'Lord!' 'King!' they cried", ["'Lord!", "'King!"]),
    ],
)
def test_quotation_marks_are_told_from_apostrophes(text: str, quoted: list[str]) -> None:
    assert inside(text, parsers.inside_quotes(text)) == quoted


def test_brackets_nest_and_a_stray_one_is_forgotten() -> None:
    assert parsers.bracket_depth("f(x[1], {2})").tolist() == [
        0, 1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 0,
    ]  # fmt: skip
    assert parsers.bracket_depth("1) a (b\n\nc").tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0]


def test_comments_and_strings_are_those_of_pythons_tokenizer() -> None:
    regions = code_regions(CODE)
    assert inside(CODE, regions.comment) == ['# say "hi"']
    assert inside(CODE, regions.string) == [
        "\"\"\"A doc with 'quotes' and # no comment.\"\"", 'f"hello {name}, it\'s (you', '"a', "'b",
    ]  # fmt: skip


def test_brackets_in_strings_and_comments_of_code_do_not_count() -> None:
    depth = next(p for p in properties(list(CODE)) if p.key == "depth").values
    assert depth[CODE.index("(you")] == 0
    assert depth[CODE.index("text, 'b'")] == 2


@pytest.mark.parametrize("start", range(0, 9_000, 750))
def test_code_may_be_cut_anywhere(start: int) -> None:
    whole, part = code_regions(STANDARD), code_regions(STANDARD[start : start + 4_000])
    right = (part.string == whole.string[start : start + 4_000]) & (
        part.comment == whole.comment[start : start + 4_000]
    )
    # Only the line that the cut goes through may be misread.
    first_line = STANDARD.index("\n", start) - start
    assert right[first_line:].all(), STANDARD[start:][int(np.flatnonzero(~right)[0]) :][:60]


def test_a_text_that_begins_inside_a_docstring_is_read_right() -> None:
    text = '    the end of its words, isn\'t it?\n    """\n' + CODE + CODE
    found = code_regions(text).string
    assert inside(text, found)[0] == text[: text.index('"""') + 2]
    assert (found[-len(CODE) :] == code_regions(CODE).string).all()


@pytest.mark.parametrize("string", ['"abc', '"""abc\ndef', "f'''a\nb{c}"])
def test_a_string_that_the_end_cuts_off_goes_on_to_the_end(string: str) -> None:
    code = f"if x:\n  f({string}"
    assert inside(code, code_regions(code).string) == [string]


@given(st.text(alphabet="ab'\"#\\\n(){}[] \tf:=\r\0é", max_size=60))
def test_no_text_breaks_a_parser(text: str) -> None:
    regions = code_regions(text)
    assert len(regions.comment) == len(regions.string) == len(text)
    assert len(parsers.inside_quotes(text)) == len(text)
    assert (parsers.bracket_depth(text) >= 0).all()
    for found in properties(list(text)):
        assert found.values.shape == (len(text),)
        assert np.isfinite(found.values).all()


def test_code_is_told_from_plays_and_prose() -> None:
    assert looks_like_python(STANDARD)
    assert looks_like_python(inspect.getsource(heapq))
    play = "ROMEO:\nReturn, my lord, for if you will: go.\n\nJULIET:\nWhile I wait, with me: no.\n"
    assert not looks_like_python(play)
    assert {p.key for p in properties(list(CODE))} - {p.key for p in properties(list(play))} == {
        "comment", "string",
    }  # fmt: skip


def test_a_speakers_name_is_its_letters_up_to_the_colon() -> None:
    play = "First Citizen:\nSpeak.\n\nALL: Speak!\n\nNote well: speak\nROMEO: no\n\nMENENI"
    assert inside(play, parsers.speaker_names(play)) == ["First Citizen", "ALL", "MENENI"]


def test_positions_count_what_they_say() -> None:
    text = "Don't go\n\n  up"
    assert parsers.line_position(text).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 1, 2, 3, 4]
    assert parsers.letters_since_space(text).tolist() == [
        1, 2, 3, 4, 5, 0, 1, 2, 0, 0, 0, 0, 1, 2,
    ]  # fmt: skip
    assert parsers.since_blank_line(text).tolist() == [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4,
    ]  # fmt: skip
    assert parsers.indentation(text).tolist() == [0] * 10 + [1, 2, 2, 2]
    assert inside(text, parsers.word_starts(text)) == ["D", "g", "u"]
    assert inside(text, parsers.upper_case(text)) == ["D"]


def test_a_subword_has_the_property_of_its_last_character() -> None:
    tokens = ['He said "', "go", ' on" ', "and", " Left"]
    found = {p.key: p.values.tolist() for p in properties(tokens)}
    assert found["quotes"] == [1, 1, 0, 0, 0]
    assert found["line"] == [9, 11, 16, 19, 24]
    assert found["start"] == [1, 1, 1, 1, 1]
    assert found["upper"] == [1, 0, 0, 0, 1]


def test_bytes_of_one_character_are_a_character_each() -> None:
    tokens = ["a", "<0xE2>", "<0x82>", "<0xAC>", "b"]
    assert text_of(tokens) == "a\ufffd\ufffd\ufffdb"
    assert next(p for p in properties(tokens) if p.key == "line").values.tolist() == [1, 2, 3, 4, 5]


def test_marked_spans_are_a_property() -> None:
    found = marked(["ab", "cd", "ef"], [(1, 3), (5, 6)])
    assert found.values.tolist() == [1, 0, 1]
    with pytest.raises(UserError, match="the span 4 to 9 is empty or reaches beyond the text's 6"):
        marked(["ab", "cd", "ef"], [(4, 9)])
