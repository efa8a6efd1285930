"""How a cell is drawn: which boxes, how they are wired, and its equations for one unit.

Each cell fills one in (`lstm.py`, `gru.py`, `rnn.py`), and the page draws what it is told. Knows
nothing of pages. In `Equation.numbers` and everywhere else a number is named as in
`insight.step.UnitStep`, or by its signal.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Box:
    """A number between the gates."""

    name: str
    """Of the number."""
    symbol: str
    """As the equations write it."""
    term: str
    """A word for it; empty where the symbol says it."""
    told: str
    """What it is, in a few words."""


@dataclass(frozen=True, kw_only=True)
class Equation:
    """One equation of a unit."""

    signal: str
    """What it gives."""
    formula: str
    """The right-hand side in symbols, for people."""
    numbers: str
    """The same with {names} of numbers to put in; empty where it is a function of a sum."""
    plain: str
    """The plain word beside it."""


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """A cell as boxes and wires."""

    gates: tuple[str, ...]
    """Signals that are functions of a sum, in the order they are drawn; each box opens its sum."""
    boxes: tuple[Box, ...]
    """The other numbers, in order; none for a cell without a memory."""
    wires: tuple[tuple[str, str], ...]
    """From what, into what: boxes by name, `x` and `h_before` being what the layer reads."""
    memory: str
    """The signal that is its memory: kept + written; empty where there is none."""
    before: str
    """The number that the memory was before the step."""
    equations: tuple[Equation, ...]
    """In the order they are computed."""
    note: str = ""
    """A line under the equations."""


def reads(gates: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The wires from what a layer reads, x and h', into each of these."""
    return tuple((source, gate) for gate in gates for source in ("x", "h_before"))
