"""Steps of a text at which a part of the cell is seen at work, to begin an explanation with.

Knows nothing of pages.
"""

from dataclasses import dataclass

import numpy as np
import torch

from lstm_lm.insight.findings import lively
from lstm_lm.insight.result import Result
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.trace import GateTrace

MOST_LOGITS = 2**21  # held at once, 16 MiB in float64


@dataclass(frozen=True, kw_only=True)
class Hidden(Result):
    """Where a unit holds much and shows little of it."""

    layer: int
    """From 0."""
    unit: int
    """From 0."""
    step: int
    """From 0."""
    withheld: float
    """|tanh(c)| (1 - o), 0..1: what the output gate keeps from being seen."""


def hidden_memory(trace: GateTrace) -> Hidden:
    """The place at which an output gate withholds most of a memory that is not idle.

    Only lively units count: one whose memory never changes has nothing to show.

    Raises:
        SignalError: the trace is of a plain RNN, which has no output gates.
    """
    found: list[tuple[float, int, int, int]] = []
    for layer in range(trace.layers):
        held = np.abs(np.tanh(trace["cell_state"][layer].astype(np.float64)))
        withheld = held * (1 - trace["output_gate"][layer]) * lively(trace, layer)
        step, unit = np.unravel_index(int(withheld.argmax()), withheld.shape)
        found.append((float(withheld[step, unit]), layer, int(unit), int(step)))
    most, layer, unit, step = max(found)
    return Hidden(layer=layer, unit=unit, step=step, withheld=most)


@torch.no_grad()
def open_choice(model: LanguageModel, trace: GateTrace) -> int:
    """The step after which the model is least sure of the next token, among those that have one.

    Args:
        model: that wrote or read the trace.
        trace: of at least two steps.

    Returns:
        The step, from 0, of the largest entropy.
    """
    shown = torch.from_numpy(np.ascontiguousarray(trace["hidden_state"][-1][:-1]))
    entropies: list[torch.Tensor] = []
    for part in shown.split(max(1, MOST_LOGITS // model.config.vocab_size)):
        log_p = model.decoder(part.to(model.decoder.weight.device)).double().log_softmax(-1)
        entropies.append(-(log_p.exp() * log_p).sum(-1))
    return int(torch.cat(entropies).argmax())
