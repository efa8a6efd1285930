// The Compare view: which two models and which text are looked at, and what is asked of the server.

import { answerOf, sentenceOf } from "../../../web/answers.js";
import { make } from "../../../web/elements.js";
import { floatsOf } from "../../../web/columns.js";
import { number } from "../../../web/numbers.js";
import { watchTheme } from "../../../web/palette.js";
import { quoted } from "../../../web/strip.js";
import { fillGave } from "./gave.js";
import { Picture } from "./picture.js";
import { Side } from "./side.js";

const PAUSE = 60; // ms between key presses that are one walk
const NOT_THERE = { error: "the page asked for what is not there: reload it" };
const IDLE = "Point at the picture to read it.";

class Compare {
  constructor({ element, props, server }) {
    this.root = element.querySelector(".compare");
    this.props = props;
    this.server = server;
    this.asked = 0; // an answer to an older question is dropped
    this.askedPlace = 0;
    const part = (selector) => this.root.querySelector(selector);
    this.field = part("textarea");
    this.selects = [part(".left-model"), part(".right-model")];
    this.sides = ["left", "right"].map(
      (name) =>
        new Side(part(`.side.${name}`), `--${name}`, {
          changed: () => this.picture.schedule(),
          ask: (asks) => this.ask("paint", asks),
          failed: () => this.write(".status", this.sides.map(({ error }) => sentenceOf(error)).find(Boolean) ?? ""),
        }),
    );
    this.picture = new Picture(part(".look"), this.sides, {
      pin: (at) => this.pin(at, { speak: true }),
      hover: (at) => this.readOut(at),
    });
    this.wire();
    watchTheme(() => {
      for (const side of this.sides) if (side.columns) side.scale();
      this.picture.schedule();
    });
    // What is asked for costs the server a second: only while somebody looks.
    new ResizeObserver(() => this.stale && this.open()).observe(this.root);
  }

