"""What a browser asks of a view: checks and refusals that all views share.

A question is a list whose first part names a model. Whoever sent it may be anyone, so what is no
question is answered with nothing, and what cannot be done with a line. Knows nothing of gradio, or
of what is asked.
"""

from collections.abc import Callable
from typing import Any

from lstm_lm.errors import UserError
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel

Payload = dict[str, Any]


def told(answer: Callable[[], Payload | None]) -> Payload | None:
    """The answer, or the line that says why there is none."""
    try:
        return answer()
    except UserError as error:
        return {"error": str(error)}


def of_model(
    shelf: ModelShelf, arguments: object, count: int
) -> tuple[ShownModel, list[Any]] | None:
    """The model that is asked about and the rest of the question; None for what is no question.

    Args:
        shelf: the models.
        arguments: as they came.
        count: how many parts the question has, the model's name among them.
    """
    if not isinstance(arguments, list) or len(arguments) != count:
        return None
    name, *rest = arguments
    shown = shelf.find(name) if isinstance(name, str) else None
    return None if shown is None else (shown, rest)
