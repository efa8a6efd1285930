"""What a language model is used for, in two small functions: the next word, the likelier sentence.

A word's probability is the sum, over the ways found, of the probability of its letters and of
anything but a letter after them. The ways are those that a beam search keeps, so that each
probability is a lower bound, and nearly exact for likely words. Knows nothing of pages.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lstm_lm.cells.cell import State
from lstm_lm.errors import UserError
from lstm_lm.insight.result import Result
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.reading import trace_text
from lstm_lm.writing.evaluation import evaluation_mode

BEAM = 64
LONGEST = 24  # tokens of a word
INSIDE_WORD = "'’-"
EVEN = 0.05  # nats: what the single precision of long texts leaves open


@dataclass(frozen=True, kw_only=True)
class Completion(Result):
    """A way in which the word may go on."""

    text: str
    """What follows the prompt, up to the word's end; empty where the word has ended."""
    probability: float
    """0..1, of the model's own distribution (temperature 1)."""


@dataclass(frozen=True, kw_only=True)
class Comparison(Result):
    """Which of two texts the model finds likelier."""

    log_probs: tuple[float, float]
    """Nats, of each whole text after the same context."""
    lengths: tuple[int, int]
    """Characters of each."""
    tokens: tuple[tuple[str, ...], tuple[str, ...]]
    """Each text's tokens."""
    of_tokens: tuple[Array, Array]
    """Nats of each token: where the two part."""

    @property
    def likelier(self) -> int:
        """0: the first; 1: the second."""
        return int(self.log_probs[1] > self.log_probs[0])

    @property
    def parts_at(self) -> int | None:
        """The number of the first token that differs; None where one text begins the other."""
        pairs = enumerate(zip(*self.tokens, strict=False))
        return next((number for number, (one, other) in pairs if one != other), None)

    def sentence(self) -> str:
        """Which is likelier, and by how much."""
        apart = abs(self.log_probs[0] - self.log_probs[1])
        if apart < EVEN:
            return f"Neither is likelier: each costs {-self.log_probs[0]:.1f} nats."
        which = ("first", "second")[self.likelier]
        factor = float(f"{np.exp(min(apart, 99)):.3g}")  # three digits of it are enough
        times = f"{factor:,.0f}" if 100 <= factor < 1e10 else f"{factor:.3g}"
        times = f"{times if apart < 30 else f'e^{apart:.0f}'} times"
        each = [
            f"{-total / length:.2f}"
            for total, length in zip(self.log_probs, self.lengths, strict=True)
        ]
        return (
            f"The {which} is likelier, {times} ({apart:.1f} nats); a character costs {each[0]} "
            f"nats in the first, {each[1]} in the second."
        )


@torch.no_grad()
def complete_word(
    model: LanguageModel, prompt: str, *, keep: int = 8, beam: int = BEAM
) -> list[Completion]:
    """The likeliest ways in which the prompt's last word goes on, or the next one begins.

    Where the prompt ends in a letter its word is completed (which may be at its end); otherwise
    the next word is found, with what stands before it.

    Args:
        model: that reads the prompt, from the zero state.
        prompt: at least one character.
        keep: how many to give.
        beam: how many ways are followed at once.

    Raises:
        UserError: the prompt is empty or holds a character that the model does not know.
    """
    token_ids = model.tokenizer.encode(prompt)
    if not len(token_ids):
        raise UserError("the prompt is empty: give at least one character")
    pieces = [model.tokenizer.token(number) for number in range(model.tokenizer.vocab_size)]
    device = model.decoder.weight.device
    ended: dict[str, float] = defaultdict(float)
    begun = _is_letter(prompt[-1])
    with evaluation_mode(model):
        ids = torch.from_numpy(token_ids)[None].to(device)
        outputs, state = model.hidden_states(ids, model.zero_state())
        ways = [""]
        log_probs = model.decoder(outputs[-1]).log_softmax(-1)  # (ways, V), of whole ways
        for _ in range(LONGEST):
            chosen = _best(log_probs, ways, pieces, begun, ended, beam)
            if not chosen or _settled(ended, keep, chosen[0][0]):
                break
            totals, parents, tokens = (list(part) for part in zip(*chosen, strict=True))
            ways = [
                ways[parent] + pieces[token] for parent, token in zip(parents, tokens, strict=True)
            ]
            state = _of_ways(state, parents)
            step = torch.tensor(tokens, device=device)[:, None]
            outputs, state = model.hidden_states(step, state)
            log_probs = model.decoder(outputs[-1]).log_softmax(-1)
            log_probs += torch.tensor(totals, device=device)[:, None]
    best = sorted(ended.items(), key=lambda item: (-item[1], item[0]))[:keep]
    return [Completion(text=text, probability=probability) for text, probability in best]


