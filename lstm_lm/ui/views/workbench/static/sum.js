// One sum of a unit, opened: the bias, what x adds, what h adds, the largest of each by name.

import { bar, barTable, scaleOf } from "../../../web/bars.js";
import { make, value } from "../../../web/elements.js";
import { number, signed } from "../../../web/numbers.js";
import { quoted } from "../../../web/strip.js";

export const SIGN_OF = { sigmoid: "σ", tanh: "tanh" };

/**
 * Draw the sum into its panel.
 * @param sum one of the `sums` that the server sent.
 * @param place {label, token, layer, step}.
 * @param follow (layer, step, unit) => what pressing a unit's name does.
 */
export function drawSum(panel, sum, place, follow) {
  const { bias, x, h, h_scale, h_bias, total, function: by } = sum;
  const scaled = h_scale !== 1 || h_bias !== 0; // a reset gate comes between
  const steps = [
    { label: "bias", told: "b", from: 0, to: bias, name: "bias" },
    { label: `from x, ${quoted(place.token)}`, told: "W x", from: bias, to: bias + x.total, name: "x" },
    {
      label: "from h′",
      told: scaled ? "r × (W h′ + b)" : "W h′", from: bias + x.total, to: total, name: "h",
    },
    { label: "sum", from: 0, to: total, kind: "total", name: "total" },
  ];
  const products = [...x.largest, ...h.largest].map(({ product }) => product);
  const scale = scaleOf([...products, x.rest, h.rest]);
  const fromBelow = place.layer > 0;
  const ofX = fromBelow
    ? { caption: `x: outputs of layer ${place.layer} at this step`, one: "unit", to: [place.layer - 1, place.step] }
    : { caption: `x: the embedding of ${quoted(place.token)}`, one: "dim" };
  const ofH = {
    caption: `h′: this layer’s outputs ${place.step ? "at the step before" : "before the text: all zero"}`,
    one: "unit",
    to: place.step ? [place.layer, place.step - 1] : null,
  };
  panel.replaceChildren(
    make("p", "opened", `${place.label}: ${SIGN_OF[by]}(`, value("sum", sum.signal, number(total)), `) = ${number(sum.value)}`, place.held ? ", but it is held" : ""),
    barTable("Three parts add up to the sum", steps),
    make("div", "shares", share("x", x, ofX, scale, follow), share("h", h, ofH, scale, follow)),
  );
}

function share(name, { largest, others, rest }, { caption, one, to }, scale, follow) {
  const table = make("table", "bars products", make("caption", "", caption));
  const head = make("tr", "");
  for (const [title, hidden] of [[one === "dim" ? "dimension" : one, false], ["weight × value", false], ["", true], ["adds", false]]) {
    const cell = make(hidden ? "td" : "th", "", title);
    if (!hidden) cell.scope = "col";
    head.append(cell);
  }
  const body = make("tbody", "");
  for (const { index, weight, value: read, product } of largest) {
    const first = make("th", "", to ? link(`unit ${index}`, () => follow(...to, index)) : `${one} ${index}`);
    first.scope = "row";
    body.append(row(first, `${number(weight)} × ${number(read)}`, product, scale, `${name} ${index}`));
  }
  if (others) {
    const first = make("th", "", `and ${others.toLocaleString("en")} more`);
    first.scope = "row";
    body.append(row(first, "", rest, scale, `${name} rest`));
  }
  table.append(make("thead", "", head), body);
  return table;
}

function row(head, told, adds, scale, name) {
  return make("tr", "", head, make("td", "product", told), make("td", "drawn", bar(scale, 0, adds)),
    make("td", "number", value("part", name, signed(adds))));
}

function link(text, act) {
  const button = make("button", "link", text);
  button.type = "button";
  button.title = "See this unit at that step";
  button.addEventListener("click", act);
  return button;
}
