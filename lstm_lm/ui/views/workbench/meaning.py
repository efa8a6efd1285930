"""What a run means, as the workbench shows it: findings, the order of the rows, saturation.

The arithmetic is `insight/`; here it is put into payloads. Knows nothing of gradio.
"""

from typing import Any

import numpy as np

from lstm_lm.insight.detectors import Detector, detect, unit_scores
from lstm_lm.insight.findings import find, overview
from lstm_lm.insight.order import alike_together
from lstm_lm.insight.properties import Property, properties
from lstm_lm.insight.saturation import LABELS, saturation
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.shelf.runs import PageRun
from lstm_lm.ui.views.workbench.payload import base64_of

# As they are shown, from left to right; of each cell those that it has.
GATES = ("forget_gate", "input_gate", "output_gate", "update_gate", "reset_gate")
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
    follower = None if order == "alike" else _follower(run, signal, layer, order)
    return _alike(run, signal, layer) if follower is None else follower[2]


def order_payload(run: PageRun, signal: str, layer: int, order: str) -> Payload:
    """`rows`, and for a property what it is and which unit follows it.

    Returns:
        `order`; for a property that can be tested also `name`, `values`: base64 of (steps,)
        float32, 0..1 of its largest, and `finding`: `sentence`, `evidence`, `unit`, `step`.
    """
    if order in ("index", "alike"):
        return {"order": rows(run, signal, layer, order)}
    follower = _follower(run, signal, layer, order)
    if follower is None:
        return {"order": _alike(run, signal, layer)}
    part, detector, by_score = follower
    return {
        "order": by_score,
        "name": part.name,
        "values": base64_of((part.values / part.values.max()).astype(np.float32)),
        "finding": {
            "sentence": detector.sentence(),
            "evidence": detector.evidence(),
            "unit": detector.best.unit,
            "step": detector.step if detector.stands_out else None,
        },
    }


def _alike(run: PageRun, signal: str, layer: int) -> list[int]:
    row = run.signal_names.index(signal)
    return alike_together(run.values[: run.steps, row, layer]).tolist()


def _follower(
    run: PageRun, signal: str, layer: int, key: str
) -> tuple[Property, Detector, list[int]] | None:
    """The property, which unit follows it best, and all units by score: high there on top.

    None where the text has no such property, or cannot tell.
    """
    trace = run.trace()
    asked = properties(trace.tokens)
    part = next((each for each in asked if each.key == key), None)
    if part is None:
        return None
    # All are asked about: a person may look at each, and the odds have to know it.
    found = detect(trace, asked, signals=[signal], layers=[layer], keep=1).detectors
    detector = next((each for each in found if each.key == key), None)
    if detector is None:
        return None
    scores = unit_scores(trace, part, signal, layer)
    return part, detector, np.argsort(-scores, kind="stable").tolist()


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
