"""GateTrace: every signal of every unit at every step of one text, and how it is made.

The whole-text way through the cell: a layer's input projection for all steps is one matrix
product, after which each step adds W_hh h in place and the activations follow. The arithmetic is
that of `signals.py`. Knows nothing of pages.
"""

import json
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lstm_lm.errors import SignalError, UserError
from lstm_lm.signals import SIGNAL_NAMES

if TYPE_CHECKING:
    from lstm_lm.engine import Engine, Layer
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
    """

    def __init__(
        self,
        tokens: list[str],
        token_ids: npt.NDArray[np.int64],
        signals: dict[str, Array],
        log_probs: Array,
        final_state: "State | None" = None,
    ) -> None:
        self.tokens = tokens
        self.token_ids = token_ids
        self.log_probs = log_probs
        self.final_state = final_state
        self._signals = signals

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


def trace_text(model: "LanguageModel", text: str, state: "State | None" = None) -> GateTrace:
    """Every signal of every unit at every step of the text.

    Args:
        model: the model that reads.
        text: at least one token.
        state: (h, c) before the first token, each (layers, 1, units); None: zero.

    Raises:
        UnknownCharacterError: the tokenizer does not know a character.
        UserError: the text is empty.
    """
    return trace_tokens(model, model.tokenizer.encode(text), state)


@torch.no_grad()
def trace_tokens(
    model: "LanguageModel", token_ids: npt.NDArray[np.int64], state: "State | None" = None
) -> GateTrace:
    """As `trace_text`, for token ids (steps,)."""
    if not len(token_ids):
        raise UserError("the text is empty: give at least one character")
    engine = model.engine
    config = engine.config
    ids = torch.from_numpy(token_ids)
    h0, c0 = (
        part.detach().float().cpu().reshape(config.layers, config.hidden_size)
        for part in (state or model.zero_state())
    )
    inputs = engine.embedding[ids]  # (T, E)
    last_h, last_c = [], []
    by_signal: dict[str, list[Array]] = {name: [] for name in engine.signal_names}
    for layer, weights in enumerate(engine.layers):
        run = run_lstm_layer if config.cell == "lstm" else run_rnn_layer
        signals = run(weights, inputs, h0[layer], c0[layer])
        inputs = signals["hidden_state"]  # (T, H)
        last_h.append(inputs[-1])
        last_c.append(signals["cell_state"][-1] if config.cell == "lstm" else c0[layer])
        for name in engine.signal_names:
            by_signal[name].append(signals[name].numpy())
    return GateTrace(
        tokens=[model.tokenizer.token(token_id) for token_id in token_ids.tolist()],
        token_ids=token_ids,
        signals={name: np.stack(layers) for name, layers in by_signal.items()},
        log_probs=_log_probs(engine, inputs, ids, None if state is None else h0[-1]),
        final_state=(torch.stack(last_h)[:, None], torch.stack(last_c)[:, None]),
    )


def run_lstm_layer(weights: "Layer", inputs: Tensor, h: Tensor, c: Tensor) -> dict[str, Tensor]:
    """All steps of one LSTM layer.

    Args:
        weights: rows in the order i, f, o, g.
        inputs: (steps, input) float32.
        h: the hidden state before the first step, (units,).
        c: the cell state before the first step, (units,).

    Returns:
        Signal -> (steps, units) float32.
    """
    steps, H = len(inputs), len(h)
    sums = torch.addmm(weights.bias, inputs, weights.w_ih.t())  # (T, 4H), all steps at once
    cell_states, hidden_states = torch.empty(steps, H), torch.empty(steps, H)
    rows = zip(sums, sums[:, : 3 * H], sums[:, 3 * H :], cell_states, hidden_states, strict=True)
    for sum_t, gates, g, c_t, h_t in rows:
        sum_t.addmv_(weights.w_hh, h)
        gates.sigmoid_()
        g.tanh_()
        i, f, o = gates.view(3, H)
        torch.mul(f, c, out=c_t).addcmul_(i, g)  # c = f * c + i * g
        torch.tanh(c_t, out=h_t).mul_(o)  # h = o * tanh(c)
        h, c = h_t, c_t
    i, f, o, g = sums.view(steps, 4, H).unbind(1)
    return {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "output_gate": o,
        "cell_state": cell_states,
        "hidden_state": hidden_states,
    }


def run_rnn_layer(weights: "Layer", inputs: Tensor, h: Tensor, c: Tensor) -> dict[str, Tensor]:
    """All steps of one plain tanh RNN layer: as `run_lstm_layer`, with one signal and no c."""
    del c
    sums = torch.addmm(weights.bias, inputs, weights.w_ih.t())  # (T, H)
    for h_t in sums:
        h = h_t.addmv_(weights.w_hh, h).tanh_()
    return {"hidden_state": sums}


def _log_probs(engine: "Engine", outputs: Tensor, ids: Tensor, before: Tensor | None) -> Array:
    """Log-probability of each token given those before, (steps,); nan for the first of a text.

    Args:
        engine: holds the decoder.
        outputs: the last layer's hidden states, (steps, units).
        ids: the tokens, (steps,).
        before: the last layer's hidden state before the first token; None: nothing was read.
    """
    result = torch.full((len(ids),), float("nan"))
    for start in range(0, len(ids), 512):  # bounds the memory of the logits
        stop = min(start + 512, len(ids))
        earlier = outputs[max(0, start - 1) : stop - 1]
        if start == 0:
            first = outputs.new_zeros(1, outputs.shape[1]) if before is None else before[None]
            earlier = torch.cat((first, earlier))
        logits = torch.addmm(engine.decoder_bias, earlier, engine.decoder_weight.t())  # (n, V)
        chosen = logits.log_softmax(-1).gather(1, ids[start:stop, None])
        result[start:stop] = chosen[:, 0]
    if before is None:
        result[0] = float("nan")
    return result.numpy()
