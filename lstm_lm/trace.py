"""GateTrace: every signal of every unit at every step of one text.

How a text is read is in `scan.py`. Knows nothing of pages.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from lstm_lm.errors import SignalError, UserError
from lstm_lm.interventions import Change, plan_of
from lstm_lm.scan import read_stretches
from lstm_lm.signals import SIGNAL_NAMES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lstm_lm.model import LanguageModel, State

Array = npt.NDArray[np.float32]

# What numpy and zipfile raise on a file that is something else, empty or cut short.
NOT_A_TRACE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    zipfile.BadZipFile,
    zlib.error,
)


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
        from lstm_lm.foreign import trace_lstm

        return trace_lstm(lstm, inputs, state, sequence=sequence, tokens=tokens)

    def __getitem__(self, signal: str) -> Array:
        if signal not in SIGNAL_NAMES:
            raise SignalError(f"{signal!r} is no signal: choose from {', '.join(SIGNAL_NAMES)}")
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

    def save(self, path: str | Path) -> None:
        """Write the arrays to an .npz file: the signals by name, tokens, token_ids, log_probs."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            **self._signals,
            "token_ids": self.token_ids,
            "log_probs": self.log_probs,
            # JSON, so that no array of objects (a pickle) is needed for strings.
            "tokens": np.frombuffer(json.dumps(self.tokens).encode(), dtype=np.uint8),
        }
        with Path(path).open("wb") as file:
            np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]

    @classmethod
    def load(cls, path: str | Path) -> "GateTrace":
        """The trace that `save` wrote.

        Raises:
            UserError: the file is not there, or is no trace.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                signals = {name: file[name] for name in SIGNAL_NAMES if name in file}
                if not signals:
                    raise KeyError("no signal")
                return cls(
                    json.loads(file["tokens"].tobytes()),
                    file["token_ids"],
                    signals,
                    file["log_probs"],
                )
        except FileNotFoundError:
            raise UserError(f"no such file: {path}") from None
        except NOT_A_TRACE as error:
            raise UserError(f"{path} is no saved trace ({error})") from None


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
) -> GateTrace:
    """As `trace_text`, for token ids (steps,)."""
    if not len(token_ids):
        raise UserError("the text is empty: give at least one character")
    engine, config = model.engine, model.config
    plan = plan_of(interventions, config)
    shape = (config.layers, len(token_ids), config.hidden_size)
    signals = {name: np.empty(shape, np.float32) for name in engine.signal_names}
    log_probs = np.empty(len(token_ids), np.float32)
    for stretch in read_stretches(engine, token_ids, state, plan):
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
    )
