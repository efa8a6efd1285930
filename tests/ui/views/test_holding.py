"""A unit held on its page: what is written is what the library writes, and nonsense is refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lstm_lm.cells.interventions import Intervention
from lstm_lm.config import SamplingConfig
from lstm_lm.insight import holding
from lstm_lm.language_model import load
from lstm_lm.store.loading import save
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.units import view as unit_view
from lstm_lm.ui.views.units.holding import WRITTEN
from lstm_lm.ui.views.units.view import SEED, TEMPERATURE, UnitView
from lstm_lm.writing.generation import generate
from tests.conftest import tiny_model
from tests.planted import IDLE, LATCH, hand_set_lstm

STEPS = 300  # of the reference text here
COUNT = WRITTEN["char"]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A tiny LSTM, a tiny RNN, and a cell of which one unit writes "b" when it is on."""
    folder = tmp_path_factory.mktemp("models")
    writes_b = hand_set_lstm()
    with torch.no_grad():
        writes_b.decoder.weight[3, LATCH] = 60.0
    models = {"lstm": tiny_model(scale=2.0), "rnn": tiny_model(cell="rnn"), "set": writes_b}
    for name, model in models.items():
        save(model, folder / name)
    return {name: str(folder / name) for name in models}


@pytest.fixture(scope="module")
def view(names: dict[str, str]) -> UnitView:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unit_view, "REFERENCE_STEPS", STEPS)
        view = UnitView(ModelShelf(list(names.values()), RunStore()))
        for name in names.values():
            view.survey([name])
    return view


def held(view: UnitView, *arguments: Any) -> dict[str, Any]:
    answer = view.hold(list(arguments))
    assert answer
    json.dumps(answer, allow_nan=False)
    return answer


def tokens_of(view: UnitView, name: str) -> list[str]:
    survey = view.survey([name])
    assert survey
    return survey["tokens"]


@pytest.mark.parametrize("step", [0, 40, STEPS - 1])
def test_each_text_is_what_the_library_writes_with_the_hold(
    view: UnitView, names: dict[str, str], step: int
) -> None:
    answer = held(view, names["lstm"], 1, 5, "cell_state", step, None)
    tokens = tokens_of(view, names["lstm"])
    model = load(Path(names["lstm"]))
    left = model.trace("".join(tokens[:step])).final_state if step else None
    sampling = SamplingConfig(max_new_tokens=COUNT, temperature=TEMPERATURE, seed=SEED)
    # The text itself, which goes on past its end where that is near.
    known = tokens[step + 1 :][:COUNT]
    assert len(answer["original"]) == COUNT
    assert answer["original"][: len(known)] == known
    assert [each["name"] for each in answer["tries"]] == ["low", "typical", "high"]
    for each in answer["tries"]:
        hold = Intervention("cell_state", layer=1, units=[5], value=each["value"], start=step)
        settings = {"state": left, "position": step, "interventions": [hold]}
        theirs = [s.token for s in generate(model, tokens[step], sampling, **settings)]
        assert each["tokens"] == theirs
        differs = [i for i in range(COUNT) if theirs[i] != answer["original"][i]]
        assert each["first"] == (differs[0] if differs else None)
        assert each["same"] == COUNT - len(differs)
        text = "".join([*tokens[: step + 1], *answer["original"]])
        free, changed = model.trace(text), model.trace(text, interventions=[hold])
        effect = float(np.nansum(changed.log_probs[step:]) - np.nansum(free.log_probs[step:]))
        assert each["effect"] == pytest.approx(effect, abs=2e-3)
        assert f"{abs(each['effect']):.2f} nats {'less' if effect < 0 else 'more'}" in each["told"]


def test_a_planted_unit_writes_its_token_when_it_is_held_high(
    view: UnitView, names: dict[str, str]
) -> None:
    answer = held(view, names["set"], 0, LATCH, "cell_state", 0, None)
    high = answer["tries"][-1]
    assert high["value"] == 1.0
    assert set(high["tokens"]) == {"b"}
    assert set(answer["original"][:3]) != {"b"}  # it was off there
    assert high["first"] is not None
    assert "instead of" in high["told"]
    off = answer["levels"]["lowest"]
    low = held(view, names["set"], 0, LATCH, "cell_state", STEPS - 1, off)
    assert set(low["original"]) == {"b"}
    assert [each["name"] for each in low["tries"]] == ["chosen"]
    assert {"b"} != set(low["tries"][0]["tokens"])


def test_where_nothing_changes_it_says_so(view: UnitView, names: dict[str, str]) -> None:
    for each in held(view, names["set"], 0, IDLE, "cell_state", 5, None)["tries"]:
        assert each["first"] is None
        assert each["effect"] == 0
        assert each["told"].startswith(f"All {COUNT} tokens that are written again are the same.")
        assert "0.00 nats" in each["told"]


def test_a_value_that_the_unit_never_takes_is_refused_in_a_line(
    view: UnitView, names: dict[str, str]
) -> None:
    for value in (9.0, -9, 1e30):
        answer = held(view, names["lstm"], 0, 2, "hidden_state", 7, value)
        assert "its hidden state is" in answer["error"]
        assert "\n" not in answer["error"]


def test_what_it_moves_is_what_the_library_measures(view: UnitView, names: dict[str, str]) -> None:
    answer = view.sway([names["rnn"], 1, 3, "hidden_state"])
    assert answer
    json.dumps(answer, allow_nan=False)
    model = load(Path(names["rnn"]))
    trace = model.trace("".join(tokens_of(view, names["rnn"])))
    others = holding.other_units(model, trace, 1, "hidden_state")
    found = holding.sway(model, trace, 1, 3, "hidden_state", others=others)
    assert answer["moved"] == pytest.approx(found.moved, abs=1e-5)
    assert [each["unit"] for each in answer["others"]] == [each.unit for each in found.others]
    assert 3 not in {each["unit"] for each in answer["others"]}
    assert answer["sentence"].startswith(found.sentence()[:30])


def test_what_was_written_once_is_kept(
    view: UnitView, names: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = held(view, names["lstm"], 0, 2, "forget_gate", 9, None)
    monkeypatch.setattr(unit_view, "write_held", lambda *_: pytest.fail("written again"))
    assert view.hold([names["lstm"], 0, 2, "forget_gate", 9, None]) is first
    monkeypatch.setattr(unit_view, "ANSWERS_KEPT", 1)
    view.sway([names["lstm"], 0, 2, "forget_gate"])
    with pytest.raises(pytest.fail.Exception, match="written again"):
        view.hold([names["lstm"], 0, 2, "forget_gate", 9, None])


WRONG: list[Any] = [None, -1, 10**9, 1.5, True, "0", [], {}, "__class__"]


@pytest.mark.parametrize("call", ["hold", "sway"])
def test_anything_but_a_signal_of_a_unit_is_answered_with_nothing(
    view: UnitView, names: dict[str, str], call: str
) -> None:
    ask = getattr(view, call)
    good: list[Any] = [names["rnn"], 0, 1, "hidden_state"] + ([3, None] if call == "hold" else [])
    assert ask(good)
    for arguments in [None, {}, [], "x", good[:-1], [*good, 0]]:
        assert ask(arguments) is None
    for at in range(min(len(good), 5)):
        for wrong in WRONG:
            assert ask([*good[:at], wrong, *good[at + 1 :]]) is None
    assert ask([*good[:3], "cell_state", *good[4:]]) is None  # it has none
    if call == "hold":
        for wrong in [True, "0", [], {}, float("nan"), float("inf"), 10**400, 1e39]:
            assert ask([*good[:5], wrong]) is None
