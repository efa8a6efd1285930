"""Taking a view away: files, and a link that shows it again to somebody else."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lstm_lm.ui.shelf.models import public_name
from tests.browser.conftest import Site, assert_no_violation, fill_numbers, open_page
from tests.browser.test_inspector import go_to
from tests.browser.test_page import bench, choose_model, read_with
from tests.hub.server import LoopbackHub

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Page]:
    """Somebody else, with a browser of their own that is told to move nothing."""
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce"
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors


def menu(shown: Locator) -> Locator:
    shown.get_by_role("button", name="Take away").click()
    return shown.get_by_role("group", name="Take away")


def numbers_of(shown: Locator) -> list[str]:
    """What the inspector shows of the pinned step: title, every number, the surprise."""
    return [
        shown.locator(".inside .title").inner_text(),
        shown.locator(".inside .surprise").inner_text(),
        *shown.locator(".inside .cell .value").all_inner_texts(),
    ]


def test_a_link_shows_somebody_else_the_same_view(page: Page, site: Site, visitor: Page) -> None:
    choose_model(page, "tiny")
    expect(bench(page).locator(".progress")).to_have_text("321 steps")
    page.get_by_label("Prompt").fill("head")
    page.locator("#settings").get_by_role("button").first.click()
    fill_numbers(page, {"Length": 40, "Pace": 400, "Temperature": 1.3})
    for label, value in (("Seed", "5"), ("Top-k", "6")):
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Tab")
    page.get_by_role("button", name="Write", exact=True).click()
    shown = bench(page)
    expect(shown.locator(".progress")).to_have_text("44 steps")
    shown.get_by_role("button", name="Layer 2", exact=True).click()
    shown.get_by_role("button", name=re.compile("Forget gate")).first.click()
    shown.get_by_role("button", name="in order").click()
    go_to(shown, 12)
    shown.locator(".inside input.unit").fill("6")
    shown.locator(".inside input.unit").press("Enter")
    expect(shown.locator(".inside .title")).to_have_text(re.compile("step 13: unit 6 of layer 2"))
    expect(shown.locator(".inside .surprise")).not_to_be_empty()
    panel = menu(shown)
    panel.get_by_role("button", name="Copy link").click()
    address = panel.get_by_label("The link")
    expect(address).to_have_value(re.compile("show=write"))
    link = address.input_value()
    assert parse_qs(urlsplit(link).query)["model"] == [public_name(site.tiny)]
    assert urlsplit(page.url).query == urlsplit(link).query  # a reload shows it again too

    visitor.goto(link)
    theirs = bench(visitor)
    title = shown.locator(".inside .title").inner_text()
    expect(theirs.locator(".inside .title")).to_have_text(title)
    expect(theirs.locator(".inside .surprise")).not_to_be_empty()
    expect(theirs.locator(".text")).to_have_text(shown.locator(".text").inner_text())
    assert numbers_of(theirs) == numbers_of(shown)
    for pressed in (re.compile("Forget gate"), re.compile("^Layer 2$"), "in order"):
        expect(theirs.get_by_role("button", name=pressed).first).to_have_attribute(
            "aria-pressed", "true"
        )
    expect(visitor.get_by_label("Prompt")).to_have_value("head")
    visitor.locator("#settings").get_by_role("button").first.click()
    for label, value in (("Temperature", "1.3"), ("Length", "40"), ("Seed", "5"), ("Top-k", "6")):
        field = visitor.get_by_role("spinbutton", name=f"number input for {label}")
        expect(field.or_(visitor.get_by_label(label, exact=True)).first).to_have_value(value)
    # They asked for no motion, and nothing moves; others see transitions.
    moving = (
        "[...document.querySelectorAll('*')].filter((e) => { const css = getComputedStyle(e);"
        " return /[1-9]/.test(css.transitionDuration) || css.animationName !== 'none'; }).length"
    )
    assert visitor.evaluate(moving) == 0
    assert page.evaluate(moving) > 0


def test_the_csv_that_is_downloaded_holds_the_numbers(
    page: Page, site: Site, tmp_path: Path
) -> None:
    text = "abc\nhead fade"
    shown = read_with(page, "tiny", text)
    shown.get_by_role("button", name="Layer 2", exact=True).click()
    panel = menu(shown)
    with page.expect_download() as download:
        panel.get_by_role("button", name="Cell state, layer 2 as CSV").click()
    assert download.value.suggested_filename == "tiny-cell_state-layer-2-of-2.csv"
    download.value.save_as(tmp_path / "found.csv")
    with (tmp_path / "found.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    trace = site.handlers.shelf.get(site.tiny).model
    expected = trace.trace(text)["cell_state"][1]
    values = np.array([row["cell_state"] for row in rows], dtype=np.float32)
    np.testing.assert_array_equal(values.reshape(expected.shape), expected)
    assert "".join(row["token"] for row in rows[::8]) == text
    expect(panel.get_by_role("status")).to_contain_text("is in your downloads")
    for kind, first in (("PNG", b"\x89PNG"), ("SVG", b"<?xml")):
        with page.expect_download() as download:
            panel.get_by_role("button", name=f"Picture as {kind}").click()
        assert download.value.suggested_filename.endswith(kind.lower())
        assert Path(download.value.path()).read_bytes().startswith(first)


@pytest.fixture
def framed(chromium: Browser, site: Site) -> Iterator[Page]:
    """The page as the Hub shows a Space: in a frame, in a page of another address."""
    address = f"{site.url}?__theme=light&__sign=secret"
    with LoopbackHub() as hub:
        around = chromium.new_page(viewport={"width": 1440, "height": 1000})
        around.goto(f"{hub.url}/spaces/ada/page?show=unit")
        around.set_content(f'<iframe src="{address}" width="1400" height="960"></iframe>')
        yield around
        around.close()


def test_every_link_copied_in_the_hubs_frame_is_of_the_page_itself(
    framed: Page, site: Site
) -> None:
    before = framed.url
    assert urlsplit(before).netloc != urlsplit(site.url).netloc
    inside = framed.frame_locator("iframe")
    expect(inside.locator("#write-bench .equations")).not_to_be_empty()
    inside.locator("#write-bench").get_by_role("button", name="Take away").click()
    views = {"write": "#write-bench", "unit": "#unit-pages", "find": "#find"}
    for view, element in views.items():
        if view != "write":
            inside.get_by_role("tab", name="Units" if view == "unit" else "Find").click()
        inside.locator(element).get_by_role("button", name="Copy link").click()
        link = inside.locator(f"{element} .address")
        expect(link).to_have_value(re.compile(f"^{re.escape(site.url)}\\?show={view}&"))
        assert "secret" not in link.input_value()  # what lets its owner into a private Space
    assert framed.url == before


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("show=write&model=nobody&text=&length=9&seed=1&temperature=1&signal=cell_state&"
         "order=index", "it needs the model 'nobody', which is not here"),
        ("show=read&text=a&signal=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&model=m",
         "signal is '<img src=x onerror=alert(1)>': it can be input_gate"),
    ],
)  # fmt: skip
def test_a_link_that_is_wrong_says_so_and_the_page_is_full(
    page: Page, site: Site, query: str, message: str
) -> None:
    open_page(page, f"{site.url}?{query}")
    notes = bench(page).locator(".notes")
    expect(notes).to_contain_text(f"This link cannot be shown: {message}")
    expect(notes.locator("img")).to_have_count(0)
    opening = site.handlers.shelf.get(site.real).opening
    expect(bench(page).locator(".text")).to_have_text("".join(opening.tokens))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_menu_works_from_the_keyboard_and_fits_a_phone(
    page: Page, site: Site, theme: str
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, f"{site.url}?__theme={theme}")
    shown = bench(page)
    opener = shown.get_by_role("button", name="Take away")
    opener.focus()
    opener.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    panel = shown.get_by_role("group", name="Take away")
    page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="Picture as PNG")).to_be_focused()
    box = panel.bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    panel.get_by_role("button", name="Copy link").press("Enter")
    expect(panel.get_by_label("The link")).to_be_visible()
    assert_no_violation(page)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(opener).to_be_focused()
