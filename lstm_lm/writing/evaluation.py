"""Loss of a model on a text, in two protocols that are never mixed up. Knows no optimizer.

*Stateful*: one pass over the text, the state carried from its first token to its last, which is
how an LSTM is used. *Cold windows*: windows of 256 tokens, each from the zero state, which is how
nanoGPT scores itself. Both in nats a token; divide by characters a token for nats a character.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lstm_lm.cells.cell import State
from lstm_lm.cells.interventions import Change, Plan
from lstm_lm.cells.network import Network
from lstm_lm.cells.scan import read_stretches
from lstm_lm.text.corpus import Ids

COLD_WINDOW = 256  # tokens, nanoGPT's block size
CHUNK = 512  # steps a call: bounds the memory of the logits
STREAMS = 32
WARM_UP = 1024  # tokens a stream reads unscored, so that its state is the carried one


def loss_of(model: Network, token_ids: Tensor, state: State) -> tuple[float, State]:
    """Total loss, nats, of predicting token_ids[:, 1:] from those before, and the state.

    Args:
        model: in evaluation mode.
        token_ids: (batch, steps + 1) int64.
        state: the state before the first token.
    """
    total = 0.0
    for start in range(0, token_ids.shape[1] - 1, CHUNK):
        block = token_ids[:, start : start + CHUNK + 1]
        logits, state = model(block[:, :-1], state)  # (T, B, V)
        targets = block[:, 1:].t()  # (T, B)
        total += functional.cross_entropy(
            logits.flatten(0, 1).float(), targets.reshape(-1), reduction="sum"
        ).item()
    return total, state


@torch.no_grad()
def stateful_loss(model: Network, tokens: Ids) -> float:
    """Nats a token over the whole text, in one pass from the zero state: the published figure."""
    with evaluation_mode(model):
        total, _ = loss_of(model, _tensor(model, tokens)[None], model.zero_state())
    return total / (len(tokens) - 1)


@torch.no_grad()
def quick_stateful_loss(model: Network, tokens: Ids) -> float:
    """The stateful loss, read in 32 streams side by side, which takes far fewer steps.

    Each stream first reads the 1,024 tokens before its own unscored, which brings its state to
    the carried one; a test holds the result to the single pass within 1e-4 nats. A text too short
    for that is read in one pass.
    """
    length = (len(tokens) - 1) // STREAMS
    if length < WARM_UP:
        return stateful_loss(model, tokens)
    data = _tensor(model, tokens)
    with evaluation_mode(model):
        starts = torch.arange(STREAMS, device=data.device) * length
        steps = torch.arange(-WARM_UP, length + 1, device=data.device)
        index = (starts[:, None] + steps).clamp(min=0)  # (streams, WARM_UP + length + 1)
        streams = data[index]
        _, (h, c) = model(streams[:, :WARM_UP], model.zero_state(STREAMS))
        # Stream 0 has no text before it: it starts where the text does, from the zero state.
        h[:, 0], c[:, 0] = 0.0, 0.0
        most, _ = loss_of(model, streams[:, WARM_UP:], (h, c))
        tail = _tail_loss(model, data, STREAMS * length)
    return (most + tail) / (len(tokens) - 1)


def _tail_loss(model: Network, data: Tensor, start: int) -> float:
    """Total loss, nats, of the predictions after token `start`, its state warmed up before."""
    _, state = model(data[None, start - WARM_UP : start], model.zero_state())
    total, _ = loss_of(model, data[None, start:], state)
    return total


@torch.no_grad()
def cold_window_loss(model: Network, tokens: Ids) -> float:
    """Nats a token over whole windows of 256 tokens, each from the zero state."""
    window = min(COLD_WINDOW, len(tokens) - 1)
    count = (len(tokens) - 1) // window
    data = _tensor(model, tokens)
    index = torch.arange(count, device=data.device)[:, None] * window
    total = 0.0
    with evaluation_mode(model):
        for rows in (index + torch.arange(window + 1, device=data.device)).split(256):
            loss, _ = loss_of(model, data[rows], model.zero_state(len(rows)))
            total += loss
    return total / (count * window)


def score(model: Network, text: str, interventions: Sequence[Change] = ()) -> float:
    """Total log-probability, nats, of every token of the text but the first, given those before.

    The model says nothing of a first token before it has read one, so a text of one token scores 0.

    Args:
        model: the model.
        text: the text.
        interventions: what is held or replaced while it is read (`interventions.py`).

    Raises:
        UnknownCharacterError: the tokenizer does not know a character.
        InterventionError: the model has no such layer, unit or signal.
    """
    token_ids = model.tokenizer.encode(text)
    if interventions:
        return _score_read(model, token_ids, Plan(interventions, model.config))
    if len(token_ids) < 2:
        return 0.0
    return -stateful_loss(model, token_ids) * (len(token_ids) - 1)


def effect(model: Network, text: str, interventions: Sequence[Change]) -> float:
    """The change in the text's log-probability, nats, that the interventions make.

    Below 0: with them the model finds the text less likely. The difference of two scores, both
    read in the same way, so that what changes nothing has an effect of (nearly) nothing.

    Raises:
        UnknownCharacterError, InterventionError: as `score`.
    """
    token_ids = model.tokenizer.encode(text)
    plan = Plan(interventions, model.config)
    return _score_read(model, token_ids, plan) - _score_read(model, token_ids, None)


def _score_read(model: Network, token_ids: Ids, plan: Plan | None) -> float:
    """The score by the reading that can be changed on its way; memory does not grow with it."""
    ids = np.asarray(token_ids).astype(np.int64)
    if len(ids) < 2:
        return 0.0
    stretches = read_stretches(model.engine, ids, plan=plan, longest=CHUNK)
    log_probs = np.concatenate([stretch.log_probs for stretch in stretches])
    return float(log_probs[1:].sum(dtype=np.float64))


def bits(nats: float) -> float:
    """Nats as bits.

    >>> round(bits(1.0), 4)
    1.4427
    """
    return nats / math.log(2)


def _tensor(model: Network, tokens: Ids) -> Tensor:
    device = model.decoder.weight.device
    return torch.from_numpy(np.asarray(tokens).astype(np.int64)).to(device)


@contextlib.contextmanager
def evaluation_mode(model: Network) -> Iterator[None]:
    """Within the block dropout is off; afterwards the model is as it was."""
    was_training = model.training
    if was_training:
        model.eval()
    try:
        yield
    finally:
        if was_training:
            model.train()
