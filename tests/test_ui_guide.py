"""What the tour asks of the model, against the library's own answers."""

from pathlib import Path

import numpy as np
import pytest

from lstm_lm.insight.keeping import longest_keep
from lstm_lm.loading import save
from lstm_lm.ui.guide import LONGEST_SENTENCE, Guide
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


def test_a_sentence_costs_what_its_tokens_cost_one_by_one(handlers: Handlers) -> None:
    model = handlers.shelf.get(handlers.shelf.names[0]).model
    answer = Guide(handlers).likelier([run_of(handlers), "head", "a bad cab"])
    assert answer
    for text, cost in zip(("head", "a bad cab"), answer["costs"], strict=True):
        trace = model.trace("\n" + text)
        assert cost["tokens"] == len(text)
        assert cost["nats"] == pytest.approx(-np.nansum(trace.log_probs), rel=1e-5)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["", "head"], "one of the two sentences is empty"),
        (["head", "a" * (LONGEST_SENTENCE + 1)], "a sentence has 401 characters: at most 400"),
        (["head", "ZZ"], "This model has never seen 'Z'"),
    ],
)
def test_a_sentence_that_cannot_be_scored_is_answered_in_a_line(
    handlers: Handlers, texts: list[str], message: str
) -> None:
    answer = Guide(handlers).likelier([run_of(handlers), *texts])
    assert answer
    assert message in answer["error"]


def test_what_no_tour_would_send_is_answered_with_nothing(handlers: Handlers) -> None:
    guide = Guide(handlers)
    for arguments in (None, [], ["another"], [1], [run_of(handlers), "a"]):
        assert guide.keeper(arguments) is None
    for arguments in (
        None,
        [],
        ["another", "a", "b"],
        [run_of(handlers), "a"],
        [run_of(handlers), "a", 1],
    ):
        assert guide.likelier(arguments) is None
