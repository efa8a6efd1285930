"""One signal of a trace as a matplotlib figure, fit for a paper.

matplotlib is imported when a figure is asked for. Knows nothing of pages.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lstm_lm.console import reason_of
from lstm_lm.errors import FigureError
from lstm_lm.traces.arrays import SignalArrays
from lstm_lm.traces.palette import range_of, signal_of, stops_of, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES_A_STEP = 0.11
NARROWEST, WIDEST = 3.4, 14.0  # inches: a column of a paper; a screen
SMALLEST, LARGEST = 5.0, 9.0  # points of a token's label
CHARACTER = 0.62  # width of a monospaced character, of its size
LONGEST_TOKEN = 12  # characters of a label


def plot(
    trace: SignalArrays,
    signal: str,
    *,
    layer: int = 0,
    units: Sequence[int] | None = None,
    start: int = 0,
    stop: int | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw one signal of one layer, a column a step and a row a unit: see `GateTrace.plot`."""
    try:
        import matplotlib.pyplot as plt
        from matplotlib.colors import LinearSegmentedColormap
    except ModuleNotFoundError:
        raise FigureError("matplotlib is not installed: python -m pip install matplotlib") from None
    except (ImportError, ValueError) as error:  # as with MPLBACKEND=nonsense
        raise FigureError(f"matplotlib cannot be imported: {reason_of(error)}") from None
    values = trace[signal][trace.layer_index(layer)]  # (steps, units)
    rows = list(range(trace.units)) if units is None else [_unit(trace, u) for u in units]
    steps = range(trace.steps)[start:stop]
    if not rows or not len(steps):
        raise FigureError(
            f"nothing to draw: choose some of the {trace.units} units "
            f"and of the {trace.steps} steps"
        )
    of = signal_of(signal)
    low, high = range_of(of, values[:, rows])
    shown = values[steps.start : steps.stop, rows].T  # (rows, columns)
    if ax is None:
        width = float(np.clip(INCHES_A_STEP * len(steps) + 1.4, NARROWEST, WIDEST))
        height = float(np.clip(0.16 * len(rows) + 1.0, 2.2, 5.0))
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    image = ax.imshow(
        shown,
        cmap=LinearSegmentedColormap.from_list(signal, stops_of(of)),
        vmin=low,
        vmax=high,
        aspect="auto",
        interpolation="nearest",
    )
    term = of.label if not of.plain else f"{of.label} ({of.plain})"
    ax.figure.colorbar(image, ax=ax, label=f"{term}, {of.symbol}", pad=0.02)
    title = f"{term}, {trace.layer_names[layer]}"
    ax.set_title(f"{trace.model}: {title}" if trace.model else title, parse_math=False)
    ax.set_ylabel("unit")
    if units is not None:
        ax.set_yticks(range(len(rows)), labels=[str(unit) for unit in rows])
    label_steps(ax, trace.tokens, steps)
    return ax


def _unit(trace: SignalArrays, unit: int) -> int:
    if not 0 <= unit < trace.units:
        raise FigureError(f"no unit {unit}: this trace has 0 to {trace.units - 1}")
    return int(unit)


def label_steps(ax: "Axes", tokens: Sequence[str], steps: range, *, count_from: int = 0) -> None:
    """Write the tokens under their columns where they fit; else the numbers of the steps.

    Args:
        ax: a column of it is one of these steps, from 0.
        tokens: of the whole text.
        steps: which are shown.
        count_from: the number of the text's first step.
    """
    labels = [visible(tokens[step]) for step in steps]
    labels = [t if len(t) <= LONGEST_TOKEN else t[: LONGEST_TOKEN - 1] + "…" for t in labels]
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()  # the layout settles how wide the axes are
    column = ax.get_position().width * figure.get_figwidth() * 72 / len(steps)  # points
    upright = all(len(label) == 1 for label in labels)
    size = column / CHARACTER if upright else column / 1.1
    if size < SMALLEST:
        ticks = [tick for tick in ax.get_xticks() if 0 <= tick < len(steps) and tick == int(tick)]
        numbers = [str(steps.start + int(tick) + count_from) for tick in ticks]
        ax.set_xticks(ticks, labels=numbers)
        ax.set_xlabel("step")
        return
    # A dollar sign in a token is no formula.
    ax.set_xticks(range(len(steps)), labels=labels, parse_math=False)
    ax.tick_params(
        axis="x",
        length=0,
        labelsize=min(size, LARGEST),
        labelfontfamily="monospace",
        labelrotation=0 if upright else 90,
    )
    ax.set_xlabel("token")
