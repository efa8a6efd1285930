"""The Memory view's answers: insight's own numbers, checked arguments, true sentences."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lstm_lm.insight.context import loss_by_context
from lstm_lm.insight.memory import (
    InfluenceByDistance,
    cell_path,
    fades_to,
    half_lives,
    influence,
    influence_by_distance,
)
from lstm_lm.insight.saturation import saturation
from lstm_lm.language_model import LanguageModel
from lstm_lm.store.loading import save
from lstm_lm.text.tokenizer import CharTokenizer
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.compare.partner import same_tokens
from lstm_lm.ui.views.memory import view as memory_view
from lstm_lm.ui.views.memory.view import MemoryView
from lstm_lm.ui.views.memory.words import fading
from tests.conftest import tiny_model

TEXT = "abc abd\nhead cab dace\n" * 20  # 440 tokens


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """An LSTM, a plain RNN with the same tokens, and one with others."""
    folder = tmp_path_factory.mktemp("models")
    lonely = tiny_model(layers=1)
    lonely.tokenizer = CharTokenizer("\n ABCDEFGH")
    models = {"tiny": tiny_model(scale=2.0), "tiny-rnn": tiny_model(cell="rnn"), "lonely": lonely}
    for name, model in models.items():
        save(model, folder / name)
    return [str(folder / name) for name in models]


@pytest.fixture
def shelf(names: list[str]) -> ModelShelf:
    return ModelShelf(names, RunStore())


@pytest.fixture
def view(shelf: ModelShelf) -> MemoryView:
    return MemoryView(shelf)


def given(answer: dict[str, Any] | None) -> dict[str, Any]:
    """The answer, which is plain JSON."""
    assert answer is not None
    assert "error" not in answer, answer
    json.dumps(answer, allow_nan=False)
    return answer


def gradients(model: LanguageModel, token_ids: np.ndarray, step: int) -> np.ndarray:
    """|d log p(token at step) / d x_t| for every t before, in float64, by autograd from scratch."""
    weights = {name: weight.double() for name, weight in model.weights().items()}
    embedding = weights["embedding.weight"][torch.from_numpy(token_ids[:step])]
    x = embedding.clone().requires_grad_()
    below = list(x)
    for layer in range(model.config.layers):
        W_ih, W_hh, b_ih, b_hh = (
            weights[f"rnn.{name}_l{layer}"]
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        h = c = torch.zeros(model.config.hidden_size, dtype=torch.float64)
        outputs = []
        for each in below:
            total = W_ih @ each + b_ih + W_hh @ h + b_hh
            if model.config.cell == "lstm":
                i, f, g, o = total.chunk(4)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
            else:
                h = total.tanh()
            outputs.append(h)
        below = outputs
    logits = weights["decoder.weight"] @ below[-1] + weights["decoder.bias"]
    log_prob = logits.log_softmax(0)[int(token_ids[step])]
    return torch.autograd.grad(log_prob, x)[0].norm(dim=1).numpy()


@pytest.mark.parametrize("chosen", [0, 1])
def test_a_model_is_set_beside_one_of_the_other_kind_an_lstm_first(
    view: MemoryView, names: list[str], chosen: int
) -> None:
    found = given(view.overview([names[chosen], None]))
    assert [(one["name"], one["cell"]) for one in found["models"]] == [
        ("tiny", "lstm"), ("tiny-rnn", "rnn"),
    ]  # fmt: skip
    assert found["notes"] == []
    assert found["source"].startswith(["tiny (LSTM)", "tiny-rnn (plain RNN)"][chosen])
    assert len(found["tokens"]) == found["step"] + 1 == 321


def test_a_model_without_a_partner_is_shown_alone_and_says_so(
    view: MemoryView, names: list[str], shelf: ModelShelf
) -> None:
    found = given(view.overview([names[2], None]))
    assert [one["name"] for one in found["models"]] == ["lonely"]
    assert found["notes"] == [
        "This page has no plain RNN with the same tokens to set beside lonely, so it is shown "
        "alone."
    ]
    assert not same_tokens(*(shelf.get(names[at]).model.tokenizer for at in (0, 2)))


def test_influences_are_insights_and_those_of_autograd_in_float64(
    view: MemoryView, names: list[str], shelf: ModelShelf
) -> None:
    found = given(view.influences([names[0], TEXT, 40, 1]))
    ids = shelf.get(names[0]).model.tokenizer.encode(TEXT)
    for one, name in zip(found["models"], names, strict=False):
        model = shelf.get(name).model
        assert one["size"] == influence(model, ids, 40, window=600).size.tolist()
        np.testing.assert_allclose(one["size"], gradients(model, ids, 40), rtol=2e-3, atol=1e-9)
        share = influence(model, ids, 40).share
        last, far = re.findall(r"last (\d* ?)tokens?, ([\d.]+) %", one["sentence"])[0]
        assert share[-int(last or 1) :].sum() >= 0.5 > share[40 - int(last or 1) + 1 :].sum()
        assert float(far) == pytest.approx(100 * share[:20].sum(), rel=0.05, abs=0.06)


def test_the_path_is_that_of_the_state_before_and_of_the_unit_that_keeps_longest(
    view: MemoryView, names: list[str], shelf: ModelShelf
) -> None:
    model = shelf.get(names[0]).model
    trace = trace_tokens(model, model.tokenizer.encode(TEXT))
    for layer in (0, 1):
        path = given(view.influences([names[0], TEXT, 40, layer]))["path"]
        theirs = cell_path(trace, layer, 39)
        unit = int(half_lives(trace)[layer].argmax())
        assert path["unit"] == unit
        assert path["half_life"] == float(half_lives(trace)[layer, unit])
        assert path["kept"] == theirs.kept[:, unit].tolist()
        assert path["median"] == theirs.median.tolist()
        f = trace["forget_gate"].astype(np.float64)[layer]
        assert path["kept"][30] == pytest.approx(np.prod(f[31:40, unit]), rel=1e-5)
        assert path["kept"][39] == path["median"][39] == 1


def test_fading_is_insights(view: MemoryView, names: list[str], shelf: ModelShelf) -> None:
    found = given(view.fading([names[0], TEXT]))
    ids = shelf.get(names[0]).model.tokenizer.encode(TEXT)
    for one, name in zip(found["models"], names, strict=False):
        model = shelf.get(name).model
        theirs = influence_by_distance(model, ids, distances=128, places=24, warm_up=32)
        assert one["middle"] == theirs.middle.tolist()
        assert one["fades_to"] == fades_to(theirs.middle, 0.001)
        assert f"from {one['fades_to']} back on" in found["evidence"]
    assert "more than 50" in found["sentence"]
    assert found["places"] == 24
    # Of a short text half is for looking back; of a shorter one nothing is said.
    assert len(given(view.fading([names[0], TEXT[:101]]))["models"][0]["middle"]) == 34
    assert given(view.fading([names[0], TEXT[:64]])) == {
        "short": "For this the text is too short: it takes 65 tokens."
    }
    assert len(given(view.fading([names[0], TEXT[:65]]))["models"]) == 2


def test_gates_are_insights_and_counted(
    view: MemoryView, names: list[str], shelf: ModelShelf
) -> None:
    found = given(view.gates([names[1], TEXT, 1]))  # of the LSTM beside the RNN that is chosen
    model = shelf.get(names[0]).model
    trace = trace_tokens(model, model.tokenizer.encode(TEXT))
    theirs = saturation(trace)
    assert [gate["name"] for gate in found["gates"]] == ["forget_gate", "input_gate", "output_gate"]
    for gate in found["gates"]:
        assert gate["left"] == theirs.left[gate["name"]][1].tolist()
        assert gate["right"] == theirs.right[gate["name"]][1].tolist()
        assert gate["sentence"] == theirs.sentence(gate["name"], 1)
    forget = trace["forget_gate"][1, :, 5]
    shut = sum(float(value) < 0.1 for value in forget) / len(forget)
    assert found["gates"][0]["left"][5] == pytest.approx(shut)
    assert found["steps"] == len(TEXT)


def test_the_loss_by_context_is_insights_and_only_of_a_persons_text(
    view: MemoryView, names: list[str], shelf: ModelShelf
) -> None:
    found = given(view.contexts([names[0], TEXT]))
    for one, name in zip(found["models"], names, strict=False):
        model = shelf.get(name).model
        theirs = loss_by_context(model, model.tokenizer.encode(TEXT))
        assert found["contexts"] == list(theirs.contexts)
        np.testing.assert_array_equal(one["loss"], theirs.loss)
        assert found["targets"] == theirs.targets
    assert "wrote this text itself" in given(view.contexts([names[0], None]))["short"]
    assert given(view.contexts([names[0], TEXT[:90]])) == {
        "short": "The text has 90 tokens, too few to compare contexts in: give 131 or more."
    }


@pytest.mark.parametrize("name", ["overview", "influences", "fading", "gates", "contexts"])
def test_wrong_questions_are_answered_with_nothing_or_a_line(
    view: MemoryView, names: list[str], name: str
) -> None:
    ask = getattr(view, name)
    more: list[Any] = {"influences": [1, 0], "gates": [0]}.get(name, [])
    for wrong in [None, {}, [], "x", names[:1], [names[0], 3, *more], [3, None, *more]]:
        assert ask(wrong) is None
    assert ask([names[0], None, *more, 0]) is None
    for at in range(len(more)):
        for wrong in [None, -1, 10**9, 1.0, True, "1", [], {}]:
            assert ask([names[0], "ab ab", *more[:at], wrong, *more[at + 1 :]]) is None
    assert "no model 'another'" in ask(["another", None, *more])["error"]
    for text, told in [
        (" \n", "there is no text yet"),
        ("a", "a single token"),
        ("ab " * 201, "the text has 603 tokens; this view takes at most 600"),
        ("ab " * 20_000, "the text has 60,000 characters"),
    ]:
        assert told in ask([names[0], text, *more])["error"]
        assert "\n" not in ask([names[0], text, *more])["error"]


def test_a_step_has_something_before_it(view: MemoryView, names: list[str]) -> None:
    assert view.influences([names[0], "ab", 0, 0]) is None
    assert len(given(view.influences([names[0], "ab", 1, 0]))["models"][0]["size"]) == 1
    assert view.influences([names[0], "ab", 2, 0]) is None


def test_an_unknown_character_is_named(view: MemoryView, names: list[str]) -> None:
    found = given(view.overview([names[0], "abXc"]))
    assert found["tokens"] == list("abc")
    assert "'X'" in found["notes"][0]


def test_answers_are_kept_and_few(
    view: MemoryView, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = view.overview([names[0], "ab ab"])
    assert view.overview([names[0], "ab ab"]) is first
    monkeypatch.setattr(memory_view, "TEXTS_KEPT", 2)
    for text in ("a b", "b a", "ba ba"):
        view.overview([names[0], text])
    assert view.overview([names[0], "ab ab"]) == first
    assert view.overview([names[0], "ab ab"]) is not first


def test_a_guest_of_the_same_name_is_read_anew(view: MemoryView, shelf: ModelShelf) -> None:
    name = "ada/verse"
    shelf.add_guest(name, Path(shelf.names[0]), 2)
    before = given(view.influences([name, "abc abd", 5, 0]))
    shelf.add_guest(name, Path(shelf.names[1]), 2)
    after = given(view.influences([name, "abc abd", 5, 0]))
    assert [one["name"] for one in before["models"]] == [name, "tiny-rnn"]
    assert [one["name"] for one in after["models"]] == ["tiny", name]  # it is an RNN now


# Sentences, of planted numbers

LSTM = {"name": "deep", "cell": "lstm", "kind": "LSTM"}
RNN = {"name": "flat", "cell": "rnn", "kind": "plain RNN"}


def fade(base: float, places: int = 24, least: float = 0.0) -> InfluenceByDistance:
    """At every place the same: less by a factor with every token back, never below the least."""
    sizes = np.maximum(base ** np.arange(40), least).astype(np.float32)
    mean = 2 * sizes
    return InfluenceByDistance(
        mean=mean, standard_error=mean, sizes=np.tile(mean[:, None], (1, places))
    )


def test_a_difference_at_every_place_is_told_with_its_numbers() -> None:
    # Beyond 10: 0.8^10 = 10.7 % (of 40), 0.5^10 = 0.098 %. 0.8^31 = 0.00099, 0.5^10 = 0.00098.
    sentence, evidence = fading([(LSTM, fade(0.8)), (RNN, fade(0.5))], 10)
    assert sentence == (
        "In deep (LSTM) 10.7 % of the gradient falls on tokens more than 10 back, in flat "
        "(plain RNN) 0.098 %: 110 times as much."
    )
    assert evidence == (
        "The middle of 24 places of this text; the LSTM’s share is the larger at 24 of them: were "
        "the places independent, this would happen by chance once in 1,000,000 times. The "
        "gradient of a token’s log-probability with respect to those read before. LSTM: below a "
        "thousandth of its largest from 32 back on; plain RNN: below a thousandth of its largest "
        "from 11 back on."
    )


def test_an_rnn_that_reaches_further_is_told_so() -> None:
    sentence, evidence = fading([(LSTM, fade(0.5)), (RNN, fade(0.8))], 10)
    assert sentence.startswith("In flat (plain RNN) 10.7 % of the gradient falls on")
    assert "the plain RNN’s share is the larger at 24 of them" in evidence


def test_a_difference_that_chance_would_make_is_not_told_as_one() -> None:
    random = np.random.default_rng(0)
    shuffled = random.lognormal(size=(40, 24)).astype(np.float32)
    other = random.permutation(shuffled.T).T  # the same places in another order
    of = [
        InfluenceByDistance(mean=each[:, 0], standard_error=each[:, 0], sizes=each)
        for each in (shuffled, other)
    ]
    sentence, evidence = fading([(LSTM, of[0]), (RNN, of[1])], 10)
    assert sentence.startswith("No difference stands out: in ")
    assert "which chance would do too often" in evidence
    # Three places that agree are too few to say so.
    assert fading([(LSTM, fade(0.8, 3)), (RNN, fade(0.5, 3))], 10)[0].startswith("No difference")


def test_a_model_alone_is_told_alone() -> None:
    sentence, evidence = fading([(LSTM, fade(0.9, least=0.5))], 10)
    assert sentence.startswith("In deep (LSTM) 69.1 % of the gradient falls on tokens")
    assert evidence.endswith("LSTM: still above a thousandth of its largest 40 back.")
