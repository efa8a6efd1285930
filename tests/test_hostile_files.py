"""Nothing hostile gets in: each of many broken folders is refused fast, small, and in one line."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lstm_lm.config import ModelConfig
from lstm_lm.loading import save
from lstm_lm.model import LanguageModel
from lstm_lm.tokenizer import SentencePieceTokenizer
from tests.conftest import tiny_model
from tests.hostile.folders import HOSTILE

MOST_SECONDS = 2.0  # of CPU: a busy machine is no bug
MOST_MEGABYTES = 300

# Loads every folder it is given, and says what came of it: a line of JSON each. The peak of
# memory is the kernel's, put back before each folder; torch's own memory is in it.
CHILD = """
import json, re, sys, time
from pathlib import Path
import sentencepiece
from lstm_lm.loading import load

def memory(name):
    return int(re.search(name + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

for folder in map(Path, sys.argv[1:]):
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # then the peak is that of all folders so far
    print(json.dumps({"folder": folder.name}), flush=True)  # which it was, should it hang
    before, start = memory("VmRSS"), time.process_time()
    try:
        load(folder)
        error, text = "", ""
    except Exception as found:
        error, text = type(found).__name__, str(found)
    seconds, peak = time.process_time() - start, memory("VmHWM") - before
    outcome = {"error": error, "text": text, "seconds": seconds, "megabytes": peak}
    print(json.dumps(outcome), flush=True)
"""
Outcome = dict[str, Any]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory, subwords: SentencePieceTokenizer) -> Path:
    """A good folder of characters and one of subwords, to be broken."""
    root = tmp_path_factory.mktemp("folders")
    save(tiny_model(), root / "good")
    config = ModelConfig(vocab_size=300, tokenizer="sentencepiece", hidden_size=4, embedding_size=2)
    save(LanguageModel(config, subwords), root / "good-subwords")
    return root


@pytest.fixture(scope="module")
def outcomes(root: Path) -> dict[str, Outcome]:
    """What a process of its own says of each folder, by the case's name."""
    folders = {name: root / f"case-{number}" for number, name in enumerate(HOSTILE)}
    for name, folder in folders.items():
        shutil.copytree(root / ("good-subwords" if "subwords" in name else "good"), folder)
        HOSTILE[name][0](folder)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *map(str, folders.values())],
        check=False, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout[-300:], done.stderr[-3000:])
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(folders, lines[1::2], strict=True))


def test_there_are_many_of_them() -> None:
    assert len(HOSTILE) >= 100


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_folder_is_refused_in_one_line_fast_and_small(
    name: str, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes[name]
    assert outcome["error"] == "ModelFolderError", outcome
    folder, _, text = outcome["text"].partition(": ")
    assert Path(folder).name.startswith("case-")
    assert re.search(HOSTILE[name][1], text), text
    assert text.isprintable()
    assert len(text) < 300
    assert outcome["seconds"] < MOST_SECONDS
    assert outcome["megabytes"] < MOST_MEGABYTES
