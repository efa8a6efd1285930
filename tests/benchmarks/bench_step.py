"""Steps a second of the one-token step with every gate, against what torch itself offers.

    python tests/benchmarks/bench_step.py [--rounds 9] [--steps 200]

All read the same tokens and make the same logits, batch 1, one thread:

- `Stepper.step`: lstm_lm's own, which keeps every gate;
- nn.LSTM called once a token, as it comes (oneDNN on most CPUs); no gates;
- nn.LSTMCell, one a layer; no gates;
- the memory bound: one thread sums an array as large as the weights that no step can do without
  (from the cache, where the processor's is larger than that).

The contract: `Stepper.step` is at least 4.5 times nn.LSTM at 2x512. Exit code 1 if a result is
wrong (all hidden states must be those of nn.LSTM over the whole sequence), not if one is slow.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parents[2]))

from lstm_lm import LanguageModel
from tests.benchmarks.measure import (
    Timing,
    interleaved,
    make_model,
    print_surroundings,
    surroundings,
)

SIZES = ((2, 512), (1, 1024))  # layers, units
TOLERANCE = 2e-5  # of a hidden state, which lies within -1..1
BAR = 4.5  # times nn.LSTM, at the first of the sizes


class Way(Protocol):
    """One text on its way through the model, in one of the ways compared."""

    def step(self, token_id: int) -> None:
        """Read a token, and make the logits of the next."""
        ...

    def hidden_states(self) -> Tensor:
        """(layers, units) after the last step."""
        ...


class Ours:
    def __init__(self, model: LanguageModel) -> None:
        self.stepper = model.engine.start()
        self.step = self.stepper.step

    def hidden_states(self) -> Tensor:
        return self.stepper.state()[0][:, 0]


class PerToken:
    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.state = model.zero_state()

    def step(self, token_id: int) -> None:
        x = self.model.embedding(torch.tensor([[token_id]]))  # (1, 1, E)
        output, self.state = self.model.rnn(x, self.state)
        self.model.decoder(output)

    def hidden_states(self) -> Tensor:
        return self.state[0][:, 0]


class Cells:
    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self.cells = [lstm_cell(model, layer) for layer in range(model.config.layers)]
        zero = torch.zeros(1, model.config.hidden_size)
        self.states = [(zero, zero)] * model.config.layers

    def step(self, token_id: int) -> None:
        x = self.model.embedding(torch.tensor([token_id]))  # (1, E)
        for layer, cell in enumerate(self.cells):
            self.states[layer] = cell(x, self.states[layer])
            x = self.states[layer][0]
        self.model.decoder(x)

    def hidden_states(self) -> Tensor:
        return torch.cat([h for h, _ in self.states])


WAYS: dict[str, Callable[[LanguageModel], Way]] = {
    "Stepper.step": Ours,
    "nn.LSTM": PerToken,
    "nn.LSTMCell": Cells,
}
OURS, BASELINE, BOUND = "Stepper.step", "nn.LSTM", "memory bound"


def layer_weights(model: LanguageModel, layer: int) -> dict[str, Tensor]:
    """weight_ih, weight_hh, bias_ih and bias_hh of one layer."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return {name: getattr(model.rnn, f"{name}_l{layer}") for name in names}


def lstm_cell(model: LanguageModel, layer: int) -> nn.LSTMCell:
    weights = layer_weights(model, layer)
    cell = nn.LSTMCell(weights["weight_ih"].shape[1], model.config.hidden_size)
    cell.load_state_dict(weights)
    return cell


def expected_hidden_states(model: LanguageModel, token_ids: list[int]) -> Tensor:
    """(steps, layers, units): each layer as an nn.LSTM of its own, over the whole sequence."""
    x = model.embedding(torch.tensor(token_ids))[:, None]  # (T, 1, E)
    of_layers: list[Tensor] = []
    for layer in range(model.config.layers):
        single = nn.LSTM(x.shape[2], model.config.hidden_size)
        weights = layer_weights(model, layer)
        single.load_state_dict({f"{name}_l0": weight for name, weight in weights.items()})
        x = single(x)[0]
        of_layers.append(x[:, 0])
    return torch.stack(of_layers, 1)


