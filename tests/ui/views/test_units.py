"""The Units view without a page: its text, its pages, its links, and what it makes of nonsense."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_lm.config import ModelConfig, SamplingConfig
from lstm_lm.errors import LinkError
from lstm_lm.insight.detectors import detect
from lstm_lm.insight.units import unit_page
from lstm_lm.language_model import load
from lstm_lm.store.loading import save
from lstm_lm.ui.links.links import UnitLink, decode_unit, encode_unit
from lstm_lm.ui.links.reopening import reopen_unit
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.units import view as unit_view
from lstm_lm.ui.views.units.view import (
    REFERENCE_STEPS,
    SEED,
    TEMPERATURE,
    UnitView,
    reference_steps,
)
from lstm_lm.ui.views.workbench.view import Handlers
from lstm_lm.writing.generation import generate
from tests import tolerance
from tests.conftest import tiny_model
from tests.planted import COUNTER, hand_set_lstm

STATES = ("cell_state", "hidden_state")


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of a tiny LSTM, a tiny RNN, and a cell of which it is known what it does."""
    folder = tmp_path_factory.mktemp("models")
    models = {"lstm": tiny_model(scale=2.0), "rnn": tiny_model(cell="rnn"), "set": hand_set_lstm()}
    for name, model in models.items():
        save(model, folder / name)
    return {name: str(folder / name) for name in models}


@pytest.fixture(scope="module")
def shelf(names: dict[str, str]) -> ModelShelf:
    return ModelShelf(list(names.values()), RunStore())


@pytest.fixture(scope="module")
def view(shelf: ModelShelf) -> UnitView:
    return UnitView(shelf)


def floats(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def survey(view: UnitView, name: str) -> dict[str, Any]:
    found = view.survey([name])
    assert found
    return found


def test_the_reference_is_what_the_model_writes_and_the_page_says_so(
    view: UnitView, names: dict[str, str]
) -> None:
    found = survey(view, names["lstm"])
    sampling = SamplingConfig(
        max_new_tokens=REFERENCE_STEPS - 1, temperature=TEMPERATURE, seed=SEED
    )
    model = load(Path(names["lstm"]))
    assert found["tokens"] == ["\n", *(step.token for step in generate(model, "", sampling))]
    assert found["told"] == (
        "Measured in 2,000 tokens that lstm wrote itself, from a newline on, at temperature 0.7 "
        "with seed 2."
    )
    json.dumps(found, allow_nan=False)


def test_the_reference_is_written_once_a_model(
    view: UnitView, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = survey(view, names["lstm"])
    monkeypatch.setattr(unit_view, "written_alone", lambda *_: pytest.fail("written again"))
    assert survey(view, names["lstm"]) is first
    assert view.unit([names["lstm"], 1, 3])


def test_another_model_of_the_same_name_has_a_text_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_view, "REFERENCE_STEPS", 50)
    shelf = ModelShelf([], RunStore())
    view = UnitView(shelf)
    texts = []
    for seed in (1, 2):
        save(tiny_model(seed=seed, scale=2.0), tmp_path / str(seed))
        shelf.add_guest("ada/verse", tmp_path / str(seed), kept=1)
        texts.append(survey(view, "ada/verse")["tokens"])
    assert texts[0] != texts[1]


def test_of_many_models_the_texts_of_those_used_last_are_kept(
    names: dict[str, str], shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_view, "REFERENCE_STEPS", 50)
    monkeypatch.setattr(unit_view, "KEPT", 2)
    view = UnitView(shelf)
    held = {name: survey(view, names[name]) for name in ("lstm", "rnn", "set")}
    assert survey(view, names["rnn"]) is held["rnn"]
    assert survey(view, names["lstm"]) is not held["lstm"]


@pytest.mark.parametrize(("kind", "layer", "unit"), [("lstm", 0, 2), ("lstm", 1, 7), ("rnn", 1, 0)])
def test_a_unit_is_what_unit_page_says_of_it(
    view: UnitView, names: dict[str, str], kind: str, layer: int, unit: int
) -> None:
    answer = view.unit([names[kind], layer, unit])
    assert answer
    json.dumps(answer, allow_nan=False)
    model = load(Path(names[kind]))
    trace = model.trace("".join(survey(view, names[kind])["tokens"]))
    page = unit_page(model, trace, layer, unit)
    assert answer["sentence"] == page.sentence()
    # Read at once or written token by token: the same numbers, to float32.
    theirs, near = page.to_json(), tolerance.states(model)
    for name in page.extremes:
        written = floats(answer["lines"][name])
        np.testing.assert_allclose(written, trace[name][layer, :, unit], rtol=0, atol=near)
        values = [place["value"] for place in answer["extremes"][name]["highest"]]
        assert values == pytest.approx([p.value for p in page.extremes[name].highest], abs=near)
        scale = np.abs(written).max() if name == "cell_state" else 1.0
        assert answer["scales"][name] == pytest.approx(scale)
    assert answer["pushes_up"] == theirs["pushes_up"]
    assert bool(answer["pushes_up"]) == (layer == 1)
    assert answer["read_from"] == theirs["read_from"]
    assert set(answer["histograms"]) == set(trace.signals)
    for gate, writers in theirs["writers"].items():
        assert [w["unit"] for w in answer["writers"][gate]] == [w["unit"] for w in writers]


def test_units_worth_looking_at_are_those_that_the_detectors_found(
    view: UnitView, names: dict[str, str]
) -> None:
    found = survey(view, names["set"])
    trace = load(Path(names["set"])).trace("".join(found["tokens"]))
    standing = detect(trace).found()
    told = [(w["unit"], w["does"]) for w in found["worth"] if "score" in w]
    assert told == [(d.best.unit, f"follows {d.name}") for d in standing]
    assert (COUNTER, "follows the position in the line") in told
    for entry, detector in zip(found["worth"], standing, strict=False):
        assert entry["score"] == pytest.approx(detector.best.score, abs=1e-4)
        assert entry["shuffled"] == pytest.approx(detector.best.shuffled, abs=1e-4)


def test_a_unit_that_follows_nothing_is_said_to(view: UnitView, names: dict[str, str]) -> None:
    answer = view.unit([names["set"], 0, 3])  # it never moves
    assert answer
    assert answer["follows"] == []
    assert answer["evidence"] == unit_view.FOLLOWS_NOTHING


def test_a_text_of_ones_own_has_the_units_states(view: UnitView, names: dict[str, str]) -> None:
    text = "a head\nfade"
    trace = load(Path(names["lstm"])).trace(text)
    for signal in STATES:
        answer = view.color([names["lstm"], 1, 5, signal, text])
        assert answer
        assert answer["tokens"] == list(text)
        np.testing.assert_array_equal(floats(answer["values"]), trace[signal][1, :, 5])


def test_characters_that_the_model_never_saw_are_named_and_marked(
    view: UnitView, names: dict[str, str]
) -> None:
    answer = view.color([names["lstm"], 0, 0, "cell_state", "ab<é"])
    assert answer
    assert answer["tokens"] == ["a", "b"]
    assert answer["marks"] == [{"before": 2, "text": "<é"}]
    assert "never seen" in answer["notes"][0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "there is no text yet: type or paste some"),
        ("a" * 2001, "the text has 2,001 tokens; at most 2,000 are coloured here: shorten it, or"),
        ("a" * 300_000, "the text has 300,000 characters"),
    ],
)
def test_a_text_that_cannot_be_coloured_is_answered_with_a_line(
    view: UnitView, names: dict[str, str], text: str, line: str
) -> None:
    answer = view.color([names["lstm"], 0, 0, "cell_state", text])
    assert answer
    assert answer["error"].startswith(line)
    assert "\n" not in answer["error"]


