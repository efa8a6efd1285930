"""What the Memory view shows: how much of a text still matters later, to an LSTM and a plain RNN.

The answers to a browser's questions, each asked with one list and checked, since anyone can ask;
kept for as long as the model and the text are looked at. The arithmetic is that of `insight/`
(`memory.py`, `context.py`, `saturation.py`), the words are in `memory_words.py`. Knows nothing of
gradio or of layout.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from lstm_lm.errors import UserError
from lstm_lm.insight.context import LossByContext, loss_by_context
from lstm_lm.insight.memory import (
    InfluenceByDistance,
    cell_path,
    fades_to,
    half_lives,
    influence,
    influence_by_distance,
)
from lstm_lm.text.tokenizer import TokenIds
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel, public_name
from lstm_lm.ui.shelf.reading import readable
from lstm_lm.ui.shelf.turns import Turns
from lstm_lm.ui.views.compare.partner import partner_of
from lstm_lm.ui.views.memory import words
from lstm_lm.ui.views.workbench.meaning import gates_payload

LONGEST = 600  # tokens of a text
TEXTS_KEPT = 6
ANSWERS_KEPT = 128  # of a text
WARM_UP = 32  # tokens read before those whose gradients are averaged
DISTANCES = 128  # tokens looked back, at most
FEWEST_DISTANCES = 16
FAR = 50  # tokens back that are called far, in a text that is long enough
PLACES = 24  # targets over which the gradients are averaged
LOSSES = ("loss", "standard_error")  # of a LossByContext, that are drawn
Payload = dict[str, Any]


@dataclass(kw_only=True)
class ViewedText:
    """A text, the models that read it, and what was answered about it."""

    shown: ShownModel
    """The model that is chosen on the page."""
    partner: ShownModel | None
    """One of the other kind of cell with the same tokens; None: there is none on the page."""
    token_ids: TokenIds
    tokens: list[str]
    notes: list[str]
    """About what could not be read."""
    own: bool
    """Whether it is a person's; else the chosen model wrote it."""
    answers: OrderedDict[tuple[Any, ...], Payload] = field(default_factory=OrderedDict)

    @property
    def pair(self) -> list[ShownModel]:
        """The models, an LSTM first."""
        both = [self.shown] if self.partner is None else [self.shown, self.partner]
        return sorted(both, key=lambda one: not one.model.cell.has_cell_state)

    @cached_property
    def trace(self) -> GateTrace | None:
        """Of the LSTM; None where there is only a plain RNN."""
        first = self.pair[0].model
        return trace_tokens(first, self.token_ids) if first.cell.has_cell_state else None

    @property
    def layers(self) -> int:
        """Layers of the first of the pair."""
        return self.pair[0].model.config.layers


class MemoryView:
    """The answers about the models of a shelf.

    Args:
        shelf: the models on offer.
    """

    def __init__(self, shelf: ModelShelf) -> None:
        self._shelf = shelf
        self._texts: OrderedDict[tuple[str, str | None], ViewedText] = OrderedDict()
        # One at a time: visitors together are not to take every core for their gradients.
        self._turns = Turns()

    # Each is asked with [model, text, ...]; a text that is null is what the model wrote first.

    def overview(self, arguments: object) -> Payload | None:
        """[model, text] -> the tokens, and which models are compared."""
        return self._answer(arguments, (), _overview)

    def influences(self, arguments: object) -> Payload | None:
        """[model, text, step, layer] -> what each earlier token matters to the step, per model."""
        return self._answer(arguments, ("step", "layer"), _influences)

    def fading(self, arguments: object) -> Payload | None:
        """[model, text] -> how the gradient fades with distance, per model, and the finding."""
        return self._answer(arguments, (), _fading)

    def gates(self, arguments: object) -> Payload | None:
        """[model, text, layer] -> how often each unit's gates are shut and open."""
        return self._answer(arguments, ("layer",), _gates)

    def contexts(self, arguments: object) -> Payload | None:
        """[model, text] -> the loss by how much context was allowed, per model."""
        return self._answer(arguments, (), _contexts)

    def _answer(
        self, arguments: object, kinds: tuple[str, ...], compute: Callable[..., Payload]
    ) -> Payload | None:
        if not isinstance(arguments, list) or len(arguments) != 2 + len(kinds):
            return None
        name, text, *numbers = arguments
        if not isinstance(name, str) or not (text is None or isinstance(text, str)):
            return None
        try:
            with self._turns:
                viewed = self._viewed(name, text)
                ranges = {"step": range(1, len(viewed.tokens)), "layer": range(viewed.layers)}
                for kind, value in zip(kinds, numbers, strict=True):
                    if type(value) is not int or value not in ranges[kind]:
                        return None
                key = (compute.__name__, *numbers)
                if key not in viewed.answers:
                    viewed.answers[key] = compute(viewed, *numbers)
                    if len(viewed.answers) > ANSWERS_KEPT:
                        viewed.answers.popitem(last=False)
                return viewed.answers[key]
        except UserError as error:
            return {"error": str(error)}

    def _viewed(self, name: str, text: str | None) -> ViewedText:
        shown = self._shelf.get(name)
        found = self._texts.get((name, text))
        if found is None or found.shown is not shown:  # a guest may be another revision by now
            found = self._texts[name, text] = self._read(shown, text)
        self._texts.move_to_end((name, text))
        if len(self._texts) > TEXTS_KEPT:
            self._texts.popitem(last=False)
        return found

    def _read(self, shown: ShownModel, text: str | None) -> ViewedText:
        if text is None:
            token_ids = np.array(shown.opening.token_ids[:LONGEST], dtype=np.int64)
            notes: list[str] = []
        else:
            token_ids, notes = _given(shown, text)
        return ViewedText(
            shown=shown,
            partner=partner_of(self._shelf, shown),
            token_ids=token_ids,
            tokens=[shown.model.tokenizer.token(token_id) for token_id in token_ids.tolist()],
            notes=notes,
            own=text is not None,
        )


