"""What the tour asks of the model, against the library's own answers."""

from pathlib import Path

import pytest

from lstm_lm.insight.keeping import longest_keep
from lstm_lm.loading import save
from lstm_lm.ui.guide import Guide
from lstm_lm.ui.handlers import Handlers
from lstm_lm.ui.models import ModelShelf
from lstm_lm.ui.runs import RunStore
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


def test_the_longest_memory_is_that_of_the_text_shown(handlers: Handlers) -> None:
    opening = handlers.shelf.get(handlers.shelf.names[0]).opening
    assert Guide(handlers).keeper([opening.run_id]) == longest_keep(opening.trace()).to_json()
    assert Guide(handlers).keeper([run_of(handlers, 1)]) is None  # of a plain RNN


def test_what_no_tour_would_send_is_answered_with_nothing(handlers: Handlers) -> None:
    guide = Guide(handlers)
    for arguments in (None, [], ["another"], [1], [run_of(handlers), "a"]):
        assert guide.keeper(arguments) is None
