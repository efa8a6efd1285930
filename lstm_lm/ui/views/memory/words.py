"""The Memory view's sentences, with their numbers. Knows nothing of models or of pictures."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from lstm_lm.cells.kinds import CELLS
from lstm_lm.insight.memory import SMALLEST, Influence, InfluenceByDistance, fades_to
from lstm_lm.insight.scores import by_chance

THOUSANDTH = 0.001  # the share of the largest below which the gradient has faded
NEAR = 20  # tokens back that are near to a single step
UNLIKELY = 0.01  # odds of chance above which no difference is said to stand out
NO_GRADIENT = "The gradient here is nought or not finite, so that nothing can be compared."
NEEDS_A_TEXT = (
    "The model wrote this text itself, so its loss on it would flatter it. Paste a text that it "
    "has not read in training, of 150 to 600 tokens, to see how much context is worth having."
)
About = dict[str, Any]
"""name, cell and kind of a model."""


def named(about: About) -> str:
    """A model by its name and its kind.

    >>> named({"name": "verse", "kind": "LSTM"})
    'verse (LSTM)'
    """
    return f"{about['name']} ({about['kind']})"


def source(chosen: str, tokens: int, *, own: bool) -> str:
    """Whose text it is."""
    return f"Your text: {tokens} tokens." if own else f"{chosen} wrote this text: {tokens} tokens."


def no_gates(about: About) -> str:
    """That the model has none of the gates that are counted here."""
    if about["cell"] == "rnn":
        return "A plain RNN has no gates to look at."
    return f"{about['name']} is a {about['kind']}: the gates counted here are an LSTM's."


def alone(about: About) -> str:
    """That there is nothing to compare a model with."""
    other = CELLS["lstm" if about["cell"] == "rnn" else "rnn"].label
    return (
        f"This page has no {other} with the same tokens to set beside {about['name']}, so it is "
        "shown alone."
    )


def too_short(tokens: int) -> str:
    """That gradients cannot be averaged over places of a text."""
    return f"For this the text is too short: it takes {tokens} tokens."


def context_refused(error: Exception) -> str:
    """An error as a sentence."""
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


def context_told(targets: int) -> str:
    """What the losses by context are of."""
    return (
        f"On {targets} tokens of your text, each predicted from nothing but the tokens allowed. "
        "If the model read this text in training, its losses are too low."
    )


def reaching(found: Influence) -> str:
    """On which tokens the gradient of one token falls."""
    back = found.reach()
    if not back:
        return "It has no gradient that could be measured."
    last = "the last token" if back == 1 else f"the last {back} tokens"
    sentence = f"Half of it falls on {last}"
    far = len(found.size) - NEAR
    if far <= 0:
        return f"{sentence}."
    return f"{sentence}, {_share(float(found.share[:far].sum()))} on those more than {NEAR} back."


def fading(found: Sequence[tuple[About, InfluenceByDistance]], far: int) -> tuple[str, str]:
    """How much of the gradient reaches further back than `far`, and what that rests on.

    Args:
        found: a model or two, an LSTM first.
        far: tokens back.

    Returns:
        The finding, which says so where no difference stands out, and the evidence.
    """
    shares = [fade.beyond(far) for _, fade in found]
    medians = [float(np.median(share)) for share in shares]
    names = [named(about) for about, _ in found]
    kinds = [about["kind"] for about, _ in found]
    falls = f"of the gradient falls on tokens more than {far} back"
    places = f"The middle of {len(shares[0])} places of this text"
    reach = "; ".join(f"{about['kind']}: {_reach(fade)}" for about, fade in found)
    rest = f"The gradient of a token’s log-probability with respect to those read before. {reach}."
    if len(found) < 2:
        return f"In {names[0]} {_share(medians[0])} {falls}.", f"{places}. {rest}"
    larger = [int((one > other).sum()) for one, other in (shares, shares[::-1])]
    more = int(larger[1] > larger[0])  # which of the two reaches further
    less = 1 - more
    odds = by_chance(larger[more], sum(larger))
    counted = f"{places}; the {kinds[more]}’s share is the larger at {larger[more]} of them"
    both = (
        f"n {names[more]} {_share(medians[more])} {falls}, in {names[less]} {_share(medians[less])}"
    )
    if odds > UNLIKELY or medians[more] <= medians[less]:
        told = f"{counted}, which chance would do too often."
        return f"No difference stands out: i{both}.", f"{told} {rest}"
    times = medians[more] / max(medians[less], SMALLEST)
    how_much = f"{times:,.0f}" if times >= 9.5 else f"{times:.1f}"
    rarely = float(f"{min(1 / odds, 10**6):.2g}")
    by_luck = f"this would happen by chance once in {rarely:,.0f} times"
    told = f"{counted}: were the places independent, {by_luck}."
    return (
        f"I{both}: {how_much if times < 10**6 else 'over a million'} times as much.",
        f"{told} {rest}",
    )


def _share(value: float) -> str:
    """A share as a percentage with two digits.

    >>> _share(0.034), _share(0.0000123)
    ('3.4 %', '0.0012 %')
    """
    digits = 1 if value >= 0.01 or value == 0 else min(8, 1 - math.floor(math.log10(100 * value)))
    return f"{100 * value:.{digits}f} %"


def _reach(fade: InfluenceByDistance) -> str:
    end = fades_to(fade.middle, THOUSANDTH)
    if end is None:
        return f"still above a thousandth of its largest {len(fade.mean)} back"
    return f"below a thousandth of its largest from {end} back on"