def largest_difference(way: Way, token_ids: list[int], expected: Tensor) -> float:
    """Of any hidden state after any step."""
    largest = 0.0
    for token_id, hidden in zip(token_ids, expected, strict=True):
        way.step(token_id)
        largest = max(largest, (way.hidden_states() - hidden).abs().max().item())
    return largest


def bytes_of_step(model: LanguageModel) -> int:
    """Of the weights that every step reads: all but layer 0's input weights and the embedding.

    Which token comes is the only input of layer 0, so its product with W_ih can be a table's row.
    """
    names = [f"rnn.weight_hh_l{layer}" for layer in range(model.config.layers)]
    names += [f"rnn.weight_ih_l{layer}" for layer in range(1, model.config.layers)]
    names.append("decoder.weight")
    weights = model.weights()
    return sum(weights[name].nbytes for name in names)


def timed(way: Way, token_ids: list[int]) -> Callable[[], None]:
    """What one round does: all the tokens, from where the last round left the state."""

    def read() -> None:
        for token_id in token_ids:
            way.step(token_id)

    return read


def reading(size: int, times: int) -> Callable[[], None]:
    """Read an array of so many bytes so many times, as fast as one thread can."""
    array = torch.ones(size // 4)

    def read() -> None:
        for _ in range(times):
            array.sum()

    return read


def row(name: str, timing: Timing, steps: int, baseline: Timing) -> dict[str, object]:
    return {
        "way": name,
        "steps_per_second": steps / timing.median,
        "spread": timing.spread,
        "times_nn_lstm": baseline.median / timing.median,
    }


@torch.inference_mode()
def compare(layers: int, units: int, rounds: int, steps: int) -> dict[str, object]:
    """Check and time all ways at this size; prints its part of the table."""
    model = make_model(layers, units)
    token_ids = torch.randint(model.config.vocab_size, (steps,)).tolist()
    expected = expected_hidden_states(model, token_ids)
    differences = {
        name: largest_difference(way(model), token_ids, expected) for name, way in WAYS.items()
    }
    size = bytes_of_step(model)
    contenders = {name: timed(way(model), token_ids) for name, way in WAYS.items()}
    timings = interleaved(contenders | {BOUND: reading(size, steps)}, rounds)
    rows = [row(name, timing, steps, timings[BASELINE]) for name, timing in timings.items()]
    for of_way in rows:
        name = str(of_way["way"])
        difference = f"{differences[name]:12.1e}" if name in differences else f"{'':12}"
        print(
            f"{layers}x{units:<5} {name:14} {of_way['steps_per_second']:9.0f} "
            f"{of_way['spread']:8.1%} {of_way['times_nn_lstm']:8.2f} {difference}"
        )
    bandwidth = size * steps / timings[BOUND].median / 1e9
    print(f"{'':7} ({size / 1e6:.1f} MB a step, read at {bandwidth:.1f} GB/s)")
    return {
        "size": f"{layers}x{units}",
        "bytes_of_step": size,
        "read_gb_per_second": bandwidth,
        "largest_difference": differences,
        "correct": max(differences.values()) <= TOLERANCE,
        "rows": rows,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Steps a second of the one-token step.")
    parser.add_argument("--rounds", type=int, default=9, help="timed rounds (default: 9)")
    parser.add_argument("--steps", type=int, default=200, help="tokens a round (default: 200)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    print_surroundings()
    print(f"median of {options.rounds} interleaved rounds of {options.steps} tokens, after one")
    print(f"{'size':7} {'way':14} {'steps/s':>9} {'spread':>8} {'ratio':>8} {'difference':>12}")
    results = [compare(*size, options.rounds, options.steps) for size in SIZES]
    print(f"the bar: {OURS} at least {BAR} times {BASELINE} at 2x512")
    rounds = {"rounds": options.rounds, "steps": options.steps, "bar": BAR}
    print(json.dumps({"benchmark": "step", **surroundings(), **rounds, "sizes": results}))
    return 0 if all(result["correct"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
