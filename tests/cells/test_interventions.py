"""What if, in both ways that can be changed, against the equations with the same values held."""

import dataclasses
import itertools
import math
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lm import Intervention, LanguageModel, SamplingConfig, StateChange
from lstm_lm.cells.interventions import Change, Plan
from lstm_lm.cells.scan import read_stretches
from lstm_lm.cells.signals import SIGNAL_NAMES, SIGNALS_OF_CELL, VOCABULARY
from lstm_lm.errors import InterventionError
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from tests import reference, tolerance
from tests.conftest import ALPHABET, float64_weights, random_state, random_tokens, tiny_model

CELLS = pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
TOKENS = random_tokens(30)
TEXT = "".join(ALPHABET[token] for token in TOKENS)
SAMPLING = SamplingConfig(max_new_tokens=40, temperature=1.0, seed=4)
RANGES = {s.name: (max(s.low, -3.0), min(s.high, 3.0)) for s in VOCABULARY.values()}


def close(near: float, ours: object, theirs: object) -> None:
    """To float32's rounding; a cell that is held open grows by up to one a step, and so does it."""
    rounding = tolerance.one_sum(len(TOKENS), 1.0)
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=rounding, atol=near)


@st.composite
def holds(draw: st.DrawFn, cell: str = "lstm") -> Intervention:
    """Any intervention on a model of two layers of eight units."""
    signal = draw(st.sampled_from([signal.name for signal in SIGNALS_OF_CELL[cell]]))
    low, high = RANGES[signal]
    start = draw(st.integers(0, 35))
    return Intervention(
        signal,
        layer=draw(st.integers(0, 1)),
        units=draw(st.none() | st.lists(st.integers(0, 7), min_size=1, max_size=8)),
        value=draw(st.floats(low, high, width=32)),
        start=start,
        stop=draw(st.none() | st.integers(start + 1, 40)),
    )


def as_reference(changes: list[Intervention]) -> reference.HoldAt:
    """The same holds for the plain cell, which is asked for one step and layer at a time."""

    def at(t: int, layer: int) -> reference.Hold:
        def hold(signal: str, values: list[float]) -> list[float]:
            values = list(values)
            for change in changes:
                end = math.inf if change.stop is None else change.stop
                if change.signal == signal and change.layer == layer and change.start <= t < end:
                    for unit in range(len(values)) if change.units is None else change.units:
                        values[unit] = change.value
            return values

        return hold

    return at


def check_both_ways(model: LanguageModel, changes: list[Intervention]) -> None:
    """The whole-text trace and the steps, with these holds, are the equations with them."""
    state = random_state(model)
    first = state[0][:, 0].double().numpy(), state[1][:, 0].double().numpy()
    cell = model.config.cell
    signals, logits, after = reference.run(
        float64_weights(model), cell, TOKENS.tolist(), first, as_reference(changes)
    )
    trace = trace_tokens(model, TOKENS, state, changes)
    expected_log_probs = reference.log_softmax(logits)[np.arange(29), TOKENS[1:]]
    tolerance.assert_near(trace.log_probs[1:], expected_log_probs, tolerance.log_probs(model))
    near, of_logits = tolerance.states(model), tolerance.logits(model)
    assert trace.final_state is not None
    for part, expected in zip(trace.final_state, after, strict=True):
        close(near, part[:, 0], expected)
    plan = Plan(changes, model.config)
    stepper = model.engine.start(state)
    for t, token_id in enumerate(TOKENS.tolist()):
        stepper.step(token_id, plan.held(t))
        tolerance.assert_near(stepper.logits, logits[t], of_logits)
        for name, values in stepper.signals().items():
            close(near, values, signals[name][:, t])
            close(near, trace[name][:, t], signals[name][:, t])
    for part, expected in zip(stepper.state(), after, strict=True):
        close(near, part[:, 0], expected)


