"""What the tour asks of the model: its longest memory in a text.

Knows nothing of gradio, or of what the tour says.
"""

from typing import Any

from lstm_lm.insight.keeping import longest_keep
from lstm_lm.ui.handlers import Handlers


class Guide:
    """Answers for the tour, over the runs of a page."""

    def __init__(self, handlers: Handlers) -> None:
        self._store = handlers.store

    def keeper(self, arguments: object) -> dict[str, Any] | None:
        """[run] -> the unit that keeps longest in it: a `Keep`; None without gates."""
        if not isinstance(arguments, list) or len(arguments) != 1:
            return None
        run = self._store.get(arguments[0])
        if run is None or run.cell != "lstm" or not run.steps:
            return None
        return longest_keep(run.trace()).to_json()
