"""What a Space holds: files by an explicit list, a README the Hub takes, pins that resolve."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard

import app
from lstm_lm.errors import ModelNotFoundError, UserError
from lstm_lm.hub.space import (
    CPU,
    ROOT,
    ZERO,
    ZERO_PYTHON,
    ZERO_TORCH,
    ServedModel,
    gradio_pin,
    made_files,
    space_files,
    space_readme,
    space_requirements,
)
from lstm_lm.store.folder import bundled_models

VERSIONED = ServedModel(
    name="ada/small@v1.0",
    repo_id="ada/small",
    revision="v1.0",
    files=("config.json", "model.safetensors", "tokenizer.json"),
)
LATEST = ServedModel(name="bob/big", repo_id="bob/big", files=("config.json", "tokenizer.model"))
BUNDLED = ServedModel(name="shakespeare-char")


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("gradio[mcp]==6.31.0\n")


def test_only_what_is_named_goes_to_a_space(tmp_path: Path) -> None:
    wanted = (
        "app.py", "requirements.txt", "LICENSE",
        "lstm_lm/__init__.py", "lstm_lm/ui/page.py", "lstm_lm/ui/views/workbench/static/main.js",
        "lstm_lm/ui/views/workbench/workbench.css", "lstm_lm/ui/favicon.svg",
        "lstm_lm/models/small/config.json", "lstm_lm/models/small/model.safetensors",
        "lstm_lm/models/small/snapshots/step-000050/model.safetensors",
    )  # fmt: skip
    unwanted = (
        ".env", ".git/config", ".gitignore", "train.py", "README.md", "pyproject.toml",
        "runs/mine/config.json", "tests/hub/test_space_files.py", "docs/page-light.png",
        ".venv-tests/lib/x.py", ".gradio/x", "secrets.txt", "notes.py",
        "lstm_lm/.env", "lstm_lm/.hidden/x.py", "lstm_lm/__pycache__/space.cpython-311.pyc",
        "lstm_lm/__pycache__/x.py", "lstm_lm/secrets.txt", "lstm_lm/ui/page.pyi",
        "lstm_lm/data.npz", "lstm_lm/models/.writing-x/config.json",
        "lstm_lm/models/small/checkpoint/step-1.safetensors", "lstm_lm/models/small/x.py",
        "lstm_lm/models/small/snapshots/x.safetensors", "lstm_lm/models/small/a/config.json",
        "lstm_lm/models/small/snapshots/step-000050/checkpoint/config.json",
        "lstm_lm/models/config.json",
    )  # fmt: skip
    write(tmp_path, *wanted, *unwanted)
    (tmp_path / "lstm_lm" / "link.py").symlink_to(tmp_path / "secrets.txt")
    assert set(space_files(tmp_path)) == set(wanted)


def test_everything_that_the_package_needs_goes() -> None:
    """The list of suffixes cannot fall behind: a file of a new kind fails this test."""
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "lstm_lm").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyi"
        if not path.name.startswith(".") and path.name != "loss.png"  # only a card shows it
    }
    assert there == {name for name in space_files() if name.startswith("lstm_lm/")}


def test_a_copy_that_is_not_whole_is_not_deployed(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "requirements.txt")
    with pytest.raises(UserError, match=r"no LICENSE in .*: deploy from a whole copy"):
        space_files(tmp_path)


def test_the_readme_is_the_projects_block_with_the_models() -> None:
    own = SpaceCard((ROOT / "README.md").read_text(encoding="utf-8")).data.to_dict()
    text = space_readme([VERSIONED, BUNDLED, LATEST])
    block = SpaceCard(text).data.to_dict()
    for field in ("title", "emoji", "colorFrom", "colorTo", "license", "short_description"):
        assert block[field] == own[field]
    assert block["sdk"] == "gradio"
    assert block["sdk_version"] == gradio_pin()
    assert f"gradio[mcp]=={block['sdk_version']}\n" in (ROOT / "requirements.txt").read_text()
    assert block["python_version"] == "3.11"  # a string: 3.10 as a number would be 3.1
    assert block["app_file"] == "app.py"
    assert len(block["short_description"]) <= 60
    assert block["models"] == ["ada/small", "bob/big"]
    assert block["preload_from_hub"] == [
        "ada/small config.json,model.safetensors,tokenizer.json v1.0",
        "bob/big config.json,tokenizer.model",
    ]
    assert "docs/" not in text  # no picture that is not there


def test_the_readme_of_a_space_with_bundled_models_asks_for_no_others() -> None:
    block = SpaceCard(space_readme([BUNDLED])).data.to_dict()
    assert not {"models", "preload_from_hub"} & set(block)


def test_on_zero_gpu_python_and_torch_are_those_that_are_there() -> None:
    """Of the Hub documentation, spaces-zerogpu, August 2026; all else is as on other hardware."""
    assert ZERO_PYTHON in ("3.10.13", "3.12.12")
    assert ZERO_TORCH in ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
    own = (ROOT / "requirements.txt").read_text().splitlines()
    there = space_requirements(ZERO).decode().splitlines()
    assert {line for line in own if line not in there} == {
        line for line in own if line.startswith("torch==")
    }
    added = [line for line in there if line not in own and line[0] != "#"]
    assert added == [f"torch=={ZERO_TORCH}", "spaces"]
    block, other = (
        SpaceCard(made_files([BUNDLED], hardware)["README.md"].decode()).data.to_dict()
        for hardware in (ZERO, CPU)
    )
    assert block == other | {"python_version": ZERO_PYTHON}


def test_on_all_other_hardware_the_requirements_are_the_projects() -> None:
    for hardware in (CPU, "t4-small", "hardware of next year"):
        assert made_files([BUNDLED], hardware) == {
            "README.md": space_readme([BUNDLED]).encode(),
            "requirements.txt": (ROOT / "requirements.txt").read_bytes(),
        }


def test_requirements_that_pin_no_torch_are_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("torch>=2\ntorchvision==1.0\n")
    with pytest.raises(UserError, match="pins no torch==VERSION"):
        space_requirements(ZERO, tmp_path)


# What torch 2.11.0 asks of packages that others use too, as its metadata has it. An index that
# gives no metadata by itself would send the whole half gigabyte for it; what else torch asks for
# are CUDA's libraries, which nothing else here has a word in.
TORCH_ASKS = "filelock\ntyping-extensions>=4.10.0\nsetuptools<82\nsympy>=1.13.3\n"
TORCH_ASKS += "networkx>=2.5.1\njinja2\nfsspec>=0.8.5"


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--retries", "1"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip


def resolve(
    *more: str, requirements: Path = ROOT / "requirements.txt"
) -> subprocess.CompletedProcess[str]:
    """Let pip resolve what a Space's build installs, in its one call, without installing it.

    What is installed here is pip's first choice, so it asks the index only for the rest; where the
    pins contradict each other, no choice helps.
    """
    line = [f"gradio[oauth,mcp]=={gradio_pin()}", "uvicorn>=0.14.0", "websockets>=10.4", "spaces"]
    return pip("install", "--dry-run", "-r", str(requirements), *line, *more)


def problem(done: subprocess.CompletedProcess[str]) -> str:
    """What pip says is wrong; skips the test where no index can be reached at all."""
    output = done.stdout + done.stderr
    if re.search("NewConnectionError|NameResolutionError|ConnectTimeoutError", output):
        pytest.skip("pip reaches no package index from here")
    return "\n".join(line for line in output.splitlines() if line.startswith("ERROR"))


def test_the_requirements_resolve_together_with_what_a_space_adds() -> None:
    done = resolve()
    assert done.returncode == 0, problem(done)


def test_the_requirements_for_zero_gpu_resolve_with_what_a_space_adds(tmp_path: Path) -> None:
    text, pins = re.subn(
        f"^torch=={ZERO_TORCH}$", TORCH_ASKS, space_requirements(ZERO).decode(), flags=re.MULTILINE
    )
    assert pins == 1
    (tmp_path / "requirements.txt").write_text(text)
    done = resolve(requirements=tmp_path / "requirements.txt")
    assert done.returncode == 0, problem(done)


def test_zero_gpus_torch_is_to_be_had_for_its_python() -> None:
    target = ("--python-version", ZERO_PYTHON, "--only-binary", ":all:")
    done = pip("index", "versions", "torch", *target)
    assert done.returncode == 0, problem(done)
    assert ZERO_TORCH in re.split("[ ,\n]+", done.stdout)


def test_requirements_that_contradict_the_space_are_found() -> None:
    done = resolve("pydantic>=2.13")  # gradio's mcp extra caps it
    assert done.returncode != 0
    assert "ResolutionImpossible" in problem(done)


def test_a_space_whose_models_are_gone_opens_with_the_bundled_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LSTM_LM_MODELS", "no such, shakespeare-rnn,")
    assert app.models_to_serve([])[0] == ["shakespeare-rnn"]
    capsys.readouterr()
    monkeypatch.setenv("LSTM_LM_MODELS", "no such")
    models, notes = app.models_to_serve([])
    assert models == bundled_models()
    assert notes[0].startswith("no such is not on offer: no model 'no such'")
    assert notes[1:] == ["The page opens with the models that come with it."]
    assert capsys.readouterr().err == "".join(f"app.py: {note}\n" for note in notes)


def test_a_model_of_the_command_line_that_is_gone_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LSTM_LM_MODELS", "shakespeare-rnn")
    with pytest.raises(ModelNotFoundError, match="no model 'no such'"):
        app.models_to_serve(["no such"])
