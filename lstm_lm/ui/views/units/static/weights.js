// What the weights say of the unit: who writes into it, and which tokens' logits it moves.

import { barTable, scaleOf } from "../../../web/bars.js";
import { make } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { visible } from "../../../web/strip.js";

export const face = (token) => make("span", "face", token === " " ? "␣" : visible(token, true) || "∅");

const tokenRow = ({ token, token_id: id, weight }) => ({ label: face(token), name: id, from: 0, to: weight });

/** Which tokens become likelier and unlikelier as h rises; only the last layer is read out. */
export function drawPushes(card, { pushes_up: up, pushes_down: down, layer }, { layers }) {
  const told = card.querySelector(".told");
  const tables = card.querySelector(".tables");
  if (layer < layers - 1) {
    told.textContent = `Only layer ${layers} is read out as tokens: this unit speaks to layer ${layer + 2}.`;
    tables.replaceChildren();
    return;
  }
  told.textContent = "How far each logit moves when h rises by 1, less the mean of all tokens. When h is negative, the two lists change places.";
  const scale = scaleOf([...up, ...down].map(({ weight }) => weight));
  const of = (caption, list) => (list.length ? [barTable(caption, list.map(tokenRow), scale)] : []);
  tables.replaceChildren(...of("Likelier", up), ...of("Less likely", down));
}

/** What moves one gate most: units of the step before, and tokens or the layer below. */
export function drawWriters(card, page, { gate, gateLabel }, link) {
  const unitRow = ({ layer, unit, weight, effect }) => ({
    label: link(layer, unit, `unit ${unit}`),
    told: `× ${number(weight, 2)}`,
    name: `${layer} ${unit}`,
    from: 0,
    to: effect,
  });
  card.querySelector(".told").textContent =
    `What moves the sum in its ${gateLabel.toLowerCase()} most. Of a unit: its weight (×) times how much its h varies in this text` +
    (page.layer ? "." : "; of a token: what reading it adds, less the mean of all tokens.");
  const units = page.writers[gate].map(unitRow);
  const from = page.layer ? page.from_below[gate].map(unitRow) : page.read_from[gate].map(tokenRow);
  const caption = page.layer ? `Units of layer ${page.layer}` : "Tokens that are read";
  card.querySelector(".tables").replaceChildren(
    barTable(`Units of layer ${page.layer + 1}, a step before`, units),
    barTable(caption, from),
  );
}
