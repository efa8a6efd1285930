"""The Find view without a page: matches, marks, its opening, and what it makes of nonsense."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_lm.errors import LinkError
from lstm_lm.insight.detectors import detect
from lstm_lm.insight.matching import match
from lstm_lm.insight.properties import marked
from lstm_lm.insight.state_index import THRESHOLDS, StateIndex
from lstm_lm.insight.telling import common_word, telling_span
from lstm_lm.language_model import load
from lstm_lm.store.loading import save
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.links.links import decode_find
from lstm_lm.ui.links.reopening import reopen_find
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.find.view import MOST_MARKS, FindView
from lstm_lm.ui.views.units import view as unit_view
from lstm_lm.ui.views.units.view import UnitView
from lstm_lm.ui.views.workbench.view import Handlers
from tests.conftest import tiny_model
from tests.insight.test_matching import PATTERN, PLACES, noise, plant
from tests.planted import LATCH, hand_set_lstm

STEPS = 600
TEXT = "a head\nfade bad cab\n" * 12


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folders of a tiny LSTM, a tiny RNN, and a cell of which it is known what it does."""
    folder = tmp_path_factory.mktemp("models")
    models = {"lstm": tiny_model(scale=2.0), "rnn": tiny_model(cell="rnn"), "set": hand_set_lstm()}
    for name, model in models.items():
        save(model, folder / name)
    return {name: str(folder / name) for name in models}


@pytest.fixture(scope="module")
def view(names: dict[str, str]) -> Iterator[FindView]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(unit_view, "REFERENCE_STEPS", STEPS)
        shelf = ModelShelf(list(names.values()), RunStore())
        yield FindView(shelf, UnitView(shelf))


def whole(name: str, tokens: list[str]) -> GateTrace:
    return load(Path(name)).trace("".join(tokens))


def asked(answer: dict[str, Any] | None) -> dict[str, Any]:
    assert answer
    json.dumps(answer, allow_nan=False)
    return answer


def span(name: str, text: str | None, **changes: Any) -> list[Any]:
    """A good question for places, with changes."""
    question = {"layer": 1, "signal": "hidden_state", "start": 30, "stop": 32, "threshold": None}
    question |= {"before": True, "after": True, "other": None}
    return [name, text, *(question | changes).values()]


@pytest.mark.parametrize("threshold", [None, 0.7, 0.9])
@pytest.mark.parametrize("sides", [(True, True), (False, True), (False, False)])
def test_places_are_those_of_the_library(
    view: FindView, names: dict[str, str], threshold: float | None, sides: tuple[bool, bool]
) -> None:
    trace = load(Path(names["lstm"])).trace(TEXT)
    before, after = sides
    found = asked(
        view.places(
            span(names["lstm"], TEXT, threshold=threshold, before=before, after=after)
        )
    )  # fmt: skip
    index = StateIndex.of_trace(trace, "hidden_state", 1)
    theirs = match(index, 30, 32, threshold=threshold, off_before=before, off_after=after)
    assert {name: found[name] for name in theirs.to_json()} == theirs.to_json()
    assert theirs.matches or threshold  # with one that is chosen something is found
    if theirs.matches:
        assert found["sentence"].startswith(f"{len(theirs.units)} unit")
        assert (
            f"{theirs.matches[0].by_chance:.2g} of the {trace.steps:,} steps" in found["evidence"]
        )


def test_the_reference_text_is_that_of_the_units(view: FindView, names: dict[str, str]) -> None:
    found = asked(view.text([names["lstm"], None]))
    units = view._units.survey([names["lstm"]])
    assert units
    assert found["tokens"] == units["tokens"]
    assert found["told"].startswith(f"{STEPS} tokens that lstm wrote itself")
    trace = whole(names["lstm"], found["tokens"])
    start, stop = found["start"], found["stop"]
    assert 0 <= start < stop <= STEPS
    question = span(names["lstm"], None, layer=0, signal="cell_state", start=start, stop=stop)
    answer = asked(view.places(question))
    theirs = match(StateIndex.of_trace(trace, "cell_state", 0), start, stop)
    assert [tuple(unit) for unit in answer["units"]] == list(theirs.units)


def test_another_text_is_searched_for_the_span(view: FindView, names: dict[str, str]) -> None:
    other = "dead beef\nbad head face\n" * 9
    model = load(Path(names["lstm"]))
    found = asked(view.places(span(names["lstm"], TEXT, other=other)))
    index = StateIndex.of_trace(model.trace(other), "hidden_state", 1)
    theirs = match(index, 30, 32, values=model.trace(TEXT)["hidden_state"][1])
    assert {name: found[name] for name in theirs.to_json()} == theirs.to_json()


