"""Pushing with the real client: checked before, one commit, a tag, and nothing lost on the way."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_lm.errors import HubAccessError, HubError, HubOfflineError, PushError
from lstm_lm.hub.push import pushed_card
from lstm_lm.hub.repository import Target
from lstm_lm.store.folder import BUNDLED
from lstm_lm.store.loading import save
from lstm_lm.text.tokenizer import SentencePieceTokenizer
from lstm_lm.training import session
from tests.conftest import tiny_model
from tests.hub.calls import SIZES, TEXT, push, push_twice, train, try_all
from tests.hub.client import Person
from tests.hub.server import LoopbackHub
from train import main

MakePerson = Callable[..., Person]
FILES = {"config.json", "model.safetensors", "tokenizer.json", "README.md", "metrics.jsonl",
         "results.json", "loss.png"}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a text."""
    (tmp_path / "verse.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a tiny model and its card."""
    save(tiny_model(), tmp_path / "tiny")
    return tmp_path / "tiny"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_is_pushed_in_one_commit_and_tagged_and_pushing_again_changes_nothing(
    hub: LoopbackHub, person: MakePerson, place: Path
) -> None:
    ada = person("t-ada")
    text = ["--text", str(place / "verse.txt"), "--out", "runs/verse"]
    where = ["--push-to-hub", "ada/verse", "--revision", "v1.0", "--license", "cc0-1.0"]
    assert ada.run(train, str(place), *text, *SIZES, *where) == 0, ada.said
    repository = hub.repository("ada/verse")
    assert set(repository.files()) == FILES | {".gitattributes"}
    assert len(repository.commits) == 2
    assert repository.tags == {"v1.0": repository.branches["main"]}
    assert not repository.private
    assert f"on the Hub: {hub.url}/ada/verse (commit " in ada.said
    assert 'LanguageModel.from_pretrained("ada/verse", revision="v1.0")\n' in ada.said
    assert "python app.py --model ada/verse@v1.0\n" in ada.said
    run = place / "runs" / "verse"
    for name in FILES - {"README.md"}:
        assert repository.files()[name] == (run / name).read_bytes()
    assert not any(str(place).encode() in content for content in repository.files().values())
    card = repository.files()["README.md"].decode()
    assert "license: cc0-1.0\n" in card
    assert "# verse\n" in card
    command = next(line for line in card.splitlines() if line.startswith("    python train.py "))
    # What the sizes and the time led to may be spelled out between.
    assert {"verse.txt", "runs/verse", *SIZES} <= set(shlex.split(command))
    assert not {"--push-to-hub", "--revision", "--license"} & set(shlex.split(command))
    assert 'LanguageModel.from_pretrained("ada/verse")' in card

    before, requests = snapshot(run), len(hub.requests)
    again = ["--resume", "runs/verse", *where]
    assert ada.run(train, str(place), *again) == 0, ada.said
    assert "ada/verse holds this model already: nothing to push" in ada.said
    assert "step 2" not in ada.said  # no training
    assert len(repository.commits) == 2
    assert not any(request.startswith("PUT") for request in hub.requests[requests:])
    again[again.index("v1.0")] = "v2.0"
    assert ada.run(train, str(place), *again) == 0, ada.said
    assert repository.tags["v2.0"] == repository.tags["v1.0"]
    assert snapshot(run) == before


def test_a_model_of_6_mb_arrives_whole_and_is_replaced_by_another(
    hub: LoopbackHub, person: MakePerson, tmp_path: Path
) -> None:
    ada, bundled = person("t-ada"), BUNDLED / "shakespeare-subword"
    url, commit, changed = ada.run(push, str(bundled), "lab/verse")
    repository = hub.repository("lab/verse")
    assert (url, commit, changed) == (f"{hub.url}/lab/verse", repository.branches["main"], True)
    for path in bundled.iterdir():
        if path.name != "README.md":
            assert repository.files()[path.name] == path.read_bytes()
    assert sum(map(len, repository.files().values())) > 6_000_000
    save(tiny_model(), tmp_path / "other")
    assert ada.run(push, str(tmp_path / "other"), "lab/verse")[2]
    # Nothing is left that speaks of the first model.
    assert set(repository.files()) == {".gitattributes", "README.md", "config.json",
                                       "tokenizer.json", "model.safetensors"}  # fmt: skip
    assert len(repository.commits) == 3


def test_a_model_in_memory_takes_with_it_what_its_folder_tells_while_that_is_true(
    hub: LoopbackHub, person: MakePerson
) -> None:
    bundled = BUNDLED / "shakespeare-rnn"
    assert person("t-ada").run(push_twice, str(bundled)) == [f"{hub.url}/ada/mine"] * 2
    repository = hub.repository("ada/mine")
    assert repository.private
    assert repository.files("v1")["metrics.jsonl"] == (bundled / "metrics.jsonl").read_bytes()
    assert b"## Trained with" in repository.files("v1")["README.md"]
    assert "metrics.jsonl" not in repository.files("v2")
    card = repository.files("v2")["README.md"].decode()
    assert "## Trained with" not in card
    assert "plain tanh RNN, 1 x 512 units" in card


def test_a_card_of_ones_own_goes_up_as_it_stands(
    hub: LoopbackHub, person: MakePerson, folder: Path
) -> None:
    (folder / "README.md").write_text("---\nlanguage: en\n---\nMy `path/to/this/folder`.\n")
    person("t-ada").run(push, str(folder), "ada/own")
    card = hub.repository("ada/own").files()["README.md"]
    assert card == b"---\nlanguage: en\n---\nMy `ada/own`.\n"


def test_a_card_of_ones_own_takes_the_licence_that_is_given(folder: Path) -> None:
    (folder / "README.md").write_text("---\nlanguage: en\n---\nMine.\n")
    text = pushed_card(folder, Target(repo_id="ada/own", license="mit"))
    assert text == "---\nlanguage: en\nlicense: mit\n---\nMine.\n"


def test_ctrl_c_during_the_upload_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "check_target", lambda target: None)
    monkeypatch.setattr(session, "push_folder", interrupt)
    monkeypatch.chdir(place)
    where = ["--push-to-hub", "ada/verse", "--private"]
    assert main(["--text", "verse.txt", "--out", "run", *SIZES, *where]) == 130
    assert capsys.readouterr().err.endswith(
        "everything saved; go on with\n"
        "  python train.py --resume run --push-to-hub ada/verse --private\n"
    )


