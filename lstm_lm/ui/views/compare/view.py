"""What the Compare view shows: two models over the same text, aligned by character.

The answers to a browser's questions, each asked with one list and checked, since anyone can ask.
What a model read is kept for as long as it is looked at: bytes to paint, and the last hidden
states, from which the alternatives at a place follow. The arithmetic is `insight/alignment.py` and
`insight/comparison.py`. Knows nothing of gradio or of layout.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from lstm_lm.cells.kinds import cell_of
from lstm_lm.cells.signals import SIGNALS_OF_CELL
from lstm_lm.cells.stepper import Array
from lstm_lm.errors import UserError
from lstm_lm.hub.names import model_folder
from lstm_lm.insight.alignment import Floats, Pieces, costs_of, per_character, pieces_of
from lstm_lm.insight.comparison import Comparison, compare, findings
from lstm_lm.insight.order import alike_together
from lstm_lm.language_model import LanguageModel, load_folder
from lstm_lm.store.snapshots import snapshot_step
from lstm_lm.text.tokenizer import CharTokenizer, describe_character
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.asking import told
from lstm_lm.ui.shelf.models import ModelShelf, public_name
from lstm_lm.ui.shelf.turns import Turns
from lstm_lm.ui.views.compare.partner import partner_of
from lstm_lm.ui.views.units.view import reference_steps
from lstm_lm.ui.views.workbench.payload import base64_of, signal_bytes, signals_of, state_scale

LONGEST = 2_000  # characters of a text, and tokens of it
LIKELIEST = 5
READINGS_KEPT = 6
EARLY_KEPT = 4  # early models, of all runs
# Not in the text that the bundled models learned from, which holds no Hamlet.
EXAMPLE = """\
HAMLET:
To be, or not to be, that is the question:
Whether 'tis nobler in the mind to suffer
The slings and arrows of outrageous fortune,
Or to take arms against a sea of troubles,
And by opposing end them. To die: to sleep;
No more; and by a sleep to say we end
The heart-ache and the thousand natural shocks
That flesh is heir to, 'tis a consummation
Devoutly to be wish'd. To die, to sleep;
To sleep: perchance to dream: ay, there's the rub.
"""
Payload = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A model over a text: what each piece cost, and what the picture needs."""

    model: LanguageModel
    tokens: list[str]
    token_ids: npt.NDArray[np.int64]
    pieces: Pieces
    costs: Floats
    """(pieces,) nats; nan for the first."""
    colors: npt.NDArray[np.uint8]
    """(steps, signals, layers, units)."""
    hidden: Array
    """(steps, units) float32: the hidden state of the last layer."""

    def chances(self, step: int) -> Floats:
        """The probability of every token after this step: (V,) float64."""
        with torch.no_grad():
            logits = self.model.decoder(torch.from_numpy(self.hidden[step].copy()))
            return logits.double().softmax(0).numpy()


