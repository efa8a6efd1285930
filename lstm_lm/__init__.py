"""Train an LSTM language model on your own text, and look inside every gate at every step.

    from lstm_lm import LanguageModel, SamplingConfig

    lm = LanguageModel.from_pretrained("shakespeare-char")
    print(lm.complete("ROMEO:", SamplingConfig(max_new_tokens=200, seed=1)))

The names below are imported when they are first used, since torch takes seconds.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstm_lm.cells.interventions import Intervention, StateChange
    from lstm_lm.cells.signals import SIGNAL_NAMES
    from lstm_lm.config import ModelConfig, SamplingConfig, TrainConfig
    from lstm_lm.errors import UserError
    from lstm_lm.language_model import LanguageModel
    from lstm_lm.traces.trace import GateTrace
    from lstm_lm.writing.sampling import Ladder, ladder

_HOME_OF = {
    "GateTrace": "traces.trace",
    "Intervention": "cells.interventions",
    "Ladder": "writing.sampling",
    "LanguageModel": "language_model",
    "ModelConfig": "config",
    "SIGNAL_NAMES": "cells.signals",
    "SamplingConfig": "config",
    "StateChange": "cells.interventions",
    "TrainConfig": "config",
    "UserError": "errors",
    "ladder": "writing.sampling",
}

__all__ = [
    "SIGNAL_NAMES",
    "GateTrace",
    "Intervention",
    "Ladder",
    "LanguageModel",
    "ModelConfig",
    "SamplingConfig",
    "StateChange",
    "TrainConfig",
    "UserError",
    "ladder",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
