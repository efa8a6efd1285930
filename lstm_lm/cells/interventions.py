"""What if: hold a signal at a value from a step on, or put another state in place of the model's.

A step is a position in the whole text, counted from 0 as in traces; step t reads token t. What a
change does to the cell's equations (`lstm.py`, `gru.py`, `rnn.py`), exactly:

- a gate or the candidate that is held has its value before anything is computed from it: c and h,
  and of a GRU the candidate, which its reset gate comes into;
- a cell state that is held replaces c_t before h_t = o_t * tanh(c_t), and is what the next step
  remembers;
- a hidden state that is held replaces h_t for the next layer, the decoder and the next step;
- a `StateChange` at step t replaces (h, c) as step t - 1 left them, so token t is predicted from
  the new state, and step t begins with it.

Of two interventions that hold the same unit at the same step, the later in the list is the one
that counts. What is held is what traces and steps show. Knows nothing of text or of sampling.
"""

import bisect
import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass

from lstm_lm.cells.cell import LayerHold, State
from lstm_lm.cells.kinds import cell_of
from lstm_lm.cells.signals import SIGNAL_NAMES, VOCABULARY
from lstm_lm.cells.stepper import Held
from lstm_lm.config import ModelConfig
from lstm_lm.errors import InterventionError, shown


@dataclass(frozen=True)
class Intervention:
    """One signal of some units of a layer, held at a value from a step on.

    >>> Intervention("forget_gate", layer=0, units=[3, 7], value=0.0, start=12)
    Intervention(signal='forget_gate', layer=0, units=(3, 7), value=0.0, start=12, stop=None)

    Raises:
        InterventionError: a name that is no signal, or a number out of range.
    """

    signal: str
    """A signal that the model's cell has: of a plain RNN, hidden_state alone."""
    _: KW_ONLY
    layer: int = 0
    """The layer, from 0."""
    units: Sequence[int] | None = None
    """The units, from 0; None: all of the layer."""
    value: float = 0.0
    """What they are held at: within the signal's range."""
    start: int = 0
    """The first step at which they are held."""
    stop: int | None = None
    """The first step at which they are free again; None: held to the end."""

    def __post_init__(self) -> None:
        if not isinstance(self.signal, str) or self.signal not in VOCABULARY:
            raise InterventionError(
                f"{shown(self.signal)} is no signal: choose from {', '.join(SIGNAL_NAMES)}"
            )
        layer = _whole("layer", self.layer)
        start = _whole("start", self.start)
        stop = None if self.stop is None else _whole("stop", self.stop)
        if stop is not None and stop <= start:
            raise InterventionError(
                f"held from step {start} to before step {stop}: stop must be above start"
            )
        units = self.units
        if units is not None:
            if isinstance(units, (str, int)):
                raise InterventionError(f"units is {shown(units)}: give a list of units, or None")
            units = tuple(_whole("a unit", unit) for unit in units)
            if not units:
                raise InterventionError("units is empty: name at least one, or None for all")
        value = _within_range(self.signal, self.value)
        made = {"layer": layer, "units": units, "value": value, "start": start, "stop": stop}
        for name, checked in made.items():  # numpy's numbers become Python's; a list, a tuple
            object.__setattr__(self, name, checked)

    def holds(self, step: int, unit: int | None = None) -> bool:
        """Whether it holds anything of its layer at the step; given a unit, whether that one."""
        now = self.start <= step and (self.stop is None or step < self.stop)
        return now and (unit is None or self.units is None or unit in self.units)

    def check(self, config: ModelConfig) -> None:
        """Raise InterventionError unless a model of this config has the layer and the units."""
        cell = cell_of(config.cell)
        names = [signal.name for signal in cell.signals]
        if self.signal not in names:
            raise InterventionError(
                f"{cell.article} {cell.label} has no {self.signal}: "
                f"hold its {', '.join(names)} instead"
            )
        _check_layer(self.layer, config)
        beyond = [unit for unit in self.units or () if unit >= config.hidden_size]
        if beyond:
            raise InterventionError(
                f"no unit {beyond[0]}: a layer of this model has units "
                f"0 to {config.hidden_size - 1}"
            )


