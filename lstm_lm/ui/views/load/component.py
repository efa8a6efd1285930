"""The small field beside the model's name that loads another one from the Hub, and what it says.

Its Python face; the rest is load.html, load.css and static/main.js. Knows nothing of the
Hub's protocol.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from lstm_lm.ui.component import Component
from lstm_lm.ui.shelf.guests import Guests

EVENT = "fetch"  # with the field `repository`; gradio wants its name, in quotes, in the JavaScript


class HubField(Component):
    """A field for a repository id, a button, and a line that says how it goes.

    Its value: `told`, the line; `state`: "idle", "busy" or "error"; `share`: 0..1 of what is to be
    downloaded, None where that is not known.

    Args:
        told: what it says at first.
        open_to_visitors: whether there is a field at all, or only the line.
        elem_id: the element's id.
    """

    NAME = "load"

    def __init__(
        self,
        told: str = "",
        *,
        open_to_visitors: bool = True,
        elem_id: str | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(
            payload(told, "error" if told else "idle"),
            before=f'const event = "{EVENT}";',
            elem_id=elem_id,
            elem_classes=[] if open_to_visitors else ["closed"],
            visible=open_to_visitors or bool(told),
            **settings,
        )


def payload(told: str, state: str, share: float | None = None) -> dict[str, Any]:
    """What the field shows next."""
    return {"told": told, "state": state, "share": share}


def hub_field(
    model: gr.Dropdown,
    guests: Guests,
    choices: Callable[[list[str], list[str]], list[tuple[str, str]]],
    notes: Sequence[str] = (),
) -> HubField:
    """The field on the page: what it loads joins the choices of the visitor who asked for it.

    Args:
        model: where a visitor chooses among models.
        guests: what loads them.
        choices: the (label, name) of these names, and of those that the visitor has loaded.
        notes: what it says at first.
    """
    allowed = guests.rules.allowed
    field = HubField(" ".join(notes), open_to_visitors=allowed, elem_id="hub-field")
    if not allowed:
        return field
    loaded = gr.State([])  # names of what this visitor has loaded

    def fetch(mine: list[str], event: gr.EventData) -> Iterator[tuple[Any, Any, Any]]:
        for step in guests.load(getattr(event, "repository", None)):
            state = "error" if step.failed else "busy" if step.name is None else "idle"
            shown = payload(step.told, state, step.share)
            if step.name is None:
                yield shown, gr.skip(), gr.skip()
                continue
            if step.name not in (*mine, *guests.names):
                mine = [*mine, step.name]
            offered = gr.update(choices=choices(guests.names, mine), value=step.name)
            yield shown, offered, mine

    # One at a time, so that visitors together cannot fill the memory.
    field.fetch(
        fetch,
        inputs=loaded,
        outputs=[field, model, loaded],
        show_progress="hidden",
        concurrency_limit=1,
        api_visibility="private",
    )
    return field
