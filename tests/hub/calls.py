"""What people do in the tests of pushing and loading, each called in a process of its own."""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIZES = ["--hidden-size", "8", "--embedding-size", "4", "--batch-size", "2",
         "--sequence-length", "8", "--steps", "2", "--evaluations", "2"]  # fmt: skip
TEXT = "the early bird catches the worm, and the second mouse gets the cheese.\n" * 20


def train(folder: str, *arguments: str) -> int:
    """Run train.py in the folder; its exit code."""
    import train

    os.chdir(folder)
    os.environ["LSTM_LM_CACHE"] = f"{folder}/cache"
    try:
        return train.main(arguments)
    except SystemExit as left:
        return int(str(left.code))


def push(folder: str, repo_id: str, **how: Any) -> tuple[str, str, bool]:
    """Push the model in the folder: its address, its commit, and whether that is new."""
    from lstm_lm.hub.push import push_folder
    from lstm_lm.hub.repository import Target

    pushed = push_folder(Path(folder), Target(repo_id=repo_id, **how))
    return pushed.url, pushed.commit, pushed.changed


def write(name: str, revision: str | None = None) -> str:
    """What the model of this name writes."""
    from lstm_lm import LanguageModel, SamplingConfig

    lm = LanguageModel.from_pretrained(name, revision=revision)
    return lm.complete("\n", SamplingConfig(max_new_tokens=40, seed=3))


def refusals(*names: str) -> list[tuple[str, str]]:
    """The kind and the text of the error at the loading of each name."""
    from lstm_lm import LanguageModel, UserError

    found: list[tuple[str, str]] = []
    for name in names:
        try:
            LanguageModel.from_pretrained(name)
            found.append(("loaded", name))
        except UserError as error:
            found.append((type(error).__name__, str(error)))
    return found


def copy(name: str, other: str) -> str:
    """Push what is loaded from one repository to another."""
    from lstm_lm import LanguageModel

    return LanguageModel.from_pretrained(name).push_to_hub(other)


def in_turn(*calls: tuple[Callable[..., Any], tuple[Any, ...]]) -> list[Any]:
    """What each call returns, in one process."""
    return [function(*arguments) for function, arguments in calls]


def hf(*arguments: str) -> None:
    """Run the `hf` command."""
    from huggingface_hub.cli.hf import main

    sys.argv = ["hf", *arguments]
    with contextlib.suppress(SystemExit):
        main()


def offer(name: str) -> tuple[str, int]:
    """Put the model on the page's shelf: what it is called, and the steps of its first text."""
    from lstm_lm.ui.shelf.models import ModelShelf
    from lstm_lm.ui.shelf.runs import RunStore

    shown = ModelShelf([name], RunStore()).get(name)
    return shown.name, shown.opening.steps


def serve(*arguments: str) -> int:
    """Run app.py."""
    import app

    return app.main(arguments)


def tell_progress(
    name: str, largest: int | None, *, token: bool = True
) -> tuple[list[tuple[int, int]], str]:
    """Fetch the model: what was told of its bytes, and its folder."""
    from lstm_lm.hub.download import fetch

    told: list[tuple[int, int]] = []
    folder = fetch(name, largest=largest, token=token, progress=lambda *bytes_: told.append(bytes_))
    return told, str(folder)


def push_twice(folder: str) -> list[str]:
    """From Python: a model as it was loaded, then changed."""
    from lstm_lm import LanguageModel

    lm = LanguageModel.from_pretrained(folder)
    first = lm.push_to_hub("ada/mine", private=True, revision="v1", license="mit")
    lm.decoder.bias.zero_()
    return [first, lm.push_to_hub("ada/mine", private=True, revision="v2")]


def try_all(folder: str, asked: list[list[str]]) -> list[int]:
    """The exit code of a training for each target."""
    text = ["--text", f"{folder}/verse.txt", *SIZES]
    return [train(folder, *text, "--push-to-hub", *where) for where in asked]


def read_datasets(*sources: str) -> list[str]:
    """The text of each file of a dataset, or the error."""
    from lstm_lm.errors import TextError
    from lstm_lm.hub.datasets import dataset_file

    found: list[str] = []
    for source in sources:
        try:
            found.append(dataset_file(source).read_text())
        except TextError as error:
            found.append(f"error: {error}")
    return found
