"""The loopback Hub against the real client: a repository from its making to a Space's variables."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hub.client import Person
from tests.hub.server import LoopbackHub

BIG = bytes(range(256)) * 4096  # 1 MiB


def model_story(folder: str) -> dict[str, Any]:
    """A model pushed, tagged, pushed again, listed and downloaded."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, snapshot_download

    api = HfApi()
    name = "ada/name"
    told: dict[str, Any] = {"me": api.whoami()["name"], "url": str(api.create_repo(name))}
    files = [CommitOperationAdd("a.txt", b"one"), CommitOperationAdd("w.safetensors", BIG)]
    first = api.create_commit(name, files, commit_message="first")
    api.create_tag(name, tag="v1")
    changes = [CommitOperationAdd("a.txt", b"two"), CommitOperationDelete(".gitattributes")]
    api.create_commit(name, changes, commit_message="second")
    again = api.create_commit(name, [CommitOperationAdd("a.txt", b"two")], commit_message="third")
    told["unchanged"] = again.oid == api.model_info(name).sha != first.oid
    told["files"] = sorted(api.list_repo_files(name))
    told["tags"] = [ref.name for ref in api.list_repo_refs(name).tags]
    told["asked"] = [file.path for file in api.get_paths_info(name, ["w.safetensors"])]
    for revision in ("v1", "main"):
        there = Path(snapshot_download(name, revision=revision, local_dir=f"{folder}/{revision}"))
        told[revision] = (there / "a.txt").read_text(), (there / "w.safetensors").read_bytes()
    told["mismatches"] = api.verify_repo_checksums(name, local_dir=f"{folder}/main").mismatches
    return told


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


def space_story() -> dict[str, str]:
    """A Space made twice, with files and variables."""
    from huggingface_hub import HfApi

    api = HfApi()
    name = "lab/page"
    for _ in range(2):
        api.create_repo(name, repo_type="space", space_sdk="gradio", exist_ok=True)
    card = "---\nsdk: gradio\nsdk_version: 6.31.0\ncolorFrom: green\n---\n"
    api.upload_file(
        path_or_fileobj=card.encode(), path_in_repo="README.md", repo_id=name, repo_type="space"
    )
    api.add_space_variable(name, "A", "1")
    api.add_space_variable(name, "B", "2")
    api.delete_space_variable(name, "A")
    assert api.get_space_runtime(name).stage == "BUILDING"
    assert api.space_info(name).sdk == "gradio"
    return {key: variable.value for key, variable in api.get_space_variables(name).items()}


def test_a_space_is_made_and_takes_files_and_variables(
    hub: LoopbackHub, person: Callable[..., Person]
) -> None:
    assert person("t-ada").run(space_story) == {"B": "2"}
    space = hub.repository("lab/page", "space")
    assert space.variables == {"B": "2"}
    assert sorted(space.files()) == [".gitattributes", "README.md"]


def refusal(call: str, *arguments: str, **how: Any) -> str:
    """The name of the client's error at this call of its API."""
    from huggingface_hub import HfApi

    with pytest.raises(Exception, match=r".") as caught:
        getattr(HfApi(), call)(*arguments, **how)
    return type(caught.value).__name__


def refusals() -> list[str]:
    """What bob meets."""
    from huggingface_hub import HfApi

    api = HfApi()
    upload = {"path_or_fileobj": b"x", "path_in_repo": "x.txt"}
    card = {"path_or_fileobj": b"---\nmodel-index: 3\n---\n", "path_in_repo": "README.md"}
    api.create_repo("bob/mine")
    return [
        refusal("model_info", "ada/private"),
        refusal("model_info", "ada/none"),
        refusal("model_info", "ada/gated", revision="v9"),
        refusal("hf_hub_download", "ada/gated", "a.txt"),
        refusal("hf_hub_download", "bob/mine", "a.txt"),
        refusal("create_repo", "ada/new"),
        refusal("create_repo", "bob/mine"),
        refusal("upload_file", repo_id="ada/gated", **upload),
        refusal("upload_file", repo_id="bob/mine", **card),
        refusal("auth_check", "ada/gated", write=True),
    ]


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
