import pytest
import torch

from lstm_lm.config import TrainConfig
from lstm_lm.text.corpus import Corpus
from lstm_lm.training import planning
from lstm_lm.training.planning import Speed, measure, settle
from lstm_lm.training.sizing import RULED
from tests.conftest import PROVERBS, MakeCorpus, tiny_training

CPU, DTYPE = torch.device("cpu"), torch.float32


def settled(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch, speed: Speed, config: TrainConfig
) -> TrainConfig:
    """What is settled on where a step and an evaluation take this long."""
    monkeypatch.setattr(planning, "measure", lambda *_: speed)
    return settle(config, RULED, corpus, CPU, DTYPE)[0]


@pytest.fixture
def corpus(make_corpus: MakeCorpus) -> Corpus:
    return make_corpus(PROVERBS * 20)


def test_minutes_become_steps_by_the_measured_speed(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = Speed(step_seconds=0.1, evaluation_seconds=1.0)
    for minutes, steps in ((10.0, 5850), (None, 5850), (1e-6, 1)):
        config = tiny_training(steps=None, minutes=minutes, evaluations=None)
        found = settled(corpus, monkeypatch, speed, config)
        assert found.steps == steps  # 600 s less 12 + 3 evaluations
        assert found.minutes is None


def test_evaluations_take_a_small_part_of_the_minutes(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny_training(steps=None, minutes=10.0, evaluations=None)
    found = settled(corpus, monkeypatch, Speed(step_seconds=0.1, evaluation_seconds=9.9), config)
    assert found.evaluations == 9  # 15 % of 600 s, at 9.9 s each
    assert found.steps == 4812


def test_settings_that_were_given_are_kept(corpus: Corpus) -> None:
    config = tiny_training()
    assert settle(config, RULED, corpus, CPU, DTYPE)[0] == config


def test_steps_need_no_clock(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Speed:
        raise AssertionError("measured")

    monkeypatch.setattr(planning, "measure", refuse)
    found, lines = settle(TrainConfig(steps=30), [], corpus, CPU, DTYPE)
    assert found.steps == 30
    assert [line.split(":")[0] for line in lines] == ["why this size"]


def test_what_is_measured_is_a_step_and_an_evaluation(corpus: Corpus) -> None:
    speed = measure(tiny_training(), corpus, CPU, DTYPE)
    assert 0 < speed.step_seconds < 1
    # The evaluation is of far more tokens than a step of 32.
    assert speed.evaluation_seconds > speed.step_seconds