@pytest.mark.parametrize("signal", SIGNAL_NAMES)
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("units", [None, [3, 7]], ids=["all", "two"])
def test_a_held_signal_is_held_in_the_equations(
    signal: str, layer: int, units: list[int] | None, model: LanguageModel
) -> None:
    held = Intervention(signal, layer=layer, units=units, value=0.5, start=12)
    check_both_ways(model, [held])
    check_both_ways(model, [dataclasses.replace(held, value=0.0, stop=20)])


@pytest.mark.parametrize("layer", [0, 1])
def test_a_held_hidden_state_of_an_rnn_is_held_in_the_equations(
    layer: int, rnn: LanguageModel
) -> None:
    check_both_ways(rnn, [Intervention("hidden_state", layer=layer, units=[1], value=0.5, start=9)])


@settings(max_examples=25)
@given(changes=st.lists(holds(), max_size=5))
def test_any_holds_together_are_held_in_the_equations(changes: list[Intervention]) -> None:
    check_both_ways(tiny_model(), changes)


@settings(max_examples=25)
@given(changes=st.lists(holds("rnn"), max_size=3))
def test_any_holds_of_an_rnn_together_are_held_in_the_equations(
    changes: list[Intervention],
) -> None:
    check_both_ways(tiny_model("rnn"), changes)


def as_it_was(trace: GateTrace, signal: str, layer: int) -> list[Change]:
    """A hold a step and unit, at the value that the signal had there anyway."""
    return [
        Intervention(
            signal, layer=layer, units=[unit], value=float(value), start=step, stop=step + 1
        )
        for step in range(5, trace.steps)
        for unit, value in enumerate(trace[signal][layer, step])
    ]


@pytest.mark.parametrize("signal", SIGNAL_NAMES)
def test_holding_a_signal_at_the_values_it_had_changes_nothing(
    signal: str, model: LanguageModel
) -> None:
    trace = model.trace(TEXT)
    for layer in (0, 1):
        held = model.trace(TEXT, interventions=as_it_was(trace, signal, layer))
        for name in trace:
            tolerance.assert_near(held[name], trace[name], tolerance.states(model))
        tolerance.assert_near(held.log_probs, trace.log_probs, tolerance.log_probs(model))


@pytest.mark.parametrize("signal", SIGNAL_NAMES)
def test_steps_that_hold_the_values_they_had_are_the_same_bit_for_bit(
    signal: str, model: LanguageModel
) -> None:
    stepper = model.engine.start()
    values, logits = [], []
    for token_id in TOKENS.tolist():
        stepper.step(token_id)
        values.append(stepper.signals())
        logits.append(stepper.logits.clone())
    holds = [
        Intervention(
            signal, layer=layer, units=[unit], value=float(value), start=step, stop=step + 1
        )
        for step, signals in enumerate(values)
        for layer in (0, 1)
        for unit, value in enumerate(signals[signal][layer])
    ]
    plan = Plan(holds, model.config)
    stepper = model.engine.start()
    for step, token_id in enumerate(TOKENS.tolist()):
        assert plan.held(step) is not None
        stepper.step(token_id, plan.held(step))
        assert torch.equal(stepper.logits, logits[step])
        for name, expected in values[step].items():
            np.testing.assert_array_equal(stepper.signals()[name], expected)


@CELLS
def test_what_starts_beyond_the_end_changes_nothing(
    model_of: Callable[[str], LanguageModel], cell: str
) -> None:
    used = model_of(cell)
    late: list[Change] = [Intervention("hidden_state", start=len(TEXT)), StateChange(len(TEXT))]
    plain, held = used.trace(TEXT), used.trace(TEXT, interventions=late)
    assert all(np.array_equal(held[name], plain[name]) for name in plain)
    assert np.array_equal(held.log_probs, plain.log_probs, equal_nan=True)
    assert used.effect(TEXT, late) == 0.0
    late = [Intervention("hidden_state", start=43), StateChange(43)]
    assert used.complete("abc", SAMPLING, interventions=late) == used.complete("abc", SAMPLING)


