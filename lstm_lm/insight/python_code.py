"""Which characters of a text are comments and strings of Python, and whether it is Python at all.

By Python's own tokenizer, on code that may be cut anywhere. As in `parsers.py` an array
(characters,) tells what holds once a character has been read. Knows nothing of tokens or models.
"""

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lstm_lm.insight.parsers import Flags

CODE_LINE = re.compile(
    r"\s*(?:(?:async )?def \w+\(|class \w+.*:\s*$|import \w|from [\w.]+ import\b|return\b|@\w"
    r"|(?:if|elif|while|for|with|except)\b.*:\s*$|(?:else|try|finally):|raise\b|pass\s*$|yield\b"
    r"|[\w.\[\]]+(?:, [\w.]+)* [-+*/|]?= |#|[\w.]+\(.*\)\s*$)"
)
CODE_SHARE = 0.25  # of the lines that are not blank
TRIPLE = ('"""', "'''")
STRING_OPENS = {"FSTRING_START", "TSTRING_START"}  # tokens of Python 3.12 and 3.14
STRING_CLOSES = {"FSTRING_END", "TSTRING_END"}


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
    """Comments and strings of Python code, by Python's own tokenizer.

    The code may be cut anywhere. Where the tokenizer gives up it is started again on the next
    line; a string that the end of the text cuts off goes on to that end; and a text is taken to
    begin inside a triple-quoted string where that leaves more of its statements outside strings.
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
    starts = _line_starts(text)
    line = 0
    while line < len(starts):
        line += _read_code(text[starts[line] :], starts[line], starts[line:], comment, string)
    return CodeRegions(comment=comment, string=string)


def _read_code(text: str, offset: int, starts: list[int], comment: Flags, string: Flags) -> int:
    """Mark what the tokenizer can read from here, and say after how many lines to start again."""

    def place(position: tuple[int, int]) -> int:
        row = min(position[0], len(starts)) - 1
        return min(starts[row] + position[1], len(comment))

    def at_the_end(position: int) -> bool:
        return "\n" not in text[position - offset :]

    begun: list[int] = []  # where f-strings began
    lines = _lines(text)
    try:
        for token in tokenize.generate_tokens(lambda: next(lines, "")):
            kind = tokenize.tok_name[token.type]
            first, last = place(token.start), place(token.end)
            if kind == "COMMENT":
                comment[first:last] = True
            elif kind == "STRING":
                string[first : last - 1] = True  # outside again once the closing mark is read
            elif kind in STRING_OPENS:
                begun.append(first)
            elif kind in STRING_CLOSES and begun:
                string[begun.pop() : last - 1] = True
            elif kind == "ERRORTOKEN" and token.string[:1] in "'\"" and at_the_end(first):
                # Up to Python 3.11, a string that is cut off within its line.
                string[first:] = True
                return len(starts)
    except (tokenize.TokenError, SyntaxError) as error:
        message = str(error.args[0]) if error.args else ""
        row = _row_of(error)
        if "string" in message:  # not closed: what is left of the text is inside
            position = error.args[1][:2] if isinstance(error, tokenize.TokenError) else (row, 0)
            first = begun[0] if begun else place(position)
            if "multi-line" in message or "triple" in message or at_the_end(first):
                string[first:] = True
                return len(starts)
        elif "EOF in multi-line statement" in message:
            return len(starts)
        # A line whose indentation fits nothing begins afresh; any other is skipped.
        return max(row - 1 if isinstance(error, IndentationError) else row, 1)
    return len(starts)


def _lines(text: str) -> Iterator[str]:
    # Not splitlines: only "\n" ends a line here, as in the line starts above.
    yield from io.StringIO(text, newline="\n")


def _row_of(error: Exception) -> int:
    """The line, from 1, at which the tokenizer gave up."""
    if isinstance(error, SyntaxError):
        return error.lineno or 1
    return error.args[1][0]  # a TokenError's (message, (row, column))
