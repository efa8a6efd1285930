// Which of two sentences is likelier: each token coloured by what it costs, in nats.

import { sentenceOf } from "../../../web/answers.js";
import { Asking } from "../../../web/asking.js";
import { make } from "../../../web/elements.js";
import { number, percent } from "../../../web/numbers.js";
import { quoted, visible } from "../../../web/strip.js";
import { table } from "../../../web/table.js";
import { painter } from "../../../web/colors.js";

const DEAREST = 8; // nats, painted at full colour

export class Likelier {
  constructor(root, view) {
    this.view = view;
    this.root = root.querySelector(".likelier");
    this.part = (name) => this.root.querySelector(name);
    this.fields = [...this.root.querySelectorAll("input")];
    this.texts = [...this.root.querySelectorAll(".tokens")];
    this.asking = new Asking(view.server.likelier, (answer) => this.show(answer));
    for (const field of this.fields) {
      field.addEventListener("input", () => {
        this.changed = true;
        this.press(null);
        this.part(".verdict").classList.add("old");
        this.asking.soon(this.question);
      });
    }
    this.root.addEventListener("pointerover", ({ target }) => this.readOut(target.dataset?.readout));
    this.part(".pair").addEventListener("pointerleave", () => this.readOut());
    this.part("details").addEventListener("toggle", () => this.fillTable());
    this.readOut();
  }

  open(sentences) {
    this.part(".pairs").replaceChildren(
      ...sentences.map(([name, ...pair]) => {
        const button = make("button", "", name);
        button.type = "button";
        button.addEventListener("click", () => this.choose(name, pair));
        return button;
      }),
    );
    const [[name, ...pair]] = sentences;
    if (this.changed) this.asking.put(this.question); // what a person typed stays
    else this.choose(name, pair);
  }

  get question() {
    return [this.view.model, ...this.fields.map(({ value }) => value)];
  }

  choose(name, pair) {
    this.changed = false;
    this.fields.forEach((field, at) => {
      field.value = pair[at];
    });
    this.press(name);
    this.asking.put(this.question);
  }

  press(name) {
    for (const button of this.part(".pairs").children) button.setAttribute("aria-pressed", String(button.textContent === name));
  }

  show(answer) {
    this.part(".status").textContent = answer.error ? sentenceOf(answer.error) : answer.notes.join(" ");
    this.answer = answer.error ? null : answer;
    this.part(".verdict").classList.remove("old");
    this.part(".verdict").textContent = answer.error ? "" : answer.sentence;
    this.view.found("likelier", answer.sentence);
    if (!answer.error) {
      if (this.changed) this.root.dataset.compared = Number(this.root.dataset.compared ?? 0) + 1; // the tour looks for it
    }
    this.draw();
    this.fillTable();
  }

  draw() {
    const palette = painter(false);
    palette.ramp(this.part(".ramp"));
    const { texts, parts_at: parts } = this.answer ?? { texts: [] };
    this.texts.forEach((element, which) => {
      const { tokens, nats } = texts[which] ?? { tokens: [], nats: [] };
      element.replaceChildren(
        ...tokens.map((token, at) => {
          const piece = make("span", at === parts ? "parts" : "", visible(token, false));
          palette.paint(piece, (2 * Math.min(nats[at], DEAREST)) / DEAREST - 1, 1);
          piece.dataset.readout = `${quoted(token)}: ${number(nats[at], 2)} nats, a probability of ${percent(Math.exp(-nats[at]), 1)}`;
          return piece;
        }),
        ...(texts[which] ? [make("span", "cost", `  ${number(texts[which].total, 1)} nats`)] : []),
      );
    });
  }

  readOut(text) {
    this.part(".where").textContent = text ?? "Point at a token to read it out.";
  }

  fillTable() {
    if (!this.part("details").open || !this.answer) return;
    const [first, second] = this.answer.texts;
    const rows = Array.from({ length: Math.max(first.tokens.length, second.tokens.length) }, (_, at) => [
      String(at + 1),
      ...[first, second].flatMap(({ tokens, nats }) => (at < tokens.length ? [quoted(tokens[at]), number(nats[at], 2)] : ["", ""])),
    ]);
    const totals = ["all", ...[first, second].flatMap(({ total }) => ["", number(total, 2)])];
    const head = ["at", "first", "nats", "second", "nats"];
    this.part(".holder").replaceChildren(table("What each token costs", head, [...rows, totals]));
  }
}
