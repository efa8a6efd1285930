"""What hardware the loopback Hub gives to whom, as the Hub does since July 2026.

Gradio and Docker Spaces run on cpu-basic for who pays, and on ZeroGPU for a free personal account
too, in a number that depends on who owns them (huggingface/hub-docs pull request 2624;
huggingface/skills pull request 218). What it says of cpu-basic is quoted from agents-course issue
733 and ed-donner/agents issue 1469; its words and statuses at the other refusals are not known to
us, and are made up.
"""

from tests.hub.repositories import User
from tests.hub.server import LoopbackHub, Refusal

CPU, ZERO = "cpu-basic", "zero-a10g"
PAYING_ORGS = {"lab"}
MOST = {"free": 2, "pro": 10, "org": 50}  # Spaces on ZeroGPU
UNPAID = (
    "Static Spaces are free for everyone, but hosting Gradio and Docker Spaces on free cpu-basic "
    "requires a PRO subscription. Subscribe at https://huggingface.co/pro"
)


def refuse_hardware(hub: LoopbackHub, user: User, owner: str, sdk: str, hardware: str) -> None:
    """Raise Refusal where the owner, in whose name the user asks, may not have the hardware."""
    if sdk == "static":
        return
    own = owner == user.name
    pays = user.pro if own else owner in PAYING_ORGS
    if hardware != ZERO:
        if not pays:
            raise Refusal(402, UNPAID if hardware == CPU else f"Add credits to use {hardware}")
        return
    if sdk != "gradio":
        raise Refusal(400, "ZeroGPU is for Gradio Spaces")
    if not own and not pays:
        raise Refusal(402, "ZeroGPU Spaces of an organization require a Team or Enterprise plan")
    most = MOST["org" if not own else "pro" if pays else "free"]
    there = [
        held
        for held in hub.repositories.values()
        if (held.kind, held.owner, held.hardware) == ("space", owner, ZERO)
    ]
    if len(there) >= most:
        raise Refusal(403, f"You have reached the limit of {most} ZeroGPU Spaces")
