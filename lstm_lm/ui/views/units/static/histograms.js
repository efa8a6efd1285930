// How often each signal has which value: bars over the palette that the heatmap paints it with.

import { draw, make, value } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { painter } from "../../../web/colors.js";

const HEIGHT = 62;

function histogram({ name, label, plain, signed, bounded }, { edges, counts, mean }) {
  const most = Math.max(...counts);
  const bins = counts.length;
  const [low, high] = [edges[0], edges.at(-1)];
  const svg = draw("svg", { viewBox: `0 0 ${bins} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  counts.forEach((count, x) => {
    if (!count) return;
    const height = Math.max(1, (count / most) * (HEIGHT - 2));
    svg.append(draw("rect", { x: x + 0.06, y: HEIGHT - height, width: 0.88, height, "data-count": count }));
  });
  const at = ((mean - low) / (high - low)) * bins;
  svg.append(draw("line", { x1: at, x2: at, y1: 0, y2: HEIGHT }));
  const top = counts.indexOf(most);
  const total = counts.reduce((sum, count) => sum + count, 0);
  svg.setAttribute(
    "aria-label",
    `${label}: mean ${number(mean)}; ${most.toLocaleString("en")} of ${total.toLocaleString("en")} steps ` +
      `lie between ${number(edges[top], 2)} and ${number(edges[top + 1], 2)}`,
  );
  const ramp = make("canvas", "");
  ramp.width = 160;
  ramp.height = 6;
  ramp.setAttribute("aria-hidden", "true");
  painter(signed).ramp(ramp);
  const end = (limit) => number(limit, bounded ? 0 : 2);
  const figure = make(
    "figure",
    "histogram",
    make(
      "figcaption",
      "",
      make("span", "", label, make("small", "", ` ${plain}`)),
      make("small", "", "mean ", value("mean", name, number(mean))),
    ),
    svg,
    ramp,
    make("div", "ends", make("span", "", end(low)), make("span", "", end(high))),
  );
  figure.dataset.signal = name;
  return figure;
}

/** A histogram for each signal that the unit has. */
export function drawHistograms(container, { histograms }, signals) {
  const shown = signals.filter(({ name }) => name in histograms);
  container.replaceChildren(...shown.map((signal) => histogram(signal, histograms[signal.name])));
}
