"""A trace as files: what was written reads back, with every token, to the last bit."""

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lm import GateTrace
from lstm_lm.errors import SignalError, UserError
from lstm_lm.language_model import LanguageModel, load
from lstm_lm.store.loading import save
from tests.conftest import tiny_model

TEXT = "ab c\nhead"
ODD = ["\n", "\r", "\r\n", "\t", "\0", ",", '"', "'", ";", " ", "", "NA", "=1+1", "日", "\x1b[0m"]


def trace_of(tokens: list[str], seed: int = 0) -> GateTrace:
    """A trace of one signal of two layers of three units."""
    values = np.random.default_rng(seed).standard_normal((2, len(tokens), 3)).astype(np.float32)
    ids = np.arange(len(tokens), dtype=np.int64)
    return GateTrace(tokens, ids, {"cell_state": values}, np.zeros(len(tokens), np.float32))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_csv_has_a_row_for_each_unit_of_each_layer_at_each_step(
    model: LanguageModel, tmp_path: Path
) -> None:
    trace = model.trace(TEXT)
    trace.to_csv(tmp_path / "trace.csv")
    rows = rows_of(tmp_path / "trace.csv")
    assert list(rows[0]) == ["step", "token", "token_id", "layer", "unit", *trace.signals]
    assert len(rows) == len(TEXT) * 2 * 8
    for row in rows:
        step, layer, unit = (int(row[name]) for name in ("step", "layer", "unit"))
        assert row["token"] == TEXT[step]
        assert int(row["token_id"]) == trace.token_ids[step]
        for name in trace:
            assert np.float32(row[name]) == trace[name][layer, step, unit]
    places = [(int(row["step"]), int(row["layer"]), int(row["unit"])) for row in rows]
    assert places == sorted(set(places))


def test_a_csv_holds_the_signals_and_layers_that_were_chosen(
    model: LanguageModel, tmp_path: Path
) -> None:
    trace = model.trace(TEXT)
    trace.to_csv(tmp_path / "some.csv", signals=["hidden_state", "candidate"], layers=[1])
    rows = rows_of(tmp_path / "some.csv")
    assert list(rows[0])[5:] == ["hidden_state", "candidate"]
    assert {row["layer"] for row in rows} == {"1"}
    assert np.float32(rows[-1]["candidate"]) == trace["candidate"][1, -1, -1]


@settings(max_examples=25)
@given(tokens=st.lists(st.sampled_from(ODD) | st.text(max_size=3), min_size=1, max_size=8))
def test_any_token_reads_back_from_csv(
    tokens: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "odd.csv"
    trace_of(tokens).to_csv(path)
    assert [row["token"] for row in rows_of(path)[::6]] == tokens


def test_a_lone_surrogate_is_written_as_its_number(tmp_path: Path) -> None:
    trace_of(["\ud800"]).to_csv(tmp_path / "odd.csv")
    assert rows_of(tmp_path / "odd.csv")[0]["token"] == "\\ud800"


def test_what_a_trace_has_not_is_not_written(tmp_path: Path) -> None:
    trace = trace_of(["a"])
    for chosen, message in (
        ({"signals": ["forget_gate"]}, "this trace has no forget_gate: it holds cell_state"),
        ({"signals": ["forget"]}, "'forget' is no signal: choose from input_gate"),
        ({"layers": [2]}, "no layer 2: this trace has 0 to 1"),
        ({"layers": [-1]}, "no layer -1: this trace has 0 to 1"),
        ({"signals": []}, "there is nothing to write: choose at least one signal and one layer"),
    ):
        with pytest.raises(SignalError, match="^" + re.escape(message)):
            trace.to_csv(tmp_path / "none.csv", **chosen)  # pyright: ignore[reportArgumentType]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    trace = trace_of(["a"])
    for write in (trace.to_csv, trace.save):
        with pytest.raises(UserError, match=r"cannot write .*nowhere.*: No such file or directory"):
            write(tmp_path / "nowhere" / "trace")
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises(UserError, match=r"cannot write .*folder: Is a directory"):
            write(tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_saved_trace_keeps_its_model_and_the_names_of_its_layers(tmp_path: Path) -> None:
    trace = trace_of(["a", "b"])
    assert (trace.model, trace.layer_names) == ("", ["layer 0", "layer 1"])
    trace.model, trace.layer_names = "mine", ["layer 0, forward", "layer 0, backward"]
    trace.save(tmp_path / "trace.npz")
    loaded = GateTrace.load(tmp_path / "trace.npz")
    assert (loaded.model, loaded.layer_names) == ("mine", trace.layer_names)


def test_a_trace_saved_before_it_had_a_name_still_loads(tmp_path: Path) -> None:
    trace_of(["a", "b"]).save(tmp_path / "new.npz")
    with np.load(tmp_path / "new.npz") as file:
        np.savez(tmp_path / "old.npz", **{n: file[n] for n in file.files if n != "about"})
    loaded = GateTrace.load(tmp_path / "old.npz")
    assert (loaded.model, loaded.layer_names) == ("", ["layer 0", "layer 1"])


def test_a_trace_knows_the_name_its_model_was_loaded_by(tmp_path: Path) -> None:
    assert tiny_model().trace(TEXT).model == ""
    save(tiny_model(), tmp_path / "my-run")
    assert load(tmp_path / "my-run").trace(TEXT).model == "my-run"
    assert load("shakespeare-rnn").trace("To be").model == "shakespeare-rnn"
