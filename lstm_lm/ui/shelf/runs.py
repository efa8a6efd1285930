"""What the page remembers of the texts it shows: exact values, in a store of bounded size.

A browser paints from bytes and asks here for exact numbers of one step, for columns it lost, and
for orders of rows. Knows nothing of gradio.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch

from lstm_lm.cells.cell import State
from lstm_lm.cells.interventions import Change, Intervention, StateChange
from lstm_lm.cells.kinds import cell_of
from lstm_lm.cells.signals import SIGNALS_OF_CELL
from lstm_lm.cells.stepper import Array
from lstm_lm.config import SamplingConfig
from lstm_lm.traces.trace import GateTrace
from lstm_lm.writing.generation import Step

LARGEST_STORE = 768 * 2**20  # bytes of all runs together


@dataclass(kw_only=True)
class PageRun:
    """One text as the page shows it, growing while it is written."""

    model: str
    """Name of the model."""
    cell: str
    """Kind of cell: lstm, gru or rnn."""
    capacity: int
    """Steps that it will have when it is complete."""
    layers: int
    units: int
    prompt_steps: int = 0
    """How many of the first steps read what a person gave."""
    given: str = ""
    """The prompt or the text as the person gave it."""
    session: str = ""
    """Whose it is, so that it can be freed when they leave."""
    sampling: SamplingConfig | None = None
    """How its tokens were drawn; None where the model only read."""
    parent: str = ""
    """The id of the run that it branched from; empty where it stands for itself."""
    own: int = 0
    """The first step of its own; those before are its parent's."""
    interventions: tuple[Change, ...] = ()
    """What is held or replaced in it, by step."""
    run_id: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    tokens: list[str] = field(default_factory=list)
    token_ids: list[int] = field(default_factory=list)
    log_probs: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._growing = threading.Lock()
        self._stopped = False
        signals = len(SIGNALS_OF_CELL[self.cell])
        self.values: Array = np.zeros(
            (self.capacity, signals, self.layers, self.units), dtype=np.float32
        )

    @property
    def steps(self) -> int:
        """Steps so far."""
        return len(self.tokens)

    @property
    def written(self) -> bool:
        """Whether the model writes in it, or only reads."""
        return self.capacity > self.prompt_steps

    @property
    def signal_names(self) -> tuple[str, ...]:
        """The signals, in the order of `values`."""
        return tuple(signal.name for signal in SIGNALS_OF_CELL[self.cell])

    def add_trace(self, trace: GateTrace) -> None:
        """Append every step of a trace."""
        start, stop = self.steps, self.steps + trace.steps
        for row, name in enumerate(self.signal_names):
            self.values[start:stop, row] = trace[name].transpose(1, 0, 2)  # (L, T, H) -> (T, L, H)
        self.tokens += trace.tokens
        self.token_ids += trace.token_ids.tolist()
        self.log_probs += trace.log_probs.tolist()

    def add_step(
        self, token: str, token_id: int, log_prob: float, signals: dict[str, Array]
    ) -> bool:
        """Append one written token; False where it was stopped, and nothing was appended."""
        with self._growing:
            if self._stopped:
                return False
            for row, name in enumerate(self.signal_names):
                self.values[self.steps, row] = signals[name]
            self.token_ids.append(token_id)
            self.log_probs.append(log_prob)
            self.tokens.append(token)  # last: it is what `steps` counts
        return True

    def add_steps(self, steps: Iterable[Step]) -> None:
        """Append all that a model writes."""
        for step in steps:
            self.add_step(step.token, step.token_id, step.log_prob, step.signals)

    def stop(self) -> None:
        """Let no more be written: as many steps as there are now, there will be."""
        with self._growing:
            self._stopped = True

    def state_after(self, step: int) -> tuple[Array, Array]:
        """(h, c) after the step, each (layers, units) float32; before the first step, -1: zeros."""
        h, c = np.zeros((2, self.layers, self.units), dtype=np.float32)
        if step >= 0:
            h = self.values[step, self.signal_names.index("hidden_state")]
            if cell_of(self.cell).has_cell_state:
                c = self.values[step, self.signal_names.index("cell_state")]
        return h, c

    def state_left(self, step: int) -> State:
        """As `state_after`, each (layers, 1, units): what an engine goes on from."""
        h, c = (torch.from_numpy(part.copy())[:, None] for part in self.state_after(step))
        return h, c

    def state_before(self, step: int) -> State:
        """(h, c) that the step begins with, each (layers, 1, units): as it was left, or changed."""
        h, c = self.state_left(step - 1)
        for change in self.interventions:
            if isinstance(change, StateChange) and change.start == step:
                h, c = change.applied((h, c))
        return h, c

    def changes_state(self, step: int) -> bool:
        """Whether the state was changed before this step."""
        changes = (each for each in self.interventions if isinstance(each, StateChange))
        return any(each.start == step for each in changes)

    def held_at(self, step: int, layer: int, unit: int) -> dict[str, float]:
        """Signal -> the value at which this unit's is held at the step."""
        holds = (each for each in self.interventions if isinstance(each, Intervention))
        return {
            each.signal: each.value
            for each in holds
            if each.layer == layer and each.holds(step, unit)
        }

    def begun(
        self, own: int, sampling: SamplingConfig, steps: int, interventions: tuple[Change, ...]
    ) -> "PageRun":
        """A run that is this one up to step `own`, with room for `steps` more."""
        begun = PageRun(
            model=self.model,
            cell=self.cell,
            capacity=own + steps,
            layers=self.layers,
            units=self.units,
            prompt_steps=min(self.prompt_steps, own),
            session=self.session,
            sampling=sampling,
            parent=self.run_id,
            own=own,
            interventions=interventions,
        )
        begun.values[:own] = self.values[:own]
        begun.token_ids += self.token_ids[:own]
        begun.log_probs += self.log_probs[:own]
        begun.tokens += self.tokens[:own]
        return begun

    def trace(self) -> GateTrace:
        """The steps so far as a trace."""
        steps = self.steps
        return GateTrace(
            tokens=self.tokens[:steps],
            token_ids=np.array(self.token_ids[:steps], dtype=np.int64),
            signals={
                name: self.values[:steps, row].transpose(1, 0, 2)
                for row, name in enumerate(self.signal_names)
            },
            log_probs=np.array(self.log_probs[:steps], dtype=np.float32),
        )


