"""The tokens of two tokenizers over the same text, brought together by its characters.

A *piece* is the shortest run of tokens that covers whole characters: one token mostly, the bytes of
one character where a tokenizer falls back to bytes. A piece costs what its tokens cost together,
-log p summed, in nats; its characters share that cost alike, which is a way to draw it, not a claim
about each of them. A *stretch* is the shortest part of the text at whose both ends both models have
the end of a piece: there each model's cost is exact, so costs are compared stretch by stretch.
Knows nothing of models or of pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Which characters of a text which tokens cover."""

    bounds: Places
    """(pieces + 1,) characters: piece p is text[bounds[p]:bounds[p + 1]]."""
    tokens: Places
    """(pieces + 1,) steps: piece p is made of tokens[p] up to tokens[p + 1]."""

    @property
    def characters(self) -> int:
        """How many characters the text has."""
        return int(self.bounds[-1])

    def at(self, character: int) -> int:
        """The piece that holds this character."""
        return int(np.searchsorted(self.bounds, character, "right")) - 1

    def last_tokens(self) -> Places:
        """(characters,) the step after which a character has been read whole."""
        return np.repeat(self.tokens[1:] - 1, np.diff(self.bounds))


def pieces_of(token_bytes: Sequence[bytes]) -> Pieces:
    """The pieces of a text that is given as the UTF-8 bytes of its tokens.

    >>> found = pieces_of([b"to", *(bytes([byte]) for byte in "é".encode())])
    >>> found.bounds.tolist(), found.tokens.tolist()
    ([0, 2, 3], [0, 1, 3])
    """
    whole = np.frombuffer(b"".join(token_bytes), dtype=np.uint8)
    begins = np.append((whole & 0xC0) != 0x80, True)  # where a character begins, and the end
    before = np.concatenate([[0], np.cumsum(begins[:-1])])  # characters that begin before a byte
    bounds, tokens, offset = [0], [0], 0
    for step, part in enumerate(token_bytes, 1):
        offset += len(part)
        if begins[offset] and before[offset] > bounds[-1]:
            bounds.append(int(before[offset]))
            tokens.append(step)
    tokens[-1] = len(token_bytes)  # a token without text belongs to the piece before it
    return Pieces(bounds=np.array(bounds), tokens=np.array(tokens))


def costs_of(pieces: Pieces, log_probs: npt.NDArray[np.floating]) -> Floats:
    """What each piece cost: (pieces,) nats; nan where a token's probability is unknown.

    Args:
        pieces: of the text.
        log_probs: (tokens,) natural logs; nan for the first, before which nothing was read.
    """
    return np.add.reduceat(-log_probs.astype(np.float64), pieces.tokens[:-1])


def per_character(bounds: Places, costs: Floats) -> Floats:
    """The costs of pieces or stretches shared alike by their characters: (characters,) nats.

    >>> per_character(np.array([0, 2, 3]), np.array([3.0, 1.0])).tolist()
    [1.5, 1.5, 1.0]
    """
    lengths = np.diff(bounds)
    return np.repeat(costs / lengths, lengths)


def stretches(one: Pieces, other: Pieces) -> Places:
    """Where both end a piece: (stretches + 1,) characters.

    Raises:
        ValueError: the two are not of the same text.
    """
    if one.characters != other.characters:
        raise ValueError(f"{one.characters} characters against {other.characters}")
    return np.intersect1d(one.bounds, other.bounds)


def costs_over(bounds: Places, pieces: Pieces, costs: Floats) -> Floats:
    """What the pieces within each stretch cost together: (stretches,) nats."""
    return np.add.reduceat(costs, np.searchsorted(pieces.bounds, bounds[:-1]))
