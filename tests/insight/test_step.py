"""One unit at one step, taken apart: its parts add up, and they are the plain equations."""

import math

import numpy as np
import pytest

from lstm_lm.insight.step import NAMED, Share, step_of_unit
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.reading import trace_tokens
from tests import reference, tolerance
from tests.conftest import float64_weights, random_state, random_tokens

pytestmark = pytest.mark.numeric

ROWS = ("input_gate", "forget_gate", "candidate", "output_gate")


def before(model: LanguageModel) -> tuple[np.ndarray, np.ndarray]:
    h, c = random_state(model)
    return h[:, 0].numpy(), c[:, 0].numpy()


@pytest.mark.parametrize("layer", [0, 1])
def test_a_units_step_is_the_equations_in_float64(model: LanguageModel, layer: int) -> None:
    weights = float64_weights(model)
    h, c = before(model)
    trace = trace_tokens(model, np.array([4]), random_state(model))
    x = model.engine.embedding[4].numpy() if layer == 0 else trace["hidden_state"][0, 0]
    theirs = reference.lstm_step(weights, layer, x.tolist(), h[layer].tolist(), c[layer].tolist())
    # All is float64 but b_i + b_h, which is rounded once, and what the engine computed.
    biases = (np.abs(weights[f"rnn.{name}_l{layer}"]).max() for name in ("bias_ih", "bias_hh"))
    once = tolerance.one_sum(1, sum(biases))
    near = tolerance.one_step(model.rnn, model.embedding.weight)
    for unit in range(8):
        ours = step_of_unit(model.engine, layer, unit, x, h[layer], c[layer])
        assert [each.signal for each in ours.sums] == list(ROWS)
        for row, each in enumerate(ours.sums):
            total = reference.sums(weights, layer, x.tolist(), h[layer].tolist(), row)[unit]
            assert each.total == pytest.approx(total, abs=once)
            assert each.value == pytest.approx(theirs[each.signal][unit], abs=once)
        assert ours.cell_state == pytest.approx(theirs["cell_state"][unit], abs=3 * once)
        assert ours.hidden_state == pytest.approx(theirs["hidden_state"][unit], abs=3 * once)
        assert ours.cell_state == ours.kept + ours.written
        assert ours.tanh_cell == math.tanh(ours.cell_state)
        # What the engine computed in float32 is the same step.
        for each in ours.sums:
            assert trace[each.signal][layer, 0, unit] == pytest.approx(each.value, abs=near)
        assert trace["cell_state"][layer, 0, unit] == pytest.approx(ours.cell_state, abs=near)


def test_named_and_other_products_add_up_to_the_sum(model: LanguageModel) -> None:
    weights = float64_weights(model)
    h, c = before(model)
    for token in random_tokens(5).tolist():
        x = model.engine.embedding[token].numpy()
        for each in step_of_unit(model.engine, 0, 3, x, h[0], c[0]).sums:
            for share, name, vector in ((each.x, "ih", x), (each.h, "hh", h[0])):
                row = weights[f"rnn.weight_{name}_l0"][ROWS.index(each.signal) * 8 + 3]
                products = row * vector
                assert_adds_up(share, products)
                for part in share.largest:
                    assert part.product == products[part.index] == part.weight * part.value
            assert each.total == pytest.approx(each.bias + each.x.total + each.h.total, abs=1e-12)


def assert_adds_up(share: Share, products: np.ndarray) -> None:
    """The named are the largest, and with the rest they are all."""
    assert len(share.largest) == min(NAMED, len(products))
    assert share.others == len(products) - len(share.largest)
    sizes = [abs(part.product) for part in share.largest]
    assert sizes == sorted(sizes, reverse=True) == sorted(np.abs(products), reverse=True)[:NAMED]
    named = math.fsum(part.product for part in share.largest)
    assert named + share.rest == pytest.approx(share.total, abs=1e-12)
    assert share.total == pytest.approx(products.sum(), abs=1e-12)


def test_a_plain_rnn_has_one_sum_and_no_memory(rnn: LanguageModel) -> None:
    weights = float64_weights(rnn)
    h, c = before(rnn)
    x = rnn.engine.embedding[2].numpy()
    theirs = reference.rnn_step(weights, 0, x.tolist(), h[0].tolist(), [])["hidden_state"]
    biases = (np.abs(weights[f"rnn.{name}_l0"]).max() for name in ("bias_ih", "bias_hh"))
    once = tolerance.one_sum(1, sum(biases))
    for unit in range(8):
        ours = step_of_unit(rnn.engine, 0, unit, x, h[0], c[0])
        (only,) = ours.sums
        assert (only.signal, only.function) == ("hidden_state", "tanh")
        assert ours.hidden_state == only.value == pytest.approx(theirs[unit], abs=once)
        assert (ours.kept, ours.written, ours.cell_state) == (0, 0, 0)


def test_a_sum_far_below_zero_is_a_gate_of_zero(model: LanguageModel) -> None:
    x = np.full(5, -1e4, dtype=np.float32)
    zero = np.zeros(8, dtype=np.float32)
    values = [
        each.value
        for unit in range(8)
        for each in step_of_unit(model.engine, 0, unit, x, zero, zero).sums
        if each.function == "sigmoid"
    ]
    assert {round(value) for value in values} == {0, 1}
    assert all(math.isfinite(value) for value in values)
