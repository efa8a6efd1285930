"""What a program needs before it can say anything else: a Python that reads it, its requirements.

Imported by `app.py`, `train.py` and `python -m lstm_lm.insight` before any other module of ours,
and written so that Python 3.6 reads it; on a Python that is too old it ends the program there.
Nothing heavy is imported, and no requirement is looked for before it is needed: `--help` is as fast
as ever, and works without them. Knows nothing of what a program does.
"""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

OLDEST = (3, 11)
# The modules of requirements.txt; a test holds the two together.
REQUIRED = (
    "torch",
    "gradio",
    "huggingface_hub",
    "safetensors",
    "sentencepiece",
    "numpy",
    "tqdm",
    "matplotlib",
)


def check_python() -> None:
    """End the program if this Python is too old: one line on stderr, exit code 2."""
    if tuple(sys.version_info[:2]) < OLDEST:
        found = ".".join(str(part) for part in sys.version_info[:3])
        wanted = ".".join(str(part) for part in OLDEST)
        _say(
            f"this is Python {found}, and {wanted} or newer is needed: install one and run it with "
            f"that, for instance python{wanted} {_program()}"
        )
        sys.exit(2)


def run(main: "Callable[[], int]") -> int:
    """What `main` returns; or 2, with one line on stderr, if a requirement is not installed."""
    try:
        return main()
    except ModuleNotFoundError as error:
        if error.name not in REQUIRED:
            raise  # a mistake of ours, or of a requirement
        listed = shlex.quote(str(Path(__file__).resolve().parent.parent / "requirements.txt"))
        python = shlex.quote(sys.executable or "python")
        _say(f"{error.name} is not installed here: run  {python} -m pip install -r {listed}")
        return 2


def _program() -> str:
    """What stands after `python` to run it."""
    path = Path(sys.argv[0])
    if path.name == "__main__.py":
        return f"-m {path.parent.parent.name}.{path.parent.name}"
    return path.name


def _say(message: str) -> None:
    program = _program()
    name = program[3:] if program.startswith("-m ") else program
    sys.stderr.write(f"{name}: {message}\n")


check_python()
