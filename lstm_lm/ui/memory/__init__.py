"""The Memory view's component: a text coloured by what still matters, and the charts beside it.

Its Python face; the rest is memory.html, memory.css and the ES modules in static/. It wears the
workbench's clothes and shares the curves' scales. Its value only says which model is chosen: the
rest it asks for when it comes into view. The template is static, and text reaches the page only as
textContent or by the canvas, never as markup.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from lstm_lm.ui import curves, workbench

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class Memory(gr.HTML):
    """How far back a model remembers, on a text.

    Args:
        value: {"model": name}.
        server_functions: overview, influences, fading, gates and contexts, as
            `ui.memory_view.MemoryView` has them.
        elem_id: the element's id.
    """

    def __init__(
        self,
        value: dict[str, Any] | None = None,
        *,
        server_functions: list[Callable[..., Any]] | None = None,
        elem_id: str | None = None,
        **settings: Any,
    ) -> None:
        gr.set_static_paths([STATIC, workbench.STATIC, curves.STATIC])
        css = workbench.FOLDER / "workbench.css", FOLDER / "memory.css"
        super().__init__(
            value=value,
            html_template=(FOLDER / "memory.html").read_text(encoding="utf-8"),
            css_template="".join(path.read_text(encoding="utf-8") for path in css),
            js_on_load=workbench.JS_ON_LOAD.replace("__MAIN__", (STATIC / "main.js").as_posix()),
            apply_default_css=False,
            server_functions=server_functions,
            elem_id=elem_id,
            **settings,
        )

    def get_block_name(self) -> str:
        """Gradio's name of the block that draws it."""
        return "html"

    def api_info(self) -> dict[str, Any]:
        """Which model, as an object."""
        return {"type": "object"}
