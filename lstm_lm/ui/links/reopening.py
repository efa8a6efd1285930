"""What happens when the page is opened by a link: the text is written or read again.

The same model, seed and settings write the same text, so a link needs to carry no numbers. Knows
nothing of how the page is laid out.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lstm_lm.cells.interventions import Change
from lstm_lm.cells.signals import SIGNALS_OF_CELL
from lstm_lm.config import SamplingConfig
from lstm_lm.errors import LinkError, UserError
from lstm_lm.insight.detectors import STATES
from lstm_lm.insight.state_index import THRESHOLDS
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.links.linking import shown_by
from lstm_lm.ui.links.links import Link, decode, decode_find, decode_unit
from lstm_lm.ui.shelf.models import ShownModel, whole_payload
from lstm_lm.ui.shelf.reading import readable
from lstm_lm.ui.shelf.runs import PageRun
from lstm_lm.ui.views.units.view import reference_steps
from lstm_lm.ui.views.workbench import whatif
from lstm_lm.ui.views.workbench.changes import StateOfText, when, words_of
from lstm_lm.ui.views.workbench.view import LONGEST_WRITE, Handlers, begin_run
from lstm_lm.writing.generation import generate

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
    changes = tuple(_ready(shown, change) for change in link.interventions)
    read_with = changes if link.sampling is None else ()
    run, trace = begin_run(shown, link.text, token_ids, link.sampling, session, read_with)
    for change in changes:
        change.check(shown.model.config)
    _check(link, run)
    if link.sampling is not None:
        run = _write(shown, run, trace, link.sampling, changes)
    handlers.store.add(run)
    payload = whole_payload(shown, run, asked=asked, marks=marks)
    done = "Read" if link.sampling is None else "Written"
    told = [f"{done} with {words_of(each, run.units)} {when(each)}." for each in changes]
    payload["notes"] = [*notes, *more, *told]
    payload["view"] = {name: getattr(link, name) for name in VIEW}
    return Reopened(
        show=link.show,
        model=shown.name,
        text=link.text,
        sampling=link.sampling,
        payload=payload,
    )


def reopen_unit(handlers: Handlers, query: Mapping[str, str]) -> dict[str, Any] | None:
    """What the Units view is to show by the query; None where the query describes no unit.

    Raises:
        UserError: the link is wrong, or its model is not here.
    """
    link = decode_unit(query)
    if link is None:
        return None
    shown, notes = shown_by(handlers.shelf, link)
    config = shown.model.config
    _within("layer", link.layer, config.layers)
    _within("unit", link.unit, config.hidden_size)
    return {"model": shown.name, "layer": link.layer, "unit": link.unit, "notes": notes}


def reopen_find(handlers: Handlers, query: Mapping[str, str]) -> dict[str, Any] | None:
    """What the Find view is to show by the query; None where the query describes no span.

    Raises:
        UserError: the link is wrong, or its model is not here.
    """
    link = decode_find(query)
    if link is None:
        return None
    shown, notes = shown_by(handlers.shelf, link)
    config = shown.model.config
    _within("layer", link.layer, config.layers)
    states = [each.name for each in SIGNALS_OF_CELL[config.cell] if each.name in STATES]
    if link.signal not in states:
        raise LinkError(f"signal is {link.signal}: here it can be {', '.join(states)}")
    _within("to", link.stop, reference_steps(config) + 1)
    if link.start >= link.stop:
        raise LinkError(f"from is {link.start} and to is {link.stop}: it has to be less")
    if link.threshold is not None and link.threshold not in THRESHOLDS:
        raise LinkError(
            f"threshold is {link.threshold}: it can be {', '.join(map(str, THRESHOLDS))}"
        )
    place = dataclasses.asdict(link)
    del place["revision"], place["weights"]
    return {**place, "model": shown.name, "notes": notes}


def refused(handlers: Handlers, name: str, error: UserError) -> dict[str, Any]:
    """The page's opening text, with the line that says why it is not what the link shows."""
    shown = handlers.shelf.get(name)
    note = f"This link cannot be shown: {error}. Here is the page’s own text instead."
    return {**shown.opening_payload(), "asked": handlers.next_asked(), "notes": [note]}


def _write(
    shown: ShownModel,
    run: PageRun,
    trace: GateTrace,
    sampling: SamplingConfig,
    changes: tuple[Change, ...],
) -> PageRun:
    """The run as it was written, then again with each change, as a person made them."""
    run.add_steps(
        generate(shown.model, "", sampling, state=trace.final_state, position=trace.steps)
    )
    written = run
    for change in changes:
        if change.start >= run.steps:
            continue  # it would begin after the end
        left = run.steps - whatif.first_written(run, change.start)
        again = dataclasses.replace(sampling, max_new_tokens=left)
        written = whatif.changed(shown, written, change.start, again, change)
    # A text of its own: the one without the changes is not kept.
    written.parent, written.own = "", 0
    written.given, written.sampling, written.interventions = run.given, sampling, changes
    return written


def _check(link: Link, run: PageRun) -> None:
    """Raise LinkError unless the run will have the place that the link names."""
    if link.signal not in run.signal_names:
        raise LinkError(f"this model has no {link.signal}: it has {', '.join(run.signal_names)}")
    for name, value, limit in (
        ("layer", link.layer, run.layers),
        ("step", link.step, run.capacity),
        ("unit", link.unit, run.units),
    ):
        if value is not None:
            _within(name, value, limit)


def _within(name: str, value: int, limit: int) -> None:
    if value >= limit:
        raise LinkError(f"{name} is {value}: here it can be 0 to {limit - 1}")


def _ready(shown: ShownModel, change: Change) -> Change:
    """The change as it can be made: a text that it names has been read."""
    if not isinstance(change, StateOfText):
        return change
    token_ids, _, _ = readable(shown.model, change.text, "the other text")
    return change.read(shown.model, token_ids)
