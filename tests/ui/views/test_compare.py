"""The Compare view's answers: the library's own numbers, checked arguments, one line else."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lstm_lm.cells.signals import SIGNALS_OF_CELL
from lstm_lm.config import ModelConfig
from lstm_lm.language_model import LanguageModel
from lstm_lm.store.loading import save
from lstm_lm.store.snapshots import snapshot_folder
from lstm_lm.text.tokenizer import SentencePieceTokenizer
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.compare import view as compare_view
from lstm_lm.ui.views.compare.view import CompareView, label_of
from lstm_lm.ui.views.units import view as unit_view
from lstm_lm.ui.views.workbench.payload import cell_scale, to_bytes
from tests import tolerance
from tests.conftest import tiny_model

TEXT = "abc abd\nhead cab dace\n"


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory, subwords: SentencePieceTokenizer) -> list[str]:
    """An LSTM whose run kept two early models, a plain RNN, and an LSTM over subwords."""
    folder = tmp_path_factory.mktemp("models")
    pieces = LanguageModel(
        ModelConfig(
            vocab_size=subwords.vocab_size, tokenizer="sentencepiece",
            layers=1, hidden_size=8, embedding_size=5,
        ),
        subwords, seed=3,
    )  # fmt: skip
    models = {"tiny": tiny_model(scale=2.0), "tiny-rnn": tiny_model(cell="rnn"), "pieces": pieces}
    for name, model in models.items():
        save(model, folder / name)
    for step in (4, 16):
        save(tiny_model(seed=step), snapshot_folder(folder / "tiny", step))
    return [str(folder / name) for name in models]


@pytest.fixture
def shelf(names: list[str]) -> ModelShelf:
    return ModelShelf(names, RunStore())


@pytest.fixture
def view(shelf: ModelShelf) -> CompareView:
    return CompareView(shelf)


def given(answer: dict[str, Any] | None) -> dict[str, Any]:
    """The answer, which is plain JSON."""
    assert answer is not None
    assert "error" not in answer, answer
    json.dumps(answer, allow_nan=False)
    return answer


def floats(data: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(data), dtype=np.float32)


def test_the_rnn_with_the_same_tokens_is_offered_beside_and_no_early_model_is_loaded(
    view: CompareView, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "lstm_lm.ui.views.compare.view.load_folder", lambda folder: pytest.fail("loaded")
    )
    offer = given(view.offer([names[0]]))
    assert (offer["left"], offer["right"]) == (names[0], names[1])
    assert [one["label"] for one in offer["models"]] == ["tiny", "tiny-rnn", "pieces"]
    assert [one["label"] for one in offer["models"][0]["early"]] == [
        "tiny after 4 steps", "tiny after 16 steps",
    ]  # fmt: skip


def test_without_a_partner_a_run_is_set_beside_its_earliest_model(names: list[str]) -> None:
    alone = CompareView(ModelShelf(names[:1], RunStore()))
    offer = given(alone.offer([names[0]]))
    assert label_of(offer["right"]) == "tiny after 4 steps"
    answer = given(alone.compare([offer["left"], offer["right"], TEXT]))
    assert [side["label"] for side in answer["sides"]] == ["tiny", "tiny after 4 steps"]
    early = LanguageModel.from_pretrained(snapshot_folder(Path(names[0]), 4))
    near = tolerance.log_probs(early)
    assert answer["sides"][1]["nats"] == pytest.approx(
        -early.score(TEXT) / (len(TEXT) - 1), abs=near
    )


def test_costs_are_those_of_score_and_the_first_token_has_none(
    view: CompareView, shelf: ModelShelf, names: list[str]
) -> None:
    answer = given(view.compare([names[0], names[1], TEXT]))
    for name, side in zip(names, answer["sides"], strict=False):
        model = shelf.get(name).model
        score, near = model.score(TEXT), tolerance.score(model, len(TEXT))
        cost = floats(side["cost"])
        assert np.isnan(cost[0])
        assert cost[1:].sum() == pytest.approx(-score, abs=near)
        assert side["nats"] == pytest.approx(-score / (len(TEXT) - 1), abs=near / (len(TEXT) - 1))
    difference = floats(answer["difference"])
    costs = [floats(side["cost"]) for side in answer["sides"]]
    np.testing.assert_allclose(difference[1:], (costs[1] - costs[0])[1:], atol=1e-5)
    assert answer["bounds"] == list(range(len(TEXT) + 1))


def test_characters_and_subwords_are_compared_where_both_end(
    view: CompareView, shelf: ModelShelf, names: list[str]
) -> None:
    text = "bad cab\nface a bed"
    answer = given(view.compare([names[0], names[2], text]))
    chars, pieces = answer["sides"]
    assert chars["bounds"] == list(range(len(text) + 1))
    ids = shelf.get(names[2]).model.tokenizer.encode(text).tolist()
    tokens = [shelf.get(names[2]).model.tokenizer.token(each) for each in ids]
    assert [
        text[a:b] for a, b in zip(pieces["bounds"], pieces["bounds"][1:], strict=False)
    ] == tokens
    assert answer["bounds"] == pieces["bounds"]
    first = len(tokens[0])
    log_probs = trace_tokens(shelf.get(names[2]).model, np.array(ids)).log_probs
    assert answer["compared"] == len(text) - first
    at = answer["bounds"][-2]  # the last stretch: a subword, or a character
    place = given(view.place([names[0], names[2], text, at]))
    assert place["stretch"] == text[at:]
    model = shelf.get(names[0]).model
    whole = model.score(text[:at]) - model.score(text)
    assert place["sides"][0]["whole"] == pytest.approx(
        whole, abs=2 * tolerance.score(model, len(text))
    )
    assert place["sides"][1]["whole"] == pytest.approx(-log_probs[-1], rel=1e-5)
    assert pieces["nats"] == pytest.approx(-log_probs[1:].sum() / (len(text) - first), rel=1e-5)


def test_the_place_gives_what_the_logits_say(
    view: CompareView, shelf: ModelShelf, names: list[str]
) -> None:
    place = given(view.place([names[0], names[1], TEXT, 9]))
    for name, side in zip(names, place["sides"], strict=False):
        model = shelf.get(name).model
        ids = torch.from_numpy(model.tokenizer.encode(TEXT))
        logits, _ = model(ids[None, :9], model.zero_state())
        chances = logits[-1, 0].double().softmax(0).numpy()
        near = tolerance.log_probs(model)  # as an error of a probability is to the probability
        assert side["tokens"] == [TEXT[9]]
        assert side["probability"] == pytest.approx(chances[ids[9]], rel=near)
        assert side["cost"] == pytest.approx(-np.log(chances[ids[9]]), abs=near)
        best = np.argsort(-chances)[:5]
        assert [token for token, _ in side["likeliest"]] == [model.tokenizer.token(t) for t in best]
        np.testing.assert_allclose([p for _, p in side["likeliest"]], chances[best], rtol=near)
        assert side["rank"] == 1 + (chances > chances[ids[9]]).sum()
    first = given(view.place([names[0], names[1], TEXT, 0]))
    assert [side["cost"] for side in first["sides"]] == [None, None]
    assert first["difference"] is None


def test_a_character_of_several_bytes_is_one_piece_in_subwords(
    view: CompareView, names: list[str]
) -> None:
    text = "a bé cab"
    answer = given(view.compare([names[2], names[2], text]))
    side = answer["sides"][0]
    at = text.index("é")
    assert {at, at + 1} <= set(side["bounds"])
    sides = given(view.place([names[2], names[2], text, at]))["sides"]
    assert sides[0]["tokens"] == ["<0xC3>", "<0xA9>"]
    assert sides[0]["cost"] == pytest.approx(floats(side["cost"])[at], rel=1e-5)


def test_the_heatmap_holds_a_byte_a_unit_and_token(
    view: CompareView, shelf: ModelShelf, names: list[str]
) -> None:
    painted = given(view.paint([names[0], TEXT, 5, 1]))
    assert sorted(painted["order"]) == list(range(8))
    colors = np.frombuffer(base64.b64decode(painted["data"]), dtype=np.uint8).reshape(len(TEXT), 8)
    model = shelf.get(names[0]).model
    hidden = trace_tokens(model, model.tokenizer.encode(TEXT))["hidden_state"][1]
    np.testing.assert_array_equal(colors, np.rint(hidden * 127) + 128)


def test_what_one_has_never_seen_is_left_out_for_both_and_named_once(
    view: CompareView, names: list[str]
) -> None:
    answer = given(view.compare([names[0], names[2], "aé b\ud800cad"]))
    assert answer["text"] == "a bcad"
    assert answer["notes"] == [
        "tiny has never seen 'é' (U+00E9), '\\ud800' (U+D800): left out for both, so that they "
        "read the same."
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "there is nothing to compare: give a text of which both know two characters"),
        ("é?Q", "there is nothing to compare"),
        ("a" * 2_001, "the text has 2,001 characters; two models are compared on at most 2,000"),
    ],
)
def test_a_text_that_cannot_be_compared_gets_one_line(
    view: CompareView, names: list[str], text: str, line: str
) -> None:
    answer = view.compare([names[0], names[1], text])
    assert answer is not None
    assert answer["error"].startswith(line)


def test_half_a_surrogate_pair_for_subwords_gets_one_line(
    view: CompareView, names: list[str]
) -> None:
    answer = view.compare([names[2], names[2], "a\ud800b"])
    assert answer is not None
    assert answer["error"].startswith("character 1 is half a surrogate pair")


def test_a_name_that_is_not_on_offer_gets_one_line(view: CompareView, names: list[str]) -> None:
    for name in ("no", f"{names[0]}/snapshots/step-000005", f"{names[0]}/../tiny", "/etc"):
        for answer in (view.compare([names[0], name, TEXT]), view.paint([name, TEXT, 0, 0])):
            assert answer is not None
            assert answer["error"].startswith("no model ")


def test_hostile_arguments_are_answered_with_nothing(view: CompareView, names: list[str]) -> None:
    a, b = names[:2]
    questions = {
        view.offer: [None, "x", [], [1], [a, b], [None]],
        view.compare: [None, {}, [a], [a, b], [a, b, 3], [a, 3, TEXT], [None, b, TEXT]],
        view.paint: [
            [a, TEXT, 0], [a, TEXT, "0", 0], [a, TEXT, True, 0], [a, TEXT, 6, 0], [a, TEXT, -1, 0],
            [a, TEXT, 0, 2], [a, TEXT, 0, 1.0], [a, None, 0, 0], [a, "a", 0, 0],
            [a, "a" * 2_001, 0, 0], [a, TEXT, 10**400, 0],
        ],
        view.place: [
            [a, b, TEXT], [a, b, TEXT, -1], [a, b, TEXT, len(TEXT)], [a, b, TEXT, 1.5],
            [a, b, TEXT, None], [a, b, TEXT, True], [a, b, [TEXT], 1],
        ],
    }  # fmt: skip
    for ask, every in questions.items():
        for question in every:
            assert ask(question) is None, (ask, question)


def test_the_colours_are_those_of_all_signals_together(
    view: CompareView, shelf: ModelShelf, names: list[str]
) -> None:
    for name in names[:2]:
        given(view.compare([name, name, TEXT]))
        model = shelf.get(name).model
        trace = trace_tokens(model, model.tokenizer.encode(TEXT))
        cell = model.config.cell
        values = np.stack([trace[one.name] for one in SIGNALS_OF_CELL[cell]]).transpose(2, 0, 1, 3)
        theirs = to_bytes(values, cell, cell_scale(values, cell))
        np.testing.assert_array_equal(view._readings[name, TEXT].colors, theirs)


def test_a_large_model_is_compared_on_a_shorter_text(
    view: CompareView, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_view, "MOST_VALUES", 10 * 6 * 2 * 8)  # ten tokens of the LSTM
    assert given(view.compare([names[1], names[0], "abcde abcd"]))["text"] == "abcde abcd"
    for answer in (
        view.compare([names[1], names[0], "abcde abcde"]),
        view.place([names[1], names[0], "abcde abcde", 3]),
        view.paint([names[0], "abcde abcde", 0, 0]),
    ):
        assert answer == {
            "error": "the text has 11 tokens for tiny; two models are compared on at most 10 of "
            "its: shorten it"
        }
    opening = given(view.compare([names[1], names[0], None]))["text"]
    assert 2 <= len(opening) <= 10  # the example is cut, not refused


def test_what_is_kept_is_bounded(
    view: CompareView, shelf: ModelShelf, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        given(view.compare([names[0], names[1], "ab" * (number + 2)]))
    assert len(view._readings) == 6
    monkeypatch.setattr(compare_view, "EARLY_KEPT", 1)
    first, last = shelf.early(names[0])
    for early in (first, last):
        given(view.compare([names[0], early, TEXT]))
    assert list(view._early) == [last]
