"""A deployed Space as the Hub would run it: its files alone, only what its requirements bring."""

import contextlib
import functools
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from lstm_lm.store.loading import save
from tests.conftest import tiny_model
from tests.hub.client import Person
from tests.hub.server import LoopbackHub

PATIENCE = 180  # seconds until a page is served, on the busiest machine

# Runs app.py where every distribution that the requirements do not bring seems not to be installed.
RUNNER = """
import os, runpy, sys
from importlib import metadata
from importlib.machinery import PathFinder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

lines = open("requirements.txt").read().splitlines()
wanted, left = {}, [(line, "") for line in lines if line and line[0] != "#"]
left += [(line, "") for line in ("gradio[oauth,mcp]", "uvicorn", "websockets", "spaces")]
while left:
    line, extra = left.pop()
    asked = Requirement(line)
    if asked.marker and not asked.marker.evaluate({"extra": extra}):
        continue
    name = canonicalize_name(asked.name)
    new = ({""} | asked.extras) - wanted.get(name, set())
    wanted.setdefault(name, set()).update(new)
    try:
        brings = metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        continue
    left += [(line, extra) for extra in new for line in brings]

hidden = {
    module for module, names in metadata.packages_distributions().items()
    if not {canonicalize_name(name) for name in names} & set(wanted)
}

class Visible(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.split(".")[0] in hidden else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Visible
assert {"pytest", "playwright", "trackio"} <= hidden and not {"torch", "gradio"} & hidden
sys.path.insert(0, os.getcwd())
sys.argv = ["app.py"]
runpy.run_path("app.py", run_name="__main__")
"""


def model_files(folder: Path, seed: int = 1) -> dict[str, bytes]:
    """What somebody would push of a tiny model, which stays in the folder."""
    save(tiny_model(seed=seed), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run_app(*lines: Sequence[str], tokens: Sequence[str] = ()) -> list[int]:
    """The exit code of app.py with each of these command lines, each under a token if given."""
    import app

    codes = []
    for line, token in zip_longest(lines, tokens):
        if token is not None:
            os.environ["HF_TOKEN"] = token
        codes.append(app.main(line))
    return codes


def refusals(who: Person, *lines: list[str], tokens: Sequence[str] = ()) -> list[str]:
    """The one line that each command answers."""
    ran = functools.partial(run_app, *lines, tokens=tokens)
    assert who.run(ran) == [2] * len(lines), who.said
    told = [line for line in who.said.splitlines() if line.startswith("app.py: ")]
    assert len(told) == len(lines), who.said
    return told


def writes(hub: LoopbackHub) -> list[str]:
    """The requests that would change something on the Hub."""
    return [request for request in hub.requests if not request.startswith(("GET", "HEAD"))]


def deploys(*models: str, to: str) -> list[str]:
    """The command line that deploys these models."""
    return [*(word for model in models for word in ("--model", model)), "--deploy", to]


def block(readme: bytes) -> dict[str, Any]:
    """The YAML block of a README."""
    from huggingface_hub import SpaceCard

    return SpaceCard(readme.decode()).data.to_dict()


def preload(lines: Sequence[str]) -> None:
    """Fetch what preload_from_hub names, as a Space's build does: file by file."""
    from huggingface_hub import hf_hub_download

    for line in lines:
        repo_id, files, *revision = line.split()
        for file in files.split(","):
            hf_hub_download(repo_id, file, revision=revision[0] if revision else None)


@dataclass(frozen=True, kw_only=True)
class Running:
    """A Space that runs."""

    url: str
    log: Path
    """What it wrote."""


@contextlib.contextmanager
def running(
    hub: LoopbackHub,
    name: str,
    builder: Person,
    folder: Path,
    more: Mapping[str, str] | None = None,
    before: str = "",
) -> Iterator[Running]:
    """The Space, started from what was uploaded and from nothing else, until the block is left.

    Args:
        hub: where it was deployed.
        name: OWNER/SPACE.
        builder: whose cache holds what was preloaded, and whose token the Space has as a secret.
        folder: an empty folder to run in.
        more: of the environment: what other hardware has there.
        before: a program that its process runs first.
    """
    space = hub.repository(name, "space")
    for path, content in space.files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(builder.home),
        "OMP_NUM_THREADS": "1",
        "SPACE_ID": name,
        "SYSTEM": "spaces",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        **hub.environment(builder.home, builder.token),
        **space.variables,
        **(more or {}),
    }
    log = folder.parent / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-I", "-u", "-c", before + RUNNER],
            cwd=folder, env=environment, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield Running(url=f"http://127.0.0.1:{_port(process, log)}", log=log)
    finally:
        process.kill()
        process.wait()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = re.search(r"Running on local URL: +http://0\.0\.0\.0:(\d+)", log.read_text())
        if found:
            return found[1]
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"not served within {PATIENCE} s: {log.read_text()}")
