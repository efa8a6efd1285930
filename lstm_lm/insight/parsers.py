"""What a parser says of each character of a text: quotations, brackets, names, positions.

Every function takes a text and gives an array (characters,): what holds once that character has
been read, so that an opening mark is already inside and a closing one already outside. A text may
begin and end anywhere. Code has a parser of its own, `python_code.py`. Knows nothing of tokens or
models.
"""

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

CLOSED_BY = {"“": "”", "„": "“", "«": "»", "‘": "’", '"': '"', "'": "'"}
APOSTROPHES = "'’"
LONGEST_QUOTATION = 2_000  # characters ahead in which a straight single quote must be closed
LONGEST_AFTER_S = 20  # characters within which s' ends a quotation and is no "kings' "
# Words that begin, and words that end, with an apostrophe that is no quotation mark.
CLIPPED_BEFORE = re.compile(
    r"(?:tis|twas|twere|twill|twould|t|em|s|ll|d|gainst|scape|cause|bout|till?|n|neath|gan|fore|a"
    r"|rt|ld|pon|mongst|tween|cept|round)(?![^\W_])",
    re.IGNORECASE,
)
CLIPPED_AFTER = re.compile(r"(?:\A|[\W_])(?:i|o|th|a|wi|ha|t|an|s|g|y|d)\Z", re.IGNORECASE)
LONGEST_CLIPPED = 2

OPENING, CLOSING = "([{", ")]}"
STATEMENT = re.compile(r"[ \t]*(?:(?:async )?def|class|import|from|return|raise)\b|[ \t]*@\w")

NAME = r"[A-Z](?:[A-Za-z'’.-]| (?! )){0,39}"
NAME_LINE = re.compile(rf"(?:\A|(?<=\n\n))({NAME}):(?=\n|\Z| *\S)")
NAME_BEGUN = re.compile(rf"(?<=\n\n)({NAME})\Z")


def inside_quotes(text: str) -> Flags:
    """Inside quotation marks, straight, curly or angled; an apostrophe is not taken for one.

    A quotation ends at the latest at the next blank line. A straight single mark opens one only
    where its partner follows, for which the text ahead is read.

    >>> inside_quotes('a "b" c').astype(int).tolist()
    [0, 0, 1, 1, 0, 0, 0]
    """
    result = np.zeros(len(text), dtype=bool)
    waiting: list[str] = []  # the marks that would close what is open
    partner = -1  # where the open straight single quotation ends
    for at, character in enumerate(text):
        if character == "\n" and text[at - 1 : at] == "\n":
            waiting.clear()
        elif waiting and character == waiting[-1]:
            apostrophe = (character == "'" and at != partner) or (
                character == "’" and _between_letters(text, at)
            )
            if not apostrophe:
                waiting.pop()
        elif character == "'":
            partner_here = _partner(text, at) if "'" not in waiting else -1
            if partner_here > 0:
                partner = partner_here
                waiting.append("'")
        elif character in CLOSED_BY:
            waiting.append(CLOSED_BY[character])
        result[at] = bool(waiting)
    return result


def _between_letters(text: str, at: int) -> bool:
    return text[at - 1 : at].isalpha() and text[at + 1 : at + 2].isalpha()


def _partner(text: str, opening: int) -> int:
    """Where the straight single mark at `opening` is closed, or -1: it is an apostrophe."""
    if text[opening - 1 : opening].isalnum() or not text[opening + 1 : opening + 2].strip():
        return -1
    if CLIPPED_BEFORE.match(text, opening + 1):
        return -1
    end = text.find("\n\n", opening)
    end = min(end if end >= 0 else len(text), opening + LONGEST_QUOTATION)
    at = text.find("'", opening + 1, end)
    while at >= 0:
        before, after = text[at - 1], text[at + 1 : at + 3]
        clipped = CLIPPED_AFTER.search(text[max(opening, at - 1 - LONGEST_CLIPPED) : at])
        plural = before == "s" and after[:1] == " " and after[1:].islower()
        if not (
            before.isspace()
            or after[:1].isalnum()
            or clipped
            or (plural and at - opening > LONGEST_AFTER_S)
        ):
            return at
        at = text.find("'", at + 1, end)
    return -1


