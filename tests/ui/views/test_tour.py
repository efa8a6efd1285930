"""What the tour asks of the model, against the library's own answers."""

from pathlib import Path

import pytest

from lstm_lm.insight.examples import hidden_memory, open_choice
from lstm_lm.insight.keeping import longest_keep
from lstm_lm.store.loading import save
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.tour.view import Guide
from lstm_lm.ui.views.workbench.view import Handlers
from tests.conftest import tiny_model


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Handlers:
    folder: Path = tmp_path_factory.mktemp("models")
    save(tiny_model(scale=2.0), folder / "lstm")
    save(tiny_model(cell="rnn"), folder / "rnn")
    store = RunStore()
    return Handlers(ModelShelf([str(folder / "lstm"), str(folder / "rnn")], store), store)


def run_of(handlers: Handlers, at: int = 0) -> str:
    return handlers.shelf.get(handlers.shelf.names[at]).opening.run_id


def test_the_places_are_those_of_the_text_shown(handlers: Handlers) -> None:
    shown = handlers.shelf.get(handlers.shelf.names[0])
    trace = shown.opening.trace()
    assert Guide(handlers).places([shown.opening.run_id]) == {
        "keep": longest_keep(trace).to_json(),
        "hidden": hidden_memory(trace).to_json(),
        "open": open_choice(shown.model, trace),
    }
    assert Guide(handlers).places([run_of(handlers, 1)]) is None  # of a plain RNN


def test_what_no_tour_would_send_is_answered_with_nothing(handlers: Handlers) -> None:
    guide = Guide(handlers)
    for arguments in (None, [], ["another"], [1], [run_of(handlers), "a"]):
        assert guide.places(arguments) is None