# Before training: who -> what they ask for, and what they hear in one line, nothing begun.

TOO_EARLY: dict[str, tuple[str | None, list[tuple[list[str], str]]]] = {
    "nobody": (
        None,
        [(["ada/new"], "there is no token to push to ada/new with: log in with `hf auth login`")],
    ),
    "a wrong token": ("t-old", [(["ada/new"], "the Hub does not accept the token of HF_TOKEN")]),
    "a token that reads": ("t-eve", [(["eve/new"], "your token may only read: make one that may")]),
    "ada": (
        "t-ada",
        [
            (["bob/new"], "ada may not create bob/new: the owner can be ada, lab\n"),
            (["library/new"], "ada may not create library/new"),
            (["bob/his"], "your token may not write to bob/his: no right to write bob/his\n"),
            (["ada/gpt"], "ada/gpt holds a model of transformers: choose another name\n"),
            (["ada/public", "--private"], "ada/public is public already: make it private in its"),
            (["ada/public", "--revision", "v1"], "ada/public already has the tag v1, of another"),
            (["ada/new", "--license", "MY-OWN"], "the Hub knows no licence 'MY-OWN': see https"),
            (["verse"], "--push-to-hub is 'verse': give OWNER/NAME, of letters, digits"),
            (["a/b/c"], "--push-to-hub is 'a/b/c': give OWNER/NAME"),
            (["ada/new", "--revision", "main"], "--revision is 'main': give a tag such as v1.0"),
            (["ada/new", "--revision", "../v1"], "--revision is '../v1': give a tag such as"),
        ],
    ),
}


@pytest.mark.parametrize("who", TOO_EARLY)
def test_what_cannot_be_pushed_is_said_before_training(
    hub: LoopbackHub, person: MakePerson, place: Path, who: str
) -> None:
    token, cases = TOO_EARLY[who]
    hub.add("bob/his", {})
    hub.add("ada/gpt", {"README.md": b"---\nlibrary_name: transformers\n---\n"})
    hub.add("ada/public", {}).tags["v1"] = "0" * 40
    somebody = person(token)
    assert somebody.run(try_all, str(place), [where for where, _ in cases]) == [2] * len(cases)
    lines = somebody.said.splitlines(keepends=True)
    assert len(lines) == len(cases), somebody.said
    for line, (_, message) in zip(lines, cases, strict=True):
        assert line.startswith(f"train.py: {message}")
    assert sorted(path.name for path in place.iterdir() if "home" not in path.name) == ["verse.txt"]
    assert len(hub.repositories) == 3


def test_without_a_network_training_does_not_begin_and_says_how_to_push_later(
    hub: LoopbackHub, person: MakePerson, place: Path
) -> None:
    ada = person("t-ada")
    ada.down = True
    assert ada.run(try_all, str(place), [["ada/new"]]) == [2]
    assert ada.said.startswith(f"train.py: cannot reach the Hub at {hub.nobody} for ada/new: ")
    assert ada.said.endswith("train without --push-to-hub, and push later with --resume\n")
    assert not (place / "runs").exists()


