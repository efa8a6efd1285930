"""How large a model to train: a rule from the length of the text and what there is time to read.

Written down once, here; what a person gave as an option is left alone. In words:

- *Units*: the largest size for which the time buys at least `TOKENS_A_WEIGHT` tokens a weight
  (a model that reads less has not learned what its size is for), and which has no more than
  `WEIGHTS_A_TOKEN` weights a token of the text (a larger one learns a short text by heart).
- *Dropout*, of the outputs and of the recurrent weights: the more often the text is read, the
  more; none for a text that is not read once.
- *Learning rate*: falls with the number of units.
- *Streams*: 16, and fewer where a stream would hold less than two sequences.

The constants come from runs on a play, on code and on Russian (docs/recipes.md). Knows nothing of
torch, of clocks or of files.
"""

import shlex
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from lstm_lm.config import TrainConfig, option_name

SIZES = (64, 96, 128, 192, 256, 384, 512, 768, 1024)
TOKENS_A_WEIGHT = 5.0
WEIGHTS_A_TOKEN = 3.0
DROPOUTS = ((1.0, 0.0, 0.0), (3.0, 0.1, 0.1), (8.0, 0.2, 0.2), (float("inf"), 0.4, 0.3))
"""(times the text is read, at most: dropout, weight dropout), in order."""
STREAMS = 16
BASE_UNITS, BASE_RATE = 384, 4e-3
RATE_POWER = 0.75

RULED = (
    "hidden_size",
    "embedding_size",
    "dropout",
    "weight_dropout",
    "learning_rate",
    "batch_size",
)
"""The settings that follow from the text and the time where a person does not give them."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What there is to read, and how much of it there is time for."""

    text_tokens: int
    """Tokens of the training text."""
    vocab_size: int
    """Different tokens."""
    readable: Callable[[TrainConfig], float]
    """Tokens that these settings read in the time or the steps there are."""


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """The settings that the rule chose, and why."""

    config: TrainConfig
    """The settings, with everything in RULED filled in."""
    why: str
    """Sentences for the person who waits."""


def size(config: TrainConfig, given: Collection[str], budget: Budget) -> Sizing:
    """Fill in the settings in RULED that are not in `given`.

    Args:
        config: the settings; those in RULED and not in `given` are replaced.
        given: names of settings that the person chose.
        budget: the text and the time.
    """
    if "embedding_size" not in given:
        config = replace(config, embedding_size=64 if config.tokenizer == "char" else 128)
    if "batch_size" not in given:
        streams = budget.text_tokens // (2 * (config.sequence_length + 1))
        config = replace(config, batch_size=max(1, min(STREAMS, streams)))
    bound = "as asked"
    if "hidden_size" not in given:
        config, bound = _units(config, budget)
    if "learning_rate" not in given:
        config = replace(config, learning_rate=_rate(config))
    epochs = budget.readable(config) / budget.text_tokens
    outputs, weights = next(pair for below, *pair in DROPOUTS if epochs <= below)
    if "dropout" not in given:
        config = replace(config, dropout=outputs)
    if "weight_dropout" not in given:
        config = replace(config, weight_dropout=weights)
    return Sizing(config=config, why=_why(config, budget, epochs, bound))


def spelled_out(command: str, config: TrainConfig, given: Collection[str]) -> str:
    """The command that makes the same model on any machine: what was chosen stands in it.

    Args:
        command: what the person typed.
        config: the settings with nothing left open.
        given: names of the settings that the person chose.

    >>> typed = "python train.py --text book.txt --minutes 5 --layers 1"
    >>> config = TrainConfig(steps=900, evaluations=4)
    >>> spelled_out(typed, config, [*RULED, "minutes", "layers"])
    'python train.py --text book.txt --layers 1 --steps 900 --evaluations 4'
    """
    words, typed = [], iter(shlex.split(command))
    for word in typed:
        if word == "--minutes":
            next(typed, None)
        elif not word.startswith("--minutes="):
            words.append(word)
    for name in (*RULED, "steps", "evaluations"):
        value = getattr(config, name)
        if name not in given and value is not None:
            words += [option_name(name), f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(words)


def _weights(config: TrainConfig, budget: Budget) -> int:
    return config.model_config(budget.vocab_size).parameter_count


def _units(config: TrainConfig, budget: Budget) -> tuple[TrainConfig, str]:
    """The settings with the number of units that the rule asks for, and what bounds it."""
    chosen, bound = replace(config, hidden_size=SIZES[0]), "the smallest there is"
    for units in SIZES:
        larger = replace(config, hidden_size=units)
        weights = _weights(larger, budget)
        if budget.readable(larger) < TOKENS_A_WEIGHT * weights:
            if units > SIZES[0]:
                bound = f"{units} would be read less than {TOKENS_A_WEIGHT:g} tokens a weight"
            break
        if weights > WEIGHTS_A_TOKEN * budget.text_tokens:
            if units > SIZES[0]:
                bound = (
                    f"{units} would have more than {WEIGHTS_A_TOKEN:g} weights a token of the text"
                )
            break
        chosen, bound = larger, "the largest that the rule considers"
    return chosen, bound


def _rate(config: TrainConfig) -> float:
    """The largest learning rate, to two digits; a plain RNN bears a quarter of an LSTM's."""
    rate = BASE_RATE * (BASE_UNITS / config.hidden_size) ** RATE_POWER
    from lstm_lm.cells.kinds import cell_of  # torch, which --help must not wait for

    return float(f"{rate * cell_of(config.cell).learning_rate:.1e}")


def _why(config: TrainConfig, budget: Budget, epochs: float, bound: str) -> str:
    weights = _weights(config, budget)
    read = budget.readable(config)
    layers = "" if config.layers == 1 else f"{config.layers} layers of "
    return (
        f"why this size: {layers}{config.hidden_size} units ({bound}) are {weights:,} weights; "
        f"they read {_rounded(read)} tokens, {read / weights:.1f} a weight, "
        f"the text {epochs:.1f} times: dropout {config.dropout:g}, weight dropout "
        f"{config.weight_dropout:g}, learning rate {config.learning_rate:g}, "
        f"{config.batch_size} streams of {config.sequence_length} (options change each)"
    )


def _rounded(number: float) -> str:
    """A count for people.

    >>> _rounded(2_123_456), _rounded(20_480.0)
    ('2.1 million', '20,480')
    """
    return f"{number / 1e6:,.1f} million" if number >= 1e6 else f"{number:,.0f}"
