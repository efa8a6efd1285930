"""GateTrace: every signal of every unit at every step of one text, and what one does with it.

What it holds is in `arrays.py`; how a text is read in `reading.py`; files are in `exports.py`,
figures in `figures.py`, and what a notebook shows in `notebook.py`. Knows nothing of pages.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lstm_lm.cells.cell import State
from lstm_lm.traces.arrays import Array, SignalArrays
from lstm_lm.traces.exports import load_npz, save_npz, write_csv
from lstm_lm.traces.figures import plot
from lstm_lm.traces.foreign import trace_lstm
from lstm_lm.traces.notebook import to_html

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor, nn

__all__ = ["Array", "GateTrace"]


class GateTrace(SignalArrays):
    """What one run of a text through the cells looked like: arrays by signal, and doors.

    `trace["forget_gate"]` is an array (layers, steps, units) float32; step t is the step that
    reads token t. What it is made of: see `SignalArrays`.
    """

    @classmethod
    def of(cls, arrays: SignalArrays) -> Self:
        """The same arrays, with everything that one can do with a trace."""
        return cls(
            arrays.tokens,
            arrays.token_ids,
            {name: arrays[name] for name in arrays.signals},
            arrays.log_probs,
            arrays.final_state,
            model=arrays.model,
            layer_names=arrays.layer_names,
        )

    @classmethod
    def from_lstm(
        cls,
        lstm: "nn.LSTM",
        inputs: "Tensor",
        state: State | None = None,
        *,
        sequence: int | None = None,
        tokens: Sequence[str] | None = None,
    ) -> Self:
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
        return cls.of(trace_lstm(lstm, inputs, state, sequence=sequence, tokens=tokens))

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
        return plot(self, signal, layer=layer, units=units, start=start, stop=stop, ax=ax)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
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
        write_csv(self, Path(path), signals, layers)

    def save(self, path: str | Path) -> None:
        """Write an .npz file: the signals by name, token_ids, log_probs; tokens and about as JSON.

        Raises:
            UserError: the file cannot be written.
        """
        save_npz(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The trace that `save` wrote, without its final state.

        Raises:
            UserError: the file is not there, or is no trace.
        """
        return cls.of(load_npz(path))
