"""A Python that is too old, or without the requirements: one line, exit code 2, no traceback.

The old one is simulated by another version number, which the real ones of 3.6 to 3.10 were checked
against by hand; one without requirements by a Python that looks for no packages but its own.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_lm import startup

ROOT = Path(__file__).parent.parent
PROGRAMS = pytest.mark.parametrize("program", ["app", "train", "lstm_lm.insight"])
AS_OLD = """
import runpy, sys
sys.version_info = (3, 10, 13, "final", 0)
program = sys.argv.pop(1)
sys.argv[0] = f"{program}.py"
runpy.run_module(program, run_name="__main__", alter_sys=True)
"""


def python(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], check=False, capture_output=True, text=True, cwd=cwd
    )


@PROGRAMS
@pytest.mark.parametrize("option", [[], ["--help"], ["--nonsense"]])
def test_a_python_that_is_too_old_is_named_in_one_line(program: str, option: list[str]) -> None:
    done = python("-c", AS_OLD, program, *option)
    assert done.returncode == 2
    command = "-m lstm_lm.insight" if "." in program else f"{program}.py"
    assert done.stderr == (
        f"{command.removeprefix('-m ')}: this is Python 3.10.13, and 3.11 or newer is needed: "
        f"install one and run it with that, for instance python3.11 {command}\n"
    )
    assert done.stdout == ""


def run_without_packages(program: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """With the standard library and this project alone: -S looks for no site-packages."""
    command = ["-m", program] if "." in program else [f"{program}.py"]
    return python("-S", "-E", *command, *options)


@PROGRAMS
def test_a_requirement_that_is_not_installed_is_named_in_one_line(program: str) -> None:
    options = ["shakespeare-char"] if "." in program else []
    done = run_without_packages(program, *options)
    assert done.returncode == 2
    line = re.fullmatch(r"(\S+): (\w+) is not installed here: run  (.+)\n", done.stderr)
    assert line is not None, done.stderr
    assert line[1] == (program if "." in program else f"{program}.py")
    assert line[2] in startup.REQUIRED
    assert line[3].endswith(f" -m pip install -r {ROOT.resolve() / 'requirements.txt'}")


@PROGRAMS
def test_help_and_a_typing_error_need_no_requirement(program: str) -> None:
    done = run_without_packages(program, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    done = run_without_packages(program, "--nonsense")
    assert done.returncode == 2
    assert "not installed" not in done.stderr
    assert done.stderr.count("\n") == 1


def _import_what_is_not_there() -> int:
    exec("from lstm_lm.errors import Gone", {})
    return 0


def test_an_import_error_of_our_own_keeps_its_traceback() -> None:
    def wrong(name: str) -> int:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in ("lstm_lm.gone", "tqdm.gone", "yaml"):
        with pytest.raises(ModuleNotFoundError):
            startup.run(lambda name=name: wrong(name))
    with pytest.raises(ImportError, match="cannot import name"):
        startup.run(_import_what_is_not_there)


def test_the_requirements_are_those_of_the_file() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    listed = [re.split(r"[\[=><~]", line)[0] for line in lines if line and line[0] != "#"]
    assert [name.replace("-", "_") for name in listed] == list(startup.REQUIRED)


@pytest.mark.parametrize(
    "file",
    [
        "app.py",
        "train.py",
        "lstm_lm/__init__.py",
        "lstm_lm/startup.py",
        "lstm_lm/insight/__init__.py",
        "lstm_lm/insight/__main__.py",
    ],
)
def test_what_an_old_python_reads_first_is_written_as_it_can_read(file: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    ours = [
        node
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lstm_lm")
    ]
    if file not in ("lstm_lm/__init__.py", "lstm_lm/startup.py", "lstm_lm/insight/__init__.py"):
        assert ours[0].module == "lstm_lm"
        assert [name.name for name in ours[0].names] == ["startup"]
    else:
        assert not ours
