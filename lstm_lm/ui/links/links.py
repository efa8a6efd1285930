"""Links that reproduce a view: a view <-> the query of a web address.

The query is plain to read, names only what is needed, and counts steps, layers and units from 0:

    show=write&model=shakespeare-char&weights=0a1b...&text=ROMEO:&length=320&temperature=0.6&seed=1
    &signal=cell_state&layer=0&order=alike&step=43&unit=69

or, of a unit's page, which needs no text:

    show=unit&model=shakespeare-char&weights=0a1b...&layer=0&unit=258

or, of a span of the text that a model writes first, in which is searched:

    show=find&model=shakespeare-char&weights=0a1b...&layer=0&signal=cell_state&from=1877&to=1891
    &threshold=0.85&off=before

`threshold` is left out where it is chosen for the person, `off` (before, after or none) where the
units are to be off on both sides of the span.

`revision` is the commit of a model from the Hub; `weights` the first digits of the sha256 of
model.safetensors; `top_k`, `top_p` and `min_p` stand where they are set; `interventions` is JSON,
a list of {"signal", "layer", "units", "value", "start", "stop"}, {"zero", "layer"} and {"read",
"start", "layer"}: the state that the text `read` leaves. Whoever made a query may be hostile:
everything is checked, by the classes that hold it where there is one. Knows nothing of models on
this machine, or of gradio.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from lstm_lm.cells.interventions import Change, Intervention, StateChange
from lstm_lm.cells.signals import VOCABULARY
from lstm_lm.config import SamplingConfig
from lstm_lm.errors import LinkError, UserError, shown
from lstm_lm.ui.links.places import ORDERS
from lstm_lm.ui.views.workbench.changes import StateOfText

LONGEST = 6_000
"""Characters of a query: servers and chat programs cut or refuse what is much longer."""
MOST_INTERVENTIONS = 16  # each is written again
OF_TEXTS = ("write", "read")


@dataclass(frozen=True, kw_only=True)
class Link:
    """All that a view needs to be shown again, where there is the same model."""

    show: str
    """write or read."""
    model: str
    """The name of the model on any machine: bundled, OWNER/NAME, or a folder's last part."""
    revision: str | None = None
    """The commit of a model from the Hub."""
    weights: str = ""
    """The first digits of the sha256 of its weights."""
    text: str
    """The prompt, or the text that is read."""
    sampling: SamplingConfig | None = None
    """How the text was written; None where it was only read."""
    interventions: Sequence[Change] = ()
    """What was held, zeroed or put in place on the way; of a text, before a model has read it."""
    signal: str
    layer: int = 0
    order: str = "alike"
    """Of the rows: one of `places.ORDERS`."""
    step: int | None = None
    """The step that is pinned."""
    unit: int | None = None
    """The unit that is shown."""


@dataclass(frozen=True, kw_only=True)
class UnitLink:
    """A unit of a model, wherever there is the same model."""

    model: str
    """As in `Link`, and so are the next two."""
    revision: str | None = None
    weights: str = ""
    layer: int
    unit: int


@dataclass(frozen=True, kw_only=True)
class FindLink:
    """A span of the reference text of a model, wherever there is the same model."""

    model: str
    """As in `Link`, and so are the next two."""
    revision: str | None = None
    weights: str = ""
    layer: int
    signal: str
    start: int
    stop: int
    threshold: float | None = None
    """None: it is chosen for the person."""
    before: bool = True
    """Whether the units are to be off just before the span."""
    after: bool = True


def find_address(model: str, revision: str | None, weights: str) -> str:
    """How the query of a link to a span of the model's text begins."""
    return _query(_head("find", model, revision, weights))


