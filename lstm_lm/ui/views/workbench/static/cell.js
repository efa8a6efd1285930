// The cell of one unit at one step as a diagram: what it reads, its sums, its gates, its memory.

import { make, value } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { isDark, lookup } from "../../../web/palette.js";
import { SIGN_OF } from "./sum.js";
import { drawWires } from "./wires.js";

// name, symbol, term, plain words
const VALUES = [
  ["c_before", "c′", "before", "the memory that the step begins with"],
  ["kept", "f × c′", "kept", "what is left of the old memory"],
  ["written", "i × g", "written", "what is added to it"],
  ["cell_state", "c", "memory now", "kept + written"],
  ["tanh_cell", "tanh(c)", "", "the memory, squeezed between −1 and 1"],
  ["hidden_state", "h", "output", "o × tanh(c): what the rest of the model sees"],
];
const GATES = {
  forget_gate: ["Forget gate", "f", "keep"],
  input_gate: ["Input gate", "i", "write"],
  candidate: ["Candidate", "g", "new value"],
  output_gate: ["Output gate", "o", "show"],
  hidden_state: ["Output", "h", "all there is"], // of a plain RNN
};
const LSTM_GATES = ["forget_gate", "input_gate", "candidate", "output_gate"];
const LSTM_WIRES = [
  ...LSTM_GATES.flatMap((gate) => [["x", gate], ["h_before", gate]]),
  ["c_before", "kept"], ["forget_gate", "kept"], ["input_gate", "written"], ["candidate", "written"],
  ["kept", "cell_state"], ["written", "cell_state"], ["cell_state", "tanh_cell"],
  ["tanh_cell", "hidden_state"], ["output_gate", "hidden_state"],
];

export const labelOf = (signal) => GATES[signal][0];

export class CellDiagram {
  /** @param toggle called with a gate's signal when its box is pressed. */
  constructor(root, toggle) {
    this.root = root;
    this.svg = root.querySelector(".wires");
    this.panel = root.querySelector(".sum");
    this.toggle = toggle;
    this.kind = null;
    new ResizeObserver(() => this.wire()).observe(root);
  }

  /** The boxes of a cell of this kind: lstm or rnn. */
  build(kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    this.boxes = {};
    const lstm = kind === "lstm";
    this.gates = lstm ? LSTM_GATES : ["hidden_state"];
    this.wires = lstm ? LSTM_WIRES : [["x", "hidden_state"], ["h_before", "hidden_state"]];
    this.vectorBox("x", "x", "reads");
    this.vectorBox("h_before", "h′", "before");
    for (const gate of this.gates) this.gateBox(gate);
    for (const row of lstm ? VALUES : []) this.valueBox(...row);
    this.root.className = `cell ${kind}`;
    this.root.replaceChildren(this.svg, ...Object.values(this.boxes), this.panel);
  }

  box(name, kind, tag = "div") {
    const box = make(tag, `box ${kind}`);
    box.dataset.box = name;
    this.boxes[name] = box;
    return box;
  }

  vectorBox(name, symbol, term) {
    const canvas = make("canvas", "barcode");
    canvas.height = 1;
    canvas.setAttribute("aria-hidden", "true");
    this.box(name, "vector").append(
      make("span", "term", make("b", "", symbol), ` ${term}`), make("span", "said"), make("span", "held-note"), canvas, make("span", "count"),
    );
  }

  gateBox(gate) {
    const [label, symbol, plain] = GATES[gate];
    const box = this.box(gate, "gate", "button");
    box.type = "button";
    box.setAttribute("aria-expanded", "false");
    const gauge = make("span", "gauge", make("i", ""));
    box.append(
      make("span", "term", make("b", "", symbol), ` ${label.toLowerCase()} `, make("small", "", plain)),
      make("span", "flow", make("span", "from", make("span", "by"), "(", value("sum", gate, ""), ") = "), value("signal", gate, "")),
      make("span", "held-note"),
      gauge,
    );
    box.addEventListener("click", () => this.toggle(gate));
  }

  valueBox(name, symbol, term, told) {
    const box = this.box(name, "number");
    if (told) box.title = told;
    const kind = ["cell_state", "hidden_state"].includes(name) ? "signal" : "value";
    box.append(make("span", "term", make("b", "", symbol), ` ${term}`), value(kind, name, ""), make("span", "held-note"));
  }

  /**
   * Put the numbers in.
   * @param numbers {sums, signals: name -> exact value, x, h, token, and the other fields of a UnitStep}.
   * @param chosen the signal that the picture shows; @param open the gate whose sum is shown, or null.
   */
  fill(numbers, chosen, open) {
    const { boxes } = this;
    this.vector("x", numbers.x, numbers.token, Math.max(...numbers.x.map(Math.abs)));
    this.vector("h_before", numbers.h, `this unit ${number(numbers.h_before)}`, 1);
    for (const sum of numbers.sums) {
      const box = boxes[sum.signal];
      const now = numbers.signals[sum.signal];
      box.querySelector(".by").textContent = SIGN_OF[sum.function];
      box.querySelector("[data-sum]").textContent = number(sum.total);
      box.querySelector("[data-signal]").textContent = number(now);
      const length = box.querySelector(".gauge i");
      const from = sum.function === "sigmoid" ? 0 : 50;
      const to = sum.function === "sigmoid" ? 100 * now : 50 + 50 * now;
      length.style.left = `${Math.min(from, to)}%`;
      length.style.width = `${Math.abs(to - from)}%`;
      box.setAttribute("aria-expanded", String(sum.signal === open));
    }
    for (const [name] of this.kind === "lstm" ? VALUES : []) {
      boxes[name].querySelector(".value").textContent = number(numbers.signals[name] ?? numbers[name]);
    }
    this.markHeld(numbers);
    this.open = open;
    for (const [name, box] of Object.entries(boxes)) {
      box.classList.toggle("now", name === chosen);
      box.classList.toggle("dim", Boolean(open) && ![open, "x", "h_before"].includes(name));
    }
    this.panel.hidden = !open;
    this.panel.style.order = open ? 3 + this.gates.indexOf(open) : "";
    this.wire();
  }

  /** What is held or was put in place says so, and what it would have been. */
  markHeld({ free, replaced }) {
    for (const [name, box] of Object.entries(this.boxes)) {
      const held = name in free;
      const note = box.querySelector(".held-note");
      box.classList.toggle("held", held || name in replaced);
      note.replaceChildren();
      if (held) note.append("held; it would have been ", value("free", name, number(free[name])));
      else if (name in replaced) note.append("put in place; it would have been ", value("free", name, number(replaced[name])));
    }
  }

  /** A vector as a strip of colours, in the picture's own palette. */
  vector(name, values, said, largest) {
    const box = this.boxes[name];
    box.querySelector(".said").textContent = said;
    box.querySelector(".count").textContent = `${values.length} numbers`;
    const canvas = box.querySelector("canvas");
    canvas.width = values.length;
    const colors = lookup(true, isDark());
    const image = new ImageData(values.length, 1);
    const pixels = new Uint32Array(image.data.buffer);
    values.forEach((each, at) => {
      pixels[at] = colors[128 + Math.round((127 * each) / (largest || 1))];
    });
    canvas.getContext("2d").putImageData(image, 0, 0);
  }

  wire() {
    if (!this.boxes || !this.root.clientWidth) return;
    drawWires(this.svg, this.boxes, this.wires, this.open ? (_, to) => to === this.open : null);
  }
}
