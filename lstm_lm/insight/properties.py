"""Properties of a text, computed from the text alone and never from a model.

Each is a number a token: what a unit might follow, and what a gate might act on.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


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

    name: str
    """As it stands in a sentence: "follows the position in the line"."""
    values: Values
    """(steps,)."""


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
    """What a unit might follow, each counted at the last character of a token."""
    line, word, indent, names = [], [], [], []
    in_line = in_word = spaces = 0
    blank, upper = True, False
    for token in tokens:
        for character in token:
            if character == "\n":
                in_line = in_word = spaces = 0
                blank, upper = True, False
                continue
            in_line += 1
            in_word = 0 if character.isspace() else in_word + 1
            if blank and character.isspace():
                spaces += 1
            else:
                blank = False
            upper = character.isupper() if character.isalpha() else upper and character == " "
        line.append(in_line)
        word.append(in_word)
        indent.append(spaces)
        names.append(upper)
    return [
        Property(name="the position in the line", values=np.array(line, dtype=np.float64)),
        Property(name="the letters since the last space", values=np.array(word, np.float64)),
        Property(name="the depth of indentation", values=np.array(indent, dtype=np.float64)),
        Property(name="upper case", values=np.array(names, dtype=np.float64)),
    ]
