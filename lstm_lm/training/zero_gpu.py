"""What a Space on ZeroGPU does with the GPU that it is lent: it trains.

ZeroGPU lends a GPU while a function runs that was handed to `spaces.GPU`, and counts that time
against the quota of the visitor who asked. A page that writes needs none, so nothing else of ours
comes through here. How this is written follows from `spaces` 0.51.3 (its `zero/__init__.py`,
`decorator.py` and `wrappers.py`): when it is imported it takes torch's CUDA over, so it is imported
before torch; it reports a Space as started only if something was handed to it before the page is
launched, so importing this module does that; the function runs in a fork of the page's process,
its arguments and its result are pickled, and of an error only the name of its class comes back.
Where this is no Space, or one on other hardware, the function stays as it is. Knows nothing of
pages.
"""

import importlib.util
import json
import math
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from lstm_lm.errors import UserError
from lstm_lm.hub.space import in_space

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

AROUND_SECONDS = 30  # to reach the GPU, read the text and score the model, beside the training


def lent(
    environment: Mapping[str, str], seconds: Callable[Arguments, int]
) -> Callable[[Callable[Arguments, Result]], Callable[Arguments, Result]]:
    """A decorator: in a Space the function may be lent a GPU, for so many seconds of its arguments.

    Args:
        environment: of the process.
        seconds: takes the function's arguments.
    """
    if not in_space(environment) or importlib.util.find_spec("spaces") is None:
        return lambda function: function
    import spaces

    return spaces.GPU(duration=seconds)


def lease(text: str, folder: str, minutes: float) -> int:
    """Seconds for which `train_for` wants the GPU."""
    return math.ceil(60 * minutes) + AROUND_SECONDS


@lent(os.environ, lease)
def train_for(text: str, folder: str, minutes: float) -> dict[str, Any]:
    """Train a new model on a text for so many minutes, on the GPU if one is lent.

    Args:
        text: the text file.
        folder: the run folder, empty or not there yet; the model and its card stay there.
        minutes: of training, scoring included.

    Returns:
        What the run's results.json holds, or {"error": one line} where a person can mend it.
    """
    from lstm_lm.config import TrainConfig
    from lstm_lm.console import Reporter
    from lstm_lm.store.folder import RESULTS_FILE
    from lstm_lm.training.session import begin_run

    given = ["--text", text, "--out", folder, "--minutes", f"{minutes:g}"]
    command = shlex.join(["python", "train.py", *given])
    try:
        config = TrainConfig(minutes=minutes)
        begin_run(config, {"minutes"}, [text], Path(folder), command, Reporter())
    except UserError as error:
        return {"error": str(error)}
    return json.loads((Path(folder) / RESULTS_FILE).read_text(encoding="utf-8"))
