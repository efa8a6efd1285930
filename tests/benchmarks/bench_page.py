"""How quick the page is in a real Chromium: first column, stop, pin, switch, scroll, cold start.

    python tests/benchmarks/bench_page.py [--rounds 5]

Each figure is taken inside the browser, from the event of the press to the second frame after the
page shows the answer; `Stop` to the last column is asked of the server. The bundled 512-unit model
writes; scrolling is over 2,000 steps of an untrained model of 1,024 units, since speed does not
depend on the weights. Bars in the last column are what the project promises.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")

from playwright.sync_api import Browser, Page, sync_playwright

from lstm_lm.store.loading import save
from lstm_lm.ui.views.workbench.view import Handlers
from tests.benchmarks.measure import make_model, print_surroundings, surroundings

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update"]  # fmt: skip
REAL = "shakespeare-char"
FULL = "document.querySelector('#write-bench .equations')?.textContent.length > 0"
WORDS = "to be or not to be that is the question "

# Seconds from a click until `ready` holds, looked at every frame, and one frame more.
UNTIL = """
async ([button, ready]) => {
  const now = () => new Promise(requestAnimationFrame);
  const holds = new Function(`return (${ready})`);
  const began = performance.now();
  document.querySelector(button).click();
  while (!holds()) {
    await now();
    if (performance.now() - began > 30000) return NaN;
  }
  await now();
  return (performance.now() - began) / 1000;
}
"""
SCROLL = """
async (place) => {
  const scroller = document.querySelector(`${place} .scroller`);
  const times = [];
  scroller.scrollLeft = 0;
  for (let frame = 0; frame < 240; frame++) {
    times.push(await new Promise(requestAnimationFrame));
    scroller.scrollLeft += 40;
  }
  const gaps = times.slice(1).map((at, k) => at - times[k]).sort((a, b) => a - b);
  return 1000 / gaps[gaps.length >> 1];
}
"""


def opened(browser: Browser, url: str) -> Page:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(url)
    page.wait_for_function(FULL)
    return page


def cold_start(browser: Browser, url: str) -> float:
    began = time.perf_counter()
    page = opened(browser, url)
    seconds = time.perf_counter() - began
    page.close()
    return seconds


def set_length(page: Page, length: int, pace: int) -> None:
    """Open the sampling settings and fill the two fields, until they keep it."""
    page.locator("#settings").get_by_role("button").first.click()
    for label, value in (("Length", length), ("Pace", pace)):
        field = page.get_by_role("spinbutton", name=f"number input for {label}")
        for _ in range(5):
            field.fill(str(value))
            field.press("Tab")
            page.wait_for_timeout(300)
            if field.input_value() == str(value):
                break


def writing(page: Page, handlers: Handlers) -> dict[str, float]:
    """Write to first column, tokens a second as they reach the browser, and Stop."""
    writes = "/^writing/.test(document.querySelector('#write-bench .progress').textContent)"
    first = page.evaluate(UNTIL, ["#write", writes])

    def columns() -> int:
        text = page.locator("#write-bench .progress").inner_text()
        return int(text.split("·")[1].split()[0].replace(",", ""))

    page.wait_for_timeout(1000)
    began, before = time.perf_counter(), columns()
    page.wait_for_timeout(3000)
    rate = (columns() - before) / (time.perf_counter() - began)
    run = max(handlers.store._runs.values(), key=lambda run: run.capacity)
    page.get_by_role("button", name="Stop").click()
    pressed, steps, last = time.perf_counter(), -1, time.perf_counter()
    while time.perf_counter() - pressed < 1.0:
        if run.steps != steps:
            steps, last = run.steps, time.perf_counter()
        page.wait_for_timeout(5)
    page.wait_for_function(
        "!/^writing/.test(document.querySelector('#write-bench .progress').textContent)"
    )
    return {"first column": first, "tokens a second": rate, "stop": max(0.0, last - pressed)}


def reading(page: Page, text: str) -> None:
    page.get_by_role("tab", name="Read").click()
    page.get_by_label("Your text").fill(text)
    page.get_by_label("Your text").press("Tab")
    page.wait_for_timeout(300)
    page.get_by_role("button", name="Read", exact=True).click()
    page.wait_for_function(
        f"document.querySelector('#read-bench .progress').textContent === '{len(text):,} steps'",
        timeout=60_000,
    )
    page.wait_for_timeout(1500)


def pinned(page: Page, at: float) -> float:
    """A click at this share of the picture's width until the inspector speaks of that step."""
    title = page.locator("#read-bench .inside .title").inner_text()
    box = page.locator("#read-bench .scroller canvas").bounding_box()
    assert box is not None
    page.evaluate(
        """(before) => {
          const title = document.querySelector('#read-bench .inside .title');
          const picture = document.querySelector('#read-bench .scroller');
          window.filled = new Promise((done) => {
            picture.addEventListener('pointerdown', () => {
              const began = performance.now();
              const signals = '#read-bench .inside [data-signal]:not(:empty)';
              const look = () => title.textContent !== before
                && document.querySelectorAll(signals).length >= 6
                ? requestAnimationFrame(() => done((performance.now() - began) / 1000))
                : requestAnimationFrame(look);
              look();
            }, { once: true, capture: true });
          });
        }""",
        title,
    )
    page.mouse.click(box["x"] + box["width"] * at, box["y"] + 120)
    return page.evaluate("window.filled")


