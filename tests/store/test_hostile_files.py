"""Nothing hostile gets in: each of many broken folders is refused fast, small, and in one line."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from lstm_lm.config import ModelConfig
from lstm_lm.errors import ModelFolderError
from lstm_lm.hub.push import push_folder
from lstm_lm.hub.repository import Target
from lstm_lm.language_model import LanguageModel, load
from lstm_lm.store.loading import save
from lstm_lm.text.tokenizer import SentencePieceTokenizer
from tests.conftest import tiny_model
from tests.hostile.breaking import CONFIG, WEIGHTS, Break, changed, header_text, header_with
from tests.hostile.folders import HOSTILE
from tests.hostile.side_files import METRICS, ROWS, SIDE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

MOST_SECONDS = 2.0  # of CPU: a busy machine is no bug
MOST_MEGABYTES = 300

# Reads jobs, what to do and with which folder, and says what came of each in a line of JSON. The
# peak of memory is the kernel's, put back before each job; torch's own memory is in it.
CHILD = """
import json, os, re, sys, time
from pathlib import Path
import sentencepiece  # its own cost is no folder's
from lstm_lm.errors import ModelFolderError
from lstm_lm.language_model import load
from lstm_lm.store.folder import read_metrics
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.training.view import TrainingRuns

def show(folder):
    "All that the page shows of the folder, as it is sent to the browser."
    name = str(folder)
    training = TrainingRuns([name]).payload([name])
    sent = [training]
    if os.path.lexists(folder / "results.json"):  # the model's own line is made with it
        shelf = ModelShelf([name], RunStore())
        sent += [shelf.get(name).about, shelf.describe()]
    json.dumps(sent, allow_nan=False, ensure_ascii=False).encode()
    return sum(len(run["points"]) for run in training["runs"])

