"""Who is asking: somebody at this machine, or somebody who came from elsewhere.

A page that is served on 127.0.0.1 may still be reached by others: a reverse proxy on the same
machine asks for them, and its address is 127.0.0.1 too. What tells them apart is what the proxy
adds or passes on: a header that says for whom it asks (RFC 7239 and its many forerunners), the name
under which the page is known outside, or HTTP/1.0, which no browser speaks. Another site's page in
the owner's browser is no proxy, but not the owner's wish either: `Origin` tells it. A proxy that
hides all of this cannot be seen here; `guests.rules_from` takes GRADIO_ROOT_PATH for a word of it.
Knows nothing of models or of layout.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

import gradio as gr
from gradio.context import LocalContext

PASSED_ON = {
    "cdn-loop", "client-ip", "forwarded", "forwarded-for", "proxy-authorization", "true-client-ip",
    "via", "x-client-ip", "x-cluster-client-ip", "x-host", "x-original-forwarded-for",
    "x-original-host", "x-original-uri", "x-originating-ip", "x-proxyuser-ip", "x-real-ip",
    "x-remote-addr", "x-remote-ip", "x-remote-user", "x-scheme",
}  # fmt: skip
"""Headers that proxies add, and browsers and Python clients never send."""
PASSED_ON_BY = (
    "cf-", "fastly-", "fly-", "ngrok-", "tailscale-", "x-amzn-", "x-appengine-", "x-azure-",
    "x-envoy-", "x-forwarded", "x-goog-", "x-middleton-", "x-ms-", "x-vercel-",
)  # fmt: skip
"""How such headers begin."""


def from_this_machine(
    client: str | None, headers: Iterable[tuple[str, str]], version: str = "1.1"
) -> bool:
    """Whether a request came from this machine, by all that it says; False where in doubt.

    Args:
        client: the address of the other end; None where it is not known.
        headers: (name, value) of each, repeated ones too.
        version: of HTTP.

    >>> from_this_machine("127.0.0.1", [("host", "localhost:7860")])
    True
    >>> from_this_machine("127.0.0.1", [("host", "localhost:7860"), ("x-forwarded-for", "1.2.3.4")])
    False
    """
    given = [(name.lower(), value) for name, value in headers]
    if any(name in PASSED_ON or name.startswith(PASSED_ON_BY) for name, _ in given):
        return False
    hosts = [value.lower() for name, value in given if name == "host"]
    origins = [value.lower() for name, value in given if name == "origin"]
    sites = [value for name, value in given if name == "sec-fetch-site"]
    return (
        version != "1.0"
        and client is not None
        and is_loopback(client)
        and len(hosts) == 1
        and is_loopback(_host_of(hosts[0]))
        and all(origin.partition("://")[2] == hosts[0] for origin in origins)
        and all(site in ("none", "same-origin") for site in sites)
    )


def is_loopback(host: str) -> bool:
    """Whether the name or address is this machine's own.

    >>> [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "10.0.0.1")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(authority: str) -> str:
    """The host of HOST:PORT; empty where there is none."""
    try:
        return urlsplit(f"//{authority}").hostname or ""
    except ValueError:  # an unfinished bracket
        return ""


def asked_from_this_machine() -> bool:
    """Whether whoever is being answered now is at this machine; False where nobody asked.

    For what an event or a server function calls: gradio keeps the request beside each call.
    """
    asked = LocalContext.request.get(None)  # of an event gradio's own, of a server function not
    request = asked.request if isinstance(asked, gr.Request) else asked
    if request is None or request.client is None:
        return False
    version = request.scope.get("http_version", "")
    return from_this_machine(request.client.host, request.headers.items(), version)
