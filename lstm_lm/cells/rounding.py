"""How far a computed number may lie from the exact one, from the precision and what is added up.

One operation gives the exact result times 1 + d, where |d| is at most the unit roundoff u of the
precision: half the distance from 1 to the next number. After n operations, in whatever order they
are done, the factor is within gamma(n) = n u / (1 - n u) of 1 (Higham 2002, "Accuracy and Stability
of Numerical Algorithms", section 3.1). So two kernels, two processors or two thread counts may
differ by that much, and by no more: such a bound belongs to the arithmetic, a difference that was
once measured to the machine that it was measured on.

A long sum rarely comes near n u, since its roundings have both signs: with DEVIATIONS times the
root of n in place of n the bound is broken less than once in 10**5 sums of independent roundings,
and these lie evenly within u more often than at its ends (Higham and Mary 2019, "A New Approach to
Probabilistic Rounding Error Analysis", theorem 2.4: with probability 1 - 2 exp(-DEVIATIONS**2 / 2)
for each). Knows nothing of models; `foreign.py` and the tests allow by it what they compare.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

UNIT_ROUNDOFF = {
    torch.float64: 2.0**-53,
    torch.float32: 2.0**-24,
    torch.float16: 2.0**-11,
    torch.bfloat16: 2.0**-8,
}
TF32_ROUNDOFF = 2.0**-11  # TensorFloat-32, which cuDNN may use for float32, keeps half's 10 bits
DEVIATIONS = 5.0
ACTIVATION = 8  # units of roundoff: sigmoid and tanh of a vectorised library, of values up to 1
GPU_TANH = 2.0**-11  # relative error of a graphics card's own (NVIDIA PTX ISA, tanh.approx.f32)


def gamma(operations: float, roundoff: float) -> float:
    """Largest relative error of this many roundings in a row; inf where nothing is certain.

    >>> f"{gamma(2, 2.0**-24):.3g}", gamma(256, 2.0**-8)
    ('1.19e-07', inf)
    """
    product = operations * roundoff
    return product / (1 - product) if product < 1 else math.inf


def sum_gamma(terms: int, roundoff: float) -> float:
    """The relative error that a sum of so many products may well have: see above.

    Where the certain bound is the smaller one, for short sums, it is that.
    """
    return gamma(min(terms, DEVIATIONS * math.sqrt(terms)), roundoff)


@dataclass(frozen=True, kw_only=True)
class Precision:
    """How a kernel may round."""

    written: float
    """Unit roundoff of what stands between two operations: operands, results, states."""
    summed: float
    """Unit roundoff within a matrix product: those of halves add up in float32."""
    activation: float
    """Largest absolute error of a sigmoid or tanh, as it is written down."""

    @classmethod
    def of(cls, tensor: Tensor) -> "Precision":
        """That of a kernel that reads this tensor where it is."""
        written = UNIT_ROUNDOFF[tensor.dtype]
        summed = min(written, UNIT_ROUNDOFF[torch.float32])
        by_itself = ACTIVATION * summed
        if tensor.device.type != "cpu" and tensor.dtype != torch.float64:
            by_itself = GPU_TANH
        if tensor.is_cuda and tensor.dtype == torch.float32 and torch.backends.cudnn.allow_tf32:
            written = TF32_ROUNDOFF
        return cls(written=written, summed=summed, activation=by_itself + written)

    def sum_error(self, parts: Tensor, squares: Tensor, terms: int) -> Tensor:
        """How far W x + b + W h + b may lie off, element by element.

        Args:
            parts: the sum of the sizes of its four parts: each is rounded, and each addition.
            squares: the sum of the squared products in it. Their operands may be rounded, or kept
                where ours were; these roundings are independent, so they add up as squares do.
            terms: how many products they are.
        """
        operands = DEVIATIONS * 2 * self.written
        # Twice: both sides of the comparison add up. The sizes of n products sum to at most the
        # root of n times that of their squares.
        added_up = 2 * math.sqrt(terms) * sum_gamma(terms, self.summed)
        return gamma(5, self.written) * parts + (operands + added_up) * squares.sqrt()


def sigmoid_error(at: Tensor, error: Tensor, precision: Precision) -> Tensor:
    """Largest error of sigmoid(at) where `at` is off by `error`."""
    # Its slope falls on both sides of 0: the steepest within reach is where |at| is smallest.
    nearest = (at.abs() - error).clamp(min=0).sigmoid()
    return nearest * (1 - nearest) * error + precision.activation


def tanh_error(at: Tensor, error: Tensor, precision: Precision) -> Tensor:
    """Largest error of tanh(at) where `at` is off by `error`."""
    nearest = (at.abs() - error).clamp(min=0).tanh()
    return (1 - nearest.square()) * error + precision.activation