def _best(
    log_probs: Tensor,
    ways: list[str],
    pieces: list[str],
    begun: bool,
    ended: dict[str, float],
    beam: int,
) -> list[tuple[float, int, int]]:
    """Add up the ways that end now; the best of the others as (log p, way, token), best first."""
    going: list[tuple[float, int, int]] = []
    top = min(log_probs.numel(), beam * 8)  # enough that the beam is filled by ways that go on
    values, places = log_probs.flatten().topk(top)
    for value, place in zip(values.tolist(), places.tolist(), strict=True):
        way, token = divmod(place, log_probs.shape[1])
        end = _word_end(ways[way], pieces[token], begun)
        if end is None:
            going.append((value, way, token))
        else:
            ended[end] += float(np.exp(value))
    return going[:beam]


def _word_end(before: str, piece: str, begun: bool) -> str | None:
    """The text up to the word's end if the word ends in this piece, else None."""
    inside = begun or any(map(_is_letter, before))
    for at, character in enumerate(piece):
        if _is_letter(character):
            inside = True
        elif inside and character not in INSIDE_WORD:
            return before + piece[:at]
    return None


def _settled(ended: dict[str, float], keep: int, most: float) -> bool:
    """Whether no way that goes on could come among the best any more."""
    if len(ended) < keep:
        return False
    return float(np.exp(most)) < sorted(ended.values(), reverse=True)[keep - 1]


def _of_ways(state: State, parents: list[int]) -> State:
    h, c = state
    index = torch.tensor(parents, device=h.device)
    return h.index_select(1, index), c.index_select(1, index)


def begun_word(prompt: str) -> str:
    """The part of the prompt that `complete_word` completes; empty where a new word is to come.

    >>> begun_word("not to b"), begun_word("not to be: ")
    ('b', '')
    """
    if not prompt or not _is_letter(prompt[-1]):
        return ""
    start = len(prompt)
    while start and (_is_letter(prompt[start - 1]) or prompt[start - 1] in INSIDE_WORD):
        start -= 1
    return prompt[start:].lstrip(INSIDE_WORD)


def word_left(typed: str, rest: str) -> str:
    """What `complete_word` would have to say after `typed` so that the text goes on as `rest`.

    >>> word_left("not to b", "e: that"), word_left("not to be:", " that is")
    ('e', ' that')
    """
    end = _word_end("", rest, bool(typed) and _is_letter(typed[-1]))
    return rest if end is None else end


def _is_letter(character: str) -> bool:
    return character.isalnum()


def compare(model: LanguageModel, first: str, second: str, *, context: str = "\n") -> Comparison:
    """Which of two texts is likelier after the same context.

    Args:
        model: that reads, from the zero state.
        first: a text of at least one token.
        second: another.
        context: what is read before either, so that their first tokens count too.

    Raises:
        UserError: a text is empty or holds a character that the model does not know.
    """
    if not context:
        raise UserError("the context is empty: give at least one character, such as a newline")
    state = trace_text(model, context).final_state
    traces = [trace_text(model, text, state) for text in (first, second)]
    return Comparison(
        log_probs=(_total(traces[0].log_probs), _total(traces[1].log_probs)),
        lengths=(len(first), len(second)),
        tokens=(tuple(traces[0].tokens), tuple(traces[1].tokens)),
        of_tokens=(traces[0].log_probs, traces[1].log_probs),
    )


def _total(log_probs: Array) -> float:
    return float(log_probs.sum(dtype=np.float64))
