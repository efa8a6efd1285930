"""Links: what a view is survives the address, what is wrong is said, the same text comes back."""

import dataclasses
import math
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lm.cells.interventions import Intervention, StateChange
from lstm_lm.cells.signals import VOCABULARY
from lstm_lm.config import LARGEST_SEED, SamplingConfig
from lstm_lm.errors import LinkError, UserError
from lstm_lm.store.loading import save
from lstm_lm.ui.links.links import LONGEST, Link, decode, encode
from lstm_lm.ui.links.reopening import Reopened, refused, reopen
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.views.workbench.changes import StateOfText
from lstm_lm.ui.views.workbench.view import Handlers
from tests import tolerance
from tests.conftest import tiny_model

WHOLE = st.integers(0, 10**6)
SHARE = st.floats(0, 1, exclude_min=True)


@st.composite
def interventions(draw: st.DrawFn) -> Intervention:
    signal = draw(st.sampled_from(list(VOCABULARY.values())))
    bounds = [each if math.isfinite(each) else None for each in (signal.low, signal.high)]
    start = draw(WHOLE)
    return Intervention(
        signal.name,
        layer=draw(st.integers(0, 9)),
        units=draw(st.none() | st.lists(WHOLE, min_size=1, max_size=5)),
        value=draw(st.floats(*bounds, allow_nan=False, allow_infinity=False)),
        start=start,
        stop=draw(st.none() | st.integers(start + 1, 10**7)),
    )


SAMPLINGS = st.builds(
    SamplingConfig,
    max_new_tokens=WHOLE,
    temperature=st.floats(0, 10**6),
    top_k=st.none() | WHOLE,
    top_p=st.none() | SHARE,
    min_p=st.none() | st.floats(0, 1),
    seed=st.integers(0, LARGEST_SEED),
)


@st.composite
def links(draw: st.DrawFn) -> Link:
    sampling = draw(st.none() | SAMPLINGS)
    return Link(
        show="read" if sampling is None else "write",
        model=draw(st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=40)),
        revision=draw(st.none() | st.text("0123456789abcdef", min_size=40, max_size=40)),
        weights=draw(st.text("0123456789abcdef", min_size=12, max_size=12)),
        text=draw(st.text(max_size=200)),
        sampling=sampling,
        interventions=tuple(draw(st.lists(interventions(), max_size=3))),
        signal=draw(st.sampled_from(list(VOCABULARY))),
        layer=draw(WHOLE),
        order=draw(st.sampled_from(["index", "alike"])),
        step=draw(st.none() | WHOLE),
        unit=draw(st.none() | WHOLE),
    )


def query_of(link: Link) -> dict[str, str]:
    """The query as a server reads it."""
    return dict(parse_qsl(encode(link), keep_blank_values=True, strict_parsing=True))


PLAIN = Link(
    show="write", model="m", weights="0123456789ab", text="a b", signal="cell_state",
    sampling=SamplingConfig(max_new_tokens=9, temperature=0.5, seed=3), step=4, unit=2,
)  # fmt: skip


@settings(max_examples=25)
@given(links())
def test_a_link_comes_back_from_its_query_as_it_was(link: Link) -> None:
    assert decode(query_of(link)) == link


def test_a_state_put_to_zero_comes_back() -> None:
    link = dataclasses.replace(PLAIN, interventions=(StateChange(3), StateChange(5, layer=1)))
    found = decode(query_of(link))
    assert found
    assert [(c.start, c.layer, c.state) for c in found.interventions if isinstance(c, StateChange)]
    assert [(c.start, c.layer) for c in found.interventions] == [(3, None), (5, 1)]


def test_the_text_whose_state_is_put_in_place_comes_back() -> None:
    changes = (StateOfText(3, text="a head"), StateOfText(5, text="é\n", layer=1))
    found = decode(dict(parse_qsl(encode(dataclasses.replace(PLAIN, interventions=changes)))))
    assert found
    texts = [c for c in found.interventions if isinstance(c, StateOfText)]
    assert [(c.start, c.text, c.layer) for c in texts] == [(3, "a head", None), (5, "é\n", 1)]


