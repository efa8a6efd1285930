"""Minutes -> sizes and steps, once, from the speed measured here; what is planned is written down.

Knows nothing of files or people.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import torch

from lstm_lm.config import TrainConfig
from lstm_lm.text.corpus import Corpus
from lstm_lm.training.sizing import Budget, size
from lstm_lm.training.trainer import EVALUATION_TOKENS, MOST_EVALUATIONS, Trainer
from lstm_lm.writing.evaluation import STREAMS, WARM_UP, loss_of

DEFAULT_MINUTES = 10.0
EVALUATION_SHARE = 0.15  # of the minutes may go into the evaluations within a run
FEWEST_EVALUATIONS = 4
LAST_PASSES = 3  # over as much text, at the end of a run: both protocols and the training text
TIMED_SECONDS = 0.8
TIMED_STEPS = 100  # of an evaluation, to know its speed


@dataclass(frozen=True, kw_only=True)
class Speed:
    """What was measured on a trainer that is then thrown away."""

    step_seconds: float
    """Seconds a training step takes."""
    evaluation_seconds: float
    """Seconds an evaluation takes."""


def settle(
    config: TrainConfig,
    given: Collection[str],
    corpus: Corpus,
    device: torch.device,
    dtype: torch.dtype,
) -> tuple[TrainConfig, list[str]]:
    """Settings with nothing left open, and lines that say why they are so.

    Args:
        config: what the person asked for; 10 minutes where neither steps nor minutes are given.
        given: names of the settings that the person chose: the rule of `sizing` leaves them alone.
        corpus: the text.
        device: where to train.
        dtype: of the fused pass.
    """
    text_tokens, vocab_size = len(corpus.training), corpus.tokenizer.vocab_size
    if config.steps is not None:
        steps = config.steps

        def in_steps(asked: TrainConfig) -> float:
            return steps * asked.batch_size * asked.sequence_length

        sizing = size(
            config,
            given,
            Budget(text_tokens=text_tokens, vocab_size=vocab_size, readable=in_steps),
        )
        return sizing.config, [sizing.why]

    minutes = DEFAULT_MINUTES if config.minutes is None else config.minutes
    # The rate of the first guess tells what other sizes would read; the chosen one is then timed.
    guess = size(
        config, given, Budget(text_tokens=text_tokens, vocab_size=vocab_size, readable=_endless)
    ).config
    if "hidden_size" not in given:
        guess = replace(guess, hidden_size=min(guess.hidden_size, TrainConfig.hidden_size))
    speed = measure(guess, corpus, device, dtype)
    weight_tokens = _weights(guess, vocab_size) * guess.batch_size * guess.sequence_length
    left = _left(minutes, config.evaluations, speed)

    def in_time(asked: TrainConfig) -> float:
        # A training step costs 6 floating point operations a weight and token.
        return max(0.0, left) / speed.step_seconds * weight_tokens / _weights(asked, vocab_size)

    sizing = size(
        config, given, Budget(text_tokens=text_tokens, vocab_size=vocab_size, readable=in_time)
    )
    settled = sizing.config
    if settled != guess:
        speed = measure(settled, corpus, device, dtype)
    evaluations = _evaluations(minutes, config.evaluations, speed)
    steps = max(1, int(_left(minutes, evaluations, speed) / speed.step_seconds))
    settled = replace(settled, steps=steps, minutes=None, evaluations=evaluations)
    return settled, [
        sizing.why,
        f"{minutes:g} minutes are {steps:,} steps and {evaluations} evaluations at the speed "
        "measured here",
    ]


def measure(config: TrainConfig, corpus: Corpus, device: torch.device, dtype: torch.dtype) -> Speed:
    """How long a training step and an evaluation take with these settings."""
    trainer = Trainer(replace(config, steps=1000, minutes=None), corpus, device, dtype)
    trainer.model.train()
    for _ in range(2):
        trainer.train_step().item()
    started, steps = time.perf_counter(), 0
    while steps < 3 or (time.perf_counter() - started < TIMED_SECONDS and steps < 200):
        trainer.train_step().item()
        steps += 1
    step_seconds = (time.perf_counter() - started) / steps
    model = trainer.model.eval()
    tokens = torch.zeros(STREAMS, TIMED_STEPS + 1, dtype=torch.int64, device=device)
    started = time.perf_counter()
    with torch.no_grad():
        loss_of(model, tokens, model.zero_state(STREAMS))
    token_seconds = (time.perf_counter() - started) / (STREAMS * TIMED_STEPS)
    read = min(len(corpus.validation), EVALUATION_TOKENS) + STREAMS * WARM_UP
    return Speed(step_seconds=step_seconds, evaluation_seconds=token_seconds * read)


def _endless(config: TrainConfig) -> float:
    return float("inf")


def _weights(config: TrainConfig, vocab_size: int) -> int:
    return config.model_config(vocab_size).parameter_count


def _evaluations(minutes: float, asked: int | None, speed: Speed) -> int:
    """Evaluations in the run: as asked, or 12, or what 15 % of the minutes allow (at least 4)."""
    if asked is not None:
        return asked
    wanted = int(EVALUATION_SHARE * minutes * 60 / speed.evaluation_seconds)
    return max(FEWEST_EVALUATIONS, min(MOST_EVALUATIONS, wanted))


def _left(minutes: float, asked: int | None, speed: Speed) -> float:
    """Seconds left to train, the evaluations within the run and at its end taken off."""
    passes = _evaluations(minutes, asked, speed) + LAST_PASSES
    return minutes * 60 - passes * speed.evaluation_seconds