def test_options_of_a_push_ask_for_a_push(
    place: Path, person: MakePerson, hub: LoopbackHub
) -> None:
    ada = person("t-ada")
    assert ada.run(train, str(place), "--resume", "x", "--revision", "v1") == 2
    assert ada.said == (
        "train.py: --revision goes with what is pushed: add --push-to-hub OWNER/NAME\n"
    )


# A push that fails: the run is whole, and the command that is printed pushes it.


def test_after_a_failed_push_the_printed_command_pushes_the_whole_run(
    hub: LoopbackHub, person: MakePerson, place: Path
) -> None:
    hub.fault("PUT", "/lfs/", cut=100, times=99)
    ada = person("t-ada")
    text = ["--text", "verse.txt", *SIZES, "--out", "my runs/verse"]
    where = ["--push-to-hub", "ada/verse", "--revision", "v1.0", "--private"]
    assert ada.run(train, str(place), *text, *where) == 2, ada.said
    *_, line = ada.said.splitlines()
    assert line.startswith("train.py: cannot reach the Hub at ")
    told, _, command = line.partition("push it with  python train.py ")
    assert told.endswith("; the model is whole in my runs/verse: once that is mended, ")
    hub.faults.clear()
    assert ada.run(train, str(place), *shlex.split(command)) == 0, ada.said
    repository = hub.repository("ada/verse")
    assert set(repository.files()) == FILES | {".gitattributes"}
    assert repository.private
    assert len(repository.commits) == 2


def test_an_upload_that_is_cut_once_is_sent_again(hub: LoopbackHub, person: MakePerson) -> None:
    hub.fault("PUT", "/lfs/", cut=1_000_000)
    bundled = BUNDLED / "shakespeare-char"
    person("t-ada").run(push, str(bundled), "ada/verse")
    weights = (bundled / "model.safetensors").read_bytes()
    assert hub.repository("ada/verse").files()["model.safetensors"] == weights


FAULTS = {
    "no network": (("GET", "/api/models"), {"cut": 0}, HubOfflineError, "cannot reach the Hub at"),
    "a Hub that fails": (("POST", "/commit"), {"status": 500}, HubError, "answered 500 for ada/x"),
    "no right": (("POST", "/commit"), {"status": 403}, HubAccessError, "may not write to ada/x"),
    "gone meanwhile": (("POST", "/commit"), {"cut": 0}, HubOfflineError, "cannot reach the Hub"),
    "a card refused": (("POST", "/validate-yaml"), {"status": 400}, PushError, "not take the card"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failed_push_says_why_and_leaves_the_folder_as_it_was(
    hub: LoopbackHub, person: MakePerson, folder: Path, fault: str
) -> None:
    match, how, kind, message = FAULTS[fault]
    hub.fault(*match, times=9, **how)
    before = snapshot(folder)
    with pytest.raises(kind, match=message) as caught:
        person("t-ada").run(push, str(folder), "ada/x")
    assert "\n" not in str(caught.value)
    assert snapshot(folder) == before
    assert all(len(held.commits) == 1 for held in hub.repositories.values())


def test_a_name_that_stands_for_something_else_is_refused(
    hub: LoopbackHub, person: MakePerson, folder: Path
) -> None:
    hub.one_kind_a_name = True
    hub.add("ada/page", {}, "space")
    with pytest.raises(PushError, match="ada/page is the name of a space: choose another name"):
        person("t-ada").run(push, str(folder), "ada/page")


def test_a_tag_is_never_moved(hub: LoopbackHub, person: MakePerson, tmp_path: Path) -> None:
    ada = person("t-ada")
    for seed in (1, 2):
        save(tiny_model(seed=seed), tmp_path / str(seed))
    ada.run(push, str(tmp_path / "1"), "ada/x")
    hub.repository("ada/x").tags["v1"] = hub.repository("ada/x").branches["main"]
    with pytest.raises(PushError, match="already has the tag v1, of another model"):
        ada.run(push, str(tmp_path / "2"), "ada/x", revision="v1")
    assert len(hub.repository("ada/x").commits) == 2


def test_a_subword_model_goes_with_its_own_tokenizer_only(
    hub: LoopbackHub, person: MakePerson, folder: Path, subwords: SentencePieceTokenizer
) -> None:
    subwords.save(folder)  # a file of another model, left in the folder
    (folder / ".env").write_text("HF_TOKEN=secret")
    person("t-ada").run(push, str(folder), "ada/x")
    assert sorted(hub.repository("ada/x").files()) == [
        ".gitattributes", "README.md", "config.json", "model.safetensors", "tokenizer.json",
    ]  # fmt: skip
