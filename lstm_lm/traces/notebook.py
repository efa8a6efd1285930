"""A trace as it shows itself in a notebook: facts and one picture, in HTML that needs nothing else.

No script, no network, no request: the picture is a PNG inside the page. Text is escaped, colours
are inherited, so that it reads in light and in dark. Knows nothing of any notebook program.
"""

import base64
import html
import math
import struct
import zlib

import numpy as np

from lstm_lm.traces.arrays import SignalArrays
from lstm_lm.traces.palette import Bytes, lookup, range_of, signal_of, stops_of, visible

MOST_PIXELS = 150_000  # of the picture: about 200 kB as base64, whatever the values are
MOST_UNITS, MOST_STEPS = 1024, 1000
LONGEST_TOKEN = 6  # characters under a column
STYLE = """
<style>
.lstm-trace { font-size: 13px; color: inherit; margin-bottom: 12px; }
.lstm-trace table { border-collapse: collapse; margin: 0 0 8px; color: inherit; }
.lstm-trace th, .lstm-trace td { text-align: left; padding: 1px 12px 1px 0; border: 0;
  background: none; color: inherit; font-weight: normal; }
.lstm-trace th { opacity: .75; }
.lstm-trace td.n, .lstm-trace th.n { text-align: right; font-variant-numeric: tabular-nums; }
.lstm-trace .scroll { overflow-x: auto; padding-bottom: 4px; }
.lstm-trace .tokens { white-space: nowrap; font: 12px monospace; }
.lstm-trace .tokens span { display: inline-block; width: var(--column); overflow: hidden;
  text-align: center; vertical-align: top; }
.lstm-trace .ramp { display: inline-block; width: 72px; height: 10px; vertical-align: -1px; }
</style>
"""


def to_html(trace: SignalArrays) -> str:
    """The trace as a self-contained piece of HTML, under 300 kB."""
    return f'{STYLE}<div class="lstm-trace">{_facts(trace)}{_signals(trace)}{_picture(trace)}</div>'


def _facts(trace: SignalArrays) -> str:
    facts = [("model", trace.model)] if trace.model else []
    facts.append(("steps", f"{trace.steps:,}"))
    facts.append(("layers", f"{trace.layers} × {trace.units} units"))
    known = trace.log_probs[~np.isnan(trace.log_probs)]
    if len(known):
        total = float(known.sum(dtype=np.float64))
        bits = -total / len(known) / math.log(2)
        facts.append(("log-probability", f"{total:,.1f} nats ({bits:.2f} bits a token)"))
    rows = "".join(f"<tr><th>{name}</th><td>{html.escape(fact)}</td></tr>" for name, fact in facts)
    return f"<table>{rows}</table>"


def _signals(trace: SignalArrays) -> str:
    """Mean, smallest and largest of each signal, over all layers, steps and units."""
    rows = ""
    for name in trace:
        of, values = signal_of(name), trace[name]
        of_signal = (values.mean(dtype=np.float64), values.min(), values.max())
        cells = "".join(f'<td class="n">{number:.3f}</td>' for number in of_signal)
        plain = f" ({of.plain})" if of.plain else ""
        rows += f"<tr><th>{of.label}{plain}</th>{cells}</tr>"
    numbers = "".join(f'<th class="n">{name}</th>' for name in ("mean", "smallest", "largest"))
    return f"<table><tr><th>signal</th>{numbers}</tr>{rows}</table>"


def _picture(trace: SignalArrays) -> str:
    """One signal of layer 0: a column a step, a row a unit, the tokens under their columns."""
    name = "forget_gate" if "forget_gate" in trace.signals else trace.signals[0]
    of = signal_of(name)
    units = min(trace.units, MOST_UNITS)
    steps = min(trace.steps, MOST_STEPS, MOST_PIXELS // units)
    values = trace[name][0, :steps, :units]  # (steps, units)
    low, high = range_of(of, values)
    bytes_ = np.rint((np.clip(values, low, high) - low) / (high - low) * 255).astype(np.uint8)
    png = base64.b64encode(png_of(bytes_.T, lookup(stops_of(of)))).decode()
    tokens = [_shortened(visible(token)) for token in trace.tokens[:steps]]
    longest = max(len(token) for token in tokens)
    column = longest + 0.2 * (longest > 1)  # widths of a character
    shown = "".join(f"<span>{html.escape(token)}</span>" for token in tokens)
    part = ""
    if steps < trace.steps or units < trace.units:
        part = f"; steps 0 to {steps - 1} of {trace.steps:,}, units 0 to {units - 1} of "
        part += f"{trace.units:,}"
    term = f"{of.label} ({of.plain})" if of.plain else of.label
    caption = html.escape(f"{term}, {trace.layer_names[0]}: a column a step, a row a unit{part}")
    ramp = ", ".join(stops_of(of))
    size = f"width:{column * steps:g}ch;height:{min(360, max(96, units))}px"
    image = (
        f'<img alt="{caption}" src="data:image/png;base64,{png}" '
        f'style="display:block;max-width:none;{size};image-rendering:pixelated">'
    )
    legend = f'<span class="ramp" style="background:linear-gradient(to right, {ramp})"></span>'
    return (
        f"<div>{caption} &nbsp; {low:.3g} {legend} {high:.3g}</div>"
        f'<div class="scroll"><div class="tokens" style="--column:{column:g}ch">'
        f"{image}<div>{shown}</div></div></div>"
    )


def _shortened(token: str) -> str:
    return token if len(token) <= LONGEST_TOKEN else token[: LONGEST_TOKEN - 1] + "…"


def png_of(picture: Bytes, colours: Bytes) -> bytes:
    """A PNG of bytes (rows, columns) that stand for these colours (256, 3)."""
    rows, columns = picture.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)  # 8 bits, by palette
    lines = np.zeros((rows, columns + 1), np.uint8)  # each row begins with its filter: none
    lines[:, 1:] = picture
    chunks = (
        (b"IHDR", header),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
