"""Two authors told apart by a linear probe, trained on examples that a person pastes.

What is asked for, the probe of every layer, and the payloads for the page. The arithmetic is that
of `insight/linear_probe.py` and `insight/probe_features.py`. Knows nothing of gradio or of layout.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lstm_lm.errors import UserError
from lstm_lm.insight.linear_probe import FEWEST, Probe, train_probe
from lstm_lm.insight.probe_features import hidden_means, scores_along, token_shares
from lstm_lm.ui.shelf.models import ShownModel
from lstm_lm.ui.shelf.reading import known_parts
from lstm_lm.ui.views.uses import words

LONGEST_EXAMPLE = 600  # characters
LONGEST_NAME = 40
LONGEST_PASTE = 100_000  # characters of one side, as pasted
MOST_EXAMPLES = 60  # a side
MOST_READ = 20_000  # characters of one side: both are read in about 1.5 s on one core
TELLING = 8  # units
Payload = dict[str, Any]


class Side(NamedTuple):
    """One of two authors, as a person gave them."""

    name: str
    text: str
    """Their examples, a blank line between two."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Two authors, and the layer that is to tell them apart."""

    sides: tuple[Side, Side]
    layer: int


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The probes of two authors' examples: what the page shows of them, and each layer's probe."""

    probes: tuple[Probe, ...]
    examples: tuple[str, ...]
    shown: tuple[Payload, ...]
    """A payload a layer."""


def asked_of(shown: ShownModel, one: object, other: object, layer: object) -> Asked | None:
    """What a browser asks about; None for what no browser of ours would send.

    Args:
        shown: the model.
        one: [name, examples].
        other: the same of the other author.
        layer: from 0; None: the last.
    """
    layers = shown.model.config.layers
    number = layers - 1 if layer is None else layer
    if type(number) is not int or not 0 <= number < layers:
        return None
    match one, other:
        case [str(name), str(text)], [str(other_name), str(other_text)]:
            if max(len(name), len(other_name)) > LONGEST_NAME:
                return None
            sides = Side(name.strip(), text), Side(other_name.strip(), other_text)
            return Asked(sides=sides, layer=number)
    return None


def train(shown: ShownModel, one: Side, other: Side) -> Trained:
    """Probes of the two authors' examples.

    Raises:
        UserError: there are too few examples, or they cannot be told apart by name.
    """
    if not one.name or not other.name:
        raise UserError("an author has no name: give both one")
    if one.name == other.name:
        raise UserError(f"both authors are called {one.name}: give them different names")
    notes: list[str] = []
    split = [_examples(side, notes) for side in (one, other)]
    known, unknown = known_parts(shown.model, [*split[0], *split[1]])
    for text, given in zip(known, [*split[0], *split[1]], strict=True):
        if not text:
            raise UserError(f"nothing of the example {given[:40]!r} can be read by this model")
    labels = [one.name] * len(split[0]) + [other.name] * len(split[1])
    features = hidden_means(shown.model, known)
    if not np.isfinite(features).all():
        raise UserError("the hidden state of this model is not finite: nothing can be told from it")
    probes = tuple(train_probe(of_layer, labels) for of_layer in features)
    counts = train_probe(token_shares(shown.model, known), labels)
    shared = {
        "names": [one.name, other.name],
        "examples": known,
        "labels": labels,
        "counts": {"accuracy": counts.accuracy, "odds": counts.odds},
        "layers": [probe.accuracy for probe in probes],
        "notes": [*notes, *unknown],
    }
    return Trained(
        probes=probes,
        examples=tuple(known),
        shown=tuple(
            {**shared, **_of_layer(layer, probe, counts, shown)}
            for layer, probe in enumerate(probes)
        ),
    )


def _of_layer(layer: int, probe: Probe, counts: Probe, shown: ShownModel) -> Payload:
    return {
        "layer": layer,
        "accuracy": probe.accuracy,
        "chance": probe.chance,
        "shuffled": probe.shuffled,
        "odds": probe.odds,
        "stands_out": probe.stands_out,
        "sentence": probe.sentence(),
        "evidence": words.evidence(probe, counts, shown.model.config.tokenizer),
        "told": list(probe.told),
        "units": [
            {
                "unit": unit,
                "label": probe.labels[int(probe.weights[:, unit].argmax())],
                "weight": float(probe.weights[:, unit].max()),
            }
            for unit in probe.telling_units(TELLING)
        ],
    }


def _examples(side: Side, notes: list[str]) -> list[str]:
    """The examples of one author; what is done to what was pasted is noted."""
    if len(side.text) > LONGEST_PASTE:
        raise UserError(
            f"{side.name} has {len(side.text):,} characters: paste at most {LONGEST_PASTE:,}"
        )
    found = [part.strip() for part in re.split(r"\n\s*\n", side.text.replace("\r\n", "\n"))]
    found = [part for part in found if part]
    if len(found) < FEWEST:
        raise UserError(
            f"{side.name} has {len(found)} example{'' if len(found) == 1 else 's'}: give at least "
            f"{FEWEST}, with a blank line between two"
        )
    lengths = np.cumsum([min(len(part), LONGEST_EXAMPLE) for part in found])
    used = min(MOST_EXAMPLES, int((lengths <= MOST_READ).sum()))
    if used < len(found):
        notes.append(f"Of {side.name}’s {len(found)} examples the first {used} are used.")
    found = found[:used]
    longer = sum(len(part) > LONGEST_EXAMPLE for part in found)
    if longer:
        notes.append(
            f"{longer} of {side.name}’s examples {'is' if longer == 1 else 'are'} longer than "
            f"{LONGEST_EXAMPLE} characters: what comes after is left out."
        )
    return [part[:LONGEST_EXAMPLE] for part in found]


def tell(shown: ShownModel, trained: Trained, layer: int, text: str) -> Payload:
    """Whose the text is told as, and how its score comes about.

    Raises:
        UserError: there is nothing to read, or too much.
    """
    if not text.strip():
        raise UserError("there is no sentence yet: type or paste one")
    if len(text) > LONGEST_EXAMPLE:
        raise UserError(f"the sentence has {len(text):,} characters: at most {LONGEST_EXAMPLE}")
    [known], notes = known_parts(shown.model, [text.strip()])
    if not known:
        raise UserError(f"nothing is left of the sentence. {notes[0].rstrip('.')}")
    probe = trained.probes[layer]
    found = scores_along(shown.model, probe, known, layer)
    if known in trained.examples:
        notes.append(words.SEEN)
    scores = found.so_far[-1]
    return {
        "tokens": list(found.tokens),
        "labels": list(probe.labels),
        "scores": scores.tolist(),
        "told": probe.labels[int(scores.argmax())],
        # Of two labels the scores add up to 1: one number says it, above 0 for the first.
        "each": (found.each[:, 0] - found.each[:, 1]).tolist(),
        "so_far": (found.so_far[:, 0] - found.so_far[:, 1]).tolist(),
        "stands_out": probe.stands_out,
        "notes": notes,
    }