class RunStore:
    """The runs of all visitors, the oldest dropped when they grow too large together."""

    def __init__(self, largest: int = LARGEST_STORE) -> None:
        self._largest = largest
        self._runs: OrderedDict[str, PageRun] = OrderedDict()
        self._kept: set[str] = set()
        self._lock = threading.Lock()

    def add(self, run: PageRun, *, keep: bool = False) -> PageRun:
        """Store the run; `keep` holds it for the life of the page."""
        with self._lock:
            self._runs[run.run_id] = run
            if keep:
                self._kept.add(run.run_id)
            total = sum(stored.values.nbytes for stored in self._runs.values())
            for old in list(self._runs):
                if total <= self._largest:
                    break
                if old not in self._kept and old != run.run_id:
                    total -= self._runs.pop(old).values.nbytes
        return run

    def get(self, run_id: object) -> PageRun | None:
        """The run, or None where it was dropped or never was."""
        with self._lock:
            return self._runs.get(run_id) if isinstance(run_id, str) else None

    def latest_written(self, session: str) -> PageRun | None:
        """The newest text that the model wrote for this visitor; a branch is none."""
        with self._lock:
            mine = [run for run in self._runs.values() if run.session == session and run.written]
            own = [run for run in mine if not run.parent]
            return own[-1] if own else None

    def forget_model(self, name: str) -> None:
        """Free every run of a model that is gone, kept or not."""
        with self._lock:
            for run_id in [r for r, run in self._runs.items() if run.model == name]:
                self._kept.discard(run_id)
                del self._runs[run_id]

    def forget(self, session: str) -> None:
        """Free what a visitor held."""
        with self._lock:
            for run_id in [r for r, run in self._runs.items() if run.session == session]:
                if run_id not in self._kept:
                    del self._runs[run_id]

    def __len__(self) -> int:
        return len(self._runs)
