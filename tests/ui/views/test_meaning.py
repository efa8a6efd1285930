"""What the workbench says a run means is what the library says of its trace."""

import base64

import numpy as np
import pytest

from lstm_lm.insight.detectors import detect, unit_scores
from lstm_lm.insight.findings import find, overview
from lstm_lm.insight.properties import KEYS, properties
from lstm_lm.insight.saturation import saturation
from lstm_lm.store.loading import save
from lstm_lm.traces.reading import trace_text
from lstm_lm.ui.links.places import ORDERS
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench.meaning import gates_payload, meaning, order_payload, rows
from lstm_lm.ui.views.workbench.view import Handlers, begin_run
from tests.conftest import tiny_model
from tests.planted import hand_set_lstm

TEXT = "abab\nab\n" * 25 + "aab\nabba\n" * 25


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> PageRun:
    """A text as the planted cell reads it: unit 0 counts the position in the line."""
    folder = tmp_path_factory.mktemp("models") / "planted"
    save(hand_set_lstm(), folder)
    shown = ModelShelf([str(folder)], RunStore()).get(str(folder))
    text_ids = shown.model.tokenizer.encode(TEXT)
    return begin_run(shown, TEXT, text_ids, None, "")[0]


def test_every_finding_is_the_librarys_and_the_overview_only_what_stands_out(run: PageRun) -> None:
    trace = trace_text(hand_set_lstm(), TEXT)
    told = meaning(run)
    assert told["findings"] == {
        name: [find(trace, name, layer).to_json() for layer in range(trace.layers)]
        for name in run.signal_names
    }
    assert told["overview"] == [each.to_json() for each in overview(trace) if each.stands_out]
    assert 0 < len(told["overview"]) < len(overview(trace))


def test_what_the_rows_can_be_sorted_by_says_why_where_it_cannot(run: PageRun) -> None:
    trace = run.trace()
    untested = detect(trace).untested
    offered = meaning(run)["properties"]
    assert [(each["key"], each["why"]) for each in offered] == [
        (part.key, untested.get(part.name)) for part in properties(trace.tokens)
    ]
    assert {each["why"] is None for each in offered} == {True, False}
    assert {each["key"] for each in offered} <= set(KEYS) <= set(ORDERS)


def test_rows_sorted_by_a_property_have_the_unit_that_was_planted_on_top(run: PageRun) -> None:
    trace = run.trace()
    part = next(part for part in properties(trace.tokens) if part.key == "line")
    found = order_payload(run, "cell_state", 0, "line")
    scores = unit_scores(trace, part, "cell_state", 0)
    assert scores[found["order"]].tolist() == sorted(scores.tolist(), reverse=True)
    planted = int(np.argmax(scores))
    assert scores[planted] == pytest.approx(1.0)
    assert found["finding"]["unit"] == planted == found["order"][0]
    assert found["finding"]["sentence"].startswith(f"Unit {planted} of layer 1 follows the positi")
    assert "properties were tried" in found["finding"]["evidence"]
    values = np.frombuffer(base64.b64decode(found["values"]), dtype="<f4")
    np.testing.assert_allclose(values, part.values / part.values.max(), rtol=1e-6)


def test_rows_that_cannot_be_sorted_by_a_property_lie_alike_together(run: PageRun) -> None:
    found = order_payload(run, "cell_state", 0, "quotes")
    assert found == {"order": rows(run, "cell_state", 0, "alike")}
    assert rows(run, "cell_state", 0, "index") == list(range(run.units))


def test_saturation_is_the_librarys_of_the_steps_so_far(run: PageRun) -> None:
    found = saturation(run.trace())
    told = gates_payload(run.trace(), 0)
    assert told["steps"] == run.steps
    for gate in told["gates"]:
        assert gate["left"] == found.left[gate["name"]][0].tolist()
        assert gate["right"] == found.right[gate["name"]][0].tolist()
        assert gate["sentence"] == found.sentence(gate["name"], 0)


def test_a_plain_rnn_has_no_gates_to_be_open_or_shut(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("models") / "rnn"
    save(tiny_model(cell="rnn"), folder)
    store = RunStore()
    handlers = Handlers(ModelShelf([str(folder)], store), store)
    opening = handlers.shelf.get(str(folder)).opening
    told = handlers.saturation([opening.run_id, 0])
    assert told is not None
    assert told["gates"] == []
