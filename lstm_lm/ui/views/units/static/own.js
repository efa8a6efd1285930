// A person's own text, coloured by the unit. Of several questions only the last is answered.

import { floatsOf } from "../../../web/columns.js";
import { make } from "../../../web/elements.js";
import { coloredTokens, painter } from "../../../web/colors.js";

const PAUSE = 250; // ms without a key until the text is sent

export class OwnText {
  constructor(root, view) {
    this.view = view;
    this.card = root.querySelector(".own");
    this.given = this.card.querySelector(".given");
    this.result = this.card.querySelector(".result");
    this.status = this.card.querySelector(".status");
    this.given.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.ask(), PAUSE);
    });
  }

  /** Colour the text by the unit that is shown now. */
  async ask() {
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.again) {
        this.again = false;
        await this.fetch();
      }
    } catch {
      this.say("The server did not answer: try again.");
    } finally {
      this.busy = false;
    }
  }

  async fetch() {
    const { model, page, state, server } = this.view;
    if (!page) return; // another model is on its way
    const { layer, unit } = page;
    const text = this.given.value;
    const answer = await server.color([model, layer, unit, state, text]);
    if (this.again || !this.view.shows({ model, layer, unit, state })) return;
    if (!answer || answer.error) {
      const why = answer?.error ?? "this model is no longer here: choose another";
      this.found = null;
      this.result.replaceChildren();
      this.say(`${why[0].toUpperCase()}${why.slice(1)}.`);
      return;
    }
    this.found = { ...answer, values: floatsOf(answer.values), scale: page.scales[state] };
    this.say(answer.notes.join(" "));
    this.draw();
  }

  draw() {
    if (!this.found) return;
    const { tokens, marks } = this.found;
    const pieces = coloredTokens({ ...this.found, start: 0, stop: tokens.length, lines: true }, painter());
    // What the model has never seen stands where the person wrote it.
    for (const { before, text } of marks.toReversed()) pieces.splice(before, 0, make("span", "unknown", text));
    this.result.replaceChildren(...pieces);
  }

  say(text) {
    if (this.status.textContent !== text) this.status.textContent = text;
  }
}
