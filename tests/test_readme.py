"""Documentation that cannot rot: options, examples, outputs and figures of the README."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

import app
import lstm_lm.insight.__main__ as insight
import train
from lstm_lm.store.folder import BUNDLED, RESULTS_FILE, bundled_models

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("script", [app, train, insight])
def test_every_option_is_in_the_readme(script: object) -> None:
    options = script.parser()._option_string_actions  # pyright: ignore[reportAttributeAccessIssue]
    for option in options:
        if option not in ("-h", "--help"):
            assert re.search(rf"`{option}\b", README), option


@pytest.mark.parametrize("number", range(len(re.findall("```python\n", README))))
def test_the_python_examples_print_what_the_readme_says(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = README.split("```python\n")[1:][number]
    found = re.match(r"(.*?)```\n\nprints\n\n```text\n(.*?)```", example, re.DOTALL)
    assert found, "every example says what it prints"
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(found[1], "README.md", "exec"), {})
    assert printed.getvalue() == found[2]


def test_the_results_are_those_of_the_bundled_models() -> None:
    for name in bundled_models():
        results = json.loads((BUNDLED / name / RESULTS_FILE).read_text())
        row = re.search(rf"^\| `{name}` .*$", README, re.MULTILINE)
        assert row, name
        assert f"{results['val_nats_per_character']:.4f}" in row[0]
        assert f"{results['parameters']:,}" in row[0]


def test_every_module_has_a_line() -> None:
    package = ROOT / "lstm_lm"
    for path in package.rglob("*.py"):
        room = path.relative_to(package).parts[0]
        if path.name != "__init__.py" and room not in ("ui", "insight"):
            assert f"  {path.name} " in README, path


def test_the_space_runs_the_gradio_that_is_pinned() -> None:
    pinned = re.search(r"gradio\[mcp\]==(\S+)", (ROOT / "requirements.txt").read_text())
    assert pinned
    assert f"sdk_version: {pinned[1]}\n" in README
