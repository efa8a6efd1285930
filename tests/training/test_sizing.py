import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_lm.config import TrainConfig
from lstm_lm.training.sizing import (
    RULED,
    SIZES,
    TOKENS_A_WEIGHT,
    WEIGHTS_A_TOKEN,
    Budget,
    size,
)


def budget(text_tokens: int, *, flops: float, vocab_size: int = 65) -> Budget:
    """A text, and the floating point operations that there is time for."""

    def readable(config: TrainConfig) -> float:
        return flops / (6 * config.model_config(vocab_size).parameter_count)

    return Budget(text_tokens=text_tokens, vocab_size=vocab_size, readable=readable)


def hour(hours: float) -> float:
    """Operations of 50 GFLOP/s, about a laptop's two cores."""
    return hours * 3600 * 50e9


def test_a_short_text_gets_a_small_model_and_much_dropout() -> None:
    config = size(TrainConfig(minutes=5), [], budget(45_000, flops=hour(1 / 12))).config
    assert config.hidden_size <= 256
    assert config.dropout >= 0.3


def test_two_hours_on_fifty_megabytes_get_a_large_model_and_little_dropout() -> None:
    config = size(TrainConfig(minutes=120), [], budget(45_000_000, flops=hour(2))).config
    assert config.hidden_size >= 768
    assert config.dropout <= 0.1


@given(
    text=st.integers(1_000, 10**9),
    flops=st.floats(1e9, 1e18),
    more=st.floats(1.0, 100.0),
    vocab_size=st.integers(2, 5_000),
)
def test_more_time_or_more_text_never_makes_the_model_smaller(
    text: int, flops: float, more: float, vocab_size: int
) -> None:
    def units(text: int, flops: float) -> int:
        there = budget(text, flops=flops, vocab_size=vocab_size)
        return size(TrainConfig(minutes=1), [], there).config.hidden_size

    assert units(text, flops) <= units(text, flops * more)
    assert units(text, flops) <= units(int(text * more), flops)


@given(text=st.integers(1_000, 10**9), flops=st.floats(1e9, 1e18))
def test_the_two_bounds_of_the_rule_hold_for_all_but_the_smallest_size(
    text: int, flops: float
) -> None:
    there = budget(text, flops=flops)
    config = size(TrainConfig(minutes=1), [], there).config
    weights = config.model_config(65).parameter_count
    if config.hidden_size > SIZES[0]:
        assert there.readable(config) >= TOKENS_A_WEIGHT * weights
        assert weights <= WEIGHTS_A_TOKEN * text


@pytest.mark.parametrize("name", RULED)
def test_what_a_person_gave_is_left_alone(name: str) -> None:
    asked: dict[str, float] = {
        "hidden_size": 100, "embedding_size": 7, "dropout": 0.33, "weight_dropout": 0.44,
        "learning_rate": 0.0123, "batch_size": 3,
    }  # fmt: skip
    config = TrainConfig(minutes=5.0, **{name: asked[name]})  # pyright: ignore[reportArgumentType]
    chosen = size(config, [name], budget(10**6, flops=hour(0.1))).config
    assert getattr(chosen, name) == asked[name]
    unruled = {field.name for field in dataclasses.fields(TrainConfig)} - set(RULED)
    assert all(getattr(chosen, field) == getattr(config, field) for field in unruled)


def test_the_reason_has_the_numbers_of_the_choice() -> None:
    there = budget(1_000_000, flops=hour(0.1))
    found = size(TrainConfig(minutes=6), [], there)
    weights = found.config.model_config(65).parameter_count
    assert f"why this size: {found.config.hidden_size} units (" in found.why
    assert f" are {weights:,} weights; " in found.why
    assert f"{there.readable(found.config) / weights:.1f} a weight" in found.why


def test_a_very_short_text_is_read_in_fewer_streams() -> None:
    config = size(TrainConfig(steps=10), [], budget(1_000, flops=hour(1))).config
    assert config.batch_size == 7
    assert config.batch_size * (config.sequence_length + 1) * 2 <= 1_000


def test_a_plain_rnn_learns_at_a_quarter_of_the_rate() -> None:
    def rate(cell: str) -> float:
        config = TrainConfig(cell=cell, hidden_size=384, minutes=1)
        return size(config, ["hidden_size"], budget(10**6, flops=1e12)).config.learning_rate

    assert (rate("lstm"), rate("gru"), rate("rnn")) == (4e-3, 4e-3, 1e-3)
