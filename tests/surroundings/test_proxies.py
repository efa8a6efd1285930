"""Proxies of the environment: which can be used, and what never goes by one."""

import importlib.util
import sys

import httpx
import pytest

from lstm_lm.surroundings import proxies


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({}, None),
        ({"http_proxy": "http://10.0.0.1:3128"}, None),
        ({"HTTPS_PROXY": "10.0.0.1:3128"}, None),
        ({"https_proxy": "http://ada:SECRET@proxy.example:8080/"}, None),
        ({"http_proxy": "", "HTTP_PROXY": "http://host:1"}, None),
        ({"ftp_proxy": "nonsense://"}, None),  # no client of ours reads it
        ({"http_proxy": "http://ada:SECRET@host:port"}, "http_proxy is no address of a proxy: "),
        ({"http_proxy": "http://"}, "http_proxy is no address of a proxy: write it as http://HO"),
        ({"HTTP_PROXY": "http://[::1"}, "HTTP_PROXY is no address of a proxy"),
        ({"ALL_PROXY": "http://a host:80"}, "ALL_PROXY is no address of a proxy"),
        ({"ALL_PROXY": "ftp://ada:SECRET@host:1"}, "ALL_PROXY is of a kind that cannot be used: "),
        ({"all_proxy": "socks5h://ada:SECRET@host:1"}, "all_proxy is a SOCKS proxy, which needs t"),
        ({"all_proxy": "socks5://host:1", "NO_PROXY": "*"}, None),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_address(
    environment: dict[str, str], problem: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = proxies.problems(environment)
    if problem is None:
        assert not found
        return
    assert found[0].startswith(problem)
    assert "SECRET" not in found[0]


def test_a_socks_proxy_is_fine_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert not proxies.problems({"all_proxy": "socks5://host:1"})


def test_all_that_is_wrong_is_said() -> None:
    found = proxies.problems({"http_proxy": "http://", "all_proxy": "x://y"})
    assert [line.split()[0] for line in found] == ["http_proxy", "all_proxy"]


def client(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> httpx.Client:
    """The client that gradio would make in this environment."""
    for name in [*proxies.NAMES, proxies.AROUND]:
        for spelled in (name, name.upper()):
            monkeypatch.delenv(spelled, raising=False)
            if spelled in environment:
                monkeypatch.setenv(spelled, environment[spelled])
    return httpx.Client()


def by_proxy(client: httpx.Client, address: str) -> bool:
    with client:
        return client._transport_for_url(httpx.URL(address)) is not client._transport


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/", "http://localhost:1/", "http://[::1]:1/", "http://10.1.1.1"]
)
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_this_machine_is_never_reached_by_a_proxy(
    address: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {name: "http://proxy:3128", "no_proxy": "intra.example"}
    assert by_proxy(client(environment, monkeypatch), address)
    assert not proxies.go_around(environment, ["10.1.1.1"])
    assert not by_proxy(client(environment, monkeypatch), address)
    assert not by_proxy(client(environment, monkeypatch), "http://intra.example/")
    assert by_proxy(client(environment, monkeypatch), "http://huggingface.co/")


@pytest.mark.parametrize(
    ("environment", "usable"),
    [
        ({"ALL_PROXY": "socks5://127.0.0.1:9"}, False),
        ({"http_proxy": "http://host:port"}, False),
        ({"ALL_PROXY": "ftp://host:1"}, False),
        ({"http_proxy": "http://host:1", "NO_PROXY": "[::1],fe80::/10,10.0.0.0/8"}, True),
    ],
)
def test_what_a_client_cannot_use_does_not_keep_it_from_this_machine(
    environment: dict[str, str], usable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # not installed
    with pytest.raises((ImportError, ValueError, httpx.InvalidURL)):
        client(environment, monkeypatch)
    problems = proxies.go_around(environment, [])
    assert not by_proxy(client(environment, monkeypatch), "http://127.0.0.1:1/")
    # What would have gone by such a proxy is not to be sent without it: that is not forgotten.
    assert proxies.problems(environment) == problems
    assert (not problems) is usable
    assert by_proxy(client(environment, monkeypatch), "http://huggingface.co/") is usable
