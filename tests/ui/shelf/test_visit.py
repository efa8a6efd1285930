"""Who asks from this machine, and who through a proxy on it, by what a request says."""

import pytest

from lstm_lm.ui.shelf.visit import asked_from_this_machine, from_this_machine

Headers = list[tuple[str, str]]
HOST = ("host", "127.0.0.1:7860")
BROWSER: Headers = [
    ("Host", "localhost:7860"),
    ("User-Agent", "Mozilla/5.0"),
    ("Origin", "http://localhost:7860"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Referer", "http://localhost:7860/"),
    ("X-Gradio-User", "app"),
]


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("127.0.0.1", [HOST]),
        ("127.0.0.1", BROWSER),
        ("127.0.0.1", [HOST, ("sec-fetch-site", "none")]),
        ("127.0.0.1", [("host", "LOCALHOST")]),
        ("::1", [("host", "[::1]:7860"), ("origin", "http://[::1]:7860")]),
        ("127.0.0.2", [("host", "127.0.0.2:80")]),
    ],
)
def test_a_browser_and_a_program_at_this_machine_are_known(client: str, headers: Headers) -> None:
    assert from_this_machine(client, headers)


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "127.0.0.1"),  # says it is nobody else: still somebody says so
        ("X-Forwarded-For", ""),
        ("x-forwarded-host", "lstm.example.org"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/lstm"),
        ("X-Forwarded-Port", "443"),
        ("Forwarded", "for=203.0.113.9;proto=https"),
        ("Via", "1.1 proxy"),
        ("X-Real-IP", "203.0.113.9"),
        ("X-Scheme", "https"),
        ("X-Original-Host", "lstm.example.org"),
        ("CF-Connecting-IP", "203.0.113.9"),
        ("CDN-Loop", "cloudflare"),
        ("Tailscale-User-Login", "eve@example.org"),
        ("Ngrok-Trace-Id", "1"),
        ("X-Envoy-External-Address", "203.0.113.9"),
        ("True-Client-IP", "203.0.113.9"),
        # Another site's page, in the browser of whoever is at this machine.
        ("Origin", "https://example.org"),
        ("Origin", "http://127.0.0.1:3000"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Host", "127.0.0.1:7860"),  # twice: which of them is meant?
    ],
    ids=": ".join,
)
def test_one_header_is_enough_to_be_a_stranger(header: tuple[str, str]) -> None:
    assert from_this_machine("127.0.0.1", [HOST])
    assert not from_this_machine("127.0.0.1", [HOST, header])


@pytest.mark.parametrize(
    ("client", "headers", "version"),
    [
        (None, [HOST], "1.1"),  # a socket of the file system
        ("203.0.113.9", [HOST], "1.1"),
        ("", [HOST], "1.1"),
        ("127.0.0.1", [], "1.1"),
        ("127.0.0.1", [("host", "")], "1.1"),
        ("127.0.0.1", [("host", "lstm.example.org")], "1.1"),
        ("127.0.0.1", [("host", "localhost.example.org")], "1.1"),
        ("127.0.0.1", [("host", "0.0.0.0:7860")], "1.1"),
        ("127.0.0.1", [("host", "[::1")], "1.1"),
        ("127.0.0.1", [("host", "evil@127.0.0.1.example.org")], "1.1"),
        ("127.0.0.1", [HOST], "1.0"),  # what nginx speaks to a page unless told otherwise
    ],
)
def test_what_is_not_surely_from_here_is_from_elsewhere(
    client: str | None, headers: Headers, version: str
) -> None:
    assert not from_this_machine(client, headers, version)


def test_where_nobody_asked_nobody_is_the_owner() -> None:
    assert not asked_from_this_machine()
