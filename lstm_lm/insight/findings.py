"""Findings: a sentence with its numbers, said only when it stands out, and where to look.

Sentences count layers and steps from 1, as the page does, and units from 0; fields count from 0.

Each kind has its own control, and says it beside the sentence:

- *where a gate acts*: the kind of token at which a layer's mean gate differs most from elsewhere,
  against the same search with the text shifted in time against the gate (95 of 100 shifts);
- *what a unit follows*: chosen on one half, scored on the other, against the same unit shifted in
  time (`detectors.py`);
- *which unit keeps longest*: half-life by its forget gates, against the median unit of its layer;
- *the surprise*: the step at which the model gave the token least, against how the surprises of
  this text thin out towards their largest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_lm.insight.detectors import ACCEPTED_ODDS, LABELS, WEAKEST, Detector, detect
from lstm_lm.insight.memory import half_lives
from lstm_lm.insight.properties import Kind, Property, properties, token_kinds
from lstm_lm.insight.result import Result
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.trace import GateTrace

SHIFTS = 100
FEWEST_STEPS = 40  # below this nothing can stand out
FEWEST_OF_A_KIND = 4
WEAKEST_GATE = 0.03  # difference of mean gates that is worth a sentence
MANY_TIMES = 5.0  # the median half-life: from here on a unit keeps long
SHORTEST_LONG = 3.0  # steps of half-life
LIVELIEST_SHARE = 0.1  # of the median unit's spread: below this a unit holds nothing worth keeping
TAIL = 0.1  # of the steps: those whose surprise says how surprises thin out
NEIGHBOURS = 10  # steps around a surprise that belong to it
VERBS = {"forget_gate": "keeps", "input_gate": "writes", "output_gate": "shows"}


@dataclass(frozen=True, kw_only=True)
class Finding(Result):
    """A sentence, what it rests on, and where to look."""

    kind: str
    """acts, follows, keeps or surprise: which of the questions it answers."""
    stands_out: bool
    """Whether something was found; else the sentence says that nothing was."""
    sentence: str
    """What was found, with its numbers."""
    evidence: str
    """Against what it stands out."""
    signal: str | None = None
    """The signal in which it is seen."""
    layer: int | None = None
    """The layer it speaks of, from 0."""
    step: int | None = None
    """A step at which it is seen, from 0."""
    unit: int | None = None
    """The unit it speaks of."""


def find(
    trace: GateTrace, signal: str, layer: int, asked: Sequence[Property] | None = None
) -> Finding:
    """What stands out in one signal of one layer, or the word that nothing does.

    Args:
        trace: any.
        signal: a gate: at which kind of token it acts; a value or state: which unit follows what.
        layer: from 0.
        asked: properties of the text, where they are at hand; None: they are worked out.
    """
    kind = "acts" if signal in VERBS else "follows"
    if trace.steps < FEWEST_STEPS:
        return _too_few(trace, kind, signal, layer)
    if signal in VERBS:
        return _find_kind(trace, signal, layer)
    return _find_unit(trace, signal, layer, properties(trace.tokens) if asked is None else asked)


def overview(trace: GateTrace) -> list[Finding]:
    """A finding of each kind over the whole trace, those that stand out first.

    Of several layers and states the one that shows it best. An RNN has no gates to speak of.
    """
    if trace.steps < FEWEST_STEPS:
        return [_too_few(trace, "follows", None, None)]
    layers = range(trace.layers)
    found: list[Finding] = []
    if "forget_gate" in trace.signals:
        acts = [_find_kind(trace, "forget_gate", layer) for layer in layers]
        keeps = [find_longest(trace, layer) for layer in layers]
        found += [_first_standing(acts), _first_standing(keeps)]
    found += [_best_follower(trace), find_surprise(trace)]
    return sorted(found, key=lambda finding: not finding.stands_out)


def find_longest(trace: GateTrace, layer: int) -> Finding:
    """The unit of a layer whose forget gates keep longest, and its longest hold in this text.

    Units that hardly change are left out: an open forget gate with nothing written keeps nothing.
    """
    lives = half_lives(trace)[layer].astype(np.float64)
    unit = int(np.argmax(np.where(lively(trace, layer), lives, -1.0)))
    median, life = float(np.median(lives)), float(lives[unit])
    start, stop = longest_hold(trace["forget_gate"][layer, :, unit])
    stands_out = life >= max(MANY_TIMES * median, SHORTEST_LONG)
    if stands_out:
        sentence = (
            f"Unit {unit} of layer {layer + 1} keeps longest on average: half of what it holds is "
            f"left after {_steps(life)}, of the median unit's after {_steps(median)}; at best, "
            f"from step {start + 1} on, it kept half for {stop - start} steps."
        )
    else:
        sentence = (
            f"No unit of layer {layer + 1} keeps much longer than the others: the longest "
            f"half-life is {_steps(life)} (unit {unit}), the median {_steps(median)}."
        )
    return Finding(
        kind="keeps",
        stands_out=stands_out,
        sentence=sentence,
        evidence="Half-life is ln(1/2) over the mean logarithm of the forget gate. It is said when "
        f"it is {MANY_TIMES:.0f} times the median unit's and {SHORTEST_LONG:.0f} steps or more.",
        signal="cell_state",
        layer=layer,
        unit=unit,
        step=start,
    )


def lively(trace: GateTrace, layer: int) -> npt.NDArray[np.bool_]:
    """(units,) Whether a unit's cell state changes enough to hold anything worth keeping."""
    spread = trace["cell_state"][layer].std(axis=0, dtype=np.float64)
    return spread >= LIVELIEST_SHARE * np.median(spread)


