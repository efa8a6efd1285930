"""What happens when a person presses something: write, stop, read, another model, a closer look.

Handlers return payloads for the workbench. Knows nothing of how the page is laid out.
"""

import itertools
import math
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from lstm_lm.cells.interventions import Change
from lstm_lm.config import SamplingConfig
from lstm_lm.errors import ConfigError, UserError
from lstm_lm.text.tokenizer import TokenIds
from lstm_lm.traces.reading import trace_tokens
from lstm_lm.traces.trace import GateTrace
from lstm_lm.ui.asking import told
from lstm_lm.ui.links.linking import link_of
from lstm_lm.ui.links.places import ORDERS, Place, place_of
from lstm_lm.ui.shelf.models import ModelShelf, ShownModel, new_run, whole_payload
from lstm_lm.ui.shelf.reading import readable
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.workbench import branches, downloads, payload, whatif
from lstm_lm.ui.views.workbench.meaning import gates_payload, meaning, order_payload
from lstm_lm.writing.generation import generate

YIELD_SECONDS = 0.1  # a browser paints about ten updates a second with room to spare
LONGEST_WRITE = 2_000  # tokens written at once
SETTINGS = {"temperature", "top_k", "top_p", "min_p", "seed"}  # that a branch may be given
Payload = dict[str, Any]


def session_of(request: gr.Request | None) -> str:
    """Who is asking; empty where nobody is."""
    return str(request.session_hash) if request is not None and request.session_hash else ""


