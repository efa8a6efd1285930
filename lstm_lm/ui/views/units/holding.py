"""A unit held at a value: what the model then writes, beside what it wrote, and what that moves.

Written again by `whatif.py`, from one step of the unit's reference text on; the levels at which it
is held, and how much it moves, are `insight/holding.py`. Knows nothing of gradio.
"""

import dataclasses
import math
from typing import Any

from lstm_lm.cells.interventions import Intervention
from lstm_lm.cells.signals import VOCABULARY
from lstm_lm.errors import UserError
from lstm_lm.insight.holding import Levels, Sway, levels
from lstm_lm.insight.parting import parting
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.shelf.models import ShownModel
from lstm_lm.ui.shelf.runs import PageRun
from lstm_lm.ui.views.workbench import whatif
from lstm_lm.ui.views.workbench.branches import quoted
from lstm_lm.ui.views.workbench.changes import plain

WRITTEN = {"char": 120}  # tokens that are written again, by kind of tokenizer
WRITTEN_OF_OTHERS = 60  # a subword is some characters long
CONTEXT = 60  # tokens shown before the step
LARGEST = 1e30  # far beyond what any signal is
NAMED = ("low", "typical", "high")  # the levels at which it is held unless a value is given
Payload = dict[str, Any]


def write_held(
    shown: ShownModel, run: PageRun, trace: GateTrace, held: Intervention, value: float | None
) -> Payload:
    """What the model writes with the unit held, and what it writes with nothing held.

    Args:
        shown: the model.
        run: the reference text.
        trace: the same as a trace.
        held: which signal of which one unit, from which step on; its value does not count.
        value: where it is held; None: low, typical and high.

    Returns:
        `levels`, the tokens `before` (up to and with the step), the `original` tokens after it,
        and `tries`, each with its own.

    Raises:
        UserError: a value that the unit does not take in the text.
    """
    assert held.units is not None
    step = held.start
    found = levels(trace, held.signal, held.layer, held.units[0])
    values = _values(found, held.signal, value)
    tokens = WRITTEN.get(shown.model.config.tokenizer, WRITTEN_OF_OTHERS)
    assert run.sampling is not None
    sampling = dataclasses.replace(run.sampling, max_new_tokens=tokens)
    beside = whatif.unchanged(shown, run, step, sampling)
    now = float(trace[held.signal][held.layer, step, held.units[0]])
    tries = []
    for name, at in values.items():
        change = dataclasses.replace(held, value=at)
        again = whatif.changed(shown, beside, step, sampling, change)
        effect = whatif.effect_on(shown, beside, step, change)
        both = (beside.token_ids, again.token_ids, beside.log_probs, again.log_probs)
        parted = parting(*both, step + 1)
        told = whatif.difference(parted, beside, again)
        tries.append(
            {
                "name": name,
                "value": at,
                "tokens": again.tokens[step + 1 :],
                "first": None if parted.first is None else parted.first - step - 1,
                "same": parted.same,
                "effect": effect.changed - effect.without,
                "told": f"{told[0].upper()}{told[1:]} {whatif.consequence(effect, step)}",
            }
        )
    return {
        "levels": found.to_json(),
        "step": step,
        "now": now,
        "before": run.tokens[max(0, step - CONTEXT) : step + 1],
        "original": beside.tokens[step + 1 :],
        "tries": tries,
    }


def _values(found: Levels, signal: str, value: float | None) -> dict[str, float]:
    """Where it is held: each with a name."""
    if value is None:
        return {name: getattr(found, name) for name in NAMED}
    if not (math.isfinite(value) and found.lowest <= value <= found.highest):
        label = VOCABULARY[signal].label.lower()
        raise UserError(
            f"held at {plain(value)}: its {label} is {plain(found.lowest, 3)} to "
            f"{plain(found.highest, 3)} in this text, choose from that"
        )
    return {"chosen": value}


def is_number(value: object) -> bool:
    """Whether a browser sent a number, and one that is a float."""
    return isinstance(value, int | float) and type(value) is not bool and abs(value) <= LARGEST


def sway_payload(found: Sway) -> Payload:
    """How much the unit moves, and the sentence that says so on top of the view."""
    return {**found.to_json(), "sentence": _said(found), "stands_out": found.stands_out}


def _said(found: Sway) -> str:
    """The finding, with the tokens that it speaks of."""
    told = found.sentence()
    if not found.stands_out:
        return told
    named = [f"{quoted(each.token)} becomes likelier" for each in found.likelier[:1]]
    named += [f"{quoted(each.token)} less likely" for each in found.less_likely[:1]]
    points = [100 * each.weight for each in (*found.likelier[:1], *found.less_likely[:1])]
    changes = [f"{name} ({plain(at, 1)} points)" for name, at in zip(named, points, strict=True)]
    return f"{told} Most of all {' and '.join(changes)}."
