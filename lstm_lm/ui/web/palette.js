// Colours of the heatmap. Knows nothing of models.
//
// Sequential for the gates (0..1), diverging and centred at 0 for what has a sign; blue and orange
// stay apart for the common colour blindnesses, and both ramps run from the page's own paper, so
// that "nothing" looks like nothing in light and in dark.

const RAMPS = {
  light: {
    sequential: [[0, "#f6f7f5"], [0.25, "#bcdcd6"], [0.5, "#64aaa6"], [0.75, "#1f6f74"], [1, "#063a44"]],
    diverging: [[0, "#1f4fae"], [0.25, "#6f97dc"], [0.5, "#fbfaf8"], [0.75, "#e2935a"], [1, "#b8510f"]],
  },
  dark: {
    sequential: [[0, "#14191c"], [0.25, "#17494d"], [0.5, "#23837f"], [0.75, "#5fc3b4"], [1, "#d9fbf0"]],
    diverging: [[0, "#69a5ff"], [0.25, "#3763a8"], [0.5, "#14191c"], [0.75, "#b0642c"], [1, "#ff9a4d"]],
  },
};

const hex = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

function colorAt(stops, x) {
  let k = 1;
  while (k < stops.length - 1 && x > stops[k][0]) k += 1;
  const [x0, from] = stops[k - 1];
  const [x1, to] = stops[k];
  const t = Math.min(1, Math.max(0, (x - x0) / (x1 - x0)));
  const a = hex(from);
  const b = hex(to);
  return a.map((value, channel) => Math.round(value + (b[channel] - value) * t));
}

/** 256 colours as ABGR words, one for each byte that a column may hold. */
export function lookup(signed, dark) {
  const stops = RAMPS[dark ? "dark" : "light"][signed ? "diverging" : "sequential"];
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte += 1) {
    const x = signed ? 0.5 + (byte - 128) / 254 : byte / 255;
    const [r, g, b] = colorAt(stops, x);
    table[byte] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return table;
}

/** Whether the page is dark now. */
export const isDark = () => document.body.classList.contains("dark");

/** Call `changed` whenever the page turns light or dark. */
export function watchTheme(changed) {
  new MutationObserver(changed).observe(document.body, { attributes: true, attributeFilter: ["class"] });
}
