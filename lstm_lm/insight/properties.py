"""Properties of a text, computed from the text alone and never from a model.

Each is a number a token: what a unit might follow, and what a gate might act on. The parsers work
on characters. A subword token has the property of its *last* character, which is what a model that
has read the token may know; the properties of single letters (a word's start, a capital) a token
has when any of its characters has them. Knows nothing of models.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_lm.errors import UserError
from lstm_lm.insight import parsers
from lstm_lm.insight.python_code import code_regions, looks_like_python

Values = npt.NDArray[np.float64]

KEYS = (
    "comment", "string", "quotes", "speaker", "brackets", "depth",
    "line", "word", "paragraph", "indentation", "start", "upper",
)  # fmt: skip
"""The short names of all properties; which of them a text has depends on what it is."""

BYTE_TOKEN = re.compile(r"<0x[0-9A-F]{2}>\Z")  # how a piece of a longer character is shown


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of token, for the question at which kind a gate acts."""

    name: str
    """As it stands in a sentence: "at a line's end"."""
    where: npt.NDArray[np.bool_]
    """(steps,) which tokens are of this kind."""


@dataclass(frozen=True, kw_only=True)
class Property:
    """A number a token, for the question what a unit follows."""

    key: str
    """A short name without spaces, for addresses and options."""
    name: str
    """As it stands in a sentence: "follows the position in the line"."""
    values: Values
    """(steps,); 0 and 1 where the property is binary."""
    binary: bool
    """Whether it is there or not, rather than more or less."""
    remembered: bool
    """Whether it takes memory: it cannot be told from the last two characters alone."""


def text_of(tokens: Sequence[str]) -> str:
    """The text of the tokens, with one character for each byte of a character that is cut up."""
    return "".join("\ufffd" if BYTE_TOKEN.match(token) else token for token in tokens)


def token_ends(tokens: Sequence[str]) -> npt.NDArray[np.int64]:
    """Where each token ends in `text_of(tokens)`, (steps,): one past its last character."""
    lengths = [1 if BYTE_TOKEN.match(token) else len(token) for token in tokens]
    return np.cumsum(lengths, dtype=np.int64)


def token_kinds(tokens: list[str]) -> list[Kind]:
    """The kinds that tokens fall into; a token may be of several, or of none.

    >>> [kind.name for kind in token_kinds(["a", " "]) if kind.where[1]]
    ['at a space']
    """
    last = [token[-1:] for token in tokens]
    before = ["\n", *last[:-1]]
    found = {
        "at a line's end": [character == "\n" for character in last],
        "at a space": [character == " " for character in last],
        "at a word's first letter": [
            token.lstrip()[:1].isalpha() and (token[:1].isspace() or not earlier.isalpha())
            for token, earlier in zip(tokens, before, strict=True)
        ],
        "inside a word": [
            token[:1].isalpha() and earlier.isalpha()
            for token, earlier in zip(tokens, before, strict=True)
        ],
        "at a capital letter": [character.isupper() for character in last],
        "at a punctuation mark": [
            bool(character) and not character.isalnum() and not character.isspace()
            for character in last
        ],
    }
    return [Kind(name=name, where=np.array(where, dtype=bool)) for name, where in found.items()]


def properties(tokens: list[str]) -> list[Property]:
    """What a unit might follow in this text; those of code only where the text looks like code.

    Args:
        tokens: the text, a token an entry.
    """
    text = text_of(tokens)
    ends = token_ends(tokens)
    ignored = None
    if looks_like_python(text):
        regions = code_regions(text)
        ignored = regions.comment | regions.string
        kind = [
            _property("comment", "the inside of a comment", _last(ends, regions.comment)),
            _property("string", "the inside of a string", _last(ends, regions.string)),
        ]
    else:
        quotes, names = parsers.inside_quotes(text), parsers.speaker_names(text)
        kind = [
            _property("quotes", "the inside of quotation marks", _last(ends, quotes)),
            _property("speaker", "a speaker's name", _last(ends, names)),
        ]
    depth = _last(ends, parsers.bracket_depth(text, ignored))
    counted: list[tuple[str, str, Callable[[str], parsers.Counts]]] = [
        ("line", "the position in the line", parsers.line_position),
        ("word", "the letters since the last space", parsers.letters_since_space),
        ("paragraph", "the characters since the last blank line", parsers.since_blank_line),
        ("indentation", "the depth of indentation", parsers.indentation),
    ]
    return [
        *kind,
        _property("brackets", "the inside of brackets", depth > 0),
        _property("depth", "the depth of brackets", depth),
        *(_property(key, name, _last(ends, count(text))) for key, name, count in counted),
        _property("start", "a word's first letter", _any(ends, parsers.word_starts(text)), False),
        _property("upper", "upper case", _any(ends, parsers.upper_case(text)), False),
    ]


def marked(
    tokens: Sequence[str], spans: Iterable[tuple[int, int]], name: str = "what was marked"
) -> Property:
    """The property of lying in spans that a person has marked.

    Args:
        tokens: the text.
        spans: (start, stop) in characters of `text_of(tokens)`, stop excluded.
        name: as it stands after "follows".

    Raises:
        UserError: a span is empty or reaches beyond the text.
    """
    ends = token_ends(tokens)
    length = int(ends[-1]) if len(ends) else 0
    inside = np.zeros(length, dtype=bool)
    for start, stop in spans:
        if not 0 <= start < stop <= length:
            raise UserError(
                f"the span {start} to {stop} is empty or reaches beyond the text's {length} "
                "characters: mark at least one character of the text"
            )
        inside[start:stop] = True
    return _property("marked", name, _last(ends, inside))


def _property(key: str, name: str, values: npt.NDArray[Any], remembered: bool = True) -> Property:
    binary = values.dtype == np.bool_
    return Property(
        key=key,
        name=name,
        values=values.astype(np.float64),
        binary=binary,
        remembered=remembered,
    )


def _last(ends: npt.NDArray[np.int64], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The value at each token's last character; an empty token has that of the one before."""
    if not len(values):
        return np.zeros(len(ends), dtype=values.dtype)
    return values[np.maximum(ends - 1, 0)]


def _any(ends: npt.NDArray[np.int64], values: parsers.Flags) -> parsers.Flags:
    """Whether any of a token's characters has the property."""
    before = np.concatenate(([0], np.cumsum(values)))
    return np.diff(before[ends], prepend=0) > 0
