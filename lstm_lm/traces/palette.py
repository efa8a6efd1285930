"""The page's colours and signs for pictures made in Python: ramps, scales, tokens made visible.

Sequential for the gates (0..1), diverging and centred at 0 for what has a sign; the stops are
those of the page's light ramps (a test holds the two files together). Knows nothing of figures.
"""

import unicodedata

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.signals import VOCABULARY, Signal

Bytes = npt.NDArray[np.uint8]

SEQUENTIAL = ("#f6f7f5", "#bcdcd6", "#64aaa6", "#1f6f74", "#063a44")
DIVERGING = ("#1f4fae", "#6f97dc", "#fbfaf8", "#e2935a", "#b8510f")
"""Five evenly spaced stops each, from the lowest value to the highest."""

SIGNS = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "\0": "␀", "": "∅"}


def signal_of(name: str) -> Signal:
    """The signal of this name, one of the six."""
    return VOCABULARY[name]


def stops_of(signal: Signal) -> tuple[str, ...]:
    """The ramp that this signal is painted with."""
    return SEQUENTIAL if signal.low == 0.0 else DIVERGING


def range_of(signal: Signal, values: npt.NDArray[np.floating]) -> tuple[float, float]:
    """The values at the ramp's ends: the signal's bounds; of the cell state, the largest |c|."""
    if np.isfinite(signal.high):
        return signal.low, signal.high
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    return -largest, largest


def lookup(stops: tuple[str, ...]) -> Bytes:
    """The ramp as 256 colours, (256, 3)."""
    ends = [[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops]
    places = np.linspace(0, 1, len(stops))
    at = np.linspace(0, 1, 256)
    channels = [np.interp(at, places, channel) for channel in zip(*ends, strict=True)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def visible(token: str) -> str:
    r"""The token with a sign for each character that has no shape of its own.

    >>> visible(" a\n"), visible("\x1b")
    ('␣a↵', '[U+001B]')
    """
    if token in SIGNS:
        return SIGNS[token]
    return "".join(SIGNS.get(c) or (c if _has_shape(c) else f"[U+{ord(c):04X}]") for c in token)


def _has_shape(character: str) -> bool:
    # Combining marks would join the sign before them; controls, formats and lone surrogates
    # have no shape or steer the text around them.
    return character.isprintable() and unicodedata.combining(character) == 0
