"""A model folder -> a repository on the Hub: checked before, pushed in one commit, then tagged.

Only a model's own files go up (`hub.MODEL_FILES`), never checkpoints, snapshots or the description
of a run.
What the repository holds already is not pushed again, so that pushing a model twice changes
nothing. Nothing here writes into the folder. Knows nothing of training.
"""

import contextlib
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_lm.addresses import told_address
from lstm_lm.cells.network import Network
from lstm_lm.checks import open_plain
from lstm_lm.console import Reporter
from lstm_lm.errors import HubAccessError, ModelFolderError, PushError
from lstm_lm.hub.download import (
    EXTRA_FILES,
    LIBRARY,
    MODEL_FILES,
    TIMEOUT,
    TOKENIZERS,
    files_at,
    hub_api,
    is_same,
)
from lstm_lm.hub.errors import LOG_IN, TOKEN_PAGE, explain, first_line, root
from lstm_lm.hub.repository import Target
from lstm_lm.store.card import PLACEHOLDER, card
from lstm_lm.store.folder import CARD_FILE, CONFIG_FILE, WEIGHT_FILE
from lstm_lm.store.loading import read_network, save

if TYPE_CHECKING:
    from huggingface_hub import HfApi, ModelInfo

LOADED = re.compile(r'from_pretrained\("([^"]+)"\)')
LICENSES = "https://huggingface.co/docs/hub/repositories-licenses"


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What became of a push."""

    url: str
    """The repository's page."""
    commit: str
    """The commit that holds the model."""
    changed: bool
    """Whether that commit is new."""


def check_target(target: Target) -> None:
    """Return if, as far as can be known before, a new model may be pushed there.

    Raises:
        HubOfflineError: the Hub cannot be reached.
        HubAccessError: no token, one that is not accepted, or one without the right to write.
        PushError: the repository holds something else, is public, or has the tag.
    """
    api = hub_api()
    with _in_words(target, api):
        info = _existing(api, target)  # first, for it has a timeout
        _check_rights(api, target, exists=info is not None)
        if info and target.revision in _tags(api, target):
            raise PushError(_tag_is_there(target))
        if target.license:
            _check_license(target.license)


def push_folder(folder: Path, target: Target, reporter: Reporter | None = None) -> Pushed:
    """Push the model in the folder in one commit, unless the repository holds it already.

    Args:
        folder: a model folder, or a run's.
        target: where it goes.
        reporter: told what happens; the client itself draws the bar of an upload.

    Raises:
        ModelFolderError: the folder holds no good model.
        HubOfflineError: the Hub cannot be reached.
        HubAccessError: no token, one that is not accepted, or one without the right to write.
        PushError: anything else that stood in the way.
    """
    reporter = reporter or Reporter()
    config = read_network(folder, Network).config  # nobody shall be given a broken one
    names = [CONFIG_FILE, TOKENIZERS[config.tokenizer].file_name, WEIGHT_FILE, *EXTRA_FILES]
    files = {name: folder / name for name in names if (folder / name).is_file()}
    for path in files.values():  # a link may lead to what is nobody's business
        open_plain(path).close()
    api = hub_api()
    with _in_words(target, api), tempfile.TemporaryDirectory() as place:
        files[CARD_FILE] = Path(place) / CARD_FILE
        files[CARD_FILE].write_text(pushed_card(folder, target), encoding="utf-8")
        pushed = _push(api, target, files, reporter)
    tagged = f", tag {target.revision}" if target.revision else ""
    reporter.line(f"on the Hub: {pushed.url} (commit {pushed.commit[:7]}{tagged})")
    named = f'"{target.repo_id}"' + (f', revision="{target.revision}"' if target.revision else "")
    reporter.line(f"load it:  LanguageModel.from_pretrained({named})")
    reporter.line(f"look inside it:  python app.py --model {target.called}")
    return pushed


