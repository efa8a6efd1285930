"""Logits -> the next token: temperature, top-k, top-p, min-p, and a seed. Knows no model.

The random number of a step depends on the seed and on the step's position alone, so that two
texts written with the same seed can be compared token by token, and writing can be taken up
anywhere.
"""

import numpy as np
import numpy.typing as npt

from lstm_lm.config import SamplingConfig

Floats = npt.NDArray[np.float64]


def log_probabilities(logits: npt.NDArray[np.floating]) -> Floats:
    """Natural log of the whole distribution, before temperature: (V,) float64."""
    shifted = logits.astype(np.float64) - float(logits.max())
    return shifted - np.log(np.exp(shifted).sum())


def next_token_probabilities(logits: npt.NDArray[np.floating], sampling: SamplingConfig) -> Floats:
    """The distribution that the next token is drawn from: (V,) float64, sums to 1.

    Temperature 0 puts everything on the likeliest token (the first of equals).
    """
    if sampling.temperature == 0:
        chosen = np.zeros(len(logits))
        chosen[int(np.argmax(logits))] = 1.0
        return chosen
    with np.errstate(over="ignore"):  # near temperature 0 all but the likeliest go to -inf
        scaled = (logits.astype(np.float64) - float(logits.max())) / sampling.temperature
    p = np.exp(log_probabilities(scaled))
    keep = kept_tokens(p, sampling)
    p = np.where(keep, p, 0.0)
    return p / p.sum()


def kept_tokens(p: Floats, sampling: SamplingConfig) -> npt.NDArray[np.bool_]:
    """Which tokens top-k, then top-p, then min-p leave: (V,) bool; the likeliest always stays."""
    order = np.argsort(-p, kind="stable")  # likeliest first, equals by id
    count = len(p)
    if sampling.top_k:
        count = min(count, sampling.top_k)
    if sampling.top_p is not None and sampling.top_p < 1:
        within = np.cumsum(p[order[:count]]) / p[order[:count]].sum()
        count = min(count, int(np.searchsorted(within, sampling.top_p)) + 1)
    if sampling.min_p:
        enough = p[order[:count]] >= sampling.min_p * p[order[0]]
        count = int(enough.sum())
    keep = np.zeros(len(p), dtype=bool)
    keep[order[: max(1, count)]] = True
    return keep


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
    p = next_token_probabilities(logits, sampling)
    return draw(p, uniform(sampling.seed, position))
