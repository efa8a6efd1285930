"""What every component of the page is: a template, a style and ES modules in a folder of its own.

The template is static on purpose: a template that mentions the value would be drawn anew at each
update, and with it the canvas and all that JavaScript made. Text reaches the page only as
textContent or by the canvas, never as markup.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import gradio as gr

VIEWS = Path(__file__).parent / "views"
WEB = Path(__file__).parent / "web"

JS_ON_LOAD = """
const address = new URL("gradio_api/file=__MAIN__", document.baseURI);
import(address).then((module) => module.mount({ element, props, watch, server, trigger }));
"""


def module_files() -> list[str]:
    """The path of every file that the components' JavaScript fetches, as its address has it."""
    return [
        path.as_posix()
        for folder in _script_folders()
        for path in folder.rglob("*")
        if path.is_file()
    ]


def _script_folders() -> list[Path]:
    """Where JavaScript lies: what views share, and each view's own."""
    return [WEB, *VIEWS.glob("*/static")]


class Component(gr.HTML):
    """The files of views/NAME: NAME.html, NAME.css and static/main.js, with a value.

    Args:
        value: the first payload: an object that the JavaScript takes.
        server_functions: what the JavaScript may ask of Python.
        before: JavaScript that comes before the module is loaded.
        elem_id: the element's id.
    """

    NAME: ClassVar[str]
    """Of the folder in views/."""
    STYLES: ClassVar[tuple[str, ...]] = ()
    """Components whose style it wears too, before its own."""

    def __init__(
        self,
        value: dict[str, Any] | None = None,
        *,
        server_functions: list[Callable[..., Any]] | None = None,
        before: str = "",
        elem_id: str | None = None,
        **settings: Any,
    ) -> None:
        # All of them, since the modules of one import those of another.
        gr.set_static_paths([*_script_folders()])
        folder = VIEWS / self.NAME
        styles = [VIEWS / name / f"{name}.css" for name in (*self.STYLES, self.NAME)]
        main = (folder / "static" / "main.js").as_posix()
        super().__init__(
            value=value,
            html_template=(folder / f"{self.NAME}.html").read_text(encoding="utf-8"),
            css_template="".join(path.read_text(encoding="utf-8") for path in styles),
            js_on_load=before + JS_ON_LOAD.replace("__MAIN__", main),
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
