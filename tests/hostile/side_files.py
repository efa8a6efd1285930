"""Hostile files beside a model that is good: how each is made, and what is then still drawn.

None of them keeps the model from loading. The folder's own metrics.jsonl has the two `ROWS`.
"""

import json
from pathlib import Path
from typing import Any

from tests.hostile.breaking import DEEP, Break, holding, instead, linked, pipe, sparse

METRICS, RESULTS, CARD = "metrics.jsonl", "results.json", "README.md"


def row(step: Any, **changes: Any) -> dict[str, Any]:
    """An evaluation as train.py writes it."""
    return {
        "step": step, "tokens": 640, "seconds": 1.5, "train_loss": 2.0, "val_loss": 2.0,
        "val_bpc": 2.9, "val_nats_per_character": 2.0, "val_tokens": 500, "sample": "abc",
    } | changes  # fmt: skip


ROWS = [row(100), row(200)]


def lines(*rows: Any) -> Break:
    return holding(METRICS, "".join(f"{json.dumps(each)}\n" for each in rows))


def with_line(line: bytes) -> Break:
    good = "".join(f"{json.dumps(each)}\n" for each in ROWS).encode()
    return holding(METRICS, good + line + b"\n")


# Name -> how to break the folder, how many evaluations the page draws, and what `read_metrics` says
# where it refuses the file.
SIDE: dict[str, tuple[Break, int, str]] = {
    "no line": (holding(METRICS, ""), 0, ""),
    "many empty lines": (holding(METRICS, b"\n" * 2**22), 0, ""),
    "no UTF-8": (with_line(b"\xff"), 2, r"line 3 of metrics\.jsonl is not JSON"),
    "half a line": (with_line(b'{"step": 300, "tok'), 2, r"line 3 of metrics\.jsonl is not JSON"),
    "a deep line": (with_line(DEEP), 2, r"too large at line 3"),
    "a deep line that is short": (with_line(DEEP[:9999]), 2, r"line 3 of .* nested too deeply"),
    "a huge line": (with_line(b" " * 10**7), 2, ""),
    "a huge sample": (lines(*ROWS, row(300, sample="x" * 10**7)), 2, r"too large at line 3"),
    "a line of many things": (with_line(b"[" + b"{}," * 4_000_000 + b"{}]"), 2, r"too large"),
    "no objects": (lines(1, "a", None, [], *ROWS), 2, r"line 1 of metrics\.jsonl holds no JSON"),
    "an empty object": (lines({}, *ROWS), 2, r"line 1 of metrics\.jsonl is no evaluation"),
    "a key twice": (with_line(b'{"step": 1, "step": 2}'), 2, r"'step' stands in it twice"),
    "NaN": (lines(*ROWS, row(300, val_bpc=float("nan"))), 2, r"line 3 .*NaN is no number"),
    "infinite": (with_line(b'{"step": 300, "val_bpc": 1e999}'), 2, r"line 3 .* no evaluation"),
    "5,000 digits": (with_line(b'{"step": ' + b"9" * 5000 + b"}"), 2, r"number of 5,000 digits"),
    "texts for numbers": (lines(row("300", val_bpc="2")), 0, r"line 1 .* is no evaluation"),
    "booleans for numbers": (lines(row(True, val_bpc=True)), 0, r"line 1 .* is no evaluation"),
    "lists for numbers": (lines(row([1]), row(1, val_bpc={})), 0, r"line 1 .* is no evaluation"),
    "negative": (lines(*ROWS, row(-1), row(300, seconds=-1)), 2, ""),
    "huge numbers": (lines(*ROWS, row(10**16)), 2, r"line 3 .* is no evaluation"),
    "tiny numbers": (lines(row(0, val_bpc=5e-324, val_loss=5e-324), row(0, seconds=0)), 2, ""),
    "a sample that is no text": (lines(*ROWS, row(300, sample=[1])), 3, r"line 3 .* no evaluation"),
    "half a surrogate pair": (lines(*ROWS, row(300, sample="\ud800")), 3, r"line 3 .* no eval"),
    "markup": (lines(row(100, sample="<script>alert(1)</script>\0\x1b[31m\u202e")), 1, ""),
    "20,000 evaluations": (lines(*(row(step) for step in range(20_000))), 20_000, r"too large at"),
    "100 GB of metrics": (sparse(METRICS, 10**11), 0, r"metrics\.jsonl has 100,000,000,000 bytes"),
    "20 MB of metrics": (holding(METRICS, b'{"a":1}\n' * 2_500_000), 0, r"line 1 .* no evaluation"),
    "a folder": (instead(METRICS, Path.mkdir), 0, r"metrics\.jsonl is no plain file"),
    "a pipe": (instead(METRICS, pipe), 0, r"metrics\.jsonl is no plain file"),
    "a device": (linked(METRICS, "/dev/zero"), 0, r"metrics\.jsonl is a link that leads out"),
    "a secret": (linked(METRICS, "/etc/passwd"), 0, r"metrics\.jsonl is a link that leads out"),
    "results empty": (holding(RESULTS, ""), 2, ""),
    "results a list": (holding(RESULTS, "[1]"), 2, ""),
    "results deep": (holding(RESULTS, DEEP), 2, ""),
    "results huge": (holding(RESULTS, b" " * 10**7 + b"{}"), 2, ""),
    "results 100 GB": (sparse(RESULTS, 10**11), 2, ""),
    "results NaN": (holding(RESULTS, '{"val_bpc": NaN}'), 2, ""),
    "results of texts": (
        holding(RESULTS, '{"val_bpc": "<b>", "val_nats_per_character": "x", "verdict": {"a": []}}'),
        2,
        "",
    ),
    "results infinite": (holding(RESULTS, '{"val_nats_per_character": 1e999}'), 2, ""),
    "results a pipe": (instead(RESULTS, pipe), 2, ""),
    "results a device": (linked(RESULTS, "/dev/zero"), 2, ""),
    "card 100 GB": (sparse(CARD, 10**11), 2, ""),
    "card a pipe": (instead(CARD, pipe), 2, ""),
    "card of YAML": (holding(CARD, "---\na: !!python/object/apply:os.abort []\n---\n"), 2, ""),
}  # fmt: skip
