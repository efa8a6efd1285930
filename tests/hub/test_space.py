"""A Space: made, brought up to date and left alone, by the real client against a loopback Hub."""

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from lstm_lm.hub.space import ROOT, space_files
from tests.hub import deployed
from tests.hub.client import Person
from tests.hub.deployed import block, model_files, refusals, run_app, writes
from tests.hub.server import LoopbackHub

MakePerson = Callable[..., Person]
PAGE = "ada/page"
TOKEN = "t-ada"
deploys = functools.partial(deployed.deploys, to=PAGE)


@pytest.fixture
def small(hub: LoopbackHub, tmp_path: Path) -> None:
    """The model ada/small, tagged v1.0."""
    repository = hub.add("ada/small", model_files(tmp_path / "small"))
    repository.tags["v1.0"] = repository.branches["main"]


@pytest.mark.usefixtures("small")
def test_a_space_is_made_in_one_commit_of_what_is_listed(
    hub: LoopbackHub, person: MakePerson
) -> None:
    ada = person(TOKEN)
    assert ada.run(run_app, deploys("ada/small@v1.0", "shakespeare-rnn")) == [0], ada.said
    # The page on the Hub, and the address of the page itself, which a link has to lead to.
    served = "the page itself, on cpu-basic: https://ada-page.hf.space\n"
    assert f"made: {hub.url}/spaces/{PAGE}\n{served}" in ada.said
    space = hub.repository(PAGE, "space")
    assert (space.sdk, space.private) == ("gradio", False)
    assert space.variables == {"LSTM_LM_MODELS": "ada/small@v1.0,shakespeare-rnn"}
    message = "Serve ada/small@v1.0, shakespeare-rnn with lstm-lm"
    assert space.messages == ["initial commit", message]
    held = {name: path.read_bytes() for name, path in space_files().items()}
    uploaded = space.files()
    readme = uploaded.pop("README.md")
    assert uploaded == {**held, ".gitattributes": uploaded[".gitattributes"]}
    assert block(readme)["preload_from_hub"] == [
        "ada/small config.json,model.safetensors,tokenizer.json v1.0"
    ]
    assert f"gradio[mcp]=={block(readme)['sdk_version']}" in uploaded["requirements.txt"].decode()


@pytest.mark.usefixtures("small")
def test_a_space_is_brought_up_to_date_and_else_left_alone(
    hub: LoopbackHub, person: MakePerson
) -> None:
    ada = person(TOKEN)
    assert ada.run(run_app, deploys("ada/small")) == [0], ada.said
    space = hub.repository(PAGE, "space")
    hub.requests.clear()
    assert ada.run(run_app, deploys("ada/small")) == [0], ada.said
    assert f"nothing to change: {hub.url}/spaces/{PAGE}\n" in ada.said
    assert writes(hub) == []

    # The owner put a picture there and opened the page; a module of the page has gone since.
    files = space.files() | {"mine.png": b"mine", "lstm_lm/old.py": b"old", "app.py": b"old"}
    space.commit(files, "my picture")
    space.variables["LSTM_LM_OPEN"] = "1"
    assert ada.run(run_app, deploys("shakespeare-rnn")) == [0], ada.said
    assert f"updated: {hub.url}/spaces/{PAGE}\n" in ada.said
    assert space.variables == {"LSTM_LM_MODELS": "shakespeare-rnn", "LSTM_LM_OPEN": "1"}
    assert space.messages[2:] == ["my picture", "Serve shakespeare-rnn with lstm-lm"]
    assert space.files()["mine.png"] == b"mine"
    assert "lstm_lm/old.py" not in space.files()
    assert space.files()["app.py"] == (ROOT / "app.py").read_bytes()
    assert "preload_from_hub" not in block(space.files()["README.md"])


