"""Turns at heavy work: one at a time, a quick series is served, a flood is refused at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lstm_lm.errors import UserError
from lstm_lm.store.loading import save
from lstm_lm.ui.shelf import turns
from lstm_lm.ui.shelf.models import ModelShelf
from lstm_lm.ui.shelf.runs import RunStore
from lstm_lm.ui.shelf.turns import MANY, ROOM, WAITING, Turns
from lstm_lm.ui.views.compare import view as compare_view
from lstm_lm.ui.views.compare.view import CompareView
from lstm_lm.ui.views.find import view as find_view
from lstm_lm.ui.views.find.view import FindView
from lstm_lm.ui.views.memory import view as memory_view
from lstm_lm.ui.views.memory.view import MemoryView
from lstm_lm.ui.views.units import view as unit_view
from lstm_lm.ui.views.units.view import UnitView
from lstm_lm.ui.views.uses import view as try_view
from lstm_lm.ui.views.uses.view import TryView
from tests.conftest import tiny_model

GRADIO_THREADS = 40
PATIENCE = 60  # seconds until a test gives up: no claim about speed
Question = Callable[[], Any]


class Gate:
    """Planted slow work: it says that it began, and ends when it is let."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.open = threading.Event()
        self.under_way = self.most = 0

    def work(self, *_: object, **__: object) -> Any:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.began.set()
        assert self.open.wait(PATIENCE)
        self.under_way -= 1
        raise UserError("worked")


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def pool(gate: Gate) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2 * GRADIO_THREADS) as pool:
        yield pool
        gate.open.set()  # a test that failed leaves nobody waiting


def under(held: Turns, work: Question) -> Question:
    def call() -> Any:
        try:
            with held:
                return work()
        except UserError as error:
            return {"error": str(error)}

    return call


def refused(asked: list[Future[Any]]) -> list[Future[Any]]:
    return [one for one in asked if one.done()]


def wait_for_refusals(asked: list[Future[Any]], count: int) -> None:
    """Until so many are answered although the work has not ended."""
    tick = threading.Event()
    for _ in range(PATIENCE * 100):
        if len(refused(asked)) >= count:
            break
        tick.wait(0.01)
    assert len(refused(asked)) == count
    assert all(one.result() == {"error": MANY} for one in refused(asked))


def test_as_many_as_may_wait_are_served_one_at_a_time(gate: Gate, pool: ThreadPoolExecutor) -> None:
    call = under(Turns(room=threading.BoundedSemaphore(ROOM)), gate.work)
    asked = [pool.submit(call) for _ in range(1 + WAITING)]
    assert gate.began.wait(PATIENCE)
    gate.open.set()
    assert [one.result(PATIENCE) for one in asked] == [{"error": "worked"}] * (1 + WAITING)
    assert gate.most == 1


def test_who_would_be_one_too_many_is_refused_at_once_and_served_later(
    gate: Gate, pool: ThreadPoolExecutor
) -> None:
    call = under(Turns(waiting=8, room=threading.BoundedSemaphore(ROOM)), gate.work)
    asked = [pool.submit(call) for _ in range(GRADIO_THREADS)]
    wait_for_refusals(asked, GRADIO_THREADS - 9)
    assert "\n" not in MANY
    gate.open.set()
    told = [one.result(PATIENCE)["error"] for one in asked]
    assert told.count("worked") == 9
    assert call() == {"error": "worked"}  # every place was given back, an error or not


def test_all_turns_together_leave_threads_for_quick_answers(
    gate: Gate, pool: ThreadPoolExecutor
) -> None:
    room = threading.BoundedSemaphore(ROOM)
    every = [under(Turns(room=room), gate.work) for _ in range(5)]
    asked = [pool.submit(call) for call in every for _ in range(WAITING)]
    wait_for_refusals(asked, 5 * WAITING - ROOM)
    assert GRADIO_THREADS - ROOM >= 8
    gate.open.set()
    assert [one.result(PATIENCE)["error"] for one in asked].count("worked") == ROOM
    assert [call() for call in every] == [{"error": "worked"}] * 5


@pytest.fixture(scope="module")
def name(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("models") / "tiny"
    save(tiny_model(scale=2.0), folder)
    return str(folder)


AUTHORS = [[name, "\n\n".join(["abc", "abcabc", "cab", "bad"])] for name in ("Ada", "Ben")]
SAME = object()  # the same model once more
HEAVY: dict[str, tuple[Any, str, list[Any]]] = {  # where the slow work is planted, and a question
    "units.survey": (unit_view, "_write_reference", []),
    "units.unit": (unit_view, "_page", [0, 1]),
    "units.color": (unit_view, "_own_text", [0, 1, "hidden_state", "abc"]),
    "units.hold": (unit_view, "write_held", [0, 1, "hidden_state", 3, None]),
    "units.sway": (unit_view, "other_units", [0, 1, "hidden_state"]),
    "find.text": (find_view, "_own", ["abc"]),
    "memory.fading": (memory_view, "_given", ["abcabc"]),
    "compare.compare": (compare_view, "_read", [SAME, "abc"]),
    "try.complete": (try_view, "_complete", ["abc"]),
    "try.keys": (try_view, "_keys", ["abc"]),
    "try.likelier": (try_view, "_likelier", ["abc", "abd"]),
    "try.train": (try_view, "train", [*AUTHORS, None]),
}


@pytest.mark.parametrize("question", HEAVY)
def test_forty_heavy_questions_to_a_view_leave_the_page_its_threads(
    question: str,
    name: str,
    gate: Gate,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "_room", threading.BoundedSemaphore(ROOM))
    monkeypatch.setattr(unit_view, "REFERENCE_STEPS", 50)
    shelf = ModelShelf([name], RunStore())
    shelf.get(name)
    units = UnitView(shelf)
    if not question.endswith("survey"):
        units.survey([name])
    views = {
        "units": units, "find": FindView(shelf, units), "memory": MemoryView(shelf),
        "compare": CompareView(shelf), "try": TryView(shelf),
    }  # fmt: skip
    module, slow, given = HEAVY[question]
    given = [name if one is SAME else one for one in given]
    monkeypatch.setattr(module, slow, gate.work)
    view, method = question.split(".")
    ask = getattr(views[view], method)
    asked = [pool.submit(ask, [name, *given]) for _ in range(GRADIO_THREADS)]
    assert gate.began.wait(PATIENCE)
    wait_for_refusals(asked, GRADIO_THREADS - 1 - WAITING)
    gate.open.set()
    told = [one.result(PATIENCE) for one in asked]
    assert told.count({"error": "worked"}) == 1 + WAITING
    assert gate.most == 1
