"""What a Space holds, and its README: the files that go there, chosen by name.

A Space is a folder on the Hub that the Hub builds and runs. Only what this list names goes there,
so that nothing else can (`.env`, runs, caches, tests). The models that come with the project go
along: they are small, the page compares with them, and it opens with them when a model of the Hub
cannot be had. Two files are made to fit the hardware: its README and its requirements. Knows
nothing of the network (`deploy.py`), of who may have which hardware (`hardware.py`), of gradio or
of pages.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lstm_lm.errors import UserError
from lstm_lm.store.snapshots import FOLDER as SNAPSHOTS

ROOT = Path(__file__).parents[2]
TAG = "lstm-lm"  # by which a Space of ours is known again
MODELS_VARIABLE = "LSTM_LM_MODELS"

CPU = "cpu-basic"  # what the Hub runs a Space on where nothing else is asked for
ZERO = "zero-a10g"  # its name for ZeroGPU, whatever cards that is made of
# ZeroGPU has Python 3.12.12 and 3.10.13, and torch 2.8.0, 2.9.1, 2.10.0 and 2.11.0 (Hub
# documentation, spaces-zerogpu, August 2026).
ZERO_PYTHON = "3.12.12"
ZERO_TORCH = "2.11.0"

README = "README.md"
REQUIREMENTS = "requirements.txt"
AT_THE_TOP = ("app.py", REQUIREMENTS, "LICENSE")
PACKAGE = "lstm_lm"
CODE = {".py", ".html", ".css", ".js", ".svg"}
MODEL_FILES = {
    "README.md", "config.json", "metrics.jsonl", "model.safetensors", "results.json",
    "tokenizer.json", "tokenizer.model",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model that the Space serves."""

    name: str
    """As the page knows it: a bundled name, or owner/name with @revision where one was given."""
    repo_id: str | None = None
    """On the Hub; None: it comes with the project."""
    revision: str | None = None
    """None: whatever main is when the Space starts."""
    files: tuple[str, ...] = ()
    """What the Space's build fetches of it."""

    @property
    def preload(self) -> str:
        """The line of preload_from_hub: repository, files and, where given, revision."""
        parts = [str(self.repo_id), ",".join(self.files), self.revision or ""]
        return " ".join(part for part in parts if part)


def in_space(environment: Mapping[str, str]) -> bool:
    """Whether this process runs in a Space.

    >>> in_space({"SPACE_ID": "ada/page", "SYSTEM": "spaces"}), in_space({"SYSTEM": "Darwin"})
    (True, False)
    """
    return bool(environment.get("SPACE_ID")) or environment.get("SYSTEM") == "spaces"


def space_files(root: Path = ROOT) -> dict[str, Path]:
    """Path in the Space -> file here, for everything but the README, which is made.

    Of these the requirements are then made to fit the hardware (`made_files`).

    Raises:
        UserError: the project here is not whole.
    """
    files = {name: root / name for name in AT_THE_TOP}
    for path in sorted((root / PACKAGE).rglob("*")):
        name = PurePosixPath(path.relative_to(root))
        if path.is_file() and not path.is_symlink() and _goes(name):
            files[str(name)] = path
    missing = [name for name, path in files.items() if not path.is_file()]
    if missing:
        raise UserError(f"no {missing[0]} in {root}: deploy from a whole copy of the project")
    return files


def _goes(name: PurePosixPath) -> bool:
    """Whether a file below the package is code of the page, or part of a bundled model."""
    if any(part.startswith(".") or part == "__pycache__" for part in name.parts):
        return False
    if name.parts[1] == "models":
        inside = name.parts[3:-1]  # a model's own folder, or a snapshot of it
        own = not inside or (len(inside) == 2 and inside[0] == SNAPSHOTS)
        return len(name.parts) > 3 and own and name.name in MODEL_FILES
    return name.suffix in CODE


def gradio_pin(root: Path = ROOT) -> str:
    """The version of gradio that requirements.txt pins.

    Raises:
        UserError: it pins none.
    """
    text = (root / REQUIREMENTS).read_text(encoding="utf-8")
    found = re.search(r"^gradio(?:\[[\w,]*\])?==([\w.]+)", text, re.MULTILINE)
    if not found:
        raise UserError(f"{REQUIREMENTS} pins no gradio==VERSION, which a Space is built with")
    return found[1]


def made_files(models: Sequence[ServedModel], hardware: str, root: Path = ROOT) -> dict[str, bytes]:
    """Path in the Space -> content, of the files that follow from the models and the hardware.

    Raises:
        UserError: the project's requirements pin too little.
    """
    return {
        README: space_readme(models, hardware, root).encode(),
        REQUIREMENTS: space_requirements(hardware, root),
    }


def space_requirements(hardware: str, root: Path = ROOT) -> bytes:
    """The Space's requirements.txt: the project's own, on ZeroGPU with a torch that is there.

    Raises:
        UserError: the project's pins no torch.
    """
    own = (root / REQUIREMENTS).read_bytes()
    if hardware != ZERO:
        return own
    here = "# ZeroGPU has few versions of torch; its GPU is asked for by `spaces`.\n"
    pin = f"torch=={ZERO_TORCH}\nspaces"
    text, pins = re.subn(r"^torch==\S+", here + pin, own.decode(), flags=re.MULTILINE)
    if pins != 1:
        raise UserError(f"{REQUIREMENTS} pins no torch==VERSION, which ZeroGPU has its own of")
    return text.encode()


def space_readme(models: Sequence[ServedModel], hardware: str = CPU, root: Path = ROOT) -> str:
    """The Space's README.md: the project's own YAML block with these models, and what it is."""
    from huggingface_hub import RepoCard, SpaceCardData  # it reads its environment when imported

    project = RepoCard((root / README).read_text(encoding="utf-8")).data.to_dict()
    if hardware == ZERO:
        project["python_version"] = ZERO_PYTHON
    on_hub = [model for model in models if model.repo_id]
    block = SpaceCardData(
        **project | {"sdk": "gradio", "sdk_version": gradio_pin(root), "tags": [TAG]},
        models=list(dict.fromkeys(str(model.repo_id) for model in on_hub)) or None,
        preload_from_hub=[model.preload for model in on_hub] or None,
    )
    served = "\n".join(f"- {_linked(model)}" for model in models)
    return f"""---
{block.to_yaml().strip()}
---

# {project.get("title", TAG)}

{project.get("short_description", "")}. This Space serves

{served}

and holds nothing but the page, its requirements and the small models that come with it. It was made
by `app.py --deploy`, which also brings it up to date. Variables, under Settings:

- `{MODELS_VARIABLE}`: the models on offer, comma-separated, the first shown first.
- `LSTM_LM_OPEN`: set it to 1 to let visitors load other public models by repository id.
- `LSTM_LM_OPEN_MODELS`: how many of those are kept at once (4), the oldest dropped.
"""


def _linked(model: ServedModel) -> str:
    if not model.repo_id:
        return f"`{model.name}`, which comes with it"
    link = f"[{model.repo_id}](https://huggingface.co/{model.repo_id})"
    return f"{link} at `{model.revision}`" if model.revision else link
