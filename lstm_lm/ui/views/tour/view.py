"""What the tour asks of the model: where in a text each part of the cell is seen at work.

Knows nothing of gradio, or of what the tour says.
"""

from typing import Any

from lstm_lm.insight.examples import hidden_memory, open_choice
from lstm_lm.insight.keeping import longest_keep
from lstm_lm.ui.views.workbench.view import Handlers


class Guide:
    """Answers for the tour, over the runs of a page."""

    def __init__(self, handlers: Handlers) -> None:
        self._store = handlers.store
        self._shelf = handlers.shelf

    def places(self, arguments: object) -> dict[str, Any] | None:
        """[run] -> where to look in it; None without gates, or for a text of one token.

        Returns:
            `keep`: the longest memory, a `Keep`; `hidden`: a memory that is not shown, a `Hidden`;
            `open`: the step after which the model is least sure.
        """
        if not isinstance(arguments, list) or len(arguments) != 1:
            return None
        run = self._store.get(arguments[0])
        shown = run and self._shelf.find(run.model)
        if run is None or shown is None or run.cell != "lstm" or run.steps < 2:
            return None
        trace = run.trace()
        return {
            "keep": longest_keep(trace).to_json(),
            "hidden": hidden_memory(trace).to_json(),
            "open": open_choice(shown.model, trace),
        }
