"""What the tour asks of the model: its longest memory in a text, and which sentence is likelier.

Knows nothing of gradio, or of what the tour says.
"""

import math
from typing import Any

from lstm_lm.errors import UserError
from lstm_lm.insight.keeping import longest_keep
from lstm_lm.ui.handlers import Handlers
from lstm_lm.ui.reading import readable

LONGEST_SENTENCE = 400  # characters


class Guide:
    """Answers for the tour, over the models and runs of a page."""

    def __init__(self, handlers: Handlers) -> None:
        self._shelf = handlers.shelf
        self._store = handlers.store

    def keeper(self, arguments: object) -> dict[str, Any] | None:
        """[run] -> the unit that keeps longest in it: a `Keep`; None without gates."""
        if not isinstance(arguments, list) or len(arguments) != 1:
            return None
        run = self._store.get(arguments[0])
        if run is None or run.cell != "lstm" or not run.steps:
            return None
        return longest_keep(run.trace()).to_json()

    def likelier(self, arguments: object) -> dict[str, Any] | None:
        """[run, text, text] -> what each costs the run's model: nats, and over how many tokens.

        Returns:
            `costs`: for each text `nats` (of every token but the first) and `tokens` (how many);
            or `error`, a line.
        """
        if not isinstance(arguments, list) or len(arguments) != 3:
            return None
        run = self._store.get(arguments[0])
        shown = run and self._shelf.find(run.model)
        texts = arguments[1:]
        if shown is None or not all(isinstance(text, str) for text in texts):
            return None
        try:
            return {"costs": [_cost(shown.model, text) for text in texts]}
        except UserError as error:
            return {"error": str(error)}


def _cost(model: Any, text: str) -> dict[str, Any]:
    if not text.strip():
        raise UserError("one of the two sentences is empty: type both")
    if len(text) > LONGEST_SENTENCE:
        raise UserError(f"a sentence has {len(text):,} characters: at most {LONGEST_SENTENCE}")
    # A line of its own in both: so the first letter counts too.
    token_ids, notes, _ = readable(model, "\n" + text, "the sentence")
    if notes:
        raise UserError(notes[0].rstrip("."))
    nats = -model.score("\n" + text)
    if not math.isfinite(nats):
        raise UserError("the model gives one of the two no probability at all")
    return {"nats": nats, "tokens": len(token_ids) - 1}
