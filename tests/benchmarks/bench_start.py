"""How long `train.py` takes to its first training step, with and without a cached text.

    python tests/benchmarks/bench_start.py TEXT [--rounds 3]

Each start is a process of its own: `train.main` runs as a person would run it, and is stopped after
the first step of the run. With --minutes the speed is measured before that, which takes longer and
is shown beside. Seconds of CPU of that process on one thread; the import of torch is a column of
its own. `python train.py --help` is timed beside: it imports neither torch nor gradio.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.measure import ROOT, print_surroundings, surroundings

CHILD = """
import json, os, sys, time
began = time.process_time()
import torch
imported = time.process_time()
import train
from lstm_lm.training.trainer import Trainer
step, out = Trainer.train_step, sys.argv[sys.argv.index("--out") + 1]

def first_of_the_run(trainer):
    loss = step(trainer).item()
    if os.path.exists(os.path.join(out, "checkpoint", "run.json")):
        now = time.process_time()
        print(json.dumps([imported - began, now - imported, loss]), flush=True)
        os._exit(0)
    return torch.tensor(loss)

Trainer.train_step = first_of_the_run
train.main(sys.argv[1:])
"""


def start(text: Path, length: Sequence[str], cache: Path) -> list[float]:
    """Seconds to import torch, seconds from there to the first step, and that step's loss."""
    with tempfile.TemporaryDirectory() as place:
        command = [sys.executable, "-c", CHILD, "--text", str(text), "--out", f"{place}/run"]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "LSTM_LM_CACHE": str(cache)}
        done = subprocess.run(
            [*command, *length], cwd=ROOT, env=environment, check=True, capture_output=True
        )
    return json.loads(done.stdout.splitlines()[-1])


def help_seconds() -> float:
    """Seconds on the clock until `python train.py --help` is done."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "train.py", "--help"], cwd=ROOT, check=True, capture_output=True
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print_surroundings()
    print(f"text     {options.text.stat().st_size:,} bytes\n")
    print(f"{'start':32} {'import torch':>12} {'to the first step':>18}")
    figures: dict[str, float] = {}
    for name in ("--steps 1000", "--minutes 6"):
        rounds: dict[str, list[list[float]]] = {"text read anew": [], "text from the cache": []}
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as cache:
                for of_kind in rounds.values():
                    of_kind.append(start(options.text.resolve(), name.split(), Path(cache)))
        for kind, found in rounds.items():
            imported = statistics.median(seconds for seconds, _, _ in found)
            first = statistics.median(seconds for _, seconds, _ in found)
            figures[f"{name}, {kind}"] = round(first, 2)
            print(f"{name + ', ' + kind:32} {imported:11.2f}s {first:17.2f}s")
    figures["--help"] = round(statistics.median(help_seconds() for _ in range(3)), 2)
    print(f"{'--help, on the clock':32} {'none':>12} {figures['--help']:17.2f}s\n")
    print(json.dumps({**surroundings(), "seconds": figures}))


if __name__ == "__main__":
    main()