def decode_find(query: Mapping[str, str]) -> FindLink | None:
    """The link to a span that a query holds; None where it holds none.

    Raises:
        LinkError: it is wrong; one line says where.
    """
    if query.get("show") != "find":
        return None
    off = _one_of(query, "off", ("before", "after", "none")) if "off" in query else None
    return FindLink(
        **_model(query),
        layer=_whole(query, "layer"),
        signal=_one_of(query, "signal", tuple(VOCABULARY)),
        start=_whole(query, "from"),
        stop=_whole(query, "to"),
        threshold=_number(query, "threshold") if "threshold" in query else None,
        before=off in (None, "before"),
        after=off in (None, "after"),
    )


def encode_unit(link: UnitLink) -> str:
    """The query, without a question mark; layer and unit come last."""
    head = _head("unit", link.model, link.revision, link.weights)
    return _query({**head, "layer": link.layer, "unit": link.unit})


def decode_unit(query: Mapping[str, str]) -> UnitLink | None:
    """The link to a unit that a query holds; None where it holds none, or one to a text.

    Raises:
        LinkError: it is wrong; one line says where.
    """
    if query.get("show") != "unit":
        return None
    return UnitLink(**_model(query), layer=_whole(query, "layer"), unit=_whole(query, "unit"))


def encode(link: Link) -> str:
    """The query, without a question mark.

    Raises:
        LinkError: it would be too long, or a state is part of it that is no text's.
    """
    fields = {**_head(link.show, link.model, link.revision, link.weights), "text": link.text}
    if link.sampling is not None:
        sampling = link.sampling
        fields |= {"length": sampling.max_new_tokens, "temperature": float(sampling.temperature)}
        fields |= {"top_k": sampling.top_k, "top_p": sampling.top_p, "min_p": sampling.min_p}
        fields["seed"] = sampling.seed
    if link.interventions:
        changes = [_change_to_json(change) for change in link.interventions]
        fields["interventions"] = json.dumps(changes, separators=(",", ":"))
    fields |= {"signal": link.signal, "layer": link.layer, "order": link.order}
    fields |= {"step": link.step, "unit": link.unit}
    try:
        query = _query(fields)
    except UnicodeEncodeError:
        raise LinkError("the text holds half a character (a lone surrogate): no link can") from None
    if len(query) > LONGEST:
        raise LinkError(
            f"the text is too long for a link ({len(query):,} characters of at most {LONGEST:,} "
            "when written as an address): take it away as TXT"
        )
    return query


def decode(query: Mapping[str, str]) -> Link | None:
    """The link to a text that a query holds; None where it holds none.

    What else stands there is ignored; `decode_unit` and `decode_find` read the others.

    Raises:
        LinkError: it is wrong; one line says where.
    """
    if "show" not in query:
        return None
    if sum(len(name) + len(value) for name, value in query.items()) > LONGEST:
        raise LinkError(f"it is longer than {LONGEST:,} characters")
    show = query["show"]
    if show not in OF_TEXTS:
        raise LinkError(f"{_found('show', show)}: it can be {', '.join(OF_TEXTS)}, unit, find")
    try:
        sampling = _sampling(query) if show == "write" else None
        interventions = _changes(query.get("interventions", "[]"))
    except LinkError:
        raise
    except UserError as error:  # of the classes that hold them
        raise LinkError(str(error)) from None
    return Link(
        show=show,
        **_model(query),
        text=query.get("text", ""),
        sampling=sampling,
        interventions=interventions,
        signal=_one_of(query, "signal", tuple(VOCABULARY)),
        layer=_whole(query, "layer", 0),
        order=_one_of(query, "order", ORDERS),
        step=_whole(query, "step") if "step" in query else None,
        unit=_whole(query, "unit") if "unit" in query else None,
    )


def _head(show: str, model: str, revision: str | None, weights: str) -> dict[str, Any]:
    """How every query begins: what is shown, and of which model."""
    return {"show": show, "model": model, "revision": revision, "weights": weights or None}


def _query(fields: Mapping[str, Any]) -> str:
    """The fields that have a value, as a query."""
    return urlencode({name: value for name, value in fields.items() if value is not None})


