"""A place in a run: what a person has chosen to look at, checked against the run.

Steps, layers and units count from 0, as in Python. Knows nothing of links, files or gradio.
"""

from dataclasses import dataclass

from lstm_lm.insight.properties import KEYS
from lstm_lm.ui.shelf.runs import PageRun

ORDERS = ("index", "alike", *KEYS)
"""Of the rows: by number, alike together, or by how well they follow a property."""


def below(value: object, limit: int) -> bool:
    """Whether it is a whole number from 0 on and below the limit; True is none."""
    return type(value) is int and 0 <= value < limit


@dataclass(frozen=True, kw_only=True)
class Place:
    """What of a run is shown."""

    signal: str
    layer: int
    order: str
    """Of the rows: one of `ORDERS`."""
    start: int
    """The first step in view."""
    stop: int
    """The step after the last in view."""
    step: int | None
    """The step that is pinned; None: none."""
    unit: int | None
    """The unit that is shown; None: none was chosen."""


def place_of(run: PageRun, data: object) -> Place | None:
    """The place that the page's JavaScript sent; None unless all of it is in the run.

    Args:
        run: the text that is shown.
        data: an object of the fields of `Place`.
    """
    if not isinstance(data, dict) or set(data) != set(Place.__dataclass_fields__):
        return None
    signal, order = data["signal"], data["order"]
    if signal not in run.signal_names or order not in ORDERS:
        return None
    start, stop = data["start"], data["stop"]
    numbers = [(data["layer"], run.layers), (start, run.steps)]
    for name, limit in (("step", run.steps), ("unit", run.units)):
        if data[name] is not None:
            numbers.append((data[name], limit))
    if not all(type(number) is int and 0 <= number < limit for number, limit in numbers):
        return None
    if type(stop) is not int or not start < stop <= run.steps:
        return None
    return Place(**data)
