"""A whole text through the cells, every signal of every step: layer by layer, not step by step.

What a layer does is the cell's (`lstm.py`, `gru.py`, `rnn.py`): the input projection of all steps
is one matrix product. What is held at a value comes in from `interventions.py`. Knows nothing of
text or of pages.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from lstm_lm.cells.cell import LayerHold, State
from lstm_lm.cells.interventions import Plan
from lstm_lm.cells.stepper import Array, Engine


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Some steps of a text, in which the same is held all the way."""

    start: int
    """Its first step."""
    layers: list[dict[str, Tensor]]
    """A layer each: signal -> (steps, units) float32."""
    log_probs: Array
    """(steps,) float32, nats: of each token given those before; nan where nothing was read."""
    state: State
    """(h, c) after its last step, each (layers, 1, units)."""


def read_stretches(
    engine: Engine,
    token_ids: npt.NDArray[np.int64],
    state: State | None = None,
    plan: Plan | None = None,
    longest: int | None = None,
    position: int = 0,
) -> Iterator[Stretch]:
    """Read a text stretch by stretch, carrying the state: in one, unless something changes.

    Args:
        engine: the weights.
        token_ids: the text, (steps,): at least one.
        state: (h, c) before the first token, each (layers, 1, units); None: zero, nothing read.
        plan: what is held or replaced on the way.
        longest: steps of a stretch at most, where memory matters; None: as they come.
        position: of the first token in the whole text, which the plan speaks of.
    """
    steps = len(token_ids)
    cuts = {0, steps} | set(range(0, steps, longest or steps))
    if plan:
        cuts |= {cut - position for cut in plan.boundaries if 0 < cut - position < steps}
    bounds = sorted(cuts)
    for start, stop in itertools.pairwise(bounds):
        if plan and plan.changes_state(position + start):
            state = plan.changed_state(position + start, state or _zero_state(engine))
        held = plan.held(position + start) if plan else None
        stretch = _read(engine, start, torch.from_numpy(token_ids[start:stop]), state, held)
        state = stretch.state
        yield stretch


def _zero_state(engine: Engine) -> State:
    zeros = torch.zeros(engine.config.layers, 1, engine.config.hidden_size)
    return zeros, zeros.clone()


@torch.no_grad()
def _read(
    engine: Engine,
    start: int,
    ids: Tensor,
    state: State | None,
    held: list[LayerHold | None] | None,
) -> Stretch:
    config = engine.config
    h0, c0 = (
        part.detach().float().cpu().reshape(config.layers, config.hidden_size)
        for part in (state or _zero_state(engine))
    )
    inputs = engine.embedding[ids]  # (T, E)
    layers: list[dict[str, Tensor]] = []
    for layer, weights in enumerate(engine.layers):
        hold = None if held is None else held[layer]
        layers.append(engine.cell.scan(weights, inputs, h0[layer], c0[layer], hold))
        inputs = layers[-1]["hidden_state"]  # (T, H)
    last_h = torch.stack([signals["hidden_state"][-1] for signals in layers])
    last_c = c0
    if engine.cell.has_cell_state:
        last_c = torch.stack([signals["cell_state"][-1] for signals in layers])
    return Stretch(
        start=start,
        layers=layers,
        log_probs=_log_probs(engine, inputs, ids, None if state is None else h0[-1]),
        state=(last_h[:, None], last_c[:, None].clone()),
    )


def _log_probs(engine: Engine, outputs: Tensor, ids: Tensor, before: Tensor | None) -> Array:
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
