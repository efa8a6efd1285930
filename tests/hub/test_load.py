"""Loading with the real client: one commit, cached, checked, and an error that says what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_lm.config import SamplingConfig
from lstm_lm.errors import HubError, HubOfflineError, ModelFolderError, ModelNotFoundError
from lstm_lm.language_model import load
from lstm_lm.store.folder import BUNDLED
from lstm_lm.store.loading import save
from tests.conftest import tiny_model
from tests.hub.calls import copy, hf, in_turn, offer, push, refusals, serve, tell_progress, write
from tests.hub.client import Person
from tests.hub.repositories import Files
from tests.hub.server import LoopbackHub

MakePerson = Callable[..., Person]


def model_files(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def written(folder: Path) -> str:
    """What the model of the folder writes, in this process."""
    return load(folder).complete("\n", SamplingConfig(max_new_tokens=40, seed=3))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two tiny models."""
    places = [tmp_path_factory.mktemp("model") for _ in range(2)]
    for seed, place in enumerate(places):
        save(tiny_model(seed=seed), place)
    return places


@pytest.fixture
def verse(hub: LoopbackHub, folders: list[Path]) -> Files:
    """The first of them as ada/verse on the Hub."""
    files = model_files(folders[0])
    hub.add("ada/verse", files)
    return files


def test_a_pushed_model_writes_the_same_text_at_its_tag_and_at_main_after_another_push(
    hub: LoopbackHub, person: MakePerson, folders: list[Path]
) -> None:
    ada, somebody = person("t-ada"), person()
    bundled = BUNDLED / "shakespeare-subword"
    ada.run(push, str(bundled), "ada/verse", revision="v1.0")
    first, second = written(bundled), written(folders[1])
    assert somebody.run(write, "ada/verse") == first
    ada.run(push, str(folders[1]), "ada/verse", revision="v2.0")
    commit = hub.repository("ada/verse").tags["v1.0"]
    loads = [("ada/verse@v1.0",), ("ada/verse", "v1.0"), (f"ada/verse@{commit}",), ("ada/verse",),
             ("ada/verse", "v2.0")]  # fmt: skip
    texts = somebody.run(in_turn, *((write, load) for load in loads))
    assert texts == [first, first, first, second, second]


def test_every_file_comes_from_one_commit_and_only_once(
    hub: LoopbackHub, person: MakePerson, verse: Files
) -> None:
    hub.add("ada/more", {**verse, "pytorch_model.bin": b"\x80pickle", "run.py": b"1/0"})
    somebody = person()
    somebody.run(write, "ada/more")
    commit = hub.repository("ada/more").branches["main"]
    asked = [request for request in hub.requests if "/resolve/" in request]
    assert {request.partition("/resolve/")[2] for request in asked} == {
        f"{commit}/{name}" for name in verse
    }
    requests = len(hub.requests)
    somebody.run(write, "ada/more")
    assert not any("/resolve/" in request for request in hub.requests[requests:])
    assert "Fetching" not in somebody.said  # no bar where nothing is to be done


def test_a_private_model_loads_with_its_owners_token_only(
    hub: LoopbackHub, person: MakePerson, folders: list[Path]
) -> None:
    hub.add("ada/secret", model_files(folders[0]), private=True)
    assert person("t-ada").run(write, "ada/secret") == written(folders[0])
    kind, text = person("t-bob").run(refusals, "ada/secret")[0]
    assert kind == "ModelNotFoundError"
    assert "or it is private and your token may not read it; check the name, or log in" in text
    kind, text = person().run(refusals, "ada/secret")[0]
    assert kind == "ModelNotFoundError"
    assert "no model 'ada/secret': there is no such folder here, and on the Hub there" in text
    assert text.endswith("or it is private; check the name, or log in with `hf auth login`")
    kind, text = person("t-old").run(refusals, "ada/secret")[0]
    assert kind == "HubAccessError"
    assert text.startswith("the Hub does not accept the token of HF_TOKEN: make one at https://")


