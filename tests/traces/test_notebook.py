"""What a notebook shows: well-formed, self-contained, small, and true to the values."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from lstm_lm import GateTrace
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.notebook import png_of
from lstm_lm.traces.palette import DIVERGING, SEQUENTIAL, lookup

TEXT = "ab c\nhead bead"
VOID = {"img"}


class Reader(HTMLParser):
    """Collects elements and text, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)


def read(trace: GateTrace) -> Reader:
    shown = trace._repr_html_()
    assert len(shown.encode()) < 300_000
    reader = Reader()
    reader.feed(shown)
    assert reader.open == []
    return reader


def picture_of(reader: Reader) -> Image.Image:
    (image,) = [attributes for tag, attributes in reader.elements if tag == "img"]
    found = re.fullmatch(r"data:image/png;base64,(.*)", str(image["src"]))
    assert found
    return Image.open(io.BytesIO(base64.b64decode(found[1])))


def test_the_picture_is_the_signal(model: LanguageModel) -> None:
    trace = model.trace(TEXT)
    picture = picture_of(read(trace)).convert("RGB")
    assert picture.size == (len(TEXT), 8)
    expected = lookup(SEQUENTIAL)[np.rint(trace["forget_gate"][0].T * 255).astype(int)]
    np.testing.assert_array_equal(np.asarray(picture), expected)


def test_a_plain_rnn_shows_its_hidden_state(rnn: LanguageModel) -> None:
    trace = rnn.trace(TEXT)
    picture = picture_of(read(trace)).convert("RGB")
    at = np.rint((trace["hidden_state"][0].T + 1) / 2 * 255).astype(int)
    np.testing.assert_array_equal(np.asarray(picture), lookup(DIVERGING)[at])


def test_the_facts_are_those_of_the_trace(model: LanguageModel) -> None:
    trace = model.trace(TEXT)
    text = read(trace).text
    assert "2 × 8 units" in text
    total = trace.log_probs[1:].sum()
    assert f"{total:,.1f} nats ({-total / 13 / np.log(2):.2f} bits a token)" in text
    for name, label in (("forget_gate", "Forget gate (keep)"), ("cell_state", "Cell state")):
        at = next(k for k, part in enumerate(text) if part.startswith(label))
        values = trace[name]
        assert text[at + 1 : at + 4] == [
            f"{number:.3f}" for number in (values.mean(), values.min(), values.max())
        ]


def test_tokens_stand_under_the_picture_with_signs_for_whitespace(model: LanguageModel) -> None:
    assert "".join(read(model.trace(TEXT)).text[-len(TEXT) :]) == "ab␣c↵head␣bead"


def test_nothing_in_a_token_or_a_name_becomes_markup() -> None:
    evil = '"><script>alert(1)</script>&amp;<img src=x onerror=alert(1)>'
    values = {"hidden_state": np.zeros((1, 3, 2), np.float32)}
    trace = GateTrace(
        ["<b>", "</", evil], np.arange(3), values, np.zeros(3, np.float32),
        model=evil, layer_names=[evil],
    )  # fmt: skip
    reader = read(trace)
    assert {tag for tag, _ in reader.elements} <= {
        "style", "div", "table", "tr", "th", "td", "span", "img"
    }  # fmt: skip
    assert evil in reader.text
    assert not any(name.startswith("on") for _, a in reader.elements for name in a)


def test_it_asks_for_nothing_and_needs_no_script(model: LanguageModel) -> None:
    shown = model.trace(TEXT)._repr_html_()
    assert not re.search(r"https?:|//|@import|url\(|<script|<link|<iframe", shown.split("src=")[0])
    sources = [a["src"] for _, a in read(model.trace(TEXT)).elements if "src" in a]
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)


def test_a_large_trace_is_shown_in_part_and_says_so() -> None:
    noise = np.random.default_rng(1).random((1, 3000, 700), dtype=np.float32)
    ids = np.arange(3000)
    zeros = np.zeros(3000, np.float32)
    trace = GateTrace(["&" * 9] * 3000, ids, {"forget_gate": noise}, zeros)
    reader = read(trace)
    assert picture_of(reader).size == (214, 700)
    assert any("steps 0 to 213 of 3,000, units 0 to 699 of 700" in part for part in reader.text)
    narrow = GateTrace(["<" * 9] * 3000, ids, {"forget_gate": noise[..., :2]}, zeros)
    assert picture_of(read(narrow)).size == (1000, 2)


def test_a_png_has_the_colours_it_was_given() -> None:
    picture = np.arange(256, dtype=np.uint8).reshape(4, 64)
    colours = np.random.default_rng(2).integers(0, 256, (256, 3)).astype(np.uint8)
    image = Image.open(io.BytesIO(png_of(picture, colours)))
    image.load()
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), colours[picture])
