"""Makes a Space on the Hub that runs the page, or brings one up to date, in one commit.

Before anything is made, every model is fetched and loaded as the Space will do it. A Space that is
not ours is left alone. Knows nothing of gradio; what a Space holds is said in `space.py`, what it
runs on in `hardware.py`.
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lstm_lm.addresses import told_address
from lstm_lm.cells.network import Network
from lstm_lm.errors import ConfigError, HubAccessError, HubError, UserError
from lstm_lm.hub.download import MODEL_FILES, TIMEOUT, fetch, hub_api, is_same
from lstm_lm.hub.errors import LOG_IN, TOKEN_PAGE, explain, first_line, root
from lstm_lm.hub.hardware import AUTO, check_hardware, kept, make
from lstm_lm.hub.names import is_local, model_folder
from lstm_lm.hub.repository import is_repository_id, split_name
from lstm_lm.hub.space import (
    CPU,
    MODELS_VARIABLE,
    PACKAGE,
    README,
    ROOT,
    TAG,
    ZERO,
    ServedModel,
    made_files,
    space_files,
)
from lstm_lm.store.folder import bundled_models
from lstm_lm.store.loading import read_network
from lstm_lm.visible_text import shell_path

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

FRESH = {".gitattributes", README}  # what a Space holds that was made on the Hub's own page


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What became of a Space."""

    url: str
    told: str
    """Whether it was made, updated, or had nothing to change."""
    hardware: str
    """What it runs on."""
    host: str | None
    """The address of the page itself, which the Hub shows in a frame; None: the Hub did not say."""
    notes: list[str] = field(default_factory=list)
    """What its owner has yet to do, a line each."""


def deploy(
    space: str, names: Sequence[str], project: Path = ROOT, hardware: str = AUTO
) -> Deployed:
    """Make the Space serve these models.

    Args:
        space: OWNER/SPACE.
        names: bundled names, or OWNER/NAME[@REVISION] on the Hub; the first is shown first.
        project: the folder of the project.
        hardware: what a new Space runs on: a name of the Hub's, or `auto`; one that is there keeps
            what it has, and its files fit that.

    Raises:
        UserError: a model is not on the Hub or does not load, there is no token, the token may not
            write there, the hardware is not to be had, or the name stands for something else.
    """
    if not is_repository_id(space):
        allowed = "of letters, digits, '-', '_' and '.'"
        raise ConfigError(f"--deploy is {space[:99]!r}: give OWNER/SPACE, {allowed}")
    check_hardware(hardware)
    _need_token(space)
    notes: list[str] = []
    models = [_served(name, space, notes) for name in names]
    files: dict[str, Path | bytes] = {**space_files(project)}
    on_zero, elsewhere = (made_files(models, each, project) for each in (ZERO, CPU))
    api = hub_api()
    with _in_words(space, api):
        held = _held(api, space)
        made = held is None
        if held is None:
            runs_on = make(api, space, hardware, notes)
            held = _held(api, space) or _Held()
        else:
            runs_on = kept(api, space, hardware)
        files |= on_zero if runs_on == ZERO else elsewhere
        # The variable first, so that the build that the commit starts finds it.
        changed = _set_models(api, space, models)
        changed |= _commit(api, space, held, files, models)
    return Deployed(
        url=f"{told_address(api.endpoint)}/spaces/{space}",
        told="made" if made else "updated" if changed else "nothing to change",
        hardware=runs_on,
        host=held.host,
        notes=notes,
    )


def _need_token(space: str) -> None:
    from huggingface_hub import get_token

    if not get_token():
        raise HubAccessError(
            f"there is no token to deploy to {space} with: {LOG_IN}, or set HF_TOKEN; {TOKEN_PAGE} "
            "makes one that may write"
        )


