"""What the page shows when a link opens it: which fields, views and models change.

`reopening.py` writes or reads again what the link describes.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from lstm_lm.errors import UserError
from lstm_lm.ui.links.reopening import refused, reopen, reopen_find, reopen_unit
from lstm_lm.ui.views.workbench.view import Handlers, session_of


def open_links(
    page: gr.Blocks,
    handlers: Handlers,
    choices: Callable[[list[str], list[str]], list[tuple[str, str]]],
    example: str,
    outputs: list[Any],
) -> None:
    """Show what a link describes: the model, the fields, the tab, and both workbenches.

    Args:
        page: is opened.
        handlers: write and read.
        choices: the (label, name) of the models on offer, and of one that a visitor has loaded.
        example: the text that is read where the link says nothing of one.
        outputs: model; prompt, length, temperature, top_k, top_p, min_p, seed; the text to read;
            the views; the two workbenches; the name of a model that differs from the first, where
            the link is to a text; the units' pages; that name, where it is to a unit;
            the Find view.
    """
    names = handlers.shelf.names
    first = names[0]

    def open_link(request: gr.Request) -> list[Any]:
        as_it_is = [gr.skip() for _ in outputs]
        try:
            unit = reopen_unit(handlers, request.query_params)
            span = reopen_find(handlers, request.query_params)
            text = None if unit or span else request.query_params
            found = reopen(handlers, text, session_of(request)) if text else None
        except UserError as error:
            return [*as_it_is[:10], refused(handlers, first, error), *as_it_is[11:]]
        place = unit or span
        name = place["model"] if place else found.model if found else first
        guest = [] if name in names else [name]
        model = gr.update(choices=choices(names, guest), value=name)
        linked = "" if name == first else name
        if unit:
            opened = gr.Tabs(selected="units")
            return [model, *as_it_is[1:9], opened, *as_it_is[10:12], "", unit, linked, gr.skip()]
        if span:
            return [model, *as_it_is[1:9], gr.Tabs(selected="find"), *as_it_is[10:15], span]
        if found is None:
            return as_it_is
        if found.sampling is None:
            opening = handlers.shelf.get(name).opening_payload()
            read = [found.text, gr.Tabs(selected="read"), opening, found.payload]
            return [model, *as_it_is[1:8], *read, linked, gr.skip(), "", gr.skip()]
        sampling = found.sampling
        written = [found.text, sampling.max_new_tokens, sampling.temperature, sampling.top_k or 0]
        written += [sampling.top_p or 1, sampling.min_p or 0, sampling.seed]
        reading = handlers.read(example, name, request)
        shown = [example, gr.skip(), found.payload, reading]
        return [model, *written, *shown, linked, gr.skip(), "", gr.skip()]

    page.load(
        open_link,
        outputs=outputs,
        show_progress="hidden",
        concurrency_limit=4,
        api_visibility="private",
    )
