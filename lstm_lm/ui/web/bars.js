// Signed bars that add up: each begins where the one before it ended, all on one scale.

import { make, value } from "./elements.js";
import { signed } from "./numbers.js";

/** The scale that shows every one of these ends, and zero. */
export function scaleOf(ends) {
  const low = Math.min(0, ...ends);
  const high = Math.max(0, ...ends);
  const width = high - low || 1;
  return (at) => ((at - low) / width) * 100;
}

/** A bar from `from` to `to` on the scale; blue falls, orange rises, as in the picture. */
export function bar(scale, from, to, kind = "") {
  const track = make("span", "track");
  track.setAttribute("aria-hidden", "true");
  const zero = make("i", "zero");
  zero.style.left = `${scale(0)}%`;
  const length = make("i", `length ${to < from ? "falls" : "rises"} ${kind}`);
  length.style.left = `${scale(Math.min(from, to))}%`;
  length.style.width = `${Math.abs(scale(to) - scale(from))}%`;
  track.append(zero, length);
  return track;
}

/**
 * A table of bars.
 * @param rows [{label, told, from, to, kind, name, shown}]: `shown` is the number beside the bar.
 */
export function barTable(caption, rows, scale = scaleOf(rows.flatMap(({ from, to }) => [from, to]))) {
  const table = make("table", "bars", make("caption", "", caption));
  const body = make("tbody", "");
  for (const { label, told, from, to, kind, name, shown = to - from } of rows) {
    const head = make("th", "", label);
    head.scope = "row";
    if (told) head.append(" ", make("small", "", told));
    const row = make("tr", kind ?? "", head, make("td", "drawn", bar(scale, from, to, kind)));
    row.append(make("td", "number", value("part", name ?? "", signed(shown))));
    body.append(row);
  }
  table.append(body);
  return table;
}
