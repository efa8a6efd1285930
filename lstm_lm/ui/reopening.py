"""What happens when the page is opened by a link: the text is written or read again.

The same model, seed and settings write the same text, so a link needs to carry no numbers. Knows
nothing of how the page is laid out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstm_lm.config import SamplingConfig
from lstm_lm.errors import LinkError, UserError
from lstm_lm.generation import generate
from lstm_lm.interventions import Change, StateChange
from lstm_lm.signals import LSTM_SIGNALS
from lstm_lm.trace import GateTrace
from lstm_lm.ui.handlers import LONGEST_WRITE, Handlers, begin_run, readable
from lstm_lm.ui.linking import shown_by
from lstm_lm.ui.links import Link, decode
from lstm_lm.ui.models import ShownModel, whole_payload
from lstm_lm.ui.runs import PageRun

VIEW = ("signal", "layer", "order", "step", "unit")  # what the workbench is to show


@dataclass(frozen=True, kw_only=True)
class Reopened:
    """A view as a link described it."""

    show: str
    """write or read."""
    model: str
    """The name on this page."""
    text: str
    sampling: SamplingConfig | None
    payload: dict[str, Any]
    """For the workbench of the view."""


def reopen(handlers: Handlers, query: Mapping[str, str], session: str) -> Reopened | None:
    """The view that the query describes, written or read again; None where it describes none.

    Raises:
        UserError: the link is wrong, or its model is not here.
    """
    link = decode(query)
    if link is None:
        return None
    asked = handlers.next_asked()
    shown, notes = shown_by(handlers.shelf, link)
    what = "the text" if link.sampling is None else "the prompt"
    length = 1 if link.sampling is None else link.sampling.max_new_tokens
    if not 1 <= length <= LONGEST_WRITE:
        raise LinkError(f"length is {length}: the page writes 1 to {LONGEST_WRITE:,} tokens")
    if link.sampling is None and not link.text:
        raise LinkError("text is missing")
    token_ids, more, marks = readable(shown.model, link.text, what)
    run, trace = begin_run(
        shown, link.text, token_ids, link.sampling, session, tuple(link.interventions)
    )
    _check(link, run)
    if link.sampling is not None:
        _write(shown, run, trace, link.sampling)
    handlers.store.add(run)
    payload = whole_payload(shown, run, asked=asked, marks=marks)
    payload["notes"] = [*notes, *more, *map(_told, link.interventions)]
    payload["view"] = {name: getattr(link, name) for name in VIEW}
    return Reopened(
        show=link.show,
        model=shown.name,
        text=link.text,
        sampling=link.sampling,
        payload=payload,
    )


def refused(handlers: Handlers, name: str, error: UserError) -> dict[str, Any]:
    """The page's opening text, with the line that says why it is not what the link shows."""
    shown = handlers.shelf.get(name)
    note = f"This link cannot be shown: {error}. Here is the page’s own text instead."
    return {**shown.opening_payload(), "asked": handlers.next_asked(), "notes": [note]}


def _write(shown: ShownModel, run: PageRun, trace: GateTrace, sampling: SamplingConfig) -> None:
    steps = generate(
        shown.model,
        "",
        sampling,
        state=trace.final_state,
        position=trace.steps,
        interventions=run.interventions,
    )
    for step in steps:
        run.add_step(step.token, step.token_id, step.log_prob, step.signals)


def _check(link: Link, run: PageRun) -> None:
    """Raise LinkError unless the run will have the place that the link names."""
    if link.signal not in run.signal_names:
        raise LinkError(f"this model has no {link.signal}: it has {', '.join(run.signal_names)}")
    for name, value, limit in (
        ("layer", link.layer, run.layers),
        ("step", link.step, run.capacity),
        ("unit", link.unit, run.units),
    ):
        if value is not None and value >= limit:
            raise LinkError(f"{name} is {value}: here it can be 0 to {limit - 1}")


def _told(change: Change) -> str:
    """What a link's change did, for the line over the picture; counted as on the page."""
    if isinstance(change, StateChange):
        of = "every layer" if change.layer is None else f"layer {change.layer + 1}"
        return f"The state of {of} is zeroed before step {change.start + 1}."
    (label,) = (each.label.lower() for each in LSTM_SIGNALS if each.name == change.signal)
    units = change.units
    if units is None:
        of = "all units"
    elif len(units) > 6:
        of = f"{len(units)} units"
    else:
        of = f"unit {', '.join(map(str, units))}"
    until = "on" if change.stop is None else f"to step {change.stop}"
    value = f"{change.value:g}".replace("-", "−")
    return (
        f"The {label} of {of} of layer {change.layer + 1} is held at {value} "
        f"from step {change.start + 1} {until}."
    )
