"""What there is to say of one unit: where it is highest and lowest, what moves it, what it moves.

Everything is measured in a reference text (any GateTrace) or read off the weights:

- *pushes*: the unit's column of the decoder, less its mean over the vocabulary (which moves all
  logits alike and so no probability). Since h is in -1..1, a weight is how far the logit moves when
  the unit is fully on; when it is negative, the two lists change places.
- *writers*: the recurrent weights into each of its gates. A unit whose h hardly moves writes
  nothing however large its weight, so they are ranked by weight x standard deviation of h.
- *what it follows*: `detectors.py`, asked of this unit alone.

Knows nothing of pages.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_lm.cells.signals import SIGNALS_OF_CELL, VOCABULARY
from lstm_lm.insight.detectors import STATES, Detector, detect
from lstm_lm.insight.memory import check_place, half_lives
from lstm_lm.insight.properties import Property
from lstm_lm.insight.result import Result
from lstm_lm.language_model import LanguageModel
from lstm_lm.traces.arrays import Array
from lstm_lm.traces.trace import GateTrace

CONTEXT = 24  # tokens shown on either side of a place
SAME = 6  # tokens up to and with the place that make two places the same
BINS = 40
LABELS = {name: signal.label.lower() for name, signal in VOCABULARY.items()}


@dataclass(frozen=True, kw_only=True)
class Place(Result):
    """A step of the reference text, in its context."""

    step: int
    """The step, from 0."""
    value: float
    """The unit's value there."""
    start: int
    """The first token of the context."""
    stop: int
    """One past the last token of the context."""
    before: str
    """The text of the context before the token."""
    token: str
    """The token."""
    after: str
    """The text of the context after it."""


@dataclass(frozen=True, kw_only=True)
class Extremes(Result):
    """Where a signal is highest and lowest; no two places share their last six tokens."""

    highest: tuple[Place, ...]
    """Highest first."""
    lowest: tuple[Place, ...]
    """Lowest first."""


@dataclass(frozen=True, kw_only=True)
class Histogram(Result):
    """The distribution of one signal over the steps."""

    edges: Array
    """(bins + 1,) float32."""
    counts: npt.NDArray[np.int64]
    """(bins,) steps."""
    mean: float
    """The mean value."""


@dataclass(frozen=True, kw_only=True)
class TokenWeight(Result):
    """A token and how much it weighs."""

    token: str
    """As it is shown."""
    token_id: int
    """Its number."""
    weight: float
    """As the field that holds it says."""


@dataclass(frozen=True, kw_only=True)
class UnitWeight(Result):
    """A unit of the step before, or of the layer below, and what it writes."""

    layer: int
    """Where it is."""
    unit: int
    """Which it is."""
    weight: float
    """The weight."""
    effect: float
    """Weight x standard deviation of its h in the reference text."""


@dataclass(frozen=True, kw_only=True)
class UnitPage(Result):
    """All that is said of one unit."""

    layer: int
    """From 0."""
    unit: int
    """From 0."""
    steps: int
    """How long the reference text is."""
    extremes: dict[str, Extremes]
    """cell_state and hidden_state (an RNN: the latter) -> where it is highest and lowest."""
    histograms: dict[str, Histogram]
    """Signal -> its distribution."""
    half_life: float | None
    """Steps; None for a plain RNN."""
    median_half_life: float | None
    """Of the layer's units."""
    pushes_up: tuple[TokenWeight, ...]
    """The tokens whose logits rise most when h rises to 1; empty below the last layer."""
    pushes_down: tuple[TokenWeight, ...]
    """Those whose logits fall most."""
    writers: dict[str, tuple[UnitWeight, ...]]
    """Gate or candidate -> the units of the step before that move it most."""
    from_below: dict[str, tuple[UnitWeight, ...]]
    """The same of the layer below; empty in the first layer."""
    read_from: dict[str, tuple[TokenWeight, ...]]
    """Gate or candidate -> the tokens that move it most when read; in the first layer only."""
    follows: tuple[Detector, ...]
    """The properties that it follows, where that stands out, the clearest first."""

    def sentence(self) -> str:
        """The unit in a sentence, with its numbers."""
        said = [f"Unit {self.unit} of layer {self.layer + 1}"]
        if self.half_life is not None:
            said.append(
                f" keeps half of what it holds for {self.half_life:.1f} steps "
                f"(the median unit: {self.median_half_life:.1f})"
            )
        if self.follows:
            best = self.follows[0]
            joint = " and follows" if self.half_life is not None else " follows"
            said.append(
                f"{joint} {best.name} ({best.measure} {best.best.score:.2f}, shifted in time "
                f"{best.best.shuffled:.2f})"
            )
        elif self.half_life is None:
            said.append(" follows nothing that was asked about")
        return "".join(said) + "."


