"""What a Space runs on: as the account allows, as it was made, and its files fit it."""

import functools
from collections.abc import Callable

import pytest

from lstm_lm.hub.space import ROOT, space_requirements
from tests.hub import deployed
from tests.hub.client import Person
from tests.hub.deployed import block, refusals, run_app, writes
from tests.hub.hardware import UNPAID
from tests.hub.repositories import Repository
from tests.hub.server import LoopbackHub

MakePerson = Callable[..., Person]
BOBS = "bob/page"  # of a free account
deploys = functools.partial(deployed.deploys, "shakespeare-rnn")
REQUIREMENTS = (ROOT / "requirements.txt").read_bytes()
WORDS = UNPAID.split(". ")[0]


def on(name: str, to: str = BOBS) -> list[str]:
    """The command line that deploys to a Space on this hardware."""
    return [*deploys(to=to), "--hardware", name]


def fits_zero(space: Repository) -> bool:
    """Whether what the Space holds is for ZeroGPU; if not, it is for any other hardware."""
    files = space.files()
    python = block(files["README.md"])["python_version"]
    if files["requirements.txt"] == REQUIREMENTS and python == "3.11":
        return False
    assert files["requirements.txt"] == space_requirements("zero-a10g")
    assert python == "3.12.12"
    return True


def test_a_free_account_gets_zero_gpu_and_files_that_fit_it(
    hub: LoopbackHub, person: MakePerson
) -> None:
    bob = person("t-bob")
    assert bob.run(run_app, deploys(to=BOBS)) == [0], bob.said
    space = hub.repository(BOBS, "space")
    assert space.hardware == "zero-a10g"
    assert fits_zero(space)
    assert hub.requests.count("POST /api/repos/create") == 1  # nothing that would be refused
    why = "cpu-basic only for those who pay, and bob is a free account: bob/page is on ZeroGPU"
    assert why in bob.said
    assert "the page itself, on zero-a10g: https://bob-page.hf.space\n" in bob.said


@pytest.mark.parametrize("to", ["ada/page", "lab/page"])
def test_who_pays_gets_cpu_basic(hub: LoopbackHub, person: MakePerson, to: str) -> None:
    ada = person("t-ada")
    assert ada.run(run_app, deploys(to=to)) == [0], ada.said
    assert hub.repository(to, "space").hardware == "cpu-basic"
    assert not fits_zero(hub.repository(to, "space"))
    assert "ZeroGPU" not in ada.said


def test_a_402_is_answered_by_zero_gpu_and_both_are_told(
    hub: LoopbackHub, person: MakePerson
) -> None:
    """Where the Hub does not tell who pays: asked too often, or the account has just ended."""
    bob, ada = person("t-bob"), person("t-ada")
    hub.fault("GET", "/api/whoami-v2", times=99, status=429)
    assert bob.run(run_app, deploys(to=BOBS)) == [0], bob.said
    assert f"the Hub refused cpu-basic ({WORDS}" in bob.said
    assert "bob/page is on ZeroGPU (zero-a10g) instead\n" in bob.said
    assert fits_zero(hub.repository(BOBS, "space"))
    hub.faults.clear()
    hub.fault("POST", "/api/repos/create", status=402)
    assert ada.run(run_app, deploys(to="ada/page")) == [0], ada.said
    assert "the Hub refused cpu-basic (as the test asked): ada/page is on ZeroGPU" in ada.said
    assert fits_zero(hub.repository("ada/page", "space"))


def test_what_is_not_to_be_had_is_said_in_one_line_and_nothing_is_made(
    hub: LoopbackHub, person: MakePerson
) -> None:
    for number in range(2):
        hub.add(f"bob/{number}", {}, "space", sdk="gradio", hardware="zero-a10g")
    there = set(hub.repositories)
    told = refusals(
        person("t-bob"),
        deploys(to=BOBS),
        on("zero-a10g"),
        on("cpu-basic"),
        on("t4-small"),
        deploys(to="club/page"),
    )
    assert set(hub.repositories) == there
    for line in told[:2]:
        assert "the Hub does not make bob/page on ZeroGPU: You have reached the limit of 2" in line
        assert "may have two Spaces on ZeroGPU" in line
    assert f"asks to be paid for running bob/page on cpu-basic: {WORDS}" in told[2]
    assert "without --hardware it is made on what you can have" in told[2]
    assert "asks to be paid for running bob/page on t4-small: Add credits" in told[3]
    assert f"neither on cpu-basic ({WORDS}" in told[4]
    assert "nor on ZeroGPU (ZeroGPU Spaces of an organization require" in told[4]


def test_hardware_that_does_not_exist_is_said_before_anything_is_asked(
    hub: LoopbackHub, person: MakePerson
) -> None:
    told = refusals(person("t-bob"), on("a GPU"), on(""), ["--hardware", "zero-a10g"])
    assert hub.requests == []
    assert "--hardware is 'a GPU': choose from auto, cpu-basic, " in told[0]
    assert "zero-a10g" in told[0]
    assert "--hardware is '': choose from" in told[1]
    assert "--hardware is of a Space: add --deploy OWNER/SPACE" in told[2]


def test_other_hardware_is_asked_for_by_name(hub: LoopbackHub, person: MakePerson) -> None:
    ada = person("t-ada")
    lines = [on("t4-small", to="ada/card"), on("zero-a10g", to="ada/zero"), on("auto", "ada/page")]
    assert ada.run(run_app, *lines) == [0, 0, 0], ada.said
    made = {name: hub.repository(f"ada/{name}", "space") for name in ("card", "zero", "page")}
    assert {name: space.hardware for name, space in made.items()} == {
        "card": "t4-small",
        "zero": "zero-a10g",
        "page": "cpu-basic",
    }
    assert [fits_zero(space) for space in made.values()] == [False, True, False]


def test_a_space_keeps_its_hardware_and_its_files_follow_it(
    hub: LoopbackHub, person: MakePerson
) -> None:
    bob = person("t-bob")
    hub.fault("POST", f"/{BOBS}/commit/", times=9, status=500)  # it breaks off, and goes on
    refusals(bob, deploys(to=BOBS))
    hub.faults.clear()
    assert bob.run(run_app, deploys(to=BOBS)) == [0], bob.said
    space = hub.repository(BOBS, "space")
    assert fits_zero(space)
    hub.requests.clear()
    assert bob.run(run_app, deploys(to=BOBS), on("zero-a10g")) == [0, 0], bob.said
    assert bob.said.count("nothing to change: ") == 2
    (told,) = refusals(bob, on("cpu-basic"))
    assert "bob/page is on zero-a10g, and what is there keeps its hardware" in told
    assert f"choose cpu-basic at {hub.url}/spaces/bob/page/settings, then deploy again" in told
    assert writes(hub) == []

    # The owner subscribed, and moved it on the Hub's own page.
    space.hardware = "cpu-basic"
    assert bob.run(run_app, deploys(to=BOBS)) == [0], bob.said
    assert f"updated: {hub.url}/spaces/bob/page\n" in bob.said
    assert not fits_zero(space)
