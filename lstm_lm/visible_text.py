r"""Text from elsewhere as it may be shown: what steers a terminal or has no encoding, made visible.

The name of a file, a model's sample and a server's answer may hold escape sequences, signs that
turn the direction of what follows, and halves of characters, which is how Python keeps the bytes of
a file's name that is not UTF-8. They are shown as Python and the shells write them: `\x1b`,
`\u202e`; a byte of a name as `\xe9`. Knows nothing of where the text is shown.
"""

import re
import shlex

# C0 and C1 controls (ECMA-48), separators of lines and paragraphs, what turns the direction of text
# (Bidi_Control in Unicode's annex 9), and half characters. Not all that has no shape: scripts need
# their joiners, and what a later Unicode adds is no danger to a terminal.
STEERING = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
SHORT = {"\n": "n", "\r": "r", "\t": "t"}
FIRST_BYTE, LAST_BYTE = 0xDC80, 0xDCFF  # how Python keeps the bytes 128 to 255 of a name (PEP 383)
ESCAPE = re.compile(r"\\(?:([nrt])|x([0-9a-f]{2})|u([0-9a-f]{4}))")


def printable(text: str, *, keep: str = "") -> str:
    r"""The text with an escape for each character that steers a terminal or has no encoding.

    Args:
        text: any text.
        keep: control characters that may stand, such as "\n\t"; with "\n" also "\r\n".

    >>> printable("caf\udce9\n"), printable("\x1b[2J", keep="\n")
    ('caf\\xe9\\n', '\\x1b[2J')
    """
    lines = text.split("\r\n") if "\n" in keep else [text]
    return "\r\n".join(
        STEERING.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), line)
        for line in lines
    )


def _escape(character: str) -> str:
    point = ord(character)
    if character in SHORT:
        return f"\\{SHORT[character]}"
    if FIRST_BYTE <= point <= LAST_BYTE:
        return f"\\x{point - 0xDC00:02x}"
    return f"\\x{point:02x}" if point < 0x80 else f"\\u{point:04x}"


def spelled(text: str) -> str:
    r"""The text with the characters that its escapes stand for: undoes `printable`.

    >>> spelled("caf\\xe9") == "caf\udce9"
    True
    """

    def character(found: re.Match[str]) -> str:
        letter, byte, point = found.groups()
        if letter:
            return next(sign for sign, short in SHORT.items() if short == letter)
        number = int(byte or point, 16)
        return chr(number + 0xDC00 if byte and number >= 0x80 else number)

    return ESCAPE.sub(character, text)


def shell_word(word: str) -> str:
    r"""The word as it can be pasted into a shell.

    What cannot be shown is written as in C between `$'` and `'`, which bash, zsh and POSIX of 2024
    read.

    >>> shell_word("my book"), shell_word("caf\udce9")
    ("'my book'", "$'caf\\xe9'")
    """
    if not STEERING.search(word):
        return shlex.quote(word)
    return "$'" + printable(word.replace("\\", "\\\\").replace("'", "\\'")) + "'"


def shell_path(path: object) -> str:
    """The path as it can be pasted as an option's value: one that begins with - or ~ as well.

    >>> shell_path("-x"), shell_path("runs/verse")
    ('./-x', 'runs/verse')
    """
    text = str(path)
    return shell_word(f"./{text}" if text.startswith(("-", "~")) else text)