def test_what_no_link_can_hold_is_said() -> None:
    state = (torch.zeros(1, 1, 2), torch.zeros(1, 1, 2))
    for changes, message in (
        ({"text": "é" * LONGEST}, f"too long for a link .36,.* of at most {LONGEST:,}"),
        ({"interventions": (StateChange(3, state),)}, "state of no text"),
        ({"text": "a\ud800"}, "lone surrogate"),
    ):
        with pytest.raises(LinkError, match=message):
            encode(dataclasses.replace(PLAIN, **changes))  # pyright: ignore[reportArgumentType]


@given(st.dictionaries(st.sampled_from([*query_of(PLAIN), "interventions", "top_p"]), st.text()))
def test_a_changed_query_gives_a_link_or_one_line(changes: dict[str, str]) -> None:
    message = ""
    try:
        found = decode(query_of(PLAIN) | changes)
    except LinkError as error:
        found, message = None, str(error)
    assert found or message
    assert "\n" not in message
    assert len(message) < 500


def test_an_address_without_a_link_is_none_and_other_parameters_are_ignored() -> None:
    assert decode({}) is None
    assert decode({"__theme": "dark", "text": "a"}) is None
    assert decode(query_of(PLAIN) | {"__theme": "dark", "utm_source": "x"}) == PLAIN


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("show", "training", "show is 'training': it can be write, read"),
        ("signal", "<img src=x onerror=alert(1)>", "signal is '<img .*: it can be input_gate"),
        ("signal", None, "signal is missing"),
        ("seed", "-1", "seed is '-1': it has to be a whole number from 0"),
        ("seed", "٣", "seed is '٣': it has to be a whole number"),
        ("seed", "9" * 19, "seed is"),
        ("length", "1e9", "length is '1e9'"),
        ("temperature", "nan", "temperature is 'nan': it has to be a number from 0"),
        ("temperature", "1e999", "temperature is '1e999'"),
        ("temperature", "1.2.3", "temperature is '1.2.3'"),
        ("top_p", "7", "top_p is 7"),
        ("weights", "../../x", "weights is"),
        ("revision", "main", "revision is 'main'"),
        ("step", "5.0", "step is '5.0'"),
        ("model", "a\nb", "model is"),
        ("interventions", "[" * 2000, "interventions is .*: that is no JSON"),
        ("interventions", "{}", "interventions is no list"),
        ("interventions", '[{"signal":"x"}]', "'x' is no signal"),
        ("interventions", '[{"signal":"forget_gate","value":NaN}]', "forget_gate held at nan"),
        ("interventions", '[{"signal":"forget_gate","__class__":1}]', "an intervention is"),
        ("interventions", "[1]", "an intervention is"),
        ("text", "a" * LONGEST, "it is longer than 6,000 characters"),
    ],
)
def test_a_wrong_link_is_refused_in_a_line_that_says_where(
    name: str, value: str | None, message: str
) -> None:
    query = query_of(PLAIN)
    if value is None:
        del query[name]
    else:
        query[name] = value
    with pytest.raises(LinkError, match=message):
        decode(query)


# From a run on the page to a link, and on another page back to the same run.


