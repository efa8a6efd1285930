// The Find view: holds which span of which text is chosen, asks where else its units are on, and
// lets each part draw itself. Nothing is asked of the server before the view is in sight.

import { painter } from "../../../web/colors.js";
import { floatsOf } from "../../../web/columns.js";
import { keepingFocus, make } from "../../../web/elements.js";
import { watchTheme } from "../../../web/palette.js";
import { visible } from "../../../web/strip.js";
import { sentenceOf } from "../../../web/answers.js";
import { Asking } from "../../../web/asking.js";
import { Choosing } from "./choosing.js";
import { ViewLink } from "./link.js";
import { Marks } from "./marks.js";
import { OwnText } from "./own.js";
import { Pane } from "./pane.js";
import { Places } from "./places.js";

const GONE = { error: "this model is no longer here: choose another" };
const UNANSWERED = { error: "the server did not answer: try again" };

class Find {
  constructor({ element, props, server }) {
    this.root = element.querySelector(".find");
    this.part = (name) => this.root.querySelector(name);
    this.props = props;
    this.server = server;
    this.model = null; // whose text is shown
    this.text = null; // a person's own; null: the model's
    this.found = null; // that text as the model has read it
    this.other = this.otherText = null; // another text, in which is searched
    this.reset();
    this.pane = new Pane(this.part(".pane.main"));
    this.otherPane = new Pane(this.part(".pane.other"));
    this.choosing = new Choosing(this.pane, {
      chosen: (start, stop) => this.choose(start, stop),
      mark: () => this.markSpan(),
    });
    this.places = new Places(this.root, this);
    this.marks = new Marks(this.root, this);
    this.own = new OwnText(this.root, this);
    this.link = new ViewLink(this.root, this);
    this.asking = new Asking(server.places, (answer, asked) => this.answered(answer, asked));
    this.coloring = new Asking(server.color, (answer, asked) => this.colored(answer, asked));
    this.part(".mark-it").addEventListener("click", () => this.markSpan());
    this.part(".plain").addEventListener("click", () => {
      this.uncolor();
      this.pane.element.focus({ preventScroll: true });
    });
    for (const button of this.root.querySelectorAll("[data-edge]")) {
      button.addEventListener("click", () => this.nudge(button.dataset.edge, Number(button.dataset.by)));
    }
    watchTheme(() => this.paint());
    new ResizeObserver(() => this.begin()).observe(this.root);
  }

  /** How is searched, as long as nobody has said otherwise. */
  reset() {
    Object.assign(this, { layer: 0, signal: null, threshold: null, before: true, after: true });
  }

  /** A value from Python: the model, and where a link leads. */
  apply() {
    const value = this.props.value;
    if (!value || typeof value !== "object" || value === this.applied) return;
    this.applied = value;
    if (value.start !== undefined) this.wanted = value;
    if (this.wanted?.model !== value.model) this.wanted = null;
    this.begin();
  }

  /** Fetch the model's text, once the view is in sight. */
  async begin() {
    const { model } = this.props.value ?? {};
    if (!model || !this.root.clientWidth || this.loading) return;
    if (model === this.model) {
      this.follow();
      return;
    }
    this.loading = true;
    this.model = this.found = this.answer = null; // what comes late is of no use
    this.part(".all").hidden = true;
    this.saySecond("");
    this.say("The model writes the text that is searched …", "This is done once for each model.");
    this.note("");
    const found = await this.fetch([model, null]);
    this.loading = false;
    if (model !== this.props.value?.model) {
      this.begin(); // another was chosen meanwhile
      return;
    }
    this.model = model;
    if (found.error) {
      this.say("The text of this model cannot be searched.", "");
      this.note(sentenceOf(found.error));
      return;
    }
    this.reset();
    this.own.say("");
    this.open(found, null);
    this.follow();
  }

  async fetch(question) {
    try {
      return (await this.server.text(question)) ?? GONE;
    } catch {
      return UNANSWERED;
    }
  }

