"""The tolerances of the tests: what they take for granted, and that a defect is far beyond them."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lstm_lm.language_model import LanguageModel
from tests import reference, tolerance
from tests.conftest import float64_weights, random_state, random_tokens, tiny_model

CELLS = pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
TOKENS = random_tokens(60)
DRAWS = 100
NUDGE = 1e-9  # far above float64's rounding, far below where a cell is not linear


def nudged(model: LanguageModel, nudge: float) -> Tensor:
    """Every state at every step, (steps, layers, states, draws) float64, by the equations.

    Each sum and each cell state is moved by `nudge` up or down, in every draw independently.
    """
    cell, H = model.config.cell, model.config.hidden_size
    weights = {name: weight.double() for name, weight in model.weights().items()}
    generator = torch.Generator().manual_seed(0)

    def moved(values: Tensor) -> Tensor:
        signs = torch.randint(2, (len(values), DRAWS), generator=generator) * 2 - 1
        return values + nudge * signs

    h, c = (
        [row[0].double()[:, None].expand(H, DRAWS) for row in part] for part in random_state(model)
    )
    found = []
    for token_id in TOKENS.tolist():
        x = weights["embedding.weight"][token_id][:, None].expand(-1, DRAWS)
        for layer in range(model.config.layers):
            W_i, W_h, b_i, b_h = (
                weights[f"rnn.{name}_l{layer}"]
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            if cell == "gru":
                of_x, of_h = moved(W_i @ x + b_i[:, None]), moved(W_h @ h[layer] + b_h[:, None])
                r, z = (of_x + of_h)[: 2 * H].sigmoid().chunk(2)
                n = (of_x[2 * H :] + r * of_h[2 * H :]).tanh()
                h[layer] = moved(n + z * (h[layer] - n))
                x = h[layer]
                continue
            sums = moved(W_i @ x + W_h @ h[layer] + (b_i + b_h)[:, None])
            if cell == "lstm":
                i, f, g, o = sums.chunk(4)
                c[layer] = moved(f.sigmoid() * c[layer] + i.sigmoid() * g.tanh())
                h[layer] = o.sigmoid() * c[layer].tanh()
            else:
                h[layer] = sums.tanh()
            x = h[layer]
        found.append(torch.stack([torch.cat(pair) for pair in zip(h, c, strict=True)]))
    return torch.stack(found)


@CELLS
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_no_model_of_the_tests_carries_an_error_further_than_the_tolerance_takes(
    cell: str, layers: int
) -> None:
    for seed in range(1, 4):
        model = tiny_model(cell, layers, seed)
        moved = (nudged(model, NUDGE) - nudged(model, 0.0)) / NUDGE
        # The root mean square of 100 draws is right to a fourteenth.
        carried = moved.square().mean(-1).sqrt()
        assert float(carried.max()) < tolerance.CARRIED
        # And it does not grow with the text.
        assert float(carried[45:].max()) < 2 * float(carried[:45].max())


def damaged(weights: dict[str, reference.Floats], defect: str) -> dict[str, reference.Floats]:
    """The weights as code with this defect would read them."""
    weights = {name: weight.copy() for name, weight in weights.items()}
    rows = slice(8, 16)
    if defect == "gate rows swapped":
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            weight = weights[f"rnn.{name}_l1"]
            weight[:] = np.roll(weight, 8, axis=0)
    elif defect == "a bias left out":
        weights["rnn.bias_hh_l1"][:] = 0
    elif defect == "one gate's bias left out":
        weights["rnn.bias_hh_l0"][rows] = 0
    elif defect == "weights transposed":
        weights["rnn.weight_hh_l0"][rows] = weights["rnn.weight_hh_l0"][rows].T.copy()
    elif defect == "weights rounded to half":
        for weight in weights.values():
            weight[:] = weight.astype(np.float16)
    return weights


@pytest.mark.parametrize(
    ("defect", "factor"),
    [
        ("gate rows swapped", 500),
        ("a bias left out", 500),
        ("one gate's bias left out", 250),
        ("weights transposed", 500),
        ("the state of the step before", 500),
        ("weights rounded to half", 1),
    ],
)
def test_a_defect_is_far_beyond_the_tolerance(
    model: LanguageModel, defect: str, factor: float
) -> None:
    weights, tokens = float64_weights(model), TOKENS.tolist()
    right, logits, _ = reference.run(weights, "lstm", tokens)
    wrong, other, _ = reference.run(damaged(weights, defect), "lstm", tokens)
    if defect == "the state of the step before":
        wrong = {name: np.roll(values, 1, axis=1) for name, values in right.items()}
        other = np.roll(logits, 1, axis=0)
    for name in right:
        assert np.abs(wrong[name] - right[name]).max() > factor * tolerance.states(model)
    assert np.abs(other - logits).max() > factor * tolerance.logits(model)
    rows = np.arange(len(tokens) - 1), tokens[1:]
    difference = (reference.log_softmax(other) - reference.log_softmax(logits))[rows]
    assert np.abs(difference).max() > factor * tolerance.log_probs(model)


@CELLS
def test_rounding_itself_stays_well_within_the_tolerance(cell: str) -> None:
    """Float32 in the worst order, one product at a time, is not near what is allowed."""
    model = tiny_model(cell, 3)
    right, logits, _ = reference.run(float64_weights(model), cell, TOKENS.tolist())
    h, c = np.zeros((2, 3, 8), np.float32)
    weights = {name: weight.numpy() for name, weight in model.weights().items()}
    for t, token_id in enumerate(TOKENS):
        x = weights["embedding.weight"][token_id]
        for layer in range(3):
            parts = []
            for name, read in (("ih", x), ("hh", h[layer])):
                part = weights[f"rnn.bias_{name}_l{layer}"]
                for column, value in zip(
                    weights[f"rnn.weight_{name}_l{layer}"].T, read, strict=True
                ):
                    part = part + column * value
                parts.append(part)
            of_x, of_h = parts
            total = of_x + of_h
            assert total.dtype == np.float32
            if cell == "lstm":
                i, f, g, o = total.reshape(4, 8)
                i, f, o = (1 / (1 + np.exp(-each)) for each in (i, f, o))
                c[layer] = f * c[layer] + i * np.tanh(g)
                h[layer] = o * np.tanh(c[layer])
            elif cell == "gru":
                r, z = (1 / (1 + np.exp(-each)) for each in total[:16].reshape(2, 8))
                n = np.tanh(of_x[16:] + r * of_h[16:])
                h[layer] = (1 - z) * n + z * h[layer]
            else:
                h[layer] = np.tanh(total)
            x = h[layer]
            error = np.abs(h[layer] - right["hidden_state"][layer, t]).max()
            assert error < tolerance.states(model) / 5
        ours = weights["decoder.weight"] @ x + weights["decoder.bias"]
        assert np.abs(ours - logits[t]).max() < tolerance.logits(model) / 5
