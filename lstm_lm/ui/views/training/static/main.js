// The curves: takes payloads in, holds what is chosen, and lets the chart and the samples draw.

import { Chart } from "./chart.js";
import { Samples } from "./samples.js";
import { bits, short } from "./scale.js";

const COLORS = 6;

class Curves {
  constructor({ element, props }) {
    this.root = element.querySelector(".curves");
    this.props = props;
    this.runs = [];
    this.places = [];
    this.place = 0;
    this.cursor = null;
    this.along = "step";
    this.x = "linear";
    this.y = "linear";
    this.chart = new Chart(this.root, this);
    this.samples = new Samples(this.root, this);
    for (const button of this.root.querySelectorAll(".switch button")) {
      button.addEventListener("click", () => {
        Object.assign(this, button.dataset);
        this.press();
        this.chart.draw();
      });
    }
    this.press();
  }

  press() {
    for (const button of this.root.querySelectorAll(".switch button")) {
      const [[kind, value]] = Object.entries(button.dataset);
      button.setAttribute("aria-pressed", String(this[kind] === value));
    }
  }

  /** A payload from Python: see ui/training_view.py. */
  apply() {
    const value = this.props.value;
    if (!value || typeof value !== "object") return;
    const before = this.runs;
    const percent = this.places[this.place]?.percent ?? 0;
    const atEnd = this.places.length > 1 && this.place === this.places.length - 1;
    const held = this.cursor && { name: before[this.cursor.run].name, row: this.cursor.row };
    this.runs = this.colored(value.runs);
    this.places = value.places;
    // Whoever stands at an end stays there, also while a run grows.
    this.place = atEnd ? this.places.length - 1 : this.place && this.nearestPlace(percent);
    this.cursor = this.find(held);
    const [sentence, ...rest] = value.sentences;
    this.write(".sentence", sentence);
    this.write(".evidence", rest.join(" "));
    this.write(".notes", value.notes.join(" "));
    this.root.querySelector(".all").hidden = !this.runs.length;
    this.samples.build();
    this.samples.show();
    this.chart.draw();
    this.readOut();
    this.sayWhatIsNew(before);
  }

  write(selector, text) {
    const element = this.root.querySelector(selector);
    if (element.textContent !== text) element.textContent = text; // a status speaks when written
  }

  /** The runs, each with the colour it had, or with one that is free. */
  colored(runs) {
    const had = new Map(this.runs.map(({ name, color }) => [name, color]));
    const taken = new Set(runs.map(({ name }) => had.get(name)));
    const free = Array.from({ length: COLORS }, (_, color) => color).filter((color) => !taken.has(color));
    return runs.map((run) => ({ ...run, color: had.get(run.name) ?? free.shift() }));
  }

  nearestPlace(percent) {
    let best = 0;
    this.places.forEach((place, at) => {
      if (Math.abs(place.percent - percent) < Math.abs(this.places[best].percent - percent)) best = at;
    });
    return best;
  }

  find(held) {
    const run = held ? this.runs.findIndex(({ name }) => name === held.name) : -1;
    return run >= 0 && held.row < this.runs[run].points.length ? { run, row: held.row } : null;
  }

  rowAtPlace(run) {
    return this.places[this.place].rows[run];
  }

  /** The slider goes to a place. */
  moveTo(place) {
    this.place = place;
    this.samples.show();
    this.chart.mark();
    if (!this.cursor) this.readOut();
  }

  /** The slider goes to the place whose evaluation of this run is the nearest. */
  showSampleAt({ run, row }) {
    let best = 0;
    this.places.forEach(({ rows }, at) => {
      if (Math.abs(rows[run] - row) < Math.abs(this.places[best].rows[run] - row)) best = at;
    });
    this.moveTo(best);
  }

  moveCursor(cursor, { speak = false } = {}) {
    this.cursor = cursor;
    this.byPointer = false;
    this.chart.mark();
    this.readOut();
    if (speak) this.write(".spoken", this.root.querySelector(".where").textContent);
  }

  /** Run, step and losses at the cursor, or at the slider's place. */
  readOut() {
    if (!this.runs.length) return;
    const { run, row } = this.cursor ?? { run: 0, row: this.rowAtPlace(0) };
    this.write(".where", this.describe(this.runs[run], row));
  }

  describe({ label, points }, row) {
    const { step, tokens, minutes, train, val } = points[row];
    return [
      label,
      `step ${step.toLocaleString("en")}`,
      `${short(tokens)} tokens`,
      `${minutes.toFixed(1)} minutes`,
      ...(train === null ? [] : [`training ${bits(train)}`]),
      `validation ${bits(val)} bits a character`,
    ].join(" · ");
  }

  /** A run that is being trained: speak its newest evaluation. */
  sayWhatIsNew(before) {
    const had = new Map(before.map(({ name, points }) => [name, points.length]));
    const grown = this.runs.filter(({ name, points }) => points.length > (had.get(name) ?? Infinity));
    if (!grown.length) return;
    const told = grown.map((run) => this.describe(run, run.points.length - 1));
    this.write(".spoken", `New: ${told.join("; ")}`);
  }
}

/** Called once a component: see curves/__init__.py. */
export function mount({ element, props, watch }) {
  const curves = new Curves({ element, props });
  watch("value", () => curves.apply());
  curves.apply();
  return curves;
}
