"""Logits -> the next token: temperature, top-k, top-p, min-p, and a seed. Knows no model.

A `Ladder` holds every rung between the two, and is what tokens are drawn from: what it shows is
what was done. The random number of a step depends on the seed and on the step's position alone,
so that two texts written with the same seed can be compared token by token, and writing can be
taken up anywhere.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_lm.config import SamplingConfig

Floats = npt.NDArray[np.float64]
Kept = npt.NDArray[np.bool_]


def log_probabilities(logits: npt.NDArray[np.floating]) -> Floats:
    """Natural log of the whole distribution, before temperature: (V,) float64."""
    shifted = logits.astype(np.float64) - float(logits.max())
    return shifted - np.log(np.exp(shifted).sum())


@dataclass(frozen=True, kw_only=True, eq=False)
class Ladder:
    """From logits to the probabilities that the next token is drawn from, rung by rung.

    Every array is (V,), by token id.
    """

    logits: Floats
    """What the decoder gave, float64."""
    log_probs: Floats
    """Natural log of the model's own distribution: before temperature, nothing left out."""
    scaled: Floats
    """(logit - largest logit) / temperature: 0 for the likeliest, -inf where that is too far.

    At temperature 0, the limit: the first of the likeliest alone stays at 0."""
    tempered: Floats
    """Softmax of `scaled`: the distribution after temperature, sums to 1."""
    order: npt.NDArray[np.int64]
    """Token ids, the likeliest first, equals by id: each rung keeps a beginning of this."""
    left_by_top_k: int
    """How many tokens top-k leaves."""
    left_by_top_p: int
    """How many of those top-p leaves."""
    left_by_min_p: int
    """How many of those min-p leaves: these can be drawn."""
    probabilities: Floats
    """What the token is drawn from, sums to 1; 0 for what was left out."""

    @property
    def after_top_k(self) -> Kept:
        """Which tokens top-k leaves."""
        return self._first(self.left_by_top_k)

    @property
    def after_top_p(self) -> Kept:
        """Which tokens top-k and top-p leave."""
        return self._first(self.left_by_top_p)

    @property
    def after_min_p(self) -> Kept:
        """Which tokens top-k, top-p and min-p leave: those that can be drawn."""
        return self._first(self.left_by_min_p)

    @property
    def entropy(self) -> float:
        """Of the model's own distribution, bits: how open the next token is to the model."""
        return entropy_bits(np.exp(self.log_probs))

    @property
    def drawn_entropy(self) -> float:
        """Of what the token is drawn from, bits: after temperature and all that was left out."""
        return entropy_bits(self.probabilities)

    def surprise(self, token_id: int) -> float:
        """-log2 of the model's own probability of this token, bits."""
        return -float(self.log_probs[token_id]) / math.log(2)

    def draw(self, seed: int, position: int) -> int:
        """The token at `position` of a text written with this seed."""
        return draw(self.probabilities, uniform(seed, position))

    def _first(self, count: int) -> Kept:
        keep = np.zeros(len(self.order), dtype=bool)
        keep[self.order[:count]] = True
        return keep


def ladder(logits: npt.NDArray[np.floating], sampling: SamplingConfig) -> Ladder:
    """Every rung from the logits (V,) to the probabilities that the next token is drawn from.

    Temperature 0 puts everything on the likeliest token (the first of equals).

    >>> rungs = ladder(np.log([0.5, 0.25, 0.25]), SamplingConfig(temperature=1.0, top_k=2))
    >>> rungs.probabilities.round(4).tolist(), rungs.entropy, rungs.surprise(1)
    ([0.6667, 0.3333, 0.0], 1.5, 2.0)
    """
    if sampling.temperature == 0:
        scaled = np.full(len(logits), -np.inf)
        scaled[int(np.argmax(logits))] = 0.0
    else:
        with np.errstate(over="ignore"):  # near temperature 0 all but the likeliest go to -inf
            scaled = (logits.astype(np.float64) - float(logits.max())) / sampling.temperature
    p = np.exp(log_probabilities(scaled))
    order, left_by_top_k, left_by_top_p, left_by_min_p = _left(p, sampling)
    kept = np.zeros(len(p))
    kept[order[:left_by_min_p]] = p[order[:left_by_min_p]]
    return Ladder(
        logits=logits.astype(np.float64),
        log_probs=log_probabilities(logits),
        scaled=scaled,
        tempered=p,
        order=order,
        left_by_top_k=left_by_top_k,
        left_by_top_p=left_by_top_p,
        left_by_min_p=left_by_min_p,
        probabilities=kept / kept.sum(),
    )


def _left(p: Floats, sampling: SamplingConfig) -> tuple[npt.NDArray[np.int64], int, int, int]:
    """The tokens, likeliest first, and how many of them top-k, top-p and min-p leave: never 0."""
    order = np.argsort(-p, kind="stable")  # equals by id
    by_top_k = min(len(p), sampling.top_k) if sampling.top_k else len(p)
    by_top_p = by_top_k
    if sampling.top_p is not None and sampling.top_p < 1:
        within = np.cumsum(p[order[:by_top_k]]) / p[order[:by_top_k]].sum()
        by_top_p = min(by_top_k, int(np.searchsorted(within, sampling.top_p)) + 1)
    by_min_p = by_top_p
    if sampling.min_p:
        by_min_p = int((p[order[:by_top_p]] >= sampling.min_p * p[order[0]]).sum())
    return order, by_top_k, by_top_p, by_min_p


def next_token_probabilities(logits: npt.NDArray[np.floating], sampling: SamplingConfig) -> Floats:
    """The distribution that the next token is drawn from: (V,) float64, sums to 1."""
    return ladder(logits, sampling).probabilities


def entropy_bits(p: Floats) -> float:
    """Entropy of a distribution, bits.

    >>> entropy_bits(np.array([0.5, 0.5, 0.0]))
    1.0
    """
    some = p[p > 0]
    return float(-(some * np.log2(some)).sum()) + 0.0  # + 0.0: never -0.0


def uniform(seed: int, position: int) -> float:
    """The random number, in [0, 1), of the step that writes the token at `position`."""
    return float(np.random.default_rng((seed, position)).random())


def draw(p: Floats, u: float) -> int:
    """The token whose share of the cumulated distribution holds `u`.

    >>> draw(np.array([0.5, 0.0, 0.5]), 0.6)
    2
    """
    cumulated = np.cumsum(p)
    token = int(np.searchsorted(cumulated, u * cumulated[-1], side="right"))
    return min(token, int(np.flatnonzero(p)[-1]))


def sample(logits: npt.NDArray[np.floating], sampling: SamplingConfig, position: int) -> int:
    """The token at `position`, drawn from the logits (V,)."""
    return ladder(logits, sampling).draw(sampling.seed, position)