def _served(name: str, space: str, notes: list[str]) -> ServedModel:
    """The model, once it is known that the Space will be able to load it."""
    if name in bundled_models():
        return ServedModel(name=name)
    if is_local(name):
        folder = model_folder(name)
        label = re.sub(r"[^\w.-]+", "-", folder.resolve().name, flags=re.ASCII)
        there = f"{space.split('/')[0]}/{label}"
        raise UserError(
            f"{name} is a folder on this machine, and a Space loads models from the Hub: push it "
            f"with python train.py --resume {shell_path(folder)} --push-to-hub {there}, then "
            f"deploy with --model {there}"
        )
    repo_id, revision = split_name(name)
    folder = fetch(repo_id, revision)
    read_network(folder, Network)
    with _in_words(repo_id, hub_api()):
        private = hub_api().model_info(repo_id, timeout=TIMEOUT).private
    if private:
        notes.append(
            f"{repo_id} is private: give the Space a secret HF_TOKEN, under its Settings, with a "
            "token that may read it; until then it opens with the models that come with it"
        )
    files = tuple(file for file in MODEL_FILES if (folder / file).exists())
    return ServedModel(name=name, repo_id=repo_id, revision=revision, files=files)


@dataclass(frozen=True, kw_only=True)
class _Held:
    """What a Space holds."""

    head: str | None = None
    """The commit."""
    files: "dict[str, RepoFile]" = field(default_factory=dict)
    """By path."""
    host: str | None = None
    """The address of its page."""


def _held(api: "HfApi", space: str) -> _Held | None:
    """What the Space holds; None: there is no such Space.

    Raises:
        HubError: there is one, and it is other work than ours.
    """
    from huggingface_hub import SpaceCard
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.hf_api import RepoFile

    try:
        info = api.space_info(space, timeout=TIMEOUT)
    except RepositoryNotFoundError:
        return None
    tree = api.list_repo_tree(space, recursive=True, revision=info.sha, repo_type="space")
    files = {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}
    readme = ""
    if README in files:
        path = api.hf_hub_download(space, README, revision=info.sha, repo_type="space")
        readme = Path(path).read_text(encoding="utf-8")
    tags = SpaceCard(readme, ignore_metadata_errors=True).data.to_dict().get("tags") or []
    if not set(files) <= FRESH and TAG not in tags:
        raise HubError(
            f"the Space {space} is there and was not made by --deploy (no tag {TAG} in its "
            f"README.md): give another name, or delete it first"
        )
    return _Held(head=info.sha, files=files, host=info.host)


def _set_models(api: "HfApi", space: str, models: Sequence[ServedModel]) -> bool:
    """Tell the Space which models to serve; whether that was news. Each change restarts it."""
    value = ",".join(model.name for model in models)
    now = api.get_space_variables(space).get(MODELS_VARIABLE)
    if now is not None and now.value == value:
        return False
    api.add_space_variable(space, MODELS_VARIABLE, value, description="models on offer")
    return True


def _commit(
    api: "HfApi",
    space: str,
    held: _Held,
    files: dict[str, Path | bytes],
    models: Sequence[ServedModel],
) -> bool:
    """Upload what changed, and delete what the page no longer has; whether there was anything."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    new = [
        CommitOperationAdd(name, content)
        for name, content in files.items()
        if name not in held.files or not is_same(content, held.files[name])
    ]
    # Only below our own folder: what its owner put beside it stays.
    gone = sorted(name for name in set(held.files) - set(files) if name.startswith(f"{PACKAGE}/"))
    old = [CommitOperationDelete(name) for name in gone]
    if not new and not old:
        return False
    api.create_commit(
        space,
        [*old, *new],
        commit_message=f"Serve {', '.join(model.name for model in models)} with lstm-lm",
        repo_type="space",
        parent_commit=held.head,
    )
    return True


@contextlib.contextmanager
def _in_words(space: str, api: "HfApi") -> Iterator[None]:
    """Within the block the client's errors become ours."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    try:
        yield
    except ValueError as error:
        lines = [line for line in str(error).splitlines() if line.startswith("- ")]
        said = first_line(lines[0][2:] if lines else error)
        raise HubError(f"the Hub does not take the README of {space}: {said}") from None
    except (HTTPError, OSError, RuntimeError) as error:
        found = root(error)
        if isinstance(found, RepositoryNotFoundError):
            raise HubAccessError(
                f"{space} cannot be written: it is gone, or your token may not see it"
            ) from None
        if isinstance(found, HfHubHTTPError):
            said = first_line(found.server_message or "it gives no reason")
            reasons = {
                402: HubAccessError(f"the Hub asks to be paid for running {space}: {said}"),
                403: HubAccessError(f"your token may not write to {space}: {said}"),
                409: HubError(f"the name {space} is taken ({said}): give another"),
            }
            if found.response.status_code in reasons:
                raise reasons[found.response.status_code] from None
        raise explain(error, space, api) from None