def test_steps_before_the_start_are_as_they_were(model: LanguageModel) -> None:
    plain, near = model.trace(TEXT), tolerance.log_probs(model)
    for change in (Intervention("forget_gate", start=12), StateChange(12)):
        held = model.trace(TEXT, interventions=[change])
        for name in plain:
            tolerance.assert_near(held[name][:, :12], plain[name][:, :12], tolerance.states(model))
        # Token 12 is predicted after step 11: from its state, which only a state change replaces.
        tolerance.assert_near(held.log_probs[:12], plain.log_probs[:12], near)
        same = abs(float(held.log_probs[12] - plain.log_probs[12])) < near
        assert same == isinstance(change, Intervention)
        assert not np.allclose(held.log_probs[13], plain.log_probs[13], atol=4 * near)


def test_a_closed_forget_gate_forgets_everything(model: LanguageModel) -> None:
    closed: list[Change] = [Intervention("forget_gate", layer=n, start=12) for n in (0, 1)]
    trace = model.trace(TEXT, interventions=closed)
    assert (trace["forget_gate"][:, 12:] == 0).all()
    written = trace["input_gate"] * trace["candidate"]
    np.testing.assert_array_equal(trace["cell_state"][:, 12:], written[:, 12:])


def test_an_open_forget_gate_and_a_closed_input_gate_keep_the_cell_as_it_is(
    model: LanguageModel,
) -> None:
    kept = [
        Intervention("forget_gate", value=1.0, start=12),
        Intervention("input_gate", value=0.0, start=12),
    ]
    cell = model.trace(TEXT, interventions=kept)["cell_state"][0]
    assert (cell[12:] == cell[11]).all()


def test_the_later_of_two_holds_of_a_unit_counts(model: LanguageModel) -> None:
    whole = Intervention("output_gate", value=0.25, start=3)
    one = Intervention("output_gate", units=[2], value=0.75, start=5)
    values = model.trace(TEXT, interventions=[whole, one])["output_gate"][0]
    assert (values[5:, 2] == 0.75).all()
    assert (np.delete(values[5:], 2, axis=1) == 0.25).all()
    assert (values[3:5] == 0.25).all()
    values = model.trace(TEXT, interventions=[one, whole])["output_gate"][0]
    assert (values[3:] == 0.25).all()


@CELLS
@pytest.mark.parametrize("given", [False, True], ids=["zero", "given"])
@pytest.mark.parametrize("start", [0, 1, 17, 29])
def test_a_state_change_goes_on_as_if_the_text_began_there(
    model_of: Callable[[str], LanguageModel], cell: str, given: bool, start: int
) -> None:
    used = model_of(cell)
    state = random_state(used)
    change = StateChange(start, state if given else None)
    changed = used.trace(TEXT, interventions=[change])
    near = tolerance.states(used)
    parts = [used.trace(TEXT[:start])] if start else []
    parts.append(used.trace(TEXT[start:], state if given else used.zero_state()))
    for name in changed:
        joined = np.concatenate([part[name] for part in parts], axis=1)
        tolerance.assert_near(changed[name], joined, near)
    joined = np.concatenate([part.log_probs for part in parts])
    tolerance.assert_near(changed.log_probs, joined, tolerance.log_probs(used))
    tolerance.assert_near(changed.final_state, parts[-1].final_state, near)


@CELLS
def test_writing_after_a_state_change_is_writing_from_that_state(
    model_of: Callable[[str], LanguageModel], cell: str
) -> None:
    used = model_of(cell)
    state = random_state(used)
    for step in (3, 10):
        changed = list(used.generate("abc", SAMPLING, interventions=[StateChange(step, state)]))
        plain = list(used.generate("abc", SAMPLING))
        fresh = used.generate("", SAMPLING, state=state, position=step)
        assert [s.token for s in changed[: step - 3]] == [s.token for s in plain[: step - 3]]
        left = changed[step - 3 :]
        assert [(s.token_id, s.log_prob) for s in left] == [
            (s.token_id, s.log_prob) for s in itertools.islice(fresh, len(left))
        ]


