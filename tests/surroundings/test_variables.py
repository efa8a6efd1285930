"""Variables that make no sense are one line each, before a library reads them."""

import stat
import tempfile
from pathlib import Path

import pytest

import app
import train
from lstm_lm.errors import ConfigError
from lstm_lm.surroundings.variables import check_hub, check_trainer, prepare_page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GRADIO_SERVER_PORT", "abc"),
        ("GRADIO_SERVER_PORT", ""),
        ("GRADIO_SERVER_PORT", "99999"),
        ("GRADIO_SERVER_PORT", "-1"),
        ("GRADIO_SERVER_PORT", "9" * 5000),
        ("GRADIO_NUM_PORTS", "0"),
        ("GRADIO_NODE_NUM_PORTS", "many"),
        ("GRADIO_NUM_WORKERS", "1.5"),
        ("GRADIO_DEBUG", "yes"),
        ("GRADIO_DEFAULT_CONCURRENCY_LIMIT", "some"),
        ("GRADIO_ANALYTICS_MAX_EVENTS", "\u0664"),  # a digit, but not one of int's own writing
        ("GRADIO_ANALYTICS_CACHE_FREQUENCY", "often"),
        ("WEB_CONCURRENCY", "two"),
        ("HF_HUB_ETAG_TIMEOUT", "soon"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "1e3"),
    ],
)
def test_a_number_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} is .*: give a whole number from ") as caught:
        prepare_page({name: value})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"GRADIO_SERVER_PORT": "7860", "GRADIO_NUM_PORTS": "1", "WEB_CONCURRENCY": "1"},
        {"GRADIO_DEFAULT_CONCURRENCY_LIMIT": "none"},
        {"GRADIO_ROOT_PATH": "/lstm"},
        {"GRADIO_ROOT_PATH": "https://page.example/lstm"},
        {"GRADIO_DEFAULT_CONCURRENCY_LIMIT": ""},
        {"GRADIO_HEARTBEAT_INTERVAL": "often"},  # gradio says so itself, and goes on
    ],
)
def test_what_makes_sense_is_let_be(environment: dict[str, str]) -> None:
    before = dict(environment)
    prepare_page(environment)
    check_trainer(environment)
    check_hub(environment)
    assert environment == before


@pytest.mark.parametrize(
    ("given", "meant"),
    [("1", "1"), ("true", "1"), ("Yes", "1"), ("on ", "1"), ("0", "0"), ("", "0"), ("no", "0"),
     ("False", "0"), ("off", "0")],
)  # fmt: skip
def test_a_page_is_opened_by_yes_and_not_by_no(given: str, meant: str) -> None:
    environment = {"LSTM_LM_OPEN": given}
    prepare_page(environment)
    assert environment["LSTM_LM_OPEN"] == meant


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    environment = {
        "GRADIO_SERVER_PORT": "abc",
        "LSTM_LM_OPEN": "banana",
        "GRADIO_TEMP_DIR": str(file),
        "SSL_CERT_FILE": str(tmp_path / "none.pem"),
    }
    with pytest.raises(ConfigError) as caught:
        prepare_page(environment)
    lines = str(caught.value).split("; ")
    assert [line.split()[0] for line in lines] == [
        "GRADIO_SERVER_PORT",
        "LSTM_LM_OPEN",
        "SSL_CERT_FILE",
        "GRADIO_TEMP_DIR",
    ]
    assert lines[1] == "LSTM_LM_OPEN is 'banana': give 1 or 0"
    assert "SSL_CERT_FILE cannot be used (No such file or directory): give" in lines[2]


@pytest.mark.parametrize("root", ["lstm", "ftp://host/lstm", "http://host:port/"])
def test_a_root_path_that_is_none_is_named(root: str) -> None:
    with pytest.raises(ConfigError, match=r"^GRADIO_ROOT_PATH is .*: give the path below which a"):
        prepare_page({"GRADIO_ROOT_PATH": root})


@pytest.mark.parametrize("content", ["", "no certificate\n"])
def test_a_file_of_certificates_that_holds_none_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "certificates.pem"
    file.write_text(content)
    for check in (prepare_page, check_hub):
        with pytest.raises(ConfigError, match=r"^SSL_CERT_FILE cannot be used \("):
            check({"SSL_CERT_FILE": str(file)})


