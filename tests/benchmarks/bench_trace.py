"""Seconds to trace every signal of a whole text, against a plain loop over its steps.

    python tests/benchmarks/bench_trace.py [--rounds 7] [--steps 2000]

Both read the same tokens, batch 1, one thread, and keep all six signals of every unit:

- `trace_tokens`: lstm_lm's own, which makes a layer's input projection of all steps at once (and
  the log-probability of every token besides);
- a plain loop: the equations of lstm_lm/cells/signals.py in torch, a step and a layer at a time.

The contract: `trace_tokens` is at least 2.3 times the plain loop at 2x512, 2,000 steps. Exit code 1
if a signal differs, not if tracing is slow.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from lstm_lm import SIGNAL_NAMES, LanguageModel
from lstm_lm.traces.reading import trace_tokens
from tests.benchmarks.measure import interleaved, make_model, print_surroundings, surroundings

LAYERS, UNITS = 2, 512
TOLERANCE = 1e-5
BAR = 2.3  # times the plain loop
OURS, BASELINE = "trace_tokens", "plain loop"

Signals = dict[str, npt.NDArray[np.float32]]
"""Signal -> (layers, steps, units)."""


def plain_loop(model: LanguageModel, token_ids: npt.NDArray[np.int64]) -> Signals:
    """The cell as the equations read, a step and a layer at a time."""
    layers, H = model.config.layers, model.config.hidden_size
    weights = dict(model.rnn.named_parameters())
    h, c = (list(torch.zeros(layers, H)) for _ in range(2))
    kept: dict[str, list[list[Tensor]]] = {
        name: [[] for _ in range(layers)] for name in SIGNAL_NAMES
    }
    for token_id in token_ids.tolist():
        x = model.embedding.weight[token_id]
        for layer in range(layers):
            W_ih, W_hh = weights[f"weight_ih_l{layer}"], weights[f"weight_hh_l{layer}"]
            b_ih, b_hh = weights[f"bias_ih_l{layer}"], weights[f"bias_hh_l{layer}"]
            sums = x @ W_ih.T + b_ih + h[layer] @ W_hh.T + b_hh
            i, f, g, o = sums.chunk(4)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c[layer] = f * c[layer] + i * g
            x = h[layer] = o * c[layer].tanh()
            for name, value in zip(SIGNAL_NAMES, (i, f, g, o, c[layer], x), strict=True):
                kept[name][layer].append(value)
    return {
        name: torch.stack([torch.stack(steps) for steps in by_layer]).numpy()
        for name, by_layer in kept.items()
    }


@torch.inference_mode()
def main() -> int:
    parser = argparse.ArgumentParser(description="Seconds to trace every signal of a text.")
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds (default: 7)")
    parser.add_argument("--steps", type=int, default=2000, help="tokens (default: 2000)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = make_model(LAYERS, UNITS)
    token_ids = np.random.default_rng(1).integers(model.config.vocab_size, size=options.steps)
    ours, theirs = trace_tokens(model, token_ids), plain_loop(model, token_ids)
    differences = {name: float(abs(ours[name] - theirs[name]).max()) for name in SIGNAL_NAMES}
    contenders: dict[str, Callable[[], object]] = {
        OURS: lambda: trace_tokens(model, token_ids),
        BASELINE: lambda: plain_loop(model, token_ids),
    }
    timings = interleaved(contenders, options.rounds)
    print_surroundings()
    print(
        f"{options.steps:,} steps at {LAYERS}x{UNITS}; median of {options.rounds} interleaved "
        "rounds, after one; ratio: plain loop / this"
    )
    print(f"{'way':14} {'seconds':>9} {'spread':>8} {'steps/s':>9} {'ratio':>8}")
    rows: list[dict[str, object]] = []
    for name, timing in timings.items():
        ratio = timings[BASELINE].median / timing.median
        speed = options.steps / timing.median
        print(f"{name:14} {timing.median:9.3f} {timing.spread:8.1%} {speed:9.0f} {ratio:8.2f}")
        rows.append(
            {"way": name, "seconds": timing.median, "spread": timing.spread, "ratio": ratio}
        )
    for name, difference in differences.items():
        print(f"{name:14} differs by {difference:.1e} at most")
    print(f"the bar: {OURS} at least {BAR} times the {BASELINE}")
    correct = max(differences.values()) <= TOLERANCE
    result: dict[str, object] = {
        "size": f"{LAYERS}x{UNITS}",
        "steps": options.steps,
        "rounds": options.rounds,
    }
    result |= {"bar": BAR, "rows": rows, "largest_difference": differences, "correct": correct}
    print(json.dumps({"benchmark": "trace", **surroundings(), **result}))
    return 0 if correct else 1


if __name__ == "__main__":
    sys.exit(main())
