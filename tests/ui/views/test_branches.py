"""Branches of a page's run: exactly what the model writes from that step's own state."""

import base64
import json
from typing import Any

import numpy as np
import pytest

from lstm_lm.config import SamplingConfig
from lstm_lm.store.loading import save
from lstm_lm.ui.shelf.models import OPENING, ModelShelf
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench import payload
from lstm_lm.ui.views.workbench.branches import (
    LONGEST,
    SHORTEST,
    branch_payload,
    grow,
    length_of,
    quoted,
)
from lstm_lm.ui.views.workbench.view import Handlers
from lstm_lm.writing.generation import branch
from tests import reference, tolerance
from tests.conftest import float64_weights, tiny_model

SETTINGS = {"temperature": 0.9, "top_k": 5, "top_p": None, "min_p": None, "seed": 4}


@pytest.fixture(scope="module", params=["lstm", "rnn"])
def handlers(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Handlers:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save(tiny_model(cell=request.param), folder)
    store = RunStore()
    return Handlers(ModelShelf([str(folder)], store), store)


@pytest.fixture
def opening(handlers: Handlers) -> PageRun:
    return handlers.shelf.get(handlers.shelf.names[0]).opening


def test_the_token_taken_with_the_same_settings_is_the_run_itself(
    handlers: Handlers, opening: PageRun
) -> None:
    shown = handlers.shelf.get(opening.model)
    step = 100
    sampling = SamplingConfig(
        max_new_tokens=length_of(opening, step), temperature=OPENING.temperature, seed=OPENING.seed
    )
    grown = grow(shown, opening, step, opening.token_ids[step + 1], sampling)
    assert grown.tokens == opening.tokens
    np.testing.assert_array_equal(grown.values, opening.values)
    np.testing.assert_array_equal(grown.log_probs, opening.log_probs)
    told = branch_payload(shown, opening, grown)
    assert "all 220 tokens are the same" in told["sentence"]
    assert not np.frombuffer(base64.b64decode(told["differences"]), dtype=np.float32).any()


def test_another_token_is_the_library_s_branch(handlers: Handlers, opening: PageRun) -> None:
    model = handlers.shelf.get(opening.model).model
    *_, step = model.generate(
        "", SamplingConfig(max_new_tokens=50, temperature=OPENING.temperature, seed=OPENING.seed)
    )
    assert step.token_id == opening.token_ids[step.position]
    token = (opening.token_ids[step.position + 1] + 1) % model.config.vocab_size
    answer = handlers.branch([opening.run_id, step.position, token, SETTINGS])
    assert answer is not None
    json.dumps(answer, allow_nan=False)
    grown = handlers.store.get(answer["run"])
    assert grown is not None
    sampling = SamplingConfig(**SETTINGS, max_new_tokens=length_of(opening, step.position))
    # The page read the prompt whole and the library a token at a time: two orders of summation.
    own = opening.state_left(step.position)
    for part, other in zip(own, step.state, strict=True):
        tolerance.assert_near(part, other, tolerance.states(model))
    step.state = own
    theirs = list(branch(model, step, token, sampling))
    start = step.position + 1
    assert answer["start"] == start
    assert answer["tokens"] == grown.tokens[start:] == [each.token for each in theirs]
    for row, name in enumerate(grown.signal_names):
        ours = grown.values[start:, row]
        np.testing.assert_array_equal(ours, np.stack([each.signals[name] for each in theirs]))


def test_the_difference_is_that_of_the_signals(handlers: Handlers, opening: PageRun) -> None:
    token = (opening.token_ids[31] + 3) % 11
    answer = handlers.branch([opening.run_id, 30, token, SETTINGS])
    assert answer is not None
    grown = handlers.store.get(answer["run"])
    assert grown is not None
    both = min(grown.steps, opening.steps)
    shape = (both - 31, len(opening.signal_names), opening.layers)
    found = np.frombuffer(base64.b64decode(answer["differences"]), dtype=np.float32)
    apart = np.abs(grown.values[31:both] - opening.values[31:both]).mean(axis=3)
    tolerance.assert_near(found.reshape(shape), apart, tolerance.one_sum(opening.units, 1.0))


def test_a_branch_is_no_text_that_stop_ends_and_leaves_with_its_visitor(
    handlers: Handlers, opening: PageRun
) -> None:
    mine = PageRun(
        model=opening.model, cell=opening.cell, capacity=40, layers=2, units=8, session="me"
    )
    for at in range(20):
        signals = {name: opening.values[at, row] for row, name in enumerate(opening.signal_names)}
        mine.add_step(opening.tokens[at], opening.token_ids[at], opening.log_probs[at], signals)
    handlers.store.add(mine)
    answer = handlers.branch([mine.run_id, 10, 2, SETTINGS])
    assert answer is not None
    assert handlers.store.latest_written("me") is mine
    handlers.store.forget("me")
    assert handlers.store.get(answer["run"]) is None


def test_a_branch_is_as_long_as_what_is_left_within_bounds(
    handlers: Handlers, opening: PageRun
) -> None:
    assert length_of(opening, 100) == 220
    assert length_of(opening, 320) == SHORTEST
    assert length_of(opening, 0) == LONGEST
    at_the_end = handlers.branch([opening.run_id, 320, 2, SETTINGS])
    assert at_the_end is not None
    assert at_the_end["sentence"].startswith("The text ended at step 321; with ")
    assert len(at_the_end["tokens"]) == SHORTEST
    assert at_the_end["differences"] == ""


def test_logits_are_those_of_the_equations_and_the_dozen_are_the_likeliest(
    handlers: Handlers, opening: PageRun
) -> None:
    model = handlers.shelf.get(opening.model).model
    ids = opening.token_ids[:41]
    _, logits, _ = reference.run(float64_weights(model), opening.cell, ids)
    for step in (0, 40):
        answer = handlers.ladder([opening.run_id, step])
        assert answer is not None
        json.dumps(answer, allow_nan=False)
        found = np.frombuffer(base64.b64decode(answer["logits"]), dtype=np.float32)
        tolerance.assert_near(found, logits[step], tolerance.logits(model))
        likeliest = np.argsort(-logits[step])[: payload.LIKELIEST].tolist()
        assert [token_id for token_id, _ in answer["likeliest"]] == likeliest
        taken = opening.token_ids[step + 1]
        assert answer["taken"] == [taken, model.tokenizer.token(taken)]
        assert answer["sampling"]["temperature"] == OPENING.temperature
    last = handlers.ladder([opening.run_id, 320])
    assert last is not None
    assert last["taken"] is None


WRONG: list[Any] = [
    None, [], {"temperature": "hot"}, {"temperature": None}, {"max_new_tokens": 10**9}, {"x": 1},
    {"temperature": -1.0}, {"seed": 0.5}, {"top_k": True}, {"top_p": 2}, {"seed": 10**400},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_settings_that_make_no_sense_write_nothing(
    handlers: Handlers, opening: PageRun, wrong: Any
) -> None:
    held = len(handlers.store)
    answer = handlers.branch([opening.run_id, 5, 2, wrong])
    assert answer is None or set(answer) == {"error"}
    assert len(handlers.store) == held


@pytest.mark.parametrize("token", [None, -1, 11, 1.0, True, "a", []])
def test_what_is_no_token_grows_nothing(handlers: Handlers, opening: PageRun, token: Any) -> None:
    assert handlers.branch([opening.run_id, 5, token, SETTINGS]) is None
    assert handlers.branch([opening.run_id, 5, 2]) is None
    assert handlers.branch("run") is None


def test_a_token_in_a_sentence_has_a_shape() -> None:
    assert [quoted(token) for token in (" ", "\n", "ab")] == ["a space", "“↵”", "“ab”"]