def switched(page: Page, number: int) -> float:
    """A signal's button until the page has drawn the other signal."""
    button = f"#read-bench .signals button:nth-child({number % 6 + 1})"
    ready = f"document.querySelector('{button}').getAttribute('aria-pressed') === 'true'"
    return page.evaluate(UNTIL, [button, ready])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    from lstm_lm.ui.page import build_page, launch_settings

    figures: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        figures.setdefault(name, []).append(value)

    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        large = Path(place) / "large"
        save(make_model(1, 1024), large)
        installed = shutil.which("chromium")
        browser = playwright.chromium.launch(
            executable_path=Path(installed) if installed else None, args=QUIET
        )
        demo, handlers = build_page([REAL, str(large)])
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
        for _ in range(rounds):
            note("page full, cold", cold_start(browser, url))
            page = opened(browser, url)
            set_length(page, 2000, 400)
            for name, value in writing(page, handlers).items():
                note(name, value)
            page.close()
        page = opened(browser, url)
        reading(page, (WORDS * 30)[:1000])
        for number in range(2 * rounds):
            note("pin to filled inspector", pinned(page, 0.2 + 0.37 * number % 0.6))
            note("signal switch, 512 x 1,000", switched(page, number))
        page.close()
        demo.close()
        demo, _ = build_page([str(large)])
        _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
        page = opened(browser, url)
        reading(page, (WORDS * 60)[:2000].upper())
        for _ in range(rounds):
            note("frames a second, 1,024 x 2,000", page.evaluate(SCROLL, "#read-bench"))
        browser.close()
        demo.close()

    bars = {
        "page full, cold": "< 3 s", "first column": "< 0.25 s", "tokens a second": "> 100",
        "stop": "< 0.2 s", "pin to filled inspector": "< 0.15 s",
        "signal switch, 512 x 1,000": "< 0.1 s", "frames a second, 1,024 x 2,000": "> 50",
    }  # fmt: skip
    print_surroundings()
    print(f"\n{'what':34} {'median':>8} {'best':>8} {'worst':>8}  bar")
    for name, values in figures.items():
        print(
            f"{name:34} {statistics.median(values):8.3f} {min(values):8.3f} {max(values):8.3f}"
            f"  {bars[name]}"
        )
    medians = {name: round(statistics.median(values), 4) for name, values in figures.items()}
    print("\n" + json.dumps({**surroundings(), "medians": medians}))


if __name__ == "__main__":
    main()