class CompareView:
    """The answers about two models of a shelf, or of what their runs kept.

    Args:
        shelf: the models on offer.
    """

    def __init__(self, shelf: ModelShelf) -> None:
        self._shelf = shelf
        self._early: OrderedDict[str, LanguageModel] = OrderedDict()
        self._readings: OrderedDict[tuple[str, str], Reading] = OrderedDict()
        # One at a time, so that visitors together cannot fill the processors.
        self._turns = Turns()

    # Called by the page's JavaScript with one list, and by anyone.

    def offer(self, arguments: object) -> Payload | None:
        """[model] -> the models that can be chosen, and the two to begin with."""
        return self._answer(arguments, "n", self._offer)

    def compare(self, arguments: object) -> Payload | None:
        """[left, right, text] -> both models over the text; a null text is the example."""
        return self._answer(arguments, "nnt", self._compare)

    def paint(self, arguments: object) -> Payload | None:
        """[name, text, signal, layer] -> its heatmap, a column a token, and the rows' order."""
        return self._answer(arguments, "ntii", self._paint)

    def place(self, arguments: object) -> Payload | None:
        """[left, right, text, character] -> what each gave to what came there, and to what else."""
        return self._answer(arguments, "nnti", self._place)

    def _answer(
        self, arguments: object, kinds: str, answer: Callable[..., Payload | None]
    ) -> Payload | None:
        """The answer, or the line that says why there is none; None for what is no question."""
        if not isinstance(arguments, list) or len(arguments) != len(kinds):
            return None
        for kind, value in zip(kinds, arguments, strict=True):
            allowed = {"n": str, "i": int}.get(kind, str | None)
            if not isinstance(value, allowed) or isinstance(value, bool):
                return None

        def in_turn() -> Payload | None:
            with self._turns:
                return answer(*arguments)

        return told(in_turn)

    # The models

    def _offer(self, name: str) -> Payload:
        shown = self._shelf.get(name)
        groups = [
            {"name": each, "label": public_name(each), "early": self._early_of(each)}
            for each in self._shelf.everywhere()
        ]
        other = partner_of(self._shelf, shown)
        right = other.name if other else next(iter(self._shelf.early(name)), None)
        if right is None:
            right = next((each for each in self._shelf.everywhere() if each != name), name)
        return {"models": groups, "left": name, "right": right, "text": EXAMPLE}

    def _early_of(self, name: str) -> list[Payload]:
        return [{"name": each, "label": label_of(each)} for each in self._shelf.early(name)]

    def _model(self, name: str) -> LanguageModel:
        """The model of a name on offer, or of what its run kept, which is loaded now.

        Raises:
            UserError: the name is not on offer, or its folder is broken.
        """
        if not any(name in self._shelf.early(each) for each in self._shelf.names):
            return self._shelf.get(name).model
        if name not in self._early:
            self._early[name] = load_folder(model_folder(name))
        self._early.move_to_end(name)
        while len(self._early) > EARLY_KEPT:
            self._early.popitem(last=False)
        return self._early[name]

    # What they read

    def _text(self, names: list[str], text: str | None) -> tuple[str, list[str]]:
        """What all of them can read of the text, and notes about the rest.

        Raises:
            UserError: the text is too short or too long.
        """
        given = EXAMPLE if text is None else text
        if len(given) > LONGEST:
            raise UserError(
                f"the text has {len(given):,} characters; two models are compared on at most "
                f"{LONGEST:,}: shorten it"
            )
        notes: list[str] = []
        for name in names:
            tokenizer = self._model(name).tokenizer
            unknown = tokenizer.unknown(given) if isinstance(tokenizer, CharTokenizer) else {}
            if unknown:
                named = ", ".join(describe_character(each) for each in list(unknown)[:5])
                more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
                notes.append(
                    f"{label_of(name)} has never seen {named}{more}: left out for both, so that "
                    "they read the same."
                )
                given = "".join(each for each in given if each not in unknown)
        if text is None:  # as much of the example as the larger of them reads
            given = given[: min(_longest(self._model(name)) for name in names)]
        if len(given) < 2:
            raise UserError(
                "there is nothing to compare: give a text of which both know two characters"
            )
        return given, notes

    def _reading(self, name: str, text: str) -> Reading:
        model = self._model(name)
        held = self._readings.pop((name, text), None)
        if held is None or held.model is not model:  # a guest of the same name is another
            held = _read(name, model, text)
        self._readings[name, text] = held
        while len(self._readings) > READINGS_KEPT:
            self._readings.popitem(last=False)
        return held

    def _both(
        self, names: list[str], text: str | None
    ) -> tuple[list[Reading], Comparison, list[str]]:
        known, notes = self._text(names, text)
        one, other = (self._reading(name, known) for name in names)
        compared = compare(known, (one.pieces, other.pieces), (one.costs, other.costs))
        return [one, other], compared, notes

    def _compare(self, left: str, right: str, text: str | None) -> Payload:
        both, compared, notes = self._both([left, right], text)
        labels = label_of(left), label_of(right)
        sides = zip((left, right), labels, both, compared.nats, strict=True)
        return {
            "text": compared.text,
            "notes": notes,
            "own": text is not None,
            "findings": [one.to_json() for one in findings(compared, labels)],
            "compared": compared.characters,
            "bounds": [0, *compared.bounds.tolist()],  # the first is not compared
            "difference": base64_of(compared.difference_per_character().astype(np.float32)),
            "sides": [_side(*side) for side in sides],
        }

    def _paint(self, name: str, text: str | None, signal: int, layer: int) -> Payload | None:
        if text is None:
            return None
        colors = self._reading(name, text).colors if 1 < len(text) <= LONGEST else None
        if colors is None or not (0 <= signal < colors.shape[1] and 0 <= layer < colors.shape[2]):
            return None
        shown = colors[:, signal, layer]
        order = alike_together(shown.astype(np.float32))
        return {"data": base64_of(shown), "order": order.tolist()}

    def _place(self, left: str, right: str, text: str | None, character: int) -> Payload | None:
        both, compared, _ = self._both([left, right], text)
        if not 0 <= character < len(compared.text):
            return None
        difference = compared.difference_per_character()
        stretch = int(np.searchsorted(compared.bounds, character, "right")) - 1
        span = compared.bounds[max(0, stretch) : stretch + 2].tolist()
        known = stretch >= 0 and np.isfinite(difference[character])
        return {
            "character": character,
            "text": compared.text[character],
            "stretch": compared.text[span[0] : span[1]] if known else "",
            "difference": float(compared.difference[stretch]) if known else None,
            "sides": [
                {**_given(one, character), "whole": float(costs[stretch]) if known else None}
                for one, costs in zip(both, compared.costs, strict=True)
            ],
        }


