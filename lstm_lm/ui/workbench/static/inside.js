// The numbers of one unit at the pinned step, exact, and the cell's equations with them in.

import { number } from "./plot.js";
import { quoted } from "./strip.js";

const TELL = {
  forget_gate: "how much of the old memory it keeps",
  input_gate: "how much of the new value it writes",
  candidate: "the new value",
  output_gate: "how much of the memory it shows",
  cell_state: "the memory now",
  hidden_state: "what the rest of the model sees",
};

export class Inside {
  constructor(root, bench) {
    this.bench = bench;
    const card = root.querySelector(".inside");
    this.title = card.querySelector(".title");
    this.told = card.querySelector(".told");
    this.numbers = card.querySelector(".numbers");
    this.equations = card.querySelector(".equations");
  }

  clear() {
    this.asked = null;
    this.title.textContent = "Inside one step";
    this.told.textContent = "Click a step in the picture or in the text, and its numbers stand here.";
    this.numbers.replaceChildren();
    this.equations.textContent = "";
  }

  /** Fetch the numbers of a place, the pinned one unless another is given, and show them. */
  async show(place = this.bench.view.pin) {
    if (!place) return;
    this.asked = place;
    const { columns, view, exact } = this.bench;
    const { step, unit } = place;
    const { layer } = view;
    const [now, before] = await Promise.all([
      exact.step(columns.run, step),
      step > 0 ? exact.step(columns.run, step - 1) : null,
    ]);
    if (!now || columns !== this.bench.columns || this.asked !== place || view.layer !== layer) return;
    const value = ({ values }, name) => {
      const signal = columns.signals.findIndex((one) => one.name === name);
      return values[(signal * columns.layers + layer) * columns.units + unit];
    };
    const lstm = columns.signals.length > 1;
    const memory = before && lstm ? value(before, "cell_state") : 0; // the state starts at zero
    this.title.textContent = `Inside step ${step + 1}: unit ${unit} of layer ${layer + 1} reads ${quoted(columns.tokens[step])}`;
    this.told.textContent = this.surprise(now.log_prob);
    const rows = columns.signals.map(({ name, label, symbol }) => [label, symbol, value(now, name), TELL[name], name]);
    if (lstm) rows.splice(4, 0, ["Memory before", "c′", memory, "the cell state of the step before", ""]);
    const chosen = columns.signals[view.signal].name;
    this.numbers.replaceChildren(...rows.map((row) => this.box(row, chosen)));
    this.equations.textContent = lstm ? this.lstm((name) => value(now, name), memory) : this.rnn(value(now, "hidden_state"));
  }

  surprise(logProb) {
    if (logProb === null) return "The first token: nothing was read before it.";
    const percent = Math.exp(logProb) * 100;
    const bits = -logProb / Math.LN2;
    return `Before it was read the model gave this token ${percent.toFixed(1)} %: a surprise of ${bits.toFixed(2)} bits.`;
  }

  box([label, symbol, value, told, name], chosen) {
    const box = document.createElement("div");
    if (name === chosen) box.className = "now";
    box.title = told;
    const term = document.createElement("dt");
    term.textContent = `${label} ${symbol}`;
    const shown = document.createElement("dd");
    shown.textContent = number(value);
    shown.dataset.signal = name || "memory_before";
    box.append(term, shown);
    return box;
  }

  lstm(of, memory) {
    const [i, f, g, o, c, h] = [
      "input_gate", "forget_gate", "candidate", "output_gate", "cell_state", "hidden_state",
    ].map((name) => number(of(name)));
    return `c = f × c′ + i × g = ${f} × ${number(memory)} + ${i} × ${g} = ${c}\nh = o × tanh(c) = ${o} × tanh(${c}) = ${h}`;
  }

  rnn(h) {
    return `h = tanh(W x + W h′ + b) = ${number(h)}: a plain RNN has no gates, and no memory beside h.`;
  }
}
