"""What a linear probe is given: mean hidden states of texts, and of what its score is made.

The probe is `linear_probe.py`. Its score is linear in the hidden state, so the score of a text is
the mean of what each token's own hidden state scores: one sees where a text speaks for whom. As a
control there are the shares of the tokens, which any model of the same tokenizer sees alike. Knows
nothing of pages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_lm.errors import UserError
from lstm_lm.insight.linear_probe import Floats, Probe
from lstm_lm.insight.result import Result
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import TokenIds
from lstm_lm.writing.evaluation import evaluation_mode

BATCH = 32  # texts read at once


@dataclass(frozen=True, kw_only=True)
class ScoresAlong(Result):
    """How a probe's score comes about over a text."""

    tokens: tuple[str, ...]
    each: Floats
    """(steps, labels): what the hidden state after each token scores by itself."""
    so_far: Floats
    """(steps, labels): the score of the text up to each token; the last is that of the whole."""


def mean_hidden_states(
    model: LanguageModel, texts: Sequence[str], layer: int | None = None
) -> Floats:
    """The mean hidden state over each text, each read from the zero state.

    Args:
        model: that reads.
        texts: each of at least one token.
        layer: from 0; None: the last.

    Returns:
        (texts, units) float64.

    Raises:
        UserError: a text is empty or holds a character that the model does not know.
    """
    return hidden_means(model, texts)[-1 if layer is None else layer]


@torch.no_grad()
def hidden_means(model: LanguageModel, texts: Sequence[str]) -> Floats:
    """As `mean_hidden_states`, of every layer: (layers, texts, units) float64."""
    encoded = _encoded(model, texts)
    config = model.config
    means = np.empty((config.layers, len(texts), config.hidden_size))
    # Texts of like length together: what is shorter is padded, and its padding is read in vain.
    order = sorted(range(len(texts)), key=lambda number: len(encoded[number]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        lengths = torch.tensor([len(encoded[number]) for number in batch])
        ids = torch.zeros(len(batch), int(lengths.max()), dtype=torch.int64)
        for row, number in enumerate(batch):
            ids[row, : len(encoded[number])] = torch.from_numpy(encoded[number])
        inside = (torch.arange(ids.shape[1])[:, None] < lengths).double()  # (T, B)
        for layer, hidden in enumerate(_hidden_states(model, ids)):
            total = torch.einsum("tbh,tb->bh", hidden.double().cpu(), inside)
            means[layer, batch] = (total / lengths[:, None]).numpy()
    return means


def token_shares(model: LanguageModel, texts: Sequence[str]) -> Floats:
    """How often each token stands in each text, (texts, V), each row adding up to 1.

    The control of a probe: what there is to tell without any memory of what stood before.

    Raises:
        UserError: as `mean_hidden_states`.
    """
    size = model.tokenizer.vocab_size
    return np.stack([np.bincount(ids, minlength=size) / len(ids) for ids in _encoded(model, texts)])


@torch.no_grad()
def scores_along(
    model: LanguageModel, probe: Probe, text: str, layer: int | None = None
) -> ScoresAlong:
    """The probe's score over a text, token by token.

    Args:
        model: that reads, from the zero state.
        probe: trained on the mean hidden states of this model and layer.
        text: at least one token.
        layer: from 0; None: the last.

    Raises:
        UserError: as `mean_hidden_states`.
    """
    [token_ids] = _encoded(model, [text])
    hidden = list(_hidden_states(model, torch.from_numpy(token_ids)[None]))
    each = probe.scores(hidden[-1 if layer is None else layer][:, 0].double().cpu().numpy())
    return ScoresAlong(
        tokens=tuple(model.tokenizer.token(number) for number in token_ids.tolist()),
        each=each,
        so_far=each.cumsum(axis=0) / np.arange(1, len(each) + 1)[:, None],
    )


def _encoded(model: LanguageModel, texts: Sequence[str]) -> list[TokenIds]:
    encoded = [model.tokenizer.encode(text) for text in texts]
    if not all(map(len, encoded)):
        raise UserError("an example is empty: give at least one character in each")
    return encoded


def _hidden_states(model: LanguageModel, ids: Tensor) -> Iterator[Tensor]:
    """Each layer's hidden states, (steps, batch, units), by the fused pass a layer at a time.

    Args:
        model: that reads, from the zero state.
        ids: (batch, steps) int64.
    """
    with evaluation_mode(model):
        x = model.embedding(ids.t().to(model.decoder.weight.device))  # (T, B, E)
        for of_layer in model.rnn.all_weights:
            weights: list[Tensor] = list(of_layer)
            zeros = x.new_zeros(1, x.shape[1], model.config.hidden_size)
            how = (True, 1, 0.0, False, False, False)
            x, _ = model.cell.fused(x, (zeros, zeros), weights, how)
            yield x
