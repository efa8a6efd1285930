"""The page put together: the header, the views, and which handler answers which press.

Knows nothing of the model's insides.
"""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from lstm_lm.config import SamplingConfig
from lstm_lm.errors import UserError
from lstm_lm.hub import fetch
from lstm_lm.ui.curves import Curves
from lstm_lm.ui.endpoints import add_endpoints
from lstm_lm.ui.guests import GuestRules, Guests
from lstm_lm.ui.guide import Guide
from lstm_lm.ui.handlers import LONGEST_WRITE, Handlers, session_of
from lstm_lm.ui.hub_field import hub_field
from lstm_lm.ui.link_opening import open_links
from lstm_lm.ui.memory import Memory
from lstm_lm.ui.memory_view import MemoryView
from lstm_lm.ui.models import ModelShelf
from lstm_lm.ui.runs import RunStore
from lstm_lm.ui.theme import PAGE_CSS, theme
from lstm_lm.ui.tour import Tour
from lstm_lm.ui.training_view import TrainingRuns
from lstm_lm.ui.unit_pages import UnitPages
from lstm_lm.ui.unit_view import UnitView
from lstm_lm.ui.workbench import Workbench

LOOK_SECONDS = 3.0  # between two looks at the metrics of runs, while they are in view
NO_GUESTS = GuestRules(allowed=False)
TITLE = "lstm-lm: watch an LSTM write, with every gate of every unit"
READ_EXAMPLE = "To be, or not to be: that is the question.\n\nHAMLET:\nI know not what to say.\n"


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
    shelf = ModelShelf(names, store)
    handlers = Handlers(shelf, store)
    opening, reading = handlers.open_model(names[0], READ_EXAMPLE, None)
    if "error" in opening:
        raise UserError(opening["error"])
    server: list[Any] = [
        _named("exact", handlers.exact),
        _named("inside", handlers.inside),
        _named("ladder", handlers.ladder),
        _named("branch", handlers.branch),
        _named("whatif", handlers.whatif),
        _named("columns", handlers.columns),
        _named("order", handlers.order),
        _named("line", handlers.line),
        _named("link", handlers.link),
        _named("take", handlers.take),
    ]
    with gr.Blocks(title=TITLE, analytics_enabled=False) as page:
        with gr.Row(elem_id="top"):
            gr.HTML(
                "<h1>lstm-lm</h1>"
                "<p>Watch an LSTM write, with every gate of every unit in view.</p>",
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
        Tour(
            server_functions=[_named("keeper", guide.keeper), _named("likelier", guide.likelier)],
            elem_id="tour",
        )
        with gr.Tabs(elem_id="views") as views:
            with gr.Tab("Write", id="write"):
                write_bench, written_by = _write_view(handlers, server, opening, model)
            with gr.Tab("Read", id="read"):
                read_bench, text = _read_view(handlers, server, reading, model)
            with gr.Tab("Units", id="units"):
                unit_pages = _units_view(UnitView(shelf), names[0])
            with gr.Tab("Memory", id="memory"):
                _memory_view(MemoryView(shelf), names[0], model)
            with gr.Tab("Training", id="training"):
                _training_view(TrainingRuns(names, label=label_of), views)
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
        shown += [unit_pages, linked_unit]
        open_links(page, handlers, _choices, READ_EXAMPLE, shown)

        def leave(request: gr.Request) -> None:
            handlers.leave(request)
            _forget(page, session_of(request))

        page.unload(leave)
        add_endpoints(shelf)
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


def _named(name: str, method: Any) -> Any:
    """The bound method as a plain function of this name, as gradio's server functions need."""

    @functools.wraps(method)
    def call(arguments: Any) -> Any:
        return method(arguments)

    call.__name__ = name
    return call


def _write_view(
    handlers: Handlers, server: list[Any], opening: dict[str, Any], model: gr.Dropdown
) -> tuple[Workbench, list[Any]]:
    """Prompt, Write, Stop, settings, and the workbench that fills while the model writes.

    Returns:
        The workbench, and the fields of what is written: the prompt, length, temperature, top_k,
        top_p, min_p and seed.
    """
    defaults = SamplingConfig()
    with gr.Row(elem_classes="ask"):
        prompt = gr.Textbox(
            value="",
            placeholder="Start the text, or leave this empty. Shift+Enter writes.",
            label="Prompt",
            lines=2,
            max_lines=6,
            scale=6,
            elem_id="prompt",
        )
        write = gr.Button("Write", variant="primary", scale=1, min_width=96, elem_id="write")
        stop = gr.Button("Stop", variant="secondary", scale=1, min_width=96, elem_id="stop")
    with gr.Accordion("Sampling: temperature, length, seed", open=False, elem_id="settings"):
        with gr.Row():
            temperature = gr.Slider(
                0,
                2,
                value=0.6,
                step=0.05,
                label="Temperature",
                info="Low: the likeliest. 0: always the likeliest. High: anything goes.",
            )
            length = gr.Slider(
                1,
                LONGEST_WRITE,
                value=320,
                step=1,
                label="Length",
                info="Tokens to write.",
            )
            pace = gr.Slider(
                5,
                400,
                value=50,
                step=5,
                label="Pace",
                info="Tokens a second, at most.",
            )
        with gr.Row():
            seed = gr.Number(
                value=defaults.seed,
                precision=0,
                label="Seed",
                info="The same seed writes the same text.",
            )
            top_k = gr.Number(
                value=0,
                precision=0,
                minimum=0,
                label="Top-k",
                info="Choose among this many of the likeliest; 0: all.",
            )
            top_p = gr.Slider(
                0.01,
                1,
                value=1,
                step=0.01,
                label="Top-p",
                info="Choose among the fewest that hold this probability.",
            )
            min_p = gr.Slider(
                0,
                1,
                value=0,
                step=0.01,
                label="Min-p",
                info="Choose among those at least this fraction as likely as the likeliest.",
            )
    bench = Workbench(opening, server_functions=server, elem_id="write-bench")
    settings = [prompt, length, temperature, top_k, top_p, min_p, seed]
    writing = gr.on(
        [write.click, prompt.submit],
        handlers.write,
        inputs=[*settings, pace, model],
        outputs=bench,
        show_progress="hidden",
        trigger_mode="multiple",
        concurrency_limit=40,
        api_visibility="private",
    )
    stop.click(
        handlers.stop,
        outputs=bench,
        cancels=[writing],
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )
    return bench, settings


def _read_view(
    handlers: Handlers, server: list[Any], reading: dict[str, Any], model: gr.Dropdown
) -> tuple[Workbench, gr.Textbox]:
    """A person's own text, and the workbench over all of it."""
    with gr.Row(elem_classes="ask"):
        text = gr.Textbox(
            value=READ_EXAMPLE,
            label="Your text",
            placeholder="Type or paste any text. Shift+Enter reads.",
            lines=4,
            max_lines=12,
            scale=6,
            elem_id="text",
        )
        read = gr.Button("Read", variant="primary", scale=1, min_width=96, elem_id="read")
    bench = Workbench(reading, server_functions=server, elem_id="read-bench")
    gr.on(
        [read.click, text.submit],
        handlers.read,
        inputs=[text, model],
        outputs=bench,
        show_progress="hidden",
        concurrency_limit=4,
        api_visibility="private",
    )
    return bench, text


def _memory_view(view: MemoryView, first: str, model: gr.Dropdown) -> None:
    """How far back the chosen model remembers; it asks for the rest when it comes into view."""
    asked = [view.overview, view.influences, view.fading, view.gates, view.contexts]
    memory = Memory(
        {"model": first},
        server_functions=[_named(method.__name__, method) for method in asked],
        elem_id="memory",
    )
    model.change(
        lambda name: {"model": name},
        inputs=model,
        outputs=memory,
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )


def _units_view(view: UnitView, first: str) -> UnitPages:
    """A page for every unit of the model that is chosen."""
    server = [_named(name, getattr(view, name)) for name in ("survey", "unit", "color")]
    return UnitPages({"model": first}, server_functions=server, elem_id="unit-pages")


def _training_view(runs: TrainingRuns, views: gr.Tabs) -> None:
    """Which runs, and their curves and samples; looked at again every few seconds."""
    chosen = gr.CheckboxGroup(
        choices=runs.choices(),
        value=runs.opening(),
        label="Runs",
        elem_id="runs",
        visible=bool(runs.choices()),
    )
    curves = Curves(runs.payload(runs.opening()), elem_id="curves")
    shown = gr.State([])  # the choices and the version of the payload that this visitor has
    timer = gr.Timer(LOOK_SECONDS, active=False)

    def look(names: list[str], before: list[Any]) -> tuple[Any, Any, list[Any]]:
        runs.look()
        now = [runs.choices(), runs.version(names)]
        if now == before:
            return gr.skip(), gr.skip(), now
        offered = gr.update(choices=now[0], visible=bool(now[0]))
        known = before and before[0] == now[0]
        return gr.skip() if known else offered, runs.payload(names), now

    def watch(event: gr.SelectData) -> tuple[gr.Timer, list[Any]]:
        return gr.Timer(active=event.value == "Training"), []

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    wiring: dict[str, Any] = {"inputs": [chosen, shown], "outputs": [chosen, curves, shown]}
    chosen.change(look, **wiring, **quiet, concurrency_limit=8)
    timer.tick(look, **wiring, **quiet, concurrency_limit=8)
    views.select(watch, outputs=[timer, shown], **quiet).then(look, **wiring, **quiet)


def launch_settings() -> dict[str, Any]:
    """What `launch` needs for this page, however it is started."""
    return {
        "theme": theme(),
        "css": PAGE_CSS,
        "footer_links": [],
        "run_history": False,
        "mcp_server": True,
        "ssr_mode": False,  # a Space would turn it on, and these components are drawn in browsers
        "favicon_path": Path(__file__).with_name("favicon.svg"),
    }
