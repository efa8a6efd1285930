"""The loss of a run as a picture for its card: training and validation loss over the steps.

Drawn from metrics.jsonl with matplotlib; the same rows give the same bytes. Knows nothing of
what it is pasted into.
"""

from pathlib import Path
from typing import Any

from lstm_lm.store.folder import CURVE_FILE
from lstm_lm.surroundings.files import write_atomically

INK, MUTED, GRID = "#1c1b1a", "#6b6763", "#e4e0da"
VALIDATION, TRAINING = "#0b6b6b", "#b4540a"
INCHES, DOTS_PER_INCH = (8.0, 4.0), 120


def write_loss_curve(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Draw the rows of a run's metrics into the folder.

    Args:
        folder: the model folder.
        rows: at least one row of its metrics.jsonl.

    Raises:
        OSError: the folder cannot be written.
    """
    write_atomically(folder / CURVE_FILE, lambda path: _draw(rows, path))


def _draw(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(
        {"font.family": "DejaVu Sans", "font.size": 11, "axes.edgecolor": MUTED}
    ):
        figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
        axes = figure.subplots()
        steps = [row["step"] for row in rows]
        best = min(rows, key=lambda row: row["val_loss"])
        lines = [("train_loss", "training", TRAINING), ("val_loss", "validation", VALIDATION)]
        for key, name, colour in lines:
            losses = [row[key] for row in rows]
            axes.plot(steps, losses, "o-", color=colour, label=name, linewidth=2, markersize=4)
        ring = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": 1.5}
        axes.plot(best["step"], best["val_loss"], "o", color=VALIDATION, **ring)
        axes.set_title(
            f"{best['val_loss']:.4f} nats a token at step {best['step']:,}: the model kept",
            loc="left", color=INK, fontsize=11,
        )  # fmt: skip
        axes.legend(frameon=False, labelcolor="linecolor", loc="best")
        axes.set_xlabel("step", color=MUTED)
        axes.set_ylabel("loss, nats a token", color=MUTED)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.tick_params(colors=MUTED)
        axes.grid(color=GRID)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.03, y=0.08)
        axes.set_xlim(left=0)
        figure.savefig(path, format="png", metadata={"Software": None})