class Handlers:
    """The page's handlers over one shelf of models and one store of runs."""

    def __init__(self, shelf: ModelShelf, store: RunStore) -> None:
        self.shelf = shelf
        self.store = store
        self._asked = itertools.count(1)

    def next_asked(self) -> int:
        """A number for a question: what was asked later wins, whichever answer comes first."""
        return next(self._asked)

    # Events: each yields or returns payloads for a workbench.

    def write(
        self,
        prompt: str,
        max_new_tokens: float,
        temperature: float,
        top_k: float | None,
        top_p: float | None,
        min_p: float | None,
        seed: float,
        pace: float,
        model: str,
        request: gr.Request,
    ) -> Iterator[Payload]:
        """Write after the prompt, sending what is new ten times a second."""
        asked = self.next_asked()
        try:
            shown = self.shelf.get(model)
            sampling = SamplingConfig(
                max_new_tokens=_whole("max_new_tokens", max_new_tokens),
                temperature=temperature,
                top_k=None if top_k is None else _whole("top_k", top_k),
                top_p=top_p,
                min_p=min_p,
                seed=_whole("seed", seed),
            )
            if not 1 <= sampling.max_new_tokens <= LONGEST_WRITE:
                raise UserError(
                    f"{sampling.max_new_tokens} characters to write: give 1 to {LONGEST_WRITE:,}"
                )
            token_ids, notes, marks = readable(shown.model, prompt, "the prompt")
        except UserError as error:
            yield {"error": str(error)}
            return
        start = {"asked": asked, "notes": notes, "marks": marks}
        run, trace = begin_run(shown, prompt, token_ids, sampling, session_of(request))
        self.store.add(run)
        yield from self._write(shown, run, trace, sampling, pace, start)

    def _write(
        self,
        shown: ShownModel,
        run: PageRun,
        trace: GateTrace,
        sampling: SamplingConfig,
        pace: float,
        start: Payload,
    ) -> Iterator[Payload]:
        sent = run.steps
        yield {
            **payload.header(run, shown.scale, shown.model.config.tokenizer, shown.about),
            **payload.columns(run, 0, sent, shown.scale),
            **start,
            "done": False,
        }
        steps = generate(shown.model, "", sampling, state=trace.final_state, position=trace.steps)
        began = last = time.perf_counter()
        for written, step in enumerate(steps, start=1):
            if not run.add_step(step.token, step.token_id, step.log_prob, step.signals):
                return  # stopped: what there is has been sent by `stop`
            # The pace is for the eye: the step itself takes about a millisecond.
            ahead = began + written / max(1.0, pace) - time.perf_counter()
            if ahead > 0:
                time.sleep(ahead)
            if time.perf_counter() - last >= YIELD_SECONDS:
                last = time.perf_counter()
                yield {**payload.columns(run, sent, run.steps, shown.scale), "done": False}
                sent = run.steps
        yield {**self._end(shown, run, sent), **start}

    def _end(self, shown: ShownModel, run: PageRun, sent: int) -> Payload:
        """The last columns, and what was found in the whole."""
        # The header again: a hidden tab may have lost the first payload.
        return {
            **payload.header(run, shown.scale, shown.model.config.tokenizer, shown.about),
            **payload.columns(run, sent, run.steps, shown.scale),
            **meaning(run),
            "done": True,
        }

    def stop(self, request: gr.Request) -> Payload | Any:
        """What was written until Stop, with its findings."""
        run = self.store.latest_written(session_of(request))
        shown = run and self.shelf.find(run.model)
        if run is None or shown is None:
            return gr.skip()
        run.stop()
        # With the last column the browser sees which before it have not come, and asks for them.
        return self._end(shown, run, run.steps - 1)

    def read(self, text: str, model: str, request: gr.Request | None) -> Payload:
        """Every gate over a person's own text; without a request, the page's own example."""
        asked = self.next_asked()
        try:
            shown = self.shelf.get(model)
            if not text:
                raise UserError("there is no text yet: type or paste some, then press Read")
            token_ids, notes, marks = readable(shown.model, text, "the text")
        except UserError as error:
            return {"error": str(error)}
        run, _ = begin_run(shown, text, token_ids, None, session_of(request))
        self.store.add(run, keep=request is None)
        return whole_payload(shown, run, asked=asked, notes=notes, marks=marks)

    def open_model(
        self, model: str, text: str, request: gr.Request | None
    ) -> tuple[Payload, Payload]:
        """A model's opening text, and what it reads in a person's."""
        asked = self.next_asked()
        try:
            opening = {**self.shelf.get(model).opening_payload(), "asked": asked}
        except UserError as error:
            return {"error": str(error)}, {"error": str(error)}
        return opening, {**self.read(text, model, request), "asked": asked}

    def leave(self, request: gr.Request) -> None:
        """The visitor closed the page: free what they held."""
        self.store.forget(session_of(request))

    # Server functions: called by the workbench's JavaScript with one list, and by anyone who
    # knows a run's id, so everything is checked.

    def exact(self, arguments: object) -> Payload | None:
        """[run, step] -> every signal of that step, exactly."""
        run, numbers = self._checked(arguments, ("step",))
        return None if run is None else payload.exact_step(run, *numbers)

    def inside(self, arguments: object) -> Payload | None:
        """[run, step, layer, unit] -> what that unit does at that step, each sum taken apart."""
        run, numbers = self._checked(arguments, ("step", "layer", "unit"))
        if run is None:
            return None
        return payload.unit_step(run, self.shelf.get(run.model).model.engine, *numbers)

    def ladder(self, arguments: object) -> Payload | None:
        """[run, step] -> every logit after that step, and which tokens they speak of."""
        run, numbers = self._checked(arguments, ("step",))
        if run is None:
            return None
        return payload.next_token(run, self.shelf.get(run.model).model, *numbers)

    def branch(self, arguments: object) -> Payload | None:
        """[run, step, token, settings] -> the text with that token after the step instead.

        Settings are an object: temperature, top_k, top_p, min_p and seed.
        """
        if not isinstance(arguments, list) or len(arguments) != 4:
            return None
        *place, token, settings = arguments
        run, numbers = self._checked(place, ("step",))
        if run is None:
            return None
        shown = self.shelf.get(run.model)
        if type(token) is not int or not 0 <= token < shown.model.config.vocab_size:
            return None
        length = branches.length_of(run, numbers[0])
        try:
            sampling = _sampling(settings, length)
        except ConfigError as error:
            return {"error": str(error)}
        if sampling is None:
            return None
        branch = branches.grow(shown, run, numbers[0], token, sampling)
        self.store.add(branch)
        return branches.branch_payload(shown, run, branch)

    def whatif(self, arguments: object) -> Payload | None:
        """[run, step, change, settings] -> the text written again with the change from there on.

        The change is an object: {"kind": "hold", "signal", "layer", "units", "value"} (units
        null: all), {"kind": "zero"} or {"kind": "text", "text"}. Settings as in `branch`; they
        count where the run was only read, and are null where it was written.
        """
        if not isinstance(arguments, list) or len(arguments) != 4:
            return None
        *place, asked, settings = arguments
        run, numbers = self._checked(place, ("step",))
        if run is None or not isinstance(asked, dict) or numbers[0] < run.own:
            return None
        shown = self.shelf.get(run.model)
        try:
            wanted = _wanted(asked, shown, run, numbers[0])
            given = SamplingConfig() if settings is None else _sampling(settings, 1)
            if wanted is None or given is None:
                return None
            sampling = whatif.sampling_of(run, numbers[0], given)
            return whatif.answer(shown, run, numbers[0], wanted, sampling, self.store)
        except UserError as error:
            return {"error": str(error)}

    def columns(self, arguments: object) -> Payload | None:
        """[run, step] -> up to 512 columns from that step on, for a browser that lost some."""
        run, numbers = self._checked(arguments, ("step",))
        if run is None:
            return None
        scale = self.shelf.get(run.model).scale
        return payload.columns(run, numbers[0], min(run.steps, numbers[0] + 512), scale)

    def order(self, arguments: object) -> Payload | None:
        """[run, signal, layer, order] -> the rows in one of `places.ORDERS`."""
        run, numbers = self._checked(arguments, ("signal", "layer", "order"))
        return None if run is None or not run.steps else order_payload(run, *numbers)

    def saturation(self, arguments: object) -> Payload | None:
        """[run, layer] -> how often each unit's gates were shut and open so far."""
        run, numbers = self._checked(arguments, ("layer",))
        return None if run is None or not run.steps else gates_payload(run.trace(), *numbers)

    def line(self, arguments: object) -> Payload | None:
        """[run, signal, layer, unit] -> one unit's signal over all steps."""
        run, numbers = self._checked(arguments, ("signal", "layer", "unit"))
        return None if run is None else payload.line(run, *numbers)

    def link(self, arguments: object) -> Payload | None:
        """[run, place] -> the query of an address that shows this view again."""
        found = self._place(arguments)
        return None if found is None else told(lambda: link_of(self.store, self.shelf, *found))

    def take(self, arguments: object) -> Payload | None:
        """[run, place, kind] -> a picture, numbers or the text as a file: `downloads.KINDS`."""
        if not isinstance(arguments, list) or arguments[2:] not in [[k] for k in downloads.KINDS]:
            return None
        found = self._place(arguments[:2])
        if found is None:
            return None
        shown = self.shelf.get(found[0].model)
        return told(lambda: downloads.download(shown, found[0], arguments[2], found[1]))

    def _place(self, arguments: object) -> tuple[PageRun, Place] | None:
        """The run and the place in it, of [run, place]; None unless both are there."""
        if not isinstance(arguments, list) or len(arguments) != 2:
            return None
        run = self.store.get(arguments[0])
        place = None if run is None else place_of(run, arguments[1])
        if run is None or place is None or self.shelf.find(run.model) is None:
            return None
        return run, place

    def _checked(self, arguments: object, kinds: tuple[str, ...]) -> tuple[PageRun | None, Any]:
        """The run and the rest of the arguments; None for a run unless all are in range."""
        if not isinstance(arguments, list) or len(arguments) != 1 + len(kinds):
            return None, ()
        run = self.store.get(arguments[0])
        if run is None or self.shelf.find(run.model) is None:
            return None, ()
        limits = {"step": run.steps, "layer": run.layers, "unit": run.units}
        for kind, value in zip(kinds, arguments[1:], strict=True):
            names = {"signal": run.signal_names, "order": ORDERS}.get(kind)
            fits = (
                type(value) is int and 0 <= value < limits[kind]
                if names is None
                else value in names
            )
            if not fits:
                return None, ()
        return run, arguments[1:]