def test_what_is_no_model_of_ours_is_named_before_its_weights_are_downloaded(
    hub: LoopbackHub, person: MakePerson, verse: Files
) -> None:
    hub.add("ada/gated", verse, gated=True)
    hub.add("ada/empty", {})
    hub.add("ada/half", {name: verse[name] for name in verse if name != "model.safetensors"})
    hub.add("ada/mute", {name: verse[name] for name in verse if name != "tokenizer.json"})
    hub.add("ada/gpt", {**verse, "config.json": b'{"model_type": "gpt2"}'})
    hub.add("ada/huge", {**verse, "model.safetensors": bytes(2**20 + 9_000)})
    hub.add("ada/deep", {**verse, "config.json": b"[" * (2**20 + 1)})
    hub.repository("ada/verse").tags["v1.0"] = hub.repository("ada/verse").branches["main"]
    refused = {
        "ada/gated": ("HubAccessError", f"is gated: ask for access at {hub.url}/ada/gated, then"),
        "ada/none": ("ModelNotFoundError", "no model 'ada/none'"),
        "ada/verse@v9": ("ModelNotFoundError", "has no revision 'v9': there are v1.0, main"),
        "ada/verse@../x": ("ModelNotFoundError", "has no revision '../x': that names none"),
        "ada/empty": ("ModelFolderError", "ada/empty holds no config.json: it is no model of"),
        "ada/half": ("ModelFolderError", "ada/half holds no model.safetensors: it is no model"),
        "ada/mute": ("ModelFolderError", "ada/mute holds no tokenizer.json: it is no model"),
        "ada/gpt": ("ModelFolderError", "ada/gpt: config.json is of model_type 'gpt2', not"),
        "ada/huge": ("ModelFolderError", "model.safetensors has 1,057,576 bytes, but a model of"),
        "ada/deep": ("ModelFolderError", "config.json has 1,048,577 bytes: it is none of ours"),
        "ada--x/y": ("ModelNotFoundError", "no model 'ada--x/y': neither a model that comes"),
        "a/b/c": ("ModelNotFoundError", "no model 'a/b/c': neither a model that comes with"),
    }
    found = person().run(refusals, *refused)
    for (name, (kind, message)), (found_kind, text) in zip(refused.items(), found, strict=True):
        assert (name, found_kind) == (name, kind), text
        assert message in text
        assert "\n" not in text
    assert not any(request.endswith("model.safetensors") for request in hub.requests)


def test_a_corrupt_byte_of_the_same_size_is_found_and_the_next_try_works(
    hub: LoopbackHub, person: MakePerson, folders: list[Path], verse: Files
) -> None:
    names = ["config.json", "tokenizer.json", "model.safetensors"]
    for number, name in enumerate(names):
        hub.add(f"ada/verse-{number}", verse)
        hub.fault("GET", f"/ada/verse-{number}/resolve/.*{name}", corrupt=True)
    somebody, repositories = person(), [f"ada/verse-{number}" for number in range(len(names))]
    found = somebody.run(refusals, *repositories)
    for name, repository, (kind, text) in zip(names, repositories, found, strict=True):
        assert (kind, text) == (
            "HubError",
            f"{name} of {repository} arrived damaged: its checksum is not the Hub's; it was "
            "removed from the cache: try again",
        )
    again = somebody.run(in_turn, *((write, (repository,)) for repository in repositories))
    assert again == [written(folders[0])] * len(names)


def test_a_download_that_is_cut_goes_on_or_says_so(hub: LoopbackHub, person: MakePerson) -> None:
    bundled = BUNDLED / "shakespeare-rnn"
    hub.add("ada/verse", model_files(bundled))
    hub.fault("GET", "/model.safetensors", cut=500_000)
    assert person().run(write, "ada/verse") == written(bundled)
    hub.fault("GET", "/model.safetensors", cut=0, times=99)
    somebody = person()
    with pytest.raises(HubError, match=r"the download of ada/verse broke off: .*; try again$"):
        somebody.run(write, "ada/verse")
    hub.faults.clear()
    assert somebody.run(write, "ada/verse") == written(bundled)


