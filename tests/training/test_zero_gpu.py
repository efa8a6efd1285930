"""Training on a GPU that is lent, where none is: the same, on what there is."""

import sys
from pathlib import Path

import pytest

from lstm_lm.language_model import load_folder
from lstm_lm.store.folder import read_metrics
from lstm_lm.training.zero_gpu import lease, lent, train_for
from tests.conftest import PROVERBS


def test_it_trains_a_model_that_can_be_loaded(tmp_path: Path) -> None:
    text, folder = tmp_path / "text.txt", tmp_path / "run"
    text.write_text(PROVERBS * 40)
    results = train_for(str(text), str(folder), 0.01)
    rows = read_metrics(folder)
    assert results["steps"] == rows[-1]["step"] > 0
    assert load_folder(folder).complete("the") != ""


def test_what_a_person_can_mend_comes_back_as_a_line(tmp_path: Path) -> None:
    """Of an error that is raised, ZeroGPU gives the page only the name of its class."""
    missing = str(tmp_path / "none.txt")
    assert train_for(missing, str(tmp_path / "run"), 1.0) == {
        "error": f"no such file or folder: {missing}"
    }
    (tmp_path / "text.txt").write_text(PROVERBS * 40)
    told = train_for(str(tmp_path / "text.txt"), str(tmp_path / "run"), -1.0)
    assert told["error"].startswith("minutes is -1.0")
    assert not (tmp_path / "run").exists()


def test_the_gpu_is_wanted_for_as_long_as_the_training_takes() -> None:
    assert lease("text.txt", "run", 2.0) == 150


def test_where_there_is_no_zero_gpu_a_function_stays_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = {"SPACE_ID": "ada/page", "SYSTEM": "spaces"}
    assert lent({"SYSTEM": "Darwin"}, lease)(train_for) is train_for
    assert lent(space, lease)(train_for) is train_for  # a Space on other hardware
    monkeypatch.setitem(sys.modules, "spaces", None)  # a Space that was built without it
    assert lent(space, lease)(train_for) is train_for
