"""What the benchmarks share: a model, interleaved rounds, and what is said beside the figures.

Times are CPU seconds of this process on one thread: when nothing else runs that is the time on the
clock, and when something does (another program on the same cores) it is disturbed less.
"""

import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lstm_lm import LanguageModel, ModelConfig
from lstm_lm.text.tokenizer import CharTokenizer

ROOT = Path(__file__).parents[2]


def make_model(layers: int, units: int) -> LanguageModel:
    """An untrained model of this size for 65 characters, embedding 64, as tiny shakespeare's."""
    config = ModelConfig(vocab_size=65, embedding_size=64, layers=layers, hidden_size=units)
    tokenizer = CharTokenizer(chr(ord(" ") + number) for number in range(65))
    return LanguageModel(config, tokenizer, seed=1).requires_grad_(False).eval()


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The seconds of one contender, a round an entry."""

    seconds: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half the distance between the slowest and the fastest round, as a share of the median."""
        return (max(self.seconds) - min(self.seconds)) / 2 / self.median


def interleaved(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Time all contenders in turn (A B C A B C ...), after one round that is not counted.

    What changes on the machine meanwhile changes for all of them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, work in contenders.items():
            began = time.process_time()
            work()
            if number:
                seconds[name].append(time.process_time() - began)
    return {name: Timing(seconds=of_rounds) for name, of_rounds in seconds.items()}


def surroundings() -> dict[str, str]:
    """Machine, versions and commit: what a figure is worth nothing without."""
    return {
        "machine": f"{_processor()}, {platform.machine()}, {platform.system()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": str(torch.get_num_threads()),
        "commit": _commit(),
    }


def print_surroundings() -> None:
    """The same as a line a fact, above a table."""
    for name, value in surroundings().items():
        print(f"{name:8} {value}")


def _processor() -> str:
    """The model name from /proc/cpuinfo, or what the platform calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} ({len(names)} cores)" if names else "unknown processor"


def _commit() -> str:
    """The commit of the working tree, with a plus where lstm_lm differs from it."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git("status", "--porcelain", "lstm_lm") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
