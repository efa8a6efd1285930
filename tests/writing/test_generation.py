import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.cells.stepper import Held, Stepper
from lstm_lm.config import ModelConfig, SamplingConfig
from lstm_lm.errors import UnknownCharacterError, UserError
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.tokenizer import CharTokenizer, SentencePieceTokenizer
from lstm_lm.writing.generation import read_prompt, start_token
from lstm_lm.writing.sampling import ladder
from tests import tolerance
from tests.conftest import ALPHABET, tiny_model

CELLS = pytest.mark.parametrize("cell", ["lstm", "rnn"])
SAMPLING = SamplingConfig(max_new_tokens=30, temperature=1.0, seed=4)


def test_same_seed_gives_same_text(model: LanguageModel) -> None:
    text = model.complete("abc", SAMPLING)
    assert len(text) == 30
    assert model.complete("abc", SAMPLING) == text
    assert tiny_model().complete("abc", SAMPLING) == text


def test_other_seeds_give_other_texts(model: LanguageModel) -> None:
    texts = {
        model.complete("abc", SamplingConfig(max_new_tokens=30, temperature=1.0, seed=seed))
        for seed in range(10)
    }
    assert len(texts) == 10


def test_texts_taken_in_turns_do_not_touch_each_other(model: LanguageModel) -> None:
    alone = [step.token for step in model.generate("abc", SAMPLING)]
    one, other = model.generate("abc", SAMPLING), model.generate("cab", SAMPLING)
    assert [step.token for step, _ in zip(one, other, strict=True)] == alone


