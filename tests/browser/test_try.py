"""The Try view: a word is completed, two sentences compared, and authors told apart on the page."""

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from lstm_lm.insight.completion import compare, complete_word
from lstm_lm.insight.keystrokes import keystrokes
from lstm_lm.insight.linear_probe import train_probe
from lstm_lm.insight.probe_features import mean_hidden_states
from lstm_lm.language_model import load
from lstm_lm.ui.views.uses.author_examples import AUSTEN, CARROLL
from tests.browser.conftest import Site, assert_no_violation, open_page

pytestmark = pytest.mark.browser


def tried(page: Page) -> Locator:
    """The view, once all its cards are filled."""
    page.get_by_role("tab", name="Try").click()
    shown = page.locator("#try")
    expect(shown.locator(".finding")).to_have_attribute("aria-busy", "false")
    expect(shown.locator(".try-one .tokens span").first).to_be_visible()
    return shown


def words(shown: Locator) -> list[str]:
    return shown.locator(".words .word").all_inner_texts()


def test_it_opens_full_and_completes_what_is_typed(page: Page, site: Site) -> None:
    shown, model = tried(page), load(site.real)
    assert words(shown) == [f"b{each.text}" for each in complete_word(model, "To be, or not to b")]
    expect(shown.locator(".evidence")).to_contain_text("the likeliest word is “be”: at least")
    comparison = compare(model, "The king is dead.", "The dead is king the.")
    expect(shown.locator(".likelier .verdict")).to_have_text(comparison.sentence())
    expect(shown.locator(".likelier .parts")).to_have_text(["k", "d"])
    assert_no_violation(page, context={"include": [["#try"]]})
    typed = keystrokes(model, "I have some news for you, my lord.")
    expect(shown.locator(".keys .verdict")).to_contain_text(f"{typed.presses} presses instead of")
    taken = [text.strip() for text, at_once in typed.pieces if at_once]
    expect(shown.locator(".keys .taken")).to_have_text(taken)
    field = shown.get_by_label("Text to go on with")
    field.fill("")
    field.press_sequentially("My lord, I will not")
    first = complete_word(model, "My lord, I will not")[1]
    expect(shown.locator(".words button").nth(1)).to_contain_text(f"not{first.text}")
    field.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # the second of the list
    expect(field).to_have_value(f"My lord, I will not{first.text} ")
    expect(field).to_be_focused()
    after = complete_word(model, f"My lord, I will not{first.text} ")[0]
    expect(shown.locator(".words button").first).to_contain_text(after.text)
    field.press("ArrowRight")
    expect(field).to_have_value(f"My lord, I will not{first.text} {after.text} ")
    field.press(",")  # takes back the space that came with the word
    expect(field).to_have_value(f"My lord, I will not{first.text} {after.text},")


def test_a_probe_is_trained_on_what_a_person_pastes(page: Page, site: Site) -> None:
    shown, model = tried(page), load(site.real)
    labels = ["Austen"] * len(AUSTEN) + ["Carroll"] * len(CARROLL)
    probe = train_probe(mean_hidden_states(model, [*AUSTEN, *CARROLL]), labels)
    expect(shown.locator(".sentence")).to_have_text(probe.sentence())
    assert shown.locator(".each li").count() == len(labels)
    right = sum(one == other for one, other in zip(probe.told, labels, strict=True))
    assert shown.locator(".each li.wrong").count() == len(labels) - right
    loud, soft = ["WHAT, HO!", "COME, SIR!", "AWAY, SIR!"], ["so be it", "as you will", "let it be"]
    for side, name, texts in (("First", "Loud", loud), ("Second", "Soft", soft)):
        shown.get_by_label(f"{side} author", exact=True).fill(name)
        shown.get_by_label(f"Examples of the {side.lower()} author").fill("\n\n".join(texts))
    expect(shown.locator(".act .status")).to_contain_text("Changed")
    shown.get_by_role("button", name="Tell them apart").click()
    own = train_probe(mean_hidden_states(model, [*loud, *soft]), ["Loud"] * 3 + ["Soft"] * 3)
    expect(shown.locator(".results > .head .verdict")).to_have_text(own.sentence())
    shown.get_by_label("Try a sentence").fill("HO, SIR!")
    told = own.tell(mean_hidden_states(model, ["HO, SIR!"]))[0]
    expect(shown.locator(".try-one .verdict")).to_contain_text(f"Told as {told}")
    assert shown.locator(".try-one .tokens").inner_text() == "HO, SIR!"
    shown.get_by_role("button", name="Austen · Carroll").click()
    expect(shown.locator(".results > .head .verdict")).to_have_text(probe.sentence())
    shown.get_by_role("button", name="Your own").click()
    expect(shown.get_by_label("First author", exact=True)).to_have_value("Loud")
    unit = own.telling_units(1)[0]
    shown.get_by_role("button", name=f"unit {unit}", exact=True).click()
    expect(page.locator("#unit-pages .sentence")).to_contain_text(f"nit {unit} ")


def test_a_training_on_its_way_says_nothing_over_what_came_later(page: Page, site: Site) -> None:
    shown = tried(page)
    results, status, go = (
        shown.locator(".results"),
        shown.locator(".act .status"),
        shown.locator(".go"),
    )
    held: list[Route] = []

    def trains(request: Request) -> bool:
        return '"train"' in (request.post_data or "")

    def release() -> None:
        with page.expect_response(lambda response: trains(response.request)):
            held.pop().continue_()

    page.route(
        "**/component_server/",
        lambda route: held.append(route) if trains(route.request) else route.continue_(),
    )
    with page.expect_request(trains):
        go.click()
    shown.get_by_role("button", name="Your own").click()
    expect(go).to_be_enabled()
    release()
    expect(status).to_contain_text("Name two authors")
    expect(results).to_contain_class("old")
    with page.expect_request(trains):
        shown.get_by_role("button", name="Austen · Carroll").click()
    shown.get_by_label("First author", exact=True).fill("Jane")
    release()
    expect(go).to_be_enabled()
    expect(status).to_contain_text("Changed: press")
    expect(results).to_contain_class("old")
    page.locator("#model input").click()
    with page.expect_request(trains):
        page.get_by_role("option", name="tiny", exact=True).click()
    expect(results).to_be_hidden()  # they lead to the other model's units
    held.pop().fulfill(json={"error": "this is not to be trained: try another"})
    expect(status).to_have_text("This is not to be trained: try another.")
    expect(results).to_be_hidden()


def test_it_is_clean_on_a_phone_in_the_dark(page: Page, site: Site) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, f"{site.url}?__theme=dark")
    shown = tried(page)
    shown.locator("summary").click()
    expect(shown.locator(".holder td").first).to_be_visible()
    assert_no_violation(page, context={"include": [["#try"]]})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
