"""Other places where the units that are on in a chosen span are on together.

LSTMVis (Strobelt, Gehrmann, Pfister and Rush 2018, section 5): a span is chosen; the units that are
on at every step of it, and off just before and just after, are its pattern. Places where many of
the pattern's units are on together are ranked by how many, then by the smallest union of the
pattern and all the units that are on there: the fewest others. What "on" means is a quantile of
each unit's own values (`state_index.py`); it is chosen for the person unless they choose it.

How many steps would share as many units by chance is worked out from how often each unit is on, as
if the units were shifted against each other in time. Knows nothing of tokens or pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_lm.errors import UserError
from lstm_lm.insight.result import Result
from lstm_lm.insight.state_index import ROWS_AT_ONCE, THRESHOLDS, StateIndex, Words
from lstm_lm.traces.arrays import Array

ENOUGH = 4  # units: the highest threshold that leaves as many is chosen
LEAST_SHARED = 0.5  # of the pattern's units


@dataclass(frozen=True, kw_only=True)
class Match(Result):
    """A place where units of the pattern are on together."""

    start: int
    """Its first step."""
    stop: int
    """One past its last step."""
    shared: int
    """How many units of the pattern are on throughout it."""
    union: int
    """How many units are in the pattern or on throughout it."""
    by_chance: float
    """Steps of the whole text that would share as many if the units knew nothing of each other."""


@dataclass(frozen=True, kw_only=True)
class Matching(Result):
    """The pattern of a span, and where else it is found."""

    threshold: float
    """The quantile at which a unit counts as on."""
    units: tuple[tuple[int, int], ...]
    """The pattern: (unit, 1) where it is high, (unit, -1) where it is low."""
    matches: tuple[Match, ...]
    """The best places, best first."""
    places: int
    """How many places share at least half of the pattern."""
    steps_as_good: int
    """At how many steps elsewhere as many units are shared as in the best place."""
    reason: str
    """Why nothing was found, and what to try; empty where something was."""

    def sentence(self) -> str:
        """What was found, with its numbers."""
        if not self.matches:
            return self.reason
        best = self.matches[0]
        as_good = sum(match.shared == best.shared for match in self.matches)
        count = len(self.units)
        pattern = "1 unit is" if count == 1 else f"{count} units are"
        others = "1 other place shares" if as_good == 1 else f"{as_good} of the places shown share"
        return (
            f"{pattern} on in this span and off just outside (quantile {self.threshold}); "
            f"{others} {best.shared}, as units that knew nothing of each other would at "
            f"{best.by_chance:.2g} steps of this text."
        )


def match(
    index: StateIndex,
    start: int,
    stop: int,
    *,
    threshold: float | None = None,
    off_before: bool = True,
    off_after: bool = True,
    values: Array | None = None,
    keep: int = 20,
) -> Matching:
    """The places of the indexed text that are like a span.

    Args:
        index: of the text to search.
        start: the span's first step.
        stop: one past its last.
        threshold: one of THRESHOLDS; None: the highest that leaves at least four units.
        off_before: whether the units must be off at the step before the span.
        off_after: whether they must be off at the step after it.
        values: (steps, units) of another text, in which the span lies; None: the indexed one.
        keep: how many places to give.

    Raises:
        UserError: there is no such span, or no such threshold.
    """
    steps = index.steps if values is None else len(values)
    if not 0 <= start < stop <= steps:
        raise UserError(
            f"{start} to {stop} is no span of this text: choose at least one of its {steps} steps"
        )
    if threshold is not None and threshold not in THRESHOLDS:
        raise UserError(
            f"{threshold} is no threshold: choose one of {', '.join(map(str, THRESHOLDS))}"
        )
    first, last = max(0, start - 1), min(steps, stop + 1)
    rows = index.rows(first, last) if values is None else index.encoded(values[first:last])
    edge = (start - first, stop - first)
    tried = {
        level: _pattern(index, rows, edge, level, off_before, off_after)
        for level in ((threshold,) if threshold is not None else THRESHOLDS)
    }
    level = _chosen(tried)
    inside, pattern = tried[level]
    units = tuple(
        (number % index.units, 1 if number < index.units else -1)
        for number in np.flatnonzero(pattern).tolist()
    )
    if not units:
        return Matching(
            threshold=level, units=(), matches=(), places=0, steps_as_good=0,
            reason=_why_no_pattern(int(inside.sum()), stop - start, level, off_before, off_after),
        )  # fmt: skip
    own = (start, stop) if values is None else None
    places, steps_as_good, matches = _search(index, pattern, level, own, keep)
    reason = ""
    if not matches:
        reason = (
            f"{len(units)} units are on in this span and off just outside at quantile {level}, but "
            "nowhere else are half of them on together: choose a shorter span or a lower threshold."
        )
    return Matching(
        threshold=level,
        units=units,
        matches=matches,
        places=places,
        steps_as_good=steps_as_good,
        reason=reason,
    )


def _pattern(
    index: StateIndex,
    rows: Words,
    edge: tuple[int, int],
    threshold: float,
    off_before: bool,
    off_after: bool,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The units that are on throughout the span, and those of them that are off outside."""
    on = index.on(rows, threshold)
    start, stop = edge
    throughout = np.bitwise_and.reduce(on[start:stop], axis=0)
    outside = np.zeros_like(throughout)
    if off_before and start:
        outside |= on[start - 1]
    if off_after and stop < len(on):
        outside |= on[stop]
    return index.unpacked(throughout), index.unpacked(throughout & ~outside)


