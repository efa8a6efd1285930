"""Which device and precision a run gets. Knows nothing of models' insides."""

import contextlib
import logging

import torch

from lstm_lm.errors import DeviceError

log = logging.getLogger(__name__)


def choose_device(wanted: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda` or `mps`.

    Raises:
        DeviceError: the device asked for is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        wanted = next(name for name, available in there.items() if available)
    if not there[wanted]:
        found = ", ".join(name for name, available in there.items() if available)
        raise DeviceError(
            f"--device {wanted}: this machine has none that torch can use; it has {found}"
        )
    return torch.device(wanted)


def choose_precision(wanted: str, device: torch.device) -> tuple[torch.dtype, str]:
    """The dtype of the fused pass, and a line to tell the person where it is not what they asked.

    Some CPUs cannot run an LSTM in bfloat16 ("could not create a primitive"): tried here, once.
    """
    if wanted == "float32" or (wanted == "auto" and device.type != "cuda"):
        return torch.float32, ""
    try:
        with torch.autocast(device.type, torch.bfloat16):
            lstm = torch.nn.LSTM(8, 8).to(device)
            lstm(torch.zeros(2, 1, 8, device=device))[0].sum().backward()
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        return (
            torch.float32,
            f"bfloat16 does not run on this {device.type} ({reason}): using float32",
        )
    return torch.bfloat16, ""


def autocast(device: torch.device, dtype: torch.dtype) -> contextlib.AbstractContextManager[object]:
    """Mixed precision within the block, or nothing for float32."""
    if dtype == torch.float32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype)
