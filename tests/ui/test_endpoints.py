"""What programs may ask of the page, with the real clients against a served page."""

import ast
import asyncio
import concurrent.futures
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_lm.config import SamplingConfig
from lstm_lm.errors import UserError
from lstm_lm.language_model import LanguageModel, load
from lstm_lm.store.loading import save
from tests.conftest import tiny_model

TEXT = "abc\nhead"


@dataclass(frozen=True, kw_only=True)
class Served:
    """A page that is being served, and the models on it as Python has them."""

    url: str
    client: Any
    names: list[str]
    lstm: LanguageModel
    rnn: LanguageModel


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
    from gradio_client import Client

    from lstm_lm.ui.page import build_page, launch_settings

    folder = tmp_path_factory.mktemp("models")
    names = [str(folder / "tiny"), str(folder / "tiny-rnn")]
    save(tiny_model(), Path(names[0]))
    save(tiny_model(cell="rnn", layers=1), Path(names[1]))
    page, _ = build_page(names)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    client = Client(url, verbose=False, analytics_enabled=False)
    lstm, rnn = (load(name) for name in names)
    yield Served(url=url, client=client, names=names, lstm=lstm, rnn=rnn)
    page.close()


def test_the_three_endpoints_are_public_and_nothing_else_is(served: Served) -> None:
    found = served.client.view_api(return_format="dict", print_info=False)
    assert set(found["named_endpoints"]) == {"/generate", "/trace", "/models"}
    assert found["unnamed_endpoints"] == {}
    arguments = {
        name: [parameter["parameter_name"] for parameter in endpoint["parameters"]]
        for name, endpoint in found["named_endpoints"].items()
    }
    assert arguments == {
        "/generate": ["prompt", "max_new_tokens", "temperature", "top_k", "top_p", "seed", "model"],
        "/trace": ["text", "signal", "layer", "model"],
        "/models": [],
    }


def test_models_are_listed_with_their_sizes(served: Served) -> None:
    first, second = served.client.predict(api_name="/models")
    assert first == {
        "name": served.names[0],
        "tokenizer": "char",
        "cell": "lstm",
        "layers": 2,
        "units": 8,
        "parameters": served.lstm.config.parameter_count,
        "val_bpc": None,
    }
    assert (second["name"], second["cell"], second["layers"]) == (served.names[1], "rnn", 1)


def test_a_repository_is_asked_for_once_however_often_models_are_listed(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstm_lm.ui.shelf import models
    from lstm_lm.ui.shelf.runs import RunStore

    asked: list[str] = []

    def fetch(name: str) -> Path:
        asked.append(name)
        return Path(served.names[0])

    monkeypatch.setattr(models, "model_folder", fetch)
    shelf = models.ModelShelf(["owner/name"], RunStore())
    assert shelf.describe() == shelf.describe()
    assert shelf.describe()[0]["name"] == "owner/name"
    assert asked == ["owner/name"]


def test_generate_gives_what_python_writes_with_the_same_settings(served: Served) -> None:
    result = served.client.predict("ab", 25, 0.9, 6, 0.95, 7, served.names[0], api_name="/generate")
    sampling = SamplingConfig(max_new_tokens=25, temperature=0.9, top_k=6, top_p=0.95, seed=7)
    steps = list(served.lstm.generate("ab", sampling))
    assert result == {
        "prompt": "ab",
        "text": served.lstm.complete("ab", sampling),
        "tokens": [step.token for step in steps],
        "log_probs": [step.log_prob for step in steps],
        "model": served.names[0],
    }


def test_generate_needs_nothing_and_starts_from_a_newline(served: Served) -> None:
    result = served.client.predict(api_name="/generate")
    assert result["text"] == served.lstm.complete("", SamplingConfig(seed=1))
    assert len(result["tokens"]) == 200
    assert result["model"] == served.names[0]


@pytest.mark.parametrize(
    ("index", "signal", "layer"),
    [(0, "forget_gate", 1), (0, "cell_state", 0), (1, "hidden_state", 0)],
)
def test_trace_gives_the_values_of_python_to_the_last_bit(
    served: Served, index: int, signal: str, layer: int
) -> None:
    result = served.client.predict(TEXT, signal, layer, served.names[index], api_name="/trace")
    expected = (served.lstm, served.rnn)[index].trace(TEXT)
    assert result["tokens"] == list(TEXT)
    assert (result["signal"], result["layer"]) == (signal, layer)
    assert result["model"] == served.names[index]
    np.testing.assert_array_equal(np.array(result["values"], np.float32), expected[signal][layer])


@pytest.mark.parametrize(
    ("endpoint", "arguments", "message"),
    [
        ("/generate", {"prompt": "abZ"}, "the model has never seen 'Z' (U+005A) at character 2"),
        ("/generate", {"prompt": 3}, "prompt is 3: give a text"),
        ("/generate", {"prompt": "a" * 4001}, "prompt has 4,001 tokens: at most 4,000 tokens are"),
        ("/generate", {"prompt": "a" * 200_001}, "prompt has 200,001 characters: at most 4,000 to"),
        ("/generate", {"max_new_tokens": 0}, "max_new_tokens is 0: give 1 to 2,000, or write long"),
        ("/generate", {"max_new_tokens": 2001}, "max_new_tokens is 2,001: give 1 to 2,000"),
        ("/generate", {"max_new_tokens": 1.5}, "max_new_tokens is 1.5: give a whole number"),
        ("/generate", {"temperature": -1}, "temperature is -1: give a number 0 to"),
        ("/generate", {"temperature": "hot", "top_p": 2}, "temperature is 'hot': give a number"),
        ("/generate", {"top_k": -1}, "top_k is -1: give a whole number"),
        ("/generate", {"seed": None}, "seed is None: give a whole number"),
        ("/generate", {"model": "none"}, "no model 'none' here: choose from "),
        ("/generate", {"model": ["a"]}, "no model \"['a']\" here: choose from "),
        ("/trace", {"text": ""}, "the text is empty: give at least one character"),
        (
            "/trace",
            {"text": "a", "signal": "gate"},
            "'gate' is no signal: choose from ",
        ),
        ("/trace", {"text": "a", "signal": ["x"] * 99}, "a list is no signal: choose from input_"),
        ("/trace", {"text": "a", "layer": 2}, "no layer 2: this trace has 0 to 1"),
        ("/trace", {"text": "a", "layer": "x" * 1000}, "no layer 'xxxxx"),
    ],
    ids=lambda value: value[:24] if isinstance(value, str) else type(value).__name__,
)
def test_what_the_caller_can_mend_reaches_them_as_a_message(
    served: Served, endpoint: str, arguments: dict[str, Any], message: str
) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        served.client.predict(**arguments, api_name=endpoint)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_markup_in_a_message_is_plain_text(served: Served) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError) as caught:
        served.client.predict(model="<img src=x onerror=alert(1)>", api_name="/generate")
    assert str(caught.value).startswith("no model '&lt;img src=x onerror=alert(1)&gt;' here")


