"""A file of a dataset on the Hub -> the file in the Hub's cache.

    hf://datasets/OWNER/NAME[@REVISION]/FILE

Written as the Hub's own client writes it. Knows nothing of what is in the file.
"""

from pathlib import Path

from lstm_lm.errors import TextError, UserError
from lstm_lm.hub.download import hub_api
from lstm_lm.hub.errors import explain, first_line, root
from lstm_lm.hub.repository import is_repository_id, is_revision

HUB_DATASET = "hf://datasets/"
WRITE = f"write {HUB_DATASET}OWNER/NAME/FILE"


def dataset_file(source: str) -> Path:
    """The file in the cache, downloaded unless it is there.

    Raises:
        TextError: there is no such file, as far as this token may see, or it cannot be had.
    """
    repo_id, revision, file = _parts(source)
    from httpx2 import HTTPError
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RemoteEntryNotFoundError,
    )

    try:
        api = hub_api()
    except UserError as error:
        raise TextError(f"cannot load {source}: {error}") from None
    try:
        return Path(api.hf_hub_download(repo_id, file, repo_type="dataset", revision=revision))
    except RemoteEntryNotFoundError:
        raise TextError(f"cannot load {source}: the dataset {repo_id} has no such file") from None
    except LocalEntryNotFoundError as error:
        cause = root(error)
        reason = "" if isinstance(cause, LocalEntryNotFoundError) else f" ({first_line(cause)})"
        raise TextError(
            f"cannot reach the Hub for {source}{reason}, and it is not in the cache: go online, "
            "or name a local file"
        ) from None
    except (HTTPError, OfflineModeIsEnabled) as error:
        reason = explain(error, repo_id, api, revision, kind="dataset")
        raise TextError(f"cannot load {source}: {reason}") from None
    except OSError as error:
        if not error.strerror:
            reason = explain(error, repo_id, api, revision, kind="dataset")
            raise TextError(f"cannot load {source}: {reason}") from None
        raise TextError(
            f"cannot keep {source} in the cache {constants.HF_HUB_CACHE}: {error.strerror}"
        ) from None


def _parts(source: str) -> tuple[str, str | None, str]:
    """Its OWNER/NAME, its revision (None: main) and its file."""
    from huggingface_hub.errors import HfUriError, HFValidationError
    from huggingface_hub.utils import parse_hf_uri

    written = source.removeprefix(HUB_DATASET)
    parts = written.split("/", 2)
    if len(parts) != 3 or not all(parts):
        raise TextError(f"{source} is incomplete: {WRITE}")
    try:
        named = parse_hf_uri(source)
    except (HfUriError, HFValidationError) as error:
        said = error.msg if isinstance(error, HfUriError) else first_line(error)
        raise TextError(f"cannot load {source}: {said}") from None
    repo_id, revision, file = named.id, named.revision, named.path_in_repo
    if not is_repository_id(repo_id):
        raise TextError(f"cannot load {source}: {repo_id!r} is no OWNER/NAME: {WRITE}")
    if revision is not None and not is_revision(revision):
        raise TextError(f"cannot load {source}: no revision can be called {revision[:99]!r}")
    if ".." in file.split("/") or "\\" in file:
        raise TextError(f"cannot load {source}: a file's path in a dataset has no ..: {WRITE}")
    return repo_id, revision, file
