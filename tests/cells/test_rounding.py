"""The bounds on rounding, against arithmetic that is done in that precision."""

import math

import numpy as np
import pytest
import torch

from lstm_lm.cells.rounding import (
    UNIT_ROUNDOFF,
    Precision,
    gamma,
    sigmoid_error,
    sum_gamma,
    tanh_error,
)

PRECISIONS = pytest.mark.parametrize("dtype", list(UNIT_ROUNDOFF), ids=str)


@PRECISIONS
def test_the_unit_roundoff_is_half_the_distance_from_one_to_the_next_number(
    dtype: torch.dtype,
) -> None:
    assert UNIT_ROUNDOFF[dtype] == torch.finfo(dtype).eps / 2


@PRECISIONS
@pytest.mark.parametrize("terms", [3, 16, 200])
def test_a_sum_in_any_order_stays_within_its_bound(dtype: torch.dtype, terms: int) -> None:
    """Added up one by one in that precision: the least accurate order there is."""
    generator = torch.Generator().manual_seed(terms)
    products = torch.randn(500, terms, generator=generator, dtype=torch.float64).to(dtype)
    total = torch.zeros(500, dtype=dtype)
    for column in products.unbind(1):
        total = total + column
    rows = products.double().tolist()
    exact = torch.tensor([math.fsum(row) for row in rows], dtype=torch.float64)
    error = (total.double() - exact).abs() / products.double().abs().sum(1)
    assert (
        float(error.max())
        <= sum_gamma(terms, UNIT_ROUNDOFF[dtype])
        <= gamma(terms, UNIT_ROUNDOFF[dtype])
    )
    assert float(error.max()) > 0


@PRECISIONS
def test_a_layers_sums_stay_within_their_bound(dtype: torch.dtype) -> None:
    """W x + b + W h + b with every part and every addition written down in that precision."""
    generator = torch.Generator().manual_seed(1)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)

    x, h, W_i, W_h, b_i, b_h = (
        random(40, 24), random(40, 32), random(64, 24), random(64, 32), random(64), random(64)
    )  # fmt: skip
    ours = (x @ W_i.t() + b_i) + (h @ W_h.t() + b_h)
    x, h, W_i, W_h, b_i, b_h = (each.double() for each in (x, h, W_i, W_h, b_i, b_h))
    from_x, from_h = x @ W_i.t(), h @ W_h.t()
    parts = from_x.abs() + from_h.abs() + b_i.abs() + b_h.abs()
    squares = x.square() @ W_i.square().t() + h.square() @ W_h.square().t()
    error = (ours.double() - (from_x + from_h + b_i + b_h)).abs()
    allowed = Precision.of(ours).sum_error(parts, squares, 24 + 32)
    assert (error <= allowed).all()
    # A missing bias is far beyond it.
    assert (b_i.abs() > allowed).double().mean() > (0.5 if dtype == torch.bfloat16 else 0.9)


@pytest.mark.parametrize("error", [1e-6, 1e-2, 3.0])
def test_an_activation_moves_no_further_than_its_steepest_slope_within_reach(error: float) -> None:
    at = torch.linspace(-30, 30, 2001, dtype=torch.float64)
    precision = Precision.of(at)
    for function, bound in ((torch.sigmoid, sigmoid_error), (torch.tanh, tanh_error)):
        allowed = bound(at, torch.full_like(at, error), precision)
        for moved in (at + error, at - error, at + error / 2):
            assert ((function(moved) - function(at)).abs() <= allowed).all()
        assert allowed[0] < 1.2 * error * float(np.exp(-2 * 12)) + 1e-13  # flat far from 0


def test_nothing_is_certain_after_as_many_roundings_as_one_over_the_roundoff() -> None:
    assert gamma(256, UNIT_ROUNDOFF[torch.bfloat16]) == float("inf")
    assert sum_gamma(256, UNIT_ROUNDOFF[torch.bfloat16]) < 0.5
