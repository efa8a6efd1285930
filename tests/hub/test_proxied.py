"""A page behind a reverse proxy: its visitors are not its owner, and never get the owner's token.

The real page, started as its owner would on 127.0.0.1 with a token of the Hub, a proxy on the same
machine, and a Hub that remembers which token asked.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import run_apart
from tests.hub.deployed import PATIENCE, model_files
from tests.hub.server import LoopbackHub
from tests.proxy import proxy

ROOT = Path(__file__).parent.parent.parent
TOKEN = "t-ada"
PRIVATE = "ada/private"
SHUT = "this page shows only the models that its owner chose"
VISITOR = {"X-Forwarded-For": "203.0.113.9"}
STRIPPED = frozenset({"origin", "referer", "user-agent", "x-gradio-user"})


@dataclass(frozen=True, kw_only=True)
class Owned:
    """A page that its owner serves on 127.0.0.1."""

    url: str
    hub: LoopbackHub


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxied")


@contextlib.contextmanager
def served(folder: Path, more: Mapping[str, str]) -> Iterator[Owned]:
    """`app.py` with one tiny model, and a Hub with a private one of its owner's."""
    with LoopbackHub() as hub:
        hub.add(PRIVATE, model_files(folder / "private"), private=True)
        hub.add("bob/public", model_files(folder / "public", seed=2))
        model_files(folder / "tiny", seed=3)
        environment = {
            **{name: value for name, value in os.environ.items() if name != "SPACE_ID"},
            **hub.environment(folder / "home", TOKEN),
            "OMP_NUM_THREADS": "1",
            **more,
        }
        log = folder / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "-u", str(ROOT / "app.py"), "--model", str(folder / "tiny")],
                cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            yield Owned(url=f"http://127.0.0.1:{_port(process, log)}/", hub=hub)
        finally:
            process.kill()
            process.wait()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = re.search(r"Running on local URL: +http://127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"not served within {PATIENCE} s: {log.read_text()}")


@pytest.fixture(scope="module")
def owned(folder: Path) -> Iterator[Owned]:
    with served(folder, {}) as page:
        yield page


@pytest.fixture(autouse=True)
def _nothing_asked(owned: Owned) -> None:
    owned.hub.requests.clear()
    owned.hub.tokens.clear()


def events_of(dependency: dict[str, Any]) -> list[str]:
    """What has to happen in the browser for it."""
    return [event for _, event in dependency["targets"]]


def load(url: str, name: str, headers: Mapping[str, str] | None = None) -> str:
    """Ask for a model as the field beside the model's name does; the last line it says."""
    session = f"s{time.monotonic_ns()}"
    with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE) as client:
        config = client.get("config").json()
        (event,) = (each for each in config["dependencies"] if "fetch" in events_of(each))
        asked = {
            "data": [None],
            "event_data": {"repository": name},
            "fn_index": event["id"],
            "trigger_id": event["targets"][0][0],
            "session_hash": session,
        }
        client.post("gradio_api/queue/join", json=asked).raise_for_status()
        said = ""
        with client.stream(
            "GET", "gradio_api/queue/data", params={"session_hash": session}
        ) as all_:
            for line in filter(None, all_.iter_lines()):
                message: dict[str, Any] = json.loads(line.removeprefix("data:"))
                said = _told(message) or said
                if message["msg"] == "process_completed":
                    assert message["success"], message
                    break
    return said


def _told(message: dict[str, Any]) -> str:
    """The line of a message; empty where it has none."""
    data = (message.get("output") or {}).get("data") if "generating" in message["msg"] else None
    first = data[0] if data else None
    if isinstance(first, dict):
        return first["told"]
    # What differs from the message before: [what is done, where, the value] each.
    return next((value for _, place, value in first or [] if place == ["told"]), "")


def generate(url: str, model: str) -> str:
    """What /generate says: a text, or why there is none."""
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    try:
        client = Client(url, verbose=False, analytics_enabled=False)
        return client.predict("ab", 5, model=model, api_name="/generate")["text"]
    except AppError as error:
        return str(error)


def tool(url: str, model: str) -> str:
    """What the tool `generate` says over MCP."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def use() -> Any:
        async with (
            streamable_http_client(f"{url}gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            asked = {"prompt": "ab", "max_new_tokens": 5, "model": model}
            return await session.call_tool("generate", asked)

    return run_apart(use()).content[0].text


def offered(url: str, headers: Mapping[str, str] | None = None) -> list[str]:
    """The models that Compare offers: a function that the page's JavaScript calls."""
    with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE) as client:
        parts = client.get("config").json()["components"]
        (part,) = (each for each in parts if each["props"].get("elem_id") == "compare")
        asked = {
            "data": [part["props"]["value"]["model"]],
            "component_id": part["id"],
            "fn_name": "offer",
            "session_hash": "compares",
        }
        answer = client.post("gradio_api/component_server/", json=asked)
        return [each["name"] for each in answer.json()["models"]]