@pytest.mark.usefixtures("small")
def test_what_cannot_be_deployed_is_said_in_one_line_before_anything_is_made(
    hub: LoopbackHub, person: MakePerson, tmp_path: Path
) -> None:
    run = tmp_path / "my run"
    broken = model_files(run) | {"model.safetensors": b"nothing"}
    hub.add("ada/broken", broken)
    hub.add("ada/other", {"app.py": b"mine"}, "space")
    hub.requests.clear()
    told = refusals(
        person(TOKEN),
        deploys("ada/small", to="page"),
        deploys("ada/small", to="ada/my page"),
        deploys(str(run)),
        deploys("ada/gone"),
        deploys("ada/small@v9"),
        deploys("ada/broken"),
        deploys("ada/small", to="ada/other"),
        [*deploys("ada/small"), "--port", "7860"],
    )
    assert writes(hub) == []
    assert "--deploy is 'page': give OWNER/SPACE" in told[0]
    assert "--deploy is 'ada/my page': give OWNER/SPACE" in told[1]
    assert "is a folder on this machine" in told[2]
    assert f"train.py --resume '{run}' --push-to-hub ada/my-run" in told[2]
    assert "--model ada/my-run" in told[2]
    assert "ada/gone" in told[3]
    assert "ada/small has no revision 'v9': there are v1.0, main" in told[4]
    assert "model.safetensors" in told[5]
    assert "the Space ada/other is there and was not made by --deploy" in told[6]
    assert "leave out --port" in told[7]


@pytest.mark.usefixtures("small")
def test_who_may_not_deploy_is_told_so(hub: LoopbackHub, person: MakePerson) -> None:
    hub.add("bob/page", {"README.md": b"---\ntags: [lstm-lm]\n---\n", "app.py": b""}, "space")
    line, theirs = deploys("ada/small"), deploys("ada/small", to="bob/page")
    lines = [line, line, line, line, theirs]
    told = refusals(person(), *lines, tokens=["", "t-bob", "t-eve", "t-wrong", TOKEN])
    assert "there is no token" in told[0]
    assert "your token may not write to ada/page" in told[1]
    assert "your token may not write to ada/page" in told[2]
    assert "does not accept the token" in told[3]
    assert "your token may not write to bob/page" in told[4]
    assert set(hub.repositories) == {("model", "ada/small"), ("space", "bob/page")}


@pytest.mark.usefixtures("small")
def test_a_name_that_is_taken_and_a_space_that_costs_are_said(
    hub: LoopbackHub, person: MakePerson
) -> None:
    hub.one_kind_a_name = True
    hub.fault("POST", "/api/repos/create", status=402)
    paid = [*deploys("ada/small"), "--hardware", "cpu-basic"]
    told = refusals(person(TOKEN), paid, deploys("ada/small", to="ada/small"))
    assert "the Hub asks to be paid for running ada/page" in told[0]
    assert "the name ada/small is taken" in told[1]


@pytest.mark.usefixtures("small")
def test_a_deploy_that_broke_off_is_finished_by_the_next(
    hub: LoopbackHub, person: MakePerson
) -> None:
    ada = person(TOKEN)
    hub.fault("POST", f"/{PAGE}/commit/", times=99, status=500)
    assert "ada/page" in refusals(ada, deploys("ada/small"))[0]
    assert hub.repository(PAGE, "space").messages == ["initial commit"]
    hub.faults.clear()
    assert ada.run(run_app, deploys("ada/small")) == [0], ada.said
    assert hub.repository(PAGE, "space").messages[1:] == ["Serve ada/small with lstm-lm"]


@pytest.mark.usefixtures("small")
def test_a_deploy_without_a_network_says_so(hub: LoopbackHub, person: MakePerson) -> None:
    ada = person(TOKEN)
    ada.down = True
    (told,) = refusals(ada, deploys("shakespeare-rnn"))
    assert "cannot reach the Hub" in told


def test_a_private_model_is_deployed_with_a_word_about_its_secret(
    hub: LoopbackHub, person: MakePerson, tmp_path: Path
) -> None:
    hub.add("ada/secret", model_files(tmp_path / "secret"), private=True)
    ada = person(TOKEN)
    assert ada.run(run_app, deploys("ada/secret")) == [0]
    assert "ada/secret is private: give the Space a secret HF_TOKEN" in ada.said
    assert TOKEN.encode() not in b"".join(hub.repository(PAGE, "space").files().values())
    assert TOKEN not in str(hub.repository(PAGE, "space").variables)


def loads(name: str) -> int:
    """Units of the model, loaded by name."""
    from lstm_lm.language_model import load

    return load(name).config.hidden_size


@pytest.mark.usefixtures("small")
def test_what_a_build_preloads_is_enough_where_the_hub_is_down(
    hub: LoopbackHub, person: MakePerson
) -> None:
    ada, builder = person(TOKEN), person()
    assert ada.run(run_app, deploys("ada/small@v1.0")) == [0], ada.said
    lines = block(hub.repository(PAGE, "space").files()["README.md"])["preload_from_hub"]
    builder.run(deployed.preload, lines)
    builder.down = True
    assert builder.run(loads, "ada/small@v1.0") == 8
