"""Findings: a sentence with its numbers, said only when it stands out against chance.

For a gate: the kind of token at which the whole layer acts most differently. For a value or a
state: the unit that follows a property of the text best, chosen on the first half of the text and
scored on the second. Chance is the same search with the text's properties shifted in time against
the signals, which keeps the rhythm of both; a finding must beat 95 of 100 such shifts.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lstm_lm.insight.properties import Kind, Property, properties, token_kinds
from lstm_lm.signals import LSTM_SIGNALS
from lstm_lm.trace import Array, GateTrace

SHIFTS = 100
FEWEST_STEPS = 40  # below this nothing can stand out
FEWEST_OF_A_KIND = 4
WEAKEST_GATE = 0.03  # difference of mean gates that is worth a sentence
WEAKEST_UNIT = 0.4  # |r|
VERBS = {"forget_gate": "keeps", "input_gate": "writes", "output_gate": "shows"}
LABELS = {signal.name: signal.label.lower() for signal in LSTM_SIGNALS}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A sentence, what it rests on, and where to look."""

    sentence: str
    """What was found, with its numbers."""
    evidence: str
    """Against what it stands out."""
    step: int | None = None
    """A step at which it is seen, from 0."""
    unit: int | None = None
    """The unit it speaks of."""

    def to_json(self) -> dict[str, Any]:
        """The finding as a JSON object."""
        return asdict(self)


def find(trace: GateTrace, signal: str, layer: int) -> Finding:
    """What stands out in one signal of one layer, or the word that nothing does."""
    if trace.steps < FEWEST_STEPS:
        return Finding(
            sentence=f"{trace.steps} steps are too few to find anything in.",
            evidence=f"A finding needs at least {FEWEST_STEPS} steps.",
        )
    values = trace[signal][layer]  # (T, H)
    name = f"Layer {layer + 1}"
    if signal in VERBS:
        return _find_kind(values, trace.tokens, signal, name)
    return _find_unit(values, trace.tokens, signal, name)


def _shifts(steps: int) -> list[int]:
    """The shifts in time that chance is measured with: evenly over the text, none near 0."""
    return np.unique(np.linspace(steps // 10, steps - steps // 10, SHIFTS).astype(int)).tolist()


def _find_kind(values: Array, tokens: list[str], signal: str, layer: str) -> Finding:
    """The kind of token at which the layer's mean gate differs most from elsewhere."""
    kinds = [
        kind
        for kind in token_kinds(tokens)
        if FEWEST_OF_A_KIND <= kind.where.sum() <= len(tokens) - FEWEST_OF_A_KIND
    ]
    mean = values.mean(axis=1, dtype=np.float64)  # (T,)

    def difference(kind: Kind, shift: int = 0) -> float:
        where = np.roll(kind.where, shift)
        return float(mean[where].mean() - mean[~where].mean())

    label = LABELS[signal]
    best = max(kinds, key=lambda kind: abs(difference(kind)), default=None)
    chance = float(
        np.quantile(
            [
                max((abs(difference(kind, shift)) for kind in kinds), default=0.0)
                for shift in _shifts(len(tokens))
            ],
            0.95,
        )
    )
    found = difference(best) if best else 0.0
    if best is None or abs(found) <= max(chance, WEAKEST_GATE):
        return Finding(
            sentence=f"In this text no kind of character stands out in the {label} of {layer}.",
            evidence=f"The largest difference of mean gates is {abs(found):.2f}; "
            f"the text shifted in time gives up to {chance:.2f}.",
        )
    inside, outside = mean[best.where].mean(), mean[~best.where].mean()
    at = np.flatnonzero(best.where)
    step = int(at[np.argmax(mean[at]) if found > 0 else np.argmin(mean[at])])
    verb = "forgets" if signal == "forget_gate" and found < 0 else VERBS[signal]
    how = "least" if found < 0 and verb != "forgets" else "most"
    return Finding(
        sentence=f"{layer} {verb} {how} {best.name}: mean {label} {inside:.2f} there, "
        f"{outside:.2f} elsewhere.",
        evidence=f"A difference of {abs(found):.2f} over {int(best.where.sum())} places; "
        f"the same text shifted in time against the gates stays below {chance:.2f} "
        "in 95 of 100 shifts.",
        step=step,
    )


def _standardised(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Each column with mean 0 and length 1; a constant column becomes 0."""
    centred = values - values.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    # A column that only carries rounding error is constant.
    return np.where(length > 1e-6, centred / np.maximum(length, 1e-12), 0.0)


def _find_unit(values: Array, tokens: list[str], signal: str, layer: str) -> Finding:
    """The unit that follows a property best: chosen on the first half, scored on the second."""
    half = len(tokens) // 2
    candidates: list[Property] = [
        found
        for found in properties(tokens)
        if found.values[:half].std() > 0 and found.values[half:].std() > 0
    ]
    label = LABELS[signal]
    if not candidates:
        return Finding(
            sentence="This text has no lines, words or capitals that a unit could follow.",
            evidence="Nothing was tested.",
        )
    first, second = (
        _standardised(values[:half].astype(np.float64)),
        _standardised(values[half:].astype(np.float64)),
    )
    table = np.stack([found.values for found in candidates], axis=1)  # (T, properties)

    def search(shift: int) -> tuple[float, int, int]:
        """The score on the second half of the best pair on the first, and the pair."""
        rolled = np.roll(table, shift, axis=0)
        chosen = _standardised(rolled[:half]).T @ first  # (properties, H)
        which, unit = np.unravel_index(int(np.argmax(np.abs(chosen))), chosen.shape)
        r = float(_standardised(rolled[half:])[:, which] @ second[:, unit])
        return r * float(np.sign(chosen[which, unit])), int(which), int(unit)

    score, which, unit = search(0)
    chance = float(np.quantile([abs(search(shift)[0]) for shift in _shifts(len(tokens))], 0.95))
    if score <= max(chance, WEAKEST_UNIT):
        return Finding(
            sentence=f"No unit of {layer} follows the lines, words or capitals of this text "
            f"with its {label}.",
            evidence=f"The best scores |r| = {abs(score):.2f} on the half of the text that it was "
            f"not chosen on; the text shifted in time gives up to {chance:.2f}.",
            unit=unit,
        )
    found = candidates[which]
    return Finding(
        sentence=f"Unit {unit} follows {found.name}: |r| = {score:.2f} with its {label}.",
        evidence="Chosen on the first half of this text, scored on the second; the same search "
        f"with the text shifted in time stays below {chance:.2f} in 95 of 100 shifts.",
        step=int(np.argmax(found.values)),
        unit=unit,
    )
