// "What if": hold a signal, empty the state or put another in place, and let the model write again.
// It says what will happen before it happens; what came of it stands among the branches.

import { make } from "../../../web/elements.js";
import { quoted } from "../../../web/strip.js";

const FIRST = ["forget_gate", "hidden_state"]; // the first of these that the cell has
const LOST = "That step is no longer held by the server: write or read again.";

export class WhatIf {
  constructor(root, bench) {
    this.bench = bench;
    const part = (name) => root.querySelector(`.whatif ${name}`);
    Object.assign(this, {
      opener: part(".opener"), panel: part(".panel"), kinds: part(".kinds"), signal: part(".held-signal"), whom: part(".whom"),
      units: part(".units"), slider: part(".slider"), value: part(".amount"), other: part(".other"), words: part(".words"), afterwards: part(".after"),
      act: part(".act"), status: part(".status"), parts: root.querySelectorAll(".whatif [data-kind-of]"),
    });
    this.kind = "hold";
    this.opener.addEventListener("click", () => this.toggle());
    for (const button of this.kinds.children) button.addEventListener("click", () => this.choose(button.dataset.kind));
    this.slider.addEventListener("input", () => this.take(this.slider.value, this.value));
    this.value.addEventListener("input", () => this.take(this.value.value, this.slider));
    this.signal.addEventListener("change", () => this.rescale());
    for (const input of [this.whom, this.units, this.other]) input.addEventListener("input", () => this.say());
    this.act.addEventListener("click", () => this.write());
    for (const input of [this.units, this.value, this.other]) {
      input.addEventListener("keydown", (event) => event.key === "Enter" && !this.act.disabled && this.write());
    }
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.toggle();
      this.opener.focus();
    });
  }

  get open() {
    return !this.panel.hidden;
  }

  toggle() {
    this.panel.hidden = this.open;
    this.opener.setAttribute("aria-expanded", String(this.open));
    this.build();
    const { open } = this.bench.inside; // the gate whose sum is shown is the one in question
    if (this.open && open && open !== this.signal.value) {
      this.signal.value = open;
      this.rescale();
    }
    this.say();
  }

  /** A new text: what was said of the last one no longer holds. */
  clear() {
    this.status.textContent = "";
    this.say();
  }

  /** Set it to hold a signal of all units of the layer at a value; the person presses. */
  offer(signal, value) {
    this.build();
    this.kind = "hold";
    this.signal.value = signal;
    this.whom.value = "all";
    this.take(value, this.value);
    this.rescale();
  }

  choose(kind) {
    this.kind = kind;
    this.say();
  }

  take(value, twin) {
    twin.value = value;
    this.say();
  }

  /** The signals that this model's cell has. */
  build() {
    const { signals } = this.bench.columns;
    const names = signals.map(({ name }) => name).join();
    if (this.built === names) return;
    this.built = names;
    this.signal.replaceChildren(
      ...signals.map(({ name, label, plain }) => {
        const option = make("option", "", `${label.toLowerCase()} (${plain})`);
        option.value = name;
        return option;
      }),
    );
    this.signal.value = FIRST.find((name) => signals.some((signal) => signal.name === name));
    this.rescale();
  }

  get chosen() {
    return this.bench.columns.signals.find(({ name }) => name === this.signal.value);
  }

  /** The range of the chosen signal; a memory has none: twice what is painted at full colour. */
  rescale() {
    const { signed, bounded } = this.chosen;
    const high = bounded ? 1 : Math.ceil(2 * Math.max(...this.bench.scale));
    const low = signed ? -high : 0;
    for (const input of [this.slider, this.value]) {
      input.min = low;
      input.max = high;
    }
    if (!bounded) this.value.removeAttribute("min");
    if (!bounded) this.value.removeAttribute("max");
    this.slider.value = this.value.value;
    if (!this.value.validity.valid) this.take(0, this.value);
    this.slider.value = this.value.value;
    this.say();
  }

  /** Which units: a list, null for all of the layer, or undefined where what is typed names none. */
  get chosenUnits() {
    const { view, columns } = this.bench;
    if (this.whom.value === "all") return null;
    if (this.whom.value === "one") return [view.pin?.unit ?? view.unit];
    return unitsIn(this.units.value, columns.units);
  }

  /** What the server is asked for, in words too; or what is still missing. */
  get wish() {
    const { pin, layer } = this.bench.view;
    if (!pin) return { missing: "Pin a step first: that is where it begins." };
    if (!this.bench.columns.done) return { missing: "The model is still writing: this can begin when it has ended." };
    const from = `Write again from step ${pin.step + 1}`;
    if (this.kind === "zero") return { change: { kind: "zero" }, words: `${from} with the state zeroed: every memory and every output begins it at 0.` };
    if (this.kind === "text") {
      const text = this.other.value;
      if (!text) return { missing: "Type another text: the state that the model is in after reading it is put in place." };
      return { change: { kind: "text", text }, words: `${from} as if the model had just read ${short(text)} instead of what stands before.` };
    }
    const units = this.chosenUnits;
    const last = this.bench.columns.units - 1;
    if (units === undefined) return { missing: `Name units from 0 to ${last}, such as 3, 7 or 12-20.` };
    const { signed, bounded, label, name } = this.chosen;
    const value = this.value.valueAsNumber;
    if (Number.isNaN(value) || !this.value.validity.valid) {
      return { missing: `Give a number${bounded ? ` from ${signed ? "−1" : "0"} to 1` : ""} to hold it at.` };
    }
    const held = `${label.toLowerCase()} of ${named(units, layer)} held at ${String(value).replace("-", "−")}`;
    return { change: { kind: "hold", signal: name, layer, units, value }, words: `${from} with the ${held}.` };
  }

  /** What will happen, before it does. */
  say() {
    const { view, columns } = this.bench;
    if (!this.open || !columns) return;
    this.build();
    for (const button of this.kinds.children) button.setAttribute("aria-pressed", String(button.dataset.kind === this.kind));
    for (const part of this.parts) part.hidden = part.dataset.kindOf !== this.kind;
    const [one, , all] = this.whom.options;
    one.textContent = `unit ${view.pin?.unit ?? view.unit}`;
    all.textContent = `all of layer ${view.layer + 1}`;
    this.units.hidden = this.whom.value !== "several";
    const { missing, words } = this.wish;
    this.act.disabled = Boolean(missing) || Boolean(this.writing);
    this.words.textContent = missing ?? words;
    this.afterwards.textContent = missing ? "" : this.after();
  }

  /** What stays and what is written again. */
  after() {
    const { step, lane } = this.bench.view.pin;
    const reads = `Step ${step + 1} still reads ${quoted(lane.columns.tokens[step])}`;
    if (!this.wrote(lane)) {
      return `${reads}; the model goes on from there twice, changed and unchanged, with the same random numbers.`;
    }
    const given = lane.columns.header.prompt_steps;
    const kept = given > step + 1 ? " and the rest of the prompt stays" : "";
    return `${reads}${kept}; what follows is drawn with the same random numbers.`;
  }

  /** Whether the model wrote in this lane, so that there is something to write again. */
  wrote(lane) {
    return lane.number > 0 || lane.columns.capacity > lane.columns.header.prompt_steps;
  }

  async write() {
    const { bench } = this;
    const { branches } = bench;
    const { change, missing } = this.wish;
    if (missing || this.writing) return;
    const { lane, step } = bench.view.pin;
    const settings = this.wrote(lane) ? null : this.settings();
    const mark = JSON.stringify(settings);
    const control = settings && branches.lanes.find((each) => each.control === mark && each.parent === lane && each.from === step + 1);
    if (branches.room < (settings && !control ? 2 : 1)) {
      this.status.textContent = "There is no room under the text: remove a branch, then write again.";
      return;
    }
    this.writing = true;
    this.status.textContent = "The model writes again …";
    this.act.disabled = true;
    const answer = await bench.server.whatif([lane.columns.run, step, change, settings]).finally(() => {
      this.writing = false;
      this.act.disabled = false;
    });
    if (!answer || answer.error) {
      this.status.textContent = answer?.error ?? LOST;
      return;
    }
    if (!branches.holds(lane)) return; // the text has changed meanwhile
    this.status.textContent = answer.notes.join(" ");
    const beside = answer.control ? (control ?? branches.add(answer.control, lane, { control: mark })) : lane;
    const grown = branches.add(answer, beside, { first: answer.first });
    branches.present(grown, answer.first ?? step);
    this.act.focus({ preventScroll: true });
  }

  /** How a text that was only read goes on: as the ladder has it. */
  settings() {
    const { temperature, top_k, top_p, min_p, seed } = this.bench.ladder.chosen;
    return { temperature, top_k, top_p, min_p, seed };
  }
}

/** "3, 7, 12-20" -> the units, each once; undefined where a piece is no unit. */
export function unitsIn(text, size) {
  const found = new Set();
  for (const piece of text.split(/[\s,;]+/).filter(Boolean)) {
    const match = /^(\d+)(?:[-–](\d+))?$/.exec(piece);
    if (!match) return undefined;
    const [low, high] = [Number(match[1]), Number(match[2] ?? match[1])];
    if (low > high || high >= size) return undefined;
    for (let unit = low; unit <= high; unit += 1) found.add(unit);
  }
  return found.size ? [...found].sort((a, b) => a - b) : undefined;
}

function named(units, layer) {
  if (units === null) return `all of layer ${layer + 1}`;
  if (units.length === 1) return `unit ${units[0]}`;
  return units.length <= 6 ? `units ${units.slice(0, -1).join(", ")} and ${units.at(-1)}` : `${units.length} units`;
}

const short = (text) => quoted(text.length > 40 ? `${text.slice(0, 18)} … ${text.slice(-18)}` : text);
