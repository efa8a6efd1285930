"""A unit held at a value on its page, and the address that follows the unit."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from lstm_lm.ui.views.units.view import UnitView
from tests.browser.conftest import Site
from tests.browser.test_page import choose_model
from tests.browser.test_units import number, units_of

pytestmark = pytest.mark.browser


def assert_written(card: Locator, answer: dict[str, Any]) -> None:
    """The columns are what was written, and the first difference is marked where it is."""
    for each in answer["tries"]:
        column = card.locator(f".try.{each['name']}")
        expect(column.locator(".which .number")).to_have_text(number(each["value"]))
        expect(column.locator(".told")).to_have_text(each["told"])
        written = "".join(each["tokens"])
        shown = column.locator("pre").evaluate(
            """(pre) => [pre.querySelector(".same")?.textContent ?? "",
              pre.querySelector("mark")?.textContent ?? "", pre.textContent]"""
        )
        first = len(written) if each["first"] is None else each["first"]
        assert shown[0] == "".join(each["tokens"][:first])
        marked = "" if each["first"] is None else each["tokens"][first].replace("\n", "↵\n")
        assert shown[1] == marked
        assert shown[2].endswith("".join(each["tokens"][first + 1 :]))


def test_a_unit_is_held_and_the_model_writes_again_beside_what_it_wrote(
    page: Page, site: Site
) -> None:
    view = UnitView(site.handlers.shelf)
    choose_model(page, "tiny")
    shown = units_of(page)
    shown.get_by_role("spinbutton", name="Unit").fill("5")
    shown.get_by_role("spinbutton", name="Unit").press("Enter")
    expect(shown.locator(".sentence")).to_contain_text("Unit 5 of layer")
    layer = int(re.findall(r"layer=(\d)", page.url)[0])
    unit = [site.tiny, layer, 5]
    card = shown.locator(".hold")
    usual = view.hold([*unit, "cell_state", 0, None])
    assert usual
    expect(card.locator(".try")).to_have_count(4)
    expect(card.locator(".try.low .told")).to_have_text(usual["tries"][0]["told"])
    assert_written(card, usual)
    expect(card.locator(".original pre")).to_have_text("".join(usual["original"]))
    sway = view.sway([*unit, "cell_state"])
    assert sway
    expect(shown.locator(".finding .sway")).to_contain_text(sway["sentence"])
    # From where it moves most, which is none of the places that are offered.
    card.get_by_role("button", name="write again from there").click()
    most = sway["step"]
    expect(card.locator(".from")).to_have_value(str(most))
    expect(card.locator(".from option:checked")).to_have_text(f"after step {most + 1}")
    expect(card).not_to_have_attribute("aria-busy", "true")
    again = view.hold([*unit, "cell_state", most, None])
    assert again
    assert_written(card, again)
    # Another signal, from one of its peaks, at a value of one's own.
    card.get_by_role("button", name="Forget gate").click()
    step = int(shown.locator(".highest li").first.get_attribute("data-step") or -1)
    shown.locator(".highest li button").first.click()
    expect(card.locator(".from")).to_have_value(str(step))
    there = view.hold([*unit, "forget_gate", step, None])
    assert there
    expect(card.locator(".try.high .told")).to_have_text(there["tries"][2]["told"])
    value = round(there["levels"]["lowest"] + 0.001, 3)
    card.get_by_role("spinbutton", name="Value to hold it at").fill(str(value))
    card.get_by_role("spinbutton", name="Value to hold it at").press("Enter")
    own = view.hold([*unit, "forget_gate", step, value])
    assert own
    expect(card.locator(".try.chosen .told")).to_have_text(own["tries"][0]["told"])
    assert_written(card, own)


def test_the_address_follows_the_unit_and_back_goes_where_one_came_from(
    page: Page, site: Site
) -> None:
    plain = page.url
    choose_model(page, "tiny")
    expect(page.locator("#write-bench .inside .title")).to_contain_text(re.compile(": unit [0-7] "))
    page.locator("#write-bench .inside").get_by_role("button", name="its page").click()
    shown = page.locator("#unit-pages")
    field = shown.get_by_role("spinbutton", name="Unit")
    expect(shown.locator(".highest li").first).to_be_visible()
    first = int(field.input_value())
    address = re.compile(rf"\?show=unit&model=tiny&weights=\w+&layer=\d&unit={first}$")
    expect(page).to_have_url(address)
    by = -1 if first == 7 else 1
    page.locator(".units .title").first.click()
    page.keyboard.press("ArrowLeft" if by < 0 else "ArrowRight")
    expect(page).to_have_url(re.compile(rf"&unit={first + by}$"))
    other = first + by
    link = shown.locator(f'.writers a[data-layer="0"]:not([data-unit="{other}"])').first
    target = link.get_attribute("data-unit")
    link.click()
    expect(page).to_have_url(re.compile(rf"&layer=0&unit={target}$"))
    page.go_back()
    expect(field).to_have_value(str(other))
    expect(page).to_have_url(re.compile(rf"&unit={other}$"))
    page.reload()  # the address leads to the unit again
    expect(shown.locator(".sentence")).to_contain_text(f"Unit {other} of layer")
    page.go_back()
    expect(page.get_by_role("tab", name="Write")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(plain)
    page.get_by_role("tab", name="Units").click()
    expect(page).to_have_url(re.compile("show=unit"))
    page.get_by_role("tab", name="Write").click()
    expect(page).to_have_url(plain)
