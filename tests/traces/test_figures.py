"""Figures: every colour is the value's, tokens stand under their columns, errors are a line."""

import re
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from lstm_lm import GateTrace
from lstm_lm.cells.signals import SIGNAL_NAMES
from lstm_lm.errors import FigureError, SignalError
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.palette import DIVERGING, SEQUENTIAL, lookup, range_of, signal_of, visible

TEXT = "ab c\nhead bead"
PALETTE_OF_THE_PAGE = Path("lstm_lm/ui/web/palette.js")


@pytest.fixture(autouse=True)
def _close_figures() -> object:
    yield
    plt.close("all")


def image_of(ax: Axes) -> AxesImage:
    (image,) = ax.get_images()
    return image


def labels_of(ax: Axes) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


@pytest.mark.parametrize("signal", SIGNAL_NAMES)
def test_a_figure_paints_the_values_of_the_trace(model: LanguageModel, signal: str) -> None:
    trace = model.trace(TEXT)
    ax = trace.plot(signal, layer=1)
    np.testing.assert_array_equal(image_of(ax).get_array(), trace[signal][1].T)
    low, high = image_of(ax).get_clim()
    if signal.endswith("_gate"):
        assert (low, high) == (0.0, 1.0)
    elif signal == "cell_state":
        assert high == -low == np.abs(trace[signal][1]).max()
    else:
        assert (low, high) == (-1.0, 1.0)
    assert signal_of(signal).label in ax.get_title()
    assert ax.get_title().endswith("layer 1")


def test_the_ends_and_the_middle_of_the_scale_have_the_pages_colours(model: LanguageModel) -> None:
    trace = model.trace(TEXT)
    for signal, stops in (("forget_gate", SEQUENTIAL), ("cell_state", DIVERGING)):
        image = image_of(trace.plot(signal))
        low, high = image.get_clim()
        for at, stop in ((low, stops[0]), ((low + high) / 2, stops[2]), (high, stops[4])):
            color = [round(255 * float(c)) for c in image.cmap(image.norm(np.array(at)))[:3]]
            expected = [int(stop[k : k + 2], 16) for k in (1, 3, 5)]
            assert np.abs(np.subtract(color, expected)).max() <= 1, (signal, at)


def test_the_ramps_are_those_of_the_page() -> None:
    source = (Path(__file__).parents[2] / PALETTE_OF_THE_PAGE).read_text()
    light = source[source.index("light:") : source.index("dark:")]
    for name, stops in (("sequential", SEQUENTIAL), ("diverging", DIVERGING)):
        line = light[light.index(name) :].splitlines()[0]
        found = [(float(at), color) for at, color in re.findall(r'\[([\d.]+), "(#\w+)"\]', line)]
        assert found == list(zip((0, 0.25, 0.5, 0.75, 1), stops, strict=True))


def test_a_lookup_runs_through_its_stops_and_the_range_is_centred_at_0() -> None:
    colours = lookup(DIVERGING)
    assert colours.shape == (256, 3)
    assert ["#" + bytes(colours[k]).hex() for k in (0, 255)] == [DIVERGING[0], DIVERGING[4]]
    assert range_of(signal_of("cell_state"), np.array([-0.5, 0.25])) == (-0.5, 0.5)
    assert range_of(signal_of("cell_state"), np.zeros(3)) == (-1.0, 1.0)
    assert range_of(signal_of("candidate"), np.zeros(3)) == (-1.0, 1.0)


def test_tokens_stand_under_their_columns_with_signs_for_whitespace(model: LanguageModel) -> None:
    ax = model.trace(TEXT).plot("forget_gate")
    assert labels_of(ax) == list("ab␣c↵head␣bead")
    assert list(ax.get_xticks()) == list(range(len(TEXT)))


def test_steps_and_units_can_be_chosen(model: LanguageModel) -> None:
    trace = model.trace(TEXT)
    ax = trace.plot("hidden_state", units=[7, 2], start=5, stop=9)
    np.testing.assert_array_equal(image_of(ax).get_array(), trace["hidden_state"][0, 5:9, [7, 2]])
    assert labels_of(ax) == list("head")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["7", "2"]
    # The scale of the cell state stays that of the whole text, so that parts compare.
    whole, part = trace.plot("cell_state"), trace.plot("cell_state", stop=2)
    assert image_of(whole).get_clim() == image_of(part).get_clim()


def test_a_long_text_has_its_steps_numbered(model: LanguageModel) -> None:
    ax = model.trace("abcd " * 200).plot("forget_gate", start=500)
    assert ax.get_xlabel() == "step"
    numbers = [int(label) for label in labels_of(ax)]
    assert numbers == [500 + int(tick) for tick in ax.get_xticks()]
    assert min(numbers) >= 500
    assert max(numbers) < 1000


def test_a_figure_is_drawn_into_the_axes_given(model: LanguageModel, tmp_path: Path) -> None:
    figure, (first, second) = plt.subplots(1, 2)
    trace = model.trace(TEXT)
    assert trace.plot("forget_gate", ax=first) is first
    assert trace.plot("cell_state", ax=second) is second
    figure.savefig(tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert len(plt.get_fignums()) == 1


def test_tokens_are_text_and_no_formulas(tmp_path: Path) -> None:
    """Dollar signs, backslashes and markup stand as they are, and the figure can be drawn."""
    tokens = ["$", r"$\frac", "\\", "<b>", "_^", "a" * 40, "\x1b"]
    values = {"hidden_state": np.zeros((1, 7, 2), np.float32)}
    trace = GateTrace(tokens, np.arange(7), values, np.zeros(7, np.float32), model=r"$\bad_")
    ax = trace.plot("hidden_state")
    assert labels_of(ax) == [*tokens[:5], "a" * 11 + "…", "[U+001B]"]
    assert ax.get_title() == r"$\bad_: Hidden state (output), layer 0"
    plt.savefig(tmp_path / "figure.png")


def test_signs_are_shown_for_what_has_no_shape() -> None:
    assert visible(" ") == "␣"
    assert visible("") == "∅"
    assert visible("e\u0301") == "e[U+0301]"  # a combining mark would sit on its neighbour
    assert visible("\u202e") == "[U+202E]"  # turns the text around it
    assert visible("日本") == "日本"


def test_what_cannot_be_drawn_is_refused_in_a_line(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = model.trace(TEXT)
    with pytest.raises(SignalError, match="'forget' is no signal: choose from input_gate"):
        trace.plot("forget")
    with pytest.raises(SignalError, match="no layer 2: this trace has 0 to 1"):
        trace.plot("forget_gate", layer=2)
    with pytest.raises(FigureError, match="no unit 8: this trace has 0 to 7"):
        trace.plot("forget_gate", units=[8])
    for chosen in ({"units": []}, {"start": 14}):
        with pytest.raises(FigureError, match="nothing to draw: choose some of the 8 units and"):
            trace.plot("forget_gate", **chosen)  # pyright: ignore[reportArgumentType]
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(FigureError, match="matplotlib is not installed: python -m pip install mat"):
        trace.plot("forget_gate")


def test_a_matplotlib_that_is_there_and_cannot_be_imported_says_why(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        """As matplotlib answers MPLBACKEND=nonsense."""

        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "matplotlib.pyplot":
                raise ValueError("Key backend: 'nonsense' is not a valid value\nfor backend")

    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    monkeypatch.delattr(mpl, "pyplot")
    monkeypatch.setattr(sys, "meta_path", [Broken, *sys.meta_path])
    with pytest.raises(FigureError, match=r"cannot be imported: ValueError: Key .* valid value\Z"):
        model.trace(TEXT).plot("forget_gate")