def _sampling(settings: object, length: int) -> SamplingConfig | None:
    """The settings of a browser, checked; None for what no browser of ours would send."""
    if not isinstance(settings, dict) or set(settings) - SETTINGS:
        return None
    return SamplingConfig(**settings, max_new_tokens=length)


def _wanted(
    asked: dict[str, Any], shown: ShownModel, run: PageRun, step: int
) -> whatif.Asked | None:
    """The change that a browser asked for; None for what no browser of ours would send."""
    kind = asked.get("kind")
    if kind == "hold" and set(asked) == {"kind", "signal", "layer", "units", "value"}:
        units = asked["units"]
        if units is not None and not (isinstance(units, list) and len(units) <= run.units):
            return None
        return whatif.hold(run, asked, step)
    if kind == "zero" and set(asked) == {"kind"}:
        return whatif.zero(step)
    if kind == "text" and set(asked) == {"kind", "text"} and isinstance(asked["text"], str):
        if not asked["text"]:
            raise UserError("there is no other text yet: type some, whose state is to be put in")
        token_ids, notes, _ = readable(shown.model, asked["text"], "the other text")
        return whatif.state_of(shown.model, asked["text"], token_ids, step, notes)
    return None


def begin_run(
    shown: ShownModel,
    given: str,
    token_ids: TokenIds,
    sampling: SamplingConfig | None,
    session: str,
    interventions: tuple[Change, ...] = (),
) -> tuple[PageRun, GateTrace]:
    """A run that has read what was given, with room for what the model is to write.

    Raises:
        InterventionError: the model has no such layer, unit or signal.
    """
    trace = trace_tokens(shown.model, token_ids, interventions=interventions)
    length = sampling.max_new_tokens if sampling else 0
    run = new_run(shown.name, shown.model, trace.steps + length, session)
    run.given = given
    run.prompt_steps = trace.steps
    run.sampling = sampling
    run.interventions = interventions
    run.add_trace(trace)
    return run, trace


def _whole(name: str, value: float | None) -> int:
    """A whole number from a number field."""
    if value is not None and math.isfinite(value) and int(value) == value:
        return int(value)
    shown = "empty" if value is None else f"{value:g}"
    raise ConfigError(f"{name.replace('_', ' ')} is {shown}: give a whole number")
