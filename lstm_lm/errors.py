"""What a person can mend: one line that says what was found, where, and what to do.

Only `app.py`, `train.py` and the page turn a `UserError` into words for a person; everything else
lets it pass. An error of any other type is our own mistake and keeps its traceback.
"""

from collections.abc import Sequence
from typing import cast

from lstm_lm.addresses import without_secrets
from lstm_lm.visible_text import printable


class UserError(Exception):
    """The person can mend this; its text is one line, shown as it stands.

    It may repeat names, texts and addresses from elsewhere: what must not reach a terminal or a
    page is made visible here, and what of an address is for its server alone is left out.
    """

    def __init__(self, text: str = "") -> None:
        super().__init__(printable(without_secrets(text)))


class ConfigError(UserError):
    """A setting is out of range or contradicts another; all problems are named at once."""


class TextError(UserError):
    """A text source cannot be read, is no text, or is too short for the settings."""


class UnknownCharacterError(TextError):
    """A character that the tokenizer has never seen; `characters` maps it to its first position."""

    def __init__(self, message: str, characters: dict[str, int]) -> None:
        super().__init__(message)
        self.characters = characters


class ModelFolderError(UserError):
    """A model folder is broken, foreign or hostile; nothing of it was used."""


class ModelNotFoundError(UserError):
    """No bundled model, folder or repository answers to this name."""


class HubError(UserError):
    """The Hugging Face Hub answered with an error, or what came from it is damaged."""


class HubOfflineError(HubError):
    """The Hub cannot be reached, and what was asked for is not in the cache."""


class HubAccessError(HubError):
    """There is no token, it is not accepted, or its owner lacks the right."""


class PushError(HubError):
    """A model could not be pushed; what was to be pushed is untouched."""


class CheckpointError(UserError):
    """A run folder cannot be resumed, or cannot be written."""


class DeviceError(UserError):
    """The device or precision asked for is not there."""


class InterventionError(UserError):
    """A signal, layer, unit, value or state that this model cannot be held at."""


class LinkError(UserError):
    """A link to a view that is wrong, too long, or not to be had of this view."""


class FigureError(UserError):
    """A figure of what is not there, or without what draws it."""


class ModuleError(UserError):
    """A torch module or its inputs that cannot be traced, or that does not add up."""


class SignalError(UserError, KeyError):
    """A signal that this trace does not hold, or a name that is no signal."""

    __str__ = Exception.__str__  # KeyError would show the message in quotation marks


def shown(value: object) -> str:
    r"""A value that came from elsewhere as a message may repeat it: short, and on one line.

    >>> shown("two\nlines"), shown({"many": "things"}), shown(10**30)
    ("'two\\nlines'", 'a dict', 'a number of more than 18 digits')
    """
    if isinstance(value, dict | set):
        return f"a {type(cast('object', value)).__name__}"
    if isinstance(value, list | tuple):
        parts = cast("Sequence[object]", value)
        if len(parts) > 60 or not all(isinstance(part, int) for part in parts):
            return f"a {type(parts).__name__}"
    if isinstance(value, int) and abs(value) > 10**18:
        return "a number of more than 18 digits"
    text = repr(value[:60] if isinstance(value, str) else cast("object", value))
    return text if len(text) <= 60 else text[:57] + "..."
