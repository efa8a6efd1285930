"""A run -> the link that shows it again, and a link -> the model here that it speaks of.

`links.py` has the link itself. Knows nothing of gradio.
"""

import dataclasses
from typing import Any

from lstm_lm.errors import LinkError
from lstm_lm.ui.links.links import FindLink, Link, UnitLink, encode
from lstm_lm.ui.links.places import Place
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel, public_name
from lstm_lm.ui.shelf.runs import PageRun, RunStore


def link_of(store: RunStore, shelf: ModelShelf, run: PageRun, place: Place) -> dict[str, Any]:
    """The query that reproduces this view of the run, as far as it has been written.

    Raises:
        LinkError: no link can hold it.
    """
    root = _root(store, run)
    shown = shelf.get(run.model)
    sampling = root.sampling
    if sampling is not None:
        length = run.steps - root.prompt_steps
        if not length:
            raise LinkError("nothing is written yet: copy the link in a moment")
        sampling = dataclasses.replace(sampling, max_new_tokens=length)
    link = Link(
        show="read" if sampling is None else "write",
        model=public_name(shown.name),
        revision=shown.revision,
        weights=shown.weights,
        text=root.given,
        sampling=sampling,
        interventions=run.interventions,
        signal=place.signal,
        layer=place.layer,
        order=place.order,
        step=place.step,
        unit=place.unit,
    )
    return {"query": encode(link)}


def _root(store: RunStore, run: PageRun) -> PageRun:
    """The text that the run is, with its interventions, and with no token chosen by a person.

    Raises:
        LinkError: there is a branch on the way.
    """
    while run.parent:
        parent = store.get(run.parent)
        if (
            parent is None
            or parent.sampling is None
            or len(run.interventions) <= len(parent.interventions)
        ):
            raise LinkError(
                "a branch, or what was written on after a text that was only read, is not part of "
                "a link: pin a step of the text itself"
            )
        run = parent
    return run


def shown_by(shelf: ModelShelf, link: Link | UnitLink | FindLink) -> tuple[ShownModel, list[str]]:
    """The model on the shelf that the link names, and what to say where it is not quite the same.

    Raises:
        LinkError: it is not here.
        UserError: it is here, but cannot be loaded.
    """
    named = [name for name in shelf.everywhere() if public_name(name) == link.model]
    if not named:
        called = f"{link.model}@{link.revision}" if link.revision else link.model
        raise LinkError(
            f"it needs the model {called[:120]!r}, which is not here: start the page with "
            "app.py --model and its name, or load it from the Hub where the page lets you"
        )
    found = [shelf.get(name) for name in named]
    for shown in found:
        if not link.weights or shown.weights == link.weights:
            return shown, []
    return found[0], [
        f"The model {link.model!r} here has other weights than the one that the link was made "
        "with: text and numbers differ."
    ]
