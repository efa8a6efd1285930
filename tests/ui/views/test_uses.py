"""The Try view without a page: its answers are the library's, and nonsense gets none."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_lm.insight.completion import compare, complete_word
from lstm_lm.insight.keystrokes import keystrokes
from lstm_lm.insight.linear_probe import train_probe
from lstm_lm.insight.probe_features import mean_hidden_states, token_shares
from lstm_lm.language_model import load
from lstm_lm.store.loading import save
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.uses.author_examples import AUSTEN, BIBLE, CARROLL, HELD_OUT, PAIRS
from lstm_lm.ui.views.uses.author_probes import LONGEST_EXAMPLE, MOST_EXAMPLES
from lstm_lm.ui.views.uses.view import LONGEST_PROMPT, LONGEST_SENTENCE, TryView
from tests import tolerance
from tests.conftest import tiny_model

REAL = "shakespeare-char"
ADA = ["abc" * n for n in (3, 5, 8, 4)]
BEN = ["fgh ef" * n for n in (2, 5, 3, 4)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder of a tiny LSTM of two layers."""
    folder: Path = tmp_path_factory.mktemp("models") / "tiny"
    save(tiny_model(scale=2.0), folder)
    return str(folder)


@pytest.fixture(scope="module")
def view(tiny: str) -> TryView:
    return TryView(ModelShelf([REAL, tiny], RunStore()))


def side(name: str, examples: list[str] | tuple[str, ...]) -> list[str]:
    return [name, "\n\n".join(examples)]


def answered(answer: dict[str, Any] | None) -> dict[str, Any]:
    assert answer
    json.dumps(answer, allow_nan=False)
    assert "error" not in answer, answer
    return answer


def test_a_word_is_completed_as_the_library_does(view: TryView) -> None:
    found = answered(view.complete([REAL, "To be, or not to b"]))
    theirs = complete_word(load(REAL), "To be, or not to b", keep=8)
    assert found["begun"] == "b"
    assert [(each["text"], each["probability"]) for each in found["completions"]] == [
        (each.text, pytest.approx(each.probability)) for each in theirs
    ]
    share = f"{theirs[0].probability:.0%}"
    assert found["finding"] == (
        f"After “To be, or not to b” the likeliest word is “be”: at least {share}."
    )
    assert len(answered(view.complete([REAL, ""]))["completions"]) == 8
    odd = answered(view.complete([REAL, "I am 2 h"]))
    assert odd["notes"] == ["This model has never seen '2' (U+0032): it is left out."]


def test_two_sentences_cost_what_the_library_says(view: TryView, tiny: str) -> None:
    found = answered(view.likelier([tiny, "a bad cab", "a bad bag"]))
    theirs = compare(load(tiny), "a bad cab", "a bad bag")
    assert found["sentence"] == theirs.sentence()
    assert found["likelier"] == theirs.likelier
    assert found["parts_at"] == 6
    for shown, costs, total in zip(found["texts"], theirs.of_tokens, theirs.log_probs, strict=True):
        np.testing.assert_allclose(shown["nats"], -costs)
        assert shown["total"] == -total
        assert "".join(shown["tokens"]) in ("a bad cab", "a bad bag")


def test_keys_are_counted_as_the_library_counts_them(view: TryView) -> None:
    text = "I have news."
    found, model = answered(view.keys([REAL, text])), load(REAL)
    theirs, control = keystrokes(model, text), keystrokes(model, text, word_only=True)
    assert (found["presses"], found["word_only"]) == (theirs.presses, control.presses)
    assert "".join(piece for piece, _ in found["pieces"]) == text
    assert found["sentence"].startswith(f"{theirs.presses} presses instead of 12: ")


