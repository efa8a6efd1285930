"""Files of datasets with the real client: each revision, and an error that says what to do."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.hub.calls import read_datasets, refusals, serve, train
from tests.hub.client import Person
from tests.hub.server import LoopbackHub

MakePerson = Callable[..., Person]
TEXTS = "hf://datasets/ada/texts"
SECRET = "hf://datasets/ada/secret/a.txt"


def offer(hub: LoopbackHub) -> None:
    """ada/texts in two versions, and ada/secret."""
    texts = hub.add("ada/texts", {"a.txt": b"first", "deep/a@b.txt": b"deep"}, "dataset")
    texts.tags["v1.0"] = texts.branches["main"]
    texts.commit({**texts.files(), "a.txt": b"second"}, "better")
    hub.add("ada/secret", {"a.txt": b"secret"}, "dataset", private=True)
    hub.add("ada/gated", {"a.txt": b"gated"}, "dataset", gated=True)


def test_a_file_comes_from_the_revision_that_is_named(hub: LoopbackHub, person: MakePerson) -> None:
    offer(hub)
    commit = hub.repository("ada/texts", "dataset").tags["v1.0"]
    sources = ["/a.txt", "@v1.0/a.txt", f"@{commit}/a.txt", "@main/a.txt", "@v1.0/deep/a@b.txt"]
    found = person().run(read_datasets, *(f"{TEXTS}{rest}" for rest in sources))
    assert found == ["second", "first", "first", "second", "deep"]


def test_what_cannot_be_had_is_named_with_what_to_do(hub: LoopbackHub, person: MakePerson) -> None:
    offer(hub)
    expected = {
        SECRET: "the Hub has no dataset 'ada/secret', or it is private; check the name, or log in "
        "with `hf auth login`",
        "hf://datasets/ada/none/a.txt": "the Hub has no dataset 'ada/none', or it is private",
        f"{TEXTS}/none.txt": "the dataset ada/texts has no such file",
        f"{TEXTS}@v9/a.txt": "ada/texts has no revision 'v9': there are v1.0, main",
        f"{TEXTS}@a b/a.txt": "no revision can be called 'a b'",
        f"{TEXTS}/../../x": "a file's path in a dataset has no ..",
        "hf://datasets/ada/gated/a.txt": f"ask for access at {hub.url}/datasets/ada/gated, then",
    }
    found = person().run(read_datasets, *expected)
    for (source, message), error in zip(expected.items(), found, strict=True):
        assert error.startswith(f"error: cannot load {source}: ")
        assert message in error
        assert "\n" not in error
    (read,) = person("t-ada").run(read_datasets, SECRET)
    assert read == "secret"
    (error,) = person("t-bob").run(read_datasets, SECRET)
    assert "or it is private and your token may not read it; check the name, or log in" in error


def assert_line(error: str, message: str) -> None:
    assert re.search(message, error), error
    assert "\n" not in error
    assert "SECRET" not in error


def test_surroundings_in_which_nothing_can_be_kept_or_sent_are_one_line(
    hub: LoopbackHub, person: MakePerson, tmp_path: Path
) -> None:
    offer(hub)
    (tmp_path / "file").write_text("in the way")
    kept = tmp_path / "kept"
    (kept / "token").mkdir(parents=True)
    wrong = [
        ({"HF_HOME": "/proc/nowhere"}, "cannot keep .* in the cache /proc/nowhere/hub: No such fi"),
        ({"HF_HOME": str(tmp_path / "file")}, r"HF_HOME cannot be used \(.*/file is no folder\): "),
        ({"HF_HOME": str(kept)}, "cannot read the token in .*/kept/token: Is a directory; log in"),
        ({"HF_TOKEN": "t\xf6ken"}, "HF_TOKEN holds what no token does: copy the token again"),
        ({"HF_ENDPOINT": "hub.example"}, "HF_ENDPOINT is 'hub.example': write https:// and the"),
        ({"NO_PROXY": "", "https_proxy": "socks5://ada:SECRET@127.0.0.1:9"}, "https_proxy is a "
         "SOCKS proxy, which needs the package socksio: python -m pip install socksio, or unset"),
        ({"NO_PROXY": "", "ALL_PROXY": "ftp://ada:SECRET@127.0.0.1:9"}, "ALL_PROXY is of a kind"),
        ({"NO_PROXY": "", "http_proxy": "http://ada:SECRET@127.0.0.1:9"}, "cannot reach the Hub "
         "for .*Connection refused.*, and it is not in the cache"),
    ]  # fmt: skip
    for more, message in wrong:
        somebody = person()
        somebody.more = more
        (error,) = somebody.run(read_datasets, f"{TEXTS}/a.txt")
        assert_line(error, message)


def test_the_same_holds_for_models_and_for_the_scripts(
    hub: LoopbackHub, person: MakePerson, tmp_path: Path
) -> None:
    offer(hub)
    (tmp_path / "file").write_text("in the way")
    somebody = person()
    somebody.more = {"HF_HOME": str(tmp_path / "file")}
    ((kind, error),) = somebody.run(refusals, "ada/verse")
    assert kind == "ConfigError"
    assert_line(error, r"^HF_HOME cannot be used \(.*/file is no folder\)")
    hub.add("ada/verse", {"config.json": b"{}", "model.safetensors": b"x"})
    somebody.more = {"HF_HOME": "/proc/nowhere"}
    ((kind, error),) = somebody.run(refusals, "ada/verse")
    assert kind == "HubError"
    assert_line(error, r"^cannot keep ada/verse in the cache /proc/nowhere/hub: No such file")
    somebody.more = {"HF_ENDPOINT": "hub.example"}
    pushed = ["--text", "file", "--push-to-hub", "ada/verse"]
    assert somebody.run(train, str(tmp_path), *pushed) == 2
    assert "train.py: HF_ENDPOINT is 'hub.example': write https:// and" in somebody.said
    for arguments in (["--deploy", "ada/page"], ["--model", "ada/verse", "--port", "8520"]):
        assert somebody.run(serve, *arguments) == 2
        assert "app.py: HF_ENDPOINT is 'hub.example': write https:// and" in somebody.said
        assert "cannot serve" not in somebody.said
