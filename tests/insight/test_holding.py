"""What holding a unit moves: planted units whose effect is known, and other arithmetic."""

import dataclasses

import numpy as np
import pytest
import torch

from lstm_lm.cells.interventions import Intervention
from lstm_lm.errors import UserError
from lstm_lm.insight.holding import LOW, Moved, levels, other_units, sway
from tests import tolerance
from tests.conftest import tiny_model
from tests.planted import ALPHABET, COUNTER, IDLE, LATCH, hand_set_lstm

TEXT = "\n..b.b.\n..bb.....\nb.b" * 4 + "a" + "...b\n....b..\n" * 4


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def test_levels_are_values_that_the_unit_had() -> None:
    trace = tiny_model(scale=2.0).trace("a head faded\n" * 9)
    for signal in trace.signals:
        values = trace[signal][1, :, 3]
        found = levels(trace, signal, 1, 3)
        assert [found.lowest, found.highest] == [values.min(), values.max()]
        assert {found.low, found.typical, found.high} <= set(values.tolist())
        one = 1 / len(values)  # the quantile falls between two of them
        assert (values < found.low).mean() - one <= LOW <= (values <= found.low).mean() + one
        assert (values > found.high).mean() - one <= LOW <= (values >= found.high).mean() + one


def test_a_planted_unit_moves_what_its_weights_say() -> None:
    model = hand_set_lstm()
    trace = model.trace(TEXT)
    found = sway(model, trace, 0, LATCH, "cell_state")
    assert (found.low, found.high) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert found.likelier[0].token == "b"
    assert found.less_likely[0].token == "a"
    # From the weights alone: COUNTER writes newlines, LATCH "b" against "a".
    newline, _, a, b = range(len(ALPHABET))
    base = np.zeros((trace.steps, len(ALPHABET)))
    base[:, newline] = 4.0 * trace["hidden_state"][0, :, COUNTER]
    high = base.copy()
    high[:, b] += 2.0 * np.tanh(1.0)
    high[:, a] -= 2.0 * np.tanh(1.0)
    moved = np.abs(softmax(high) - softmax(base)).sum(axis=-1) / 2
    assert found.moved == pytest.approx(moved.mean(), abs=1e-6)
    assert found.moved_there == pytest.approx(moved[found.step], abs=1e-6)
    assert found.likelier[0].weight == pytest.approx(
        (softmax(high) - softmax(base))[:, b].mean(), abs=1e-6
    )
    others = [Moved(unit=IDLE, moved=0.0), Moved(unit=LATCH, moved=0.9)]
    against = sway(model, trace, 0, LATCH, "cell_state", others=others)
    assert against.others == (others[0],)  # a unit is not compared with itself
    assert against.stands_out
    assert "clearly moves more" in against.sentence()
    level = sway(model, trace, 0, LATCH, "cell_state", others=[Moved(unit=0, moved=found.moved)])
    assert not level.stands_out
    assert level.sentence().endswith("at most: this one does not clearly move more.")
    little = dataclasses.replace(against, moved=0.008, others=(Moved(unit=0, moved=0.002),))
    assert not little.stands_out
    assert little.sentence().endswith("less than 1.0 % is next to nothing.")


def test_a_unit_that_nothing_reads_moves_nothing() -> None:
    model = hand_set_lstm()
    trace = model.trace(TEXT)
    others = other_units(model, trace, 0, "cell_state")
    found = sway(model, trace, 0, IDLE, "cell_state", others=others)
    assert found.moved == 0.0
    assert not found.stands_out
    assert found.likelier == found.less_likely == ()
    assert found.sentence().startswith("It hardly moves in this text")


def test_it_is_what_reading_with_the_hold_gives_by_torch() -> None:
    model = tiny_model(scale=2.0)
    trace = model.trace("a head faded\nhe had a bead\n" * 5)
    found = sway(model, trace, 1, 5, "output_gate")
    expected = []
    for value in (found.low, found.high):
        hold = Intervention("output_gate", layer=1, units=[5], value=value)
        read = model.trace("".join(trace.tokens), interventions=[hold])
        with torch.no_grad():
            logits = model.decoder(torch.from_numpy(read["hidden_state"][-1]))
        expected.append(softmax(logits.numpy().astype(np.float64)))
    moved = np.abs(expected[1] - expected[0]).sum(axis=-1) / 2
    assert found.moved > 0
    assert found.moved == pytest.approx(moved.mean(), abs=tolerance.log_probs(model))
    change = (expected[1] - expected[0]).mean(axis=0)
    assert found.likelier[0].token_id == change.argmax()
    assert found.less_likely[0].token_id == change.argmin()


def test_the_others_are_drawn_by_the_seed_and_measured_as_the_unit_is() -> None:
    model = tiny_model(scale=2.0)
    trace = model.trace("a head faded\n" * 5)
    others = other_units(model, trace, 0, "forget_gate", count=4, seed=3)
    assert others == other_units(model, trace, 0, "forget_gate", count=4, seed=3)
    assert len({other.unit for other in others}) == 4
    for other in others:
        assert other.moved == sway(model, trace, 0, other.unit, "forget_gate").moved


def test_a_signal_or_a_unit_that_is_not_there_is_named() -> None:
    model = tiny_model(cell="rnn")
    trace = model.trace("a head")
    with pytest.raises(UserError, match="there is no 'cell_state' here: choose hidden_state"):
        levels(trace, "cell_state", 0, 0)
    with pytest.raises(UserError, match="there is no unit 8: choose one of 0 to 7"):
        sway(model, trace, 0, 8, "hidden_state")
