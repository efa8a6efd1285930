// What a model gave to the character that is pinned: its probability, its cost, its likeliest.

import { make, value } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { quoted, visible } from "../../../web/strip.js";

/** A probability as a percentage of two digits, as the findings write it. */
export function share(probability) {
  const percent = 100 * probability;
  if (percent >= 10) return `${percent.toFixed(0)} %`;
  if (percent < 1e-6) return "under 0.000001 %";
  return `${percent.toFixed(Math.max(1, 1 - Math.floor(Math.log10(percent))))} %`;
}

const ENDS = ["th", "st", "nd", "rd"];
const nth = (rank) => `${rank.toLocaleString("en")}${(rank % 100 > 10 && rank % 100 < 14 ? "" : ENDS[rank % 10]) || "th"}`;

/** Fill the card of one side; returns what is spoken of it. `stretch`: where both end a token. */
export function fillGave(card, label, { tokens, cost, probability, rank, taken, likeliest, whole }, stretch) {
  card.querySelector(".title").textContent = label;
  const told = card.querySelector(".told");
  const [caption, body] = [card.querySelector("caption"), card.querySelector("tbody")];
  const piece = quoted(tokens.join(""));
  const together = card.querySelector(".together");
  const differs = whole !== null && tokens.length === 1 && tokens[0] !== stretch;
  together.hidden = !differs;
  together.textContent = differs ? `All of ${quoted(stretch)}: ${share(Math.exp(-whole))}, ${number(whole)} nats` : "";
  if (cost === null) {
    const words = `Nothing was read before ${piece}, so nothing is said of it.`;
    told.textContent = words;
    caption.textContent = "";
    body.replaceChildren();
    return `${label}: ${words}`;
  }
  const before = `gave ${tokens.length > 1 ? `the ${tokens.length} tokens of one character` : piece} `;
  told.replaceChildren(
    make("span", "", before),
    value("gave", "probability", share(probability)),
    make("span", "", ", "),
    value("gave", "cost", number(cost)),
    make("span", "", " nats"),
    make("span", "", tokens.length > 1 ? "" : rank === 1 ? ": its first choice" : `: its ${nth(rank)} choice`),
  );
  caption.textContent = tokens.length > 1 ? "What it held likeliest as the first of them" : "What it held likeliest";
  const among = likeliest.some(([token]) => token === taken[0]);
  body.replaceChildren(...(among ? likeliest : [...likeliest, taken]).map((each) => row(each, taken, likeliest[0][1])));
  return [`${label} ${told.textContent}`, together.textContent].filter(Boolean).join(". ");
}

function row([token, probability], [came], largest) {
  const bar = make("i", "");
  bar.style.width = `${Math.max(0, (100 * probability) / largest)}%`;
  const head = make("th", "", visible(token, true));
  head.scope = "row";
  return make("tr", token === came ? "came" : "", head, make("td", "number", share(probability)), make("td", "drawn", bar));
}
