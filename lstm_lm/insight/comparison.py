"""Two models on the same text: which finds it likelier, where they differ, at which kind of place.

Nats a character is the figure that compares models with different tokens. Each finding has its
control: that one model is ahead, a sign test over the words of the text; where they differ most,
the middle place; at which kind of place, the same search with the text shifted in time against the
differences. A place is a stretch (`alignment.py`). Knows nothing of gates or of pages.
"""

import math
from dataclasses import dataclass

import numpy as np

from lstm_lm.insight.alignment import Floats, Pieces, Places, costs_over, per_character, stretches
from lstm_lm.insight.properties import token_kinds
from lstm_lm.insight.result import Result
from lstm_lm.insight.scores import by_chance, false_alarm_odds, shifts

UNLIKELY = 0.01  # odds of chance above which no model is said to be ahead
FEWEST_WORDS = 8
MANY_TIMES = 5.0  # the middle difference: from here on a place stands out
WORTH_A_WORD = 1.0  # nats of difference at a place
FEWEST_OF_A_KIND = 6
ACCEPTED = 0.05  # of the shifts may show as large a difference between kinds
WORTH_A_KIND = 0.05  # nats


@dataclass(frozen=True, kw_only=True)
class Told(Result):
    """A sentence, what it rests on, and the character where it is seen."""

    sentence: str
    evidence: str
    character: int | None = None
    """From 0; None where it holds for the whole text."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a text cost two models, stretch by stretch, without the first, whose cost is unknown."""

    text: str
    bounds: Places
    """(stretches + 1,) characters."""
    costs: Floats
    """(2, stretches) nats, of the left and of the right model."""

    @property
    def characters(self) -> int:
        """How many characters are compared."""
        return int(self.bounds[-1] - self.bounds[0])

    @property
    def nats(self) -> Floats:
        """(2,) nats a character."""
        return self.costs.sum(axis=1) / max(1, self.characters)

    @property
    def difference(self) -> Floats:
        """(stretches,) nats by which the left model found a stretch likelier than the right."""
        return self.costs[1] - self.costs[0]

    def difference_per_character(self) -> Floats:
        """(characters of the text,) nats a character; nan where nothing is compared."""
        before = np.full(self.bounds[0], np.nan)
        return np.concatenate([before, per_character(self.bounds, self.difference)])


def compare(text: str, pieces: tuple[Pieces, Pieces], costs: tuple[Floats, Floats]) -> Comparison:
    """Set the costs of two models over the same text side by side.

    Args:
        text: what both read.
        pieces: of each, from `alignment.pieces_of`.
        costs: of each, from `alignment.costs_of`.
    """
    bounds = stretches(*pieces)
    both = np.stack([costs_over(bounds, *one) for one in zip(pieces, costs, strict=True)])
    known = np.flatnonzero(np.isfinite(both).all(axis=0))
    first = int(known[0]) if len(known) else len(bounds) - 1
    return Comparison(text=text, bounds=bounds[first:], costs=both[:, first:])


def findings(found: Comparison, names: tuple[str, str]) -> list[Told]:
    """What stands out, in up to three sentences; the first says which model is ahead, if one is."""
    if not found.characters:
        return [Told(sentence="The text is too short to be compared.", evidence="")]
    if not found.difference.any():
        return [
            Told(
                sentence="Both give every character of this text the same probability.",
                evidence=f"{found.nats[0]:.3f} nats a character each.",
            )
        ]
    told = [_ahead(found, names), _where(found, names), _kind(found, names)]
    return [one for one in told if one]


def words(found: Comparison) -> Floats:
    """The differences summed over words, each with the white space before it: (words,) nats."""
    tokens = [found.text[a:b] for a, b in zip(found.bounds[:-1], found.bounds[1:], strict=True)]
    before = ["", *tokens[:-1]]
    begins = [
        at == 0 or (token[:1].isspace() and not earlier[-1:].isspace())
        for at, (token, earlier) in enumerate(zip(tokens, before, strict=True))
    ]
    return np.add.reduceat(found.difference, np.flatnonzero(begins))


def _ahead(found: Comparison, names: tuple[str, str]) -> Told:
    nats, differences = found.nats, words(found)
    better = int(nats[1] < nats[0])
    both = f"{nats[better]:.3f} nats a character, against {nats[1 - better]:.3f}"
    more = int((differences < 0).sum() if better else (differences > 0).sum())
    pairs = int((differences != 0).sum())
    odds = by_chance(more, pairs)
    counted = f"{names[better]} gave more probability to {more} of {pairs} words"
    if odds > UNLIKELY or pairs < FEWEST_WORDS or 2 * more <= pairs:
        why = "too few to tell" if pairs < FEWEST_WORDS else "which chance would do too often"
        sides = " and ".join(f"{nats[at]:.3f} in {names[at]}" for at in range(2))
        return Told(
            sentence=f"Neither finds this text clearly likelier: {sides} nats a character.",
            evidence=f"{counted}, {why}.",
        )
    rarely = (
        f"once in {float(f'{1 / odds:.2g}'):,.0f}" if odds > 1e-6 else "less than once in a million"
    )
    return Told(
        sentence=f"{names[better]} finds this text likelier: {both} in {names[1 - better]}.",
        evidence=f"{counted}; between equals, were words independent, so many would come "
        f"{rarely} times.",
    )


