"""Engine and sampling together: a text written one token at a time, every step laid open.

Knows nothing of pages. The random number of each step depends on the seed and the step's position
alone, so writing can go on from any step exactly as if it had never stopped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lstm_lm.config import SamplingConfig
from lstm_lm.engine import Array, Stepper
from lstm_lm.sampling import log_probabilities, sample
from lstm_lm.tokenizer import TokenIds

if TYPE_CHECKING:
    from lstm_lm.model import LanguageModel, State


class Step:
    """One written token, and the step that read it back into the model.

    Attributes:
        position: of the token, counted from the first token read, from 0.
        token_id: the token that was drawn.
        token: what it stands for.
        log_prob: natural log of its probability, of the whole distribution before temperature.
        signals: signal -> (layers, units) float32, of the step that reads this token.
        state: (h, c) after that step, each (layers, 1, units); `generate(..., state=)` goes on.
    """

    __slots__ = ("log_prob", "position", "signals", "state", "token", "token_id")

    def __init__(
        self, *, position: int, token_id: int, token: str, log_prob: float, stepper: Stepper
    ) -> None:
        self.position = position
        self.token_id = token_id
        self.token = token
        self.log_prob = log_prob
        self.signals: dict[str, Array] = stepper.signals()
        self.state: State = stepper.state()

    def __repr__(self) -> str:
        return f"Step({self.position}, {self.token!r}, log_prob={self.log_prob:.3f})"


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt as the model reads it."""

    token_ids: TokenIds
    """(steps,) int64: never empty, unless a state goes before it."""
    implied: bool
    """Whether the prompt was empty, so that a newline (or the first token) was read instead."""


def read_prompt(model: "LanguageModel", text: str) -> Prompt:
    """The prompt's tokens; an empty prompt is a newline, or token 0 where that is unknown.

    Raises:
        UnknownCharacterError: the tokenizer does not know a character.
    """
    if text:
        return Prompt(token_ids=model.tokenizer.encode(text), implied=False)
    return Prompt(token_ids=np.array([start_token(model)], dtype=np.int64), implied=True)


def start_token(model: "LanguageModel") -> int:
    """The token that an empty prompt stands for."""
    tokens = range(model.tokenizer.vocab_size)
    return next((t for t in tokens if model.tokenizer.token(t) == "\n"), 0)


def generate(
    model: "LanguageModel",
    prompt: str,
    sampling: SamplingConfig,
    *,
    state: "State | None" = None,
    position: int = 0,
) -> Iterator[Step]:
    """Write after the prompt, lazily: each step is computed when it is asked for.

    The prompt is read first; the steps given out are those of the written tokens. An empty prompt
    begins with a newline, unless a state is given: then writing goes on from that state.

    Args:
        model: the model that writes.
        prompt: the text before; its tokens are at `position` and on.
        sampling: how tokens are drawn, and how many.
        state: (h, c) before the prompt, each (layers, 1, units); None: zero.
        position: of the prompt's first token. Give `step.position + 1` together with
            `step.state` to go on with the same random numbers.

    Raises:
        UnknownCharacterError: the tokenizer does not know a character of the prompt.
    """
    token_ids = np.empty(0, np.int64)
    if prompt or state is None:
        token_ids = read_prompt(model, prompt).token_ids
    return _steps(model, token_ids, sampling, state, position)


def _steps(
    model: "LanguageModel",
    token_ids: TokenIds,
    sampling: SamplingConfig,
    state: "State | None",
    position: int,
) -> Iterator[Step]:
    stepper = model.engine.start(state)
    for token_id in token_ids.tolist():
        stepper.step(token_id)
    first = position + len(token_ids)
    for position in range(first, first + sampling.max_new_tokens):
        logits = stepper.logits.numpy()
        token_id = sample(logits, sampling, position)
        log_prob = float(log_probabilities(logits)[token_id])
        stepper.step(token_id)
        yield Step(
            position=position,
            token_id=token_id,
            token=model.tokenizer.token(token_id),
            log_prob=log_prob,
            stepper=stepper,
        )
