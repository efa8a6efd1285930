"""What if: a run written again from a step on with something held, or with another state.

The step still reads its token, changed; the tokens after it are written anew with the random
numbers that they had. Tokens of a prompt stay. A text that was only read has nothing to be written
*again*, so the model writes on from that step twice, unchanged and changed. Knows nothing of
gradio.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_lm.cells.interventions import Change, Intervention, StateChange, plan_of
from lstm_lm.cells.scan import read_stretches
from lstm_lm.config import SamplingConfig
from lstm_lm.insight.parting import Parting, mean_difference, parting
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import TokenIds
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.ui.shelf.models import ShownModel
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench import payload
from lstm_lm.ui.views.workbench.branches import length_of, quoted
from lstm_lm.ui.views.workbench.changes import StateOfText, plain, when, words_of
from lstm_lm.writing.generation import generate

LONGEST_SCORED = 2_000  # tokens of the original that are read with the change


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person wants changed."""

    change: Change
    notes: tuple[str, ...] = ()
    """What a person should know of what they gave."""


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a change does to the log-probability of the text that was there."""

    tokens: int
    """How many are counted."""
    without: float
    """Nats, of all of them together."""
    changed: float
    """The same, with the change."""


def hold(run: PageRun, asked: dict[str, Any], step: int) -> Asked:
    """A signal of some units held from the step on.

    Args:
        run: the run that is changed.
        asked: signal, layer, units (None: all) and value, as the browser sent them.
        step: the first step at which it is held.

    Raises:
        InterventionError: a name that is no signal, or a number out of range.
    """
    held = Intervention(
        asked["signal"],
        layer=asked["layer"],
        units=asked["units"],
        value=asked["value"],
        start=step,
    )
    return Asked(change=held)


def zero(step: int) -> Asked:
    """Nothing remembered: h and c of every layer at 0 before the step."""
    return Asked(change=StateChange(step))


def state_of(
    model: LanguageModel, text: str, token_ids: TokenIds, step: int, notes: list[str]
) -> Asked:
    """The state that reading another text leaves, in place before the step.

    Args:
        model: reads it.
        text: as the person gave it.
        token_ids: (T,), what of it the model can read.
        step: the first that begins with that state.
        notes: what a person should know of the text.
    """
    change = StateOfText(step, text=text).read(model, token_ids)
    return Asked(change=change, notes=tuple(notes))


def first_written(run: PageRun, step: int) -> int:
    """The first token that is written again: those of a prompt stay as they were given."""
    return max(step + 1, run.prompt_steps) if run.sampling else step + 1


def sampling_of(run: PageRun, step: int, settings: SamplingConfig | None) -> SamplingConfig:
    """How it is written again: as the run was; one that was only read, by these settings."""
    sampling = run.sampling or settings or SamplingConfig()
    return dataclasses.replace(
        sampling, max_new_tokens=length_of(run, first_written(run, step) - 1)
    )


def unchanged(shown: ShownModel, run: PageRun, step: int, sampling: SamplingConfig) -> PageRun:
    """The run up to the step, and what the model then writes: nothing is changed."""
    return _written(shown, run, step + 1, step + 1, sampling, run.interventions)


def changed(
    shown: ShownModel, run: PageRun, step: int, sampling: SamplingConfig, change: Change
) -> PageRun:
    """The run with the change from the step on; what the run itself has changed stays so.

    Raises:
        InterventionError: the model has no such layer, unit or signal.
    """
    written = first_written(run, step)
    return _written(shown, run, step, written, sampling, (*run.interventions, change))


def _written(
    shown: ShownModel,
    run: PageRun,
    own: int,
    written: int,
    sampling: SamplingConfig,
    interventions: tuple[Change, ...],
) -> PageRun:
    """The run up to `own`, its tokens up to `written` read again, and new ones after that."""
    again = run.begun(own, sampling, written - own + sampling.max_new_tokens, interventions)
    again.prompt_steps = min(run.prompt_steps, written)
    state = run.state_left(own - 1)
    if written > own:
        read = np.array(run.token_ids[own:written], dtype=np.int64)
        trace = trace_tokens(shown.model, read, state, interventions, own)
        again.add_trace(trace)
        state = trace.final_state
        if own == 0:
            again.log_probs[0] = math.nan  # nothing is said of a first token
    steps = generate(
        shown.model, "", sampling, state=state, position=written, interventions=interventions
    )
    again.add_steps(steps)
    return again


def effect_on(shown: ShownModel, run: PageRun, step: int, change: Change) -> Effect:
    """What the change does to the log-probability of the run's own tokens from the step on."""
    stop = min(run.steps, step + LONGEST_SCORED)
    counted = slice(1 if step == 0 else 0, None)  # nothing is said of a first token
    ids = np.array(run.token_ids[step:stop], dtype=np.int64)
    plan = plan_of((*run.interventions, change), shown.model.config)
    stretches = read_stretches(shown.model.engine, ids, run.state_left(step - 1), plan, 512, step)
    with_it = np.concatenate([stretch.log_probs for stretch in stretches])[counted]
    without = np.array(run.log_probs[step:stop], dtype=np.float64)[counted]
    return Effect(
        tokens=len(without),
        without=float(without.sum()),
        changed=float(with_it.sum(dtype=np.float64)),
    )


