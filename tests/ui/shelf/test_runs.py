"""The store of runs behind the page: bounded, private to a visitor, exact."""

import numpy as np
import pytest

from lstm_lm.language_model import LanguageModel
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench import payload


def new_run(session: str = "me", capacity: int = 4, prompt_steps: int = 1) -> PageRun:
    return PageRun(
        model="m", cell="lstm", capacity=capacity, layers=1, units=8, session=session,
        prompt_steps=prompt_steps,
    )  # fmt: skip


def test_the_oldest_runs_are_dropped_when_the_store_is_full_but_never_the_kept() -> None:
    one = new_run()
    store = RunStore(largest=3 * one.values.nbytes)
    kept = store.add(new_run(), keep=True)
    runs = [store.add(new_run()) for _ in range(5)]
    assert store.get(kept.run_id) is kept
    assert [store.get(run.run_id) is run for run in runs] == [False, False, False, True, True]


def test_a_visitor_who_leaves_frees_what_they_held_and_nothing_else() -> None:
    store = RunStore()
    mine, theirs = store.add(new_run("me")), store.add(new_run("them"))
    store.forget("me")
    assert store.get(mine.run_id) is None
    assert store.get(theirs.run_id) is theirs


def test_stop_finds_what_was_written_not_what_was_read() -> None:
    store = RunStore()
    written = store.add(new_run())
    store.add(new_run(prompt_steps=4))
    store.add(new_run("them"))
    assert store.latest_written("me") is written


def test_a_run_holds_the_trace_it_was_given(model: LanguageModel) -> None:
    trace = model.trace("abc head")
    run = PageRun(model="m", cell="lstm", capacity=8, layers=2, units=8)
    run.add_trace(trace)
    again = run.trace()
    for name in trace:
        np.testing.assert_array_equal(again[name], trace[name])
    assert again.tokens == trace.tokens


def test_bytes_are_the_nearest_of_256_shades(model: LanguageModel) -> None:
    run = PageRun(model="m", cell="lstm", capacity=8, layers=2, units=8)
    run.add_trace(model.trace("abc head"))
    scale = payload.cell_scale(run.values, "lstm")
    shades = payload.to_bytes(run.values, "lstm", scale).astype(np.float64)
    for row, name in enumerate(run.signal_names):
        values = run.values[:, row]
        if name.endswith("gate"):
            assert np.abs(shades[:, row] / 255 - values).max() <= 0.5 / 255 + 1e-6
        else:
            largest = scale if name == "cell_state" else 1.0
            assert np.abs((shades[:, row] - 128) / 127 - values / largest).max() <= 0.5 / 127 + 1e-6


@pytest.mark.parametrize("session", ["", "nobody"])
def test_nothing_is_found_for_a_stranger(session: str) -> None:
    store = RunStore()
    store.add(new_run("me"))
    assert store.latest_written(session) is None
    assert store.get("no-such-run") is None
    assert store.get({"not": "a string"}) is None