def _model(query: Mapping[str, str]) -> dict[str, Any]:
    """Which model it is, as the links' own fields have it."""
    return {
        "model": _matching(query, "model", r"[^\x00-\x1f]{1,200}"),
        "revision": _matching(query, "revision", "[0-9a-f]{40}") if "revision" in query else None,
        "weights": _matching(query, "weights", "[0-9a-f]{12}") if "weights" in query else "",
    }


def _sampling(query: Mapping[str, str]) -> SamplingConfig:
    settings: dict[str, Any] = {"max_new_tokens": _whole(query, "length")}
    settings |= {"seed": _whole(query, "seed"), "temperature": _number(query, "temperature")}
    if "top_k" in query:
        settings["top_k"] = _whole(query, "top_k")
    for name in ("top_p", "min_p"):
        if name in query:
            settings[name] = _number(query, name)
    return SamplingConfig(**settings)


def _change_to_json(change: Change) -> dict[str, Any]:
    if isinstance(change, StateOfText):
        return {"read": change.text, "start": change.start, "layer": change.layer}
    if isinstance(change, StateChange):
        if change.state is not None:
            raise LinkError("a state of no text is part of this view: no link can hold it")
        return {"zero": change.start, "layer": change.layer}
    return {
        "signal": change.signal,
        "layer": change.layer,
        "units": None if change.units is None else list(change.units),
        "value": change.value,
        "start": change.start,
        "stop": change.stop,
    }


def _changes(text: str) -> tuple[Change, ...]:
    """The interventions that a JSON text lists.

    Raises:
        InterventionError: one of them cannot be.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise LinkError(f"interventions is {shown(text)}: that is no JSON") from None
    if not isinstance(data, list) or len(data) > MOST_INTERVENTIONS:
        raise LinkError(f"interventions is no list of up to {MOST_INTERVENTIONS}")
    return tuple(_change_from_json(each) for each in data)


def _change_from_json(data: object) -> Change:
    match data:
        case {"zero": start, **rest} if set(rest) <= {"layer"}:
            return StateChange(start, layer=rest.get("layer"))
        case {"read": str(text), "start": start, **rest} if set(rest) <= {"layer"}:
            return StateOfText(start, text=text, layer=rest.get("layer"))
        case {"signal": str(signal), **rest} if set(rest) <= {
            "layer", "units", "value", "start", "stop",
        }:  # fmt: skip
            return Intervention(signal, **rest)
    raise LinkError('an intervention is {"signal", "layer", "units", "value", "start", "stop"}')


def _one_of(query: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    value = query.get(name)
    if value is None or value not in choices:
        raise LinkError(f"{_found(name, value)}: it can be {', '.join(choices)}")
    return value


def _matching(query: Mapping[str, str], name: str, pattern: str) -> str:
    value = query.get(name)
    if value is None or not re.fullmatch(pattern, value):
        raise LinkError(_found(name, value))
    return value


def _whole(query: Mapping[str, str], name: str, default: int | None = None) -> int:
    value = query.get(name)
    if value is None and default is not None:
        return default
    if value is None or not re.fullmatch("[0-9]{1,19}", value):
        raise LinkError(f"{_found(name, value)}: it has to be a whole number from 0")
    return int(value)


def _number(query: Mapping[str, str], name: str) -> float:
    value = query.get(name)
    if value is None or not re.fullmatch(r"[0-9.]{1,32}(e[+-]?[0-9]{1,3})?", value):
        raise LinkError(f"{_found(name, value)}: it has to be a number from 0")
    try:
        number = float(value)
    except ValueError:  # two points
        number = math.inf
    if math.isinf(number):
        raise LinkError(f"{_found(name, value)}: it has to be a number from 0")
    return number


def _found(name: str, value: str | None) -> str:
    return f"{name} is missing" if value is None else f"{name} is {shown(value)}"
