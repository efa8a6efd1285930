"""One real finding of each kind for a model and a text, a line each. Knows nothing of printing.

The text is one that the model was not trained on: `held_out` gives the last tenth, as training
leaves it out.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lstm_lm.errors import UserError
from lstm_lm.insight import comparison
from lstm_lm.insight.alignment import costs_of, pieces_of
from lstm_lm.insight.completion import compare, complete_word
from lstm_lm.insight.context import loss_by_context
from lstm_lm.insight.detectors import Detector, detect
from lstm_lm.insight.findings import overview
from lstm_lm.insight.holding import Moved, other_units, sway
from lstm_lm.insight.linear_probe import train_probe
from lstm_lm.insight.matching import ENOUGH, match
from lstm_lm.insight.memory import influence_by_distance
from lstm_lm.insight.probe_features import mean_hidden_states
from lstm_lm.insight.properties import Property, properties
from lstm_lm.insight.result import Result
from lstm_lm.insight.saturation import saturation
from lstm_lm.insight.state_index import StateIndex
from lstm_lm.insight.units import unit_page
from lstm_lm.language_model import LanguageModel
from lstm_lm.text.corpus import TRAINING_SHARE
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace

TRACED = 12_000  # tokens whose every gate is looked at
READ = 60_000  # tokens in which memory is measured
CHARACTERS = 240_000  # that are enough for both
SPEECH = re.compile(r"(?:^|\n\n)([A-Z][^:\n]{0,39}):\n(.+?)(?=\n\n|\Z)", re.DOTALL)
SHORTEST_SPEECH, LONGEST_SPEECH = 60, 400  # characters
SPANS = 24  # tried, until one stands out
HELD = 6  # units that follow something, of which the one that moves most is told
COMPARED = 8_000  # characters that two models are compared on
LONGEST_SHOWN = 24  # characters of a span
MOST_SPEECHES = 40  # of either speaker
PROMPT = re.compile(r"\w[^\n]{20,40} \w")  # in a line, up to a word's first letter


@dataclass(frozen=True, kw_only=True)
class Line(Result):
    """A finding in a line."""

    kind: str
    """Which question it answers, in a word."""
    sentence: str
    """The finding, with its numbers."""


def held_out(pieces: Sequence[str]) -> str:
    """The beginning of the last tenth of a text, from the first whole line on.

    Args:
        pieces: the text, to be joined.
    """
    text = "".join(pieces)
    rest = text[int(TRAINING_SHARE * len(text)) :]
    return rest[rest.find("\n") + 1 :][:CHARACTERS]


def report(
    models: Sequence[tuple[str, LanguageModel]], text: str, *, traced: int = TRACED
) -> Iterator[Line]:
    """The findings, one after the other.

    Args:
        models: names and models; all is asked of the first, memory of the others too.
        text: one that none of them was trained on.
        traced: how many tokens to look into.

    Raises:
        UserError: the text is too short, or holds characters that a model does not know.
    """
    model = models[0][1]
    ids = model.tokenizer.encode(text)[:READ]
    trace = trace_tokens(model, ids[:traced])
    asked = properties(trace.tokens)
    for finding in overview(trace):
        if finding.stands_out:
            yield Line(kind=finding.kind, sentence=finding.sentence)
    detection = detect(trace, asked)
    for detector in detection.found():
        against = f"{detector.best.shuffled:.2f} shifted in time"
        yield Line(kind="detector", sentence=f"{detector.sentence()[:-1]}; {against}.")
    if "forget_gate" in trace.signals:
        yield Line(kind="saturation", sentence=saturation(trace).sentence("forget_gate", 0))
    if detection.found():
        best = detection.found()[0]
        yield Line(kind="unit", sentence=_unit(model, trace, best, asked))
        yield from _matching(trace, detection.found(), asked)
        yield Line(kind="holding", sentence=_holding(model, trace, detection.found()[:HELD]))
    for other_name, other in models:
        others = ids if other is model else other.tokenizer.encode(text)[:READ]
        yield Line(kind="gradient", sentence=f"{other_name}: {_fading(other, others)}")
        found = loss_by_context(other, others)
        yield Line(kind="context", sentence=f"{other_name}: {found.sentence()}")
    if len(models) > 1:
        for told in _side_by_side(models[:2], text[:COMPARED]):
            yield Line(kind="models", sentence=told)
    yield from _uses(model, text)


def _unit(
    model: LanguageModel, trace: GateTrace, detector: Detector, asked: Sequence[Property]
) -> str:
    """The best unit's page in a sentence, with its highest place and what it pushes up."""
    best = detector.best
    page = unit_page(model, trace, best.layer, best.unit, asked=asked)
    extremes = page.extremes[best.signal]
    place = (extremes.highest if best.sign > 0 else extremes.lowest)[0]
    pushed = page.pushes_up if best.sign > 0 else page.pushes_down
    tokens = " ".join(repr(found.token) for found in pushed[:4])
    makes = f" and makes {tokens} likelier" if tokens else ""
    return (
        f"{page.sentence()[:-1]}; it is {'highest' if best.sign > 0 else 'lowest'} after "
        f"{(place.before + place.token)[-16:]!r}{makes}."
    )


