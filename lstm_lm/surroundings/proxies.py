"""The proxies that the environment names: whether they can be used, and what must not go by one.

HTTP clients read them when they are made, and fail then if one of them cannot be used, even for an
address that needs none (https://www.python-httpx.org/environment_variables/). Knows nothing of
pages or of the Hub.
"""

import importlib.util
import urllib.parse
from collections.abc import Iterable, Mapping, MutableMapping

NAMES = ("http_proxy", "https_proxy", "all_proxy")
AROUND = "no_proxy"
LOCAL = ("127.0.0.1", "localhost", "::1")
SCHEMES = ("http", "https", "socks5", "socks5h")
PROBLEM = "LSTM_LM_PROXY_PROBLEM"
"""Set by `go_around`: what is wrong with the proxies that this process goes around."""


def problems(environment: Mapping[str, str]) -> list[str]:
    """A line for each proxy of the environment that cannot be used; its address is not repeated."""
    if PROBLEM in environment:
        return [environment[PROBLEM]]
    if "*" in _around(environment):
        return []
    found: list[str] = []
    for name in NAMES:
        spelled = name if environment.get(name) else name.upper()
        address = environment.get(spelled, "")
        problem = _problem(address) if address else None
        if problem:
            found.append(f"{spelled} {problem}")
    return found


def _problem(address: str) -> str | None:
    whole = address if "://" in address else f"http://{address}"
    try:
        parts = urllib.parse.urlsplit(whole)
        good = bool(parts.hostname) and parts.port != 0 and whole.isprintable()
        good = good and not any(character.isspace() for character in whole)
    except ValueError:  # its port is no number, or a bracket is missing
        good = False
        parts = urllib.parse.SplitResult(whole.partition("://")[0], "", "", "", "")
    if parts.scheme not in SCHEMES:
        return f"is of a kind that cannot be used: give {', '.join(f'{s}://' for s in SCHEMES)}"
    if not good:
        return "is no address of a proxy: write it as http://HOST:PORT"
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        return (
            "is a SOCKS proxy, which needs the package socksio: python -m pip install socksio, or "
            "unset it"
        )
    return None


def go_around(environment: MutableMapping[str, str], hosts: Iterable[str]) -> list[str]:
    """Let nothing that this machine serves itself go by a proxy, and return what is wrong.

    Where a proxy cannot be used, none is, so that what needs none works; `problems` still tells,
    and what would have gone by it is not to be sent without it.

    Args:
        environment: changed here, before a client is made.
        hosts: besides this machine's own.
    """
    found = problems(environment)
    # No client understands brackets, or a range of IPv6, there: gradio's fails on them.
    known = [host.strip("[]") for host in _around(environment)]
    known = [host for host in known if not (":" in host and "/" in host and "://" not in host)]
    wanted = [*known, *LOCAL, *(host.strip("[]") for host in hosts)]
    if found:
        environment[PROBLEM] = "; ".join(found)
        wanted.append("*")
    for name in (AROUND, AROUND.upper()):
        environment[name] = ",".join(dict.fromkeys(wanted))
    return found


def _around(environment: Mapping[str, str]) -> list[str]:
    value = environment.get(AROUND) or environment.get(AROUND.upper(), "")
    return [host.strip() for host in value.split(",") if host.strip()]