def push_model(model: Network, target: Target) -> Pushed:
    """Push a model in memory; if it is still as it was loaded, with all that its folder tells.

    Raises:
        HubError: see `push_folder`.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "model"
        save(model, folder)
        known = model.folder
        if known and all(_same_bytes(path, known / path.name) for path in folder.iterdir()):
            folder = known
        return push_folder(folder, target)


def _same_bytes(path: Path, other: Path) -> bool:
    return other.is_file() and path.read_bytes() == other.read_bytes()


def pushed_card(folder: Path, target: Target) -> str:
    """The card as it goes up: ours with the repository's name; a person's own as it stands."""
    from huggingface_hub import ModelCard

    path = folder / CARD_FILE
    written = path.read_text(encoding="utf-8") if path.is_file() else ""
    named = LOADED.search(written)
    known = named[1] if named and named[1] != PLACEHOLDER else None
    try:
        if not written or written == card(folder, repo_id=known):
            return card(folder, repo_id=target.repo_id, license=target.license)
    except (
        ModelFolderError,
        ValueError,
        KeyError,
        TypeError,
    ):  # metrics or results that we did not write
        pass
    written = written.replace(PLACEHOLDER, target.repo_id)
    if target.license:
        stating = ModelCard(written)
        stating.data["license"] = target.license
        return str(stating)
    return written


def _push(api: "HfApi", target: Target, files: dict[str, Path], reporter: Reporter) -> Pushed:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    info = _existing(api, target) or _create(api, target)
    head = str(info.sha)
    held = files_at(api, target.repo_id, head)
    new = [
        CommitOperationAdd(name, path)
        for name, path in files.items()
        if name not in held or not is_same(path, held[name])
    ]
    # What another model of ours left there would contradict this one.
    old = [CommitOperationDelete(n) for n in MODEL_FILES if n in held and n not in files]
    tag = _tags(api, target).get(target.revision or "")
    if tag and (tag != head or new or old):
        raise PushError(_tag_is_there(target))
    commit = head
    if new or old:
        size = sum(files[add.path_in_repo].stat().st_size for add in new)
        reporter.line(f"pushing {len(new)} files, {size / 1e6:.1f} MB, to {target.repo_id}")
        commit = api.create_commit(
            target.repo_id,
            [*old, *new],
            commit_message=f"Push {target.called} with lstm-lm",
            parent_commit=head,
        ).oid
    else:
        reporter.line(f"{target.repo_id} holds this model already: nothing to push")
    if target.revision and not tag:
        api.create_tag(target.repo_id, tag=target.revision, revision=commit)
    url = f"{told_address(api.endpoint)}/{target.repo_id}"
    return Pushed(url=url, commit=commit, changed=commit != head)


def _existing(api: "HfApi", target: Target) -> "ModelInfo | None":
    """The repository, if it is there and takes a model of ours."""
    from huggingface_hub.errors import RepositoryNotFoundError

    name = target.repo_id
    try:
        info = api.model_info(name, timeout=TIMEOUT)
    except RepositoryNotFoundError:
        return None
    if info.library_name not in (None, LIBRARY):
        raise PushError(f"{name} holds a model of {info.library_name}: choose another name")
    if target.private and not info.private:
        raise PushError(
            f"{name} is public already: make it private in its settings, choose another name, "
            "or leave out --private"
        )
    return info


def _create(api: "HfApi", target: Target) -> "ModelInfo":
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    name = target.repo_id
    # Not False for the public: an organisation may have another default.
    api.create_repo(name, private=True if target.private else None, exist_ok=True)
    try:
        return api.model_info(name, timeout=TIMEOUT)
    except RepositoryNotFoundError:
        for kind in ("dataset", "space"):
            with contextlib.suppress(HfHubHTTPError):
                api.repo_info(name, repo_type=kind)
                raise PushError(f"{name} is the name of a {kind}: choose another name") from None
        raise PushError(f"the name {name} is taken: choose another name") from None


def _check_rights(api: "HfApi", target: Target, *, exists: bool) -> None:
    owner = target.repo_id.split("/")[0]
    me: dict[str, Any] = api.whoami()
    token = me.get("auth", {}).get("accessToken", {})
    if token.get("role") == "read":
        raise HubAccessError(
            f"your token may only read: make one that may write at {TOKEN_PAGE}, and {LOG_IN}"
        )
    if exists:
        api.auth_check(target.repo_id, write=True)
        return
    orgs = [org["name"] for org in me.get("orgs", []) if org.get("roleInOrg") != "read"]
    if owner not in (me["name"], *orgs):
        names = ", ".join([me["name"], *orgs])
        raise HubAccessError(
            f"{me['name']} may not create {target.repo_id}: the owner can be {names}"
        )


def _check_license(license: str) -> None:
    from huggingface_hub import ModelCard, ModelCardData

    data = ModelCardData(license=license)
    try:
        ModelCard(f"---\n{data.to_yaml()}\n---\n").validate()
    except ValueError:
        raise PushError(f"the Hub knows no licence {license[:60]!r}: see {LICENSES}") from None


def _tags(api: "HfApi", target: Target) -> dict[str | None, str]:
    """Tag -> commit."""
    if not target.revision:
        return {}
    return {ref.name: ref.target_commit for ref in api.list_repo_refs(target.repo_id).tags}


def _tag_is_there(target: Target) -> str:
    return (
        f"{target.repo_id} already has the tag {target.revision}, of another model: choose "
        "another --revision"
    )


@contextlib.contextmanager
def _in_words(target: Target, api: "HfApi") -> Iterator[None]:
    """Within the block the client's errors become ours."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalTokenNotFoundError,
        RepositoryNotFoundError,
    )

    name = target.repo_id
    try:
        yield
    except LocalTokenNotFoundError:
        raise HubAccessError(
            f"there is no token to push to {name} with: {LOG_IN}, or set HF_TOKEN; {TOKEN_PAGE} "
            "makes one that may write"
        ) from None
    except ValueError as error:
        lines = [line for line in str(error).splitlines() if line.startswith("- ")]
        said = first_line(lines[0][2:] if lines else error)
        raise PushError(f"the Hub does not take the card of {name}: {said}") from None
    except (HTTPError, OSError, RuntimeError) as error:
        found = root(error)
        if isinstance(found, RepositoryNotFoundError):
            raise PushError(
                f"nothing can be pushed to {name}: it is gone, or your token may not see it"
            ) from None
        if isinstance(found, HfHubHTTPError) and found.response.status_code == 403:
            said = first_line(found.server_message or "forbidden")
            raise HubAccessError(f"your token may not write to {name}: {said}") from None
        raise explain(error, name, api) from None