def test_a_state_change_of_one_layer_leaves_the_others(model: LanguageModel) -> None:
    before = model.trace(TEXT[:12]).final_state
    assert before is not None
    mixed = before[0].clone(), before[1].clone()
    mixed[0][1], mixed[1][1] = 0.0, 0.0
    changed = model.trace(TEXT, interventions=[StateChange(12, layer=1)])
    expected = model.trace(TEXT[12:], mixed)
    ours = changed["cell_state"][:, 12:]
    tolerance.assert_near(ours, expected["cell_state"], tolerance.states(model))


def test_a_state_that_is_given_is_not_written_to(model: LanguageModel) -> None:
    state = random_state(model)
    kept = state[0].clone(), state[1].clone()
    changes = [StateChange(2, state), Intervention("cell_state", value=2.0)]
    list(model.generate("abc", SAMPLING, interventions=changes))
    model.trace(TEXT, interventions=changes)
    torch.testing.assert_close(state, kept, rtol=0, atol=0)


@settings(max_examples=25)
@given(changes=st.lists(holds(), max_size=3), seed=st.integers(0, 100))
def test_a_changed_text_is_written_with_the_same_random_numbers(
    changes: list[Intervention], seed: int
) -> None:
    """Every token is the one that this seed draws at its place from the changed logits."""
    used = tiny_model()
    sampling = SamplingConfig(max_new_tokens=20, temperature=1.0, seed=seed)
    steps = list(used.generate("abc", sampling, interventions=changes))
    text = "abc" + "".join(step.token for step in steps)
    trace = used.trace(text, interventions=changes)
    plain = list(used.generate("abc", sampling))
    first = min((change.start for change in changes), default=100)
    near, of_log_probs = tolerance.states(used), tolerance.log_probs(used)
    for step, before in zip(steps, plain, strict=True):
        if step.position <= first:  # the step that begins to differ has read a token by then
            assert step.token_id == before.token_id
        for name, values in step.signals.items():
            close(near, values, trace[name][:, step.position])
        assert abs(step.log_prob - trace.log_probs[step.position]) < of_log_probs


def test_a_branch_carries_its_interventions_on(model: LanguageModel) -> None:
    held = [Intervention("forget_gate", layer=1, start=8, stop=25)]
    whole = list(model.generate("abc", SAMPLING, interventions=held))
    for cut, (step, taken) in enumerate(itertools.pairwise(whole)):
        left = SamplingConfig(max_new_tokens=39 - cut, temperature=1.0, seed=4)
        rest = model.branch(step, taken.token_id, left, interventions=held)
        assert [s.log_prob for s in rest] == [s.log_prob for s in whole[cut + 1 :]]


def test_score_and_effect_are_the_log_probabilities_of_the_changed_trace(
    model: LanguageModel,
) -> None:
    held = [Intervention("forget_gate", start=12), StateChange(20)]
    plain, changed = model.trace(TEXT), model.trace(TEXT, interventions=held)
    score, near = model.score(TEXT, interventions=held), 2 * tolerance.score(model, len(TEXT))
    assert math.isclose(score, float(changed.log_probs[1:].sum()), abs_tol=near)
    difference = float((changed.log_probs - plain.log_probs)[1:].sum())
    assert abs(difference) > 1.0
    assert math.isclose(model.effect(TEXT, held), difference, abs_tol=near)
    assert math.isclose(model.effect(TEXT, held), score - model.score(TEXT), abs_tol=near)
    assert model.effect(TEXT, []) == 0.0
    assert model.score("a", interventions=held) == 0.0


