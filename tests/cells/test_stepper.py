"""The step at a time, against the equations, the fused pass and the whole-text trace."""

import numpy as np
import pytest
import torch

from lstm_lm.cells.signals import SIGNALS_OF_CELL
from lstm_lm.cells.stepper import Engine
from lstm_lm.language_model import LanguageModel
from tests import reference, tolerance
from tests.conftest import ALPHABET, float64_weights, random_state, random_tokens, tiny_model

pytestmark = pytest.mark.numeric

CELLS = pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
TOKENS = random_tokens(30)


@CELLS
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("carried", [False, True], ids=["zero-state", "carried-state"])
@pytest.mark.parametrize("table", [True, False], ids=["table", "large-vocabulary"])
def test_each_step_computes_the_equations(
    cell: str, layers: int, carried: bool, table: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not table:
        monkeypatch.setattr("lstm_lm.cells.stepper.LARGEST_TABLE", 0)
    model = tiny_model(cell, layers)
    before = random_state(model) if carried else model.zero_state()
    first = before[0][:, 0].double().numpy(), before[1][:, 0].double().numpy()
    signals, logits, after = reference.run(float64_weights(model), cell, TOKENS.tolist(), first)
    engine = Engine(model.config, model.weights())
    assert (engine.table is not None) == table
    stepper = engine.start(before if carried else None)
    near, of_logits = tolerance.states(model), tolerance.logits(model)
    for t, token_id in enumerate(TOKENS.tolist()):
        stepper.step(token_id)
        ours = stepper.signals()
        assert set(ours) == {signal.name for signal in SIGNALS_OF_CELL[cell]} == set(signals)
        for name, values in ours.items():
            assert values.dtype == np.float32
            tolerance.assert_near(values, signals[name][:, t], near)
        tolerance.assert_near(stepper.logits, logits[t], of_logits)
    for part, expected in zip(stepper.state(), after, strict=True):
        tolerance.assert_near(part[:, 0], expected, near)


@CELLS
def test_steps_agree_with_the_fused_pass(cell: str) -> None:
    model = tiny_model(cell, layers=2)
    state = random_state(model)
    logits, (h, c) = model(torch.from_numpy(TOKENS)[None], state)
    stepper = model.engine.start(state)
    for t, token_id in enumerate(TOKENS.tolist()):
        stepper.step(token_id)
        tolerance.assert_near(stepper.logits, logits[t, 0], tolerance.logits(model))
    tolerance.assert_near(stepper.state(), (h, c), tolerance.states(model))


def test_a_state_given_has_its_logits_at_once(model: LanguageModel) -> None:
    stepper = model.engine.start()
    for token_id in TOKENS.tolist():
        stepper.step(token_id)
    assert torch.equal(model.engine.start(stepper.state()).logits, stepper.logits)


def test_steppers_share_an_engine_without_touching_each_other(model: LanguageModel) -> None:
    alone = model.engine.start()
    for token_id in TOKENS.tolist():
        alone.step(token_id)
    one, other = model.engine.start(), model.engine.start()
    for token_id in TOKENS.tolist():
        one.step(token_id)
        other.step((token_id + 1) % len(ALPHABET))
    assert torch.equal(one.logits, alone.logits)
    assert not torch.equal(one.logits, other.logits)


def test_what_a_step_gave_is_not_overwritten_by_the_next(model: LanguageModel) -> None:
    stepper = model.engine.start()
    stepper.step(1)
    signals, (h, c) = stepper.signals(), stepper.state()
    kept = {name: values.copy() for name, values in signals.items()}, h.clone(), c.clone()
    stepper.step(2)
    assert all(np.array_equal(signals[name], kept[0][name]) for name in signals)
    assert torch.equal(h, kept[1])
    assert torch.equal(c, kept[2])


def test_a_given_state_is_not_written_to(model: LanguageModel) -> None:
    state = random_state(model)
    kept = state[0].clone(), state[1].clone()
    model.engine.start(state).step(3)
    torch.testing.assert_close(state, kept, rtol=0, atol=0)


def test_weights_that_training_changed_reach_the_engine() -> None:
    model = tiny_model()
    before = model.engine
    assert model.engine is before
    model.train()
    model.decoder.bias.add_(1.0)
    model.eval()
    stepper = model.engine.start()
    stepper.step(0)
    logits, _ = model(torch.zeros(1, 1, dtype=torch.int64), model.zero_state())
    tolerance.assert_near(stepper.logits, logits[0, 0], tolerance.logits(model))