@pytest.mark.parametrize("layer", [None, 0])
def test_authors_are_told_as_the_library_tells_them(
    view: TryView, tiny: str, layer: int | None
) -> None:
    found = answered(view.train([tiny, side("Ada", ADA), side("Ben", BEN), layer]))
    model, labels = load(tiny), ["Ada"] * 4 + ["Ben"] * 4
    probe = train_probe(mean_hidden_states(model, [*ADA, *BEN], layer), labels)
    assert found["sentence"] == probe.sentence()
    assert found["told"] == list(probe.told)
    assert found["labels"] == labels
    assert [each["unit"] for each in found["units"]] == probe.telling_units(8)
    assert (found["accuracy"], found["odds"]) == (probe.accuracy, probe.odds)
    assert found["layers"][1 if layer is None else 0] == probe.accuracy
    counts = train_probe(token_shares(model, [*ADA, *BEN]), labels)
    assert found["counts"] == {"accuracy": counts.accuracy, "odds": counts.odds}
    told = answered(view.tell([tiny, side("Ada", ADA), side("Ben", BEN), layer, "abcab"]))
    scores = probe.scores(mean_hidden_states(model, ["abcab"], layer))[0]
    near = tolerance.probe(model, probe)
    np.testing.assert_allclose(told["scores"], scores, rtol=0, atol=near)
    assert told["told"] == probe.labels[int(scores.argmax())]
    assert told["so_far"][-1] == pytest.approx(scores[0] - scores[1], abs=2 * near)
    assert len(told["each"]) == len(told["tokens"]) == 5
    again = answered(view.tell([tiny, side("Ada", ADA), side("Ben", BEN), layer, ADA[0]]))
    assert again["notes"] == ["This sentence is one of the examples: the probe has seen it."]


def test_the_authors_of_the_page_are_told_apart(view: TryView) -> None:
    opening = answered(view.opening([REAL]))
    assert opening["pairs"][0]["sides"][0][1] == "\n\n".join(AUSTEN)
    for pair in opening["pairs"][::2]:  # Austen and the Bible are close to the accepted odds
        assert answered(view.train([REAL, *pair["sides"], None]))["stands_out"]


def test_authors_that_are_mixed_do_not_stand_out(view: TryView) -> None:
    random, passages = np.random.default_rng(3), [*AUSTEN, *BIBLE]
    found: list[dict[str, Any]] = []
    for _ in range(6):
        mixed = [passages[number] for number in random.permutation(len(passages))]
        sides = side("one", mixed[::2]), side("other", mixed[1::2])
        found.append(answered(view.train([REAL, *sides, None])))
    quiet = [each for each in found if not each["stands_out"]]
    # Of labels that mean nothing one in twenty stands out; three of six do once in 450 times.
    assert len(quiet) > 3
    assert "does not tell one from other better than chance" in quiet[0]["sentence"]
    assert "More examples of each, or longer ones, may help" in quiet[0]["evidence"]


def test_the_examples_are_plain_and_the_held_out_ones_are_in_no_list() -> None:
    lists = (AUSTEN, CARROLL, BIBLE)
    known = set(load(REAL).tokenizer.decode(range(65)))
    for passage in [*HELD_OUT.values(), *(each for found in lists for each in found)]:
        assert len(passage) <= LONGEST_EXAMPLE
        assert set(passage) <= known - {"\n"}
    assert not set(HELD_OUT.values()) & {each for found in lists for each in found}
    assert {name for pair in PAIRS for name, _ in pair} == set(HELD_OUT)


def test_a_model_of_another_text_opens_with_what_it_wrote(view: TryView, tiny: str) -> None:
    opening = answered(view.opening([tiny]))
    wrote = tiny_model(scale=2.0).tokenizer
    assert set(opening["prompt"]) <= {wrote.token(number) for number in range(wrote.vocab_size)}
    assert answered(view.complete([tiny, opening["prompt"]]))["completions"]
    assert all(answered(view.likelier([tiny, *two])) for _, *two in opening["sentences"])


def test_what_was_pasted_is_cut_and_said(view: TryView, tiny: str) -> None:
    long = ["abc" * 300, *ADA]
    many = [f"{'fgh'[n % 3] * (n % 7 + 1)} 9" for n in range(MOST_EXAMPLES + 4)]
    found = answered(view.train([tiny, side("Ada", long), side("Ben", many), None]))
    assert found["notes"] == [
        "1 of Ada’s examples is longer than 600 characters: what comes after is left out.",
        "Of Ben’s 64 examples the first 60 are used.",
        "This model has never seen '9' (U+0039): it is left out.",
    ]
    assert len(found["examples"]) == len(found["told"]) == 5 + 60
    assert len(found["examples"][0]) == 600
    much = answered(view.train([tiny, side("Ada", ["abc" * 200] * 50), side("Ben", BEN), None]))
    assert much["notes"] == ["Of Ada’s 50 examples the first 33 are used."]  # 20,000 characters


