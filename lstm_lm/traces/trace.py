"""GateTrace: every signal of every unit at every step of one text.

How a text is read is in `scan.py`; files are in `exports.py`, figures in `figures.py`, and what a
notebook shows in `notebook.py`. Knows nothing of pages.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.interventions import Change, plan_of
from lstm_lm.cells.scan import read_stretches
from lstm_lm.cells.signals import SIGNAL_NAMES
from lstm_lm.errors import SignalError, UserError, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor, nn

    from lstm_lm.language_model import LanguageModel, State

Array = npt.NDArray[np.float32]


class GateTrace:
    """What one run of a text through the cells looked like.

    `trace["forget_gate"]` is an array (layers, steps, units) float32; step t is the step that
    reads token t. A plain RNN's trace holds "hidden_state" only.

    Args:
        tokens: what each token stands for.
        token_ids: (steps,) int64.
        signals: signal -> (layers, steps, units) float32.
        log_probs: (steps,) float32, the natural log of the probability that the model gave to
            token t before it read it; nan where it had read nothing yet.
        final_state: (h, c) after the last step, each (layers, 1, units).
        model: what the model is called; empty where nobody said.
        layer_names: what each layer is called; None: "layer 0", "layer 1", ...
    """

    def __init__(
        self,
        tokens: list[str],
        token_ids: npt.NDArray[np.int64],
        signals: dict[str, Array],
        log_probs: Array,
        final_state: "State | None" = None,
        *,
        model: str = "",
        layer_names: Sequence[str] | None = None,
    ) -> None:
        self.tokens = tokens
        self.token_ids = token_ids
        self.log_probs = log_probs
        self.final_state = final_state
        self.model = model
        self._signals = signals
        self.layer_names = list(layer_names or (f"layer {n}" for n in range(self.layers)))

    @classmethod
    def from_lstm(
        cls,
        lstm: "nn.LSTM",
        inputs: "Tensor",
        state: "State | None" = None,
        *,
        sequence: int | None = None,
        tokens: Sequence[str] | None = None,
    ) -> "GateTrace":
        """The gates of any torch.nn.LSTM, checked against the module's own output and states.

        Any number of layers, both directions, with or without bias, float64 to half, on any
        device. Step t of a layer is the step that reads input t, in both directions; what the
        backward direction remembers at t comes from t + 1. Layers stand as torch orders them, and
        `layer_names` names them: "layer 0, forward", "layer 0, backward", "layer 1, forward", ...

        Args:
            lstm: not training with dropout, and without projections.
            inputs: (steps, input_size), (steps, batch, input_size), or with batch_first
                (batch, steps, input_size).
            state: (h, c) as the module takes it; None: zero.
            sequence: which of a batch, from 0; may be left out where there is only one.
            tokens: what to call the steps, one each; None: "0", "1", ...

        Returns:
            A trace of float32 arrays, (layers x directions, steps, units); `token_ids` are -1 and
            `log_probs` nan, since there is no vocabulary; `final_state` is the module's.

        Raises:
            ModuleError: what was given is not supported, or the gates do not add up to what the
                module gives (a subclass or a hook may have changed it).
        """
        from lstm_lm.traces.foreign import trace_lstm

        return trace_lstm(lstm, inputs, state, sequence=sequence, tokens=tokens)

    def __getitem__(self, signal: str) -> Array:
        if signal not in SIGNAL_NAMES:
            raise SignalError(
                f"{shown(signal)} is no signal: choose from {', '.join(SIGNAL_NAMES)}"
            )
        if signal not in self._signals:
            raise SignalError(
                f"this trace has no {signal}: it holds {', '.join(self._signals)} "
                "(a plain RNN has no gates)"
            )
        return self._signals[signal]

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __len__(self) -> int:
        return self.steps

    def __repr__(self) -> str:
        return (
            f"GateTrace({self.steps} steps, {self.layers} layers, {self.units} units: "
            f"{', '.join(self._signals)})"
        )

    @property
    def signals(self) -> tuple[str, ...]:
        """The names of the signals that this trace holds."""
        return tuple(self._signals)

    @property
    def layers(self) -> int:
        """Number of layers."""
        return next(iter(self._signals.values())).shape[0]

    @property
    def steps(self) -> int:
        """Number of steps: tokens read."""
        return next(iter(self._signals.values())).shape[1]

    @property
    def units(self) -> int:
        """Units of a layer."""
        return next(iter(self._signals.values())).shape[2]

    def layer_index(self, layer: int) -> int:
        """The layer, if this trace has it.

        Raises:
            SignalError: it has not.
        """
        if not isinstance(layer, (int, np.integer)) or not 0 <= layer < self.layers:
            raise SignalError(f"no layer {shown(layer)}: this trace has 0 to {self.layers - 1}")
        return int(layer)

    def plot(
        self,
        signal: str,
        *,
        layer: int = 0,
        units: Sequence[int] | None = None,
        start: int = 0,
        stop: int | None = None,
        ax: "Axes | None" = None,
    ) -> "Axes":
        """One signal of one layer as a matplotlib figure, a column a step and a row a unit.

        Gates are painted 0 to 1, the candidate and the hidden state -1 to 1 around 0, the cell
        state to its largest size here. Tokens stand under their columns while they fit (`␣` a
        space, `↵` a newline); else the steps' numbers.

        Args:
            signal: one of the signals.
            layer: from 0.
            units: which, in this order; None: all.
            start: the first step.
            stop: the step after the last; None: the end.
            ax: where to draw; None: a figure of its own.

        Returns:
            The Axes: `trace.plot("forget_gate").figure.savefig("figure.pdf")`.

        Raises:
            FigureError: matplotlib is not installed, or there is nothing to draw.
            SignalError: no such signal or layer.
        """
        from lstm_lm.traces.figures import plot

        return plot(self, signal, layer=layer, units=units, start=start, stop=stop, ax=ax)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from lstm_lm.traces.notebook import to_html

        return to_html(self)

    def to_csv(
        self,
        path: str | Path,
        *,
        signals: Sequence[str] | None = None,
        layers: Sequence[int] | None = None,
    ) -> None:
        """Write a table with a row for each unit of each layer at each step.

        The columns: step, token, token_id, layer, unit, then one for each signal. UTF-8, as in RFC
        4180; values read back to the same float32. A token that is a line end, comma or quotation
        mark is quoted, so that a CSV reader gives it back as it was (Python's csv needs the file
        opened with newline=""; pandas, keep_default_na=False for a token like "NA").

        Args:
            path: the file; one that is there is replaced when all is written.
            signals: which, in this order; None: all.
            layers: which; None: all.

        Raises:
            SignalError: no such signal or layer, or none.
            UserError: the file cannot be written.
        """
        from lstm_lm.traces.exports import write_csv

        write_csv(self, Path(path), signals, layers)

    def save(self, path: str | Path) -> None:
        """Write an .npz file: the signals by name, token_ids, log_probs; tokens and about as JSON.

        Raises:
            UserError: the file cannot be written.
        """
        from lstm_lm.traces.exports import save_npz

        save_npz(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "GateTrace":
        """The trace that `save` wrote, without its final state.

        Raises:
            UserError: the file is not there, or is no trace.
        """
        from lstm_lm.traces.exports import load_npz

        return load_npz(path)


def trace_text(
    model: "LanguageModel",
    text: str,
    state: "State | None" = None,
    interventions: Sequence[Change] = (),
) -> GateTrace:
    """Every signal of every unit at every step of the text.

    Args:
        model: the model that reads.
        text: at least one token.
        state: (h, c) before the first token, each (layers, 1, units); None: zero.
        interventions: what is held or replaced on the way (`interventions.py`).

    Raises:
        UnknownCharacterError: the tokenizer does not know a character.
        InterventionError: the model has no such layer, unit or signal.
        UserError: the text is empty.
    """
    return trace_tokens(model, model.tokenizer.encode(text), state, interventions)


def trace_tokens(
    model: "LanguageModel",
    token_ids: npt.NDArray[np.int64],
    state: "State | None" = None,
    interventions: Sequence[Change] = (),
    position: int = 0,
) -> GateTrace:
    """As `trace_text`, for token ids (steps,) whose first stands at `position` of a whole text."""
    if not len(token_ids):
        raise UserError("the text is empty: give at least one character")
    engine, config = model.engine, model.config
    plan = plan_of(interventions, config)
    shape = (config.layers, len(token_ids), config.hidden_size)
    signals = {name: np.empty(shape, np.float32) for name in engine.signal_names}
    log_probs = np.empty(len(token_ids), np.float32)
    for stretch in read_stretches(engine, token_ids, state, plan, position=position):
        steps = slice(stretch.start, stretch.start + len(stretch.log_probs))
        for layer, of_layer in enumerate(stretch.layers):
            for name, values in signals.items():
                values[layer, steps] = of_layer[name].numpy()
        log_probs[steps] = stretch.log_probs
        state = stretch.state
    return GateTrace(
        tokens=[model.tokenizer.token(token_id) for token_id in token_ids.tolist()],
        token_ids=token_ids,
        signals=signals,
        log_probs=log_probs,
        final_state=state,
        model=model.name,
    )