def label_of(name: str) -> str:
    """A model's name for people; of an early one, the run's and the step.

    >>> label_of("shakespeare-char/snapshots/step-000812")
    'shakespeare-char after 812 steps'
    """
    step = snapshot_step(name)
    if step is None:
        return public_name(name)
    return f"{public_name(name.rsplit('/', 2)[0])} after {step:,} steps"


def _longest(model: LanguageModel) -> int:
    """How many tokens of a text the model reads here: a large one fewer, for their traces."""
    return min(LONGEST, reference_steps(model.config))


def _read(name: str, model: LanguageModel, text: str) -> Reading:
    """The text as the model reads it.

    Raises:
        UserError: it has too many tokens for this model.
    """
    token_ids = model.tokenizer.encode(text)
    if len(token_ids) > _longest(model):
        raise UserError(
            f"the text has {len(token_ids):,} tokens for {label_of(name)}; two models are "
            f"compared on at most {_longest(model):,} of its: shorten it"
        )
    trace = trace_tokens(model, token_ids)
    pieces = pieces_of([model.tokenizer.token_bytes(each) for each in token_ids.tolist()])
    return Reading(
        model=model,
        tokens=trace.tokens,
        token_ids=token_ids,
        pieces=pieces,
        costs=costs_of(pieces, trace.log_probs),
        colors=_colors(trace, model.config.cell),
        hidden=trace["hidden_state"][-1],
    )


def _colors(trace: GateTrace, cell: str) -> npt.NDArray[np.uint8]:
    """(steps, signals, layers, units), filled a signal at a time: a trace is large."""
    signals = SIGNALS_OF_CELL[cell]
    shape = (trace.steps, len(signals), trace.layers, trace.units)
    scale = np.ones(shape[2:], dtype=np.float32)
    if cell_of(cell).has_cell_state:
        scale = state_scale(trace["cell_state"].swapaxes(0, 1))
    colors = np.empty(shape, dtype=np.uint8)
    for row, signal in enumerate(signals):
        colors[:, row] = signal_bytes(trace[signal.name].swapaxes(0, 1), signal, scale)
    return colors


def _side(name: str, label: str, one: Reading, nats: float) -> Payload:
    config = one.model.config
    return {
        "name": name,
        "label": label,
        "about": f"{one.model.cell.label} · {config.layers} × {config.hidden_size} units",
        "cell": config.cell,
        "signals": signals_of(config.cell),
        "layers": config.layers,
        "units": config.hidden_size,
        "tokens": len(one.tokens),
        "bounds": one.pieces.bounds.tolist(),
        "read": one.pieces.last_tokens().tolist(),
        "cost": base64_of(per_character(one.pieces.bounds, one.costs).astype(np.float32)),
        "nats": float(nats),
    }


def _given(one: Reading, character: int) -> Payload:
    """What a model gave to the piece at a character, and what it held likeliest there."""
    piece = one.pieces.at(character)
    start, stop = one.pieces.tokens[piece : piece + 2].tolist()
    answer: Payload = {"tokens": one.tokens[start:stop], "cost": None, "likeliest": []}
    if start == 0:
        return answer
    chances = one.chances(start - 1)
    first = int(one.token_ids[start])
    likeliest = np.argsort(-chances, kind="stable")[:LIKELIEST].tolist()
    named = one.model.tokenizer.token
    return {
        **answer,
        "cost": float(one.costs[piece]),
        "probability": float(np.exp(-one.costs[piece])),
        "rank": int((chances > chances[first]).sum()) + 1,
        "taken": [named(first), float(chances[first])],
        "likeliest": [[named(each), float(chances[each])] for each in likeliest],
    }
