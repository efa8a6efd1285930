"""What the Units view shows: a page for every unit of a model, and which are worth a look.

All of it is measured in one reference text, which the model writes itself when the view is first
opened: such a text is at hand for every model, without a network, and is in the model's own
characters. The arithmetic is `insight/units.py` and `insight/detectors.py`; here it is put into
payloads. The functions that a browser calls check everything. Knows nothing of gradio.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_lm.cells.interventions import Intervention
from lstm_lm.cells.signals import SIGNALS_OF_CELL
from lstm_lm.cells.stepper import Array
from lstm_lm.config import ModelConfig, SamplingConfig
from lstm_lm.errors import UserError
from lstm_lm.insight.detectors import STATES, Detection, detect
from lstm_lm.insight.findings import find_longest
from lstm_lm.insight.holding import other_units, sway
from lstm_lm.insight.memory import half_lives
from lstm_lm.insight.properties import Property, properties
from lstm_lm.insight.units import UnitPage, unit_page
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.asking import of_model, told
from lstm_lm.ui.links.links import UnitLink, encode_unit
from lstm_lm.ui.links.places import below
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel, public_name, written_alone
from lstm_lm.ui.shelf.reading import readable
from lstm_lm.ui.shelf.runs import PageRun
from lstm_lm.ui.shelf.turns import Turns
from lstm_lm.ui.views.units.holding import is_number, sway_payload, write_held
from lstm_lm.ui.views.workbench.changes import plain
from lstm_lm.ui.views.workbench.payload import base64_of, cell_scale, signals_of

REFERENCE_STEPS = 2_000  # tokens of the reference text
MOST_VALUES = 2**24  # of its trace, 64 MiB: a large model writes a shorter text
TEMPERATURE, SEED = 0.7, 2
KEPT = 4  # reference texts, of as many models
ANSWERS_KEPT = 100  # of what was written again, a reference text
LONGEST_OWN = 2_000  # tokens of a person's own text
FOLLOWS_NOTHING = (
    "Of all that was asked about, nothing stands out in this unit against the same unit shifted "
    "in time."
)
Payload = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A model's reference text, and what was measured in it once."""

    shown: ShownModel
    run: PageRun
    trace: GateTrace
    """Of the run."""
    asked: list[Property]
    scale: Array
    """(layers, units) float32: the largest |cell state|, which is painted at full colour."""
    survey: Payload
    answers: OrderedDict[tuple[Any, ...], Any] = field(default_factory=OrderedDict)
    """What took long to work out, by what was asked."""

    def once(self, key: tuple[Any, ...], work: Callable[[], Any]) -> Any:
        """What the work gives, kept for the next time."""
        if key not in self.answers:
            self.answers[key] = work()
        self.answers.move_to_end(key)
        while len(self.answers) > ANSWERS_KEPT:
            self.answers.popitem(last=False)
        return self.answers[key]


