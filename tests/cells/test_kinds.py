"""What every cell says of itself, held to the config, to torch and to its own signals."""

import numpy as np
import pytest
import torch
from torch import nn

from lstm_lm.cells.cell import Cell
from lstm_lm.cells.kinds import CELLS
from lstm_lm.cells.signals import SIGNAL_NAMES, SIGNALS_OF_CELL, VOCABULARY
from lstm_lm.config import BLOCKS, ModelConfig
from lstm_lm.insight.step import step_of_unit
from lstm_lm.language_model import LanguageModel
from tests import reference, tolerance
from tests.conftest import float64_weights, random_state, random_tokens, tiny_model

EVERY = pytest.mark.parametrize("cell", list(CELLS.values()), ids=list(CELLS))


def test_the_settings_offer_the_cells_there_are() -> None:
    assert {name: cell.blocks for name, cell in CELLS.items()} == BLOCKS
    assert {name: cell.signals for name, cell in CELLS.items()} == SIGNALS_OF_CELL


def test_the_six_signals_are_an_lstms() -> None:
    assert tuple(signal.name for signal in CELLS["lstm"].signals) == SIGNAL_NAMES
    assert {s.name for cell in CELLS.values() for s in cell.signals} == set(VOCABULARY)


@EVERY
def test_a_steps_buffer_has_each_signal_once_rows_first_and_the_hidden_state_last(
    cell: Cell,
) -> None:
    assert sorted(cell.step_order) == sorted(signal.name for signal in cell.signals)
    assert cell.step_order[-1] == "hidden_state"
    with_rows = {signal.name for signal in cell.signals if signal.row is not None}
    assert set(cell.step_order[: len(with_rows)]) == with_rows
    assert cell.has_cell_state == ("cell_state" in cell.step_order)


@EVERY
def test_torchs_module_has_the_weights_that_the_config_names(cell: Cell) -> None:
    config = ModelConfig(vocab_size=7, cell=cell.name, layers=2, hidden_size=3, embedding_size=5)
    shapes = {
        f"rnn.{name}": tuple(weight.shape)
        for name, weight in cell.module(5, 3, 2).named_parameters()
    }
    assert shapes == {name: s for name, s in config.shapes().items() if name.startswith("rnn.")}


@EVERY
def test_gates_that_keep_begin_open(cell: Cell) -> None:
    bias = torch.zeros(cell.blocks * 4)
    cell.first_biases(bias)
    keeping = [signal.row for signal in cell.signals if signal.plain == "keep"]
    for block, values in enumerate(bias.split(4)):
        assert values.tolist() == [1.0 if block in keeping else 0.0] * 4


@EVERY
def test_a_unit_taken_apart_adds_up_to_what_the_equations_give(cell: Cell) -> None:
    model = tiny_model(cell.name)
    state, tokens = random_state(model), random_tokens(6)
    first = state[0][:, 0].double().numpy(), state[1][:, 0].double().numpy()
    signals, *_ = reference.run(float64_weights(model), cell.name, tokens.tolist(), first)
    stepper, near = model.engine.start(state), tolerance.states(model)
    for t, token_id in enumerate(tokens.tolist()):
        h, c = (part[:, 0].numpy() for part in stepper.state())
        stepper.step(token_id)
        for layer in range(2):
            x = model.engine.embedding[token_id].numpy()
            if layer:
                x = stepper.signals()["hidden_state"][0]
            for unit in range(8):
                found = step_of_unit(model.engine, layer, unit, x, h[layer], c[layer])
                for part in found.sums:
                    whole = part.bias + part.x.total + part.h_scale * (part.h_bias + part.h.total)
                    assert part.total == pytest.approx(whole, abs=1e-12)
                    expected = signals[part.signal][layer, t, unit]
                    tolerance.assert_near(part.value, expected, near)
                expected = signals["hidden_state"][layer, t, unit]
                tolerance.assert_near(found.hidden_state, expected, near)


def test_a_gru_keeps_and_writes_shares_that_make_its_state() -> None:
    model = tiny_model("gru")
    h = np.linspace(-0.9, 0.9, 8, dtype=np.float32)
    x, zeros = model.engine.embedding[2].numpy(), np.zeros(8, np.float32)
    for held in ({}, {"reset_gate": 0.0}, {"update_gate": 1.0}, {"candidate": 0.5}):
        found = step_of_unit(model.engine, 0, 3, x, h, zeros, held)
        of = {part.signal: part.value for part in found.sums} | held
        assert found.kept == pytest.approx(of["update_gate"] * float(h[3]), abs=1e-12)
        assert found.written == pytest.approx((1 - of["update_gate"]) * of["candidate"], abs=1e-12)
        assert found.hidden_state == pytest.approx(found.kept + found.written, abs=1e-12)
        candidate = next(part for part in found.sums if part.signal == "candidate")
        assert candidate.h_scale == of["reset_gate"]


@pytest.mark.parametrize("layers", [1, 2])
def test_a_gru_is_torchs_own_module_bit_for_bit(layers: int) -> None:
    model = tiny_model("gru", layers)
    assert isinstance(model.rnn, nn.GRU)
    tokens = torch.from_numpy(random_tokens(30))[None]
    ours, (h, c) = model.hidden_states(tokens, model.zero_state())
    theirs, last = model.rnn(model.embedding(tokens.t()))
    assert torch.equal(ours, theirs)
    assert torch.equal(h, last)
    assert not c.any()


def test_a_gru_has_no_cell_state_and_says_so(gru: LanguageModel) -> None:
    trace = gru.trace("abc")
    assert trace.signals == ("reset_gate", "update_gate", "candidate", "hidden_state")
    with pytest.raises(KeyError, match="this trace has no cell_state: it holds reset_gate"):
        trace["cell_state"]