def unit_page(
    model: LanguageModel,
    trace: GateTrace,
    layer: int,
    unit: int,
    *,
    asked: Sequence[Property] | None = None,
    keep: int = 8,
) -> UnitPage:
    """Everything that is said of one unit.

    Args:
        model: whose unit it is.
        trace: the model's trace of a reference text.
        layer: from 0.
        unit: from 0.
        asked: properties of the reference text; None: all of them.
        keep: how many places, tokens and units to give.

    Raises:
        UserError: there is no such layer or unit.
    """
    check_place(trace, layer, unit=unit)
    last = layer == model.config.layers - 1
    lives = half_lives(trace)[layer] if "forget_gate" in trace.signals else None
    up, down = _pushes(model, unit, keep) if last else ((), ())
    return UnitPage(
        layer=layer,
        unit=unit,
        steps=trace.steps,
        extremes={
            name: Extremes(
                highest=places(trace.tokens, trace[name][layer, :, unit], keep),
                lowest=places(trace.tokens, -trace[name][layer, :, unit], keep, sign=-1),
            )
            for name in STATES
            if name in trace.signals
        },
        histograms={name: _histogram(trace, name, layer, unit) for name in trace.signals},
        half_life=None if lives is None else float(lives[unit]),
        median_half_life=None if lives is None else float(np.median(lives)),
        pushes_up=up,
        pushes_down=down,
        writers=_writers(model, trace, layer, layer, unit, keep),
        from_below=_writers(model, trace, layer, layer - 1, unit, keep) if layer else {},
        read_from={} if layer else _read_from(model, unit, keep),
        follows=tuple(detect(trace, asked, layers=[layer], units=[unit], keep=1).found()),
    )


def places(tokens: list[str], values: Array, keep: int, *, sign: int = 1) -> tuple[Place, ...]:
    """The steps at which the values are highest, in contexts that differ and do not overlap.

    Args:
        tokens: the text.
        values: (steps,).
        keep: how many at most.
        sign: what the values are multiplied by in what is given back.
    """
    found: list[Place] = []
    seen: set[str] = set()
    taken = np.zeros(len(tokens), dtype=bool)
    for step in np.argsort(-values, kind="stable").tolist():
        if taken[step]:
            continue
        same = "".join(tokens[max(0, step + 1 - SAME) : step + 1])
        if same in seen:
            continue
        seen.add(same)
        start, stop = max(0, step - CONTEXT), min(len(tokens), step + CONTEXT + 1)
        taken[start:stop] = True
        found.append(
            Place(
                step=step,
                value=sign * float(values[step]),
                start=start,
                stop=stop,
                before="".join(tokens[start:step]),
                token=tokens[step],
                after="".join(tokens[step + 1 : stop]),
            )
        )
        if len(found) == keep:
            break
    return tuple(found)


def _histogram(trace: GateTrace, name: str, layer: int, unit: int) -> Histogram:
    values = trace[name][layer, :, unit]
    signal = VOCABULARY[name]
    # The cell state has no bound: its own range, with 0 in the middle.
    limit = float(max(np.abs(values).max(), 1e-6))
    low, high = (-limit, limit) if np.isinf(signal.high) else (signal.low, signal.high)
    counts, edges = np.histogram(values, bins=BINS, range=(low, high))
    return Histogram(
        edges=edges.astype(np.float32),
        counts=counts.astype(np.int64),
        mean=float(values.mean(dtype=np.float64)),
    )


def _pushes(
    model: LanguageModel, unit: int, keep: int
) -> tuple[tuple[TokenWeight, ...], tuple[TokenWeight, ...]]:
    """The tokens whose logits the unit moves up and down most, and by how much."""
    column = model.engine.decoder_weight[:, unit].double().numpy()
    column = column - column.mean()
    order = np.argsort(column, kind="stable")
    down = order[:keep][column[order[:keep]] < 0]
    up = order[::-1][:keep]
    return _tokens(model, up[column[up] > 0], column), _tokens(model, down, column)


def _tokens(
    model: LanguageModel, token_ids: npt.NDArray[np.int64], weights: npt.NDArray[np.float64]
) -> tuple[TokenWeight, ...]:
    return tuple(
        TokenWeight(
            token=model.tokenizer.token(token_id),
            token_id=token_id,
            weight=float(weights[token_id]),
        )
        for token_id in token_ids.tolist()
    )


def _rows(model: LanguageModel) -> dict[str, int]:
    """What can be written into -> which of the H-row blocks of the weights that is."""
    rows = {s.name: s.row for s in SIGNALS_OF_CELL[model.config.cell] if s.row is not None}
    return rows or {"hidden_state": 0}


def _writers(
    model: LanguageModel, trace: GateTrace, layer: int, source: int, unit: int, keep: int
) -> dict[str, tuple[UnitWeight, ...]]:
    """The units of layer `source` that move each gate of the unit most."""
    name = f"weight_hh_l{layer}" if source == layer else f"weight_ih_l{layer}"
    weight = dict(model.rnn.named_parameters())[name].detach().double().cpu().numpy()
    spread = trace["hidden_state"][source].std(axis=0, dtype=np.float64)
    result = {}
    for gate, row in _rows(model).items():
        into = weight[row * model.config.hidden_size + unit]
        effect = into * spread
        best = np.argsort(-np.abs(effect), kind="stable")[:keep]
        result[gate] = tuple(
            UnitWeight(layer=source, unit=j, weight=float(into[j]), effect=float(effect[j]))
            for j in best.tolist()
        )
    return result


def _read_from(model: LanguageModel, unit: int, keep: int) -> dict[str, tuple[TokenWeight, ...]]:
    """The tokens that move each gate of the unit most, less what all tokens do to it."""
    weight = dict(model.rnn.named_parameters())["weight_ih_l0"].detach().double().cpu()
    result = {}
    for gate, row in _rows(model).items():
        sums = model.engine.embedding.double() @ weight[row * model.config.hidden_size + unit]
        moved = (sums - sums.mean()).numpy()
        result[gate] = _tokens(model, np.argsort(-np.abs(moved), kind="stable")[:keep], moved)
    return result
