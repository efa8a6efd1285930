// How many keys such a keyboard saves over a sentence, and which words came with one press.

import { sentenceOf } from "../../../web/answers.js";
import { Asking } from "../../../web/asking.js";
import { make } from "../../../web/elements.js";
import { visible } from "../../../web/strip.js";

export class Keys {
  constructor(root, view) {
    this.view = view;
    this.root = root.querySelector(".keys");
    this.part = (name) => this.root.querySelector(name);
    this.field = this.part("input");
    this.asking = new Asking(view.server.keys, (answer) => this.show(answer));
    this.field.addEventListener("input", () => {
      this.changed = true;
      this.old(true);
      this.asking.soon(this.question);
    });
  }

  open(text) {
    if (!this.changed) this.field.value = text; // what a person typed is asked of the next model too
    this.old(true);
    this.asking.put(this.question);
  }

  get question() {
    return [this.view.model, this.field.value];
  }

  old(is) {
    for (const name of [".tokens", ".verdict"]) this.part(name).classList.toggle("old", is);
  }

  show(answer) {
    this.old(false);
    this.part(".status").textContent = answer.error ? sentenceOf(answer.error) : answer.notes.join(" ");
    this.part(".verdict").textContent = answer.sentence ?? "";
    const pieces = answer.pieces ?? [];
    this.part(".tokens").replaceChildren(...pieces.map(([text, taken]) => make("span", taken ? "taken" : "", visible(text, false))));
  }
}