def _given(shown: ShownModel, text: str) -> tuple[TokenIds, list[str]]:
    """A person's text as tokens, with notes on what could not be read."""
    if not text.strip():
        raise UserError("there is no text yet: paste some, then press Look at it")
    if len(text) > 50 * LONGEST:
        raise UserError(_too_long(f"{len(text):,} characters"))
    token_ids, notes, _ = readable(shown.model, text, "the text")
    if len(token_ids) > LONGEST:
        raise UserError(_too_long(f"{len(token_ids):,} tokens"))
    if len(token_ids) < 2:
        raise UserError("the text is a single token, with none before it: give a longer one")
    return token_ids, notes


def _too_long(length: str) -> str:
    return f"the text has {length}; this view takes at most {LONGEST} tokens: shorten it"


# The answers


def _about(shown: ShownModel) -> Payload:
    return {
        "name": public_name(shown.name),
        "cell": shown.model.config.cell,
        "kind": shown.model.cell.label,
    }


def _overview(viewed: ViewedText) -> Payload:
    chosen = words.named(_about(viewed.shown))
    return {
        "tokens": viewed.tokens,
        "subword": viewed.shown.model.config.tokenizer != "char",
        "models": [_about(one) for one in viewed.pair],
        "layers": viewed.layers,
        "step": len(viewed.tokens) - 1,
        "own": viewed.own,
        "source": words.source(chosen, len(viewed.tokens), own=viewed.own),
        "notes": viewed.notes + ([] if viewed.partner else [words.alone(_about(viewed.shown))]),
    }


def _influences(viewed: ViewedText, step: int, layer: int) -> Payload:
    models: list[Payload] = []
    for one in viewed.pair:
        found = influence(one.model, viewed.token_ids, step, window=LONGEST)
        if not np.isfinite(found.size).all():
            raise UserError(f"the gradient of {one.name} at step {step + 1} is not finite")
        told = words.reaching(found)
        models.append({**_about(one), "size": found.size.tolist(), "sentence": told})
    path = None
    if viewed.trace is not None:
        # Token `step` was predicted by the state after the step before.
        kept = cell_path(viewed.trace, layer, step - 1, window=LONGEST)
        lives = half_lives(viewed.trace)[layer]
        unit = int(lives.argmax())
        path = {
            "layer": layer,
            "unit": unit,
            "half_life": float(lives[unit]) if np.isfinite(lives[unit]) else None,
            "kept": kept.kept[:, unit].tolist(),
            "median": kept.median.tolist(),
        }
    return {"step": step, "models": models, "path": path}


def _fading(viewed: ViewedText) -> Payload:
    # Half of what is left of the text is for places that differ.
    distances = min(DISTANCES, (len(viewed.token_ids) - WARM_UP - 1) // 2)
    if distances < FEWEST_DISTANCES:
        return {"short": words.too_short(2 * FEWEST_DISTANCES + WARM_UP + 1)}
    found: list[tuple[Payload, InfluenceByDistance]] = [
        (
            _about(one),
            influence_by_distance(
                one.model, viewed.token_ids, distances=distances, places=PLACES, warm_up=WARM_UP
            ),
        )
        for one in viewed.pair
    ]
    # A model whose weights say nothing has no gradient to be a share of.
    if not all(fade.sizes.any(axis=0).all() and np.isfinite(fade.mean).all() for _, fade in found):
        return {"short": words.NO_GRADIENT}
    sentence, evidence = words.fading(found, min(FAR, distances // 2))
    return {
        "models": [
            {
                **about,
                "middle": fade.middle.tolist(),
                "fades_to": fades_to(fade.middle, words.THOUSANDTH),
            }
            for about, fade in found
        ],
        "places": found[0][1].places,
        "sentence": sentence,
        "evidence": evidence,
    }


def _gates(viewed: ViewedText, layer: int) -> Payload:
    if viewed.trace is None:
        return {"short": words.no_gates(_about(viewed.pair[0]))}
    return gates_payload(viewed.trace, layer)


def _contexts(viewed: ViewedText) -> Payload:
    if not viewed.own:
        return {"short": words.NEEDS_A_TEXT}
    found: list[tuple[Payload, LossByContext]] = []
    for one in viewed.pair:
        try:
            found.append((_about(one), loss_by_context(one.model, viewed.token_ids)))
        except UserError as error:
            return {"short": words.context_refused(error)}
    return {
        "contexts": list(found[0][1].contexts),
        "targets": found[0][1].targets,
        "models": [
            {**about, **{key: part for key, part in loss.to_json().items() if key in LOSSES}}
            for about, loss in found
        ],
        "sentences": [f"{words.named(about)}: {loss.sentence()}" for about, loss in found],
        "told": words.context_told(found[0][1].targets),
    }