def _where(found: Comparison, names: tuple[str, str]) -> Told | None:
    sizes = np.abs(found.difference)
    at, middle = int(sizes.argmax()), float(np.median(sizes))
    if sizes[at] < max(MANY_TIMES * middle, WORTH_A_WORD):
        return None
    start, stop = found.bounds[at : at + 2]
    chances = [math.exp(-cost) for cost in found.costs[:, at]]
    return Told(
        sentence=f"They differ most at {_in_its_word(found.text, start, stop)}: "
        f"{names[0]} gave it {share(chances[0])}, {names[1]} {share(chances[1])}.",
        evidence=f"That is {sizes[at]:.2f} nats; the middle place differs by {middle:.2f}.",
        character=int(start),
    )


def _kind(found: Comparison, names: tuple[str, str]) -> Told | None:
    """The kind of place whose difference departs most from elsewhere, beside a shifted text."""
    tokens = [found.text[a:b] for a, b in zip(found.bounds[:-1], found.bounds[1:], strict=True)]
    kinds = [
        kind
        for kind in token_kinds(tokens)
        if FEWEST_OF_A_KIND <= kind.where.sum() <= len(tokens) - FEWEST_OF_A_KIND
    ]
    if not kinds:
        return None
    where = np.stack([kind.where for kind in kinds]).astype(np.float64)  # (K, stretches)
    counts = where.sum(axis=1)

    def gaps(differences: Floats) -> Floats:
        inside = where @ differences
        return inside / counts - (differences.sum() - inside) / (len(tokens) - counts)

    gap = gaps(found.difference)
    best = int(np.abs(gap).argmax())
    chance = np.array(
        [np.abs(gaps(np.roll(found.difference, by))).max() for by in shifts(len(tokens))]
    )
    odds = false_alarm_odds(abs(float(gap[best])), chance)
    if odds > ACCEPTED or abs(gap[best]) < WORTH_A_KIND:
        return None
    there = float(found.difference[kinds[best].where].mean())
    elsewhere = float(found.difference[~kinds[best].where].mean())
    ahead = names[int(there < 0)]
    at = int(np.argmax(np.where(kinds[best].where, np.sign(there) * found.difference, -np.inf)))
    kind, by = kinds[best].name, f"by {abs(there):.2f} nats a place"
    if there * elsewhere <= 0:
        other = names[int(elsewhere < 0)]
        sentence = f"{ahead} is ahead {kind}, {by}; {other} elsewhere, by {abs(elsewhere):.2f}."
    else:
        far = "further" if abs(there) > abs(elsewhere) else "less"
        sentence = f"{ahead} is {far} ahead {kind}: {by}, by {abs(elsewhere):.2f} elsewhere."
    return Told(
        sentence=sentence,
        evidence=f"{int(counts[best])} such places; with the text shifted in time the largest such "
        f"gap is up to {np.quantile(chance, 1 - ACCEPTED, method='higher'):.2f} in 95 of 100, here "
        f"{abs(gap[best]):.2f}.",
        character=int(found.bounds[at]),
    )


def share(probability: float) -> str:
    """A probability as a percentage with two digits, as the page writes it.

    >>> share(0.834), share(0.0123), share(0.0000123)
    ('83 %', '1.2 %', '0.0012 %')
    """
    percent = 100 * probability
    if percent >= 10:
        return f"{percent:.0f} %"
    if percent < 1e-6:
        return "under 0.000001 %"
    return f"{percent:.{max(1, 1 - math.floor(math.log10(percent)))}f} %"


def _in_its_word(text: str, start: int, stop: int) -> str:
    """What stands between two characters, with the word around it.

    >>> _in_its_word("to suffer it", 7, 9)
    '“er” in “suffer”, character 8'
    """
    first = max(text.rfind(space, 0, start + 1) for space in " \n") + 1
    ends = [text.find(space, stop) for space in " \n"]
    word = text[first : min(end if end >= 0 else len(text) for end in ends)]
    around = f" in {_quoted(word)}" if stop - start < len(word) <= 24 and first <= start else ""
    return f"{_quoted(text[start:stop])}{around}, character {start + 1}"


def _quoted(text: str) -> str:
    if text == " ":
        return "a space"
    return "“" + text.replace("\n", "↵").replace(" ", "·").replace("\t", "⇥") + "”"
