// A person's own text: to choose a span in, or to search for the span that is chosen.

import { sentenceOf } from "../../../web/answers.js";

export class OwnText {
  constructor(root, view) {
    this.view = view;
    this.asked = 0; // readings so far: only the last one's answer counts
    this.card = root.querySelector(".another");
    this.part = (name) => this.card.querySelector(name);
    this.part(".choose-in").addEventListener("click", () => this.read((found, text) => view.open(found, text)));
    this.part(".search-in").addEventListener("click", () => this.read((found, text) => view.openOther(found, text)));
    this.part(".back").addEventListener("click", () => this.back());
  }

  /** Read what was typed, and do something with it; or say why it cannot be read. */
  async read(act) {
    const text = this.part(".given").value;
    this.say("Reading …");
    await this.fetch(text, (found) => {
      act(found, text);
      this.say(found.notes.join(" "));
    });
  }

  async fetch(text, act) {
    const { model } = this.view;
    const mine = ++this.asked;
    const found = await this.view.fetch([model, text]);
    if (mine !== this.asked || model !== this.view.model) return;
    if (found.error) this.say(sentenceOf(found.error));
    else act(found);
    this.mark();
  }

  /** To the model's text, or to searching in the text that the span is of. */
  async back() {
    const left = () => {
      this.say("");
      this.part(".given").focus();
    };
    if (this.view.text !== null) {
      await this.fetch(null, (found) => {
        this.view.open(found, null);
        left();
      });
      return;
    }
    this.asked += 1; // a text that is being read is no longer wanted
    this.view.closeOther();
    left();
    this.mark();
  }

  /** Whose text is shown decides what can be gone back to. */
  mark() {
    this.part(".back").hidden = this.view.text === null && !this.view.other;
  }

  say(line) {
    this.part(".status").textContent = line;
  }
}
