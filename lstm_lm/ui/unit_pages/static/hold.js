// The unit held at a value, and what the model then writes, beside what it wrote with nothing held:
// low, typical and high at once, and a value of a person's own. Which tokens that moves on the whole
// is drawn by sway.js.

import { make } from "../../workbench/static/elements.js";
import { number } from "../../workbench/static/numbers.js";
import { quoted, visible } from "../../workbench/static/strip.js";

const PAUSE = 300; // ms until the server is asked: held keys go through units faster
const TITLES = { low: "Held low", typical: "Held at its median", high: "Held high", chosen: "Held at your value" };
const FIRST = ["cell_state", "hidden_state"]; // the first of these that the cell has
const SHORT = 16; // characters of a place that its choice shows

export class Hold {
  constructor(root, view) {
    this.view = view;
    this.card = root.querySelector(".hold");
    this.part = (name) => this.card.querySelector(name);
    this.signal = null;
    this.own = null; // the person's own value
    this.from = this.part(".from");
    this.slider = this.part(".slider");
    this.amount = this.part(".amount");
    this.from.addEventListener("change", () => this.ask());
    this.slider.addEventListener("input", () => this.choose(this.slider.valueAsNumber));
    this.amount.addEventListener("change", () => this.choose(this.amount.valueAsNumber));
  }

  /** Another model: the signals that its cell has. */
  build(signals) {
    this.signal = FIRST.find((name) => signals.some((signal) => signal.name === name));
    this.labels = Object.fromEntries(signals.map(({ name, label }) => [name, label]));
    const buttons = signals.map(({ name, label }) => {
      const button = make("button", "", label);
      button.type = "button";
      button.dataset.name = name;
      button.addEventListener("click", () => {
        this.signal = name;
        this.own = null;
        this.mark();
        this.later();
      });
      return button;
    });
    const held = this.part(".held");
    held.replaceChildren(...buttons);
    held.hidden = signals.length < 2;
    this.mark();
  }

  mark() {
    for (const button of this.part(".held").children) {
      button.setAttribute("aria-pressed", String(button.dataset.name === this.signal));
    }
  }

  /** Another unit: its places to begin from, and what it does when it is held. */
  open(page) {
    this.own = null;
    const choice = (text, step) => {
      const option = make("option", "", text);
      option.value = step;
      return option;
    };
    const groups = Object.entries(page.extremes).flatMap(([state, sides]) =>
      ["highest", "lowest"].map((side) => {
        const group = document.createElement("optgroup");
        group.label = `where its ${this.labels[state].toLowerCase()} is ${side}`;
        group.append(...sides[side].map((place) => choice(`${side}: ${number(place.value, 2)} after ${tail(place)}`, place.step)));
        return group;
      }),
    );
    this.from.replaceChildren(choice("the beginning of its text", 0), ...groups);
    this.later();
  }

  /** Begin from this step of the text. */
  begin(step) {
    this.from.value = String(step);
    this.card.scrollIntoView({ block: "start" });
    this.part(".title").focus({ preventScroll: true });
    this.ask();
  }

  choose(value) {
    if (!this.found) return;
    const { lowest, highest } = this.found.levels;
    if (Number.isNaN(value)) {
      this.showOwn();
      return;
    }
    this.own = Math.max(lowest, Math.min(highest, value));
    this.showOwn();
    this.later();
  }

  showOwn() {
    const value = this.own ?? this.found.levels.typical;
    this.slider.value = value;
    if (document.activeElement !== this.amount || this.amount.valueAsNumber !== value) this.amount.value = Number(value.toFixed(3));
  }

  /** Ask soon: of several wishes only the last is asked for. */
  later() {
    this.wait();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  /** What is shown is of something else; it keeps its place, so that nothing jumps. */
  wait() {
    this.card.setAttribute("aria-busy", "true");
    this.view.part(".sway").classList.add("waits");
  }

  async ask() {
    clearTimeout(this.timer);
    this.again = true;
    this.wait();
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
      this.card.removeAttribute("aria-busy");
      this.view.part(".sway").classList.remove("waits");
    }
  }

  async fetch() {
    const { model, page, server } = this.view;
    const { signal, own } = this;
    const step = Number(this.from.value);
    const place = [model, page.layer, page.unit, signal];
    const usual = await server.hold([...place, step, null]);
    const chosen = own === null || usual?.error ? null : await server.hold([...place, step, own]);
    const sway = this.swayed === String(place) ? this.sway : await server.sway(place);
    if (this.again || model !== this.view.model || page !== this.view.page) return;
    const failed = [usual, chosen ?? usual].find((answer) => !answer || answer.error);
    if (failed !== undefined) {
      this.say(failed?.error ?? "This model is no longer here: choose another.");
      return;
    }
    this.found = { ...usual, tries: [...usual.tries, ...(chosen?.tries ?? [])] };
    this.swayed = String(place);
    this.sway = sway;
    this.say("");
    this.draw();
    this.view.swayed(sway, signal);
  }

  draw() {
    const { levels, before, original, tries, now, step } = this.found;
    for (const input of [this.slider, this.amount]) {
      input.min = levels.lowest;
      input.max = levels.highest;
    }
    const still = levels.lowest === levels.highest;
    this.slider.disabled = this.amount.disabled = still;
    this.showOwn();
    const width = levels.highest - levels.lowest || 1;
    const marks = ["low", "typical", "high"].map((name) => {
      const mark = make("i", name);
      mark.style.setProperty("--at", (levels[name] - levels.lowest) / width);
      return mark;
    });
    this.part(".marks").replaceChildren(make("small", "", number(levels.lowest, 2)), ...marks, make("small", "", number(levels.highest, 2)));
    const context = step ? before.join("") : "";
    const label = this.labels[this.signal].toLowerCase();
    const nothing = `Its ${label} was ${number(now)} there, and free to move after that.`;
    this.part(".tries").replaceChildren(
      column("original", "As it was", "", context, original, null, nothing),
      ...tries.map(({ name, value, tokens, first, told }) =>
        column(name, TITLES[name], number(value), context, tokens, first === null ? tokens.length : first, told),
      ),
    );
  }

  say(text) {
    this.part(".status").textContent = text && `${text[0].toUpperCase()}${text.slice(1)}`;
  }
}

/** One text: what is the same as in the original is grey, the first token that is not is marked. */
function column(name, title, value, context, tokens, first, told) {
  const text = make("pre", "text");
  text.tabIndex = 0;
  text.setAttribute("role", "region");
  text.setAttribute("aria-label", `${title} ${value}: what is written`);
  if (context) text.append(make("span", "earlier", context.length > 60 ? `…${context.slice(-60)}` : context));
  const same = first ?? 0;
  if (same) text.append(make("span", "same", tokens.slice(0, same).join("")));
  if (first !== null && first < tokens.length) {
    const token = tokens[first];
    text.append(make("mark", "first", token.endsWith("\n") ? `${visible(token, false)}\n` : token));
  }
  text.append(tokens.slice(first === null ? 0 : first + 1).join(""));
  const head = make("p", "which", make("b", "", title));
  if (value) head.append(" ", make("span", "number", value));
  const made = make("div", `try ${name}`, head, text, make("p", "told", told));
  made.dataset.value = value;
  return made;
}

const tail = ({ before, token }) => quoted((before + token).slice(-SHORT));
