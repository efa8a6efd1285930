"""Telling labelled texts apart by a linear probe on hidden states, and how far to trust it.

A linear probe (Alain and Bengio 2017) asks what a layer *knows*: ridge regression, in closed form,
from the mean hidden state of each example to its label (one number a label, the largest wins). Its
accuracy is that of cross-validation: each example is told by a probe that never saw it. Beside it
stand the chance level, the share of the commonest label, and the same cross-validation with the
labels shuffled among the examples many times. Knows nothing of models, which are read in
`probe_features.py`, or of pages.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_lm.errors import UserError
from lstm_lm.insight.result import Result

Floats = npt.NDArray[np.float64]

FOLDS = 5
SHUFFLES = 199  # the smallest odds that can be shown are 1 in 200
FEWEST = 3  # examples a label
ACCEPTED_ODDS = 0.05


def _percent(share: float) -> str:
    """A share as browsers round it: a half goes up.

    >>> _percent(0.625)
    '63%'
    """
    return f"{math.floor(100 * share + 0.5)}%" if math.isfinite(share) else "unknown"


@dataclass(frozen=True, kw_only=True)
class Probe(Result):
    """A trained probe, and how well such probes tell examples they have not seen."""

    labels: tuple[str, ...]
    """What is told apart, sorted."""
    accuracy: float
    """Cross-validated, 0..1."""
    chance: float
    """The share of the commonest label: what always saying it would give."""
    shuffled: float
    """What 95 of 100 shufflings of the labels stay at or below, cross-validated in the same way."""
    odds: float
    """How often shuffled labels are told as well: the false-alarm odds."""
    examples: int
    """How many there were."""
    told: tuple[str, ...]
    """The label that each example was told as by a probe that had not seen it."""
    weights: Floats
    """(labels, units) of the probe trained on all examples, for standardised hidden states."""
    bias: Floats
    """(labels,)."""
    mean: Floats
    """(units,) subtracted from a hidden state first."""
    spread: Floats
    """(units,) it is divided by then."""

    @property
    def stands_out(self) -> bool:
        """Whether the labels are told better than shuffled ones."""
        return self.odds <= ACCEPTED_ODDS and self.accuracy > self.chance

    @property
    def standard_error(self) -> float:
        """How well the accuracy is known, 0..1: its binomial standard error over the examples."""
        return float(np.sqrt(self.accuracy * (1 - self.accuracy) / self.examples))

    def sentence(self) -> str:
        """How well it tells, with its controls."""
        names, texts = " from ".join(self.labels), f"of {self.examples} texts"
        told = (
            f"tells {names} for {_percent(self.accuracy)} {texts}"
            if self.stands_out
            else f"does not tell {names} better than chance, for {_percent(self.accuracy)} {texts}"
        )
        return (
            f"A linear probe on the hidden state {told} that it has not seen; always saying the "
            f"commonest gives {_percent(self.chance)}, shuffled labels up to "
            f"{_percent(self.shuffled)}."
        )

    def scores(self, features: npt.NDArray[Any]) -> Floats:
        """How much each label is favoured, (examples, labels); the largest is told.

        Args:
            features: (examples, units) from `probe_features.mean_hidden_states`.
        """
        return ((features - self.mean) / self.spread) @ self.weights.T + self.bias

    def tell(self, features: npt.NDArray[Any]) -> list[str]:
        """The label of each example."""
        return [self.labels[number] for number in self.scores(features).argmax(axis=1).tolist()]

    def telling_units(self, keep: int = 8) -> list[int]:
        """The units that differ most in weight between the labels, largest first."""
        differ = self.weights.max(axis=0) - self.weights.min(axis=0)
        return np.argsort(-differ, kind="stable")[:keep].tolist()


def train_probe(
    features: npt.NDArray[Any],
    labels: Sequence[str],
    *,
    folds: int = FOLDS,
    shuffles: int = SHUFFLES,
    seed: int = 1,
) -> Probe:
    """A probe for these labels, with its cross-validated accuracy and its controls.

    Args:
        features: (examples, units).
        labels: one an example.
        folds: of the cross-validation; every label is spread over all folds.
        shuffles: how often the labels are shuffled for the control.
        seed: of the folds and of the shuffling.

    Raises:
        UserError: there is one label only, or a label with fewer than three examples.
    """
    names = tuple(sorted(set(labels)))
    counts = {name: sum(label == name for label in labels) for name in names}
    if len(names) < 2:
        raise UserError(
            f"all {len(labels)} examples have the same label: give examples of at least two"
        )
    rarest = min(names, key=lambda name: counts[name])
    if counts[rarest] < FEWEST:
        raise UserError(
            f"{rarest} has {counts[rarest]} examples: give at least {FEWEST} for each label"
        )
    random = np.random.default_rng(seed)
    numbers = np.array([names.index(label) for label in labels])  # (n,)
    fold = _folds(numbers, min(folds, counts[rarest]), random)
    # The right labels, then shuffled ones; the fold of an example stays, its label moves.
    orders = [np.arange(len(numbers)), *(_shuffled(fold, random) for _ in range(shuffles))]
    truth = np.stack([numbers[order] for order in orders])  # (1 + shuffles, n)
    told = _cross_validated(np.asarray(features, dtype=np.float64), truth, fold, len(names))
    accuracy = (told == truth).mean(axis=1)
    weights, bias, mean, spread = _trained(np.asarray(features, np.float64), numbers, len(names))
    control = accuracy[1:]
    return Probe(
        labels=names,
        accuracy=float(accuracy[0]),
        chance=max(counts.values()) / len(labels),
        shuffled=float(np.quantile(control, 0.95, method="higher")) if shuffles else float("nan"),
        odds=float((1 + (control >= accuracy[0]).sum()) / (1 + shuffles)),
        examples=len(labels),
        told=tuple(names[number] for number in told[0].tolist()),
        weights=weights,
        bias=bias,
        mean=mean,
        spread=spread,
    )


def _folds(
    numbers: npt.NDArray[np.int64], folds: int, random: np.random.Generator
) -> npt.NDArray[np.int64]:
    """The fold of each example, each label spread evenly over them."""
    fold = np.empty(len(numbers), dtype=np.int64)
    for number in np.unique(numbers):
        where = random.permutation(np.flatnonzero(numbers == number))
        fold[where] = np.arange(len(where)) % folds
    return fold


def _shuffled(fold: npt.NDArray[np.int64], random: np.random.Generator) -> npt.NDArray[np.int64]:
    """The examples in another order, each within its fold.

    Across folds the labels would no longer be spread evenly: where a fold holds many of one label
    the rest favours the other, and shuffled labels would be told worse than by chance.
    """
    order = np.arange(len(fold))
    for number in np.unique(fold):
        where = np.flatnonzero(fold == number)
        order[where] = random.permutation(where)
    return order


def _cross_validated(
    features: Floats, truth: npt.NDArray[np.int64], fold: npt.NDArray[np.int64], labels: int
) -> npt.NDArray[np.int64]:
    """What each example is told as, (labellings, n), by probes trained on the other folds."""
    told = np.empty_like(truth)
    for number in np.unique(fold):
        held, kept = fold == number, fold != number
        mean, spread = _scale(features[kept])
        train, test = (features[kept] - mean) / spread, (features[held] - mean) / spread
        # Ridge in its dual form: what is told is linear in the labels, so that all labellings
        # share one solution.
        weights = test @ train.T @ np.linalg.inv(train @ train.T + _ridge(train))
        targets = np.eye(labels)[truth[:, kept]]  # (labellings, kept, labels)
        base = targets.mean(axis=1, keepdims=True)
        told[:, held] = (weights @ (targets - base) + base).argmax(axis=2)
    return told


def _trained(
    features: Floats, numbers: npt.NDArray[np.int64], labels: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """Weights, bias, mean and spread of the probe of all examples."""
    mean, spread = _scale(features)
    scaled = (features - mean) / spread
    targets = np.eye(labels)[numbers]
    base = targets.mean(axis=0)
    dual = np.linalg.solve(scaled @ scaled.T + _ridge(scaled), targets - base)
    return (scaled.T @ dual).T, base, mean, spread


def _scale(features: Floats) -> tuple[Floats, Floats]:
    spread = features.std(axis=0)
    return features.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)


def _ridge(scaled: Floats) -> Floats:
    """The penalty: the mean squared length of the examples."""
    return np.eye(len(scaled)) * max(float((scaled**2).sum()) / len(scaled), 1e-9)
