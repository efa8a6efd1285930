"""SignalArrays: every signal of every unit at every step of one text, and how it is looked up.

What exports, figures, notebooks and foreign modules work on; `trace.py` adds to it what one does
with a trace. Knows nothing of files, of torch modules or of pages.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.cell import State
from lstm_lm.cells.signals import SIGNAL_NAMES, VOCABULARY
from lstm_lm.errors import SignalError, shown

Array = npt.NDArray[np.float32]


class SignalArrays:
    """What one run of a text through the cells looked like.

    `trace["forget_gate"]` is an array (layers, steps, units) float32; step t is the step that
    reads token t. A GRU's trace holds the signals of a GRU, a plain RNN's
    "hidden_state" only.

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
        final_state: State | None = None,
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

    def __getitem__(self, signal: str) -> Array:
        if not isinstance(signal, str) or signal not in VOCABULARY:
            raise SignalError(
                f"{shown(signal)} is no signal: choose from {', '.join(SIGNAL_NAMES)}"
            )
        if signal not in self._signals:
            raise SignalError(
                f"this trace has no {signal}: it holds {', '.join(self._signals)} "
                f"({self._why_not(signal)})"
            )
        return self._signals[signal]

    def _why_not(self, signal: str) -> str:
        if len(self._signals) == 1:
            return "a plain RNN has no gates"
        return f"{signal} is another cell's" if signal not in SIGNAL_NAMES else "not an LSTM's"

    def __iter__(self) -> Iterator[str]:
        return iter(self._signals)

    def __len__(self) -> int:
        return self.steps

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.steps} steps, {self.layers} layers, {self.units} units: "
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
