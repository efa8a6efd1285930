"""How far two right computations of one number may lie apart: derived here, never read off a run.

A kernel adds up in its own order, with or without fused operations, in as many threads as it likes.
What it may get wrong follows from the precision and from what is added up
(`lstm_lm/cells/rounding.py`, after Higham 2002 and Higham and Mary 2019), so every tolerance of a
float32 or half computation is made here, from

- the unit roundoff of the precision,
- the terms of a sum: what a unit reads (inputs, units, two biases),
- the magnitude of the operands: the largest sum of their sizes that the weights allow,
- how far a recurrence carries an error: CARRIED,

and holds on every processor, in every order of summation. Bit for bit is claimed only within one
machine and one setting, and then without a tolerance.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from lstm_lm.cells.rounding import ACTIVATION, DEVIATIONS, UNIT_ROUNDOFF
from lstm_lm.insight.linear_probe import Probe
from lstm_lm.language_model import LanguageModel

CARRIED = 15.0
"""The root of the sum of squares of all that one state owes to unit errors in earlier sums.

An LSTM's error at one step reaches the next through the forget gate (below 1) and through W_h and
the slopes of sigmoid (at most 1/4) and tanh (at most 1): where these shrink it more than the sums
spread it, what was wrong long ago is forgotten, and the total stays bounded however long the text.
That they do so in the models of the tests is a property of their weights, not of a machine, and
`test_tolerance.py` computes it from the equations in float64. Rounding errors of different sums are
independent, so that their squares add up.
"""


def assert_near(ours: object, theirs: object, within: float) -> None:
    """Raise unless both have one shape and no element differs by more; nan is nan."""
    first, second = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    np.testing.assert_allclose(first, second, rtol=0, atol=within, strict=True)


def one_sum(terms: int, magnitude: float, dtype: torch.dtype = torch.float32) -> float:
    """Of a sum of products: DEVIATIONS standard deviations, or what is certain if that is less.

    Rounding k of n is even within u times the partial sum, which has k of n parts of the magnitude
    at most: its variance is a third of that squared, and the mean of (k/n)**2 is a third again. So
    the standard deviation of all n together is at most u * magnitude * sqrt(n) / 3.

    Args:
        terms: products and biases added up.
        magnitude: the largest sum of their absolute values.
        dtype: what the sum is written down in; products of halves are added up in float32, and
            five results on the way (two products, three additions) are rounded to halves.
    """
    u = UNIT_ROUNDOFF[torch.float32]
    if UNIT_ROUNDOFF[dtype] <= u:
        u = UNIT_ROUNDOFF[dtype]
        return min(terms, DEVIATIONS * math.sqrt(terms) / 3) * u * magnitude
    return one_sum(terms, magnitude) + 5 * UNIT_ROUNDOFF[dtype] * magnitude


def one_step(rnn: nn.Module, inputs: Tensor) -> float:
    """Of gates and states after one step from the same state: a sum and its activation.

    Args:
        rnn: a torch.nn.LSTM or RNN.
        inputs: rows of what its first layer reads, (n, E).
    """
    return _local(rnn, inputs, torch.float32)


def carried(rnn: nn.Module, inputs: Tensor, dtype: torch.dtype = torch.float32) -> float:
    """Of gates and states after any number of steps and layers, for states of ordinary size."""
    return CARRIED * _local(rnn, inputs, dtype)


def _local(rnn: nn.Module, inputs: Tensor, dtype: torch.dtype) -> float:
    terms, magnitude = _largest_sum(rnn, inputs)
    return one_sum(terms, magnitude, dtype) + ACTIVATION * UNIT_ROUNDOFF[dtype]


def states(model: LanguageModel) -> float:
    """Of any signal of this language model, or of its state, after any text."""
    return carried(model.rnn, model.embedding.weight)


def logits(model: LanguageModel) -> float:
    """Of its logits: what the decoder makes of the last layer's error, and its own sum."""
    sizes = model.decoder.weight.detach().abs().sum(1)
    bias = model.decoder.bias.detach().abs()
    own = one_sum(model.config.hidden_size + 1, float((sizes + bias).max()))
    # Errors of different units are independent too.
    decoded = float(model.decoder.weight.detach().square().sum(1).sqrt().max())
    return own + states(model) * decoded


def log_probs(model: LanguageModel) -> float:
    """Of a token's log-probability, nats: a logit less the logarithm of a mean of exponentials.

    Each is off by the error of a logit at most. A mean that is off by a fraction moves its
    logarithm by as much; and what is so written down is rounded.
    """
    V = model.config.vocab_size
    size = math.log(V) + 2 * _largest_logit(model)
    return 2 * logits(model) + one_sum(V, 1.0) + ACTIVATION * UNIT_ROUNDOFF[torch.float32] * size


def score(model: LanguageModel, tokens: int) -> float:
    """Of the log-probability of a text of so many tokens, added up in float32, nats."""
    size = math.log(model.config.vocab_size) + 2 * _largest_logit(model)
    return tokens * log_probs(model) + one_sum(tokens, tokens * size)


def gradients(model: LanguageModel) -> float:
    """Relative, of a log-probability's gradient by what was read earlier.

    It is a product of slopes, each of which is off by what its sum is off (the slopes of sigmoid
    and tanh change no faster than these themselves), so its relative error is that of the states.
    """
    return 2 * states(model)


def probe(model: LanguageModel, trained: Probe) -> float:
    """Of a linear probe's scores: what it makes of hidden states that are off."""
    return states(model) * float((np.abs(trained.weights) / trained.spread).sum(axis=1).max())


def _largest_logit(model: LanguageModel) -> float:
    sizes = model.decoder.weight.detach().abs().sum(1) + model.decoder.bias.detach().abs()
    return float(sizes.max())


def _largest_sum(rnn: nn.Module, inputs: Tensor) -> tuple[int, float]:
    """Terms and magnitude of the widest sum of any layer and direction, hidden states being 1."""
    weights = {name: weight.detach().abs().double() for name, weight in rnn.named_parameters()}
    terms, magnitude = 0, 0.0
    for name, W_ih in weights.items():
        if not name.startswith("weight_ih"):
            continue
        W_hh = weights[name.replace("_ih_", "_hh_")]
        if "_l0" in name:
            read = (inputs.detach().abs().double().reshape(-1, W_ih.shape[1]) @ W_ih.t()).amax(0)
        else:
            read = W_ih.sum(1)
        total = read + W_hh.sum(1)
        for bias in ("bias_ih", "bias_hh"):
            total = total + weights.get(name.replace("weight_ih", bias), torch.zeros(len(total)))
        terms = max(terms, W_ih.shape[1] + W_hh.shape[1] + 2)
        magnitude = max(magnitude, float(total.max()))
    return terms, magnitude