def test_the_owner_at_this_machine_loads_a_private_model_with_the_token(owned: Owned) -> None:
    assert load(owned.url, PRIVATE) == f"{PRIVATE} is loaded."
    assert set(owned.hub.tokens) == {TOKEN}
    assert "no model" not in generate(owned.url, PRIVATE)
    assert "no model" not in tool(owned.url, PRIVATE)
    assert PRIVATE in offered(owned.url)


@pytest.mark.parametrize(
    "how",
    [
        {"add": VISITOR},
        {"add": {"X-Forwarded-Host": "lstm.example.org", "X-Forwarded-Proto": "https"}},
        {"add": {"Forwarded": "for=203.0.113.9"}},
        {"add": {"Via": "1.1 proxy"}},
        {"add": {"X-Real-IP": "203.0.113.9"}},
        {"host": "lstm.example.org"},
    ],
    ids=lambda how: ", ".join(how.get("add", {"Host": ""})),
)
def test_a_visitor_of_a_proxy_never_gets_the_owners_token(
    owned: Owned, how: dict[str, Any]
) -> None:
    load(owned.url, PRIVATE)  # the owner has it open all the while
    owned.hub.tokens.clear()
    with proxy(owned.url, **how) as url:
        assert load(url, PRIVATE) == SHUT
        assert load(url, "bob/public") == SHUT
        assert offered(url)
        assert PRIVATE not in offered(url)
    assert owned.hub.tokens == []
    assert PRIVATE in offered(owned.url)


def test_a_visitor_of_a_proxy_cannot_name_what_the_owner_loaded(owned: Owned) -> None:
    load(owned.url, PRIVATE)
    with proxy(owned.url, add=VISITOR) as url:
        for said in (generate(url, PRIVATE), tool(url, PRIVATE)):
            assert said.startswith(f"no model '{PRIVATE}' here: choose from ")
        assert len(generate(url, "")) == 5
    assert f"no model '{PRIVATE}'" not in generate(owned.url, PRIVATE)


def test_another_site_in_the_owners_browser_is_not_the_owner(owned: Owned) -> None:
    """Neither one that asks across sites, nor one whose name is made to point here."""
    assert load(owned.url, PRIVATE, {"Origin": "https://example.org"}) == SHUT
    assert load(owned.url, PRIVATE, {"Host": "example.org"}) == SHUT
    assert owned.hub.tokens == []


@pytest.fixture(scope="module", params=[False, True], ids=["prefix off", "prefix kept"])
def under_a_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Owned, str]]:
    """A page that knows only its root path, behind a proxy that adds nothing and hides the rest."""
    with (
        served(tmp_path_factory.mktemp("path"), {"GRADIO_ROOT_PATH": "/lstm"}) as page,
        proxy(page.url, prefix="/lstm", keep_prefix=request.param, drop=STRIPPED) as url,
    ):
        yield page, url


def test_under_a_root_path_everybody_is_a_visitor(under_a_path: tuple[Owned, str]) -> None:
    page, url = under_a_path
    for address in (url, page.url):
        config = httpx.get(f"{address}config", timeout=PATIENCE).json()
        events = [event for each in config["dependencies"] for event in events_of(each)]
        assert "change" in events
        assert "fetch" not in events  # there is nothing to load by
        assert generate(address, PRIVATE).startswith(f"no model '{PRIVATE}' here")
    assert page.hub.requests == []


def test_under_a_root_path_the_page_is_whole_and_its_doors_are_shut(
    under_a_path: tuple[Owned, str],
) -> None:
    _, url = under_a_path
    assert len(generate(url, "")) == 5
    html = httpx.get(url, timeout=PATIENCE).text
    module = re.findall(r'gradio_api/file=([^"\\]+/workbench/static/main\.js)', html)[0]
    for path in (f"gradio_api/file={module}", "theme.css", "gradio_api/app_id"):
        assert httpx.get(url + path, timeout=PATIENCE).status_code == 200
    upload = httpx.post(f"{url}gradio_api/upload", files={"files": b"a"}, timeout=PATIENCE)
    assert upload.status_code == 404
    for path in (
        "gradio_api/file=/etc/passwd",
        "gradio_api/deep_link?session_hash=a",
        "monitoring",
    ):
        assert httpx.get(url + path, timeout=PATIENCE).status_code == 404
