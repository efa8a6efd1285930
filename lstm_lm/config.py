"""Every setting of the project: three frozen dataclasses, checked when they are made.

Knows nothing of torch, so that `--help` and a typing error answer at once. A field's docstring
is also its help on the command line (`options.py`); a default exists here and nowhere else.
"""

import dataclasses
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from lstm_lm.errors import ConfigError, shown

BLOCKS = {"lstm": 4, "gru": 3, "rnn": 1}
"""Kind of cell -> blocks of H rows that its weights have; what a cell is stands in `cells/`."""
CELLS = tuple(BLOCKS)
TOKENIZERS = ("char", "sentencepiece")
DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("auto", "float32", "bfloat16")

Config = TypeVar("Config", "ModelConfig", "TrainConfig", "SamplingConfig")

LARGEST_VOCABULARY = 2**18  # more characters than Unicode has given a meaning to
LARGEST_PARAMETER_COUNT = 500_000_000
MOST_EVALUATIONS = 10_000  # of a run: each leaves a row and a sample
LARGEST_SEED = 2**63 - 1


class _Problems:
    """Collects what is wrong with a config, so that a person hears all of it at once."""

    def __init__(self, config: object) -> None:
        self.config = config
        self.found: list[str] = []

    def whole(self, name: str, low: int, high: int) -> None:
        """The field must be a whole number in [low, high]."""
        value = getattr(self.config, name)
        if type(value) is not int or not low <= value <= high:
            self.found.append(
                f"{name} is {shown(value)}: give a whole number from {low} to {high:,}"
            )

    def number(self, name: str, low: float, high: float, *, open_low: bool = False) -> None:
        """The field must be a finite number in [low, high], or (low, high] if `open_low`."""
        value = getattr(self.config, name)
        fits = (
            isinstance(value, (int, float))
            and not isinstance(value, bool)
            and (low < value if open_low else low <= value)
            and value <= high
        )
        if not fits:
            bound = f"above {low:g} and at most {high:g}" if open_low else f"{low:g} to {high:g}"
            self.found.append(f"{name} is {shown(value)}: give a number {bound}")

    def choice(self, name: str, choices: tuple[str, ...]) -> None:
        """The field must be one of `choices`."""
        value = getattr(self.config, name)
        if not isinstance(value, str) or value not in choices:
            self.found.append(f"{name} is {shown(value)}: choose from {', '.join(choices)}")

    def optional(self, name: str, check: Callable[..., None], *bounds: Any, **how: Any) -> None:
        """None is allowed; anything else must pass `check`."""
        if getattr(self.config, name) is not None:
            check(name, *bounds, **how)

    def done(self) -> None:
        """Raise ConfigError with everything found, or return."""
        if self.found:
            raise ConfigError("; ".join(self.found))


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The sizes of a model: what `config.json` holds, and all that is needed to rebuild it.

    Raises:
        ConfigError: a size is out of range, or the model would not fit any machine of ours.
    """

    vocab_size: int
    """Number of different tokens, V."""
    tokenizer: str = "char"
    """Kind of tokenizer: char or sentencepiece."""
    cell: str = "lstm"
    """Kind of cell: lstm, gru, or rnn (a plain tanh RNN)."""
    layers: int = 1
    """Number of stacked recurrent layers, L."""
    hidden_size: int = 512
    """Units of each layer, H."""
    embedding_size: int = 64
    """Numbers that stand for a token at the input of layer 0, E."""

    def __post_init__(self) -> None:
        problems = _Problems(self)
        problems.whole("vocab_size", 2, LARGEST_VOCABULARY)
        problems.choice("tokenizer", TOKENIZERS)
        problems.choice("cell", CELLS)
        problems.whole("layers", 1, 16)
        problems.whole("hidden_size", 1, 16_384)
        problems.whole("embedding_size", 1, 16_384)
        if not problems.found and self.parameter_count > LARGEST_PARAMETER_COUNT:
            problems.found.append(
                f"these sizes make {self.parameter_count:,} parameters: "
                f"at most {LARGEST_PARAMETER_COUNT:,} are supported; lower hidden_size or layers"
            )
        problems.done()

    @property
    def rows(self) -> int:
        """Rows of a recurrent weight: 4 H for an LSTM (i, f, g, o), 3 H for a GRU, H for an RNN."""
        return BLOCKS[self.cell] * self.hidden_size

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every weight, as in the weight file and in torch.nn.LSTM."""
        shapes: dict[str, tuple[int, ...]] = {
            "embedding.weight": (self.vocab_size, self.embedding_size)
        }
        for layer in range(self.layers):
            width = self.hidden_size if layer else self.embedding_size
            shapes[f"rnn.weight_ih_l{layer}"] = (self.rows, width)
            shapes[f"rnn.weight_hh_l{layer}"] = (self.rows, self.hidden_size)
            shapes[f"rnn.bias_ih_l{layer}"] = (self.rows,)
            shapes[f"rnn.bias_hh_l{layer}"] = (self.rows,)
        shapes["decoder.weight"] = (self.vocab_size, self.hidden_size)
        shapes["decoder.bias"] = (self.vocab_size,)
        return shapes

    @property
    def parameter_count(self) -> int:
        """Number of weights of the model."""
        return sum(math.prod(shape) for shape in self.shapes().values())


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How a model is trained: every option of `train.py` that shapes the result.

    Raises:
        ConfigError: a setting is out of range or contradicts another.
    """

    tokenizer: str = "char"
    """char: a token a character; sentencepiece: subwords, learned from the text."""
    vocab_size: int = 512
    """Subwords to learn; a char tokenizer takes the characters of the text instead."""
    cell: str = "lstm"
    """lstm, gru, or rnn: a plain tanh RNN, to compare with."""
    layers: int = 1
    """Stacked recurrent layers."""
    hidden_size: int = 384
    """Units of a layer."""
    embedding_size: int = 64
    """Numbers that stand for a token at the input of layer 0."""
    dropout: float = 0.1
    """Fraction of each layer's outputs set to zero while training."""
    weight_dropout: float = 0.1
    """Fraction of the recurrent weights set to zero at a training step (Merity et al. 2018)."""
    embedding_dropout: float = 0.0
    """Fraction of the tokens whose embedding is set to zero at a training step."""
    weight_decay: float = 0.02
    """Decay of the weights (not of the biases) in AdamW."""
    steps: int | None = None
    """Training steps; None: as many as fit in the minutes."""
    minutes: float | None = None
    """Time to train, turned once into steps by measured speed; None: 10, or what steps take."""
    batch_size: int = 16
    """Streams of text read side by side."""
    sequence_length: int = 64
    """Tokens of a stream a step; gradients reach back this far, the state further."""
    learning_rate: float = 4e-3
    """Largest learning rate, after 5 % of the steps; then a cosine down to 2 % of it."""
    clip: float = 1.0
    """Largest norm of the gradient."""
    evaluations: int | None = None
    """How often to evaluate, evenly over the run; None: 12, or what the minutes allow."""
    checkpoint_seconds: float = 60.0
    """Longest time between two checkpoints, seconds: what a crash can lose."""
    seed: int = 1
    """Seed of the first weights, of dropout and of the order of the text."""
    device: str = "auto"
    """Where to train; auto: the first of cuda, mps, cpu that is there."""
    precision: str = "auto"
    """bfloat16 trains in mixed precision; auto: bfloat16 on cuda, else float32."""

    def __post_init__(self) -> None:
        problems = _Problems(self)
        problems.choice("tokenizer", TOKENIZERS)
        problems.whole(
            "vocab_size", 258, LARGEST_VOCABULARY
        )  # 256 bytes, the unknown and one subword
        problems.choice("cell", CELLS)
        problems.whole("layers", 1, 16)
        problems.whole("hidden_size", 1, 16_384)
        problems.whole("embedding_size", 1, 16_384)
        for name in ("dropout", "weight_dropout", "embedding_dropout"):
            problems.number(name, 0.0, 0.95)
        problems.number("weight_decay", 0.0, 10.0)
        problems.optional("steps", problems.whole, 1, 10**12)
        problems.optional("minutes", problems.number, 0.0, 10**6, open_low=True)
        if self.steps is not None and self.minutes is not None:
            problems.found.append("both steps and minutes are given: choose one")
        problems.whole("batch_size", 1, 65_536)
        problems.whole("sequence_length", 1, 65_536)
        problems.number("learning_rate", 0.0, 10.0, open_low=True)
        problems.number("clip", 0.0, 10**6, open_low=True)
        problems.optional("evaluations", problems.whole, 1, MOST_EVALUATIONS)
        problems.number("checkpoint_seconds", 0.0, 10**6)
        problems.whole("seed", 0, LARGEST_SEED)
        problems.choice("device", DEVICES)
        problems.choice("precision", PRECISIONS)
        problems.done()

    def model_config(self, vocab_size: int) -> ModelConfig:
        """The sizes of the model that this trains, for a tokenizer of `vocab_size` tokens."""
        return ModelConfig(
            vocab_size=vocab_size,
            tokenizer=self.tokenizer,
            cell=self.cell,
            layers=self.layers,
            hidden_size=self.hidden_size,
            embedding_size=self.embedding_size,
        )


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How the next token is drawn from the model's probabilities.

    The steps in order: divide the logits by the temperature, keep the `top_k` largest, of those
    the fewest that hold `top_p` of the probability, of those the ones with at least `min_p` times
    the largest probability, and draw.

    Raises:
        ConfigError: a setting is out of range.
    """

    max_new_tokens: int = 200
    """Tokens to write."""
    temperature: float = 0.8
    """Below 1 the likely becomes likelier; 0 always takes the likeliest."""
    top_k: int | None = None
    """Keep this many of the likeliest tokens; None or 0: all."""
    top_p: float | None = None
    """Keep the fewest tokens that hold this much probability; None or 1: all."""
    min_p: float | None = None
    """Keep tokens at least this fraction as likely as the likeliest; None or 0: all."""
    seed: int = 1
    """The same seed, model, prompt and settings give the same text."""

    def __post_init__(self) -> None:
        problems = _Problems(self)
        problems.whole("max_new_tokens", 0, 10_000_000)
        problems.number("temperature", 0.0, 10**6)
        problems.optional("top_k", problems.whole, 0, 10_000_000)
        problems.optional("top_p", problems.number, 0.0, 1.0, open_low=True)
        problems.optional("min_p", problems.number, 0.0, 1.0)
        problems.whole("seed", 0, LARGEST_SEED)
        problems.done()


def to_json(config: ModelConfig | TrainConfig | SamplingConfig) -> dict[str, Any]:
    """The config as a JSON object: `from_json` gives it back."""
    return dataclasses.asdict(config)


def from_json(cls: type[Config], data: object) -> Config:
    """The config that `to_json` wrote; fields that are missing take their defaults.

    Raises:
        ConfigError: not an object, a name that is no field, a missing or wrong value.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"expected a JSON object of settings, found {type(data).__name__}")
    settings = cast("dict[str, Any]", data)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    unknown = [name for name in settings if name not in fields]
    if unknown:
        raise ConfigError(f"unknown setting {shown(unknown[0])}: {cls.__name__} has no such field")
    missing = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and name not in settings
    ]
    if missing:
        raise ConfigError(f"the setting {missing[0]} is missing")
    return cls(**settings)


def option_name(field: str) -> str:
    """The command-line option of a field.

    >>> option_name("hidden_size")
    '--hidden-size'
    """
    return "--" + re.sub("_", "-", field)