def test_reading_in_short_stretches_is_reading_in_one(model: LanguageModel) -> None:
    plan = Plan([Intervention("input_gate", start=7, stop=19)], model.config)
    whole = list(read_stretches(model.engine, TOKENS, plan=plan))
    short = list(read_stretches(model.engine, TOKENS, plan=plan, longest=4))
    assert [stretch.start for stretch in whole] == [0, 7, 19]
    assert [stretch.start for stretch in short] == [0, 4, 7, 8, 12, 16, 19, 20, 24, 28]
    ours, theirs = (np.concatenate([s.log_probs for s in read]) for read in (short, whole))
    tolerance.assert_near(ours, theirs, tolerance.log_probs(model))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"signal": "forgetgate"}, "'forgetgate' is no signal: choose from input_gate, "),
        ({"layer": -1}, "layer is -1: give a whole number from 0"),
        ({"layer": True}, "layer is True: give a whole number from 0"),
        ({"start": 1.5}, "start is 1.5: give a whole number from 0"),
        ({"start": 5, "stop": 5}, "held from step 5 to before step 5: stop must be above start"),
        ({"units": []}, "units is empty: name at least one, or None for all"),
        ({"units": 3}, "units is 3: give a list of units, or None"),
        ({"units": [0, -2]}, "a unit is -2: give a whole number from 0"),
        ({"value": 1.5}, "forget_gate held at 1.5: give a number from 0 to 1"),
        ({"value": math.nan}, "forget_gate held at nan: give a number from 0 to 1"),
        ({"value": "half"}, "forget_gate held at 'half': give a number from 0 to 1"),
        ({"signal": "candidate", "value": -2}, "candidate held at -2: give a number from -1 to 1"),
        ({"signal": "cell_state", "value": math.inf}, "cell_state held at inf: give a finite"),
    ],
    ids=str,
)
def test_what_cannot_be_held_is_refused_in_a_line(made: dict[str, object], message: str) -> None:
    with pytest.raises(InterventionError, match="^" + re.escape(message)) as caught:
        Intervention(**({"signal": "forget_gate"} | made))  # pyright: ignore[reportArgumentType]
    assert "\n" not in str(caught.value)


def test_a_model_refuses_what_it_has_not(model: LanguageModel, rnn: LanguageModel) -> None:
    h, c = random_state(model)
    cases: list[tuple[LanguageModel, object, str]] = [
        (model, Intervention("candidate", layer=2), "no layer 2: this model has layers 0 to 1"),
        (tiny_model(layers=1), StateChange(0, layer=1), "no layer 1: this model has layer 0 only"),
        (model, Intervention("candidate", units=[7, 8]), "no unit 8: a layer of this model has "),
        (rnn, Intervention("forget_gate"), "a plain RNN has no forget_gate: hold its hidden_state"),
        (model, StateChange(3, (h[:1], c[:1])), "a state of shape (1, 1, 8): this model's h and c"),
        (model, StateChange(3, h), "a state is (h, c), as step.state"),  # pyright: ignore[reportArgumentType]
        (model, "forget_gate", "str among the interventions: give Intervention(...)"),
    ]
    for used, change, message in cases:
        changes: list[Change] = [change]  # pyright: ignore[reportAssignmentType]
        with pytest.raises(InterventionError, match=re.escape(message)):
            used.trace(TEXT, interventions=changes)
        with pytest.raises(InterventionError, match=re.escape(message)):
            used.generate("abc", SAMPLING, interventions=changes)  # before a step is asked for
        with pytest.raises(InterventionError, match=re.escape(message)):
            used.effect(TEXT, changes)


def test_an_intervention_takes_numpys_numbers_and_cannot_be_changed() -> None:
    units = np.array([3, 7])
    made = Intervention("forget_gate", layer=np.int64(1), units=units, value=np.float32(0.5))  # pyright: ignore[reportArgumentType]
    assert made == Intervention("forget_gate", layer=1, units=(3, 7), value=0.5)
    assert hash(made) == hash(dataclasses.replace(made))
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.value = 1.0  # pyright: ignore[reportAttributeAccessIssue]