def test_a_trace_too_large_to_send_says_how_much_can_be(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lstm_lm.ui import endpoints
    from lstm_lm.ui.shelf.models import ModelShelf
    from lstm_lm.ui.shelf.runs import RunStore

    monkeypatch.setattr(endpoints, "MOST_VALUES", 100)
    mine = endpoints.Endpoints(ModelShelf(served.names, RunStore()))
    assert len(mine.trace("a" * 12)["values"]) == 12
    message = "text has 13 tokens, which is 104 values: at most 12 tokens (100 values) are sent at"
    with pytest.raises(UserError, match="^" + re.escape(message)):
        mine.trace("a" * 13)


def test_callers_at_the_same_time_each_get_their_own(served: Served) -> None:
    def ask(seed: int) -> str:
        return served.client.predict("a", 30, 1.0, seed=seed, api_name="/generate")["text"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(ask, range(12)))
    expected = [SamplingConfig(max_new_tokens=30, temperature=1.0, seed=n) for n in range(12)]
    assert texts == [served.lstm.complete("a", sampling) for sampling in expected]


def test_a_language_model_finds_the_tools_described_and_can_call_them(served: Served) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def use() -> tuple[Any, Any, Any]:
        async with (
            streamable_http_client(served.url + "gradio_api/mcp/") as (reading, writing, _),
            ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            tools = await session.list_tools()
            asked = {"prompt": "ab", "max_new_tokens": 9, "seed": 3}
            written = await session.call_tool("generate", asked)
            refused = await session.call_tool("trace", {"text": "Z"})
            return tools.tools, written, refused

    # In a thread of its own: an event loop of Playwright's may be running in this one.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        tools, written, refused = pool.submit(asyncio.run, use()).result()
    assert {tool.name for tool in tools} == {"generate", "trace", "models"}
    for tool in tools:
        assert len(tool.description) > 80
        assert "JSON: " in tool.description
        for name, parameter in tool.inputSchema["properties"].items():
            assert len(parameter["description"]) > 15, (tool.name, name)
    assert not written.isError
    result = ast.literal_eval(written.content[0].text)  # gradio writes results as Python does
    sampling = SamplingConfig(max_new_tokens=9, seed=3)
    assert result["text"] == served.lstm.complete("ab", sampling)
    assert refused.isError
    assert refused.content[0].text.startswith("the model has never seen 'Z' (U+005A)")


def test_the_readme_names_every_endpoint_with_its_arguments(served: Served) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    endpoints = served.client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    for name, endpoint in endpoints.items():
        arguments = ", ".join(p["parameter_name"] for p in endpoint["parameters"])
        assert f"`{name}({arguments})`" in readme.replace("\n", " ")