WRONG: list[Any] = [None, -1, 10**9, 1.0, True, "0", [], {}, "__class__"]


@pytest.mark.parametrize("call", ["survey", "unit", "color"])
def test_anything_but_a_unit_of_a_model_is_answered_with_nothing(
    view: UnitView, names: dict[str, str], call: str
) -> None:
    ask = getattr(view, call)
    good = {"survey": [], "unit": [0, 1], "color": [0, 1, "hidden_state", "a"]}[call]
    assert ask([names["rnn"], *good])
    for arguments in [None, {}, [], "x", names["rnn"], [*good], [names["rnn"], *good, 0]]:
        assert ask(arguments) is None
    for wrong in WRONG:
        assert ask([wrong, *good]) is None
        for at in range(len(good)):
            if at < 3 or not isinstance(wrong, str):  # any text can be coloured
                assert ask([names["rnn"], *good[:at], wrong, *good[at + 1 :]]) is None
    if call == "color":
        assert ask([names["rnn"], 0, 1, "cell_state", "a"]) is None  # it has none


def test_a_large_model_writes_a_shorter_text() -> None:
    small = ModelConfig(vocab_size=60, layers=2, hidden_size=512)
    assert reference_steps(small) == REFERENCE_STEPS
    large = ModelConfig(vocab_size=60, layers=4, hidden_size=2048)
    assert reference_steps(large) == 2**24 // (6 * 4 * 2048)


# Links


def test_a_link_to_a_unit_comes_back_as_it_was() -> None:
    link = UnitLink(model="ada/verse", revision="a" * 40, weights="0123456789ab", layer=1, unit=258)
    query = dict(part.split("=", 1) for part in encode_unit(link).split("&"))
    assert decode_unit(query | {"model": "ada/verse", "__theme": "dark"}) == link
    assert decode_unit({"show": "write"}) is None
    assert decode_unit({}) is None


def test_the_address_that_a_survey_gives_leads_back_to_the_unit(
    view: UnitView, names: dict[str, str], shelf: ModelShelf
) -> None:
    handlers = Handlers(shelf, RunStore())
    address = survey(view, names["lstm"])["address"] + "&layer=1&unit=5"
    assert "/" not in address  # no path of this machine
    query = dict(part.split("=", 1) for part in address.split("&"))
    assert reopen_unit(handlers, query) == {
        "model": names["lstm"], "layer": 1, "unit": 5, "notes": [],
    }  # fmt: skip
    other = reopen_unit(handlers, query | {"weights": "0" * 12})
    assert other
    assert "has other weights than the one" in other["notes"][0]
    assert reopen_unit(handlers, {"show": "read"}) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": "8"}, "unit is 8: here it can be 0 to 7"),
        ({"layer": "2"}, "layer is 2: here it can be 0 to 1"),
        ({"unit": "-1"}, "unit is '-1': it has to be a whole number from 0"),
        ({"layer": "x" * 900}, "layer is 'xxx"),
        ({"model": "another"}, "it needs the model 'another', which is not here"),
        ({"weights": "../.."}, "weights is"),
    ],
)
def test_a_wrong_link_to_a_unit_is_refused_in_a_line(
    shelf: ModelShelf, changes: dict[str, str], message: str
) -> None:
    good = {"show": "unit", "model": "lstm", "layer": "1", "unit": "5"}
    with pytest.raises(LinkError, match=message) as error:
        reopen_unit(Handlers(shelf, RunStore()), good | changes)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500