def handlers_of(folder: Any) -> Handlers:
    store = RunStore()
    return Handlers(ModelShelf([str(folder)], store), store)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The same model in two places, and one with other weights by the same name."""
    places = [tmp_path_factory.mktemp(name) / "tiny" for name in ("here", "there", "other")]
    for place, seed in zip(places, (1, 1, 2), strict=True):
        save(tiny_model(scale=2.0, seed=seed), place)
    return [str(place) for place in places]


def place(**changes: Any) -> dict[str, Any]:
    return {
        "signal": "forget_gate", "layer": 1, "order": "index", "start": 0, "stop": 4,
        "step": 3, "unit": 5,
    } | changes  # fmt: skip


def opened(handlers: Handlers, query: str) -> Reopened:
    found = reopen(handlers, dict(parse_qsl(query, keep_blank_values=True)), "visitor")
    assert found
    return found


WRITTEN = {
    "show": "write", "model": "tiny", "text": "ab c", "length": "30", "temperature": "1.1",
    "top_k": "6", "seed": "7", "signal": "candidate", "order": "alike", "step": "2", "unit": "1",
}  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        WRITTEN,
        WRITTEN | {"text": ""},
        WRITTEN | {"interventions": '[{"signal":"forget_gate","value":0.0,"start":9}]'},
        WRITTEN | {"interventions": '[{"zero":2,"layer":0}]'},
        WRITTEN | {"interventions": '[{"read":"a head","start":9}]'},
        {k: v for k, v in WRITTEN.items() if k not in ("length", "temperature", "top_k", "seed")}
        | {"show": "read"},
    ],
)
def test_the_link_of_a_run_gives_the_same_run_on_another_machine(
    folders: list[str], query: dict[str, str]
) -> None:
    here, there = handlers_of(folders[0]), handlers_of(folders[1])
    first = reopen(here, query, "visitor")
    assert first
    answer = here.link([first.payload["run"], place()])
    assert answer
    assert "/" not in parse_qs(answer["query"])["model"][0]  # no path of this machine
    second = opened(there, answer["query"])
    runs = [here.store.get(first.payload["run"]), there.store.get(second.payload["run"])]
    assert runs[0]
    assert runs[1]
    assert runs[0].token_ids == runs[1].token_ids
    np.testing.assert_array_equal(runs[0].values[: runs[0].steps], runs[1].values[: runs[1].steps])
    assert runs[1].sampling == runs[0].sampling
    assert runs[1].session == "visitor"
    assert second.text == query["text"]
    assert second.payload["view"] == {
        "signal": "forget_gate", "layer": 1, "order": "index", "step": 3, "unit": 5,
    }  # fmt: skip
    assert there.link([second.payload["run"], place()]) == answer


def test_interventions_change_what_is_written(folders: list[str]) -> None:
    here = handlers_of(folders[0])
    held = WRITTEN | {"interventions": '[{"signal":"forget_gate","value":0.0,"start":9}]'}
    runs = []
    for query in (WRITTEN, held):
        found = reopen(here, query, "")
        assert found
        runs.append(here.store.get(found.payload["run"]))
    row = runs[0].signal_names.index("forget_gate")
    assert (runs[1].values[9:34, row, 0] == 0).all()
    assert (runs[1].values[:9] == runs[0].values[:9]).all()
    assert (runs[0].values[9:34, row, 0] > 0).all()
    read = {k: v for k, v in held.items() if k in ("model", "signal", "order", "interventions")}
    for query, done in ((held, "Written"), (read | {"show": "read", "text": "abc"}, "Read")):
        found = reopen(here, query, "")
        assert found
        assert found.payload["notes"] == [
            f"{done} with the forget gate of all 8 units of layer 1 held at 0 from step 10 on."
        ]


def test_a_text_that_was_stopped_is_linked_as_long_as_it_is(folders: list[str]) -> None:
    here = handlers_of(folders[0])
    run = here.shelf.get(folders[0]).opening
    stopped = dataclasses.replace(run, run_id="stopped", tokens=run.tokens[:12])
    stopped.values[:] = run.values
    here.store.add(stopped)
    answer = here.link(["stopped", place()])
    assert answer
    again = here.store.get(opened(here, answer["query"]).payload["run"])
    assert again
    assert again.token_ids == run.token_ids[:12]


def test_other_weights_by_the_same_name_are_said(folders: list[str]) -> None:
    here, other = handlers_of(folders[0]), handlers_of(folders[2])
    answer = here.link([here.shelf.get(folders[0]).opening.run_id, place()])
    assert answer
    notes = opened(other, answer["query"]).payload["notes"]
    assert notes[0].startswith("The model 'tiny' here has other weights than the one")
    assert not any("weights" in note for note in opened(here, answer["query"]).payload["notes"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "another"}, "it needs the model 'another', which is not here: start the page"),
        ({"length": "2001"}, "length is 2001: the page writes 1 to 2,000"),
        ({"layer": "2"}, "layer is 2: here it can be 0 to 1"),
        ({"step": "34"}, "step is 34: here it can be 0 to 33"),
        ({"unit": "8"}, "unit is 8: here it can be 0 to 7"),
        ({"interventions": '[{"signal":"forget_gate","layer":2}]'}, "no layer 2: this model has"),
        ({"show": "read", "text": ""}, "text is missing"),
        ({"text": "a" * 5000}, "the prompt has 5,000 tokens"),
    ],
)
def test_what_this_page_cannot_show_is_said_and_nothing_is_kept(
    folders: list[str], changes: dict[str, str], message: str
) -> None:
    here = handlers_of(folders[0])
    here.shelf.get(folders[0])
    held = len(here.store)
    with pytest.raises(UserError, match=message) as error:
        reopen(here, WRITTEN | changes, "")
    assert len(here.store) == held
    shown = refused(here, folders[0], error.value)
    assert shown["run"] == here.shelf.get(folders[0]).opening.run_id
    assert shown["notes"][0].startswith("This link cannot be shown: ")


def test_a_branch_is_no_link(folders: list[str]) -> None:
    here = handlers_of(folders[0])
    run = here.shelf.get(folders[0]).opening
    settings = {"temperature": 1.0, "top_k": None, "top_p": None, "min_p": None, "seed": 1}
    branch = here.branch([run.run_id, 5, 1, settings])
    assert branch
    answer = here.link([branch["run"], place()])
    assert answer
    assert answer["error"].startswith("a branch, or what was written on after a text")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"kind": "hold", "signal": "forget_gate", "layer": 1, "units": [2, 5], "value": 0},
            "Written with the forget gate of units 2 and 5 of layer 2 held at 0 from step 9 on.",
        ),
        ({"kind": "zero"}, "Written with the state zeroed before step 9."),
        (
            {"kind": "text", "text": "a head\nfade"},
            "Written with the state after reading “a head↵fade” put in place before step 9.",
        ),
    ],
)
def test_the_link_of_what_was_written_again_with_a_change_writes_it_so_again(
    folders: list[str], change: dict[str, Any], told: str
) -> None:
    here, there = handlers_of(folders[0]), handlers_of(folders[1])
    run = here.shelf.get(folders[0]).opening
    again = here.whatif([run.run_id, 8, change, None])
    assert again
    answer = here.link([again["run"], place()])
    assert answer
    found = opened(there, answer["query"])
    assert found.payload["notes"][-1] == told
    first, second = here.store.get(again["run"]), there.store.get(found.payload["run"])
    assert first
    assert second
    assert second.token_ids == first.token_ids
    assert second.token_ids != run.token_ids
    near = tolerance.states(here.shelf.get(folders[0]).model)
    np.testing.assert_allclose(second.values, first.values[: first.steps], rtol=0, atol=near)


def test_a_place_that_is_not_in_the_run_is_answered_with_nothing(folders: list[str]) -> None:
    here = handlers_of(folders[0])
    run = here.shelf.get(folders[0]).opening.run_id
    assert here.link([run, place(step=None, unit=None)])
    wrong: list[dict[str, Any]] = [
        {"layer": 2}, {"layer": True}, {"step": -1}, {"step": 10**6}, {"unit": 8}, {"unit": "0"},
        {"start": 4}, {"stop": 10**6}, {"stop": None}, {"order": "x"}, {"signal": []}, {"more": 1},
    ]  # fmt: skip
    for changes in wrong:
        assert here.link([run, place(**changes)]) is None, changes
        assert here.take([run, place(**changes), "all.csv"]) is None, changes
    for arguments in (None, [], [run], [run, None], ["another", place()], [run, place(), 1]):
        assert here.link(arguments) is None