def longest_hold(forget_gate: Array) -> tuple[int, int]:
    """The longest stretch over which a unit keeps half of what it holds.

    Args:
        forget_gate: (steps,) of one unit.

    Returns:
        (t, T): the product of the gates of steps t+1..T is at least 1/2; T - t is the longest.
    """
    steps = len(forget_gate)
    # Not below what a float64 sum resolves: one shut gate must not blur those after it.
    log_f = np.log(np.maximum(forget_gate.astype(np.float64), 1e-12))
    fallen = np.concatenate(([0.0], np.cumsum(-log_f[1:])))  # rises; [T] - [t] is what is lost
    last = np.searchsorted(fallen, fallen + np.log(2) + 1e-9, side="right") - 1
    start = int(np.argmax(last - np.arange(steps)))
    return start, int(last[start])


def find_surprise(trace: GateTrace) -> Finding:
    """The step whose token the model expected least.

    Where surprises thin out like an exponential, the gap between the largest and the next is
    exponential too, with the same scale (Renyi 1953): that gives the odds of such a gap.
    """
    surprise = -trace.log_probs.astype(np.float64)
    read = np.flatnonzero(np.isfinite(surprise))
    if len(read) < FEWEST_STEPS:
        return _too_few(trace, "surprise", None, None)
    step = int(read[np.argmax(surprise[read])])
    elsewhere = read[np.abs(read - step) > NEIGHBOURS]
    others = surprise[elsewhere]
    second = int(elsewhere[np.argmax(others)])
    bound = float(np.quantile(others, 1 - TAIL))
    scale = float((others[others > bound] - bound).mean()) if (others > bound).any() else 0.0
    gap = float(surprise[step] - surprise[second])
    odds = float(np.exp(-gap / scale)) if scale > 0 else float(gap <= 0)
    largest = (
        f"{trace.tokens[step]!r} at {surprise[step]:.1f} nats "
        f"(probability {np.exp(-surprise[step]):.2g})"
    )
    stands_out = odds <= ACCEPTED_ODDS
    typical = float(np.median(surprise[read]))
    return Finding(
        kind="surprise",
        stands_out=stands_out,
        sentence=(
            f"Step {step + 1} was the surprise: {largest}; the median token costs "
            f"{typical:.2f} nats, the next largest surprise {surprise[second]:.1f}."
            if stands_out
            else f"No step stands out as a surprise: the largest is {largest} at step {step + 1}, "
            f"the next {surprise[second]:.1f} nats at step {second + 1}."
        ),
        evidence="Where surprises thin out as they do in this text, a gap of "
        f"{gap:.1f} nats to the next comes with odds of {min(odds, 1.0):.2g}.",
        step=step,
    )


