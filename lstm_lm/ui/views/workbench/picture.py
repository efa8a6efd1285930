"""The view as a figure for a paper: heatmap, one unit's line, tokens, legend with scale, title.

Drawn by matplotlib from the run's stored float32 values, on white, with the page's light ramps;
layers and steps count from 1, as on the page it is taken from. Knows nothing of gradio.
"""

import io
import threading
from typing import TYPE_CHECKING

import numpy as np

from lstm_lm.cells.signals import Signal
from lstm_lm.cells.stepper import Array
from lstm_lm.traces.figures import INCHES_A_STEP, WIDEST, label_steps
from lstm_lm.traces.palette import range_of, signal_of, stops_of, visible
from lstm_lm.ui.links.places import Place
from lstm_lm.ui.shelf.runs import PageRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NARROWEST = 4.8  # inches: room for the title
MARK = "#b4540a"  # of the pinned step and the unit, as on the page
DOTS_PER_INCH = 200
_one_at_a_time = threading.Lock()  # matplotlib's settings are shared by all threads


def title_of(run: PageRun, place: Place, model: str) -> str:
    """What the figure says above it: model, signal, layer, steps; two lines."""
    signal = signal_of(place.signal)
    term = f"{signal.label} ({signal.plain})" if signal.plain else signal.label
    name = visible(model) if len(model) <= 60 else visible(model[:59]) + "…"
    return (
        f"{name.replace('␣', ' ')}: {term}\nlayer {place.layer + 1} of {run.layers}, "
        f"steps {place.start + 1}–{place.stop} of {run.steps}"
    )


def draw(
    run: PageRun, place: Place, order: list[int], scale: Array, model: str, kind: str
) -> bytes:
    """The figure as the bytes of a file.

    Args:
        run: the text.
        place: what of it.
        order: the units, from the top row to the lowest.
        scale: (layers, units), the |cell state| that is painted at full colour.
        model: what the model is called.
        kind: png or svg.
    """
    import matplotlib.style
    from matplotlib import rc_context

    title = title_of(run, place, model)
    about = {"Title": title.replace("\n", ", ")}
    if kind == "svg":
        # No date and no random ids: the same view gives the same bytes.
        about |= {"Date": None, "Creator": "lstm-lm"}  # pyright: ignore[reportAssignmentType]
    drawn = rc_context({"svg.hashsalt": "lstm-lm", "svg.fonttype": "path"})
    with _one_at_a_time, matplotlib.style.context("default"), drawn:
        figure = figure_of(run, place, order, scale, title)
        file = io.BytesIO()
        figure.savefig(file, format=kind, dpi=DOTS_PER_INCH, metadata=about)
    return file.getvalue()


def figure_of(run: PageRun, place: Place, order: list[int], scale: Array, title: str) -> "Figure":
    """The figure: see `draw`."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    signal = signal_of(place.signal)
    values = run.values[: run.steps, run.signal_names.index(place.signal), place.layer]
    steps = range(place.start, place.stop)
    width = float(np.clip(INCHES_A_STEP * len(steps) + 1.8, NARROWEST, WIDEST))
    heat_height = float(np.clip(0.16 * run.units, 1.6, 3.6))
    line_height = 0.0 if place.unit is None else 0.9
    figure = Figure(figsize=(width, heat_height + line_height + 1.1), layout="constrained")
    panels: list[Axes] = figure.subplots(
        2 if line_height else 1,
        1,
        sharex=True,
        squeeze=False,
        height_ratios=[heat_height, line_height] if line_height else [1],
    )[:, 0].tolist()
    heat = panels[0]
    painted, (low, high), legend = _painted(signal, values, scale[place.layer])
    image = heat.imshow(
        painted[steps.start : steps.stop, order].T,
        cmap=LinearSegmentedColormap.from_list(signal.name, stops_of(signal)),
        vmin=low,
        vmax=high,
        aspect="auto",
        interpolation="nearest",
    )
    figure.colorbar(image, ax=panels, label=legend, pad=0.02)
    heat.set_title(title, loc="left", fontsize=10, parse_math=False)
    if place.order == "index":
        heat.set_ylabel("unit")
    else:
        heat.set_yticks([])
        how = "alike together" if place.order == "alike" else f"by what follows: {place.order}"
        heat.set_ylabel(f"{run.units} units, {how}")
    if place.unit is not None:
        _mark_unit(heat, order.index(place.unit))
        _draw_line(panels[1], signal, values[:, place.unit], steps, place.unit)
    if place.step is not None and place.step in steps:
        for panel in panels:
            panel.axvspan(*_edges(place.step - steps.start), fill=False, edgecolor=MARK)
    label_steps(panels[-1], run.tokens, steps, count_from=1)
    return figure


def _painted(signal: Signal, values: Array, scale: Array) -> tuple[Array, tuple[float, float], str]:
    """The values as the page paints them, the ends of their scale, and what the legend says."""
    term = f"{signal.label}, {signal.symbol}"
    if np.isfinite(signal.high):
        return values, (signal.low, signal.high), term
    # As on the page: units differ so much in size that one scale for all would show few of them.
    legend = f"{term}: each unit ÷ its largest |{signal.symbol}|\nin the model’s opening text"
    return values / scale, (-1.0, 1.0), legend


def _mark_unit(heat: "Axes", row: int) -> None:
    """Arrows at both edges of the unit's row."""
    for x, marker in ((0, 5), (1, 4)):  # matplotlib's carets, their tips at the place
        heat.plot(
            [x],
            [row],
            marker=marker,
            color=MARK,
            markersize=7,
            clip_on=False,
            transform=heat.get_yaxis_transform(),
        )


def _draw_line(panel: "Axes", signal: Signal, values: Array, steps: range, unit: int) -> None:
    """The unit's own values, on the scale of its whole text."""
    low, high = range_of(signal, values)
    margin = 0.06 * (high - low)
    panel.plot(range(len(steps)), values[steps.start : steps.stop], color=MARK, linewidth=1.2)
    panel.axhline(0, color="#8a8783", linewidth=0.6)
    panel.set_ylim(low - margin, high + margin)
    panel.set_ylabel(f"{signal.symbol}, unit {unit}")


def _edges(column: int) -> tuple[float, float]:
    return column - 0.5, column + 0.5
