// Scores beside their control: what the unit follows, and the list of units worth looking at.

import { make, value } from "./elements.js";
import { number } from "./numbers.js";

const RANKED =
  "The best unit for each property of the text. Bar: its score on the half of the text that it was not " +
  "chosen on. Tick: what 95 of 100 shifts of it in time stay below.";
const NOTHING = "Nothing stands out in this text: no unit follows what was asked about, and none keeps long.";

/** A bar from 0 to the score, with a tick where chance stays below. */
function scoreBar(score, shuffled) {
  const at = (share) => `${100 * Math.max(0, Math.min(1, share))}%`;
  const track = make("span", "track");
  track.setAttribute("aria-hidden", "true");
  const length = make("i", "length");
  length.style.width = at(score);
  const control = make("i", "control");
  control.style.left = at(shuffled);
  track.append(length, control);
  return track;
}

export function scoreRow(what, { score, shuffled }) {
  return make(
    "li",
    "",
    what,
    scoreBar(score, shuffled),
    make(
      "span",
      "number",
      value("score", "score", number(score, 2)),
      make("small", "", " against ", value("score", "shuffled", number(shuffled, 2))),
    ),
  );
}

const steps = (count) => (count === null ? "without end" : `${number(count, 1)} steps`);

/** What this unit does: half-life, and the properties that it follows. */
export function drawDoes(card, page) {
  const facts = [];
  if ("forget_gate" in page.histograms) {
    facts.push(
      make("dt", "", "Half-life"),
      make(
        "dd",
        "",
        value("fact", "half_life", steps(page.half_life)),
        ` (the layer’s median: ${steps(page.median_half_life)})`,
      ),
    );
  }
  card.querySelector(".facts").replaceChildren(...facts);
  const rows = page.follows.map(({ name, measure, units: [best] }) => {
    const signal = best.signal.replaceAll("_", " ");
    const how = measure === "|r|" ? (best.sign < 0 ? "falls with it" : "rises with it") : best.sign < 0 ? "low there" : "high there";
    const what = make("span", "what", `follows ${name} `, make("span", "measure", `${measure}, ${signal}, ${how}`));
    return scoreRow(what, best);
  });
  card.querySelector(".follows").replaceChildren(...rows);
  card.querySelector(".none").textContent = rows.length ? "" : page.evidence;
}

/** The units worth looking at, each a link to its page. */
export function drawWorth(card, { worth, layers }, link) {
  const rows = worth.map((entry) => {
    const { layer, unit, does, half_life: life } = entry;
    const name = layers > 1 ? `unit ${unit} of layer ${layer + 1}` : `unit ${unit}`;
    const what = make("span", "what", link(layer, unit, name), ` ${does}`);
    if ("score" in entry) return scoreRow(what, entry);
    const median = make("small", "", ` median ${entry.median === null ? "∞" : number(entry.median, 1)}`);
    return make("li", "", what, make("span", ""), make("span", "number", life === null ? "∞" : number(life, 1), median));
  });
  card.querySelector(".list").replaceChildren(...rows);
  card.querySelector(".told").textContent = rows.length ? RANKED : NOTHING;
}

/** Mark the unit that is shown, wherever the list names it. */
export function markWorth(card, { layer, unit }) {
  for (const link of card.querySelectorAll("a")) {
    const now = Number(link.dataset.layer) === layer && Number(link.dataset.unit) === unit;
    link.closest("li").classList.toggle("now", now);
    if (now) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
