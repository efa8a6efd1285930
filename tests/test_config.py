import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.config import ModelConfig, SamplingConfig, TrainConfig, from_json, to_json
from lstm_lm.errors import ConfigError


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(tokenizer="word", layers=0, dropout=1.5, learning_rate=0.0, seed=-1)
    message = str(caught.value)
    for name in ("tokenizer", "layers", "dropout", "learning_rate", "seed"):
        assert f"{name} is " in message
    assert "batch_size" not in message
    assert "\n" not in message


def test_steps_and_minutes_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="both steps and minutes are given: choose one"):
        TrainConfig(steps=10, minutes=1.0)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, 10**400, True, "1", None], ids=str
)
@pytest.mark.parametrize("name", ["dropout", "learning_rate", "clip", "checkpoint_seconds"])
def test_what_is_no_finite_number_is_refused(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"^{name} is .*: give a number"):
        TrainConfig(**{name: value})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "value",
    [0, -1, 1.0, True, 10**5000, "3", None],
    ids=lambda value: ascii(value)[:9] if not isinstance(value, int) or value < 9 else "huge",
)
def test_what_is_no_whole_number_in_range_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^layers is .*: give a whole number from 1 to 16$"):
        ModelConfig(vocab_size=10, layers=value)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("temperature", 0.0, -0.1),
        ("top_k", 0, -1),
        ("top_p", 1.0, 0.0),
        ("top_p", 1e-9, 1.0001),
        ("min_p", 0.0, 1.0001),
        ("seed", 2**63 - 1, 2**63),
        ("max_new_tokens", 0, -1),
    ],
)
def test_ranges_end_where_they_say(name: str, inside: float, outside: float) -> None:
    SamplingConfig(**{name: inside})  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match=f"^{name} is "):
        SamplingConfig(**{name: outside})  # pyright: ignore[reportArgumentType]


def test_sizes_that_fit_no_machine_are_refused_before_anything_is_built() -> None:
    with pytest.raises(ConfigError, match="at most 500,000,000 are supported"):
        ModelConfig(vocab_size=100, layers=16, hidden_size=16_384)


def test_long_values_are_cut_in_messages() -> None:
    with pytest.raises(ConfigError) as caught:
        ModelConfig(vocab_size=10, cell="x" * 10_000)
    assert len(str(caught.value)) < 150


def test_shapes_add_up_to_the_parameter_count() -> None:
    config = ModelConfig(vocab_size=7, layers=2, hidden_size=3, embedding_size=5)
    assert config.shapes()["rnn.weight_ih_l0"] == (12, 5)
    assert config.shapes()["rnn.weight_ih_l1"] == (12, 3)
    assert config.parameter_count == 7 * 5 + 12 * (5 + 3 + 2) + 12 * (3 + 3 + 2) + 7 * 3 + 7


TRAIN_CONFIGS = st.builds(
    TrainConfig,
    tokenizer=st.sampled_from(["char", "sentencepiece"]),
    cell=st.sampled_from(["lstm", "gru", "rnn"]),
    layers=st.integers(1, 16),
    dropout=st.floats(0.0, 0.95),
    steps=st.none() | st.integers(1, 10**12),
    learning_rate=st.floats(0.0, 10.0, exclude_min=True),
    seed=st.integers(0, 2**63 - 1),
)
SAMPLING_CONFIGS = st.builds(
    SamplingConfig,
    temperature=st.floats(0.0, 1e6),
    top_k=st.none() | st.integers(0, 1000),
    top_p=st.none() | st.floats(0.0, 1.0, exclude_min=True),
    seed=st.integers(0, 2**63 - 1),
)
MODEL_CONFIGS = st.builds(
    ModelConfig, vocab_size=st.integers(2, 1000), hidden_size=st.integers(1, 500)
)


@given(TRAIN_CONFIGS | SAMPLING_CONFIGS | MODEL_CONFIGS)
def test_a_config_comes_back_from_json(config: TrainConfig | SamplingConfig | ModelConfig) -> None:
    data = json.loads(json.dumps(to_json(config)))
    cls: Any = type(config)
    assert from_json(cls, data) == config


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "expected a JSON object of settings, found list"),
        ({"vocab_size": 3, "wings": 2}, "unknown setting 'wings': ModelConfig has no such field"),
        ({}, "the setting vocab_size is missing"),
        ({"vocab_size": 1}, "vocab_size is 1: give a whole number from 2"),
        ({"vocab_size": [[[]]]}, "vocab_size is "),
    ],
)
def test_json_that_is_no_config_is_refused(data: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_json(ModelConfig, data)


def test_a_config_cannot_be_changed() -> None:
    config = SamplingConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 2  # pyright: ignore[reportAttributeAccessIssue]
