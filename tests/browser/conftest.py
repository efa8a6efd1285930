"""A served page and a real Chromium for the browser tests."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from lstm_lm.store.loading import save
from lstm_lm.ui.views.workbench.view import Handlers
from tests.conftest import tiny_model

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # Playwright's own list, which this one replaces, and the address bar's suggestions: of these a
    # process is begun with each page: about a quarter of the work of opening ours.
    "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,"
    "HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding,"
    "ThirdPartyStoragePartitioning,OptimizationHints,NetworkTimeServiceQuerying,PreconnectToSearch,"
    "AimEnabled,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
)  # fmt: skip
REAL = "shakespeare-char"
SERIOUS = ("serious", "critical")  # impacts of what axe finds
expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One more try for what drives a browser, as Playwright's own runner has it; pytest says so."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass(frozen=True, kw_only=True)
class Site:
    """A page that is being served."""

    url: str
    handlers: Handlers
    tiny: str
    """Name of a model of 2 layers x 8 units, small enough to check every number."""
    tiny_rnn: str
    tiny_gru: str
    real: str
    """Name of the model that the page opens with."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")
    from lstm_lm.ui.page import build_page, launch_settings

    folder = tmp_path_factory.mktemp("models")
    tiny, tiny_rnn, tiny_gru = folder / "tiny", folder / "tiny-rnn", folder / "tiny-gru"
    save(tiny_model(scale=2.0), tiny)
    save(tiny_model(cell="rnn"), tiny_rnn)
    save(tiny_model(cell="gru"), tiny_gru)
    page, handlers = build_page([REAL, str(tiny), str(tiny_rnn), str(tiny_gru)])
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    yield Site(
        url=url,
        handlers=handlers,
        tiny=str(tiny),
        tiny_rnn=str(tiny_rnn),
        tiny_gru=str(tiny_gru),
        real=REAL,
    )
    page.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    installed = shutil.which("chromium")
    with sync_playwright() as playwright:
        # None: Playwright's own, which tests/run installed where Debian's is not to be had.
        browser = playwright.chromium.launch(
            executable_path=Path(installed) if installed else None, args=list(QUIET)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def returning(chromium: Browser) -> BrowserContext:
    """A visitor whose browser has the page's files from the last time, as most have."""
    return chromium.new_context(viewport={"width": 1440, "height": 1000})


@pytest.fixture
def page(returning: BrowserContext, site: Site) -> Iterator[Page]:
    """The page, opened and full; a test fails if the page logs an error."""
    page = returning.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    open_page(page, site.url)
    yield page
    page.evaluate("localStorage.clear()")
    page.close()
    assert not errors


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function(
        "document.querySelector('#write-bench .equations')?.textContent.length > 0"
    )


def assert_no_violation(
    page: Page, *, context: dict[str, Any] | None = None, impacts: tuple[str, ...] | None = None
) -> None:
    """Axe finds nothing wrong: on the whole page or in a part of it, of any impact or of these."""
    found = Axe().run(page, context=context, options={"resultTypes": ["violations"]})
    wrong = [
        each
        for each in found.response["violations"]
        if impacts is None or each["impact"] in impacts
    ]
    assert not wrong, found.generate_report()


def fill_numbers(page: Page, values: dict[str, float]) -> None:
    """Type into number fields by label, until what was typed has stayed for twenty frames.

    When an accordion opens, gradio gives its fields their first values once more a moment later:
    what was typed in between is gone.
    """
    fields = {
        page.get_by_role("spinbutton", name=f"number input for {label}"): str(value)
        for label, value in values.items()
    }
    for _ in range(10):
        for field, value in fields.items():
            if field.input_value() != value:
                field.fill(value)
                field.press("Tab")
        page.evaluate(
            "async () => { for (let i = 0; i < 20; i++) await new Promise(requestAnimationFrame) }"
        )
        if all(field.input_value() == value for field, value in fields.items()):
            return
    raise AssertionError(f"the fields did not keep {values}")
