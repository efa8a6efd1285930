"""The page put together: the header, the views, and which handler answers which press.

Knows nothing of the model's insides.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from lstm_lm.errors import UserError
from lstm_lm.hub.download import fetch
from lstm_lm.ui.admission import Admission
from lstm_lm.ui.component import module_files
from lstm_lm.ui.endpoints import add_endpoints
from lstm_lm.ui.links.opening import open_links
from lstm_lm.ui.shelf.guests import GuestRules, Guests
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.shelf.visit import asked_from_this_machine
from lstm_lm.ui.tabs import (
    READ_EXAMPLE,
    compare_view,
    find_view,
    memory_view,
    named,
    read_view,
    training_view,
    try_view,
    units_view,
    write_view,
)
from lstm_lm.ui.theme import PAGE_CSS, theme
from lstm_lm.ui.views.compare.view import CompareView
from lstm_lm.ui.views.find.view import FindView
from lstm_lm.ui.views.load.component import hub_field
from lstm_lm.ui.views.memory.view import MemoryView
from lstm_lm.ui.views.tour.component import Tour
from lstm_lm.ui.views.tour.view import Guide
from lstm_lm.ui.views.training.view import TrainingRuns
from lstm_lm.ui.views.units.view import UnitView
from lstm_lm.ui.views.uses.view import TryView
from lstm_lm.ui.views.workbench.view import Handlers, session_of

NO_GUESTS = GuestRules(allowed=False)
TITLE = "lstm-lm: watch an LSTM write, with every gate of every unit"


def build_page(
    names: list[str],
    *,
    guests: GuestRules = NO_GUESTS,
    notes: Sequence[str] = (),
) -> tuple[gr.Blocks, Handlers]:
    """The page over these models; the first is shown when it opens.

    Args:
        names: bundled names, folders or repository ids.
        guests: which other models visitors may load.
        notes: lines about what could not be had.

    Raises:
        UserError: the first model cannot be loaded.
    """
    store = RunStore()
    shelf = ModelShelf(names, store, asked_from_this_machine)
    handlers = Handlers(shelf, store)
    opening, reading = handlers.open_model(names[0], READ_EXAMPLE, None)
    if "error" in opening:
        raise UserError(opening["error"])
    server: list[Any] = [
        named("exact", handlers.exact),
        named("inside", handlers.inside),
        named("ladder", handlers.ladder),
        named("branch", handlers.branch),
        named("whatif", handlers.whatif),
        named("columns", handlers.columns),
        named("order", handlers.order),
        named("saturation", handlers.saturation),
        named("line", handlers.line),
        named("link", handlers.link),
        named("take", handlers.take),
    ]
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(600, 600)) as page:
        with gr.Row(elem_id="top"):
            gr.HTML(
                "<h1>lstm-lm</h1>"
                "<p>Watch an LSTM write, with every gate of every unit in view. An LSTM is a "
                "neural network that reads a text step by step and keeps a memory.</p>",
                elem_id="name",
            )
            beside = gr.Column(elem_id="hub-column", min_width=240)
            model = gr.Dropdown(
                choices=_choices(names),
                value=names[0],
                label="Model",
                elem_id="model",
                interactive=True,
                scale=0,
                min_width=240,
                container=False,
            )
            with beside:
                hub_field(model, Guests(shelf, guests, fetch), _choices, notes)
        guide = Guide(handlers)
        unit_view = UnitView(shelf)  # its reference texts are those of two views
        Tour(
            server_functions=[named("places", guide.places)],
            elem_id="tour",
        )
        with gr.Tabs(elem_id="views") as views:
            with gr.Tab("Write", id="write"):
                write_bench, written_by = write_view(handlers, server, opening, model)
            with gr.Tab("Read", id="read"):
                read_bench, text = read_view(handlers, server, reading, model)
            with gr.Tab("Units", id="units"):
                unit_pages = units_view(unit_view, names[0])
            with gr.Tab("Find", id="find"):
                found = find_view(FindView(shelf, unit_view), names[0], model)
            with gr.Tab("Memory", id="memory"):
                memory_view(MemoryView(shelf), names[0], model)
            with gr.Tab("Compare", id="compare"):
                compare_view(CompareView(shelf), names[0], model)
            with gr.Tab("Try", id="try"):
                try_view(TryView(shelf), names[0], model)
            with gr.Tab("Training", id="training"):
                training_view(TrainingRuns(names, label=label_of), views)
        linked = gr.State("")  # the model of a link to a text that is being shown
        linked_unit = gr.State("")  # the same of a link to a unit

        def choose(
            name: str, read: str, by_link: str, by_unit_link: str, request: gr.Request
        ) -> tuple[Any, ...]:
            units = gr.skip() if name == by_unit_link else {"model": name}
            if name == by_link:  # a link brings a text of its own
                return gr.skip(), gr.skip(), units, "", ""
            return *handlers.open_model(name, read, request), units, "", ""

        model.change(
            choose,
            inputs=[model, text, linked, linked_unit],
            outputs=[write_bench, read_bench, unit_pages, linked, linked_unit],
            show_progress="hidden",
            api_visibility="private",
        )
        shown = [model, *written_by, text, views, write_bench, read_bench, linked]
        shown += [unit_pages, linked_unit, found]
        open_links(page, handlers, _choices, READ_EXAMPLE, shown)

        def leave(request: gr.Request) -> None:
            handlers.leave(request)
            _forget(page, session_of(request))

        page.unload(leave)
        add_endpoints(shelf)
    page.queue(api_open=False)  # nothing that waits its turn can be asked past the others
    return page, handlers


def _forget(page: gr.Blocks, session: str) -> None:
    """Free what gradio holds of a visitor who has left.

    Gradio 6.31 keeps it, about a quarter of a megabyte each, until there are ten thousand.
    """
    holder = page.state_holder
    holder.session_data.pop(session, None)
    holder.time_last_used.pop(session, None)


def label_of(name: str) -> str:
    """A model's name for people: a folder's last part.

    >>> label_of("runs/my-model/")
    'my-model'
    """
    return name.rstrip("/").split("/")[-1] if "/" in name else name


def _choices(names: list[str], guests: Sequence[str] = ()) -> list[tuple[str, str]]:
    """(label, name) of what a visitor can choose: a guest by its whole name."""
    return [(label_of(name), name) for name in names] + [(name, name) for name in guests]


def launch_settings() -> dict[str, Any]:
    """What `launch` needs for this page, however it is started."""
    return {
        "theme": theme(),
        "css": PAGE_CSS,
        "footer_links": [],
        "run_history": False,
        "mcp_server": True,
        # Nothing is asked but what this lets in; the next three shut doors for want of it, too.
        "app_kwargs": {"middleware": [Middleware(Admission, files=module_files())]},
        "max_file_size": 1_000,  # bytes of an upload, of which there is none
        "enable_monitoring": False,
        "num_workers": 0,  # they would answer on ports of their own
        "ssr_mode": False,  # a Space would turn it on, and these components are drawn in browsers
        "favicon_path": Path(__file__).with_name("favicon.svg"),
    }
