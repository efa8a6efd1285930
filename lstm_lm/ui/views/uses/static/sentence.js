// A sentence told by the probe: whose it is told as, and how the score comes about over its tokens.

import { sentenceOf } from "../../../web/answers.js";
import { Asking } from "../../../web/asking.js";
import { make } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { visible } from "../../../web/strip.js";
import { painter } from "../../../web/colors.js";

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
    this.way = "each";
    this.offered = [];
    this.asking = new Asking(authors.view.server.tell, (answer) => this.show(answer));
    this.field.addEventListener("input", () => this.asking.soon(this.question));
    for (const button of this.root.querySelectorAll("[data-way]")) {
      button.addEventListener("click", () => {
        this.way = button.dataset.way;
        this.draw();
      });
    }
  }

  /** Passages of the two, [name, text] each, that are not among the examples; the first is tried. */
  offer(passages) {
    this.offered = passages;
    const buttons = passages.map(([name, text]) => {
      const button = make("button", "link", `by ${name}`);
      button.type = "button";
      button.addEventListener("click", () => {
        this.field.value = text;
        this.ask();
      });
      return button;
    });
    const between = buttons.flatMap((button, at) => (at ? [" · ", button] : [button]));
    this.part(".offers").replaceChildren(...(buttons.length ? ["Not among the examples: ", ...between] : []));
    if (passages.length) [[, this.field.value]] = passages;
  }

  get question() {
    return [...this.authors.question, this.field.value];
  }

  ask() {
    this.asking.put(this.question);
  }

  show(answer) {
    this.part(".status").textContent = answer.error ? sentenceOf(answer.error) : answer.notes.join(" ");
    this.answer = answer.error ? null : answer;
    const wrote = this.offered.find(([, text]) => text === this.field.value)?.[0];
    const right = wrote ? ` ${wrote} wrote it.` : "";
    this.part(".verdict").textContent = answer.error ? "" : `${verdict(answer)}${right}`;
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
