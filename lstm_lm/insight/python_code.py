"""Which characters of a text are comments and strings of Python, and whether it is Python at all.

As Python's own tokenizer has it, on code that may be cut anywhere, and the same on each version. As
in `parsers.py` an array (characters,) tells what holds once a character has been read. Knows
nothing of tokens or models.
"""

import re
from dataclasses import dataclass

import numpy as np

from lstm_lm.insight.parsers import Flags
from lstm_lm.insight.python_strings import STRING, CutOffError, NotClosedError, string_end

CODE_LINE = re.compile(
    r"\s*(?:(?:async )?def \w+\(|class \w+.*:\s*$|import \w|from [\w.]+ import\b|return\b|@\w"
    r"|(?:if|elif|while|for|with|except)\b.*:\s*$|(?:else|try|finally):|raise\b|pass\s*$|yield\b"
    r"|[\w.\[\]]+(?:, [\w.]+)* [-+*/|]?= |#|[\w.]+\(.*\)\s*$)"
)
CODE_SHARE = 0.25  # of the lines that are not blank
TRIPLE = ('"""', "'''")
NO_CODE = re.compile(rf"#[^\r\n]*|{STRING}", re.IGNORECASE)


def looks_like_python(text: str) -> bool:
    r"""Whether at least a quarter of the lines could be nothing but Python.

    >>> looks_like_python("def f(x):\n    return x\n"), looks_like_python("Return, my lord.\n")
    (True, False)
    """
    lines = [line for line in text.split("\n") if line.strip()]
    return bool(lines) and sum(map(bool, map(CODE_LINE.match, lines))) >= CODE_SHARE * len(lines)


@dataclass(frozen=True, kw_only=True)
class CodeRegions:
    """Which characters of Python code are no code."""

    comment: Flags
    """(characters,) inside a comment."""
    string: Flags
    """(characters,) inside a string literal, f-strings whole."""


def code_regions(text: str) -> CodeRegions:
    """Comments and strings of Python code.

    The code may be cut anywhere. A string that the end of the text cuts off goes on to that end;
    one that its line does not close ends with the line; and a text is taken to begin inside a
    triple-quoted string where that leaves more of its statements outside strings.
    """
    starts = np.array(_line_starts(text))
    statements = starts[[bool(CODE_LINE.match(line)) for line in text.split("\n")]]
    statements = statements[statements < len(text)]

    def inside(regions: CodeRegions) -> int:
        return int(regions.string[statements].sum())

    best = _regions(text)
    for quotes in TRIPLE:
        if inside(best) and quotes in text:
            whole = _regions(quotes + text)
            other = CodeRegions(comment=whole.comment[3:], string=whole.string[3:])
            best = min(best, other, key=inside)
    return best


def _line_starts(text: str) -> list[int]:
    return [0, *(at + 1 for at, character in enumerate(text) if character == "\n")]


def _regions(text: str) -> CodeRegions:
    comment, string = np.zeros((2, len(text)), dtype=bool)
    at = 0
    while (found := NO_CODE.search(text, at)) is not None:
        first, at = found.span()
        if not found["quotes"]:
            comment[first:at] = True
            continue
        try:
            at = string_end(text, found)
            last = at - 1  # outside again once the closing mark is read
        except CutOffError:
            last = at = len(text)
        except NotClosedError as broken:
            last = at = broken.at
        string[first:last] = True
    return CodeRegions(comment=comment, string=string)