def answer(
    shown: ShownModel,
    run: PageRun,
    step: int,
    asked: Asked,
    sampling: SamplingConfig,
    store: RunStore,
) -> dict[str, Any]:
    """Write again, keep what was written, and compare.

    Returns:
        The changed text as a branch (`branches.branch_payload`) that begins at the step, with
        `first`, the first token that differs or None, and `effect` in nats; of a text that was
        only read also `control`, a branch too: what the model writes there, nothing changed.
    """
    asked.change.check(shown.model.config)
    control = None if run.sampling else unchanged(shown, run, step, sampling)
    beside = control or run
    again = changed(shown, run, step, sampling, asked.change)
    effect = effect_on(shown, run, step, asked.change)
    written = first_written(run, step)
    found = parting(beside.token_ids, again.token_ids, beside.log_probs, again.log_probs, written)
    told = sentence(asked, run, step, found, beside, again, effect)
    store.add(again)
    answer = {
        **_columns(shown, again, beside, told),
        "first": found.first,
        "effect": effect.changed - effect.without,
        "notes": asked.notes,
    }
    if control is not None:
        told = (
            f"What the model writes after step {step + 1}, nothing changed: what the change is "
            "measured against."
        )
        store.add(control)
        answer["control"] = _columns(shown, control, run, told)
    return answer


def _columns(shown: ShownModel, run: PageRun, beside: PageRun, told: str) -> dict[str, Any]:
    both = slice(run.own, min(run.steps, beside.steps))
    return {
        **payload.header(run, shown.scale, shown.model.config.tokenizer, shown.about),
        **payload.columns(run, run.own, run.steps, shown.scale),
        "differences": payload.base64_of(mean_difference(beside.values[both], run.values[both])),
        "sentence": told,
        "done": True,
    }


def sentence(
    asked: Asked,
    run: PageRun,
    step: int,
    found: Parting,
    beside: PageRun,
    again: PageRun,
    effect: Effect,
) -> str:
    """What was changed, where the two part, and what it does to the text that was there."""
    change = asked.change
    told = f"With {words_of(change, run.units)} {when(change)}"
    told += f" ({_was(run, step, change)}), " if isinstance(change, Intervention) else ", "
    told += difference(found, beside, again, "" if beside is run else " without it")
    return f"{told} {consequence(effect, step)}".strip()


def difference(found: Parting, beside: PageRun, again: PageRun, than: str = "") -> str:
    """Where a text that was written again first differs from the one beside it."""
    if not found.compared:
        return "the text goes on where it had ended."
    if found.first is None:
        return f"all {found.compared} tokens that are written again are the same{than}."
    at = found.first
    return (
        f"step {at + 1} is the first that differs: {quoted(again.tokens[at])} instead of "
        f"{quoted(beside.tokens[at])}{than}; {found.same} of the {found.compared} tokens that "
        "both write are the same."
    )


def consequence(effect: Effect, step: int) -> str:
    """What a change does to the text that was there; empty where nothing was."""
    if not effect.tokens:
        return ""
    nats = effect.changed - effect.without
    shown = f"{abs(nats):.2f} nats {'less' if nats < 0 else 'more'} likely"
    count = f"{effect.tokens} token{'s' if effect.tokens > 1 else ''}"
    return (
        f"The text that was there, from step {step + 1} on, becomes {shown} to the model: "
        f"{plain(effect.changed, 2)} instead of {plain(effect.without, 2)}, over {count}."
    )


def _was(run: PageRun, step: int, held: Intervention) -> str:
    """What the signal was at the step: of several units, their mean."""
    values = run.values[step, run.signal_names.index(held.signal), held.layer]
    if held.units is not None:
        values = values[list(held.units)]
    mean = plain(float(values.mean(dtype=np.float64)), 3)
    return f"there it was {mean}" if len(values) == 1 else f"their mean there was {mean}"
