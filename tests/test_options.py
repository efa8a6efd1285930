import dataclasses

import pytest

from lstm_lm.config import ModelConfig, SamplingConfig, TrainConfig, option_name
from lstm_lm.errors import ConfigError
from lstm_lm.options import OneLineParser, as_options, chosen, field_help
from lstm_lm.training.sizing import RULED
from train import parser

FIELDS = dataclasses.fields(TrainConfig)


@pytest.mark.parametrize("cls", [ModelConfig, SamplingConfig, TrainConfig])
def test_every_field_has_its_help_underneath(cls: type) -> None:
    assert list(field_help(cls)) == [field.name for field in dataclasses.fields(cls)]
    assert all(text.endswith(".") for text in field_help(cls).values())


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_training_setting_is_an_option_with_help_and_default(
    field: "dataclasses.Field[object]",
) -> None:
    words = " ".join(parser().format_help().split())
    assert option_name(field.name) in words
    # The help is wrapped at the width of the terminal, also at hyphens.
    squeezed = words.replace(" ", "")
    assert field_help(TrainConfig)[field.name].replace(" ", "") in squeezed
    if field.name in RULED:
        assert "(default:bythetextandthetime)" in squeezed
    elif field.default is not None:
        assert f"(default:{field.default})" in squeezed


def test_only_what_was_given_is_chosen() -> None:
    arguments = parser().parse_args(["--hidden-size", "32", "--minutes", "0.5", "--out", "x"])
    assert chosen(arguments, TrainConfig) == {"hidden_size": 32, "minutes": 0.5}


def test_problems_are_told_in_the_words_that_were_typed() -> None:
    error = ConfigError("hidden_size is 0: no; size is 1")
    assert as_options(error, ["hidden_size"]) == "--hidden-size is 0: no; size is 1"


def test_a_parsing_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        OneLineParser(prog="it").parse_args(["--what"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == "it: unrecognized arguments: --what; see it --help\n"
