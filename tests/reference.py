"""The cell as the equations in `lstm_lm/cells/signals.py` read: plain loops over floats, no torch.

Slow on purpose: one line an equation, so that it can be held against the paper by eye. What the
three fast ways through the weights compute is compared with this. `hold` is called with each value
where it is made, and what it returns goes on in its place.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = Mapping[str, Floats]
State = tuple[Floats, Floats]
"""h and c, each (layers, units)."""
Hold = Callable[[str, list[float]], list[float]]
"""Signal and values (units,) -> the values that go on."""
HoldAt = Callable[[int, int], Hold]
"""Step and layer -> what is held there."""


def free(signal: str, values: list[float]) -> list[float]:
    """Nothing is held."""
    del signal
    return values


def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def dot(row: Floats, vector: Sequence[float]) -> float:
    return math.fsum(float(w) * v for w, v in zip(row, vector, strict=True))


def run(
    weights: Weights,
    cell: str,
    token_ids: Sequence[int],
    state: State | None = None,
    hold: HoldAt = lambda t, layer: free,
) -> tuple[dict[str, Floats], Floats, State]:
    """Signal -> (layers, steps, units), logits (steps, V), and the state after the last step."""
    layers = sum(name.startswith("rnn.weight_hh") for name in weights)
    H = weights["rnn.weight_hh_l0"].shape[1]
    h = [[0.0] * H for _ in range(layers)] if state is None else state[0].tolist()
    c = [[0.0] * H for _ in range(layers)] if state is None else state[1].tolist()
    names = SIGNALS[cell]
    signals = {name: np.zeros((layers, len(token_ids), H)) for name in names}
    logits = []
    for t, token_id in enumerate(token_ids):
        x = weights["embedding.weight"][token_id].tolist()
        for layer in range(layers):
            of_step = STEP[cell](weights, layer, x, h[layer], c[layer], hold(t, layer))
            for name in names:
                signals[name][layer, t] = of_step[name]
            h[layer] = of_step["hidden_state"]
            c[layer] = of_step.get("cell_state", c[layer])
            x = h[layer]
        decoder = zip(weights["decoder.weight"], weights["decoder.bias"], strict=True)
        logits.append([dot(row, x) + float(bias) for row, bias in decoder])
    return signals, np.array(logits), (np.array(h), np.array(c))


def sums(
    weights: Weights, layer: int, x: Sequence[float], h: Sequence[float], row: int
) -> list[float]:
    """W_i* x + b_i* + W_h* h + b_h*, for the `row`-th H rows of the layer's weights."""
    H = len(h)
    W_i, W_h = weights[f"rnn.weight_ih_l{layer}"], weights[f"rnn.weight_hh_l{layer}"]
    b_i, b_h = weights[f"rnn.bias_ih_l{layer}"], weights[f"rnn.bias_hh_l{layer}"]
    return [
        dot(W_i[j], x) + float(b_i[j]) + dot(W_h[j], h) + float(b_h[j])
        for j in range(row * H, (row + 1) * H)
    ]


def lstm_step(
    weights: Weights,
    layer: int,
    x: Sequence[float],
    h: Sequence[float],
    c: Sequence[float],
    hold: Hold = free,
) -> dict[str, list[float]]:
    i = hold("input_gate", [sigmoid(s) for s in sums(weights, layer, x, h, row=0)])
    f = hold("forget_gate", [sigmoid(s) for s in sums(weights, layer, x, h, row=1)])
    g = hold("candidate", [math.tanh(s) for s in sums(weights, layer, x, h, row=2)])
    o = hold("output_gate", [sigmoid(s) for s in sums(weights, layer, x, h, row=3)])
    c_t = [f_j * c_j + i_j * g_j for f_j, c_j, i_j, g_j in zip(f, c, i, g, strict=True)]
    c_t = hold("cell_state", c_t)
    h_t = [o_j * math.tanh(c_j) for o_j, c_j in zip(o, c_t, strict=True)]
    h_t = hold("hidden_state", h_t)
    return {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "output_gate": o,
        "cell_state": c_t,
        "hidden_state": h_t,
    }


def rnn_step(
    weights: Weights,
    layer: int,
    x: Sequence[float],
    h: Sequence[float],
    c: Sequence[float],
    hold: Hold = free,
) -> dict[str, list[float]]:
    del c
    h_t = [math.tanh(s) for s in sums(weights, layer, x, h, row=0)]
    return {"hidden_state": hold("hidden_state", h_t)}


def gru_step(
    weights: Weights,
    layer: int,
    x: Sequence[float],
    h: Sequence[float],
    c: Sequence[float],
    hold: Hold = free,
) -> dict[str, list[float]]:
    del c
    r = hold("reset_gate", [sigmoid(s) for s in sums(weights, layer, x, h, row=0)])
    z = hold("update_gate", [sigmoid(s) for s in sums(weights, layer, x, h, row=1)])
    zeros = [0.0] * len(h)
    of_x = sums(without(weights, layer, "bias_hh"), layer, x, zeros, row=2)
    of_h = sums(without(weights, layer, "bias_ih"), layer, [0.0] * len(x), h, row=2)
    n = [math.tanh(s + r_j * s_h) for s, r_j, s_h in zip(of_x, r, of_h, strict=True)]
    n = hold("candidate", n)
    h_t = [(1.0 - z_j) * n_j + z_j * h_j for z_j, n_j, h_j in zip(z, n, h, strict=True)]
    h_t = hold("hidden_state", h_t)
    return {"reset_gate": r, "update_gate": z, "candidate": n, "hidden_state": h_t}


def without(weights: Weights, layer: int, bias: str) -> Weights:
    """The weights with one of the layer's biases left out."""
    name = f"rnn.{bias}_l{layer}"
    return {**weights, name: np.zeros_like(weights[name])}


STEP = {"lstm": lstm_step, "gru": gru_step, "rnn": rnn_step}
SIGNALS = {
    "lstm": [
        "input_gate", "forget_gate", "candidate", "output_gate", "cell_state", "hidden_state",
    ],
    "gru": ["reset_gate", "update_gate", "candidate", "hidden_state"],
    "rnn": ["hidden_state"],
}  # fmt: skip


def log_softmax(logits: Floats) -> Floats:
    """The last axis as log-probabilities."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
