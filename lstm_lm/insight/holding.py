"""What a unit does to what comes next: the values that it takes, and what holding it moves.

- *levels*: quantiles of the values that a signal really takes in a text, so that a unit is held at
  what it knows, not at what it never was.
- *sway*: the same text is read twice with one signal of one unit held all the way, once low (the
  quantile 0.05) and once high (0.95). After each token the two readings expect the next one by two
  distributions p and q; sum |p - q| / 2 is the share of the probability that moves from some tokens
  to others (their total variation distance). Its mean over the text stands beside that of other
  units of the layer, drawn by a seed, each held at levels of its own.

Knows nothing of sampling or of pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from lstm_lm.cells.interventions import Intervention
from lstm_lm.errors import UserError, shown
from lstm_lm.insight.memory import check_place
from lstm_lm.insight.result import Result
from lstm_lm.insight.units import TokenWeight
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace

LOW, HIGH = 0.05, 0.95
STEPS = 256  # of a text that are read with the unit held
OTHERS = 8  # units that it is compared with
KEPT = 6  # tokens named on either side
SMALLEST = 0.01  # of the probability: less than this is not worth a sentence
CLEARLY = 2.0  # times the most that any of the others moves


@dataclass(frozen=True, kw_only=True)
class Levels(Result):
    """The values that a signal of a unit takes in a text."""

    lowest: float
    """The smallest."""
    low: float
    """5 of 100 steps are below it."""
    typical: float
    """The median."""
    high: float
    """5 of 100 steps are above it."""
    highest: float
    """The largest."""


@dataclass(frozen=True, kw_only=True)
class Moved(Result):
    """A unit, and how much of the probability it moves."""

    unit: int
    """Which it is."""
    moved: float
    """0..1, the mean over the text."""


@dataclass(frozen=True, kw_only=True)
class Sway(Result):
    """What changes in the next token when a unit is held high and not low."""

    layer: int
    """From 0."""
    unit: int
    """From 0."""
    signal: str
    """What is held."""
    low: float
    """Where it is held the one time."""
    high: float
    """Where it is held the other time."""
    steps: int
    """How many tokens were read."""
    moved: float
    """The share of the probability that moves, 0..1, its mean over the steps."""
    step: int
    """The step after which most moves."""
    moved_there: float
    """How much that is."""
    likelier: tuple[TokenWeight, ...]
    """Tokens whose mean probability is higher when it is held high, and by how much, most first."""
    less_likely: tuple[TokenWeight, ...]
    """The same of those whose is lower."""
    others: tuple[Moved, ...]
    """What other units of the layer move."""

    @property
    def stands_out(self) -> bool:
        """Whether it moves clearly more than each of the others, and more than next to nothing."""
        most = max((other.moved for other in self.others), default=0.0)
        return self.moved >= max(SMALLEST, CLEARLY * most)

    def sentence(self) -> str:
        """How much it moves, against what."""
        if self.low == self.high:
            return "It hardly moves in this text: held low or high, it is what it mostly was."
        told = f"Holding it high instead of low moves {_percent(self.moved)} of the next token’s "
        told += "probability from some tokens to others"
        if not self.others:
            return told + "."
        amounts = [other.moved for other in self.others]
        middle, most = _percent(float(np.median(amounts))), _percent(max(amounts))
        told += f"; for {len(amounts)} other units of its layer it is {middle} in the middle and "
        if self.stands_out:
            then = "this one clearly moves more"
        elif self.moved >= CLEARLY * max(amounts):
            then = f"this one moves more, but less than {_percent(SMALLEST)} is next to nothing"
        else:
            then = "this one does not clearly move more"
        return f"{told}{most} at most: {then}."


def levels(trace: GateTrace, signal: str, layer: int, unit: int) -> Levels:
    """The values that the signal takes over the text.

    Raises:
        UserError: the trace has no such signal, layer or unit.
    """
    check_place(trace, layer=layer, unit=unit)
    if signal not in trace.signals:
        raise UserError(f"there is no {shown(signal)} here: choose {', '.join(trace.signals)}")
    values = trace[signal][layer, :, unit]
    # A value that the unit had, not one between two, and so within the signal's range.
    found = np.quantile(values, [0.0, LOW, 0.5, HIGH, 1.0], method="nearest")
    lowest, low, typical, high, highest = found.tolist()
    return Levels(lowest=lowest, low=low, typical=typical, high=high, highest=highest)


def other_units(
    model: LanguageModel,
    trace: GateTrace,
    layer: int,
    signal: str,
    *,
    count: int = OTHERS + 1,
    seed: int = 0,
) -> tuple[Moved, ...]:
    """What some units of the layer move, drawn by the seed: what any one is compared with."""
    drawn = np.random.default_rng(seed).permutation(trace.units)[:count].tolist()
    found = []
    for unit in drawn:
        low, high = _expected(model, trace, signal, layer, unit)
        found.append(Moved(unit=unit, moved=float(_distance(low, high).mean())))
    return tuple(found)


def sway(
    model: LanguageModel,
    trace: GateTrace,
    layer: int,
    unit: int,
    signal: str,
    *,
    others: Sequence[Moved] = (),
    keep: int = KEPT,
) -> Sway:
    """What changes in the next token when the unit is held high and not low.

    Args:
        model: the model whose trace it is.
        trace: a text that it read: gives the levels, and its first steps are read again.
        layer: from 0.
        unit: from 0.
        signal: what is held.
        others: from `other_units`, of the same layer and signal; the unit itself is left out.
        keep: tokens to name on either side.

    Raises:
        UserError: the trace has no such signal, layer or unit.
    """
    held = levels(trace, signal, layer, unit)
    low, high = _expected(model, trace, signal, layer, unit)
    distance = _distance(low, high)
    change = (high - low).mean(axis=0, dtype=np.float64)  # (V,)
    order = np.argsort(change, kind="stable")
    down, up = order[:keep], order[::-1][:keep]

    def named(token_ids: npt.NDArray[np.int64]) -> tuple[TokenWeight, ...]:
        name = model.tokenizer.token
        return tuple(
            TokenWeight(token=name(each), token_id=each, weight=float(change[each]))
            for each in token_ids.tolist()
        )

    return Sway(
        layer=layer,
        unit=unit,
        signal=signal,
        low=held.low,
        high=held.high,
        steps=len(distance),
        moved=float(distance.mean()),
        step=int(distance.argmax()),
        moved_there=float(distance.max()),
        likelier=named(up[change[up] > 0]),
        less_likely=named(down[change[down] < 0]),
        others=tuple(other for other in others if other.unit != unit)[:OTHERS],
    )


def _expected(
    model: LanguageModel, trace: GateTrace, signal: str, layer: int, unit: int
) -> tuple[Array, Array]:
    """The next token's probabilities after each step, held low and held high: (steps, V) each."""
    held = levels(trace, signal, layer, unit)
    token_ids = trace.token_ids[:STEPS]
    engine = model.engine
    found = []
    for value in (held.low, held.high):
        hold = Intervention(signal, layer=layer, units=[unit], value=value)
        read = trace_tokens(model, token_ids, None, [hold])
        outputs = torch.from_numpy(read["hidden_state"][-1])  # (T, H)
        logits = torch.addmm(engine.decoder_bias, outputs, engine.decoder_weight.t())  # (T, V)
        found.append(logits.softmax(-1).numpy())
    return found[0], found[1]


def _distance(low: Array, high: Array) -> npt.NDArray[np.float64]:
    """The share of the probability that moves, after each step: (steps,), 0..1."""
    return np.abs(high - low).sum(axis=-1, dtype=np.float64) / 2


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
