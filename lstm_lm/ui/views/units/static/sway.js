// How much of the probability moves when the unit is held high and not low, and between which tokens.

import { barTable, scaleOf } from "../../../web/bars.js";
import { make, value } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { face } from "./weights.js";

const percent = (share) => `${number(100 * share, 1)} %`;

/** The unit, and the others of its layer, as bars on one scale. */
function comparison({ moved, others, layer, unit }, link) {
  const rows = [{ label: "this unit", told: `unit ${unit}`, name: `moved ${unit}`, amount: moved, kind: "total" }];
  for (const { unit: other, moved: amount } of [...others].sort((a, b) => b.moved - a.moved)) {
    rows.push({ label: link(layer, other, `unit ${other}`), name: `moved ${other}`, amount });
  }
  const points = rows.map(({ amount, ...row }) => ({ ...row, from: 0, to: 100 * amount }));
  return barTable("Percent of the probability that moves: this unit, and others drawn at random", points);
}

function tokens(caption, list, scale) {
  if (!list.length) return [];
  const rows = list.map(({ token, token_id: id, weight }) => ({ label: face(token), name: `sway ${id}`, from: 0, to: 100 * weight }));
  return [barTable(caption, rows, scale)];
}

/** Draw it into the card; `beginAt(step)` writes again from a step, `link` leads to another unit. */
export function drawSway(card, found, { label, beginAt, link }) {
  card.hidden = !found || Boolean(found.error);
  if (card.hidden) return;
  const { low, high, steps, likelier, less_likely: less, step, moved_there: there, sentence } = found;
  const told = card.querySelector(".told");
  told.replaceChildren(
    make("span", "said", sentence),
    ` Read with its ${label} held at ${number(low)} and again at ${number(high)}, over the first ${steps} tokens; the share of the probability that goes from some tokens to others, on average. Most moves, `,
    value("sway", "there", percent(there)),
    `, after step ${step + 1}: `,
  );
  const button = make("button", "link", "write again from there");
  button.type = "button";
  button.addEventListener("click", () => beginAt(step));
  told.append(button, ".");
  const scale = scaleOf([...likelier, ...less].map(({ weight }) => 100 * weight));
  card.querySelector(".tables").replaceChildren(
    ...tokens("Likelier when it is held high, in percentage points", likelier, scale),
    ...tokens("Less likely", less, scale),
    comparison(found, link),
  );
}

/** Beside a unit that is worth looking at: how much it moves. */
export function markMoved(card, { layer, unit, moved, stands_out: stands }) {
  for (const link of card.querySelectorAll(`a[data-layer="${layer}"][data-unit="${unit}"]`)) {
    const what = link.closest(".what");
    if (what.querySelector(".moves-text")) continue;
    const told = make("span", `measure moves-text${stands ? " stands" : ""}`, "held, it moves ", value("moved", `${layer} ${unit}`, percent(moved)));
    what.append(" ", told);
  }
}

/** Which of those units moves most, if that stands out: following something is not yet doing something. */
export function tellMost(found, link) {
  const standing = found.filter(({ stands_out: stands }) => stands).sort((a, b) => b.moved - a.moved);
  if (!standing.length) return [" None of the units listed stands out by how much it moves when it is held."];
  const [{ layer, unit, moved }] = standing;
  return [" Of the units listed, ", link(layer, unit, `unit ${unit}`), ` moves most when it is held: ${percent(moved)} of the next token’s probability.`];
}
