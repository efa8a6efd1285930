"""Places that an explanation begins with, planted and against independent arithmetic."""

import numpy as np
import pytest
import torch

from lstm_lm.errors import UserError
from lstm_lm.insight import examples
from lstm_lm.insight.examples import hidden_memory, open_choice
from lstm_lm.traces.reading import trace_text
from tests.conftest import tiny_model
from tests.planted import delay_rnn, trace_of

TEXT = "abab\nab ba"


def test_the_largest_memory_behind_a_shut_gate_is_found_and_an_idle_one_is_not() -> None:
    steps, units = 50, 6
    random = np.random.default_rng(1)
    cell = random.uniform(-1, 1, (steps, units))
    gate = random.uniform(0.4, 1, (steps, units))
    cell[:, 2], gate[:, 2] = 9.0, 0.0  # holds most, but never changes: it remembers nothing
    cell[31, 4], gate[31, 4] = -3.0, 0.02
    found = hidden_memory(trace_of({"cell_state": cell, "output_gate": gate}, ["a"] * steps))
    assert (found.layer, found.step, found.unit) == (0, 31, 4)
    assert found.withheld == pytest.approx(np.tanh(3.0) * 0.98)


def test_a_plain_rnn_hides_nothing() -> None:
    with pytest.raises(UserError):
        hidden_memory(delay_rnn().trace("ab.b"))


@pytest.mark.parametrize("at_once", [10**6, 20])
def test_the_most_open_choice_is_that_of_the_models_own_distribution(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(examples, "MOST_LOGITS", at_once)
    model = tiny_model(scale=2.0)
    ids = torch.from_numpy(model.tokenizer.encode(TEXT))
    with torch.no_grad():
        logits, _ = model(ids[None], model.zero_state())
    entropy = torch.distributions.Categorical(logits=logits[:-1, 0].double()).entropy()
    assert open_choice(model, trace_text(model, TEXT)) == int(entropy.argmax())