def test_another_accounts_folder_is_left_for_one_of_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gradio's usual folder has a fixed name: on a shared machine somebody else made it first."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "gradio").write_text("not ours to write into")
    environment: dict[str, str] = {}
    prepare_page(environment)
    own = Path(environment["GRADIO_TEMP_DIR"])
    assert own.parent == tmp_path
    assert stat.S_IMODE(own.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HF_ENDPOINT": "hub.example"}, "HF_ENDPOINT is 'hub.example': write https:// and the H"),
        ({"HF_ENDPOINT": ""}, "HF_ENDPOINT is '': write https:// and the Hub's host, or unset it"),
        ({"HF_ENDPOINT": "https://ada:SECRET@h:x/"}, "HF_ENDPOINT is 'https://...@h:x/': write"),
        ({"HF_TOKEN": "SECRET\u00e9"}, "HF_TOKEN holds what no token does: copy the token again"),
        ({"HF_TOKEN": "SECRET two"}, "HF_TOKEN holds what no token does"),
        ({"HF_TOKEN": "SECRET\nx\x00"}, "HF_TOKEN holds what no token does"),
        ({"HF_HOME": __file__}, "HF_HOME cannot be used (" + __file__ + " is no folder): give"),
        ({"HF_HUB_CACHE": "~nobody-of-that-name"}, "HF_HUB_CACHE cannot be used (Could not deter"),
        ({"http_proxy": "http://ada:SECRET@:x"}, "http_proxy is no address of a proxy: write it"),
    ],
)
def test_what_keeps_the_hubs_client_from_working_is_named(
    environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_hub(environment)
    assert str(caught.value).startswith(message)
    assert "SECRET" not in str(caught.value)


def test_a_token_with_a_newline_at_its_end_is_the_clients_to_mend() -> None:
    check_hub({"HF_TOKEN": "hf_abc\r\n", "HF_ENDPOINT": "http://127.0.0.1:1"})


PAGE = {
    "port of the environment": ({"GRADIO_SERVER_PORT": "abc"}, [], "GRADIO_SERVER_PORT is 'abc'"),
    "host of the environment": (
        {"GRADIO_SERVER_NAME": "10.9.9.9"},
        [],
        "GRADIO_SERVER_NAME is '10.9.9.9', ",
    ),
    "host": ({}, ["--host", "10.9.9.9", "--port", "8520"], "--host is '10.9.9.9', which is not"),
    "share by a proxy": (
        {"ALL_PROXY": "ftp://ada:SECRET@host:1"},
        ["--share"],
        "--share cannot go by the proxy: ALL_PROXY is of a kind",
    ),
    "models kept": ({"LSTM_LM_OPEN_MODELS": "x"}, [], "LSTM_LM_OPEN_MODELS is 'x': give a whole"),
    "no such model": ({}, ["--model", "x" * 300], "no model 'xxx"),
    "secret model": ({}, ["--model", "https://ada:SECRET@h/a/b"], "no model 'https://...@h/a/b'"),
    "secret argument": ({}, ["https://ada:SECRET@h/a/b"], "unrecognized arguments: https://...@h"),
    "secret space": ({}, ["--deploy", "https://ada:SECRET@h/a"], "--deploy is 'https://...@h/a'"),
}


@pytest.mark.parametrize("name", PAGE)
def test_the_page_answers_in_one_line_with_exit_code_2(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more, arguments, message = PAGE[name]
    for variable in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "GRADIO_TEMP_DIR", "no_proxy",
                     "NO_PROXY", "ALL_PROXY", "LSTM_LM_PROXY_PROBLEM", "LSTM_LM_OPEN",
                     "GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):  # fmt: skip
        monkeypatch.setenv(variable, "")  # so that what `main` sets is gone after the test
        monkeypatch.delenv(variable)
    for variable, value in more.items():
        monkeypatch.setenv(variable, value)
    try:
        code: object = app.main(arguments)
    except SystemExit as left:
        code = left.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"app.py: {message}")
    assert error.count("\n") == 1
    assert "SECRET" not in error
    assert "cannot serve there" not in error


TRAINER = {
    "hub": ({"HF_HUB_DOWNLOAD_TIMEOUT": "soon"}, ["--text", "x"], "HF_HUB_DOWNLOAD_TIMEOUT is '"),
    "processes": ({"WORLD_SIZE": "two"}, ["--text", "x"], "WORLD_SIZE is 'two': a whole number"),
    "secret target": ({}, ["--push-to-hub", "https://ada:SECRET@h/a"], "--push-to-hub is 'https:"),
    "secret text": ({}, ["--text", "ftp://ada:SECRET@h/a"], "cannot fetch ftp://...@h/a: give ht"),
    "secret argument": ({}, ["https://h/?SECRET"], "unrecognized arguments: https://h/?...; see"),
}


@pytest.mark.parametrize("name", TRAINER)
def test_the_trainer_answers_in_one_line_with_exit_code_2(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    more, arguments, message = TRAINER[name]
    for variable, value in more.items():
        monkeypatch.setenv(variable, value)
    try:
        code: object = train.main(arguments)
    except SystemExit as left:
        code = left.code
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith(f"train.py: {message}")
    assert error.count("\n") == 1
    assert "SECRET" not in error


def test_an_account_without_a_home_is_told_what_to_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_home(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    for variable in ("LSTM_LM_CACHE", "XDG_CACHE_HOME", "HF_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "expanduser", no_home)
        assert train.main(["--steps", "1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("train.py: this account has no home folder: set LSTM_LM_CACHE to a f")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match=r"^this account has no home folder: set HF_HOME to a f"):
        check_hub({})
    check_hub({"HF_HOME": str(tmp_path)})
