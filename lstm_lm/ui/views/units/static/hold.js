// The unit held at a value, and what the model then writes, beside what it wrote with nothing held:
// low, typical and high at once, and a value of a person's own. Which tokens that moves on the whole
// is drawn by sway.js.

import { make } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { quoted, visible } from "../../../web/strip.js";

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
    this.found = null; // what is drawn; null where it is of another unit or signal
    this.timer = null;
    this.typing = false; // an answer that comes meanwhile does not write over what is typed
    this.from = this.part(".from");
    this.slider = this.part(".slider");
    this.amount = this.part(".amount");
    this.from.addEventListener("change", () => this.ask());
    this.slider.addEventListener("input", () => this.choose(this.slider.valueAsNumber));
    this.amount.addEventListener("input", () => (this.typing = true));
    this.amount.addEventListener("change", () => {
      this.typing = false;
      this.choose(this.amount.valueAsNumber);
    });
    this.amount.addEventListener("blur", () => {
      this.typing = false; // no change where the same number was typed again
      this.showOwn();
    });
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
        this.own = this.found = null;
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
    this.own = this.found = null;
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

  /** Begin from this step of the text, which need not be one of the unit's extremes. */
  begin(step) {
    const value = String(step);
    const offered = [...this.from.options].some((option) => option.value === value);
    if (!offered) this.from.append(choice(`after step ${step + 1}`, step));
    this.from.value = value;
    this.card.scrollIntoView({ block: "start" });
    this.part(".title").focus({ preventScroll: true });
    this.ask();
  }

  choose(value) {
    if (!Number.isNaN(value)) {
      this.own = this.found ? within(value, this.found.levels) : value; // or once its levels are known
      this.later();
    }
    this.showOwn();
  }

  showOwn() {
    if (!this.found) return;
    const value = this.own ?? this.found.levels.typical;
    this.slider.value = value;
    if (!this.typing) this.amount.value = Number(value.toFixed(3));
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
    this.timer = null;
    this.again = true;
    this.wait();
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.again) {
        this.again = false;
        await this.fetch();
      }
    } finally {
      this.busy = false;
      if (!this.timer) this.rest();
    }
  }

  /** What is shown is what was asked for. */
  rest() {
    this.card.removeAttribute("aria-busy");
    this.view.part(".sway").classList.remove("waits");
  }

  async fetch() {
    const { model, page } = this.view;
    if (!page) return; // another model is on its way
    const { signal } = this;
    const place = [model, page.layer, page.unit, signal];
    let found = null;
    try {
      found = await this.written(place);
    } catch {
      found = { error: "the server did not answer: try again" };
    }
    if (this.again || this.timer || model !== this.view.model || page !== this.view.page) return;
    if (!found || found.error) {
      this.found = null;
      this.part(".tries").replaceChildren();
      this.view.swayed(null, signal);
      this.say(found?.error ?? "This model is no longer here: choose another.");
      return;
    }
    const { sway, own, ...answer } = found;
    Object.assign(this, { found: answer, own });
    this.say("");
    this.draw();
    this.view.swayed(sway, signal);
  }

  /** What is written with nothing held, at the usual values and at the person's own; or an error. */
  async written(place) {
    const { server } = this.view;
    const { own } = this;
    const step = Number(this.from.value);
    const usual = await server.hold([...place, step, null]);
    if (!usual || usual.error) return usual;
    const value = own === null ? null : within(own, usual.levels);
    const chosen = own === null ? null : await server.hold([...place, step, value]);
    if (own !== null && (!chosen || chosen.error)) return chosen;
    const sway = this.swayed === String(place) ? this.sway : await server.sway(place);
    if (sway && !sway.error) Object.assign(this, { swayed: String(place), sway });
    return { ...usual, tries: [...usual.tries, ...(chosen?.tries ?? [])], own: value, sway };
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

/** A place to begin from. */
function choice(text, step) {
  const option = make("option", "", text);
  option.value = step;
  return option;
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

const within = (value, { lowest, highest }) => Math.max(lowest, Math.min(highest, value));
const tail = ({ before, token }) => quoted((before + token).slice(-SHORT));
