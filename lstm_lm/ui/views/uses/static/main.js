// The Try view: three things that a language model is used for, each filled when the view is seen.

import { answerOf, sentenceOf } from "../../../web/answers.js";
import { watchTheme } from "../../../web/palette.js";
import { Authors } from "./authors.js";
import { Complete } from "./complete.js";
import { Keys } from "./keys.js";
import { Likelier } from "./likelier.js";

const CARDS = 3;

class Tryout {
  constructor({ element, props, server }) {
    this.root = element.querySelector(".try");
    this.part = (name) => this.root.querySelector(name);
    this.props = props;
    this.server = server;
    this.model = null; // whose answers are shown
    this.findings = {};
    this.complete = new Complete(this.root, this);
    this.likelier = new Likelier(this.root, this);
    this.keys = new Keys(this.root, this);
    this.authors = new Authors(this.root, this);
    for (const link of this.root.querySelectorAll(".uses a")) Object.assign(link, { target: "_blank", rel: "noopener noreferrer" });
    watchTheme(() => {
      this.likelier.draw();
      this.authors.sentence.draw();
    });
    // What is asked for costs the server a moment: only while somebody looks.
    new ResizeObserver(() => this.begin()).observe(this.root);
  }

  /** Ask what the cards open with, once the model is another one and the view is in sight. */
  async begin() {
    const { model } = this.props.value ?? {};
    if (typeof model !== "string" || !this.root.clientWidth || this.loading || model === this.model) return;
    this.loading = true;
    this.findings = {};
    this.part(".finding").setAttribute("aria-busy", "true");
    this.part(".sentence").textContent = "Trying what this model can do …";
    this.part(".evidence").textContent = "";
    const opening = await answerOf(() => this.server.opening([model]));
    this.loading = false;
    if (model !== this.props.value?.model) {
      this.begin(); // another was chosen meanwhile
      return;
    }
    this.model = model;
    this.part(".notes").textContent = sentenceOf(opening.error ?? "");
    this.part(".all").hidden = Boolean(opening.error);
    if (opening.error) {
      this.part(".sentence").textContent = "Nothing can be tried with this model.";
      return;
    }
    this.complete.open(opening.prompt);
    this.likelier.open(opening.sentences);
    await this.authors.open(opening.pairs);
    this.keys.open(opening.typed); // last, since it takes longest
  }

  /** What a card has found, nothing where it could not: together the findings of the view. */
  found(card, sentence = "") {
    this.findings[card] = sentence;
    if (Object.keys(this.findings).length < CARDS) return;
    const { complete, likelier, authors } = this.findings;
    const [first, ...others] = [authors, complete, likelier && `Of the two sentences: ${likelier[0].toLowerCase()}${likelier.slice(1)}`].filter(Boolean);
    this.part(".sentence").textContent = first ?? "Nothing of what the cards open with can be read by this model.";
    this.part(".evidence").textContent = others.join(" ");
    this.part(".finding").setAttribute("aria-busy", "false");
  }
}

/** Called once a component: see tryout/__init__.py. */
export function mount({ element, props, watch, server }) {
  const tryout = new Tryout({ element, props, server });
  watch("value", () => tryout.begin());
  tryout.begin();
  return tryout;
}
