"""What the Find view shows: where else the same units are on, and which units follow marks.

The text is the reference text of the Units view, or a person's own. The arithmetic is
`insight/matching.py`, `insight/detectors.py` and `insight/telling.py`; here it is asked for and put
into payloads and words. The functions that a browser calls check everything. Knows nothing of
gradio or of layout.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lstm_lm.errors import UserError
from lstm_lm.insight.detectors import STATES, detect
from lstm_lm.insight.matching import Matching, match
from lstm_lm.insight.properties import marked, token_ends
from lstm_lm.insight.state_index import THRESHOLDS, StateIndex
from lstm_lm.insight.telling import common_word, telling_span
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.asking import of_model, told
from lstm_lm.ui.links.links import find_address
from lstm_lm.ui.links.places import below
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel, public_name
from lstm_lm.ui.shelf.reading import readable
from lstm_lm.ui.shelf.turns import Turns
from lstm_lm.ui.views.units.view import LONGEST_OWN, SEED, TEMPERATURE, UnitView, reference_steps
from lstm_lm.ui.views.workbench.payload import base64_of, signals_of

TEXTS_KEPT = 6
MOST_MARKS = 1_000
UNITS_KEPT = 8  # of those that follow the marks
LONGEST_QUOTE = 40  # characters of a span in a sentence
NEEDED = (
    "Two places choose a unit and two more test it; places that touch count as one. Mark some more."
)
Payload = dict[str, Any]


@dataclass(kw_only=True)
class SearchedText:
    """A text that a model has read, with the indices that were made of it."""

    shown: ShownModel
    trace: GateTrace
    own: bool
    """Whether it is a person's; else the model wrote it."""
    notes: list[str]
    unread: list[Payload]
    """What the model has never seen: `text` stood `before` a step."""
    indices: dict[tuple[str, int], StateIndex] = field(default_factory=dict)

    @property
    def states(self) -> list[str]:
        """The states to search in; the first is shown first."""
        return [name for name in STATES if name in self.trace.signals]

    def index(self, signal: str, layer: int) -> StateIndex:
        """Which units of the layer are on at every step; made once."""
        key = (signal, layer)
        if key not in self.indices:
            self.indices[key] = StateIndex.of_trace(self.trace, signal, layer)
        return self.indices[key]

    def has(self, layer: object, signal: object) -> bool:
        """Whether there is such a layer and state."""
        return below(layer, self.trace.layers) and signal in self.states


class FindView:
    """Matches and followers in the texts of the models on a shelf.

    Args:
        shelf: the models.
        units: whose reference texts are searched.
    """

    def __init__(self, shelf: ModelShelf, units: UnitView) -> None:
        self._shelf = shelf
        self._units = units
        self._texts: OrderedDict[tuple[str, str | None], SearchedText] = OrderedDict()
        # One at a time: visitors together are not to take every core.
        self._turns = Turns()

    # Each is asked with [model, text, ...]; a text that is null is the model's reference text.

    def text(self, arguments: object) -> Payload | None:
        """[model, text] -> its tokens, and the span that is worth choosing first."""
        return self._answer(arguments, 0, _overview)

    def places(self, arguments: object) -> Payload | None:
        """[model, text, layer, signal, start, stop, threshold, before, after, other] -> matches.

        A threshold that is null is chosen; `before` and `after`: whether the units must be off
        there; `other`: the text to search; null: the same.
        """

        def answer(
            searched: SearchedText,
            layer: Any,
            signal: Any,
            start: Any,
            stop: Any,
            threshold: Any,
            before: Any,
            after: Any,
            other: Any,
        ) -> Payload | None:
            steps = searched.trace.steps
            span = below(start, steps) and below(stop, steps + 1) and start < stop
            level = threshold is None or (type(threshold) is float and threshold in THRESHOLDS)
            sides = type(before) is bool and type(after) is bool
            where = other is None or isinstance(other, str)
            if not (searched.has(layer, signal) and span and level and sides and where):
                return None
            whole = searched if other is None else self._searched(searched.shown, other)
            found = match(
                whole.index(signal, layer),
                start,
                stop,
                threshold=threshold,
                off_before=before,
                off_after=after,
                values=None if other is None else searched.trace[signal][layer],
            )
            quote = _quote(searched.trace.tokens[start:stop])
            told = _told(found, quote, _sides(before, after), whole.trace.steps)
            return {**found.to_json(), **told}

        return self._answer(arguments, 8, answer)

    def follows(self, arguments: object) -> Payload | None:
        """[model, text, marks] -> the units that follow them; a mark is [start, stop] in steps."""
        return self._answer(arguments, 1, _follows)

    def color(self, arguments: object) -> Payload | None:
        """[model, text, layer, unit, signal] -> the unit's state at every step."""
        return self._answer(arguments, 3, _color)

    def _answer(
        self, arguments: object, count: int, answer: Callable[..., Payload | None]
    ) -> Payload | None:
        """The answer, or the line that says why there is none; None for what is no question."""
        asked = of_model(self._shelf, arguments, 2 + count)
        if asked is None:
            return None
        shown, (text, *rest) = asked
        if not (text is None or isinstance(text, str)):
            return None

        def in_turn() -> Payload | None:
            with self._turns:
                return answer(self._searched(shown, text), *rest)

        return told(in_turn)

    def _searched(self, shown: ShownModel, text: str | None) -> SearchedText:
        """The text as the model has read it, now or before."""
        key = (shown.name, text)
        held = self._texts.get(key)
        if held is None or held.shown is not shown:  # a guest of the same name is another
            held = self._texts[key] = self._reference(shown) if text is None else _own(shown, text)
        self._texts.move_to_end(key)
        while len(self._texts) > TEXTS_KEPT:
            self._texts.popitem(last=False)
        return held

    def _reference(self, shown: ShownModel) -> SearchedText:
        trace = self._units.reference(shown).trace
        return SearchedText(shown=shown, trace=trace, own=False, notes=[], unread=[])


