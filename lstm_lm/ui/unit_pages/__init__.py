"""The units' pages: one unit of a model at a time, and links to those worth a look.

Its Python face; the rest is unit_pages.html, unit_pages.css and the ES modules in static/. It wears
the workbench's clothes. The template is static, and text reaches the page only as textContent,
never as markup.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from lstm_lm.ui import workbench

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class UnitPages(gr.HTML):
    """The units of one model; what it shows it fetches itself, once it is in view.

    Its value names the model, and may name a place: `model`, `layer`, `unit`, `notes`.

    Args:
        value: the first model.
        server_functions: survey, unit and color, as `ui.unit_view` has them.
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
        # Colours and bars are the workbench's own.
        gr.set_static_paths([workbench.STATIC, STATIC])
        css = workbench.FOLDER / "workbench.css", FOLDER / "unit_pages.css"
        super().__init__(
            value=value,
            html_template=(FOLDER / "unit_pages.html").read_text(encoding="utf-8"),
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
        """A payload is an object."""
        return {"type": "object"}
