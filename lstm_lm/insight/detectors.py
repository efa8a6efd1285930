"""Which units follow a property of the text, and whether more than chance would.

For each property every unit of every layer is scored on one half of the text, either sign, in the
signals asked for; the best are then scored on the other half, beside the same unit shifted in time
(`scores.py` says why shifted). Since a unit is chosen without its second half, its score there is
not flattered by the choice, and its false-alarm odds are those of one unit, times the number of
properties asked about. Knows nothing of how a text was read: any GateTrace will do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.signals import VOCABULARY
from lstm_lm.insight import scores
from lstm_lm.insight.properties import Property, properties
from lstm_lm.insight.result import Result
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.trace import GateTrace

STATES = ("cell_state", "hidden_state")
FEWEST_PLACES = 2  # runs of steps that have a binary property, in each half
ACCEPTED_ODDS = 0.05  # of one false alarm among all the properties asked about
WEAKEST = 0.4  # |r|, or the share of the way from the base rate to a perfect average precision
LABELS = {name: signal.label.lower() for name, signal in VOCABULARY.items()}


@dataclass(frozen=True, kw_only=True)
class UnitScore(Result):
    """How well one unit follows one property."""

    signal: str
    """The signal it does so with."""
    layer: int
    """From 0."""
    unit: int
    """From 0."""
    sign: int
    """1: high where the property is; -1: low there."""
    chosen: float
    """The score on the half it was chosen on."""
    score: float
    """The score on the other half: what counts."""
    shuffled: float
    """What 95 of 100 shifts of this unit in time stay below, on that other half."""
    odds: float
    """How often a shifted unit scores as high: the false-alarm odds for this one property."""


@dataclass(frozen=True, kw_only=True)
class Detector(Result):
    """The units that follow one property best, best first."""

    key: str
    """The property's short name."""
    name: str
    """The property as it stands after "follows"."""
    measure: str
    """"average precision", 0..1, or "|r|", 0..1."""
    base: float
    """What a constant signal scores: the share of steps with the property, or 0."""
    tested: int
    """Number of properties that were asked about together."""
    units: tuple[UnitScore, ...]
    """Best first, by the half they were chosen on; all of one property."""
    step: int
    """A step at which it can be seen."""

    @property
    def best(self) -> UnitScore:
        """The unit that was best on the half it was chosen on."""
        return self.units[0]

    @property
    def skill(self) -> float:
        """The best unit's score from 0 (a constant signal) to 1 (perfect)."""
        return (self.best.score - self.base) / (1.0 - self.base)

    @property
    def stands_out(self) -> bool:
        """Whether it is worth a sentence: strong, and not by chance."""
        return self.skill >= WEAKEST and self.best.odds * self.tested <= ACCEPTED_ODDS

    def sentence(self) -> str:
        """What was found, with its numbers."""
        best = self.best
        label = LABELS[best.signal]
        if not self.stands_out:
            return (
                f"No unit stands out as following {self.name}: the best, unit {best.unit} of "
                f"layer {best.layer + 1}, has "
                f"{self.measure} {best.score:.2f}, and shifted in time up to {best.shuffled:.2f}."
            )
        how = "" if self.measure == "|r|" else (" (high there)", " (low there)")[best.sign < 0]
        return (
            f"Unit {best.unit} of layer {best.layer + 1} follows {self.name}: {self.measure} "
            f"{best.score:.2f} with its {label}{how}."
        )

    def evidence(self) -> str:
        """Against what it stands out, or does not."""
        best = self.best
        tried = f" ({self.tested} properties were tried)" if self.tested > 1 else ""
        return (
            "Chosen on one half of this text, scored on the other; the same unit shifted in time "
            f"stays below {best.shuffled:.2f} in 95 of 100 shifts and scores as high with odds of "
            f"{best.odds:.3f}{tried}."
        )


@dataclass(frozen=True, kw_only=True)
class Detection(Result):
    """What was asked of a text, and what could not be."""

    detectors: tuple[Detector, ...]
    """One a property that could be tested, in the order of the properties."""
    untested: dict[str, str]
    """Property -> why it could not be tested in this text."""

    def found(self) -> list[Detector]:
        """Those that stand out, the most skilled first."""
        standing = [detector for detector in self.detectors if detector.stands_out]
        return sorted(standing, key=lambda detector: -detector.skill)


def detect(
    trace: GateTrace,
    asked: Sequence[Property] | None = None,
    *,
    signals: Iterable[str] = STATES,
    layers: Iterable[int] | None = None,
    units: Sequence[int] | None = None,
    keep: int = 5,
) -> Detection:
    """The units that follow each property, chosen on one half and scored on the other.

    Args:
        trace: any trace; signals that it lacks are left out.
        asked: None: all properties of the trace's text.
        signals: in which to look.
        layers: in which to look; None: all.
        units: which to look at; None: all.
        keep: how many units to give for each property.
    """
    asked = properties(trace.tokens) if asked is None else asked
    searched = [
        (signal, layer)
        for signal in signals
        if signal in trace.signals
        for layer in (range(trace.layers) if layers is None else layers)
    ]
    among = np.arange(trace.units) if units is None else np.asarray(units)
    untested: dict[str, str] = {}
    split: dict[str, int] = {}
    for part in asked:
        at = _split(part)
        if isinstance(at, str):
            untested[part.name] = at
        else:
            split[part.key] = at
    testable = [part for part in asked if part.key in split]
    chosen: dict[str, npt.NDArray[np.float64]] = {}
    for at in sorted(set(split.values())):  # nearly always one
        group = [part for part in testable if split[part.key] == at]
        columns = [_columns(trace, where, among, slice(0, at)) for where in searched]
        for part, found in zip(group, _signed_scores(columns, group, at), strict=True):
            chosen[part.key] = found
    return Detection(
        detectors=tuple(
            _detector(trace, part, split[part.key], chosen[part.key], searched, among, keep,
                      len(testable))
            for part in testable
        ),
        untested=untested,
    )  # fmt: skip


