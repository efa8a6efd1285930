"""What the client itself is made to do with the loopback Hub, without anything of ours."""

from pathlib import Path
from typing import Any

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


def hardware_story() -> list[str]:
    """What each of a free account's Spaces runs on, or what the Hub says instead."""
    from huggingface_hub import HfApi, SpaceHardware
    from huggingface_hub.errors import HfHubHTTPError

    api, told = HfApi(), []
    wanted = ("docker", None), ("static", None), *[("gradio", SpaceHardware.ZERO_A10G)] * 3
    for number, (sdk, hardware) in enumerate(wanted):
        name = f"bob/{number}"
        try:
            api.create_repo(name, repo_type="space", space_sdk=sdk, space_hardware=hardware)
            told.append(str(api.get_space_runtime(name).requested_hardware))
        except HfHubHTTPError as error:
            told.append(f"{error.response.status_code} {error.server_message}")
    return told


def refusal(call: str, *arguments: str, **how: Any) -> str:
    """The name of the client's error at this call of its API."""
    from huggingface_hub import HfApi

    try:
        getattr(HfApi(), call)(*arguments, **how)
    except Exception as error:
        return type(error).__name__
    return "none"


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
