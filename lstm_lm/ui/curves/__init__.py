"""The curves: loss over training, several runs over each other, and what each wrote on the way.

Its Python face; the rest is curves.html, curves.css and the ES modules in static/. It wears the
workbench's clothes: cards, switches and colours are that component's. The template is static, and
text reaches the page only as textContent, never as markup.
"""

from pathlib import Path
from typing import Any

import gradio as gr

from lstm_lm.ui import workbench

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"


class Curves(gr.HTML):
    """The loss curves and samples of some runs.

    Its value is a payload of `ui/training_view.py`, whole each time.

    Args:
        value: the first payload.
        elem_id: the element's id.
    """

    def __init__(
        self, value: dict[str, Any] | None = None, *, elem_id: str | None = None, **settings: Any
    ) -> None:
        gr.set_static_paths([STATIC])
        css = workbench.FOLDER / "workbench.css", FOLDER / "curves.css"
        super().__init__(
            value=value,
            html_template=(FOLDER / "curves.html").read_text(encoding="utf-8"),
            css_template="".join(path.read_text(encoding="utf-8") for path in css),
            js_on_load=workbench.JS_ON_LOAD.replace("__MAIN__", (STATIC / "main.js").as_posix()),
            apply_default_css=False,
            elem_id=elem_id,
            **settings,
        )

    def get_block_name(self) -> str:
        """Gradio's name of the block that draws it."""
        return "html"

    def api_info(self) -> dict[str, Any]:
        """A payload is an object."""
        return {"type": "object"}
