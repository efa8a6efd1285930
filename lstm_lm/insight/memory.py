"""How long a model remembers, seen from inside: forget gates and gradients.

- *Half-life* of a unit: the steps after which the product of its forget gates has fallen to a half,
  on average: ln(1/2) / mean(ln f). A gate that is 0.5 at every step has a half-life of exactly 1.
- *The cell's own path*: d c_T / d c_t along the cell alone, the product of f_s for s = t+1..T.
- *Gradient*: |d log p(token T) / d x_t|, the length of the gradient with respect to the embedding
  of an earlier token: all paths together, and so for a plain RNN as well (Bengio, Simard and
  Frasconi 1994 on why it vanishes there).

What a model does with more or less context is measured in `context.py`. Knows nothing of pages.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from lstm_lm.errors import UserError
from lstm_lm.insight.result import Result
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.trace import GateTrace
from lstm_lm.writing.evaluation import evaluation_mode

SMALLEST = 1e-30  # a forget gate is never quite 0; float32 may say so
WINDOW = 512  # steps looked back


def half_lives(trace: GateTrace) -> Array:
    """Every unit's half-life, steps: (layers, units) float32, inf where f is always 1.

    Raises:
        SignalError: the trace is of a plain RNN, which has no forget gates.
    """
    log_f = np.log(np.maximum(trace["forget_gate"], np.float32(SMALLEST)))
    mean = log_f.mean(axis=1, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return (np.log(0.5) / np.minimum(mean, -0.0)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class CellPath(Result):
    """What is left at one step of what each unit held at earlier ones, by its forget gates."""

    layer: int
    """From 0."""
    step: int
    """T, the step looked back from."""
    first: int
    """The earliest step t looked at; row 0 of the arrays."""
    kept: Array
    """(T - first + 1, units) float32, 0..1: the product of f_s over s = t+1..T; 1 at t = T."""
    median: Array
    """(T - first + 1,) float32: the middle unit's."""

    def longest(self) -> int:
        """The unit that kept most of what it held at the earliest step."""
        return int(self.kept[0].argmax())


def cell_path(trace: GateTrace, layer: int, step: int, *, window: int = WINDOW) -> CellPath:
    """The cell's own path from each earlier step to this one.

    Args:
        trace: of an LSTM.
        layer: from 0.
        step: T.
        window: how many steps to look back at most.

    Raises:
        UserError: there is no such layer or step.
        SignalError: the trace is of a plain RNN.
    """
    check_place(trace, layer, step)
    first = max(0, step - window)
    f = np.maximum(trace["forget_gate"][layer, first + 1 : step + 1], np.float32(SMALLEST))
    log_f = np.log(f.astype(np.float64))  # (T - first, units)
    after = np.cumsum(log_f[::-1], axis=0)[::-1]
    kept = np.exp(np.concatenate((after, np.zeros((1, trace.units))))).astype(np.float32)
    return CellPath(
        layer=layer,
        step=step,
        first=first,
        kept=kept,
        median=np.median(kept, axis=1).astype(np.float32),
    )


@dataclass(frozen=True, kw_only=True)
class Influence(Result):
    """How much each earlier token mattered for the probability of one token."""

    step: int
    """T, the step of the token that was predicted."""
    first: int
    """The earliest step t looked at; entry 0 of `size`."""
    log_prob: float
    """log p(token T), nats."""
    size: Array
    """(T - first,) float32: |d log p(token T) / d x_t| for t = first..T-1."""

    @property
    def share(self) -> Array:
        """(T - first,) the sizes as shares of their sum."""
        total = self.size.sum(dtype=np.float64)
        return (self.size / total if total > 0 else self.size).astype(np.float32)

    def reach(self) -> int:
        """How many tokens back half of the sum of all sizes is reached."""
        if not self.size.any():
            return 0
        return int(np.searchsorted(np.cumsum(self.share[::-1]), 0.5) + 1)

    def sentence(self) -> str:
        """How far back the prediction looked."""
        reach = self.reach()
        far = self.size[: max(0, len(self.size) - 20)]
        tail = f", and {self.share[: len(far)].sum():.1%} on those more than 20 back" if len(
            far
        ) else ""  # fmt: skip
        back = "the last token" if reach == 1 else f"the last {reach} tokens"
        return f"Half of the gradient of step {self.step} falls on {back}{tail}."


def influence(
    model: LanguageModel, token_ids: npt.NDArray[np.int64], step: int, *, window: int = WINDOW
) -> Influence:
    """How much each earlier token mattered for the probability of the token at `step`.

    Args:
        model: LSTM or plain RNN, any number of layers, float32 or float64.
        token_ids: (steps,) the text.
        step: T, from 1.
        window: how many tokens to look back at most; those before are read as they are.

    Raises:
        UserError: no token stands before that step, or the text is not that long.
    """
    if not 0 < step < len(token_ids):
        raise UserError(
            f"step {step} has no token before it or is no step of this text: "
            f"choose one of 1 to {len(token_ids) - 1}"
        )
    first = max(0, step - window)
    ids = torch.from_numpy(np.asarray(token_ids[: step + 1], dtype=np.int64))
    log_probs, sizes = _gradients(model, ids[None], first)
    return Influence(step=step, first=first, log_prob=float(log_probs[0]), size=sizes[:, 0])


