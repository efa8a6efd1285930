"""Models on the Hugging Face Hub: a repository id -> a folder in the cache.

All files come from one commit, and only the few that a model folder has; what another library
made, or what is too large, is refused before its weights are downloaded; what arrived is compared
with the checksums of that commit. The endpoint is the client's own (HF_ENDPOINT), never a
visitor's. `push.py` is the other direction.

`huggingface_hub` reads its environment when it is imported: only functions here import it.
"""

import hashlib
import io
import itertools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_lm.checks import LARGEST_JSON
from lstm_lm.config import ModelConfig
from lstm_lm.errors import (
    HubAccessError,
    HubError,
    HubOfflineError,
    ModelFolderError,
    ModelNotFoundError,
    UserError,
)
from lstm_lm.hub.errors import LOG_IN, explain
from lstm_lm.hub.repository import is_repository_id, is_revision
from lstm_lm.store.folder import (
    CARD_FILE,
    CONFIG_FILE,
    CURVE_FILE,
    METRICS_FILE,
    RESULTS_FILE,
    WEIGHT_FILE,
    read_config,
)
from lstm_lm.surroundings.variables import check_hub
from lstm_lm.text.tokenizer import CharTokenizer, SentencePieceTokenizer

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

log = logging.getLogger(__name__)

LIBRARY = "lstm-lm"
TOKENIZERS = {"char": CharTokenizer, "sentencepiece": SentencePieceTokenizer}
EXTRA_FILES = (CARD_FILE, METRICS_FILE, RESULTS_FILE, CURVE_FILE)
MODEL_FILES = (
    CONFIG_FILE,
    WEIGHT_FILE,
    *(kind.file_name for kind in TOKENIZERS.values()),
    *EXTRA_FILES,
)
"""All that is ever pushed or downloaded."""
LARGEST_EXTRA = 2**25  # bytes of a card, of metrics, of results: a larger one is left there
MOST_FILES = 5_000  # of a repository that are listed
TIMEOUT = 10.0  # seconds to wait for the Hub's first answer

Progress = Callable[[int, int], None]
"""Told of bytes so far and of bytes in all."""


def hub_api(*, token: bool = True) -> "HfApi":
    """The client; without `token` it asks as anybody would, even where a token is there.

    Raises:
        ConfigError: the environment is not one in which it works.
        HubAccessError: the token that was kept on this machine cannot be read.
    """
    check_hub(os.environ)
    from huggingface_hub import HfApi, constants, get_token

    try:
        if token:
            get_token()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise HubAccessError(
            f"cannot read the token in {constants.HF_TOKEN_PATH}: {reason}; {LOG_IN}"
        ) from None
    return HfApi(library_name=LIBRARY, token=None if token else False)


