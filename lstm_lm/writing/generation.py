"""Engine and sampling together: a text written one token at a time, every step laid open.

Knows nothing of pages. The random number of each step depends on the seed and the step's position
alone, so writing can go on from any step exactly as if it had never stopped, and two texts that
are written with the same seed, one of them changed on the way, differ by the change alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lstm_lm.cells.cell import State
from lstm_lm.cells.interventions import Change, Plan, plan_of
from lstm_lm.cells.network import Network
from lstm_lm.cells.stepper import Array, Stepper
from lstm_lm.config import SamplingConfig
from lstm_lm.errors import UserError
from lstm_lm.text.tokenizer import TokenIds
from lstm_lm.writing.sampling import ladder


class Step:
    """One written token, and the step that read it back into the model.

    Attributes:
        position: of the token, counted from the first token read, from 0.
        token_id: the token that was drawn, or given.
        token: what it stands for.
        log_prob: natural log of its probability, of the whole distribution before temperature.
        logits: (V,) float32, what it was drawn from: `sampling.ladder(step.logits, sampling)`
            shows the rest.
        signals: signal -> (layers, units) float32, of the step that reads this token.
        state: (h, c) after that step, each (layers, 1, units); `generate(..., state=)` goes on.
    """

    __slots__ = ("log_prob", "logits", "position", "signals", "state", "token", "token_id")

    def __init__(
        self,
        *,
        position: int,
        token_id: int,
        token: str,
        log_prob: float,
        logits: Array,
        stepper: Stepper,
    ) -> None:
        self.position = position
        self.token_id = token_id
        self.token = token
        self.log_prob = log_prob
        self.logits = logits
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


def read_prompt(model: Network, text: str) -> Prompt:
    """The prompt's tokens; an empty prompt is a newline, or token 0 where that is unknown.

    Raises:
        UnknownCharacterError: the tokenizer does not know a character.
    """
    if text:
        return Prompt(token_ids=model.tokenizer.encode(text), implied=False)
    return Prompt(token_ids=np.array([start_token(model)], dtype=np.int64), implied=True)


def start_token(model: Network) -> int:
    """The token that an empty prompt stands for."""
    tokens = range(model.tokenizer.vocab_size)
    return next((t for t in tokens if model.tokenizer.token(t) == "\n"), 0)


def generate(
    model: Network,
    prompt: str,
    sampling: SamplingConfig,
    *,
    state: State | None = None,
    position: int = 0,
    first: int | None = None,
    interventions: Sequence[Change] = (),
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
        first: id of the first token to write, in place of one that is drawn: a road not taken.
            It counts among the tokens to write, and the random number of its position is unused.
        interventions: what is held or replaced on the way, by step in the whole text
            (`interventions.py`).

    Raises:
        UnknownCharacterError: the tokenizer does not know a character of the prompt.
        InterventionError: the model has no such layer, unit or signal.
        UserError: `first` is no token of the model.
    """
    token_ids = np.empty(0, np.int64)
    if prompt or state is None:
        token_ids = read_prompt(model, prompt).token_ids
    if first is not None and not 0 <= first < model.config.vocab_size:
        raise UserError(f"no token {first}: this model has 0 to {model.config.vocab_size - 1}")
    plan = plan_of(interventions, model.config)
    return _steps(model, token_ids, sampling, state, position, first, plan)


def branch(
    model: Network,
    step: Step,
    token_id: int,
    sampling: SamplingConfig,
    *,
    interventions: Sequence[Change] = (),
) -> Iterator[Step]:
    """Write `token_id` after this step, and go on from there, exactly from the step's own (h, c).

    With the token that was taken there, the same sampling and the same interventions, this is the
    original text.

    Raises:
        InterventionError, UserError: as `generate`.
    """
    return generate(
        model,
        "",
        sampling,
        state=step.state,
        position=step.position + 1,
        first=token_id,
        interventions=interventions,
    )


def complete(
    model: Network, prompt: str, sampling: SamplingConfig, *, interventions: Sequence[Change] = ()
) -> str:
    """The text that the model writes after the prompt, without the prompt; see `generate`."""
    steps = generate(model, prompt, sampling, interventions=interventions)
    return model.tokenizer.decode(step.token_id for step in steps)


def _steps(
    model: Network,
    token_ids: TokenIds,
    sampling: SamplingConfig,
    state: State | None,
    position: int,
    first: int | None,
    plan: Plan | None,
) -> Iterator[Step]:
    stepper = model.engine.start(state)
    start = position + len(token_ids)
    for at, token_id in enumerate(token_ids.tolist(), start=position):
        _change_state(stepper, plan, at)
        stepper.step(token_id, plan and plan.held(at))
    for position in range(start, start + sampling.max_new_tokens):
        _change_state(stepper, plan, position)
        logits = stepper.logits.numpy().copy()  # the step writes over its own
        rungs = ladder(logits, sampling)
        token_id = rungs.draw(sampling.seed, position) if first is None else first
        first = None
        stepper.step(token_id, plan and plan.held(position))
        yield Step(
            position=position,
            token_id=token_id,
            token=model.tokenizer.token(token_id),
            log_prob=float(rungs.log_probs[token_id]),
            logits=logits,
            stepper=stepper,
        )


def _change_state(stepper: Stepper, plan: Plan | None, position: int) -> None:
    """Put another state in place where the plan says so: also the logits are then its own."""
    if plan is not None and plan.changes_state(position):
        stepper.set_state(plan.changed_state(position, stepper.state()))