@dataclass(frozen=True, kw_only=True)
class InfluenceByDistance(Result):
    """How the gradient fades with distance, averaged over many places of a text."""

    mean: Array
    """(distances,) float32: entry d - 1 is the mean size d tokens back."""
    standard_error: Array
    """(distances,) float32, of the mean, over the places."""
    sizes: Array
    """(distances, places) float32: each place's own."""

    @property
    def places(self) -> int:
        """Over how many places."""
        return self.sizes.shape[1]

    @property
    def relative(self) -> Array:
        """(distances,) the mean as a share of what it is one token back."""
        return self.mean / np.maximum(self.mean[0], np.float32(SMALLEST))

    def fades_to(self, share: float) -> int | None:
        """The distance from which the mean stays below this share; None: it does not fade so far.

        >>> sizes = np.array([[1], [1 / 4], [1 / 9]], np.float32)
        >>> fade = InfluenceByDistance(mean=sizes[:, 0], standard_error=sizes[:, 0], sizes=sizes)
        >>> fade.fades_to(0.3), fade.fades_to(0.01)
        (2, None)
        """
        return fades_to(self.relative, share)

    @property
    def middle(self) -> Array:
        """(distances,) of each place's sizes, as shares of its largest, the middle place's.

        A mean is that of the few places where a token far back mattered; this is the usual place.
        """
        largest = np.maximum(self.sizes.max(axis=0), np.float32(SMALLEST))
        return np.median(self.sizes / largest, axis=1).astype(np.float32)

    def beyond(self, distance: int) -> npt.NDArray[np.float64]:
        """(places,) the share of each place's sizes that falls on tokens further back than this.

        >>> sizes = np.array([[3, 1], [1, 1], [0, 2]], np.float32)
        >>> fade = InfluenceByDistance(mean=sizes[:, 0], standard_error=sizes[:, 0], sizes=sizes)
        >>> fade.beyond(1).tolist()
        [0.25, 0.75]
        """
        total = self.sizes.sum(axis=0, dtype=np.float64)
        far = self.sizes[distance:].sum(axis=0, dtype=np.float64)
        return far / np.maximum(total, SMALLEST)


def fades_to(curve: Array, share: float) -> int | None:
    """The distance, from 1, from which a curve stays below this; None: not within its length."""
    above = np.flatnonzero(curve >= share)
    last = int(above[-1]) + 1 if len(above) else 0
    return last + 1 if last < len(curve) else None


def influence_by_distance(
    model: LanguageModel,
    token_ids: npt.NDArray[np.int64],
    *,
    distances: int = 128,
    places: int = 64,
    warm_up: int = 64,
) -> InfluenceByDistance:
    """The gradient's size by distance, over places spread evenly over the text.

    Args:
        model: LSTM or plain RNN.
        token_ids: (steps,) the text, best one the model has not been trained on.
        distances: how many tokens to look back.
        places: number of targets.
        warm_up: tokens read before those, so that the state is an ordinary one.

    Raises:
        UserError: the text is shorter than warm_up + distances + 1 tokens.
    """
    length = warm_up + distances + 1
    if len(token_ids) < length:
        raise UserError(
            f"the text has {len(token_ids)} tokens, and {length} are needed to look "
            f"{distances} back: give a longer one"
        )
    starts = np.unique(np.linspace(0, len(token_ids) - length, places).astype(np.int64))
    rows = np.asarray(token_ids, dtype=np.int64)[starts[:, None] + np.arange(length)]
    _, sizes = _gradients(model, torch.from_numpy(rows), warm_up)  # (distances, places)
    backwards = sizes[::-1].astype(np.float64)
    spread = backwards.std(axis=1, ddof=1) if len(starts) > 1 else np.full(distances, np.nan)
    return InfluenceByDistance(
        mean=backwards.mean(axis=1).astype(np.float32),
        standard_error=(spread / np.sqrt(len(starts))).astype(np.float32),
        sizes=sizes[::-1],
    )


def _gradients(
    model: LanguageModel, rows: torch.Tensor, first: int
) -> tuple[npt.NDArray[np.float64], Array]:
    """Log p of each row's last token, and the gradient's size for its tokens from `first` on.

    Args:
        model: any.
        rows: (batch, steps + 1) int64.
        first: the first token whose gradient is wanted.

    Returns:
        (batch,) nats and (steps - first, batch).
    """
    weight = model.embedding.weight.detach()
    rows = rows.to(weight.device)
    x = weight[rows[:, :-1].t()]  # (T, B, E)
    zeros = weight.new_zeros(model.config.layers, len(rows), model.config.hidden_size)
    state = (zeros, zeros.clone()) if model.cell.has_cell_state else zeros
    with evaluation_mode(model):
        if first:
            with torch.no_grad():
                _, state = model.rnn(x[:first], state)
        with torch.enable_grad():
            x = x[first:].clone().requires_grad_()
            outputs, _ = model.rnn(x, state)
            logits = model.decoder(outputs[-1])  # (B, V)
            log_probs = logits.log_softmax(-1).gather(1, rows[:, -1:])[:, 0]
            (gradient,) = torch.autograd.grad(log_probs.sum(), x)
    return log_probs.detach().double().cpu().numpy(), gradient.norm(dim=-1).cpu().numpy()


def check_place(trace: GateTrace, layer: int, step: int = 0, unit: int = 0) -> None:
    """Refuse a layer, step or unit that the trace does not have.

    Raises:
        UserError: with the range to choose from.
    """
    for name, value, count in (
        ("layer", layer, trace.layers),
        ("step", step, trace.steps),
        ("unit", unit, trace.units),
    ):
        if not 0 <= value < count:
            raise UserError(f"there is no {name} {value}: choose one of 0 to {count - 1}")