def test_nothing_is_computed_ahead(model: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    step = Stepper.step

    def counting(self: Stepper, token_id: int, held: Held | None = None) -> None:
        read.append(token_id)
        step(self, token_id, held)

    monkeypatch.setattr(Stepper, "step", counting)
    writing = model.generate("abc", SAMPLING)
    assert len(read) == 0
    for count in range(1, 31):
        assert next(writing).token_id == read[-1]
        assert len(read) == 3 + count
    assert next(writing, None) is None
    assert len(read) == 33


def test_no_tokens_asked_for_are_no_tokens_written(model: LanguageModel) -> None:
    assert model.complete("abc", SamplingConfig(max_new_tokens=0)) == ""


def test_an_unknown_character_is_named_before_anything_is_written(model: LanguageModel) -> None:
    with pytest.raises(UnknownCharacterError, match=r"'Z' \(U\+005A\) at character 2"):
        model.generate("abZ", SAMPLING)


@CELLS
def test_writing_goes_on_from_any_step_as_if_it_had_never_stopped(
    model: LanguageModel, rnn: LanguageModel, cell: str
) -> None:
    used = model if cell == "lstm" else rnn
    whole = list(used.generate("abc", SAMPLING))
    assert [step.position for step in whole] == list(range(3, 33))
    for cut, step in enumerate(whole):
        left = SamplingConfig(max_new_tokens=29 - cut, temperature=1.0, seed=4)
        rest = list(used.generate("", left, state=step.state, position=step.position + 1))
        assert [(s.position, s.token_id, s.log_prob) for s in rest] == [
            (s.position, s.token_id, s.log_prob) for s in whole[cut + 1 :]
        ]
        for ours, theirs in zip(rest, whole[cut + 1 :], strict=True):
            assert all(np.array_equal(ours.signals[n], theirs.signals[n]) for n in ours.signals)
            torch.testing.assert_close(ours.state, theirs.state, rtol=0, atol=0)


def test_a_prompt_can_be_read_from_a_state(model: LanguageModel) -> None:
    whole = [step.token for step in model.generate("abcdef", SAMPLING)]
    state = model.trace("abc").final_state
    assert [s.token for s in model.generate("def", SAMPLING, state=state, position=3)] == whole


@CELLS
def test_log_prob_is_the_log_softmax_of_the_logits_before_temperature(
    model: LanguageModel, rnn: LanguageModel, cell: str
) -> None:
    used = model if cell == "lstm" else rnn
    sampling = SamplingConfig(max_new_tokens=30, temperature=0.3, top_k=4)
    steps = list(used.generate("abc", sampling))
    text = "abc" + "".join(step.token for step in steps)
    token_ids = torch.from_numpy(used.tokenizer.encode(text))
    logits, _ = used(token_ids[None], used.zero_state())
    expected = logits[2:-1, 0].log_softmax(-1)[torch.arange(30), token_ids[3:]]
    tolerance.assert_near([s.log_prob for s in steps], expected, tolerance.log_probs(used))


@CELLS
def test_signals_are_those_of_the_trace_of_the_text(
    model: LanguageModel, rnn: LanguageModel, cell: str
) -> None:
    used = model if cell == "lstm" else rnn
    steps = list(used.generate("abc", SAMPLING))
    trace = used.trace("abc" + "".join(step.token for step in steps))
    for step in steps:
        assert trace.token_ids[step.position] == step.token_id
        assert trace.tokens[step.position] == step.token
        assert tuple(step.signals) == trace.signals
        for name, values in step.signals.items():
            expected = trace[name][:, step.position]
            tolerance.assert_near(values, expected, tolerance.states(used))
        np.testing.assert_allclose(
            step.state[0][:, 0], step.signals["hidden_state"], rtol=0, atol=0
        )


def test_greedy_text_takes_the_likeliest_token_each_time(model: LanguageModel) -> None:
    text = "abc" + model.complete("abc", SamplingConfig(max_new_tokens=30, temperature=0.0))
    token_ids = torch.from_numpy(model.tokenizer.encode(text))
    logits, _ = model(token_ids[None], model.zero_state())
    assert torch.equal(logits[2:-1, 0].argmax(-1), token_ids[3:])


def test_an_empty_prompt_is_a_newline(model: LanguageModel) -> None:
    assert read_prompt(model, "").implied
    assert not read_prompt(model, "\n").implied
    empty, newline = list(model.generate("", SAMPLING)), list(model.generate("\n", SAMPLING))
    assert [(s.token, s.position) for s in empty] == [(s.token, s.position) for s in newline]


def test_an_empty_prompt_is_token_0_where_no_newline_is_known() -> None:
    config = ModelConfig(vocab_size=3, hidden_size=4, embedding_size=2)
    model = LanguageModel(config, CharTokenizer("xyz")).eval()
    assert start_token(model) == 0
    assert model.complete("", SAMPLING) == model.complete("x", SAMPLING)


@given(prompt=st.text(ALPHABET, max_size=8), count=st.integers(0, 12))
def test_completion_holds_what_was_written_and_not_the_prompt(
    model: LanguageModel, prompt: str, count: int
) -> None:
    sampling = SamplingConfig(max_new_tokens=count, temperature=1.0)
    text = model.complete(prompt, sampling)
    assert text == "".join(step.token for step in model.generate(prompt, sampling))
    assert len(text) == count


def test_completion_joins_the_bytes_of_a_character(subwords: SentencePieceTokenizer) -> None:
    config = ModelConfig(vocab_size=300, tokenizer="sentencepiece", hidden_size=4, embedding_size=2)
    model = LanguageModel(config, subwords)
    euro = subwords.encode("€").tolist()
    with torch.no_grad():  # a model that has one character to say, whatever it has read
        model.decoder.weight.zero_()
        model.decoder.bias.fill_(-100.0)
        model.decoder.bias[euro] = 0.0
    model.eval()
    seeds = (SamplingConfig(max_new_tokens=3, temperature=1.0, seed=seed) for seed in range(200))
    written = (list(model.generate("", sampling)) for sampling in seeds)
    steps = next(s for s in written if [step.token_id for step in s] == euro)
    assert [step.token for step in steps] == ["<0xE2>", "<0x82>", "<0xAC>"]
    assert model.tokenizer.decode(step.token_id for step in steps) == "€"


def test_writing_can_be_left_at_any_time(model: LanguageModel) -> None:
    forever = SamplingConfig(max_new_tokens=10_000_000, temperature=1.0, seed=4)
    some = [step.token for step in itertools.islice(model.generate("abc", forever), 30)]
    assert "".join(some) == model.complete("abc", SAMPLING)


@CELLS
def test_a_branch_with_the_token_that_was_taken_is_the_original_text(
    model: LanguageModel, rnn: LanguageModel, cell: str
) -> None:
    used = model if cell == "lstm" else rnn
    whole = list(used.generate("abc", SAMPLING))
    for cut, (step, taken) in enumerate(itertools.pairwise(whole)):
        left = SamplingConfig(max_new_tokens=29 - cut, temperature=1.0, seed=4)
        rest = list(used.branch(step, taken.token_id, left))
        assert [(s.position, s.token_id, s.log_prob) for s in rest] == [
            (s.position, s.token_id, s.log_prob) for s in whole[cut + 1 :]
        ]
        for ours, theirs in zip(rest, whole[cut + 1 :], strict=True):
            assert all(np.array_equal(ours.signals[n], theirs.signals[n]) for n in ours.signals)


def test_a_branch_reads_the_token_it_was_given_from_the_steps_own_state(
    model: LanguageModel,
) -> None:
    step = list(model.generate("abc", SAMPLING))[10]
    for token_id in range(len(ALPHABET)):
        first, *rest = model.branch(step, token_id, SAMPLING)
        assert (first.position, first.token_id, first.token) == (14, token_id, ALPHABET[token_id])
        assert len(rest) == 29
        stepper = model.engine.start(step.state)
        assert first.log_prob == ladder(stepper.logits.numpy(), SAMPLING).log_probs[token_id]
        stepper.step(token_id)
        for name, values in stepper.signals().items():
            np.testing.assert_array_equal(first.signals[name], values)
        # What follows is what the same seed writes after the text with that token in it.
        after = model.generate("", SAMPLING, state=stepper.state(), position=15)
        assert [s.token for s in rest] == [s.token for s in itertools.islice(after, 29)]


def test_a_token_that_the_model_has_not_cannot_be_branched_to(model: LanguageModel) -> None:
    for token_id in (-1, len(ALPHABET)):
        with pytest.raises(UserError, match=rf"no token {token_id}: this model has 0 to 9$"):
            model.generate("abc", SAMPLING, first=token_id)


def test_the_logits_of_a_step_are_what_its_token_was_drawn_from(model: LanguageModel) -> None:
    for step in model.generate("abc", SAMPLING):
        rungs = ladder(step.logits, SAMPLING)
        assert rungs.draw(SAMPLING.seed, step.position) == step.token_id
        assert rungs.log_probs[step.token_id] == step.log_prob