  /** Show a text that the model has read, with the span that is worth choosing first. */
  open(found, text) {
    Object.assign(this, { found, text });
    this.part(".all").hidden = false;
    this.closeOther({ ask: false });
    this.forget();
    this.build();
    this.note(found.notes.join(" "));
    this.part(".from").textContent = found.told;
    this.pane.show(found.tokens, found.unread);
    this.choosing.tokens = found.tokens;
    this.marks.begin(found.word);
    this.own.mark();
    this.select(found.start, found.stop);
  }

  /** Go where a link leads, if it leads to this model. */
  follow() {
    const { wanted } = this;
    if (!this.found || wanted?.model !== this.model) return;
    this.wanted = null;
    this.note((wanted.notes ?? []).join(" "));
    const { layer, signal, threshold, before, after } = wanted;
    Object.assign(this, { layer, signal, threshold, before, after });
    this.mark();
    this.select(wanted.start, wanted.stop);
  }

  build() {
    const { found } = this;
    if (!found.states.some(({ name }) => name === this.signal)) this.signal = found.states[0].name;
    const layers = Array.from({ length: found.layers }, (_, layer) => [layer, `Layer ${layer + 1}`]);
    this.fill(".layers", "layer", layers);
    this.fill(".states", "signal", found.states.map(({ name, label }) => [name, label]));
    this.places.build();
    this.mark();
  }

  fill(selector, key, choices) {
    const buttons = choices.map(([name, label]) => {
      const button = make("button", "", label);
      button.type = "button";
      button.dataset.name = name;
      button.addEventListener("click", () => {
        this[key] = name;
        this.mark();
        this.ask();
      });
      return button;
    });
    this.part(selector).replaceChildren(...buttons);
    this.part(selector).hidden = choices.length < 2;
  }

  mark() {
    for (const [selector, name] of [[".layers", this.layer], [".states", this.signal]]) {
      for (const button of this.part(selector).children) {
        button.setAttribute("aria-pressed", String(button.dataset.name === String(name)));
      }
    }
  }

  // The span

  /** Choose a span from here, and bring it into sight. */
  select(start, stop) {
    this.choosing.set(start, stop);
    this.pane.reveal(start, { center: true });
    this.choose(start, stop);
  }

  choose(start, stop) {
    if (!this.found) return; // dragged until another model was chosen
    Object.assign(this, { start, stop });
    const words = this.found.tokens.slice(start, stop).map((token) => visible(token, false)).join("");
    const steps = stop - start === 1 ? `step ${start + 1}` : `steps ${start + 1} to ${stop}`;
    this.part(".now").textContent = `“${words.length > 60 ? `${words.slice(0, 59)}…` : words}”, ${steps}`;
    this.ask();
  }

  nudge(edge, by) {
    const at = { start: this.start, stop: this.stop };
    at[edge] += by;
    if (at.start < 0 || at.stop > this.found.tokens.length || at.start >= at.stop) return;
    this.choosing.set(at.start, at.stop);
    this.pane.reveal(edge === "start" ? at.start : at.stop - 1);
    this.choose(at.start, at.stop);
  }

  // Where else

  ask() {
    this.link.drawn();
    const { model, text, layer, signal, start, stop, threshold, before, after, otherText } = this;
    this.asking.put([model, text, layer, signal, start, stop, threshold, before, after, otherText]);
  }

  answered(answer, [model, text]) {
    if (model !== this.model || text !== this.text) return;
    if (answer.error) {
      const line = sentenceOf(answer.error);
      this.forget(line);
      this.places.clear(line);
      return;
    }
    this.answer = answer;
    this.pane.light("here", []);
    this.otherPane.light("here", []);
    const spans = answer.matches.map(({ start, stop }) => [start, stop]);
    this.pane.light("match", this.other ? [] : spans);
    if (this.other) this.otherPane.light("match", spans);
    this.say(answer.sentence, answer.evidence, spans.length > 0);
    keepingFocus(this.part(".places"), () => this.places.draw());
    this.part(".spoken").textContent = `${this.part(".now").textContent}. ${answer.sentence}`;
  }

