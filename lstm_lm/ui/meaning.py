"""What a run means, as the workbench shows it: findings, the order of the rows, saturation.

The arithmetic is `insight/`; here it is put into payloads. Knows nothing of gradio.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lstm_lm.insight.detectors import Detector, detect, unit_scores
from lstm_lm.insight.findings import find, overview
from lstm_lm.insight.order import alike_together
from lstm_lm.insight.properties import Property, properties
from lstm_lm.insight.saturation import LABELS, saturation
from lstm_lm.trace import GateTrace
from lstm_lm.ui.payload import base64_of
from lstm_lm.ui.runs import PageRun

GATES = ("forget_gate", "input_gate", "output_gate")  # as they are shown, from left to right
Payload = dict[str, Any]


def meaning(run: PageRun) -> Payload:
    """What stands out in a complete run.

    Returns:
        `findings`: signal -> a finding a layer; `overview`: those of the whole text that stand
        out; `properties`: what the rows can be sorted by, and of the others `why` they cannot.
    """
    trace = run.trace()
    return {
        "findings": {
            name: [find(trace, name, layer).to_json() for layer in range(run.layers)]
            for name in run.signal_names
        },
        "overview": [each.to_json() for each in overview(trace) if each.stands_out],
        "properties": _offered(trace),
    }


def _offered(trace: GateTrace) -> list[Payload]:
    asked = properties(trace.tokens)
    # One unit is enough to learn which can be tested.
    untested = detect(trace, asked, signals=["hidden_state"], layers=[0], units=[0]).untested
    return [{"key": p.key, "name": p.name, "why": untested.get(p.name)} for p in asked]


def rows(run: PageRun, signal: str, layer: int, order: str) -> list[int]:
    """The units of a layer from the top row to the lowest.

    Args:
        run: any.
        signal: of the run's.
        layer: from 0.
        order: one of `places.ORDERS`; a property that cannot be tested here gives "alike".
    """
    if order == "index":
        return list(range(run.units))
    if order != "alike":
        trace = run.trace()
        asked = properties(trace.tokens)
        part = _property(asked, order)
        if part is not None and _detector(trace, asked, part, signal, layer) is not None:
            return _by_score(trace, part, signal, layer)
    row = run.signal_names.index(signal)
    return alike_together(run.values[: run.steps, row, layer]).tolist()


def order_payload(run: PageRun, signal: str, layer: int, order: str) -> Payload:
    """`rows`, and for a property what it is and which unit follows it.

    Returns:
        `order`; for a property that can be tested also `name`, `values`: base64 of (steps,)
        float32, 0..1 of its largest, and `finding`: `sentence`, `evidence`, `unit`, `step`.
    """
    found: Payload = {"order": rows(run, signal, layer, order)}
    if order in ("index", "alike"):
        return found
    trace = run.trace()
    asked = properties(trace.tokens)
    part = _property(asked, order)
    detector = part and _detector(trace, asked, part, signal, layer)
    if part is None or detector is None:
        return found
    best = detector.best
    found["name"] = part.name
    found["values"] = base64_of((part.values / part.values.max()).astype(np.float32))
    found["finding"] = {
        "sentence": detector.sentence(),
        "evidence": detector.evidence(),
        "unit": best.unit,
        "step": detector.step if detector.stands_out else None,
    }
    return found


def _property(asked: Sequence[Property], key: str) -> Property | None:
    return next((part for part in asked if part.key == key), None)


def _detector(
    trace: GateTrace, asked: Sequence[Property], part: Property, signal: str, layer: int
) -> Detector | None:
    """Which unit of the layer follows it best; None where this text cannot tell."""
    # All are asked about: a person may look at each, and the odds have to know it.
    found = detect(trace, asked, signals=[signal], layers=[layer], keep=1).detectors
    return next((detector for detector in found if detector.key == part.key), None)


def _by_score(trace: GateTrace, part: Property, signal: str, layer: int) -> list[int]:
    """High at the property on top, low there at the bottom."""
    return np.argsort(-unit_scores(trace, part, signal, layer), kind="stable").tolist()


def gates_payload(trace: GateTrace, layer: int) -> Payload:
    """How often each gate of each unit of a layer is shut and open; `gates` is empty for an RNN."""
    found = saturation(trace)
    return {
        "layer": layer,
        "steps": found.steps,
        "gates": [
            {
                "name": gate,
                "label": LABELS[gate].capitalize(),
                "left": found.left[gate][layer].tolist(),
                "right": found.right[gate][layer].tolist(),
                "sentence": found.sentence(gate, layer),
            }
            for gate in GATES
            if gate in found.left
        ],
    }