class UnitView:
    """The pages of all units of the models on a shelf; a model's text is written when needed.

    Args:
        shelf: the models.
    """

    def __init__(self, shelf: ModelShelf) -> None:
        self._shelf = shelf
        self._references: OrderedDict[str, Reference] = OrderedDict()
        # One at a time: visitors together are not to take every core. Each kind of work has turns
        # of its own, so that a unit's page does not wait for what is written again.
        self._writing, self._holding, self._looking = Turns(), Turns(), Turns()

    # Called by the page's JavaScript with one list, and by anyone.

    def survey(self, arguments: object) -> Payload | None:
        """[model] -> its reference text, and the units worth looking at."""
        return self._answer(arguments, 1, lambda reference: reference.survey)

    def unit(self, arguments: object) -> Payload | None:
        """[model, layer, unit] -> all that is said of the unit."""

        def answer(reference: Reference, layer: object, unit: object) -> Payload | None:
            config = reference.shown.model.config
            if not (below(layer, config.layers) and below(unit, config.hidden_size)):
                return None
            with self._looking:
                return _page(reference, layer, unit)

        return self._answer(arguments, 3, answer)

    def color(self, arguments: object) -> Payload | None:
        """[model, layer, unit, signal, text] -> the unit's state at each token of the text."""

        def answer(
            reference: Reference, layer: object, unit: object, signal: object, text: object
        ) -> Payload | None:
            config = reference.shown.model.config
            if not (below(layer, config.layers) and below(unit, config.hidden_size)):
                return None
            if signal not in _states(reference.trace) or not isinstance(text, str):
                return None
            with self._looking:
                return _own_text(reference.shown, layer, unit, str(signal), text)

        return self._answer(arguments, 5, answer)

    def hold(self, arguments: object) -> Payload | None:
        """[model, layer, unit, signal, step, value] -> what is written with the unit held.

        From the step on, at the value; null: low, typical and high. See `holding.write_held`.
        """

        def answer(
            reference: Reference, layer: Any, unit: Any, signal: Any, step: Any, value: Any
        ) -> Payload | None:
            if not _is_signal(reference, layer, unit, signal):
                return None
            if not (below(step, reference.trace.steps) and (value is None or is_number(value))):
                return None
            held = Intervention(signal, layer=layer, units=[unit], start=step)

            def write() -> Payload:
                return write_held(reference.shown, reference.run, reference.trace, held, value)

            with self._holding:
                return reference.once(("hold", layer, unit, signal, step, value), write)

        return self._answer(arguments, 6, answer)

    def sway(self, arguments: object) -> Payload | None:
        """[model, layer, unit, signal] -> how much of the probability moves with the unit."""

        def answer(reference: Reference, layer: Any, unit: Any, signal: Any) -> Payload | None:
            if not _is_signal(reference, layer, unit, signal):
                return None
            model, trace = reference.shown.model, reference.trace

            def measure() -> Payload:
                found = sway(model, trace, layer, unit, signal, others=others)
                return sway_payload(found)

            with self._holding:
                key = ("others", layer, signal)
                others = reference.once(key, lambda: other_units(model, trace, layer, signal))
                return reference.once(("sway", layer, unit, signal), measure)

        return self._answer(arguments, 4, answer)

    def _answer(
        self, arguments: object, count: int, answer: Callable[..., Payload | None]
    ) -> Payload | None:
        """The answer, or the line that says why there is none; None for what is no question."""
        asked = of_model(self._shelf, arguments, count)
        if asked is None:
            return None
        shown, rest = asked
        return told(lambda: answer(self.reference(shown), *rest))

    def reference(self, shown: ShownModel) -> Reference:
        """The model's reference text, written now if it was not before.

        Raises:
            UserError: many wait for such texts already.
        """
        with self._writing:
            held = self._references.pop(shown.name, None)
            if held is None or held.shown is not shown:  # a guest of the same name is another
                held = _write_reference(shown)
            self._references[shown.name] = held
            while len(self._references) > KEPT:
                self._references.popitem(last=False)
            return held


def _is_signal(reference: Reference, layer: object, unit: object, signal: object) -> bool:
    """Whether the model has the unit, and its cell the signal."""
    config = reference.shown.model.config
    has = below(layer, config.layers) and below(unit, config.hidden_size)
    return has and isinstance(signal, str) and signal in reference.trace.signals


def _states(trace: GateTrace) -> list[str]:
    """The states that the trace has, the first of them shown first."""
    return [name for name in STATES if name in trace.signals]