def _chosen(
    tried: dict[float, tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]],
) -> float:
    """The highest threshold that leaves enough units, else the one that leaves most."""
    counts = {level: int(pattern.sum()) for level, (_, pattern) in tried.items()}
    enough = [level for level, count in counts.items() if count >= ENOUGH]
    return max(enough) if enough else max(counts, key=lambda level: (counts[level], level))


def _why_no_pattern(
    inside: int, length: int, threshold: float, off_before: bool, off_after: bool
) -> str:
    if not inside:
        return (
            f"No unit is on at all {length} steps of this span at quantile {threshold}: "
            "choose a shorter span or a lower threshold."
        )
    sides = " and ".join(
        name for name, asked in (("before", off_before), ("after", off_after)) if asked
    )
    units = "1 unit is" if inside == 1 else f"{inside} units are"
    return (
        f"{units} on in all of this span at quantile {threshold}, but none is off just {sides}: "
        "choose a longer span or a higher threshold, or do not ask for that."
    )


def _search(
    index: StateIndex,
    pattern: npt.NDArray[np.bool_],
    threshold: float,
    own: tuple[int, int] | None,
    keep: int,
) -> tuple[int, int, tuple[Match, ...]]:
    """How many places share half of the pattern, how many steps do as the best does, the best."""
    mask = index.packed(pattern)
    size = int(pattern.sum())
    count, begins = _shared_by_step(index, mask, threshold)
    starts = np.flatnonzero(begins)
    stops = np.append(starts[1:], index.steps)
    shared = count[starts]  # of each run of steps that share the same units
    padded = np.concatenate(([-1], shared, [-1]))
    # A run whose neighbour shares more is a part of that neighbour's place, seen wider.
    peak = (shared >= padded[:-2]) & (shared >= padded[2:])
    peak &= shared >= max(1, int(np.ceil(LEAST_SHARED * size)))
    if own is not None:
        peak &= (stops <= own[0]) | (starts >= own[1])
    starts, stops, shared = starts[peak], stops[peak], shared[peak]
    as_good = count >= shared.max(initial=1)
    if own is not None:
        as_good[own[0] : own[1]] = False
    steps_as_good = int(as_good.sum()) if len(shared) else 0
    chance = _chance(index.rates(threshold)[pattern], index.steps)
    matches: list[Match] = []
    for level in np.unique(shared)[::-1].tolist():
        here = shared == level
        also_on = _on_throughout(index, threshold, starts[here], stops[here])
        union = size + also_on - level
        matches += [
            Match(
                start=int(starts[here][number]),
                stop=int(stops[here][number]),
                shared=int(level),
                union=int(union[number]),
                by_chance=float(chance[level]),
            )
            for number in np.argsort(union, kind="stable")[: keep - len(matches)].tolist()
        ]
        if len(matches) == keep:
            break
    return len(starts), steps_as_good, tuple(matches)


def _shared_by_step(
    index: StateIndex, mask: Words, threshold: float
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """How many units of the pattern are on at each step, and where they change."""
    count = np.empty(index.steps, dtype=np.int64)
    changes = np.ones(index.steps, dtype=bool)
    before: Words | None = None
    for start in range(0, index.steps, ROWS_AT_ONCE):
        on = index.on(index.rows(start, start + ROWS_AT_ONCE), threshold) & mask
        stop = start + len(on)
        count[start:stop] = np.bitwise_count(on).sum(axis=1)
        changes[start + 1 : stop] = (on[1:] != on[:-1]).any(axis=1)
        if before is not None:
            changes[start] = bool((on[0] != before).any())
        before = on[-1]
    return count, changes


def _on_throughout(
    index: StateIndex,
    threshold: float,
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """How many units are on at every step of each place."""
    result = [
        np.bitwise_count(
            np.bitwise_and.reduceat(index.on(index.picked(steps), threshold), offsets, axis=0)
        ).sum(axis=1)
        for steps, offsets in _batches(starts, stops)
    ]
    return np.concatenate(result).astype(np.int64)


def _batches(
    starts: npt.NDArray[np.int64], stops: npt.NDArray[np.int64]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """The steps of whole places, some thousands at a time, and where each place begins in them."""
    lengths = stops - starts
    ends = np.cumsum(lengths)
    place = 0
    while place < len(starts):
        done = ends[place - 1] if place else 0
        upto = max(place + 1, int(np.searchsorted(ends, done + ROWS_AT_ONCE, side="right")))
        here = lengths[place:upto]
        offsets = np.cumsum(here) - here
        yield np.arange(here.sum()) + np.repeat(starts[place:upto] - offsets, here), offsets
        place = upto


def _chance(rates: npt.NDArray[np.float64], steps: int) -> npt.NDArray[np.float64]:
    """Expected steps at which at least k units are on together, k = 0..units, if independent."""
    distribution = np.ones(1)
    for rate in rates.tolist():  # the Poisson binomial distribution
        distribution = np.convolve(distribution, (1 - rate, rate))
    return steps * np.cumsum(distribution[::-1])[::-1]