@pytest.mark.parametrize(
    ("name", "rest", "message"),
    [
        ("complete", ["a" * (LONGEST_PROMPT + 1)], "the text has 601 characters: at most 600"),
        ("keys", [""], "there is no sentence yet: type one"),
        ("keys", ["a" * 61], "the sentence has 61 characters: at most 60"),
        ("keys", ["Z"], "nothing is left of the sentence"),
        ("likelier", ["", "a"], "one of the two sentences is empty"),
        ("likelier", ["a", "b" * (LONGEST_SENTENCE + 1)], "has 401 characters: at most 400"),
        ("likelier", ["a", "ZZ"], "nothing is left of a sentence. This model has never seen 'Z'"),
        ("train", [["A", "a"], ["B", "b"], None], "A has 1 example: give at least 3, with a blank"),
        ("train", [side("A", ADA), side("A", BEN), 0], "both authors are called A"),
        ("train", [side(" ", ADA), side("A", BEN), 0], "an author has no name"),
        ("train", [side("A", [*ADA, "ZZ"]), side("B", BEN), 0], "nothing of the example 'ZZ'"),
        ("train", [["A", "a" * 100_001], side("B", BEN), 0], "paste at most 100,000"),
        ("tell", [side("A", ADA), side("B", BEN), 0, " "], "there is no sentence yet"),
        ("tell", [side("A", ADA), side("B", BEN), 0, "Z"], "nothing is left of the sentence"),
        ("tell", [side("A", ADA), side("B", BEN), 0, "a" * 601], "at most 600"),
    ],
)
def test_what_a_person_can_mend_is_answered_in_a_line(
    view: TryView, tiny: str, name: str, rest: list[Any], message: str
) -> None:
    answer = getattr(view, name)([tiny, *rest])
    assert answer
    assert message in answer["error"]
    assert "\n" not in answer["error"]


def test_what_no_page_would_send_is_answered_with_nothing(view: TryView, tiny: str) -> None:
    ada, ben = side("Ada", ADA), side("Ben", BEN)
    good: dict[str, list[Any]] = {
        "opening": [],
        "complete": ["a"],
        "keys": ["a"],
        "likelier": ["a", "b"],
        "train": [ada, ben, 0],
        "tell": [ada, ben, 0, "a"],
    }
    for name, rest in good.items():
        call = getattr(view, name)
        assert call([tiny, *rest])
        for wrong in (
            None,
            {},
            [],
            "x",
            rest,
            [tiny, *rest, 0],
            ["another", *rest],
            [[tiny], *rest],
        ):
            assert call(wrong) is None
        for at in range(len(rest)):
            for wrong in (
                -1,
                2,
                1.0,
                True,
                [],
                {},
                ["Ada"],
                [1, "a"],
                ["x" * 41, "a"],
                ["Ada", None],
            ):
                assert call([tiny, *rest[:at], wrong, *rest[at + 1 :]]) is None


def test_a_probe_is_trained_once_and_few_are_kept(
    view: TryView, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstm_lm.ui.views.uses import view as try_view

    asked = [tiny, side("Ada", ADA), side("Ben", BEN)]
    first = answered(view.train([*asked, 1]))
    with monkeypatch.context() as patched:
        patched.setattr(try_view, "train", lambda *_: pytest.fail("trained again"))
        assert view.train([*asked, 1]) is first
        assert answered(view.tell([*asked, 0, "abc"]))
    monkeypatch.setattr(try_view, "KEPT", 1)
    answered(view.train([tiny, side("Eve", ADA), side("Ben", BEN), 1]))
    assert view.train([*asked, 1]) is not first