def unit_scores(trace: GateTrace, part: Property, signal: str, layer: int) -> Array:
    """Every unit's score for the property over the whole text, to sort or colour the units by.

    Returns:
        (units,) float32: |r| or average precision, negative where the unit is low at the property.
    """
    high, low = _signed_scores([trace[signal][layer]], [part], trace.steps)[0]
    return np.where(high >= low, high, -low).astype(np.float32)


def _columns(
    trace: GateTrace, where: tuple[str, int], among: npt.NDArray[np.int64], steps: slice
) -> Array:
    values = trace[where[0]][where[1], steps]
    return values if len(among) == trace.units else values[:, among]


def _signed_scores(
    columns: Sequence[Array], group: Sequence[Property], stop: int
) -> list[npt.NDArray[np.float64]]:
    """For each property (2, all columns): the score of each column, and of its negative."""
    binary = [part.values[:stop] > 0 for part in group if part.binary]
    scalar = np.stack([part.values[:stop] for part in group if not part.binary] or [[]], axis=-1)
    precisions = [scores.signed_average_precisions(block, binary) for block in columns]
    correlated = [scores.correlations(block, scalar) if scalar.size else None for block in columns]
    result: list[npt.NDArray[np.float64]] = []
    seen = {True: 0, False: 0}
    for part in group:
        number = seen[part.binary]
        seen[part.binary] += 1
        if part.binary:
            result.append(np.concatenate([block[number] for block in precisions], axis=1))
        else:
            r = np.concatenate([block[number] for block in correlated if block is not None])
            result.append(np.stack((r, -r)))
    return result


def _detector(
    trace: GateTrace,
    part: Property,
    split: int,
    chosen: npt.NDArray[np.float64],
    searched: Sequence[tuple[str, int]],
    among: npt.NDArray[np.int64],
    keep: int,
    tested: int,
) -> Detector:
    """The best columns of the first half, scored on the second."""
    best_sign = chosen.argmax(axis=0)  # 0: high, 1: low
    best = chosen.max(axis=0)
    later = part.values[split:]
    ranked = []
    for column in np.argsort(-best, kind="stable")[:keep].tolist():
        (signal, layer), place = searched[column // len(among)], column % len(among)
        unit, sign = int(among[place]), (1, -1)[best_sign[column]]
        values = sign * trace[signal][layer, split:, unit]
        if part.binary:
            score = scores.average_precision(values, later > 0)
            chance = scores.shifted_average_precisions(values, later > 0)
        else:
            score = float(scores.correlations(values[:, None], later[:, None])[0, 0])
            chance = scores.shifted_correlations(values, later)
        ranked.append(
            UnitScore(
                signal=signal,
                layer=layer,
                unit=unit,
                sign=sign,
                chosen=float(best[column]),
                score=score,
                shuffled=float(np.quantile(chance, 0.95)),
                odds=scores.false_alarm_odds(score, chance),
            )
        )
    first = ranked[0]
    shown = first.sign * trace[first.signal][first.layer, :, first.unit]
    where = np.flatnonzero(part.values >= (1 if part.binary else part.values.max()))
    return Detector(
        key=part.key,
        name=part.name,
        measure="average precision" if part.binary else "|r|",
        base=float((later > 0).mean()) if part.binary else 0.0,
        tested=tested,
        units=tuple(ranked),
        step=int(where[np.argmax(shown[where])]),
    )


def _split(part: Property) -> int | str:
    """The step at which the second half begins, or why the property cannot be tested."""
    steps = len(part.values)
    half = steps // 2
    if not part.binary:
        if not len(np.unique(part.values[:half])) > 1 < len(np.unique(part.values[half:])):
            return "it does not change in one half of this text"
        return half
    where = part.values > 0
    begins = np.flatnonzero(np.diff(where, prepend=False) & where)
    if len(begins) < 2 * FEWEST_PLACES:
        return (
            f"it is found at {len(begins)} place{'' if len(begins) == 1 else 's'} in this text, "
            f"and {2 * FEWEST_PLACES} are needed"
        )
    if where.all():
        return "it holds everywhere in this text"
    if FEWEST_PLACES <= int((begins < half).sum()) <= len(begins) - FEWEST_PLACES:
        return half
    # All on one side: the halves are then those of the places, cut between two of them.
    middle = len(begins) // 2
    last_before = int(np.flatnonzero(where[: begins[middle]])[-1])
    return (last_before + 1 + int(begins[middle])) // 2