def test_without_the_hub_the_cache_is_used_and_otherwise_it_is_said_at_once(
    hub: LoopbackHub, person: MakePerson, folders: list[Path], verse: Files
) -> None:
    hub.repository("ada/verse").tags["v1"] = hub.repository("ada/verse").branches["main"]
    somebody = person()
    names = [(write, ("ada/verse",)), (write, ("ada/verse@v1",))]
    texts = somebody.run(in_turn, *names)
    hub.fault("GET", "/api/models/", status=503, times=4)
    assert somebody.run(in_turn, *names) == texts  # the Hub fails
    somebody.down = True
    assert somebody.run(in_turn, *names) == texts
    assert "Retry" not in somebody.said  # nor is it asked again and again
    kind, text = somebody.run(refusals, "ada/other")[0]
    assert kind == "HubOfflineError"
    assert text.startswith(f"cannot reach the Hub at {hub.nobody} for ada/other: ")
    assert text.endswith("; the cache does not hold it either")
    somebody.down, somebody.more["HF_HUB_OFFLINE"] = False, "1"
    asked = len(hub.requests)
    assert somebody.run(in_turn, *names) == texts
    with pytest.raises(HubOfflineError, match="on the Hub, but HF_HUB_OFFLINE is set: unset it"):
        somebody.run(write, "ada/other")
    assert len(hub.requests) == asked


def test_what_the_hf_command_downloads_loads(
    hub: LoopbackHub, person: MakePerson, tmp_path: Path
) -> None:
    ada, bundled = person("t-ada"), BUNDLED / "shakespeare-rnn"
    ada.run(push, str(bundled), "ada/verse")
    somebody = person()
    here = ("download", "ada/verse", "--local-dir", str(tmp_path / "here"))
    somebody.run(in_turn, (hf, here), (hf, ("download", "ada/verse")))
    assert written(tmp_path / "here") == written(bundled)
    somebody.down = True
    assert somebody.run(write, "ada/verse") == written(bundled)


def test_a_model_of_the_hub_goes_to_another_repository_under_its_new_name(
    hub: LoopbackHub, person: MakePerson
) -> None:
    ada, bundled = person("t-ada"), BUNDLED / "shakespeare-rnn"
    ada.run(in_turn, (push, (str(bundled), "ada/verse")), (copy, ("ada/verse", "lab/copy")))
    first, second = (hub.repository(name).files() for name in ("ada/verse", "lab/copy"))
    assert {**first, "README.md": b""} == {**second, "README.md": b""}
    card = first["README.md"].decode().replace("ada/verse", "lab/copy")
    assert second["README.md"].decode() == card.replace("# verse\n", "# copy\n").replace(
        "- name: verse\n", "- name: copy\n"
    )


def test_the_page_takes_a_model_of_the_hub(
    hub: LoopbackHub, person: MakePerson, folders: list[Path], verse: Files
) -> None:
    hub.repository("ada/verse").tags["v1"] = hub.repository("ada/verse").branches["main"]
    name, token_count = person().run(offer, "ada/verse@v1")
    assert (name, token_count > 300) == ("ada/verse@v1", True)
    somebody = person()
    assert somebody.run(serve, "--model", "ada/none") == 2
    *_, line = somebody.said.splitlines()
    assert line.startswith("app.py: no model 'ada/none': there is no such folder here")


def test_progress_is_told_and_a_limit_is_kept(hub: LoopbackHub, person: MakePerson) -> None:
    bundled = BUNDLED / "shakespeare-rnn"
    hub.add("ada/verse", model_files(bundled))
    told, folder = person().run(tell_progress, "ada/verse", None)
    so_far, totals = zip(*told, strict=True)
    files = model_files(bundled)
    # The config is there already: it says what else there has to be.
    total = sum(len(files[name]) for name in files if name != "config.json")
    assert set(totals) == {total}
    assert list(so_far) == sorted(so_far)
    assert so_far[-1] == total
    assert model_files(Path(folder)) == model_files(bundled)
    with pytest.raises(ModelFolderError, match=r"ada/verse has 1\.4 MB: at most 1 MB may be loade"):
        person().run(tell_progress, "ada/verse", 1_000_000)


def test_for_a_visitor_neither_the_owners_token_nor_the_owners_cache_is_used(
    hub: LoopbackHub, person: MakePerson, folders: list[Path]
) -> None:
    hub.add("ada/secret", model_files(folders[0]), private=True)
    ada = person("t-ada")
    ada.run(write, "ada/secret")
    with pytest.raises(ModelNotFoundError, match="no model 'ada/secret'"):
        ada.run(tell_progress, "ada/secret", None, token=False)
    ada.down = True
    with pytest.raises(HubOfflineError, match="cannot reach the Hub"):
        ada.run(tell_progress, "ada/secret", None, token=False)