def bracket_depth(text: str, ignored: Flags | None = None) -> Counts:
    """How many round, square or curly brackets are open.

    A closing bracket with no partner is left out. What is open is forgotten at a blank line, and
    in code (where `ignored` is given) at the next definition, so that one stray bracket does not
    count for ever.

    Args:
        text: any text.
        ignored: (characters,) where brackets do not count: strings and comments of code.

    >>> bracket_depth("a(b[c])d").tolist()
    [0, 1, 1, 2, 2, 1, 0, 0]
    """
    result = np.zeros(len(text), dtype=np.int64)
    is_open: list[str] = []
    for at, character in enumerate(text):
        if character == "\n":
            if (ignored is None and text[at - 1 : at] == "\n") or (
                ignored is not None and STATEMENT.match(text, at + 1)
            ):
                is_open.clear()
        elif ignored is not None and ignored[at]:
            pass
        elif character in OPENING:
            is_open.append(CLOSING[OPENING.index(character)])
        elif character in CLOSING and character in is_open:
            while is_open.pop() != character:
                pass
        result[at] = len(is_open)
    return result


def speaker_names(text: str) -> Flags:
    r"""The letters of a speaker's name in a play: a line's beginning up to its colon.

    A name stands at the start of the text or after a blank line, begins with a capital, has at
    most 40 characters, and either fills its line or is all in capitals. At the end of the text
    it may be unfinished.

    >>> speaker_names("Who?\n\nROMEO:\nI.").astype(int).tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    """
    result = np.zeros(len(text), dtype=bool)
    for found in NAME_LINE.finditer(text):
        if text[found.end() : found.end() + 1] in ("", "\n") or found[1].isupper():
            result[found.start(1) : found.end(1)] = True
    for found in NAME_BEGUN.finditer(text):
        result[found.start(1) : found.end(1)] = True
    return result


def line_position(text: str) -> Counts:
    """Characters of the line so far; 0 at a newline."""
    return _since(text, lambda at: text[at] == "\n")


def letters_since_space(text: str) -> Counts:
    """Characters since the last white space; 0 at one."""
    return _since(text, lambda at: text[at].isspace())


def since_blank_line(text: str) -> Counts:
    """Characters since the last blank line; 0 at its newline."""
    return _since(text, lambda at: text[at] == "\n" and text[at - 1 : at] == "\n")


def indentation(text: str) -> Counts:
    """White space at the beginning of the line, as far as it was read."""
    result = np.zeros(len(text), dtype=np.int64)
    depth, blank = 0, True
    for at, character in enumerate(text):
        if character == "\n":
            depth, blank = 0, True
        elif blank and character.isspace():
            depth += 1
        else:
            blank = False
        result[at] = depth
    return result


def word_starts(text: str) -> Flags:
    """The first letter of a word; a letter after an apostrophe within a word is not one."""
    result = np.zeros(len(text), dtype=bool)
    for at, character in enumerate(text):
        before = text[at - 1 : at]
        if before and before in APOSTROPHES:
            before = text[at - 2 : at - 1] if at > 1 else ""
        result[at] = character.isalpha() and not before.isalpha()
    return result


def upper_case(text: str) -> Flags:
    """A capital letter."""
    return np.fromiter((character.isupper() for character in text), dtype=bool, count=len(text))


def _since(text: str, restart: Callable[[int], bool]) -> Counts:
    result = np.zeros(len(text), dtype=np.int64)
    count = 0
    for at in range(len(text)):
        count = 0 if restart(at) else count + 1
        result[at] = count
    return result
