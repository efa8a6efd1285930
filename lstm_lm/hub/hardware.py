"""The hardware of a Space: what its owner can have, what a new one is made on, what an old one has.

Since July 2026 the Hub runs Gradio Spaces on cpu-basic only for those who pay (402 for others) and
gives a free personal account, thirty days old and with a verified address, two on ZeroGPU
(huggingface/hub-docs pull request 2624; Hub documentation, spaces-overview and spaces-zerogpu,
August 2026). Which files fit which hardware is said in `space.py`.
"""

from typing import TYPE_CHECKING

from lstm_lm.errors import ConfigError, HubAccessError, HubError, shown
from lstm_lm.hub.errors import first_line
from lstm_lm.hub.space import CPU, ZERO

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

AUTO = "auto"
FREE = (
    "a free personal account may have two Spaces on ZeroGPU, once it is thirty days old and its "
    "e-mail address is verified: make room for this one, or subscribe"
)


def check_hardware(name: str) -> None:
    """Raise ConfigError unless this is a name of the Hub's hardware, or `auto`."""
    from huggingface_hub import SpaceHardware

    names = [AUTO, *(hardware.value for hardware in SpaceHardware)]
    if name not in names:
        raise ConfigError(f"--hardware is {shown(name)}: choose from {', '.join(names)}")


def make(api: "HfApi", space: str, wanted: str, notes: list[str]) -> str:
    """Make the Space, empty, and return the hardware that it is on.

    Args:
        api: the client.
        space: OWNER/SPACE, which is not there yet.
        wanted: a name of the Hub's, or `auto`: what the owner can have.
        notes: gets a line where it is not simply what was wanted.

    Raises:
        HubAccessError: the owner may not have it.
        HfHubHTTPError: the Space cannot be made for another reason.
    """
    from huggingface_hub.errors import HfHubHTTPError

    first = _first_choice(api, space) if wanted == AUTO else wanted
    try:
        _create(api, space, first)
    except HfHubHTTPError as error:
        if (wanted, first, _status(error)) != (AUTO, CPU, 402):
            raise _refusal(space, first, error) from None
        refused = _said(error)
    else:
        if wanted == AUTO and first == ZERO:
            owner = space.split("/")[0]
            notes.append(
                f"the Hub runs Spaces on {CPU} only for those who pay, and {owner} is a free "
                f"account: {space} is on ZeroGPU ({ZERO}), which is free"
            )
        return first
    try:
        _create(api, space, ZERO)
    except HfHubHTTPError as error:
        if not _is_refused(error):
            raise
        raise HubAccessError(
            f"the Hub runs {space} neither on {CPU} ({refused}) nor on ZeroGPU ({_said(error)}): "
            f"{FREE}"
        ) from None
    notes.append(f"the Hub refused {CPU} ({refused}): {space} is on ZeroGPU ({ZERO}) instead")
    return ZERO


def kept(api: "HfApi", space: str, wanted: str) -> str:
    """The hardware of a Space that is there, which it keeps.

    Raises:
        HubError: another was wanted.
    """
    runtime = api.get_space_runtime(space)
    # What was asked for last, even if it is not there yet; a Space that never ran may have neither.
    now = runtime.requested_hardware or runtime.hardware
    if now is None:
        return _first_choice(api, space) if wanted == AUTO else wanted
    if wanted not in (AUTO, now):
        raise HubError(
            f"{space} is on {now}, and what is there keeps its hardware: choose {wanted} at "
            f"{api.endpoint}/spaces/{space}/settings, then deploy again, so that its files fit"
        )
    return str(now)


def _first_choice(api: "HfApi", space: str) -> str:
    """ZeroGPU for a free account of one's own; else cpu-basic: of others the Hub tells no plan."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        account = api.whoami()
    except HfHubHTTPError as error:
        if _status(error) == 401:
            raise
        return CPU  # asked too often, perhaps: what it would have said shows when the Space is made
    own = str(account.get("name")).casefold() == space.split("/")[0].casefold()
    return ZERO if own and account.get("isPro") is False else CPU


def _create(api: "HfApi", space: str, hardware: str) -> None:
    from huggingface_hub import SpaceHardware

    api.create_repo(
        space, repo_type="space", space_sdk="gradio", space_hardware=SpaceHardware(hardware)
    )


def _refusal(space: str, hardware: str, error: "HfHubHTTPError") -> Exception:
    """Why the Space is not to be had on this hardware; the error itself if that is not why."""
    if _status(error) == 402:
        then = FREE if hardware == ZERO else "without --hardware it is made on what you can have"
        return HubAccessError(
            f"the Hub asks to be paid for running {space} on {hardware}: {_said(error)}; {then}"
        )
    if hardware == ZERO and _is_refused(error):
        return HubAccessError(
            f"the Hub does not make {space} on ZeroGPU: {_said(error)}; it takes a token that may "
            f"write, and {FREE}"
        )
    return error


def _is_refused(error: "HfHubHTTPError") -> bool:
    """Whether the Hub does not want to; what it answers to one too many on ZeroGPU is not written.

    Not so a token that is not accepted, a name that is taken, too many questions, a Hub in trouble.
    """
    return 400 <= _status(error) < 500 and _status(error) not in (401, 409, 429)


def _status(error: "HfHubHTTPError") -> int:
    return error.response.status_code


def _said(error: "HfHubHTTPError") -> str:
    return first_line(error.server_message or "it gives no reason").rstrip(".")
