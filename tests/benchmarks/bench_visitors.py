"""Sixteen visitors at once, and two hundred runs: rate, whose text is whose, and memory.

    python tests/benchmarks/bench_visitors.py TEXT [--visitors 16] [--runs 200]

Each visitor is a session of its own over HTTP, as a browser opens it: it joins the queue with the
page's own event, reads the stream of payloads, and holds the heartbeat that tells the server it is
still there. The visitors at once are in a process of their own, as browsers are; they begin from
different places of TEXT, and each must get a text that begins with its own prompt. Then runs
follow each other, each by a visitor who then leaves; the resident memory of this process is read
as they go.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_OFFLINE="1")

import httpx

from lstm_lm.ui.views.workbench.view import Handlers
from tests.benchmarks.measure import print_surroundings, surroundings

REAL = "shakespeare-char"
PACE = 20  # tokens a second that each visitor asks for
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident() -> float:
    """MiB of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES / 2**20


class Visitor(threading.Thread):
    """One session that writes once, and leaves."""

    def __init__(self, url: str, event: int, prompt: str, length: int, pace: int) -> None:
        super().__init__(daemon=True)
        self.url, self.event, self.session = url, event, secrets.token_hex(6)
        self.prompt = prompt
        self.data = [prompt, length, 0.6, 0, 1, 0, 1, pace, REAL]
        self.payloads = 0
        self.seconds = 0.0
        self.left = threading.Event()

    def run(self) -> None:
        with (
            httpx.Client(base_url=self.url, timeout=300) as client,
            client.stream("GET", f"gradio_api/heartbeat/{self.session}"),
        ):
            began = time.perf_counter()
            client.post(
                "gradio_api/queue/join",
                json={"data": self.data, "fn_index": self.event, "session_hash": self.session},
            ).raise_for_status()
            with client.stream(
                "GET", "gradio_api/queue/data", params={"session_hash": self.session}
            ) as stream:
                for line in stream.iter_lines():
                    if not line.startswith("data:"):
                        continue
                    message = json.loads(line[5:])
                    self.payloads += message["msg"] == "process_generating"
                    if message["msg"] == "process_completed":
                        assert message["success"], message
                        break
            self.seconds = time.perf_counter() - began
            self.left.wait()


def written_by(handlers: Handlers, session: str) -> str:
    """The text of that session's run."""
    run = handlers.store.latest_written(session)
    assert run is not None
    return "".join(run.tokens)


def visit(url: str, event: int, prompts: list[str], length: int) -> None:
    """Write after each prompt at the same time, say how it went, and leave when told to."""
    visitors = [Visitor(url, event, prompt, length, 2 * PACE) for prompt in prompts]
    for visitor in visitors:
        visitor.start()
    while any(not visitor.seconds and visitor.is_alive() for visitor in visitors):
        time.sleep(0.05)
    print(json.dumps([[visitor.session, visitor.seconds] for visitor in visitors]), flush=True)
    sys.stdin.readline()


def together(
    handlers: Handlers, url: str, event: int, text: str, count: int, length: int
) -> list[float]:
    """Tokens a second of each of `count` visitors who write at the same time."""
    prompts = [text[1000 * k : 1000 * k + 40] for k in range(count)]
    asked = json.dumps([url, event, prompts, length])
    command = [sys.executable, __file__, "--as-visitors", asked]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as visitors:
        assert visitors.stdin
        assert visitors.stdout
        found = json.loads(visitors.stdout.readline())
        for prompt, (session, _) in zip(prompts, found, strict=True):
            assert written_by(handlers, session).startswith(prompt)
        visitors.kill()
    return [length / seconds for _, seconds in found]


def one_after_another(
    handlers: Handlers, url: str, event: int, text: str, runs: int
) -> list[float]:
    """Resident MiB after each run, its visitor gone."""
    memory: list[float] = []
    for number in range(runs):
        visitor = Visitor(url, event, text[number : number + 40], 200, 400)
        visitor.start()
        while not visitor.seconds and visitor.is_alive():
            time.sleep(0.01)
        visitor.left.set()
        visitor.join()
        patience = time.perf_counter() + 20
        while handlers.store.latest_written(visitor.session) and time.perf_counter() < patience:
            time.sleep(0.02)
        assert handlers.store.latest_written(visitor.session) is None, "a closed tab kept its run"
        memory.append(resident())
    return memory


def main() -> None:
    if sys.argv[1:2] == ["--as-visitors"]:
        visit(*json.loads(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--visitors", type=int, default=16)
    parser.add_argument("--runs", type=int, default=200)
    options = parser.parse_args()
    text = options.text.read_text(encoding="utf-8")
    from lstm_lm.ui.page import build_page, launch_settings

    demo, handlers = build_page([REAL])
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    event = next(
        number for number, fn in demo.fns.items() if getattr(fn.fn, "__name__", "") == "write"
    )
    rates = together(handlers, url, event, text, options.visitors, 200)
    memory = one_after_another(handlers, url, event, text, options.runs)
    demo.close()
    print_surroundings()
    quarter = max(1, len(memory) // 4)
    print(f"\n{options.visitors} visitors at once, tokens a second each (asked: {2 * PACE}):")
    print(f"  slowest {min(rates):.1f}, median {statistics.median(rates):.1f}; bar {PACE}")
    print(f"{options.runs} runs, one after another, resident MiB:")
    print(
        "  "
        + ", ".join(
            f"after {n}: {memory[n - 1]:.0f}" for n in range(quarter, len(memory) + 1, quarter)
        )
    )
    figures = {
        "slowest": round(min(rates), 1),
        "median": round(statistics.median(rates), 1),
        "mib_after_a_quarter": round(memory[quarter - 1]),
        "mib_at_the_end": round(memory[-1]),
    }
    print("\n" + json.dumps({**surroundings(), **figures}))


if __name__ == "__main__":
    main()
