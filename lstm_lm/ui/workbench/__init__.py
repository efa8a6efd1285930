"""The workbench: token strip, heatmap, one unit's line and the numbers of one step.

Its Python face; the rest is workbench.html, workbench.css and the ES modules in static/. The
template is static on purpose: a template that mentions the value would be drawn anew at each
update, and with it the canvas and all that JavaScript made. Text reaches the page only as
textContent or by the canvas, never as markup.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

JS_ON_LOAD = """
const address = new URL("gradio_api/file=__MAIN__", document.baseURI);
import(address).then((module) => module.mount({ element, props, watch, server, trigger }));
"""


class Workbench(gr.HTML):
    """One text with every gate of every unit at every step.

    Its value is a payload (`ui/payload.py`): a header with the first columns of a run, then
    columns as they are written.

    Args:
        value: the first payload.
        server_functions: exact, inside, ladder, branch, whatif, columns, order and line, as
            `ui.handlers` has them.
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
        gr.set_static_paths([STATIC])
        super().__init__(
            value=value,
            html_template=(FOLDER / "workbench.html").read_text(encoding="utf-8"),
            css_template=(FOLDER / "workbench.css").read_text(encoding="utf-8"),
            js_on_load=JS_ON_LOAD.replace("__MAIN__", (STATIC / "main.js").as_posix()),
            apply_default_css=False,
            server_functions=server_functions,
            elem_id=elem_id,
            **settings,
        )

    def get_block_name(self) -> str:
        """Gradio's name of the block that draws it."""
        return "html"

    def api_info(self) -> dict[str, Any]:
        """A payload is an object."""
        return {"type": "object"}