  wire() {
    this.root.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.load();
    });
    this.field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !event.shiftKey) return;
      event.preventDefault();
      this.load();
    });
    for (const select of this.selects) select.addEventListener("change", () => this.load());
    this.root.querySelector(".swap").addEventListener("click", () => {
      const [left, right] = this.selects;
      [left.value, right.value] = [right.value, left.value];
      this.load();
    });
    for (const button of this.root.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => this.picture.move(Number(button.dataset.move)));
    }
  }

  /** Python says which model is chosen. */
  apply() {
    const model = this.props.value?.model;
    if (typeof model === "string" && model !== this.model) {
      this.model = model;
      this.open();
    }
  }

  write(selector, text) {
    const element = this.root.querySelector(selector);
    if (element.textContent !== text) element.textContent = text; // a status speaks when written
  }

  /** An answer of the server; what went wrong is an answer too. */
  ask(name, asks) {
    return answerOf(() => this.server[name](asks), NOT_THERE);
  }

  /** Offer the models, with the one that is chosen on the page to the left. */
  async open() {
    this.stale = !this.root.clientWidth;
    if (this.stale) return;
    this.asked += 1;
    const mine = this.asked;
    const offer = await this.ask("offer", [this.model]);
    if (mine !== this.asked) return;
    if (offer.error) {
      this.refuse(offer.error);
      return;
    }
    this.selects.forEach((select, side) => {
      select.replaceChildren(...offer.models.flatMap((one) => options(one)));
      select.value = side ? offer.right : offer.left;
    });
    if (!this.field.value) this.field.value = offer.text;
    await this.load();
  }

  /** Let both read the text. */
  async load() {
    this.asked += 1;
    const mine = this.asked;
    const [left, right] = this.selects.map(({ value }) => value);
    this.write(".status", "Both are reading …");
    const answer = await this.ask("compare", [left, right, this.field.value]);
    if (mine !== this.asked) return;
    if (answer.error) {
      this.refuse(answer.error);
      return;
    }
    this.write(".status", "");
    this.begin(answer);
  }

  refuse(error) {
    this.write(".status", sentenceOf(error));
    this.root.querySelector(".finding").setAttribute("aria-busy", "false");
    if (!this.answer) this.write(".sentence", "There is nothing to compare yet.");
  }

  begin(answer) {
    this.answer = answer;
    this.root.querySelector(".all").hidden = false;
    this.write(".notes", answer.notes.join(" "));
    this.find(answer.findings);
    this.sides.forEach((side, at) => side.begin(answer.sides[at], answer.text));
    this.difference = floatsOf(answer.difference);
    this.picture.begin({ text: answer.text, difference: this.difference, bounds: answer.bounds });
    const tokens = answer.sides.map(({ label, tokens: count, about }) => `${label} (${about}) reads ${count} tokens`);
    this.write(
      ".look .told",
      `${tokens.join(", ")}. A token is as wide as its characters, which share its cost alike. ` +
        "Rows are units, those that behave alike together. Cost is −ln of the probability that was given, in nats (0.69: one chance in two). What comes first is not " +
        `compared, for nothing was read before it; ${answer.compared} characters are.`,
    );
    const place = answer.findings.find(({ character }) => character !== null)?.character ?? Math.min(20, this.picture.characters.length - 1);
    this.pin(place, { center: true });
  }

  find(findings) {
    const [first, ...more] = findings;
    this.root.querySelector(".finding").setAttribute("aria-busy", "false");
    this.write(".sentence", first.sentence);
    this.write(".evidence", first.evidence);
    this.root.querySelector(".also").replaceChildren(
      ...more.map(({ sentence, evidence, character }) => {
        const go = make("button", "link", sentence);
        go.type = "button";
        go.addEventListener("click", () => this.pin(character, { center: true, speak: true }));
        return make("li", "", go, " ", make("small", "", evidence));
      }),
    );
  }

  /** Both models at a character: the frame moves at once, the numbers follow. */
  pin(at, { center = false, speak = false } = {}) {
    this.picture.show(at, { center });
    this.readOut(-1);
    clearTimeout(this.walking);
    this.walking = setTimeout(() => this.look(at, speak), speak ? PAUSE : 0);
  }

  async look(at, speak) {
    this.askedPlace += 1;
    const [mine, { sides, text }] = [this.askedPlace, this.answer];
    const place = await this.ask("place", [sides[0].name, sides[1].name, text, at]);
    if (mine !== this.askedPlace || text !== this.answer.text) return;
    if (place.error) {
      this.write(".status", sentenceOf(place.error));
      return;
    }
    const told = ["left", "right"].map((name, side) =>
      fillGave(this.root.querySelector(`.gave.${name}`), sides[side].label, place.sides[side], place.stretch),
    );
    if (speak) this.write(".look .spoken", `${this.where(at)}. ${told.join(". ")}`);
  }

  where(at) {
    return `character ${at + 1} of ${this.picture.characters.length} · ${quoted(this.picture.characters[at])}`;
  }

  /** What a character cost both, under the pointer or else at the pin. */
  readOut(at) {
    const here = at >= 0 ? at : this.picture.pin;
    if (here < 0) {
      this.write(".look .where", IDLE);
      return;
    }
    const cost = this.sides.map((side) => `${side.label} ${Number.isNaN(side.cost[here]) ? "–" : number(side.cost[here])}`);
    const difference = this.difference[here];
    const apart = Number.isNaN(difference) ? "not compared" : `difference ${number(difference)} nats a character`;
    this.write(".look .where", [this.where(here), ...cost, apart].join(" · "));
  }
}

/** A model that can be chosen, and under it what its run kept. */
function options({ name, label, early }) {
  const option = (given) => {
    const made = make("option", "", given.label);
    made.value = given.name;
    return made;
  };
  return [option({ name, label }), ...early.map(option)];
}

/** Called once a component: see compare/__init__.py. */
export function mount({ element, props, watch, server }) {
  const compare = new Compare({ element, props, server });
  watch("value", () => compare.apply());
  compare.apply();
  return compare;
}
