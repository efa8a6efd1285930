// The pattern of the span and the places that share it: chips, threshold, and the ranked list.

import { pageButton } from "../../../web/going.js";
import { make, value } from "../../../web/elements.js";
import { visible } from "../../../web/strip.js";
import { sentenceOf } from "../../../web/answers.js";

const AROUND = { char: 30, other: 9 }; // tokens before and after a place
const CHIPS = 24;

const percentOf = (quantile) => `${Number((100 * (1 - quantile)).toFixed(1))} %`;
const small = (count) => (count >= 0.01 ? String(Number(count.toPrecision(2))) : count.toExponential(0).replace("-", "−"));

export class Places {
  constructor(root, view) {
    this.view = view;
    this.card = root.querySelector(".places");
    this.part = (name) => this.card.querySelector(name);
    this.slider = this.part(".threshold");
    this.slider.addEventListener("input", () => {
      view.threshold = view.found.thresholds[this.slider.value];
      this.drawLevel(view.threshold);
      view.ask();
    });
    this.part(".automatic").addEventListener("click", () => {
      view.threshold = null;
      view.ask();
    });
    for (const [name, key] of [[".off-before", "before"], [".off-after", "after"]]) {
      this.part(name).addEventListener("change", (event) => {
        view[key] = event.target.checked;
        view.ask();
      });
    }
    this.part(".mark-all").addEventListener("click", () => view.markAlike());
  }

  /** What is the same for every span of the text. */
  build() {
    this.slider.max = this.view.found.thresholds.length - 1;
  }

  drawLevel(threshold) {
    const share = percentOf(threshold);
    const words = `in the highest ${share} of the unit’s own values, or in the lowest ${share}`;
    this.slider.value = this.view.found.thresholds.indexOf(threshold);
    this.slider.setAttribute("aria-valuetext", `quantile ${threshold}: ${words}`);
    this.part(".quantile").textContent = `${words} (quantile ${threshold})`;
    this.part(".automatic").setAttribute("aria-pressed", String(this.view.threshold === null));
  }

  draw() {
    const { answer, found, other, layer, before, after } = this.view;
    const { units, matches, reason, threshold } = answer;
    this.part(".off-before").checked = before;
    this.part(".off-after").checked = after;
    this.part(".searched").hidden = !other;
    this.part(".searched").textContent = other ? `Searched in the ${other.tokens.length.toLocaleString("en")} tokens of your text.` : "";
    this.drawLevel(threshold);
    const chips = units.slice(0, CHIPS).map(([unit, sign]) => {
      const chip = pageButton(layer, unit, `unit ${unit}, ${sign > 0 ? "high" : "low"}`);
      chip.className = "chip";
      return chip;
    });
    if (units.length > CHIPS) chips.push(make("span", "told", `and ${units.length - CHIPS} more`));
    this.part(".chips").replaceChildren(...chips);
    this.part(".pattern").textContent = units.length ? "On at every step of the span. A unit opens its page. By chance: at how many steps as many would be on together; union: all units that are on there or here." : "";
    this.part(".reason").textContent = reason ? sentenceOf(reason) : "";
    this.part(".list").replaceChildren(...matches.map((match, rank) => this.row(match, rank, other ?? found)));
    this.part(".list").hidden = !matches.length;
    this.part(".list").scrollTop = 0;
    this.part(".mark-all").hidden = Boolean(other) || !matches.length;
    this.part(".mark-all").textContent = `Mark the span and ${matches.length === 1 ? "this place" : `these ${matches.length} places`}`;
  }

  row({ start, stop, shared, union, by_chance: chance }, rank, { tokens, tokenizer }) {
    const around = tokenizer === "char" ? AROUND.char : AROUND.other;
    const words = (from, to) => tokens.slice(Math.max(0, from), to).map((token) => visible(token, false)).join("");
    const context = make(
      "button",
      "context",
      make("span", "before", make("span", "run", words(start - around, start))),
      make("mark", "", words(start, stop) || "∅"),
      make("span", "after", make("span", "run", words(stop, stop + around))),
    );
    context.type = "button";
    context.addEventListener("click", () => this.view.go(rank));
    const told = [" units · union ", value("place", "union", String(union)), " · by chance ", value("place", "chance", small(chance))];
    const shares = value("place", "shared", `${shared} of ${this.view.answer.units.length}`);
    const row = make("li", "", context, make("span", "number", shares, make("small", "", ...told)));
    Object.assign(row.dataset, { start, stop });
    return row;
  }

  /** Mark the row that was gone to. */
  here(rank) {
    [...this.part(".list").children].forEach((row, at) => row.classList.toggle("now", at === rank));
  }

  clear(line) {
    this.part(".chips").replaceChildren();
    this.part(".list").replaceChildren();
    this.part(".list").hidden = true;
    this.part(".mark-all").hidden = true;
    this.part(".pattern").textContent = "";
    this.part(".reason").textContent = line;
  }
}
