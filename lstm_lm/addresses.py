"""What of an address may be told, and what is for the server behind it alone.

An address can carry secrets: `user:password@` before its host, and a key or a signature in its
query. Neither may stand in a name, a card, a line on a terminal or an error. Knows nothing of the
network.
"""

import base64
import re
import shlex
import urllib.parse

IN_A_TEXT = re.compile(r"""([a-z][a-z0-9+.-]*://)([^\s'"<>]+)""", re.IGNORECASE)
TO_THE_END = re.compile(r"([a-z][a-z0-9+.-]*://)(.+)", re.IGNORECASE | re.DOTALL)
HOST = re.compile(r"(\[[^\]]*\]|[^:@\[\]]*)(:\d*)?")
TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}")
"""A token of the Hugging Face Hub: hf_ and 34 letters and digits."""
LEFT_OUT = "..."
ENDS_A_SENTENCE = ").,:;!"


def is_web_address(text: str) -> bool:
    """Whether the text is an http(s) address."""
    return text.lower().startswith(("http://", "https://"))


def without_secrets(text: str) -> str:
    """The text with what is nobody's business left out of its addresses, and with no token.

    >>> without_secrets("http://ada:pw@host/book.txt?key=1: no such page")
    'http://...@host/book.txt?...: no such page'
    """
    if "://" in text:
        text = IN_A_TEXT.sub(_told_in_a_text, text)
    return TOKEN.sub(f"hf_{LEFT_OUT}", text)


def told_address(argument: str) -> str:
    """The same of an argument, which holds one address at most, whatever characters are in it.

    >>> told_address("--text=http://ada:p w'd@host/book.txt"), told_address("book.txt")
    ('--text=http://...@host/book.txt', 'book.txt')
    """
    return TOKEN.sub(f"hf_{LEFT_OUT}", TO_THE_END.sub(_told, argument))


def told_command(command: str) -> str:
    """The command with every argument as it may be told."""
    return shlex.join(map(told_address, shlex.split(command)))


def is_cut(address: str) -> bool:
    """Whether something was left out of the address when it was written down.

    >>> is_cut("http://host/book.txt?..."), is_cut("http://host/book.txt?key=1")
    (True, False)
    """
    return f"://{LEFT_OUT}" in address or address.endswith((f"?{LEFT_OUT}", f"#{LEFT_OUT}"))


def _told_in_a_text(found: re.Match[str]) -> str:
    """The same where an address stands in a sentence, whose punctuation follows it."""
    written = found[0].rstrip(ENDS_A_SENTENCE)
    ending = found[0].removeprefix(written)
    if ending.startswith(LEFT_OUT):  # told before
        written, ending = written + LEFT_OUT, ending.removeprefix(LEFT_OUT)
    return TO_THE_END.sub(_told, written) + ending


def _told(found: re.Match[str]) -> str:
    scheme, rest = found[1], found[2]
    if scheme.lower() == "hf://":  # a path on the Hub has neither password nor query
        return found[0]
    host, tail = _host_and_tail(rest)
    if "@" in host and "@" not in tail:
        host = f"{LEFT_OUT}@{host.rpartition('@')[2]}"
    elif "@" in tail and not HOST.fullmatch(host):
        # A password may hold any of /?#@ though it should not, and so may a query: which is it?
        if rest.count("@") > 1:
            return f"{scheme}{LEFT_OUT}"
        host, tail = _host_and_tail(rest.partition("@")[2])
        host = f"{LEFT_OUT}@{host}"
    path, mark = tail, ""
    first = re.search(r"[?#]", tail)
    if first:
        path, mark = tail[: first.start()], first[0] + LEFT_OUT
    return f"{scheme}{host}{path}{mark}"


def _host_and_tail(rest: str) -> tuple[str, str]:
    host = re.match(r"[^/?#\\]*", rest)
    end = host.end() if host else 0
    return rest[:end], rest[end:]


def split_credentials(address: str) -> tuple[str, str | None]:
    """The address without `user:password@`, and these as HTTP's Basic authentication sends them.

    >>> split_credentials("http://ada:p%40ss@host/x")
    ('http://host/x', 'Basic YWRhOnBAc3M=')

    Raises:
        ValueError: it is no valid address.
    """
    parts = urllib.parse.urlsplit(address)
    given, mark, host = parts.netloc.rpartition("@")
    if not mark:
        return address, None
    user, _, password = given.partition(":")
    plain = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password)}"
    encoded = base64.b64encode(plain.encode()).decode()
    return urllib.parse.urlunsplit(parts._replace(netloc=host)), f"Basic {encoded}"


def last_part(address: str) -> str:
    """The last part of the address's path, or its host: what a name may be made of.

    >>> last_part("https://ada:pw@host/texts/a%20book.txt?key=1"), last_part("https://host/?key=1")
    ('a book.txt', 'host')
    """
    shown = told_address(address).partition("://")[2].partition("?")[0].partition("#")[0]
    host, _, path = shown.rpartition("@")[2].partition("/")
    return urllib.parse.unquote(path.rstrip("/").rpartition("/")[2]) or host
