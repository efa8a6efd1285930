"""The errors of the Hub's client in one line each: what was found, and what to do.

Knows what they mean, not where they come from.
"""

import contextlib
import os
from typing import TYPE_CHECKING

from lstm_lm.errors import (
    HubAccessError,
    HubError,
    HubOfflineError,
    ModelNotFoundError,
    UserError,
)

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TOKEN_PAGE = "https://huggingface.co/settings/tokens"
LOG_IN = "log in with `hf auth login`"


def explain(
    error: BaseException,
    repo_id: str,
    api: "HfApi",
    revision: str | None = None,
    *,
    kind: str = "model",
) -> UserError:
    """The client's error at a call for this repository in one line, with what to do.

    Args:
        error: what the client raised.
        repo_id: OWNER/NAME.
        api: the client.
        revision: that was asked for; None: main.
        kind: of repository, "model" or "dataset".
    """
    from httpx2 import HTTPError
    from huggingface_hub import constants, errors, get_token

    error = root(error)
    known = api.token is not False and get_token() is not None
    if isinstance(error, errors.GatedRepoError):
        then = "wait until its owners let you in" if known else f"{LOG_IN}"
        prefix = "" if kind == "model" else f"{kind}s/"
        address = f"{constants.ENDPOINT}/{prefix}{repo_id}"
        return HubAccessError(f"{repo_id} is gated: ask for access at {address}, then {then}")
    if isinstance(error, errors.RepositoryNotFoundError):
        private = "it is private and your token may not read it" if known else "it is private"
        return ModelNotFoundError(
            f"no model {repo_id!r}: there is no such folder here, and on the Hub there is none, "
            f"or {private}; check the name, or {LOG_IN}"
            if kind == "model"
            else f"the Hub has no {kind} {repo_id!r}, or {private}; check the name, or {LOG_IN}"
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return ModelNotFoundError(_no_revision(repo_id, revision, api, kind))
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubOfflineError(
            f"{repo_id} is on the Hub, but HF_HUB_OFFLINE is set: unset it to go there"
        )
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        if status == 401:
            place = "HF_TOKEN" if os.environ.get("HF_TOKEN") else "`hf auth login`"
            return HubAccessError(
                f"the Hub does not accept the token of {place}: make one at {TOKEN_PAGE} and "
                f"{LOG_IN}"
            )
        said = error.server_message or error.response.reason_phrase
        text = f"the Hub answered {status} for {repo_id}: {first_line(said)}"
        if status == 403:
            return HubAccessError(text)
        return HubError(f"{text}; try again later" if status >= 500 or status == 429 else text)
    if isinstance(error, HTTPError):
        said = first_line(error) or type(error).__name__
        return HubOfflineError(
            f"cannot reach the Hub at {constants.ENDPOINT} for {repo_id}: {said}"
        )
    return HubError(f"the transfer of {repo_id} broke off ({first_line(error)}): try again")


def root(error: BaseException) -> BaseException:
    """The answer of the Hub, or the break of the network, that the client wrapped in others."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import OfflineModeIsEnabled

    found: BaseException | None = error
    while found is not None:
        if isinstance(found, HTTPError | OfflineModeIsEnabled):
            return found
        found = found.__cause__
    return error


def _no_revision(repo_id: str, revision: str | None, api: "HfApi", kind: str) -> str:
    names: list[str] = []
    with contextlib.suppress(Exception):  # only to say more
        refs = api.list_repo_refs(repo_id, repo_type=kind)
        names = [ref.name for ref in [*refs.tags, *refs.branches]]
    there = f"there are {', '.join(names[:20])}" if names else "it is empty"
    return f"{repo_id} has no revision {str(revision or 'main')[:80]!r}: {there}"


def first_line(text: object) -> str:
    """The text's first line, as short as a message can bear."""
    lines = [line.strip() for line in str(text).splitlines() if line.strip()]
    return lines[0][:200] if lines else ""