def test_the_span_that_is_shown_first_is_one_that_was_planted() -> None:
    values = noise()
    places: dict[int, tuple[int, ...]] = dict.fromkeys(range(600, 900, 50), PATTERN)
    plant(values, PLACES | places, length=4)
    tokens = [" "] * len(values)
    for start in [*PLACES, 40, 100, 2_000, 2_900]:
        tokens[start : start + 4] = "word"
        tokens[start - 1] = tokens[start + 4] = "."
    index = StateIndex.build([values], len(values))
    start, stop = telling_span(tokens, index)
    assert (start, stop) in [(place, place + 4) for place in PLACES]
    shuffled = np.random.default_rng(3).permuted(values, axis=0)  # each unit on its own
    start, stop = telling_span(tokens, StateIndex.build([shuffled], len(values)))
    assert "".join(tokens[start:stop]) == "word"  # nothing is telling: still a span of the text
    assert telling_span(["\n"], StateIndex.build([values[:1]], 1)) == (0, 1)


def test_the_common_word_is_a_word_that_can_be_tested() -> None:
    assert common_word(list("one two two two two")) == "two"
    assert common_word(list("two two two")) == ""
    assert common_word([]) == ""


def test_marks_find_the_unit_that_follows_them(view: FindView, names: dict[str, str]) -> None:
    # LATCH is 1 from the first "a" on; HALVER is high just after each "b".
    text = "..b....b.....b..b......b...b.....b" * 3
    marks = [[at, at + 1] for at, letter in enumerate(text) if letter == "b"]
    found = asked(view.follows([names["set"], text, marks]))
    assert found["units"][0]["unit"] == 2
    assert found["units"][0]["score"] == 1.0
    assert found["stands_out"]
    trace = load(Path(names["set"])).trace(text)
    spans = [(start, stop) for start, stop in marks]
    theirs = detect(trace, [marked(trace.tokens, spans)], keep=8).detectors[0]
    assert found["sentence"] == theirs.sentence()
    assert found["units"] == theirs.to_json()["units"]
    colors = asked(view.color([names["set"], text, 0, 2, "cell_state"]))
    values = np.frombuffer(base64.b64decode(colors["values"]), dtype="<f4")
    np.testing.assert_array_equal(values, trace["cell_state"][0, :, 2])
    assert colors["scale"] == pytest.approx(np.abs(values).max())
    assert found["units"][0]["unit"] != LATCH


def test_shuffled_marks_find_nothing(view: FindView, names: dict[str, str]) -> None:
    # A false alarm at odds of 0.05 needs a strong score too: of 10 shuffles none may have it.
    steps = np.random.default_rng(8).choice(len(TEXT) - 2, size=(10, 12), replace=True)
    for row in steps:
        marks = [[int(at), int(at) + 1] for at in row]
        answer = asked(view.follows([names["lstm"], TEXT, marks]))
        assert not answer["stands_out"]
        assert answer["sentence"].startswith("No unit stands out as following what was marked")


def test_too_few_marks_are_answered_with_what_to_do(view: FindView, names: dict[str, str]) -> None:
    answer = asked(view.follows([names["lstm"], TEXT, [[3, 6], [6, 9]]]))
    assert answer == {
        "why": "What you marked cannot be tested yet: it is found at 1 place in this text, and 4 "
        "are needed. Two places choose a unit and two more test it; places that touch count as "
        "one. Mark some more."
    }
    everything = asked(view.follows([names["lstm"], TEXT, [[0, len(TEXT)]]]))
    assert "cannot be tested" in everything["why"]


def test_when_nothing_matches_the_reason_is_given(view: FindView, names: dict[str, str]) -> None:
    answer = asked(view.places(span(names["set"], "ab.\n" * 9, layer=0, start=0, stop=36)))
    assert answer["matches"] == []
    assert answer["evidence"] == answer["reason"] != ""
    assert answer["sentence"].endswith("nothing is found elsewhere.")


def test_a_text_that_cannot_be_searched_is_answered_with_a_line(
    view: FindView, names: dict[str, str]
) -> None:
    for text, line in (
        ("", "there is no text yet: type or paste some"),
        ("a" * 601, "the text has 601 tokens; at most 600 are searched here: shorten it"),
        ("a" * 300_000, "the text has 300,000 characters"),
    ):
        for answer in (
            view.text([names["lstm"], text]),
            view.places(span(names["lstm"], TEXT, other=text)),
        ):
            assert asked(answer)["error"].startswith(line)
            assert "\n" not in asked(answer)["error"]
    unread = asked(view.text([names["lstm"], "ab<é" + TEXT]))
    assert unread["unread"] == [{"before": 2, "text": "<é"}]
    assert "never seen" in unread["notes"][0]


