// Spans that a person has marked, and the units that follow them. Places that touch are one mark.

import { pageButton } from "../../../web/going.js";
import { scoreRow } from "../../../web/scores.js";
import { make } from "../../../web/elements.js";
import { visible } from "../../../web/strip.js";
import { sentenceOf } from "../../../web/answers.js";
import { Asking } from "../../../web/asking.js";

const SHOWN = 60; // marks that are listed one by one
const LONGEST = 24; // characters of a mark in the list
const CIRCULAR =
  " Some of these marks were found because units are on there: that those units follow them is no news; look for others.";

/** Where a string stands in the tokens: [start, stop) of each, in steps. */
export function spansOf(tokens, string) {
  const begins = [];
  let length = 0;
  for (const token of tokens) {
    begins.push(length);
    length += token.length;
  }
  const text = tokens.join("");
  const spans = [];
  let step = 0;
  for (let at = text.indexOf(string); at >= 0; at = text.indexOf(string, at + string.length)) {
    while (step + 1 < tokens.length && begins[step + 1] <= at) step += 1;
    let stop = step + 1;
    while (stop < tokens.length && begins[stop] < at + string.length) stop += 1;
    spans.push([step, stop]);
  }
  return spans;
}

/** Spans in order, those that overlap or touch made one. */
function joined(spans) {
  const result = [];
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last && span.start <= last.stop) {
      last.stop = Math.max(last.stop, span.stop);
      last.alike ||= span.alike;
    } else result.push({ ...span });
  }
  return result;
}

export class Marks {
  constructor(root, view) {
    this.view = view;
    this.card = root.querySelector(".marks");
    this.part = (name) => this.card.querySelector(name);
    this.example = false; // whether the marks are the page's own, which a person's first ones replace
    this.spans = []; // { start, stop, alike }: alike where matching found it
    this.asking = new Asking(view.server.follows, (answer, asked) => this.answered(answer, asked));
    this.part(".typed").addEventListener("submit", (event) => {
      event.preventDefault();
      this.markString(this.part(".string").value);
    });
    this.part(".clear").addEventListener("click", () => {
      this.replace([]);
      this.part(".string").focus();
    });
  }

  add(spans, { alike = false } = {}) {
    const before = this.example ? [] : this.spans;
    this.replace([...before, ...spans.map(([start, stop]) => ({ start, stop, alike }))]);
  }

  /** A text is shown: every place of its commonest word is marked, so that there is an answer. */
  begin(word) {
    this.part(".string").value = word;
    this.replace([]);
    this.markString(word);
    this.example = true;
  }

  markString(string) {
    if (!string) return;
    const spans = spansOf(this.view.found.tokens, string);
    if (spans.length) {
      this.add(spans);
      this.called = this.spans.length === spans.length ? string : "";
    } else this.say(`“${string}” does not stand in this text: capitals and spaces count.`, "");
  }

  /** Marks instead of those there were; with none, nothing is asked. */
  replace(spans) {
    this.example = false;
    this.called = ""; // the string whose places the marks are
    this.view.saySecond("");
    this.spans = joined(spans).slice(0, this.view.found.most_marks);
    this.view.pane.light("mark", this.pairs());
    this.drawList();
    this.found = null;
    this.part(".followers").replaceChildren();
    this.view.uncolor();
    if (!this.spans.length) {
      this.asking.drop();
      this.say("Nothing is marked yet. Mark the span above, or every place of a word.", "");
      return;
    }
    this.say("Looking for units that follow …", "");
    this.asking.put([this.view.model, this.view.text, this.pairs()]);
  }

  pairs() {
    return this.spans.map(({ start, stop }) => [start, stop]);
  }

  drawList() {
    const { tokens } = this.view.found;
    const items = this.spans.slice(0, SHOWN).map((span) => {
      const words = tokens.slice(span.start, span.stop).map((token) => visible(token, false)).join("");
      const shown = words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words || "∅";
      const go = make("button", "place", shown);
      go.type = "button";
      go.setAttribute("aria-label", `Go to the mark “${shown}” at step ${span.start + 1}`);
      go.addEventListener("click", () => this.view.reveal(span.start));
      const remove = make("button", "remove", "×");
      remove.type = "button";
      remove.setAttribute("aria-label", `Remove the mark “${shown}” at step ${span.start + 1}`);
      remove.addEventListener("click", () => {
        this.replace(this.spans.filter((each) => each !== span));
        (this.part(".remove") ?? this.part(".string")).focus();
      });
      return make("li", "", go, remove);
    });
    if (this.spans.length > SHOWN) items.push(make("li", "told more", `and ${this.spans.length - SHOWN} more`));
    this.part(".marked").replaceChildren(...items);
    this.part(".clear").hidden = !this.spans.length;
  }

  answered(answer, [model, text]) {
    if (model !== this.view.model || text !== this.view.text || !this.spans.length) return;
    if (answer.error || answer.why) {
      this.say(answer.why ?? sentenceOf(answer.error), "");
      return;
    }
    this.found = answer;
    const count = this.spans.length === 1 ? "1 place" : `${this.spans.length} places`;
    const alike = this.spans.some((span) => span.alike) ? CIRCULAR : "";
    const what = this.called ? `${count} marked, every “${this.called}”` : `${count} marked`;
    this.say(`${what}. ${answer.sentence}`, answer.evidence + alike);
    if (answer.stands_out && !alike) this.view.saySecond(`${what}. ${answer.sentence}`);
    this.part(".followers").replaceChildren(...answer.units.map((unit) => this.row(unit, answer)));
  }

  row(entry, { measure }) {
    const { layer, unit, signal, sign, odds } = entry;
    const name = this.view.found.layers > 1 ? `unit ${unit} of layer ${layer + 1}` : `unit ${unit}`;
    const state = signal.replaceAll("_", " ");
    const told = `${state}, ${sign < 0 ? "low" : "high"} there · ${measure} · chance odds ${odds.toFixed(3)}`;
    const color = make("button", "link color", "colour the text");
    color.type = "button";
    color.setAttribute("aria-pressed", "false");
    color.setAttribute("aria-label", `Colour the text by ${name}, ${state}`);
    color.addEventListener("click", () => this.color(this.found.units.indexOf(entry)));
    return scoreRow(make("span", "what", pageButton(layer, unit, name), " ", color, make("span", "measure", told)), entry);
  }

  color(rank) {
    this.view.color(this.found.units[rank]);
    this.press(rank);
  }

  /** Show by which of the units the text is coloured; -1: by none. */
  press(rank) {
    [...this.card.querySelectorAll(".color")].forEach((button, at) => button.setAttribute("aria-pressed", String(at === rank)));
  }

  say(line, how) {
    this.part(".answer").textContent = line;
    this.part(".how").textContent = how;
  }
}