def fetch(
    repo_id: str,
    revision: str | None = None,
    *,
    largest: int | None = None,
    token: bool = True,
    progress: Progress | None = None,
) -> Path:
    """The folder in the cache that holds the model of this repository, checked against the Hub.

    Where the Hub cannot be reached, what the cache holds is used.

    Args:
        repo_id: OWNER/NAME.
        revision: a branch, a tag or a commit; None: main.
        largest: bytes that the whole model may have; None: whatever a model of ours can have.
        token: whether the token of this machine's owner is used.
        progress: told of bytes, in place of a bar on the terminal.

    Raises:
        ModelNotFoundError: no such repository or revision, as far as this token may see.
        ModelFolderError: the repository holds no model of ours, or one that is too large.
        HubAccessError: gated, or the token is not accepted.
        HubOfflineError: the Hub cannot be reached, and the model is not in the cache.
        HubError: the download broke off or is damaged; what is damaged was removed.
    """
    from httpx2 import HTTPError
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if not is_repository_id(repo_id):
        raise ModelNotFoundError(f"no model {repo_id[:99]!r}: a repository's id is OWNER/NAME")
    if revision is not None and not is_revision(revision):
        raise ModelNotFoundError(f"{repo_id} has no revision {revision[:99]!r}: that names none")
    api = hub_api(token=token)
    called = f"{repo_id}@{revision}" if revision else repo_id
    try:
        # First with a timeout, which the calls below do not take.
        api.model_info(repo_id, revision=revision, timeout=TIMEOUT)
        commit = api.resolve_revision(repo_id, revision=revision)
        files = files_at(api, repo_id, commit.resolved)
    except (HTTPError, OfflineModeIsEnabled) as error:
        reason = explain(error, repo_id, api, revision)
        refused = isinstance(error, HfHubHTTPError) and error.response.status_code < 500
        if refused or not token:  # what the cache holds may be the owner's private model
            raise reason from None
        return _cached(repo_id, revision, reason)
    try:
        _refuse_foreign(files, called)
        folder = Path(api.hf_hub_download(repo_id, CONFIG_FILE, revision=commit)).parent
        _remove_damaged(folder, files, [CONFIG_FILE], called)
        wanted = _wanted(files, _config(folder, called), called, largest)
        missing = [name for name in wanted if not (folder / name).is_file()]
        if missing:
            reporter = _reporter(progress, sum(files[name].size for name in missing))
            api.snapshot_download(
                repo_id, revision=commit, allow_patterns=missing, tqdm_class=reporter
            )
    except (HTTPError, OSError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise HubError(
                f"cannot keep {called} in the cache {constants.HF_HUB_CACHE}: {error.strerror}"
            ) from None
        reason = explain(error, repo_id, api, revision)
        if isinstance(reason, HubOfflineError):
            raise HubError(f"the download of {called} broke off: {reason}; try again") from None
        raise reason from None
    _remove_damaged(folder, files, wanted, called)
    return folder


def files_at(api: "HfApi", repo_id: str, commit: str) -> dict[str, "RepoFile"]:
    """The files at the top of the repository at this commit, by name."""
    from huggingface_hub.hf_api import RepoFile

    tree = itertools.islice(api.list_repo_tree(repo_id, revision=commit), MOST_FILES)
    return {entry.path: entry for entry in tree if isinstance(entry, RepoFile)}


def is_same(content: Path | bytes, entry: "RepoFile") -> bool:
    """Whether the local file, or what it would hold, has the Hub's size and checksum.

    Of a large file the Hub gives the sha256; of a small one git's own name for its content.
    """
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    if size != entry.size:
        return False
    with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
        if entry.lfs is not None:
            return hashlib.file_digest(file, "sha256").hexdigest() == entry.lfs.sha256
        digest = hashlib.sha1(b"blob %d\0" % entry.size, usedforsecurity=False)
        digest.update(file.read())
    return digest.hexdigest() == entry.blob_id


def _refuse_foreign(files: dict[str, "RepoFile"], called: str) -> None:
    needed = [CONFIG_FILE, WEIGHT_FILE]
    missing = [name for name in needed if name not in files]
    if missing:
        raise ModelFolderError(f"{called} holds no {missing[0]}: it is no model of lstm-lm")
    if files[CONFIG_FILE].size > LARGEST_JSON:
        size = files[CONFIG_FILE].size
        raise ModelFolderError(f"{called}: {CONFIG_FILE} has {size:,} bytes: it is none of ours")


def _config(folder: Path, called: str) -> ModelConfig:
    try:
        return read_config(folder)
    except ModelFolderError as error:
        raise ModelFolderError(f"{called}: {error}") from None


def _wanted(
    files: dict[str, "RepoFile"], config: ModelConfig, called: str, largest: int | None
) -> list[str]:
    """The files to download, unless they cannot be what the config describes."""
    kind = TOKENIZERS[config.tokenizer]
    bounds = {
        CONFIG_FILE: LARGEST_JSON,
        kind.file_name: kind.largest_file,
        WEIGHT_FILE: 4 * config.parameter_count + LARGEST_JSON,
    }
    for name, most in bounds.items():
        if name not in files:
            raise ModelFolderError(f"{called} holds no {name}: it is no model of lstm-lm")
        if files[name].size > most:
            raise ModelFolderError(
                f"{called}: {name} has {files[name].size:,} bytes, but a model of the sizes in "
                f"{CONFIG_FILE} needs at most {most:,}"
            )
    wanted = list(bounds)
    wanted += [name for name in EXTRA_FILES if name in files and files[name].size <= LARGEST_EXTRA]
    total = sum(files[name].size for name in wanted)
    if largest is not None and total > largest:
        raise ModelFolderError(
            f"{called} has {total / 1e6:.1f} MB: at most {largest / 1e6:.0f} MB may be loaded here"
        )
    return wanted


def _remove_damaged(
    folder: Path, files: dict[str, "RepoFile"], names: list[str], called: str
) -> None:
    """Raise HubError for a file that is not what the Hub says, once it is out of the cache."""
    for name in names:
        path = folder / name
        if not is_same(path, files[name]):
            for copy in {path.resolve(), path}:  # the cache keeps a file, and a link to it
                copy.unlink(missing_ok=True)
            raise HubError(
                f"{name} of {called} arrived damaged: its checksum is not the Hub's; it was "
                "removed from the cache: try again"
            )


def _reporter(progress: Progress | None, total: int) -> type[Any] | None:
    """A bar that tells `progress` how many bytes are here, and draws nothing."""
    if progress is None:
        return None
    from huggingface_hub.utils import tqdm

    class Reporting(tqdm):
        so_far = 0

        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **{**settings, "disable": True})
            # Of the bars over one download, the one of bytes that are on the disk.
            self.counts = str(settings.get("desc")).startswith("Reconstructing")

        def update(self, n: float | None = 1) -> None:
            if self.counts:
                Reporting.so_far += int(n or 0)
                progress(min(Reporting.so_far, total), total)

    return Reporting


def _cached(repo_id: str, revision: str | None, reason: UserError) -> Path:
    """What the cache holds of the model, for want of the Hub; else HubOfflineError."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import IncompleteSnapshotError, LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                repo_id,
                revision=revision,
                allow_patterns=[CONFIG_FILE, WEIGHT_FILE],
                local_files_only=True,
            )
        )
    except (IncompleteSnapshotError, LocalEntryNotFoundError):
        raise HubOfflineError(f"{reason}; the cache does not hold it either") from None
    log.warning("%s: using what the cache holds", reason)
    return folder