def reference_steps(config: ModelConfig) -> int:
    """How many tokens the model's reference text has."""
    values = len(SIGNALS_OF_CELL[config.cell]) * config.layers * config.hidden_size
    return max(2, min(REFERENCE_STEPS, MOST_VALUES // values))


def _write_reference(shown: ShownModel) -> Reference:
    steps = reference_steps(shown.model.config)
    # The newline that it starts from is a token of the text too.
    sampling = SamplingConfig(max_new_tokens=steps - 1, temperature=TEMPERATURE, seed=SEED)
    run = written_alone(shown.name, shown.model, sampling)
    trace = run.trace()
    asked = properties(trace.tokens)
    return Reference(
        shown=shown,
        run=run,
        trace=trace,
        asked=asked,
        scale=cell_scale(run.values, run.cell),
        survey=_survey(shown, trace, asked),
    )


def _survey(shown: ShownModel, trace: GateTrace, asked: list[Property]) -> Payload:
    """What holds for the model: its text, its units worth a look, and how to link to a unit."""
    link = UnitLink(
        model=public_name(shown.name),
        revision=shown.revision,
        weights=shown.weights,
        layer=0,
        unit=0,
    )
    label = link.model.rsplit("/", 1)[-1]
    detection = detect(trace, asked, keep=1)
    return {
        "model": shown.name,
        "tokenizer": shown.model.config.tokenizer,
        "layers": trace.layers,
        "units": trace.units,
        "signals": signals_of(shown.model.config.cell),
        "states": _states(trace),
        "tokens": trace.tokens,
        "told": f"Measured in {trace.steps:,} tokens that {label} wrote itself, from a newline on, "
        f"at temperature {TEMPERATURE:g} with seed {SEED}.",
        "overview": _overview(detection),
        "worth": _worth(trace, detection),
        "address": encode_unit(link).removesuffix("&layer=0&unit=0"),
    }


def _overview(detection: Detection) -> str:
    """How much of what was asked about some unit follows, and the clearest case."""
    found, tested = detection.found(), len(detection.detectors)
    if not found:
        return f"Of the {tested} properties that were asked about no unit follows any."
    best, name = found[0].best, found[0].name
    return (
        f"Of the {tested} properties that were asked about, {len(found)} "
        f"{'is' if len(found) == 1 else 'are'} followed by some unit of the model; the clearest is "
        f"{name}, score {plain(best.score, 2)} against {plain(best.shuffled, 2)} when shifted in "
        "time, by"
    )


def _worth(trace: GateTrace, detection: Detection) -> list[Payload]:
    """The units worth looking at: the best for each property, and those that keep longest."""
    found: list[Payload] = [
        {
            "layer": detector.best.layer,
            "unit": detector.best.unit,
            "does": f"follows {detector.name}",
            "score": detector.best.score,
            "shuffled": detector.best.shuffled,
            "measure": detector.measure,
        }
        for detector in detection.found()
    ]
    if "forget_gate" not in trace.signals:
        return found
    lives = half_lives(trace)
    for layer in range(trace.layers):
        finding = find_longest(trace, layer)
        if finding.stands_out and finding.unit is not None:
            found.append(
                {
                    "layer": layer,
                    "unit": finding.unit,
                    "does": f"keeps longest in layer {layer + 1}",
                    "half_life": _finite(lives[layer, finding.unit]),
                    "median": _finite(np.median(lives[layer])),
                }
            )
    return found


def _finite(value: np.floating) -> float | None:
    return float(value) if np.isfinite(value) else None


def _page(reference: Reference, layer: Any, unit: Any) -> Payload:
    """The unit's page, with its states over the whole text to colour it by."""
    trace = reference.trace
    page = unit_page(reference.shown.model, trace, layer, unit, asked=reference.asked)
    return {
        **page.to_json(),
        "sentence": page.sentence(),
        "evidence": _evidence(page),
        "lines": {name: base64_of(trace[name][layer, :, unit]) for name in page.extremes},
        "scales": {
            name: float(reference.scale[layer, unit]) if name == "cell_state" else 1.0
            for name in page.extremes
        },
    }


def _evidence(page: UnitPage) -> str:
    return page.follows[0].evidence() if page.follows else FOLLOWS_NOTHING


def _own_text(shown: ShownModel, layer: Any, unit: Any, signal: str, text: str) -> Payload:
    """The unit's state at each token of a person's text.

    Raises:
        UserError: there is no text, or it is too long.
    """
    if not text:
        raise UserError("there is no text yet: type or paste some")
    token_ids, notes, marks = readable(shown.model, text, "the text")
    if len(token_ids) > LONGEST_OWN:
        raise UserError(
            f"the text has {len(token_ids):,} tokens; at most {LONGEST_OWN:,} are coloured here: "
            "shorten it, or see all of it under Read"
        )
    trace = trace_tokens(shown.model, token_ids)
    return {
        "tokens": trace.tokens,
        "values": base64_of(trace[signal][layer, :, unit]),
        "notes": notes,
        "marks": marks,
    }
