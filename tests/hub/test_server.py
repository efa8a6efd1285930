"""The loopback Hub against the real client: a repository from its making to a Space's variables."""

from collections.abc import Callable
from pathlib import Path

from tests.hub.client import Person
from tests.hub.server import LoopbackHub
from tests.hub.stories import BIG, hardware_story, model_story, refusals, space_story


def test_a_model_makes_the_round_trip(
    hub: LoopbackHub, person: Callable[..., Person], tmp_path: Path
) -> None:
    told = person("t-ada").run(model_story, str(tmp_path))
    assert (told["me"], told["url"]) == ("ada", f"{hub.url}/ada/name")
    assert told["unchanged"]
    assert told["files"] == ["a.txt", "w.safetensors"]
    assert (told["tags"], told["asked"]) == (["v1"], ["w.safetensors"])
    assert (told["v1"], told["main"]) == (("one", BIG), ("two", BIG))
    assert told["mismatches"] == []
    assert hub.repository("ada/name").messages == ["initial commit", "first", "second"]


def test_a_space_is_made_and_takes_files_and_variables(
    hub: LoopbackHub, person: Callable[..., Person]
) -> None:
    assert person("t-ada").run(space_story) == {"B": "2"}
    space = hub.repository("lab/page", "space")
    assert space.variables == {"B": "2"}
    assert sorted(space.files()) == [".gitattributes", "README.md"]


def test_a_free_account_has_static_spaces_and_two_on_zero_gpu(
    hub: LoopbackHub, person: Callable[..., Person]
) -> None:
    told = person("t-bob").run(hardware_story)
    assert told[0].startswith(
        "402 Static Spaces are free for everyone, but hosting Gradio and Docker Spaces on free "
        "cpu-basic requires a PRO subscription"
    )
    assert told[1:4] == ["cpu-basic", "zero-a10g", "zero-a10g"]
    assert told[4].startswith("403 ")
    assert len(hub.repositories) == 3


def test_what_is_not_allowed_is_refused_as_the_hub_does(
    hub: LoopbackHub, person: Callable[..., Person]
) -> None:
    hub.add("ada/private", {"a.txt": b"a"}, private=True)
    hub.add("ada/gated", {"a.txt": b"a"}, gated=True)
    assert person("t-bob").run(refusals) == [
        "RepositoryNotFoundError",
        "RepositoryNotFoundError",
        "RevisionNotFoundError",
        "GatedRepoError",
        "RemoteEntryNotFoundError",
        "HfHubHTTPError",
        "HfHubHTTPError",
        "HfHubHTTPError",
        "ValueError",
        "HfHubHTTPError",
    ]
