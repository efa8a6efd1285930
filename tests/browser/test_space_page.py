"""A deployed Space starts from its files alone, and visitors load what its owner allows."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from gradio_client import Client
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.config import SamplingConfig
from lstm_lm.language_model import load_folder
from lstm_lm.ui.shelf.models import OPENING
from tests.browser.conftest import open_page
from tests.hub.client import Person
from tests.hub.deployed import Running, block, deploys, model_files, preload, run_app, running
from tests.hub.server import LoopbackHub

pytestmark = pytest.mark.browser
NAME = "ada/page"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("space")


@pytest.fixture(scope="module")
def space(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Space with a model at a tag, one that has gone since, and room for one of its visitors'."""
    empty = tmp_path_factory.mktemp("run") / "files"
    with LoopbackHub() as hub:
        small = hub.add("ada/small", model_files(folder / "small"))
        small.tags["v1.0"] = small.branches["main"]
        for seed, name in enumerate(("later", "second", "third"), start=2):
            hub.add(f"bob/{name}", model_files(folder / name, seed=seed))
        hub.add("ada/private", small.files(), private=True)
        hub.add("bob/broken", small.files() | {"model.safetensors": b"nothing"})
        ada = Person(hub, folder / "ada", "t-ada")
        line = deploys("ada/small@v1.0", "bob/later", to=NAME)
        assert ada.run(run_app, line) == [0], ada.said
        deployed = hub.repository(NAME, "space")
        deployed.variables |= {"LSTM_LM_OPEN": "1", "LSTM_LM_OPEN_MODELS": "1"}
        builder = Person(hub, folder / "build", "t-ada")
        lines = block(deployed.files()["README.md"])["preload_from_hub"]
        builder.run(preload, lines[:1])
        small.commit({**small.files(), "config.json": b"{}"}, "main has moved on, the tag has not")
        del hub.repositories["model", "bob/later"]
        with running(hub, NAME, builder, empty) as started:
            yield started


@pytest.fixture
def page(chromium: Browser, space: Running) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 390, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_page(page, space.url)
    yield page
    context.close()
    assert not errors


def component(config: dict[str, Any], element: str) -> dict[str, Any]:
    return next(
        part["props"] for part in config["components"] if part["props"].get("elem_id") == element
    )


def test_what_is_deployed_serves_the_page_and_a_model_writes(space: Running, folder: Path) -> None:
    with urllib.request.urlopen(f"{space.url}/config") as answer:
        config = json.load(answer)
    assert config["space_id"] == NAME
    assert component(config, "model")["choices"] == [["small@v1.0", "ada/small@v1.0"]]
    model = load_folder(folder / "small")
    written = "".join(component(config, "write-bench")["value"]["tokens"])
    assert written == "\n" + model.complete("\n", OPENING)
    client = Client(space.url, verbose=False)
    answer = client.predict("bad", 40, 0.6, api_name="/generate")
    expected = model.complete("bad", SamplingConfig(max_new_tokens=40, temperature=0.6, seed=1))
    assert (answer["text"], answer["model"]) == (expected, "ada/small@v1.0")


def test_a_model_that_is_gone_is_named_and_the_rest_is_served(space: Running, page: Page) -> None:
    gone = "bob/later is not on offer: no model 'bob/later'"
    assert f"app.py: {gone}" in space.log.read_text()
    expect(page.locator(".hub .told")).to_contain_text(gone)


def fetch(page: Page, name: str) -> Locator:
    """Ask for a model by the keyboard alone; the line that says how it goes."""
    summary = page.get_by_text("Load from the Hub")
    field = page.get_by_label("Repository on the Hub")
    if not field.is_visible():
        summary.focus()
        summary.press("Enter")
    expect(field).to_be_focused()
    field.fill(name)
    field.press("Enter")
    return page.locator(".hub .told")


def test_a_visitor_loads_a_model_and_reads_what_it_writes(
    page: Page, space: Running, folder: Path, chromium: Browser
) -> None:
    expect(fetch(page, " bob/second ")).to_have_text("bob/second is loaded.")
    expect(page.get_by_label("Model", exact=True)).to_have_value("bob/second")
    text = page.locator("#write-bench .text")
    model = load_folder(folder / "second")
    expect(text).to_have_text("\n" + model.complete("\n", OPENING))
    page.get_by_label("Prompt").fill("bad")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(text).to_have_text(re.compile(r"^bad.{5}", re.DOTALL))
    page.get_by_role("button", name="Stop").click()
    written = model.complete("bad", SamplingConfig(max_new_tokens=320, temperature=0.6, seed=1))
    assert ("bad" + written).startswith(text.text_content() or "nothing")

    # Another visitor is offered what the owner named, and takes the one place there is.
    other = chromium.new_context().new_page()
    open_page(other, space.url)
    other.locator("#model input").click()
    offered = other.get_by_role("listbox").get_by_role("option")
    expect(offered).to_have_text([re.compile("small@v1.0")])
    other.keyboard.press("Escape")
    expect(fetch(other, "bob/third@main")).to_have_text("bob/third@main is loaded.")
    other.context.close()
    page.locator("#model input").click()
    page.get_by_role("option", name="small@v1.0").click()
    expect(text).to_have_text("\n" + load_folder(folder / "small").complete("\n", OPENING))
    page.locator("#model input").click()
    page.get_by_role("option", name="bob/second").click()
    expect(page.locator("#write-bench .notes")).to_contain_text("load it again")


REFUSED = {
    "bob/none": "no model 'bob/none'",
    "ada/private": "no model 'ada/private'",  # though the Space itself may read it
    "ada/small@v9": "ada/small has no revision 'v9': there are v1.0, main",
    "bob/broken": "model.safetensors",
    "shakespeare-rnn": "no model 'shakespeare-rnn': a repository's id is OWNER/NAME",
    "lstm_lm/models": "no model 'lstm_lm/models'",  # a folder there, but no repository
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "": "no model ''",
}


def test_what_cannot_be_loaded_is_said_in_place(page: Page) -> None:
    for name, said in REFUSED.items():
        told = fetch(page, name)
        expect(told).to_contain_text(said)
        expect(told).to_have_class(re.compile("error"))
        expect(page.get_by_role("button", name="Load", exact=True)).to_be_enabled()
    assert page.locator(".hub img").count() == 0
    check_field(page)


def test_the_field_is_as_good_in_the_dark(chromium: Browser, space: Running) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 900}, color_scheme="dark")
    open_page(page, space.url)
    expect(fetch(page, "bob/none")).to_contain_text("no model")
    check_field(page)
    page.close()


def check_field(page: Page) -> None:
    """No accessibility violation, and nothing wider than the screen."""
    results = Axe().run(page, context="#hub-field")
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
