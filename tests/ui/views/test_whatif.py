"""What if, as the page's server has it: the library's own texts, numbers and scores."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_lm import Intervention, SamplingConfig
from lstm_lm.cells.interventions import StateChange
from lstm_lm.language_model import LanguageModel
from lstm_lm.store.loading import save
from lstm_lm.ui.shelf.models import OPENING, ModelShelf
from lstm_lm.ui.shelf.reading import LONGEST_READ
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench.branches import SHORTEST
from lstm_lm.ui.views.workbench.view import Handlers
from tests import tolerance
from tests.conftest import tiny_model

SETTINGS = {"temperature": 0.9, "top_k": 5, "top_p": None, "min_p": None, "seed": 4}
STEP = 100
Payload = dict[str, Any]


def handlers_of(folder: Path, cell: str) -> Handlers:
    save(tiny_model(cell=cell, scale=2.0 if cell == "lstm" else 1.0), folder / cell)
    store = RunStore()
    return Handlers(ModelShelf([str(folder / cell)], store), store)


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Handlers:
    return handlers_of(tmp_path_factory.mktemp("models"), "lstm")


@pytest.fixture(scope="module")
def of_rnn(tmp_path_factory: pytest.TempPathFactory) -> Handlers:
    return handlers_of(tmp_path_factory.mktemp("models"), "rnn")


def opening_of(handlers: Handlers) -> PageRun:
    return handlers.shelf.get(handlers.shelf.names[0]).opening


def model_of(handlers: Handlers) -> LanguageModel:
    return handlers.shelf.get(handlers.shelf.names[0]).model


def held(signal: Any = "forget_gate", units: Any = None, value: Any = 0, layer: Any = 0) -> Payload:
    return {"kind": "hold", "signal": signal, "layer": layer, "units": units, "value": value}


def asked(
    handlers: Handlers, run: PageRun, step: int, change: Any, settings: Any = None
) -> Payload:
    answer = handlers.whatif([run.run_id, step, change, settings])
    assert answer is not None
    json.dumps(answer, allow_nan=False)
    return answer


def run_of(handlers: Handlers, answer: Payload) -> PageRun:
    run = handlers.store.get(answer["run"])
    assert run is not None
    return run


CHANGES: list[tuple[str, Payload, Any]] = [
    ("lstm", held(), Intervention("forget_gate", layer=0, value=0.0, start=STEP)),
    ("lstm", held("candidate", [3, 7], -0.5, 1),
     Intervention("candidate", layer=1, units=[3, 7], value=-0.5, start=STEP)),
    ("lstm", held("cell_state", [2], 4.5, 1),
     Intervention("cell_state", layer=1, units=[2], value=4.5, start=STEP)),
    ("lstm", {"kind": "zero"}, StateChange(STEP)),
    ("lstm", {"kind": "text", "text": "deaf\ncab"}, "deaf\ncab"),
    ("rnn", held("hidden_state", None, 0.25, 1),
     Intervention("hidden_state", layer=1, value=0.25, start=STEP)),
    ("rnn", {"kind": "zero"}, StateChange(STEP)),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "change", "theirs"), CHANGES, ids=lambda each: str(each)[:40])
def test_the_text_is_what_the_library_writes_and_the_effect_its_scores(
    handlers: Handlers, of_rnn: Handlers, cell: str, change: Payload, theirs: Any
) -> None:
    ours = handlers if cell == "lstm" else of_rnn
    run, model = opening_of(ours), model_of(ours)
    if isinstance(theirs, str):
        theirs = StateChange(STEP, model.trace(theirs).final_state)
    answer = asked(ours, run, STEP, change)
    again = run_of(ours, answer)
    text = model.tokenizer.decode(run.token_ids)
    kept = model.tokenizer.decode(run.token_ids[: STEP + 1])
    sampling = SamplingConfig(
        max_new_tokens=run.steps - STEP - 1, temperature=OPENING.temperature, seed=OPENING.seed
    )
    steps = list(model.generate(kept, sampling, interventions=[theirs]))
    assert again.tokens == run.tokens[: STEP + 1] + [each.token for each in steps]
    assert answer["start"] == STEP
    assert answer["tokens"] == again.tokens[STEP:]
    whole = model.trace("".join(again.tokens), interventions=[theirs])
    # A cell that is held open grows, and its rounding with it.
    near, growing = tolerance.states(model), tolerance.one_sum(again.steps, 1.0)
    for row, name in enumerate(again.signal_names):
        np.testing.assert_allclose(
            again.values[:, row], whole[name].transpose(1, 0, 2), rtol=growing, atol=near
        )
    tolerance.assert_near(
        again.log_probs[1 : again.steps], whole.log_probs[1:], tolerance.log_probs(model)
    )
    differ = [
        at for at in range(run.steps) if at < again.steps and run.tokens[at] != again.tokens[at]
    ]
    assert answer["first"] == (differ[0] if differ else None)
    assert answer["effect"] == pytest.approx(model.effect(text, [theirs]), abs=1e-3)
    nats = f"{abs(model.effect(text, [theirs])):.2f}"
    assert f"becomes {nats} nats " in answer["sentence"]
    assert "control" not in answer
    apart = np.frombuffer(base64.b64decode(answer["differences"]), dtype=np.float32)
    both = slice(STEP, min(run.steps, again.steps))
    expected = np.abs(again.values[both] - run.values[both]).mean(axis=3).ravel()
    tolerance.assert_near(apart, expected, tolerance.one_sum(run.units, 8.0))


def test_what_changes_nothing_writes_the_same_text_again(handlers: Handlers) -> None:
    run = opening_of(handlers)
    value = float(run.values[STEP, 1, 0, 4])
    answer = asked(handlers, run, run.steps - 1, held(units=[4], value=value))
    assert len(answer["tokens"]) == SHORTEST + 1
    assert "the text goes on where it had ended" in answer["sentence"]
    text = "".join(run.tokens[:STEP])
    left = model_of(handlers).trace(text).final_state
    assert left is not None
    near = tolerance.states(model_of(handlers))
    tolerance.assert_near(left[1][:, 0], run.values[STEP - 1, 4], near)
    same = asked(handlers, run, STEP, {"kind": "text", "text": text})
    assert same["first"] is None
    assert "all 220 tokens that are written again are the same" in same["sentence"]
    assert abs(same["effect"]) < 1e-3


def test_a_text_only_read_is_measured_against_what_is_written_without_the_change(
    handlers: Handlers,
) -> None:
    model, name = model_of(handlers), handlers.shelf.names[0]
    text = "abc\nhead fade"
    read = handlers.read(text, name, None)
    run = handlers.store.get(read["run"])
    assert run is not None
    answer = asked(handlers, run, 6, held(value=1), SETTINGS)
    control = run_of(handlers, answer["control"])
    sampling = SamplingConfig(**SETTINGS, max_new_tokens=SHORTEST)
    kept = text[:7]
    hold = Intervention("forget_gate", value=1.0, start=6)
    for ours, changes in ((control, []), (run_of(handlers, answer), [hold])):
        written = model.complete(kept, sampling, interventions=changes)
        assert "".join(ours.tokens) == kept + written
    assert answer["control"]["start"] == 7
    assert answer["effect"] == pytest.approx(model.effect(text, [hold]), abs=1e-4)
    assert "over 7 tokens" in answer["sentence"]


def test_a_prompt_stays_and_what_was_held_stays_held(handlers: Handlers) -> None:
    model, name = model_of(handlers), handlers.shelf.names[0]
    prompt = "head fade"
    sampling = SamplingConfig(max_new_tokens=150, seed=3)
    run = PageRun(model=name, cell="lstm", capacity=159, layers=2, units=8, sampling=sampling)
    run.add_trace(model.trace(prompt))
    run.prompt_steps = 9
    for each in model.generate(prompt, sampling):
        run.add_step(each.token, each.token_id, each.log_prob, each.signals)
    handlers.store.add(run)
    hold = Intervention("output_gate", layer=1, value=0.5, start=2)
    first = run_of(handlers, asked(handlers, run, 2, held("output_gate", None, 0.5, 1)))
    assert "".join(first.tokens[9:]) == model.complete(prompt, sampling, interventions=[hold])
    zeroed = asked(handlers, first, 40, {"kind": "zero"})
    both = [hold, StateChange(40)]
    kept = "".join(first.tokens[:41])
    rest = SamplingConfig(max_new_tokens=120, seed=3)
    theirs = model.complete(kept, rest, interventions=both)
    assert "".join(run_of(handlers, zeroed).tokens[41:]).startswith(theirs[:118])
    # So does a branch of it.
    token = (first.token_ids[31] + 1) % 11
    settings = {"temperature": 1.0, "top_k": None, "top_p": None, "min_p": None, "seed": 3}
    branch = run_of(handlers, handlers.branch([first.run_id, 30, token, settings]) or {})
    assert (branch.values[31:, branch.signal_names.index("output_gate"), 1] == 0.5).all()


def test_inside_a_changed_step_stands_what_would_have_been(handlers: Handlers) -> None:
    run, model = opening_of(handlers), model_of(handlers)
    near = tolerance.one_step(model.rnn, model.embedding.weight)
    again = asked(handlers, run, STEP, held("forget_gate", [3], 0.25, 1))
    found = handlers.inside([again["run"], STEP, 1, 3])
    was = run.values[STEP, run.signal_names.index("forget_gate"), 1, 3]
    assert found is not None
    assert found["free"] == {"forget_gate": pytest.approx(was, abs=near)}
    assert found["kept"] == pytest.approx(0.25 * found["c_before"])
    assert found["cell_state"] == pytest.approx(
        run_of(handlers, again).values[STEP, run.signal_names.index("cell_state"), 1, 3], abs=near
    )
    assert (handlers.inside([again["run"], STEP, 1, 4]) or {})["free"] == {}
    assert (handlers.inside([again["run"], STEP - 1, 1, 3]) or {})["free"] == {}
    cell = asked(handlers, run, STEP, held("cell_state", [3], -2, 1))
    found = handlers.inside([cell["run"], STEP, 1, 3]) or {}
    assert found["free"]["cell_state"] == pytest.approx(found["kept"] + found["written"])
    assert (found["cell_state"], found["tanh_cell"]) == (-2, pytest.approx(np.tanh(-2)))
    zeroed = asked(handlers, run, STEP, {"kind": "zero"})
    found = handlers.inside([zeroed["run"], STEP, 1, 3]) or {}
    h, c = run.state_after(STEP - 1)
    assert found["replaced"] == {"h_before": h[1, 3], "c_before": c[1, 3]}
    assert (found["h_before"], found["c_before"], found["kept"]) == (0, 0, 0)
    # And what could have come before it is drawn from the state that was put in place.
    logits = np.frombuffer(
        base64.b64decode((handlers.ladder([zeroed["run"], STEP - 1]) or {})["logits"]), np.float32
    )
    np.testing.assert_allclose(logits, model.decoder.bias.detach().numpy(), atol=1e-6)


WRONG: list[Any] = [
    None, [], "zero", {}, {"kind": "zero", "step": 3}, {"kind": "text"},
    {"kind": "text", "text": 3}, {"kind": "text", "text": ""},
    {"kind": "text", "text": "a" * (LONGEST_READ + 1)},
    {"kind": "unknown"}, {"kind": []}, {"kind": "hold"}, {**held(), "stop": 3},
    held("forget"), held([]), held(units=[]), held(units=[8]), held(units=[True]),
    held(units=["1"]), held(units=[-1]), held(units=list(range(8)) * 2), held(units="1"),
    held(units={}), held(value=1.5), held(value=None), held(value="0"), held(value=True),
    held(value=10**400), held(value=float("nan")), held("cell_state", value=float("inf")),
    held(layer=2), held(layer=-1), held(layer=True), held(layer=None),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: str(each)[:60])
def test_a_change_that_makes_no_sense_writes_nothing(handlers: Handlers, wrong: Any) -> None:
    count = len(handlers.store)
    answer = handlers.whatif([opening_of(handlers).run_id, STEP, wrong, None])
    assert answer is None or set(answer) == {"error"}
    assert len(handlers.store) == count


def test_a_place_or_settings_that_make_no_sense_write_nothing(
    handlers: Handlers, of_rnn: Handlers
) -> None:
    run = opening_of(handlers)
    good = [run.run_id, STEP, {"kind": "zero"}, None]
    for at, wrongs in ((0, [None, [], "x"]), (1, [-1, 321, 1.0, True]), (3, ["x", [], {"x": 1}])):
        for wrong in wrongs:
            assert handlers.whatif([*good[:at], wrong, *good[at + 1 :]]) is None
    for arguments in (None, "x", good[:3], [*good, 1]):
        assert handlers.whatif(arguments) is None
    again = asked(handlers, run, STEP, {"kind": "zero"})
    assert handlers.whatif([again["run"], STEP - 1, {"kind": "zero"}, None]) is None  # its parent's
    rnn = opening_of(of_rnn)
    refused = of_rnn.whatif([rnn.run_id, STEP, held(), None])
    assert refused == {"error": "a plain RNN has no forget_gate: hold its hidden_state instead"}
