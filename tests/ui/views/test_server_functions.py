"""The page's server functions: open to anyone who knows a run's id, so they check everything."""

import json
from typing import Any

import pytest

from lstm_lm.store.loading import save
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench.view import Handlers
from tests import tolerance
from tests.conftest import tiny_model


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Handlers:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save(tiny_model(), folder)
    store = RunStore()
    return Handlers(ModelShelf([str(folder)], store), store)


@pytest.fixture
def run(handlers: Handlers) -> PageRun:
    """The opening text of the tiny model."""
    return handlers.shelf.get(handlers.shelf.names[0]).opening


WRONG: list[Any] = [None, -1, 10**9, 1.0, True, "0", [], {}, "__class__"]


@pytest.mark.parametrize(
    "name", ["exact", "inside", "ladder", "columns", "order", "saturation", "line"]
)
def test_anything_but_a_place_in_a_run_is_answered_with_nothing(
    handlers: Handlers, run: PageRun, name: str
) -> None:
    call = getattr(handlers, name)
    good: list[Any] = {
        "exact": [0], "ladder": [0], "inside": [0, 0, 0], "columns": [0],
        "order": ["hidden_state", 0, "alike"], "saturation": [0], "line": ["hidden_state", 0, 0],
    }[name]  # fmt: skip
    assert call([run.run_id, *good]) is not None
    for arguments in [None, {}, [], "x", [run.run_id], ["another", *good], [[run.run_id], *good]]:
        assert call(arguments) is None
    for at in range(len(good)):
        for wrong in WRONG:
            assert call([run.run_id, *good[:at], wrong, *good[at + 1 :]]) is None
    assert call([run.run_id, *good, 0]) is None


def test_inside_is_plain_json_and_begins_from_zero(handlers: Handlers, run: PageRun) -> None:
    first = handlers.inside([run.run_id, 0, 1, 3])
    assert first is not None
    json.dumps(first, allow_nan=False)
    assert (first["h_before"], first["c_before"], first["kept"]) == (0, 0, 0)
    later = handlers.inside([run.run_id, 5, 1, 3])
    assert later is not None
    row = run.signal_names.index("cell_state")
    assert later["c_before"] == run.values[4, row, 1, 3]
    model = handlers.shelf.get(run.model).model
    near = tolerance.one_step(model.rnn, model.embedding.weight)
    assert later["cell_state"] == pytest.approx(run.values[5, row, 1, 3], abs=near)
