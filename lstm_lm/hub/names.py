"""What a model's name stands for: one that comes with the project, a folder, or one on the Hub.

Knows nothing of what is in the folder.
"""

import contextlib
from pathlib import Path

from lstm_lm.errors import ModelNotFoundError, UserError
from lstm_lm.hub.download import fetch
from lstm_lm.hub.repository import is_repository_id, split_name
from lstm_lm.store.folder import BUNDLED, bundled_models
from lstm_lm.store.snapshots import SNAPSHOT
from lstm_lm.surroundings.files import expanded
from lstm_lm.visible_text import spelled


def model_folder(name: str | Path, *, revision: str | None = None) -> Path:
    """The folder behind a bundled name, a folder's path or a Hub repository id.

    Raises:
        ModelNotFoundError: nothing answers to the name.
        HubError: the Hub cannot be reached, does not let us in, or sent something damaged.
    """
    text = str(name)
    local = _local_folder(name)
    if local is not None:
        if revision is not None:
            raise ModelNotFoundError(
                f"no model {text!r} of revision {revision!r}: it is on this machine, "
                "and only repositories of the Hub have revisions"
            )
        return local
    repo_id, at = split_name(text)
    if isinstance(name, str) and is_repository_id(repo_id):
        return fetch(repo_id, revision or at)
    raise ModelNotFoundError(
        f"no model {text!r}: neither a model that comes with the project "
        f"({', '.join(bundled_models()) or 'none here'}), nor a folder, nor the OWNER/NAME of a "
        "repository on the Hub"
    )


def is_local(name: str | Path) -> bool:
    """Whether the model is on this machine: a bundled one, or a folder."""
    return _local_folder(name) is not None


def _local_folder(name: str | Path) -> Path | None:
    bundled, _, rest = str(name).partition("/")
    early = SNAPSHOT.fullmatch(rest) and (BUNDLED / str(name)).is_dir()
    if bundled in bundled_models() and (early or not rest):
        return BUNDLED / str(name)
    for folder in readings(name):
        with contextlib.suppress(OSError):  # a name too long
            if folder.is_dir():
                return folder
    return None


def readings(name: str | Path) -> list[Path]:
    """The folders that a name can mean: as it stands, or as the page and the terminal show it."""
    with contextlib.suppress(UserError):  # a ~user that is not there
        return [expanded(each) for each in dict.fromkeys([str(name), spelled(str(name))])]
    return []