def _find_kind(trace: GateTrace, signal: str, layer: int) -> Finding:
    """The kind of token at which the layer's mean gate differs most from elsewhere."""
    tokens, name, label = trace.tokens, f"Layer {layer + 1}", LABELS[signal]
    kinds = [
        kind
        for kind in token_kinds(tokens)
        if FEWEST_OF_A_KIND <= kind.where.sum() <= len(tokens) - FEWEST_OF_A_KIND
    ]
    mean = trace[signal][layer].mean(axis=1, dtype=np.float64)  # (T,)

    def difference(kind: Kind, shift: int = 0) -> float:
        where = np.roll(kind.where, shift)
        return float(mean[where].mean() - mean[~where].mean())

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
            kind="acts",
            stands_out=False,
            sentence=f"In this text no kind of character stands out in the {label} of {name}.",
            evidence=f"The largest difference of mean gates is {abs(found):.2f}; "
            f"the text shifted in time gives up to {chance:.2f}.",
            signal=signal,
            layer=layer,
        )
    inside, outside = mean[best.where].mean(), mean[~best.where].mean()
    at = np.flatnonzero(best.where)
    step = int(at[np.argmax(mean[at]) if found > 0 else np.argmin(mean[at])])
    verb = "forgets" if signal == "forget_gate" and found < 0 else VERBS[signal]
    how = "least" if found < 0 and verb != "forgets" else "most"
    return Finding(
        kind="acts",
        stands_out=True,
        sentence=f"{name} {verb} {how} {best.name}: mean {label} {inside:.2f} there, "
        f"{outside:.2f} elsewhere.",
        evidence=f"A difference of {abs(found):.2f} over {int(best.where.sum())} places; "
        f"the same text shifted in time against the gates stays below {chance:.2f} "
        "in 95 of 100 shifts.",
        signal=signal,
        layer=layer,
        step=step,
    )


def _find_unit(trace: GateTrace, signal: str, layer: int, asked: Sequence[Property]) -> Finding:
    """The unit that follows a property best: chosen on the first half, scored on the second."""
    name, label = f"layer {layer + 1}", LABELS[signal]
    remembered = [part for part in asked if part.remembered]
    detection = detect(trace, remembered, signals=[signal], layers=[layer], keep=1)
    if not detection.detectors:
        return Finding(
            kind="follows",
            stands_out=False,
            sentence="This text has no lines, words or names that a unit could follow: "
            f"No unit of {name} was tested.",
            evidence="Nothing was tested.",
            signal=signal,
            layer=layer,
        )

    def chosen(detector: Detector) -> float:
        return (detector.best.chosen - detector.base) / (1 - detector.base)

    # The property too is chosen without the second half, so that one test is made there.
    found = max(detection.detectors, key=chosen)
    best = found.best
    score = f"{found.measure}{' =' if found.measure == '|r|' else ''} {best.score:.2f}"
    if found.skill < WEAKEST or best.odds > ACCEPTED_ODDS:
        return Finding(
            kind="follows",
            stands_out=False,
            sentence=f"No unit of {name} follows the lines, words or names of this text with its "
            f"{label}.",
            evidence=f"The best has {score} on the half of the text that it was not chosen on; "
            f"shifted in time it has up to {best.shuffled:.2f}.",
            signal=signal,
            layer=layer,
            unit=best.unit,
        )
    return Finding(
        kind="follows",
        stands_out=True,
        sentence=f"Unit {best.unit} of {name} follows {found.name}: {score} with its {label}.",
        evidence="Chosen on one half of this text, scored on the other; the same unit shifted in "
        f"time stays below {best.shuffled:.2f} in 95 of 100 shifts.",
        signal=signal,
        layer=layer,
        step=found.step,
        unit=best.unit,
    )


def _best_follower(trace: GateTrace) -> Finding:
    """What any unit of any layer follows best with its cell state, or else its hidden state."""
    asked = properties(trace.tokens)
    states = [name for name in ("cell_state", "hidden_state") if name in trace.signals]
    return _first_standing(
        [_find_unit(trace, name, layer, asked) for name in states for layer in range(trace.layers)]
    )


def _first_standing(found: Sequence[Finding]) -> Finding:
    return next((finding for finding in found if finding.stands_out), found[0])


def _too_few(trace: GateTrace, kind: str, signal: str | None, layer: int | None) -> Finding:
    return Finding(
        kind=kind,
        stands_out=False,
        sentence=f"{trace.steps} steps are too few to find anything in.",
        evidence=f"A finding needs at least {FEWEST_STEPS} steps.",
        signal=signal,
        layer=layer,
    )


def _shifts(steps: int) -> list[int]:
    """The shifts in time that chance is measured with: evenly over the text, none near 0."""
    return np.unique(np.linspace(steps // 10, steps - steps // 10, SHIFTS).astype(int)).tolist()


def _steps(count: float) -> str:
    if not np.isfinite(count):
        return "no step of this text"
    return f"{count:.1f} steps"
