"""What the page is refused, a person is told."""

import pytest
from playwright.sync_api import Browser, expect

from lstm_lm.ui.admission import QUESTION
from tests.browser.conftest import Site, open_page

pytestmark = pytest.mark.browser


def test_a_text_too_large_to_be_sent_is_refused_in_words(chromium: Browser, site: Site) -> None:
    page = chromium.new_page()
    open_page(page, site.url)
    page.get_by_role("tab", name="Read").click()
    text = page.get_by_label("Your text")
    text.fill("a" * (QUESTION + 1_000))
    page.get_by_role("button", name="Read", exact=True).click()
    refused = "This is more than the page takes at once (300,000 bytes): shorten it."
    expect(page.get_by_text(refused)).to_be_visible()
    text.fill("To be, or not to be")
    page.get_by_role("button", name="Read", exact=True).click()
    expect(page.locator("#read-bench .text")).to_have_text("To be, or not to be")
    page.close()


def test_the_page_asks_for_nothing_that_is_shut(chromium: Browser, site: Site) -> None:
    page = chromium.new_page()
    refused: list[str] = []
    page.on("response", lambda r: refused.append(r.url) if r.status >= 400 else None)
    open_page(page, site.url)
    manifest = page.evaluate(
        """async () => {
            const address = document.querySelector('link[rel=manifest]').href;
            const manifest = await (await fetch(address)).json();
            const icons = await Promise.all(manifest.icons.map((icon) => fetch(icon.src)));
            return [manifest.name, ...icons.map((icon) => icon.status)];
        }"""
    )
    assert manifest[0].startswith("lstm-lm")
    assert manifest[1:] == [200]
    assert refused == []
    page.close()
