"""The rooms of the house: what stands on what, read off the code's own imports.

Every import counts, those inside functions and those for types alone too. Nothing stands in a
circle, and no room leans on one above it.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lstm_lm"

LAYERS = (
    "visible_text", "addresses", "errors", "startup", "checks", "surroundings", "config", "options",
    "console", "text", "cells", "writing", "traces", "store", "hub", "language_model", "training",
    "insight", "ui",
)  # fmt: skip
"""From the ground up: a room leans on those before it alone."""


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(source: str, modules: set[str]) -> Iterator[str]:
    """The modules that a source imports, wherever it does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are written out in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                if inner in modules or node.module in modules:
                    yield inner if inner in modules else str(node.module)


def arrows() -> dict[str, set[str]]:
    """Module -> what it imports; the front door, which imports all, is left out."""
    names = set(MODULES)
    found = {name: set(imported(path.read_text(), names)) for name, path in MODULES.items()}
    del found["lstm_lm"]
    return found


def room(module: str) -> str:
    return module.split(".")[1]


def test_nothing_stands_in_a_circle() -> None:
    try:
        TopologicalSorter(arrows()).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_no_room_leans_on_one_above_it() -> None:
    rank = {name: number for number, name in enumerate(LAYERS)}
    upward = [
        f"{name} -> {other}"
        for name, others in arrows().items()
        for other in others
        if other == "lstm_lm" or rank[room(other)] > rank[room(name)]
    ]
    # `from lstm_lm import startup` takes a module out of the front door, and nothing else.
    assert not upward


def test_every_room_has_its_place() -> None:
    rooms = {room(name) for name in MODULES if name != "lstm_lm"} - {"models"}
    assert rooms == set(LAYERS)


def test_only_the_page_knows_gradio() -> None:
    knowing = {
        name
        for name, path in MODULES.items()
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.Import)
            and any(a.name.split(".")[0] == "gradio" for a in node.names)
        )
        or (isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "gradio")
    }
    assert {room(name) for name in knowing} == {"ui"}


@pytest.mark.parametrize(
    "source",
    ["import lstm_lm.b", "from lstm_lm import b", "from lstm_lm.b import x",
     "def f():\n    from lstm_lm.b import x", "if TYPE_CHECKING:\n    from lstm_lm import b"],
)  # fmt: skip
def test_an_import_is_seen_wherever_it_stands(source: str) -> None:
    assert set(imported(source, {"lstm_lm", "lstm_lm.b"})) == {"lstm_lm.b"}
