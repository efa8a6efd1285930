"""What a person takes away from the page, as bytes: pictures, numbers and text of one run.

Nothing is written to a disk: the bytes go to the browser that asked, which makes a file of them.
What is too large for that is refused with a line that says what to take instead. Knows nothing of
gradio, and of no run but the one it is given.
"""

import base64
import io
import re
import threading
from typing import Any

from lstm_lm.errors import UserError
from lstm_lm.traces.exports import csv_into, npz_into
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.links.places import Place
from lstm_lm.ui.shelf.models import ShownModel, public_name
from lstm_lm.ui.shelf.runs import PageRun
from lstm_lm.ui.views.workbench.meaning import rows

MOST_NUMBERS = {"csv": 2_500_000, "npz": 8_000_000}
"""Values of a file: about 35 MB each. A CSV of more takes many seconds to write."""
MEDIA_TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "csv": "text/csv;charset=utf-8",
    "npz": "application/octet-stream",
    "txt": "text/plain;charset=utf-8",
}
KINDS = ("picture.png", "picture.svg", "signal.csv", "signal.npz", "all.csv", "all.npz", "text.txt")
"""What can be asked for: a part of the run, and the kind of file."""
_two_at_a_time = threading.BoundedSemaphore(2)  # visitors who write and read go first


def download(shown: ShownModel, run: PageRun, kind: str, place: Place) -> dict[str, Any]:
    """One of KINDS as the page's JavaScript takes it.

    Returns:
        `name`: of the file; `type`: its media type; `data`: base64 of its bytes.

    Raises:
        UserError: it is too large.
    """
    part, ending = kind.split(".")
    with _two_at_a_time:
        content = _content(shown, run, part, ending, place)
    return {
        "name": file_name(shown, part, ending, place),
        "type": MEDIA_TYPES[ending],
        "data": base64.b64encode(content).decode(),
    }


def file_name(shown: ShownModel, part: str, ending: str, place: Place) -> str:
    """A name that every system takes."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", public_name(shown.name)).strip("-.") or "model"
    layers = shown.model.config.layers
    layer = f"-layer-{place.layer + 1}-of-{layers}" if layers > 1 else ""
    named = {"all": "all-signals", "text": "text"}.get(part, f"{place.signal}{layer}")
    return f"{name[:60]}-{named}.{ending}"


def _content(shown: ShownModel, run: PageRun, part: str, ending: str, place: Place) -> bytes:
    if part == "text":
        text = shown.model.tokenizer.decode(run.token_ids[: run.steps])
        return text.encode("utf-8", errors="backslashreplace")
    if part == "picture":
        from lstm_lm.ui.views.workbench.picture import draw

        order = rows(run, place.signal, place.layer, place.order)
        return draw(run, place, order, shown.scale, public_name(shown.name), ending)
    trace = run.trace()
    trace.model = public_name(shown.name)
    whole = part == "all"
    _check_size(trace, ending, len(trace.signals) * trace.layers if whole else 1)
    file = io.BytesIO()
    if ending == "csv":
        chosen = None if whole else [place.signal]
        csv_into(trace, file, chosen, None if whole else [place.layer])
    else:
        npz_into(trace if whole else _only(trace, place), file)
    return file.getvalue()


def _only(trace: GateTrace, place: Place) -> GateTrace:
    """The signal and the layer that are shown, as a trace of their own."""
    layer = place.layer
    return GateTrace(
        trace.tokens,
        trace.token_ids,
        {place.signal: trace[place.signal][layer : layer + 1]},
        trace.log_probs,
        model=trace.model,
        layer_names=[trace.layer_names[layer]],
    )


def _check_size(trace: GateTrace, ending: str, arrays: int) -> None:
    numbers = trace.steps * trace.units * arrays
    most = MOST_NUMBERS[ending]
    if numbers > most:
        instead = "as NPZ, or one signal alone" if ending == "csv" else "one signal alone"
        raise UserError(
            f"{numbers:,} numbers are more than a page can give as {ending.upper()} "
            f"({most:,}): take them {instead}, or in Python lm.trace(text)"
        )
