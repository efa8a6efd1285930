"""The longest memory of a text, on planted gates."""

import numpy as np
import pytest

from lstm_lm.errors import SignalError
from lstm_lm.insight.keeping import longest_keep
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.trace import GateTrace
from tests.conftest import tiny_model


def planted(forget: Array, cell: Array) -> GateTrace:
    """A trace with these signals, each (layers, steps, units)."""
    steps = forget.shape[1]
    return GateTrace(
        tokens=["a"] * steps,
        token_ids=np.zeros(steps, np.int64),
        signals={"forget_gate": forget, "cell_state": cell},
        log_probs=np.zeros(steps, np.float32),
    )


def test_the_unit_that_was_made_to_keep_is_found_with_its_stretch() -> None:
    generator = np.random.default_rng(0)
    forget = generator.uniform(0.1, 0.5, (1, 60, 6)).astype(np.float32)
    cell = generator.normal(size=(1, 60, 6)).astype(np.float32)
    forget[0, 11:41, 4] = 0.99  # of what it holds after step 10, 0.99**30 is left after step 40
    found = longest_keep(planted(forget, cell))
    assert (found.layer, found.unit, found.start, found.stop) == (0, 4, 10, 40)
    assert found.share == pytest.approx(0.99**30, rel=1e-5)
    assert found.held == cell[0, 10, 4]


def test_an_open_gate_over_nothing_is_no_memory() -> None:
    generator = np.random.default_rng(0)
    forget = generator.uniform(0.1, 0.5, (2, 60, 6)).astype(np.float32)
    cell = generator.normal(size=(2, 60, 6)).astype(np.float32)
    forget[0, :, 2] = 1.0
    cell[0, :, 2] = 0.0
    forget[1, 21:31, 3] = 0.98
    found = longest_keep(planted(forget, cell))
    assert (found.layer, found.unit, found.start, found.stop) == (1, 3, 20, 30)


def test_a_plain_rnn_has_no_gates_to_keep_with() -> None:
    with pytest.raises(SignalError):
        longest_keep(tiny_model(cell="rnn").trace("abc head"))
