"""What the Try view answers: the next word, the likelier sentence, which of two authors wrote it.

Each question comes from a browser as one list and is checked, since anyone can ask. The arithmetic
is that of `insight/` (`completion.py`, `keystrokes.py`); the answers about two authors are in
`author_probes.py`, the words in `try_words.py`. Knows nothing of gradio or of layout.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from lstm_lm.errors import UserError
from lstm_lm.insight.completion import begun_word, compare, complete_word
from lstm_lm.insight.keystrokes import keystrokes
from lstm_lm.ui.asking import of_model, told
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel
from lstm_lm.ui.shelf.reading import known_parts
from lstm_lm.ui.shelf.turns import Turns
from lstm_lm.ui.views.uses import words
from lstm_lm.ui.views.uses.author_examples import HELD_OUT, PAIRS
from lstm_lm.ui.views.uses.author_probes import Asked, Side, Trained, asked_of, tell, train
from lstm_lm.writing.generation import read_prompt

LONGEST_PROMPT = 600  # characters
LONGEST_SENTENCE = 400
LONGEST_TYPED = 60
COMPLETIONS = 8
KEPT = 8  # probes
Payload = dict[str, Any]


class TryView:
    """The answers about the models of a shelf.

    Args:
        shelf: the models on offer.
    """

    def __init__(self, shelf: ModelShelf) -> None:
        self._shelf = shelf
        self._trained: OrderedDict[tuple[str, Side, Side], Trained] = OrderedDict()
        # One at a time: visitors together are not to take every core. Each kind of work has turns
        # of its own, so that a word is completed while a probe is trained.
        self._reading, self._typing, self._training = Turns(), Turns(), Turns()

    def opening(self, arguments: object) -> Payload | None:
        """[model] -> what the cards open with for this model, and the pairs of authors."""
        return self._answer(arguments, 1, _opening)

    def complete(self, arguments: object) -> Payload | None:
        """[model, text] -> the likeliest ways in which its last word goes on, or the next one."""

        def answer(shown: ShownModel, text: object) -> Payload | None:
            with self._reading:
                return _complete(shown, text)

        return self._answer(arguments, 2, answer)

    def keys(self, arguments: object) -> Payload | None:
        """[model, text] -> how many presses the text takes where such words are offered."""

        def answer(shown: ShownModel, text: object) -> Payload | None:
            with self._typing:
                return _keys(shown, text)

        return self._answer(arguments, 2, answer)

    def likelier(self, arguments: object) -> Payload | None:
        """[model, text, text] -> which is likelier, and what each token of them costs."""

        def answer(shown: ShownModel, first: object, second: object) -> Payload | None:
            with self._reading:
                return _likelier(shown, first, second)

        return self._answer(arguments, 3, answer)

    def train(self, arguments: object) -> Payload | None:
        """[model, [name, examples], [name, examples], layer] -> how well a probe tells the two.

        The layer counts from 0; null is the last.
        """

        def answer(shown: ShownModel, *given: object) -> Payload | None:
            asked = asked_of(shown, *given)
            return asked and self._probes(shown, asked).shown[asked.layer]

        return self._answer(arguments, 4, answer)

    def tell(self, arguments: object) -> Payload | None:
        """[model, [name, examples], [name, examples], layer, text] -> whose the text is told as."""

        def answer(shown: ShownModel, *given: object) -> Payload | None:
            *authors, text = given
            asked = asked_of(shown, *authors)
            if asked is None or not isinstance(text, str):
                return None
            trained = self._probes(shown, asked)
            with self._reading:
                return tell(shown, trained, asked.layer, text)

        return self._answer(arguments, 5, answer)

    def _answer(
        self, arguments: object, count: int, answer: Callable[..., Payload | None]
    ) -> Payload | None:
        """The answer, or the line that says why there is none; None for what is no question."""
        asked = of_model(self._shelf, arguments, count)
        if asked is None:
            return None
        shown, rest = asked
        return told(lambda: answer(shown, *rest))

    def _probes(self, shown: ShownModel, asked: Asked) -> Trained:
        # Of the same name a guest may be another model by now.
        key = (f"{shown.name} {shown.weights}", *asked.sides)
        with self._training:
            found = self._trained.pop(key, None) or train(shown, *asked.sides)
            self._trained[key] = found
            while len(self._trained) > KEPT:
                self._trained.popitem(last=False)
            return found


def _opening(shown: ShownModel) -> Payload:
    prompt, typed, sentences = words.openings(shown)
    return {
        "prompt": prompt,
        "typed": typed[:LONGEST_TYPED],
        "sentences": [[name, *pair] for name, pair in sentences.items()],
        "pairs": [
            {
                "sides": [[name, "\n\n".join(passages)] for name, passages in pair],
                "held_out": [[name, HELD_OUT[name]] for name, _ in pair],
            }
            for pair in PAIRS
        ],
    }


def _complete(shown: ShownModel, text: object) -> Payload | None:
    if not isinstance(text, str):
        return None
    if len(text) > LONGEST_PROMPT:
        raise UserError(f"the text has {len(text):,} characters: at most {LONGEST_PROMPT}")
    [known], notes = known_parts(shown.model, [text])
    prompt = known or _start(shown)
    found = complete_word(shown.model, prompt, keep=COMPLETIONS)
    if not all(math.isfinite(each.probability) for each in found):
        raise UserError("the model gives no probabilities: its numbers are not finite")
    begun = begun_word(prompt)
    return {
        "begun": begun,
        "completions": [each.to_json() for each in found],
        "finding": words.completed(prompt, begun, found),
        "notes": notes,
    }


def _keys(shown: ShownModel, text: object) -> Payload | None:
    if not isinstance(text, str):
        return None
    if not text.strip():
        raise UserError("there is no sentence yet: type one")
    if len(text) > LONGEST_TYPED:
        raise UserError(f"the sentence has {len(text):,} characters: at most {LONGEST_TYPED}")
    [known], notes = known_parts(shown.model, [text])
    if not known:
        raise UserError(f"nothing is left of the sentence. {notes[0].rstrip('.')}")
    start = _start(shown)
    found = keystrokes(shown.model, known, start=start)
    control = keystrokes(shown.model, known, start=start, word_only=True)
    return {
        "pieces": found.to_json()["pieces"],
        "presses": found.presses,
        "characters": found.characters,
        "word_only": control.presses,
        "sentence": words.typed(found, control, shown.model.config.tokenizer),
        "notes": notes,
    }


def _start(shown: ShownModel) -> str:
    """What a model begins with by itself: a newline, where it knows one."""
    return shown.model.tokenizer.decode(read_prompt(shown.model, "").token_ids)


def _likelier(shown: ShownModel, first: object, second: object) -> Payload | None:
    if not isinstance(first, str) or not isinstance(second, str):
        return None
    for text in (first, second):
        if not text.strip():
            raise UserError("one of the two sentences is empty: type both")
        if len(text) > LONGEST_SENTENCE:
            raise UserError(f"a sentence has {len(text):,} characters: at most {LONGEST_SENTENCE}")
    known, notes = known_parts(shown.model, [first, second])
    if not all(known):
        raise UserError(f"nothing is left of a sentence. {notes[0].rstrip('.')}")
    # Each on a line of its own, so that its first letter counts too.
    found = compare(shown.model, known[0], known[1], context=_start(shown))
    if not all(math.isfinite(total) for total in found.log_probs):
        raise UserError("the model gives one of the two no probability at all")
    return {
        "sentence": found.sentence(),
        "likelier": found.likelier,
        "parts_at": found.parts_at,
        "texts": [
            {"tokens": tokens, "nats": (-costs).tolist(), "total": -total}
            for tokens, costs, total in zip(
                found.tokens, found.of_tokens, found.log_probs, strict=True
            )
        ],
        "notes": notes,
    }