def _holding(model: LanguageModel, trace: GateTrace, detectors: Sequence[Detector]) -> str:
    """Of the units that follow something the one that moves most when it is held."""
    signal = "cell_state" if "cell_state" in trace.signals else "hidden_state"
    others: dict[int, tuple[Moved, ...]] = {}
    found = []
    for detector in detectors:
        layer, unit = detector.best.layer, detector.best.unit
        if layer not in others:
            others[layer] = other_units(model, trace, layer, signal)
        swayed = sway(model, trace, layer, unit, signal, others=others[layer])
        found.append((swayed.moved, detector.name, swayed))
    _, name, most = max(found, key=lambda each: each[0])
    return f"Unit {most.unit} of layer {most.layer + 1} follows {name}. {most.sentence()}"


def _side_by_side(models: Sequence[tuple[str, LanguageModel]], text: str) -> list[str]:
    """What stands out where both read the same text, aligned by character."""
    read = []
    for _, model in models:
        ids = model.tokenizer.encode(text)
        pieces = pieces_of([model.tokenizer.token_bytes(each) for each in ids.tolist()])
        read.append((pieces, costs_of(pieces, trace_tokens(model, ids).log_probs)))
    (one, its_costs), (other, other_costs) = read
    compared = comparison.compare(text, (one, other), (its_costs, other_costs))
    names = models[0][0], models[1][0]
    return [told.sentence for told in comparison.findings(compared, names)]


def _matching(
    trace: GateTrace, detectors: Sequence[Detector], asked: Sequence[Property]
) -> Iterator[Line]:
    """Where else the units are on that are on at a place of a property, if that stands out."""
    for detector in detectors:
        values = next(part.values for part in asked if part.key == detector.key)
        same = values > 0 if detector.measure != "|r|" else values >= np.quantile(values, 0.9)
        begins = np.flatnonzero(np.diff(same, prepend=False) & same)
        ends = np.flatnonzero(np.diff(same, append=False) & same) + 1
        # Places of a middle length first: of the longest no unit may be on in all.
        order = np.argsort(np.abs(ends - begins - np.median(ends - begins)), kind="stable")
        index = StateIndex.of_trace(trace, detector.best.signal, detector.best.layer)
        for number in order[:SPANS].tolist():
            start, stop = int(begins[number]), int(ends[number])
            found = match(index, start, stop)
            if found.matches and found.matches[0].by_chance < 1 and len(found.units) >= ENOUGH:
                there = [_short(trace.tokens[m.start : m.stop]) for m in found.matches[:3]]
                yield Line(
                    kind="matching",
                    sentence=f"Span {_short(trace.tokens[start:stop])}: {found.sentence()} "
                    f"The first: {', '.join(there)}.",
                )
                return


def _short(tokens: Sequence[str]) -> str:
    text = "".join(tokens)
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "…")


def _fading(model: LanguageModel, token_ids: npt.NDArray[np.int64]) -> str:
    """How the gradient fades with distance, in a sentence."""
    found = influence_by_distance(model, token_ids)
    marks = [d for d in (10, 20, 50, 100) if d <= len(found.mean)]
    sizes = ", ".join(f"{found.relative[d - 1]:.2g} at {d}" for d in marks)
    return (
        f"the gradient of a token's log-probability, 1 for the last token read, is {sizes} tokens "
        f"back (mean of {found.places} places)."
    )


def _uses(model: LanguageModel, text: str) -> Iterator[Line]:
    """What a language model is good for: the next word, the likelier sentence, who speaks."""
    found = PROMPT.search(text, len(text) // 2) or PROMPT.search(text)
    if found:
        words = complete_word(model, found[0], keep=4)
        likely = ", ".join(f"{found[0][-1] + word.text!r} {word.probability:.0%}" for word in words)
        yield Line(kind="completion", sentence=f"After {found[0]!r} the word is {likely}.")
    line = next((part for part in text.split("\n") if part.count(" ") >= 5), "")
    if line:
        backwards = " ".join(reversed(line.split(" ")))
        sentence = compare(model, line, backwards).sentence()
        yield Line(kind="comparison", sentence=f"{line!r} against its words backwards: {sentence}")
    speeches = _speeches(text)
    if speeches:
        labels = [name for name, spoken in speeches.items() for _ in spoken]
        examples = [speech for spoken in speeches.values() for speech in spoken]
        try:
            probe = train_probe(mean_hidden_states(model, examples), labels)
        except UserError:
            return  # too few speeches: nothing to say
        yield Line(kind="probe", sentence=probe.sentence())


def _speeches(text: str) -> dict[str, list[str]]:
    """As many speeches of each of the two who speak most, or nothing."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for name, speech in SPEECH.findall(text):
        if len(speech) >= SHORTEST_SPEECH:
            by_name[name].append(speech[:LONGEST_SPEECH])
    two = sorted(by_name, key=lambda name: -len(by_name[name]))[:2]
    if len(two) < 2:
        return {}
    count = min(MOST_SPEECHES, *(len(by_name[name]) for name in two))
    return {name: by_name[name][:count] for name in two}
