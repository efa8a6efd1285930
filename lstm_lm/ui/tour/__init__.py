"""The tour: short stops on the real page, each done when the person has done the thing.

Its Python face; the rest is tour.html, tour.css and the ES modules in static/. It reads the
workbench of the Write view and changes nothing in it; what it says of the model are the model's
own numbers, as the workbench has them. Text reaches the page only as textContent.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from lstm_lm.ui import workbench

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class Tour(gr.HTML):
    """A button that begins the tour, and the card that leads through it.

    Args:
        server_functions: keeper and likelier, as `ui.guide` has them.
        elem_id: the element's id.
    """

    def __init__(
        self,
        *,
        server_functions: list[Callable[..., Any]] | None = None,
        elem_id: str | None = None,
        **settings: Any,
    ) -> None:
        gr.set_static_paths([STATIC])
        super().__init__(
            value={},
            html_template=(FOLDER / "tour.html").read_text(encoding="utf-8"),
            css_template=(FOLDER / "tour.css").read_text(encoding="utf-8"),
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
        """An object, with nothing in it."""
        return {"type": "object"}
