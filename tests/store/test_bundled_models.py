"""The models that come with the project: there, small, made by train.py, as good as they say."""

import json
from pathlib import Path

import pytest

from lstm_lm.language_model import load
from lstm_lm.store.folder import BUNDLED, RESULTS_FILE, bundled_models, read_metrics
from lstm_lm.writing.evaluation import bits

NAMES = ["shakespeare-char", "python-char", "shakespeare-rnn", "shakespeare-subword"]
BARS = {"shakespeare-char": 1.52, "shakespeare-subword": 1.60}  # nats a character


def test_the_four_models_are_there_and_the_first_opens_the_page() -> None:
    assert bundled_models() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_small_complete_and_made_by_train_py(name: str) -> None:
    folder = BUNDLED / name
    files = {path.name for path in folder.iterdir()}
    assert {"config.json", "model.safetensors", "README.md", "metrics.jsonl"} <= files
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8 * 2**20
    assert "    python train.py " in (folder / "README.md").read_text()
    results = json.loads((folder / RESULTS_FILE).read_text())
    rows = read_metrics(folder)
    assert rows[-1]["step"] == results["steps"]
    per_character = results["val_nats_per_character"]
    assert results["val_bpc"] == pytest.approx(bits(per_character), abs=1e-4)
    assert per_character <= BARS.get(name, 2.0)


def test_the_rnn_is_of_the_size_of_the_lstm() -> None:
    lstm, rnn = load("shakespeare-char").config, load("shakespeare-rnn").config
    assert (lstm.cell, rnn.cell) == ("lstm", "rnn")
    assert (lstm.layers, lstm.hidden_size) == (rnn.layers, rnn.hidden_size)
    assert lstm.vocab_size == rnn.vocab_size


@pytest.mark.parametrize("name", NAMES)
def test_a_model_predicts_its_kind_of_text(name: str, tmp_path: Path) -> None:
    lm = load(name)
    text = "def main():\n    return 0\n" if name == "python-char" else "ROMEO:\nI will not go.\n"
    backwards = text[::-1]
    assert lm.score(text) > lm.score(backwards) + 10
