"""The page of a unit and saturation, on hand-set cells."""

import json

import numpy as np
import pytest

from lstm_lm.errors import UserError
from lstm_lm.insight.saturation import saturation
from lstm_lm.insight.units import places, unit_page
from lstm_lm.language_model import LanguageModel
from tests.planted import ALPHABET, COUNTER, HALVER, LATCH, delay_rnn, hand_set_lstm, trace_of

LINES = ("ab.b\n", "bb.b.bbb.\n", "b.a\n", "bb..b.ab.a.ba.\n")
TEXT = "".join(LINES[i] for i in np.random.default_rng(3).integers(4, size=90))


def test_the_counting_unit_is_known_by_its_page() -> None:
    model = hand_set_lstm()
    page = unit_page(model, model.trace(TEXT), 0, COUNTER, keep=3)
    top = page.extremes["cell_state"].highest[0]
    assert top.value == pytest.approx(14 * 0.05, abs=1e-5)
    assert TEXT[top.step + 1] == "\n"
    assert top.before + top.token + top.after == TEXT[top.start : top.stop]
    assert page.extremes["cell_state"].lowest[0].token == "\n"
    assert page.follows[0].key == "line"
    assert page.follows[0].best.score > 0.999
    assert [found.token for found in page.pushes_up] == ["\n"]
    assert page.pushes_up[0].weight == 3.0  # 4, less the mean over the four tokens
    newline = page.read_from["forget_gate"][0]
    assert (newline.token, newline.weight) == ("\n", -30.0)  # -40, less the mean
    assert "follows the position in the line (|r| 1.00" in page.sentence()


def test_a_latch_pushes_one_token_up_and_one_down() -> None:
    model = hand_set_lstm()
    page = unit_page(model, model.trace(TEXT), 0, LATCH)
    assert [(found.token, found.weight) for found in page.pushes_up] == [("b", 2.0)]
    assert [(found.token, found.weight) for found in page.pushes_down] == [("a", -2.0)]
    assert page.half_life == np.inf
    assert page.to_json()["half_life"] is None  # JSON has no infinity
    json.dumps(page.to_json(), allow_nan=False)


def test_histograms_count_every_step() -> None:
    model = hand_set_lstm()
    page = unit_page(model, model.trace(TEXT), 0, HALVER)
    assert set(page.histograms) == set(model.trace("a").signals)
    for name, histogram in page.histograms.items():
        assert histogram.counts.sum() == len(TEXT), name
    forget = page.histograms["forget_gate"]
    middle = int(np.searchsorted(forget.edges, 0.5, side="right")) - 1
    assert forget.counts[middle] == len(TEXT)
    assert forget.mean == 0.5
    assert page.histograms["cell_state"].edges[0] == -page.histograms["cell_state"].edges[-1]


def test_writers_are_ranked_by_what_they_move_and_not_by_weight_alone(
    model: LanguageModel,
) -> None:
    trace = model.trace("abc abd\nhead bad cab\n" * 5)
    page = unit_page(model, trace, 1, 3, keep=8)
    W = model.weights()["rnn.weight_hh_l1"].double().numpy()
    spread = trace["hidden_state"][1].std(axis=0)
    for row, gate in enumerate(("input_gate", "forget_gate", "candidate", "output_gate")):
        effect = W[row * 8 + 3] * spread
        assert [writer.unit for writer in page.writers[gate]] == np.argsort(-abs(effect)).tolist()
        assert page.writers[gate][0].weight == W[row * 8 + 3, page.writers[gate][0].unit]
    assert page.from_below["candidate"][0].layer == 0
    assert page.read_from == {}
    first = unit_page(model, trace, 0, 3)
    assert first.pushes_up == first.pushes_down == ()
    assert first.from_below == {}


def test_a_plain_rnn_has_a_page_without_gates() -> None:
    model = delay_rnn()
    page = unit_page(model, model.trace(TEXT), 0, 5)
    assert page.half_life is None
    assert list(page.extremes) == list(page.histograms) == ["hidden_state"]
    assert page.writers["hidden_state"][0].unit == 1  # the same token, one block before
    assert page.sentence().startswith("Unit 5 of layer 1 follows")


def test_places_differ_and_do_not_overlap() -> None:
    tokens = list("abcdefgh" * 20)
    values = np.array([token == "h" for token in tokens], dtype=np.float32)
    found = places(tokens, values, 8)
    assert [place.token for place in found].count("h") == 1  # every h has the same before it
    spans = sorted((place.start, place.stop) for place in found)
    assert all(place.start <= place.step < place.stop for place in found)
    assert len({place.step for place in found}) == len(spans)


def test_a_unit_that_is_not_there_is_refused() -> None:
    model = hand_set_lstm()
    with pytest.raises(UserError, match="there is no unit 4: choose one of 0 to 3"):
        unit_page(model, model.trace(TEXT), 0, 4)


def test_saturation_is_the_fraction_of_steps_beyond_each_bound() -> None:
    gate = np.array([[0.05, 0.95], [0.5, 0.91], [0.09, 0.89], [0.1, 0.9]])
    found = saturation(trace_of({"forget_gate": gate, "cell_state": gate}, list("abcd")))
    np.testing.assert_array_equal(found.left["forget_gate"], [[0.5, 0.0]])
    # float32's 0.1 is above and its 0.9 below the double of that name.
    np.testing.assert_array_equal(found.right["forget_gate"], [[0.0, 0.5]])
    assert list(found.left) == ["forget_gate"]


def test_saturation_of_hand_set_cells_is_known() -> None:
    found = saturation(hand_set_lstm().trace(TEXT))
    assert found.right["forget_gate"][0, LATCH] == 1.0
    assert found.right["forget_gate"][0, HALVER] == found.left["forget_gate"][0, HALVER] == 0.0
    share_of_a = TEXT.count("a") / len(TEXT)
    assert found.right["input_gate"][0, LATCH] == pytest.approx(share_of_a, rel=1e-6)
    assert found.left["input_gate"][0, LATCH] == pytest.approx(1 - share_of_a, rel=1e-6)
    assert "open (above 0.9)" in found.sentence("forget_gate", 0)
    assert saturation(delay_rnn().trace(ALPHABET)).left == {}