  /** No places are known: those of another text lead nowhere. */
  forget(sentence = "Looking where else the same units are on …") {
    this.answer = null;
    for (const pane of [this.pane, this.otherPane]) {
      pane.light("here", []);
      pane.light("match", []);
    }
    this.places.clear("");
    this.say(sentence, "");
  }

  /** Show a place in its text. */
  go(rank) {
    if (!this.answer) return;
    const { start, stop } = this.answer.matches[rank];
    const pane = this.other ? this.otherPane : this.pane;
    pane.light("here", [[start, stop]]);
    pane.reveal(start, { center: true });
    this.places.here(rank);
    pane.element.scrollIntoView({ block: "nearest" });
  }

  // Another text

  openOther(found, text) {
    Object.assign(this, { other: found, otherText: text });
    this.otherPane.element.hidden = false;
    this.otherPane.show(found.tokens, found.unread);
    this.forget();
    this.ask();
  }

  closeOther({ ask = true } = {}) {
    const was = this.other;
    this.other = this.otherText = null;
    this.otherPane.element.hidden = true;
    if (!was || !ask) return;
    this.forget();
    this.ask();
  }

  // Marks and colours

  markSpan() {
    this.marks.add([[this.start, this.stop]]);
  }

  markAlike() {
    if (!this.answer) return;
    this.marks.add([[this.start, this.stop], ...this.answer.matches.map(({ start, stop }) => [start, stop])], { alike: true });
  }

  reveal(step) {
    this.pane.reveal(step, { center: true });
    this.pane.element.scrollIntoView({ block: "nearest" });
  }

  color({ layer, unit, signal }) {
    this.coloredBy = { layer, unit, signal };
    this.coloring.put([this.model, this.text, layer, unit, signal]);
  }

  colored(answer, [model, text, layer, unit, signal]) {
    const by = this.coloredBy;
    if (model !== this.model || text !== this.text || by?.unit !== unit || by.layer !== layer || by.signal !== signal) return;
    if (answer.error) {
      this.note(sentenceOf(answer.error));
      return;
    }
    Object.assign(by, { values: floatsOf(answer.values), scale: answer.scale });
    this.paint();
  }

  uncolor() {
    this.coloredBy = null;
    this.coloring.drop();
    this.marks.press(-1);
    this.paint();
  }

  paint() {
    const by = this.coloredBy?.values ? this.coloredBy : null;
    this.pane.color(by?.values ?? null, by?.scale);
    this.part(".coloring").hidden = !by;
    if (!by) return;
    painter().ramp(this.part(".ramp"));
    const scale = by.scale.toFixed(2);
    this.part(".of-unit").textContent = `unit ${by.unit}, ${by.signal.replaceAll("_", " ")}, −${scale} to ${scale}`;
  }

  // Words

  say(sentence, evidence, found = false) {
    this.part(".sentence").textContent = sentence;
    this.part(".evidence").replaceChildren(evidence);
    if (!found) return;
    const first = make("button", "link", "Go to the first");
    first.type = "button";
    first.addEventListener("click", () => this.go(0));
    this.part(".evidence").append(" ", first);
  }

  /** What follows the marks, if anything does. */
  saySecond(sentence) {
    const line = this.part(".second");
    line.replaceChildren(sentence);
    if (!sentence) return;
    const go = make("button", "link", "See the units");
    go.type = "button";
    go.addEventListener("click", () => this.part(".card.marks").scrollIntoView({ block: "start" }));
    line.append(" ", go);
  }

  note(text) {
    this.part(".notes").textContent = text;
  }
}

/** Called once a component: see find/__init__.py. */
export function mount({ element, props, watch, server }) {
  const find = new Find({ element, props, server });
  watch("value", () => find.apply());
  find.apply();
  return find;
}