@dataclass(frozen=True, eq=False)
class StateChange:
    """Another state in place of the model's own, once, before a step.

    `StateChange(12)` zeroes the state before step 12; `StateChange(12, other.final_state)` goes on
    from what another text left behind.

    Raises:
        InterventionError: a step or layer out of range.
    """

    start: int
    """The first step that begins with the new state."""
    state: State | None = None
    """(h, c), each (layers, 1, units), of all layers; None: zero."""
    _: KW_ONLY
    layer: int | None = None
    """The only layer whose state is replaced, from 0; None: every layer's."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", _whole("start", self.start))
        if self.layer is not None:
            object.__setattr__(self, "layer", _whole("layer", self.layer))

    def check(self, config: ModelConfig) -> None:
        """Raise InterventionError unless a model of this config can be in the state."""
        if self.layer is not None:
            _check_layer(self.layer, config)
        expected = (config.layers, 1, config.hidden_size)
        if self.state is None:
            return
        if not isinstance(self.state, tuple) or len(self.state) != 2:
            raise InterventionError("a state is (h, c), as step.state and trace.final_state are")
        for part in self.state:
            if tuple(part.shape) != expected:
                raise InterventionError(
                    f"a state of shape {tuple(part.shape)}: this model's h and c are {expected}"
                )

    def applied(self, state: State) -> State:
        """The state (h, c) with this change made; the one given is left as it is."""
        h, c = (part.clone() for part in state)
        which = slice(None) if self.layer is None else self.layer
        for part, new in zip((h, c), self.state or (None, None), strict=True):
            part[which] = 0.0 if new is None else new[which].to(part)
        return h, c


Change = Intervention | StateChange


class Plan:
    """The changes to one text, checked against the model, looked up by step.

    Args:
        changes: interventions and state changes, in the order they were given.
        config: the model's.

    Raises:
        InterventionError: the model has no such layer, unit or signal.
    """

    def __init__(self, changes: Iterable[Change], config: ModelConfig) -> None:
        self._holds: list[Intervention] = []
        self._state_changes: dict[int, list[StateChange]] = {}
        for change in changes:
            if not isinstance(change, (Intervention, StateChange)):
                raise InterventionError(
                    f"{type(change).__name__} among the interventions: "
                    "give Intervention(...) or StateChange(...)"
                )
            change.check(config)
            if isinstance(change, Intervention):
                self._holds.append(change)
            else:
                self._state_changes.setdefault(change.start, []).append(change)
        ends = {hold.start for hold in self._holds} | {hold.stop for hold in self._holds}
        # Between two neighbours of this list the same is held.
        self.boundaries = sorted(
            {step for step in ends if step is not None} | {*self._state_changes}
        )
        self._layers = config.layers
        self._held: dict[int, Held | None] = {}

    def held(self, step: int) -> Held | None:
        """What is held at this step; None: nothing."""
        stretch = bisect.bisect_right(self.boundaries, step)
        if stretch not in self._held:
            self._held[stretch] = self._held_at(step)
        return self._held[stretch]

    def _held_at(self, step: int) -> Held | None:
        held: Held = [None] * self._layers
        for hold in self._holds:
            if hold.holds(step):
                of_layer = held[hold.layer] or LayerHold()
                of_layer.add(hold.signal, hold.units, hold.value)
                held[hold.layer] = of_layer
        return held if any(held) else None

    def changes_state(self, step: int) -> bool:
        """Whether the state is replaced before this step."""
        return step in self._state_changes

    def changed_state(self, step: int, state: State) -> State:
        """The state that this step begins with, for the one that the step before left."""
        for change in self._state_changes.get(step, ()):
            state = change.applied(state)
        return state


def plan_of(changes: Sequence[Change], config: ModelConfig) -> Plan | None:
    """The plan of these changes; None where there are none, which costs nothing."""
    return Plan(changes, config) if changes else None


def _whole(name: str, value: object) -> int:
    """The value as an int of 0 or more; numpy's whole numbers are fine, True is not."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)  # pyright: ignore[reportArgumentType]
    except TypeError:
        number = -1
    if not 0 <= number <= 2**62:
        raise InterventionError(f"{name} is {shown(value)}: give a whole number from 0")
    return number


def _within_range(signal: str, value: object) -> float:
    of = VOCABULARY[signal]
    number = math.nan
    if not isinstance(value, (bool, str, bytes)):
        try:
            number = float(value)  # pyright: ignore[reportArgumentType]
        except (TypeError, ValueError, OverflowError):
            number = math.nan
    if not (math.isfinite(number) and of.low <= number <= of.high):
        bounds = f"a number from {of.low:g} to {of.high:g}"
        bounds = bounds if math.isfinite(of.high) else "a finite number"
        raise InterventionError(f"{signal} held at {shown(value)}: give {bounds}")
    return number


def _check_layer(layer: int, config: ModelConfig) -> None:
    if layer >= config.layers:
        raise InterventionError(
            f"no layer {layer}: this model has layers 0 to {config.layers - 1}"
            if config.layers > 1
            else f"no layer {layer}: this model has layer 0 only"
        )