def memory(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def outcome(call, folder):
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # then the peak is that of all folders so far
    before, start = memory("VmRSS"), time.process_time()
    value, error, text = None, "", ""
    try:
        value = call(folder)
    except Exception as found:
        error, text = type(found).__name__, str(found)
    seconds, peak = time.process_time() - start, memory("VmHWM") - before
    return {"value": value, "error": error, "text": text, "seconds": seconds, "megabytes": peak}

calls = {
    "load": lambda folder: load(folder) and None,
    "show": show,
    "read_metrics": lambda folder: len(read_metrics(folder)),
}
for line in sys.stdin:
    what, folder = json.loads(line)
    print(folder, file=sys.stderr, flush=True)  # which it was, should it hang
    print(json.dumps(outcome(calls[what], Path(folder))), flush=True)
"""
Outcome = dict[str, Any]
Outcomes = dict[tuple[str, str], Outcome]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, subwords: SentencePieceTokenizer) -> Path:
    """A good folder of characters and one of subwords, to be broken."""
    root = tmp_path_factory.mktemp("folders")
    save(tiny_model(), root / "good")
    (root / "good" / METRICS).write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    config = ModelConfig(vocab_size=300, tokenizer="sentencepiece", hidden_size=4, embedding_size=2)
    save(LanguageModel(config, subwords), root / "good-subwords")
    return root


def broken(root: Path, kind: str, breaks: Mapping[str, Break]) -> dict[str, Path]:
    """A broken folder for each case, by its name."""
    folders: dict[str, Path] = {}
    for name, breaking in breaks.items():
        folders[name] = root / f"{kind}-{len(folders)}"
        shutil.copytree(root / ("good-subwords" if "subwords" in name else "good"), folders[name])
        breaking(folders[name])
    return folders


@pytest.fixture(scope="module")
def outcomes(root: Path) -> Outcomes:
    """What a process of its own says of each job: what is done, and the case's name."""
    hostile = broken(root, "hostile", {name: case[0] for name, case in HOSTILE.items()})
    beside = broken(root, "beside", {name: case[0] for name, case in SIDE.items()})
    jobs = [("load", name, folder) for name, folder in hostile.items()]
    jobs += [(what, *each) for what in ("show", "read_metrics") for each in beside.items()]
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input="".join(f"{json.dumps([what, str(folder)])}\n" for what, _, folder in jobs),
        check=False, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stderr.split() == [str(folder) for _, _, folder in jobs]  # and nothing else
    lines = map(json.loads, done.stdout.splitlines())
    return dict(zip([(what, name) for what, name, _ in jobs], lines, strict=True))


def check_refusal(outcome: Outcome, message: str) -> None:
    """Assert that it was refused in one line that says so."""
    assert outcome["error"] == "ModelFolderError", outcome
    text = outcome["text"]
    assert re.search(message, text), text
    assert text.isprintable()
    assert len(text) < 400


def check_cost(outcome: Outcome) -> None:
    """Assert that it was fast and small."""
    assert outcome["seconds"] < MOST_SECONDS
    assert outcome["megabytes"] < MOST_MEGABYTES


def test_there_are_many_of_them() -> None:
    assert len(HOSTILE) >= 150
    assert len(SIDE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_in_one_line_fast_and_small(
    name: str, outcomes: Outcomes
) -> None:
    outcome = outcomes["load", name]
    check_refusal(outcome, rf"^\S+/hostile-\d+: .*{HOSTILE[name][1]}")
    check_cost(outcome)


@pytest.mark.parametrize("name", SIDE)
def test_the_page_shows_a_model_whatever_lies_beside_it(name: str, outcomes: Outcomes) -> None:
    outcome = outcomes["show", name]
    assert outcome["error"] == "", outcome
    assert outcome["value"] == SIDE[name][1]
    check_cost(outcome)


@pytest.mark.parametrize("name", SIDE)
def test_metrics_are_refused_where_a_line_is_none_of_ours(name: str, outcomes: Outcomes) -> None:
    outcome = outcomes["read_metrics", name]
    if SIDE[name][2]:
        check_refusal(outcome, SIDE[name][2])
    else:
        assert outcome["error"] == "", outcome
    check_cost(outcome)


# What is odd, and yet no reason to refuse a folder.

CODE = "import pathlib\n\npathlib.Path(__file__).with_suffix('.ran').touch()\n"
PYTHON_FILES = ["__init__.py", "modeling.py", "config.py", "tokenizer.py", "torch.py", "setup.py"]


def with_code(folder: Path) -> None:
    for name in PYTHON_FILES:
        (folder / name).write_text(CODE)


def in_the_hubs_cache(folder: Path) -> None:
    """The files as the Hub's client keeps them: a folder of links to files named by their sums."""
    repository = folder / "models--ada--verse"
    (repository / "blobs").mkdir(parents=True)
    (repository / "snapshots" / "c0ffee").mkdir(parents=True)
    for number, path in enumerate(p for p in list(folder.iterdir()) if p.is_file()):
        path.rename(repository / "blobs" / str(number))
        link = repository / "snapshots" / "c0ffee" / path.name
        link.symlink_to(f"../../blobs/{number}")


ODD: dict[str, tuple[Break, str]] = {
    "nothing odd": (lambda folder: None, "."),
    "code": (with_code, "."),
    "a link within": (
        lambda folder: (
            (folder / WEIGHTS).rename(folder / "weights"),
            (folder / WEIGHTS).symlink_to("weights"),
        ),
        ".",
    ),
    "the hub's cache": (in_the_hubs_cache, "models--ada--verse/snapshots/c0ffee"),
    "spaces after the header": (header_text(lambda text: text + b" " * 64), "."),
    "metadata of others": (
        header_with(lambda header: header.update(__metadata__={"format": "pt", "by": "me\n"})),
        ".",
    ),
    "the order of the fields": (
        changed(CONFIG, lambda text: json.dumps(dict(reversed(json.loads(text).items()))).encode()),
        ".",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_folder_loads_as_the_model_that_it_is(
    name: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "odd"
    shutil.copytree(root / "good", folder)
    ODD[name][0](folder)
    monkeypatch.chdir(folder)  # where Python would find code, did anything look for it
    loaded = load(folder / ODD[name][1])
    assert all(
        torch.equal(weight, loaded.weights()[key]) for key, weight in tiny_model().weights().items()
    )
    assert not list(folder.rglob("*.ran"))


def test_a_link_to_the_folder_itself_is_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root / "good")
    assert load(tmp_path / "link").config == tiny_model().config


def test_what_a_link_leads_to_outside_of_the_folder_is_never_pushed(
    root: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(root / "good", folder)
    (tmp_path / "secret").write_text("a secret")
    (folder / "README.md").symlink_to("../secret")
    with pytest.raises(ModelFolderError, match=r"README\.md is a link that leads out of the folde"):
        push_folder(folder, Target(repo_id="ada/verse"))
