// A sentence told by the probe: whose it is told as, and how the score comes about over its tokens.

import { make } from "../../workbench/static/elements.js";
import { number } from "../../workbench/static/numbers.js";
import { visible } from "../../workbench/static/strip.js";
import { painter } from "../../unit_pages/static/colors.js";
import { Asking, told } from "./asking.js";

const MEANS = {
  so_far: "the score of the text up to there, −1 to 1; what is coloured last is the verdict",
  each: "what the state after each token scores by itself; their mean is the verdict",
};

export class Sentence {
  constructor(root, authors) {
    this.authors = authors;
    this.root = root.querySelector(".try-one");
    this.part = (name) => this.root.querySelector(name);
    this.field = this.part("textarea");
    this.way = "so_far";
    this.asking = new Asking(
      () => authors.view.server.tell([authors.view.model, ...authors.question, this.field.value]),
      (answer) => this.show(answer),
    );
    this.field.addEventListener("input", () => this.asking.soon());
    for (const button of this.root.querySelectorAll("[data-way]")) {
      button.addEventListener("click", () => {
        this.way = button.dataset.way;
        this.draw();
      });
    }
  }

  /** A passage of one of the two, which is not among the examples. */
  offer({ sides, sentence }) {
    this.offered = { sentence, line: `${sides[0][0]} wrote it; it is not among the examples.` };
    this.field.value = sentence;
  }

  ask() {
    return this.asking.now();
  }

  show(answer) {
    this.part(".status").textContent = answer.error ? told(answer.error) : answer.notes.join(" ");
    this.answer = answer.error ? null : answer;
    const known = this.field.value === this.offered?.sentence ? ` ${this.offered.line}` : "";
    this.part(".verdict").textContent = answer.error ? "" : `${verdict(answer)}${known}`;
    this.draw();
  }

  draw() {
    for (const button of this.root.querySelectorAll("[data-way]")) {
      button.setAttribute("aria-pressed", String(button.dataset.way === this.way));
    }
    const palette = painter();
    palette.ramp(this.part(".ramp"));
    const { tokens = [], labels = ["", ""] } = this.answer ?? {};
    const values = this.answer?.[this.way] ?? [];
    const scale = this.way === "each" ? Math.max(...values.map(Math.abs), 1) : 1;
    this.part(".tokens").replaceChildren(
      ...tokens.map((token, at) => {
        const shown = visible(token, false);
        const piece = make("span", "", token.endsWith("\n") ? `${shown}\n` : shown);
        palette.paint(piece, values[at], scale);
        piece.title = number(values[at], 2);
        return piece;
      }),
    );
    this.part(".low").textContent = `${labels[1]} ${number(-scale, 1)}`;
    this.part(".high").textContent = `${number(scale, 1)} ${labels[0]}`;
    this.part(".meaning").textContent = MEANS[this.way];
  }
}

function verdict({ told: name, scores, labels, stands_out: standsOut }) {
  const [high, low] = [Math.max(...scores), Math.min(...scores)];
  const other = labels.find((label) => label !== name);
  const doubt = standsOut ? "" : " This probe is no better than chance: do not trust it.";
  return `Told as ${name}, ${number(high, 2)} against ${number(low, 2)} for ${other}.${doubt}`;
}
