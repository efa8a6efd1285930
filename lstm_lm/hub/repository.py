"""Names on the Hub: repositories, revisions, and where a push goes. Knows nothing of the network.

Light, so that a mistake on the command line is answered before torch is imported.
"""

import contextlib
import re
import shlex
from dataclasses import dataclass

from lstm_lm.errors import ConfigError

TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
NO_TAG = re.compile(r"main|[0-9a-fA-F]{7,40}|.*\.\..*|.*\.|.*\.lock")
"""What git refuses, and what would be taken for a branch or a commit."""

REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}(/[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}){0,4}")


def split_name(text: str) -> tuple[str, str | None]:
    """`owner/name@revision` as the repository id and the revision, None where none is given.

    >>> split_name("ada/verse@v1.0"), split_name("ada/verse")
    (('ada/verse', 'v1.0'), ('ada/verse', None))
    """
    name, _, revision = text.partition("@")
    return name, revision or None


def is_repository_id(text: str) -> bool:
    """Whether the text has the form OWNER/NAME that the Hub gives to repositories."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    with contextlib.suppress(HFValidationError):
        validate_repo_id(text)
        return text.count("/") == 1 and text.isascii()
    return False


def is_revision(text: str) -> bool:
    """Whether the text can name a branch, a tag or a commit; the cache makes a path of it."""
    return REVISION.fullmatch(text) is not None and ".." not in text


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a model is pushed.

    Raises:
        ConfigError: no name of a repository, or no tag.
    """

    repo_id: str
    """OWNER/NAME."""
    revision: str | None = None
    """A tag for the commit; None: none."""
    private: bool = False
    """Whether only its owner may see it; what is public already is not pushed to."""
    license: str | None = None
    """Id of the licence that the card states, such as mit; None: what the folder's card states."""

    def __post_init__(self) -> None:
        allowed = "of letters, digits, '-', '_' and '.'"
        if not is_repository_id(self.repo_id):
            raise ConfigError(f"push_to_hub is {self.repo_id[:99]!r}: give OWNER/NAME, {allowed}")
        tag = self.revision
        if tag is not None and (not TAG.fullmatch(tag) or NO_TAG.fullmatch(tag)):
            raise ConfigError(f"revision is {tag[:99]!r}: give a tag such as v1.0, {allowed}")

    @property
    def called(self) -> str:
        """The name that loads it."""
        return f"{self.repo_id}@{self.revision}" if self.revision else self.repo_id

    def options(self) -> str:
        """The options of train.py that push there."""
        options = ["--push-to-hub", self.repo_id]
        options += ["--revision", self.revision] if self.revision else []
        options += ["--private"] if self.private else []
        options += ["--license", self.license] if self.license else []
        return shlex.join(options)