def _own(shown: ShownModel, text: str) -> SearchedText:
    """A person's text, read.

    Raises:
        UserError: there is no text, or it is too long.
    """
    if not text:
        raise UserError("there is no text yet: type or paste some")
    token_ids, notes, unread = readable(shown.model, text, "the text")
    most = min(LONGEST_OWN, reference_steps(shown.model.config))
    if len(token_ids) > most:
        raise UserError(
            f"the text has {len(token_ids):,} tokens; at most {most:,} are searched here: "
            "shorten it, or use lstm_lm.insight.matching in Python"
        )
    trace = trace_tokens(shown.model, token_ids)
    return SearchedText(shown=shown, trace=trace, own=True, notes=notes, unread=unread)


def _overview(searched: SearchedText) -> Payload:
    shown, trace, states = searched.shown, searched.trace, searched.states
    start, stop = telling_span(trace.tokens, searched.index(states[0], 0))
    label = public_name(shown.name).rsplit("/", 1)[-1]
    wrote = (
        f"{trace.steps:,} tokens that {label} wrote itself, at temperature {TEMPERATURE:g} with "
        f"seed {SEED}."
    )
    return {
        "model": shown.name,
        "tokenizer": shown.model.config.tokenizer,
        "layers": trace.layers,
        "units": trace.units,
        "states": [each for each in signals_of(shown.model.config.cell) if each["name"] in states],
        "thresholds": list(THRESHOLDS),
        "tokens": trace.tokens,
        "start": start,
        "stop": stop,
        "word": common_word(trace.tokens),
        "told": f"{trace.steps:,} tokens of your text." if searched.own else wrote,
        "notes": searched.notes,
        "unread": searched.unread,
        "most_marks": MOST_MARKS,
        "address": find_address(public_name(shown.name), shown.revision, shown.weights),
    }


def _quote(tokens: list[str]) -> str:
    """The tokens as they stand in a sentence."""
    text = "".join(tokens).replace("\n", "↵")
    return f"“{text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + '…'}”"


def _told(found: Matching, quote: str, sides: str, steps: int) -> Payload:
    """What was found in words, and against what.

    Args:
        found: the answer.
        quote: the span.
        sides: where the units were asked to be off.
        steps: of the text that was searched.
    """
    if not found.matches:
        return {"sentence": f"{quote}: nothing is found elsewhere.", "evidence": found.reason}
    best, count = found.matches[0], len(found.units)
    on = "1 unit is" if count == 1 else f"{count} units are"
    as_good = sum(place.shared == best.shared for place in found.matches)
    others = _others(as_good, more=as_good == len(found.matches) < found.places)
    if best.shared == count:
        shared = {1: "it", 2: "both"}.get(count, f"all {count}")
    else:
        shared = f"{best.shared} of them"
    sentence = f"{on} on all through {quote}{sides}; {others} {shared}."
    if best.by_chance >= found.steps_as_good:
        sentence += " Chance alone would do as much, so nothing stands out."
    evidence = (
        "If the units knew nothing of each other, that many would be on together at about "
        f"{best.by_chance:.2g} of the {steps:,} steps. {found.places:,} "
        f"{'place shares' if found.places == 1 else 'places share'} at least half of them."
    )
    return {"sentence": sentence, "evidence": evidence}


def _sides(before: bool, after: bool) -> str:
    sides = {(True, True): "outside", (True, False): "before", (False, True): "after"}
    return f" and off just {sides[before, after]}" if before or after else ""


def _others(count: int, *, more: bool) -> str:
    if count == 1 and not more:
        return "1 other place shares"
    return f"{'at least ' * more}{count} other places share"


def _follows(searched: SearchedText, marks: object) -> Payload | None:
    steps = searched.trace.steps
    if not isinstance(marks, list) or not 0 < len(marks) <= MOST_MARKS:
        return None
    for mark in marks:
        if not (isinstance(mark, list) and len(mark) == 2):
            return None
        if not (below(mark[0], steps) and below(mark[1], steps + 1) and mark[0] < mark[1]):
            return None
    ends = [0, *token_ends(searched.trace.tokens).tolist()]
    spans = [(ends[start], ends[stop]) for start, stop in marks]
    found = detect(searched.trace, [marked(searched.trace.tokens, spans)], keep=UNITS_KEPT)
    if found.untested:
        (why,) = found.untested.values()
        return {"why": f"What you marked cannot be tested yet: {why}. {NEEDED}"}
    (detector,) = found.detectors
    evidence = detector.evidence()
    evidence += " The list is in the order of the first half; the scores are of the second."
    return {
        **detector.to_json(),
        "sentence": detector.sentence(),
        "evidence": evidence,
        "stands_out": detector.stands_out,
    }


def _color(searched: SearchedText, layer: Any, unit: Any, signal: Any) -> Payload | None:
    trace = searched.trace
    if not (searched.has(layer, signal) and below(unit, trace.units)):
        return None
    values = trace[signal][layer, :, unit]
    scale = max(0.05, float(abs(values).max())) if signal == "cell_state" else 1.0
    return {"values": base64_of(values), "scale": scale}
