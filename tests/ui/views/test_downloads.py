"""What is taken away from the page is what the run holds, to the last bit."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.image import AxesImage
from PIL import Image

from lstm_lm import GateTrace
from lstm_lm.store.loading import save
from lstm_lm.ui.links.places import Place, place_of
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench import downloads
from lstm_lm.ui.views.workbench.picture import figure_of, title_of
from lstm_lm.ui.views.workbench.view import Handlers
from tests.conftest import tiny_model

TITLE = "tiny: Cell state (memory), layer 2 of 2, steps 6–40 of 321"


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Handlers:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save(tiny_model(scale=2.0), folder)
    store = RunStore()
    return Handlers(ModelShelf([str(folder)], store), store)


@pytest.fixture
def run(handlers: Handlers) -> PageRun:
    return handlers.shelf.get(handlers.shelf.names[0]).opening


PLACE: dict[str, Any] = {
    "signal": "cell_state", "layer": 1, "order": "alike", "start": 5, "stop": 40,
    "step": 9, "unit": 3,
}  # fmt: skip


def take(handlers: Handlers, run: PageRun, kind: str, **changes: Any) -> tuple[str, bytes]:
    """The file's name and bytes, through JSON as the browser gets them."""
    answer = json.loads(json.dumps(handlers.take([run.run_id, PLACE | changes, kind])))
    return answer["name"], base64.b64decode(answer["data"], validate=True)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_the_csv_of_the_signal_holds_its_very_values(handlers: Handlers, run: PageRun) -> None:
    name, content = take(handlers, run, "signal.csv")
    rows = table(content)
    assert name == "tiny-cell_state-layer-2-of-2.csv"
    assert list(rows[0]) == ["step", "token", "token_id", "layer", "unit", "cell_state"]
    values = np.array([row["cell_state"] for row in rows], dtype=np.float32)
    expected = run.values[: run.steps, run.signal_names.index("cell_state"), 1]
    np.testing.assert_array_equal(values.reshape(run.steps, run.units), expected)
    assert {row["layer"] for row in rows} == {"1"}
    assert [row["token"] for row in rows[:: run.units]] == run.tokens


def test_the_csv_of_all_signals_holds_every_value(handlers: Handlers, run: PageRun) -> None:
    name, content = take(handlers, run, "all.csv")
    assert name == "tiny-all-signals.csv"
    rows = table(content)
    shape = (run.steps, run.layers, run.units)
    for row, signal in enumerate(run.signal_names):
        values = np.array([each[signal] for each in rows], dtype=np.float32).reshape(shape)
        np.testing.assert_array_equal(values, run.values[: run.steps, row])


def test_the_npz_loads_back_as_a_trace(handlers: Handlers, run: PageRun, tmp_path: Path) -> None:
    trace = run.trace()
    for kind, signals, layers in (
        ("all.npz", run.signal_names, [0, 1]),
        ("signal.npz", ("cell_state",), [1]),
    ):
        _, content = take(handlers, run, kind)
        (tmp_path / kind).write_bytes(content)
        found = GateTrace.load(tmp_path / kind)
        assert found.signals == tuple(signals)
        assert found.model == "tiny"
        assert found.layer_names == [f"layer {layer}" for layer in layers]
        assert found.tokens == run.tokens
        for signal in signals:
            np.testing.assert_array_equal(found[signal], trace[signal][layers])


def test_the_text_is_the_text(handlers: Handlers, run: PageRun) -> None:
    name, content = take(handlers, run, "text.txt")
    assert (name, content.decode()) == ("tiny-text.txt", "".join(run.tokens))


def test_the_png_is_a_picture_with_its_title(handlers: Handlers, run: PageRun) -> None:
    name, content = take(handlers, run, "picture.png")
    assert name == "tiny-cell_state-layer-2-of-2.png"
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        assert image.info["Title"] == TITLE
        assert image.width > 900
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    assert take(handlers, run, "picture.png")[1] == content  # the same view, the same bytes


