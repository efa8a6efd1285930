"""What is worth choosing first in a text: a span whose pattern comes far oftener than by chance.

Words and the inside of lines are tried, some dozens spread over the text, each by `matching.py`; of
those whose whole pattern is on far oftener than the units would share it by chance, the one that
comes back at the most steps is given. Knows nothing of pages.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from lstm_lm.insight.matching import match
from lstm_lm.insight.properties import text_of, token_ends
from lstm_lm.insight.state_index import StateIndex

CANDIDATES = re.compile(r"[^\n:.,;!?]{4,40}|\w{4,}")  # the inside of a line up to a stop, or a word
MOST_TRIED = 60
FAR_OFTENER = 50  # times as many steps as chance would have
FEWEST_PLACES = 3
WORDS = re.compile(r"\w{3,}")
FEWEST_WORDS = 4  # as many places are needed to choose a unit by and to test it


def telling_span(tokens: Sequence[str], index: StateIndex) -> tuple[int, int]:
    """The span to show first: (start, stop) in steps, stop excluded.

    Args:
        tokens: the text that is indexed, at least one token.
        index: of one signal of one layer over it.
    """
    ends = token_ends(tokens)
    spans = [
        (int(np.searchsorted(ends, found.start(), side="right")),
         int(np.searchsorted(ends, found.end(), side="left")) + 1)
        for found in CANDIDATES.finditer(text_of(tokens))
    ]  # fmt: skip
    spread = spans[:: -(-len(spans) // MOST_TRIED)] if spans else []
    ranked = [(_telling(index, start, stop), (start, stop)) for start, stop in spread]
    return max(ranked, default=((), (0, min(len(tokens), 4))))[1]


def common_word(tokens: Sequence[str]) -> str:
    """The word of three letters or more that comes oftenest, to mark first; empty: none does.

    >>> common_word(list("the cat and the dog, the cow and the hen"))
    'the'
    """
    counted = Counter(WORDS.findall(text_of(tokens))).most_common(1)
    return counted[0][0] if counted and counted[0][1] >= FEWEST_WORDS else ""


def _telling(index: StateIndex, start: int, stop: int) -> tuple[bool, float]:
    """How telling the span is: far oftener than chance first, then by steps or by how much so."""
    found = match(index, start, stop)
    whole = [place for place in found.matches if place.shared == len(found.units)]
    if len(whole) < FEWEST_PLACES:
        return False, 0.0
    oftener = found.steps_as_good / max(whole[0].by_chance, 1e-12)
    return (True, float(found.steps_as_good)) if oftener >= FAR_OFTENER else (False, oftener)
