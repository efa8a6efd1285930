"""The views of the page, a function each: their fields, their component, what a press does.

A component of our own gets its payload and the functions that its JavaScript may call. Knows
nothing of how the views stand together on the page.
"""

import functools
from typing import Any

import gradio as gr

from lstm_lm.config import SamplingConfig
from lstm_lm.ui.component import Component
from lstm_lm.ui.views.compare.component import Compare
from lstm_lm.ui.views.compare.view import CompareView
from lstm_lm.ui.views.find.component import Find
from lstm_lm.ui.views.find.view import FindView
from lstm_lm.ui.views.memory.component import Memory
from lstm_lm.ui.views.memory.view import MemoryView
from lstm_lm.ui.views.training.component import Curves
from lstm_lm.ui.views.training.view import TrainingRuns
from lstm_lm.ui.views.units.component import UnitPages
from lstm_lm.ui.views.units.view import UnitView
from lstm_lm.ui.views.uses.component import Tryout
from lstm_lm.ui.views.uses.view import TryView
from lstm_lm.ui.views.workbench.component import Workbench
from lstm_lm.ui.views.workbench.view import LONGEST_WRITE, Handlers

LOOK_SECONDS = 3.0  # between two looks at the metrics of runs, while they are in view
READ_EXAMPLE = "To be, or not to be: that is the question.\n\nHAMLET:\nI know not what to say.\n"


def named(name: str, method: Any) -> Any:
    """The bound method as a plain function of this name, as gradio's server functions need."""

    @functools.wraps(method)
    def call(arguments: Any) -> Any:
        return method(arguments)

    call.__name__ = name
    return call


def _follow(model: gr.Dropdown, component: Component) -> None:
    """Show the model that is chosen in a component that asks for the rest itself."""
    model.change(
        lambda name: {"model": name},
        inputs=model,
        outputs=component,
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )


def write_view(
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


def read_view(
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


def memory_view(view: MemoryView, first: str, model: gr.Dropdown) -> None:
    """How far back the chosen model remembers; it asks for the rest when it comes into view."""
    asked = [view.overview, view.influences, view.fading, view.gates, view.contexts]
    memory = Memory(
        {"model": first},
        server_functions=[named(method.__name__, method) for method in asked],
        elem_id="memory",
    )
    _follow(model, memory)


def compare_view(view: CompareView, first: str, model: gr.Dropdown) -> None:
    """Two models over the same text; the chosen one on the left, until another is chosen there."""
    asked = [view.offer, view.compare, view.paint, view.place]
    both = Compare(
        {"model": first},
        server_functions=[named(method.__name__, method) for method in asked],
        elem_id="compare",
    )
    _follow(model, both)


def units_view(view: UnitView, first: str) -> UnitPages:
    """A page for every unit of the model that is chosen."""
    asked = [view.survey, view.unit, view.color, view.hold, view.sway]
    server = [named(method.__name__, method) for method in asked]
    return UnitPages({"model": first}, server_functions=server, elem_id="unit-pages")


def try_view(view: TryView, first: str, model: gr.Dropdown) -> None:
    """What a language model is used for; it asks for its answers when it comes into view."""
    asked = [view.opening, view.complete, view.keys, view.likelier, view.train, view.tell]
    tryout = Tryout(
        {"model": first},
        server_functions=[named(method.__name__, method) for method in asked],
        elem_id="try",
    )
    _follow(model, tryout)


def find_view(view: FindView, first: str, model: gr.Dropdown) -> Find:
    """Where else the same units are on, and which units follow what a person marks."""
    server = [named(name, getattr(view, name)) for name in ("text", "places", "follows", "color")]
    found = Find({"model": first}, server_functions=server, elem_id="find")
    _follow(model, found)
    return found


def training_view(runs: TrainingRuns, views: gr.Tabs) -> None:
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