def test_the_svg_is_well_formed_and_has_its_title(handlers: Handlers, run: PageRun) -> None:
    _, content = take(handlers, run, "picture.svg", unit=None, step=None, order="index")
    root = ET.fromstring(content)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    title = root.find(".//{http://purl.org/dc/elements/1.1/}title")
    assert title is not None
    assert title.text == TITLE
    for element in root.iter():
        assert not element.tag.endswith("script")


@pytest.mark.parametrize("signal", ["forget_gate", "cell_state"])
def test_the_figure_paints_the_values_in_the_order_of_the_page(
    handlers: Handlers, run: PageRun, signal: str
) -> None:
    shown = handlers.shelf.get(handlers.shelf.names[0])
    place = place_of(run, PLACE | {"signal": signal})
    assert place
    order = [3, 1, 0, 2, 7, 6, 5, 4]
    figure = figure_of(run, place, order, shown.scale, title_of(run, place, "tiny"))
    heat, line, legend = figure.axes
    (image,) = (child for child in heat.get_children() if isinstance(child, AxesImage))
    values = run.values[5:40, run.signal_names.index(signal), 1]
    painted = values / shown.scale[1] if signal == "cell_state" else values
    np.testing.assert_array_equal(image.get_array(), painted[:, order].T)
    assert image.get_clim() == ((-1, 1) if signal == "cell_state" else (0, 1))
    assert ("÷ its largest |c|" in legend.get_ylabel()) == (signal == "cell_state")
    np.testing.assert_array_equal(line.lines[0].get_ydata(), values[:, 3])
    labels = [label.get_text() for label in line.get_xticklabels()]
    assert labels == [token.replace("\n", "↵").replace(" ", "␣") for token in run.tokens[5:40]]
    assert (
        heat.get_title(loc="left").replace("\n", ", ").endswith("layer 2 of 2, steps 6–40 of 321")
    )


def test_a_long_view_counts_its_steps_as_the_page_does(handlers: Handlers, run: PageRun) -> None:
    shown = handlers.shelf.get(handlers.shelf.names[0])
    changed: dict[str, Any] = PLACE | {"start": 0, "stop": 321}
    place = Place(**changed)
    figure = figure_of(run, place, list(range(8)), shown.scale, "")
    line = figure.axes[1]
    labels = [int(label.get_text()) for label in line.get_xticklabels()]
    assert labels == [int(tick) + 1 for tick in line.get_xticks()]


def test_what_is_too_large_is_refused_with_what_to_take_instead(
    handlers: Handlers, run: PageRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(downloads.MOST_NUMBERS, "csv", 30_000)
    monkeypatch.setitem(downloads.MOST_NUMBERS, "npz", 30_000)
    for kind, message in (
        ("all.csv", "30,816 numbers are more than a page can give as CSV (30,000): take them as "
         "NPZ, or one signal alone, or in Python lm.trace(text)"),
        ("all.npz", "30,816 numbers are more than a page can give as NPZ (30,000): take them one "
         "signal alone, or in Python lm.trace(text)"),
    ):  # fmt: skip
        assert handlers.take([run.run_id, PLACE, kind]) == {"error": message}
    assert len(table(take(handlers, run, "signal.csv")[1])) == run.steps * run.units


def test_only_what_is_offered_of_a_run_that_is_held_can_be_taken(
    handlers: Handlers, run: PageRun
) -> None:
    for kind in ("all.exe", "", None, [], {}, "picture.csv", "text.png", "../all.csv"):
        assert handlers.take([run.run_id, PLACE, kind]) is None
    for arguments in (None, [], [run.run_id, PLACE], ["another", PLACE, "all.csv"]):
        assert handlers.take(arguments) is None


def test_file_names_are_plain_whatever_the_model_is_called(handlers: Handlers) -> None:
    import dataclasses

    shown = handlers.shelf.get(handlers.shelf.names[0])
    for name, expected in (
        ("ada/verse@v1.0", "ada-verse"),
        ("é\n..", "model"),
        ("x" * 99, "x" * 60),
    ):
        named = dataclasses.replace(shown, name=name)
        assert downloads.file_name(named, "text", "txt", Place(**PLACE)) == f"{expected}-text.txt"