WRONG: list[Any] = [-1, 10**9, 1.0, 0.93, float("nan"), "__class__", [], {}]


def test_anything_but_a_question_is_answered_with_nothing(
    view: FindView, names: dict[str, str]
) -> None:
    rnn = names["rnn"]
    good: dict[str, list[Any]] = {
        "text": [rnn, TEXT],
        "places": span(rnn, TEXT),
        "follows": [rnn, TEXT, [[1, 3], [9, 12], [60, 62], [80, 90]]],
        "color": [rnn, TEXT, 1, 3, "hidden_state"],
    }
    free = {("places", 6): [None], ("places", 9): [None, "__class__"], ("text", 1): [None]}
    for call, question in good.items():
        ask = getattr(view, call)
        assert ask(question)
        for arguments in (None, {}, [], "x", question[:-1], [*question, 0]):
            assert ask(arguments) is None, call
        for at in range(len(question)):
            for wrong in [*WRONG, None, True]:
                allowed = [*free.get((call, at), []), *([None, "__class__"] if at == 1 else [])]
                if wrong in allowed or (call == "places" and at in (7, 8) and wrong is True):
                    continue
                answer = ask([*question[:at], wrong, *question[at + 1 :]])
                assert answer is None, (call, at, wrong)
    assert view.places(span(rnn, TEXT, signal="cell_state")) is None  # it has none
    assert view.places(span(rnn, TEXT, start=32, stop=32)) is None
    for marks in (
        [[3, 3]], [[5, 2]], [[0, len(TEXT) + 1]], [[-1, 2]], [[0, 2, 4]], [[True, 3]], [["0", 1]],
        [3], [[0, 1]] * (MOST_MARKS + 1),
    ):  # fmt: skip
        assert view.follows([rnn, TEXT, marks]) is None
    assert all(type(level) is float for level in THRESHOLDS)


# Links


def test_the_address_leads_back_to_the_span(names: dict[str, str], view: FindView) -> None:
    handlers = Handlers(view._shelf, RunStore())
    address = asked(view.text([names["lstm"], None]))["address"]
    assert "/" not in address  # no path of this machine
    query = dict(part.split("=", 1) for part in address.split("&"))
    query |= {"layer": "1", "signal": "hidden_state", "from": "30", "to": "42", "__theme": "dark"}
    opened = {
        "model": names["lstm"], "layer": 1, "signal": "hidden_state", "start": 30, "stop": 42,
        "threshold": None, "before": True, "after": True, "notes": [],
    }  # fmt: skip
    assert reopen_find(handlers, query) == opened
    other = reopen_find(
        handlers, query | {"threshold": "0.85", "off": "before", "weights": "0" * 12}
    )
    assert other
    assert (other["threshold"], other["before"], other["after"]) == (0.85, True, False)
    assert "has other weights than the one" in other["notes"][0]
    assert reopen_find(handlers, {"show": "read"}) is None
    assert decode_find({}) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"to": "601"}, "to is 601: here it can be 0 to 600"),
        ({"from": "42"}, "from is 42 and to is 42: it has to be less"),
        ({"from": "-1"}, "from is '-1': it has to be a whole number from 0"),
        ({"layer": "2"}, "layer is 2: here it can be 0 to 1"),
        ({"signal": "cell_state"}, "signal is cell_state: here it can be hidden_state"),
        ({"signal": "x" * 900}, "signal is 'xxx"),
        ({"threshold": "0.93"}, r"threshold is 0\.93: it can be 0\.5, 0\.7"),
        ({"threshold": "1e999"}, "threshold is '1e999': it has to be a number"),
        ({"off": "never"}, "off is 'never': it can be before, after, none"),
        ({"model": "another"}, "it needs the model 'another', which is not here"),
    ],
)
def test_a_wrong_link_to_a_span_is_refused_in_a_line(
    view: FindView, changes: dict[str, str], message: str
) -> None:
    good = {"show": "find", "model": "rnn", "layer": "1", "signal": "hidden_state"}
    good |= {"from": "30", "to": "42"}
    handlers = Handlers(view._shelf, RunStore())
    assert reopen_find(handlers, good)
    with pytest.raises(LinkError, match=message) as error:
        reopen_find(handlers, good | changes)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500
