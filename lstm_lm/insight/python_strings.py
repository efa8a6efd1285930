"""Where a string literal of Python ends, on code that may be cut off or broken anywhere.

The same on each Python that runs it: the standard library's tokenizer reads f-strings and strings
that are not closed in one way up to 3.11 and in another since 3.12 (PEP 701). Strings have a prefix
or none, one quotation mark or three, and backslashes that keep the next character from closing them
(in raw strings too). In an f-string or t-string a field may hold any code, with strings of the same
marks in it (PEP 701; PEP 750), and a format specification may hold fields again. Knows nothing of
comments outside strings, statements or tokens.
"""

import re

PREFIX = r"(?:(?<!\w)(?:[rub]|br|rb|[ft]r?|r[ft]))?"
STRING = rf"(?P<prefix>{PREFIX})(?P<quotes>'''|\"\"\"|'|\")"
"""What begins a string; to be read with re.IGNORECASE."""
DEEPEST = 8  # strings within strings within ...: what is nested deeper is made to take time
FIELD_PARTS = re.compile(rf"#[^\r\n]*|{STRING}|(?P<mark>[()\[\]{{}}:])", re.IGNORECASE)
CLOSED_BY = {"(": ")", "[": "]", "{": "}"}


def _body(quote: str, *, whole: str) -> re.Pattern[str]:
    r"""What a string may hold before it is closed: escapes, and characters that are none."""
    lone = "" if len(whole) == 1 else rf"|{quote}(?!{quote * 2})"
    plain = rf"[^{quote}\\\n]" if len(whole) == 1 else rf"[^{quote}\\]"
    return re.compile(rf"{plain}*(?:(?:\\(?:\r\n|[\s\S]){lone}){plain}*)*")


BODIES = {whole: _body(whole[0], whole=whole) for whole in ("'", '"', "'''", '"""')}


class CutOffError(Exception):
    """The text ends within the string."""


class NotClosedError(Exception):
    """No string of Python: it is not closed on its line, or a field of it is no code."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at
        """Where that shows."""


def string_end(text: str, start: re.Match[str]) -> int:
    r"""The position after the closing mark of the string that begins with this match of STRING.

    An f-string whose fields are no code ends where a plain string would.

    >>> code = 'f"{a["b"]}" + c'
    >>> string_end(code, re.compile(STRING, re.IGNORECASE).match(code))
    11

    Raises:
        CutOffError: the text ends first.
        NotClosedError: the line ends first, at this position, and the string has one mark only.
    """
    try:
        return _end(text, start, 0)
    except NotClosedError:
        return _plain_end(text, start.end(), start["quotes"])


def _end(text: str, start: re.Match[str], depth: int) -> int:
    if depth > DEEPEST:
        raise NotClosedError(start.start())
    if re.search("[ft]", start["prefix"], re.IGNORECASE):
        raw = "r" in start["prefix"].lower()
        return _formatted_end(text, start.end(), start["quotes"], raw, depth)
    return _plain_end(text, start.end(), start["quotes"])


def _plain_end(text: str, at: int, quotes: str) -> int:
    body = BODIES[quotes].match(text, at)
    assert body is not None  # it may be empty
    at = body.end()
    if text.startswith(quotes, at):
        return at + len(quotes)
    if text.startswith("\n", at):
        raise NotClosedError(at)
    raise CutOffError  # at the end, or before a backslash that is the last character


def _formatted_end(text: str, at: int, quotes: str, raw: bool, depth: int) -> int:
    """As `_plain_end`, past the fields of an f-string."""
    while at < len(text):
        if text.startswith(quotes, at):
            return at + len(quotes)
        if text[at] == "{" and text.startswith("{{", at):
            at += 2
        elif text[at] == "{":
            at = _field_end(text, at + 1, quotes, raw, depth)
        else:
            at = _past_character(text, at, quotes, raw)
    raise CutOffError


def _past_character(text: str, at: int, quotes: str, raw: bool) -> int:
    """The next position in what is no field: an escape is one character."""
    if text[at] == "\n" and len(quotes) == 1:
        raise NotClosedError(at)
    if text[at] != "\\":
        return at + 1
    if not raw and text.startswith("N{", at + 1):  # a character by its name
        named = text.find("}", at)
        return len(text) if named < 0 else named + 1
    if text.startswith(("{", "}"), at + 1):  # a field begins or ends here all the same
        return at + 1
    return at + (3 if text.startswith("\r\n", at + 1) else 2)


def _field_end(text: str, at: int, quotes: str, raw: bool, depth: int) -> int:
    """The position after the } of a field that was opened just before."""
    if depth > DEEPEST:
        raise NotClosedError(at)
    closing: list[str] = []
    while (part := FIELD_PARTS.search(text, at)) is not None:
        at, mark = part.end(), part["mark"]
        if part["quotes"]:
            at = _end(text, part, depth + 1)
        elif mark in CLOSED_BY:
            closing.append(CLOSED_BY[mark])
        elif mark == ":" and not closing:
            return _specification_end(text, at, quotes, raw, depth)
        elif mark == "}" and not closing:
            return at
        elif mark in (")", "]", "}") and (not closing or closing.pop() != mark):
            raise NotClosedError(at)
    raise CutOffError


def _specification_end(text: str, at: int, quotes: str, raw: bool, depth: int) -> int:
    """The position after the } of a field whose colon stands just before: `{x:>{width}}`."""
    while at < len(text):
        if text.startswith(quotes, at):
            raise NotClosedError(at)
        if text[at] == "}":
            return at + 1
        if text[at] == "{":
            at = _field_end(text, at + 1, quotes, raw, depth + 1)
        else:
            at = _past_character(text, at, quotes, raw)
    raise CutOffError
