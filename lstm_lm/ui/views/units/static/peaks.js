// Where the unit's state is highest and lowest, in context, and the whole text coloured by it.
// The token that was read stands in the middle, one place a line, so that what they share is seen.

import { make, value } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { coloredTokens, painter } from "../../../web/colors.js";

const WIDE = 760; // px

export class Peaks {
  constructor(root, view) {
    this.view = view;
    this.card = root.querySelector(".peaks");
    this.part = (name) => this.card.querySelector(name);
    this.whole = this.part("details");
    this.whole.open = innerWidth > WIDE; // on a telephone it is long
    this.whole.addEventListener("toggle", () => this.drawWhole());
  }

  draw() {
    const { page, state, survey } = this.view;
    const scale = page.scales[state];
    const paint = painter();
    this.part(".low").textContent = number(-scale, 2);
    this.part(".high").textContent = `+${number(scale, 2)}`;
    paint.ramp(this.part(".ramp"));
    const text = { tokens: survey.tokens, values: this.view.lines[state], scale, lines: false };
    for (const side of ["highest", "lowest"]) {
      const rows = page.extremes[state][side].map((place) => this.row(place, text, paint));
      this.part(`.${side}`).replaceChildren(...rows);
      this.part(`.${side}`).classList.toggle("subwords", survey.tokenizer !== "char");
    }
    this.drawWhole();
  }

  row({ step, start, stop, value: amount, before, token, after }, text, paint) {
    const run = (name, from, to) =>
      make("span", name, make("span", "run", ...coloredTokens({ ...text, start: from, stop: to }, paint)));
    const [at] = coloredTokens({ ...text, start: step, stop: step + 1 }, paint);
    at.className = "at";
    const context = make("span", "context", run("before", start, step), at, run("after", step + 1, stop));
    context.setAttribute("aria-hidden", "true"); // letter by letter it cannot be listened to
    const held = make("button", "link", value("peak", step, number(amount)));
    held.type = "button";
    held.title = "Hold the unit from here on, and let the model write again";
    held.addEventListener("click", () => this.view.hold.begin(step));
    const row = make(
      "li",
      "",
      make("span", "number", held),
      context,
      make("span", "unread", `after “${before}${token}”, before “${after}”`),
    );
    row.dataset.step = step;
    return row;
  }

  drawWhole() {
    if (!this.whole.open || !this.view.page) return;
    const { page, state, survey } = this.view;
    const text = { tokens: survey.tokens, values: this.view.lines[state], scale: page.scales[state] };
    const all = { ...text, start: 0, stop: survey.tokens.length, lines: true };
    this.part(".whole").replaceChildren(...coloredTokens(all, painter()));
  }
}
