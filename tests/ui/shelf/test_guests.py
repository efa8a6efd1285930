"""Models that visitors load: who may, how large, how many, and what is told on the way."""

import threading
from collections.abc import Callable
from pathlib import Path

import gradio as gr
import pytest

from lstm_lm.errors import ConfigError, UserError
from lstm_lm.store.loading import save
from lstm_lm.ui.shelf.guests import LARGEST, GuestRules, Guests, rules_from
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import PageRun, RunStore
from lstm_lm.ui.views.load.component import hub_field
from lstm_lm.ui.views.workbench.view import Handlers
from tests.conftest import tiny_model

OWN = GuestRules(allowed=True, own_token=True)
CLOSED = GuestRules(allowed=False, largest=LARGEST)
OPEN = GuestRules(allowed=True, largest=LARGEST)


class FakeHub:
    """Stands for `hub.download.fetch`: tells of three megabytes, and waits after the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[str, str | None, int | None, bool]] = []
        self.go_on = threading.Event()

    def __call__(
        self,
        repo_id: str,
        revision: str | None,
        *,
        largest: int | None,
        token: bool,
        progress: Callable[[int, int], None],
    ) -> Path:
        self.asked.append((repo_id, revision, largest, token))
        progress(1_000_000, 3_000_000)
        assert self.go_on.wait(60)
        progress(3_000_000, 3_000_000)
        if repo_id == "ada/gone":
            raise UserError("no model 'ada/gone'")
        if repo_id == "ada/bug":
            raise RuntimeError("our own mistake")
        return self.folder


@pytest.fixture
def fake(tmp_path: Path) -> FakeHub:
    save(tiny_model(), tmp_path / "model")
    hub = FakeHub(tmp_path / "model")
    hub.go_on.set()
    return hub


class Asking:
    """Whether who is asking is at this machine."""

    def __init__(self, here: bool) -> None:
        self.here = here

    def __call__(self) -> bool:
        return self.here


AT_HOME = Asking(here=True)


def make(
    fake: FakeHub, rules: GuestRules, asking: Callable[[], bool] = AT_HOME
) -> tuple[Guests, ModelShelf, RunStore]:
    store = RunStore()
    shelf = ModelShelf([str(fake.folder)], store, asking)
    return Guests(shelf, rules, fake), shelf, store


@pytest.mark.parametrize(
    ("environment", "host", "share", "rules"),
    [
        ({}, None, False, OWN),
        ({}, "127.0.0.1", False, OWN),
        ({"LSTM_LM_OPEN": "0"}, None, False, OWN),
        # Served to others: their wishes are not the owner's.
        ({}, "0.0.0.0", False, CLOSED),
        ({}, None, True, CLOSED),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, None, False, CLOSED),
        ({"SPACE_ID": "ada/page"}, None, False, CLOSED),
        ({"SPACE_ID": "ada/page", "LSTM_LM_OPEN": "0"}, None, False, CLOSED),
        ({"SPACE_ID": "ada/page", "LSTM_LM_OPEN": ""}, None, False, CLOSED),
        ({"SPACE_ID": "ada/page", "LSTM_LM_OPEN": "1"}, None, False, OPEN),
        ({"LSTM_LM_OPEN": "1"}, "0.0.0.0", False, OPEN),
        # Behind a reverse proxy, whose visitors come from 127.0.0.1 as the owner does.
        ({"GRADIO_ROOT_PATH": "/lstm"}, None, False, CLOSED),
        ({"GRADIO_ROOT_PATH": "https://example.org/lstm"}, "127.0.0.1", False, CLOSED),
        ({"GRADIO_ROOT_PATH": "/"}, "localhost", False, CLOSED),
        ({"GRADIO_ROOT_PATH": "/lstm", "LSTM_LM_OPEN": "1"}, None, False, OPEN),
        ({"FORWARDED_ALLOW_IPS": "*"}, None, False, CLOSED),
        ({"GRADIO_ROOT_PATH": ""}, None, False, OWN),
    ],
)
def test_who_may_load_what(
    environment: dict[str, str], host: str | None, share: bool, rules: GuestRules
) -> None:
    assert rules_from(environment, host=host, share=share) == rules
    few = rules_from({**environment, "LSTM_LM_OPEN_MODELS": "2"}, host=host, share=share)
    assert (few.kept, few.allowed) == (2, rules.allowed)


def test_who_comes_from_elsewhere_never_gets_the_owners_rules() -> None:
    own = rules_from({}, host=None, share=False)
    assert own.for_visit(from_this_machine=True) == OWN
    assert own.for_visit(from_this_machine=False) == CLOSED
    opened = rules_from({"LSTM_LM_OPEN": "1"}, host=None, share=False)
    assert opened.for_visit(from_this_machine=True).own_token
    assert opened.for_visit(from_this_machine=False) == OPEN
    for rules in (OPEN, CLOSED):
        assert rules.for_visit(from_this_machine=True) == rules


@pytest.mark.parametrize("value", ["many", "0", "-1", "2.5", "", "²"])
def test_a_number_of_models_that_makes_no_sense_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match=r"LSTM_LM_OPEN_MODELS is .*: give a whole number"):
        rules_from({"LSTM_LM_OPEN_MODELS": value}, host=None, share=False)


def test_a_visitor_is_told_how_far_a_model_is(fake: FakeHub) -> None:
    fake.go_on.clear()
    guests, shelf, _ = make(fake, OPEN)
    steps = guests.load(" ada/small@v1.0 ")
    assert next(steps).told == "ada/small@v1.0: asking the Hub"
    far = next(steps)
    assert (far.told, far.share) == ("ada/small@v1.0: 1.0 of 3.0 MB", pytest.approx(1 / 3))
    fake.go_on.set()
    *_, reading, end = steps
    assert reading.told == "ada/small@v1.0: reading it, and writing its first text"
    assert (end.told, end.name) == ("ada/small@v1.0 is loaded.", "ada/small@v1.0")
    assert shelf.get("ada/small@v1.0").model.config.hidden_size == 8


@pytest.mark.parametrize(("rules", "token"), [(OWN, True), (OPEN, False)])
def test_the_token_of_the_owner_is_used_for_the_owner_alone(
    fake: FakeHub, rules: GuestRules, token: bool
) -> None:
    guests, _, _ = make(fake, rules)
    list(guests.load("ada/small"))
    assert fake.asked == [("ada/small", None, rules.largest, token)]


def test_the_token_is_not_used_for_who_came_through_a_proxy(fake: FakeHub) -> None:
    asking = Asking(here=False)
    guests, shelf, _ = make(fake, OWN, asking)
    (end,) = guests.load("ada/small")
    assert (end.failed, fake.asked) == (True, [])
    assert end.told == "this page shows only the models that its owner chose"
    opened = GuestRules(allowed=True, own_token=True, allowed_from_elsewhere=True)
    list(Guests(shelf, opened, fake).load("ada/small"))
    assert fake.asked == [("ada/small", None, LARGEST, False)]
    asking.here = True
    list(guests.load("ada/other"))
    assert fake.asked[1:] == [("ada/other", None, None, True)]


def test_what_the_owner_loaded_with_the_token_is_there_for_the_owner_alone(fake: FakeHub) -> None:
    asking = Asking(here=True)
    guests, shelf, store = make(fake, OWN, asking)
    handlers = Handlers(shelf, store)
    list(guests.load("ada/private"))
    run = handlers.read("abc", "ada/private", gr.Request(session_hash="me"))["run"]
    assert shelf.everywhere() == [*shelf.names, "ada/private"]
    assert handlers.exact([run, 1])
    asking.here = False
    with pytest.raises(UserError, match=r"^no model 'ada/private' here: choose from \S+$"):
        shelf.get("ada/private")
    assert shelf.everywhere() == shelf.names
    assert handlers.exact([run, 1]) is None
    asking.here = True
    assert shelf.get("ada/private").name == "ada/private"


def test_a_page_that_is_not_open_asks_the_hub_for_nothing(fake: FakeHub) -> None:
    guests, _, _ = make(fake, CLOSED)
    (end,) = guests.load("ada/small")
    assert end.failed
    assert end.told == "this page shows only the models that its owner chose"
    assert fake.asked == []


def test_what_is_on_offer_is_chosen_without_asking(fake: FakeHub) -> None:
    guests, shelf, _ = make(fake, OPEN)
    (end,) = guests.load(shelf.names[0])
    assert (end.name, fake.asked) == (shelf.names[0], [])


def test_only_so_many_are_kept_and_the_one_unused_longest_goes(fake: FakeHub) -> None:
    guests, shelf, store = make(fake, GuestRules(allowed=True, kept=2))
    list(guests.load("ada/one"))
    list(guests.load("ada/two"))
    openings = {name: shelf.get(name).opening.run_id for name in ("ada/two", "ada/one")}
    list(guests.load("ada/three"))
    with pytest.raises(UserError, match=r"no model 'ada/two' here: .* or load it again"):
        shelf.get("ada/two")
    assert store.get(openings["ada/two"]) is None
    assert store.get(openings["ada/one"]) is shelf.get("ada/one").opening
    list(guests.load("ada/two"))
    assert shelf.get("ada/two").name == "ada/two"


def test_what_a_model_wrote_goes_with_it(fake: FakeHub) -> None:
    """Another revision may come under its name, whose numbers those runs do not have."""
    guests, shelf, store = make(fake, GuestRules(allowed=True, kept=1))
    handlers = Handlers(shelf, store)
    list(guests.load("ada/one"))
    request = gr.Request(session_hash="me")
    (mine, other) = (handlers.read("abc", name, request) for name in ("ada/one", shelf.names[0]))
    late = PageRun(model="ada/one", cell="lstm", capacity=1, layers=2, units=8, session="me")
    assert handlers.exact([mine["run"], 1])
    list(guests.load("ada/two"))
    store.add(late)  # a text that was being written when its model went
    late.add_trace(tiny_model().trace("a"))
    list(guests.load("ada/three"))
    assert handlers.exact([mine["run"], 1]) is None
    assert handlers.columns([late.run_id, 0]) is None
    assert handlers.columns([other["run"], 0])


def test_loading_a_model_again_takes_no_second_place(fake: FakeHub) -> None:
    guests, shelf, store = make(fake, GuestRules(allowed=True, kept=2))
    for name in ("ada/one", "ada/two", "ada/two"):
        list(guests.load(name))
    assert shelf.get("ada/one").name == "ada/one"
    assert len(store) == 2


def test_an_error_is_told_and_a_mistake_of_ours_is_also_raised(fake: FakeHub) -> None:
    guests, _, _ = make(fake, OPEN)
    *_, end = guests.load("ada/gone")
    assert (end.told, end.failed) == ("no model 'ada/gone'", True)
    steps = guests.load("ada/bug")
    told = next(step for step in steps if step.failed)
    assert told.told == "ada/bug cannot be loaded"
    with pytest.raises(RuntimeError, match="our own mistake"):
        next(steps)


@pytest.mark.parametrize("rules", [OWN, OPEN, CLOSED])
def test_a_page_that_is_not_open_has_no_way_in(fake: FakeHub, rules: GuestRules) -> None:
    guests, _, _ = make(fake, rules)
    with gr.Blocks() as page:
        field = hub_field(gr.Dropdown(), guests, lambda names, mine: [], ["one is gone."])
    events = page.get_config_file().get("dependencies", [])
    assert len(events) == rules.allowed
    assert all(event["api_visibility"] == "private" for event in events)
    assert field.value == {"told": "one is gone.", "state": "error", "share": None}
    assert field.elem_classes == ([] if rules.allowed else ["closed"])
