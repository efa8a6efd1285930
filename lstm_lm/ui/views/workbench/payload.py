"""What travels between the page and its workbench component: bytes to paint, exact numbers.

Knows nothing of gradio. A column is one step: signals x layers x units, a byte each. Bytes are
for colour only; every number that a person reads comes from `exact_step`.
"""

import base64
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.kinds import cell_of
from lstm_lm.cells.signals import SIGNALS_OF_CELL, Signal
from lstm_lm.cells.stepper import Array, Engine
from lstm_lm.insight.step import step_of_unit
from lstm_lm.language_model import LanguageModel
from lstm_lm.ui.shelf.runs import PageRun

LIKELIEST = 12  # tokens that a step's ladder names
ZERO = 128  # the byte of 0 where a signal has a sign


def base64_of(array: npt.NDArray[Any]) -> str:
    """The array's bytes, little-endian, as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def to_bytes(values: Array, cell: str, scale: Array) -> npt.NDArray[np.uint8]:
    """Values as colours: a gate's 0..1 as 0..255, a signed signal's -1..1 as 1..255.

    Args:
        values: (steps, signals, layers, units) float32.
        cell: lstm, gru or rnn.
        scale: (layers, units) float32, the |cell state| that is painted at full colour.
    """
    result = np.empty(values.shape, dtype=np.uint8)
    for row, signal in enumerate(SIGNALS_OF_CELL[cell]):
        result[:, row] = signal_bytes(values[:, row], signal, scale)
    return result


def signal_bytes(values: Array, signal: Signal, scale: Array) -> npt.NDArray[np.uint8]:
    """One signal's values, (steps, layers, units) float32, as colours: see `to_bytes`."""
    if signal.low == 0.0:
        return np.rint(values * 255).astype(np.uint8)
    largest = scale if np.isinf(signal.high) else np.float32(1.0)
    return (np.rint(np.clip(values / largest, -1, 1) * 127) + ZERO).astype(np.uint8)


def cell_scale(values: Array, cell: str) -> Array:
    """Each unit's largest |cell state| in a text: (layers, units) float32, at least 0.05."""
    if not cell_of(cell).has_cell_state:
        return np.ones(values.shape[2:], dtype=np.float32)
    names = [signal.name for signal in SIGNALS_OF_CELL[cell]]
    return state_scale(values[:, names.index("cell_state")])


def state_scale(states: Array) -> Array:
    """The same of cell states alone: (steps, layers, units) -> (layers, units)."""
    return np.maximum(np.abs(states).max(axis=0), np.float32(0.05))


def header(run: PageRun, scale: Array, tokenizer: str, about: str) -> dict[str, Any]:
    """What a browser needs to know before the first column."""
    return {
        "run": run.run_id,
        "model": run.model,
        "about": about,
        "tokenizer": tokenizer,
        "capacity": run.capacity,
        "layers": run.layers,
        "units": run.units,
        "prompt_steps": run.prompt_steps,
        "signals": signals_of(run.cell),
        "cell": {"name": run.cell, **asdict(cell_of(run.cell).diagram)},
        "scale": base64_of(scale),
    }


def signals_of(cell: str) -> list[dict[str, Any]]:
    """The signals of a cell as the page needs them, in the order of the arrays."""
    return [
        {
            "name": signal.name,
            "label": signal.label,
            "plain": signal.plain,
            "symbol": signal.symbol,
            "signed": signal.low != 0.0,
            "bounded": bool(np.isfinite(signal.high)),
        }
        for signal in SIGNALS_OF_CELL[cell]
    ]


def columns(run: PageRun, start: int, stop: int, scale: Array) -> dict[str, Any]:
    """The columns [start, stop) to paint, with their tokens."""
    return {
        "run": run.run_id,
        "start": start,
        "tokens": run.tokens[start:stop],
        "data": base64_of(to_bytes(run.values[start:stop], run.cell, scale)),
    }


def exact_step(run: PageRun, step: int) -> dict[str, Any]:
    """Every signal of one step, exactly, and the cell state before it.

    Returns:
        `values`: base64 of (signals, layers, units) float32; `log_prob`: natural log of the
        probability of this token before it was read, None for the first of a text.
    """
    log_prob = run.log_probs[step]
    return {
        "run": run.run_id,
        "step": step,
        "values": base64_of(run.values[step]),
        "log_prob": None if np.isnan(log_prob) else log_prob,
    }


def unit_step(run: PageRun, engine: Engine, step: int, layer: int, unit: int) -> dict[str, Any]:
    """One unit at one step, taken apart: the fields of `insight.step.UnitStep`.

    `x` is base64 of float32, and so is `h`, the hidden state (units,) that the layer had before.
    `replaced`: where the state was changed before the step, what `h_before` and `c_before` would
    have been.
    """
    h, c = (part[layer, 0].numpy() for part in run.state_before(step))
    if layer == 0:
        x = engine.embedding[run.token_ids[step]].numpy()
    else:
        x = run.values[step, run.signal_names.index("hidden_state"), layer - 1]
    found = step_of_unit(engine, layer, unit, x, h, c, run.held_at(step, layer, unit))
    left = run.state_after(step - 1)
    names = ("h_before", "c_before")[: len(run.signal_names)]
    replaced = {
        name: float(part[layer, unit])
        for name, part in zip(names, left, strict=False)
        if run.changes_state(step)
    }
    return {
        **asdict(found),
        "run": run.run_id,
        "x": base64_of(x),
        "h": base64_of(h),
        "replaced": replaced,
    }


def next_token(run: PageRun, model: LanguageModel, step: int) -> dict[str, Any]:
    """What could come after a step: every logit, the likeliest tokens, and the one taken.

    Returns:
        `logits`: base64 of (V,) float32, those that the next token was drawn from; `likeliest`:
        [id, token] of the first dozen, whatever the settings; `taken`: [id, token], None at the
        end of the text; `sampling`: how the text was written, None where it was only read.
    """
    logits = model.engine.start(run.state_before(step + 1)).logits.numpy()
    likeliest = np.argsort(-logits, kind="stable")[:LIKELIEST].tolist()
    taken = run.token_ids[step + 1] if step + 1 < run.steps else None
    named = [[each, model.tokenizer.token(each)] for each in likeliest]
    return {
        "run": run.run_id,
        "step": step,
        "logits": base64_of(logits),
        "likeliest": named,
        "taken": None if taken is None else [taken, model.tokenizer.token(taken)],
        "sampling": None if run.sampling is None else asdict(run.sampling),
    }


def line(run: PageRun, signal: str, layer: int, unit: int) -> dict[str, Any]:
    """One unit's signal over all steps so far: base64 of (steps,) float32."""
    row = run.signal_names.index(signal)
    values = run.values[: run.steps, row, layer, unit]
    return {"run": run.run_id, "values": base64_of(values)}
