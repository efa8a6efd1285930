// The cell of one unit at one step as a diagram: what it reads, its sums, its gates, its memory.

import { make, value } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { isDark, lookup } from "../../../web/palette.js";
import { SIGN_OF } from "./sum.js";
import { drawWires } from "./wires.js";

// A state that is itself a function of a sum, as a plain RNN's.
const ALL = { label: "Output", plain: "all there is" };

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

  /** The boxes of a cell: @param cell as the server describes it; @param signals of its columns. */
  build(cell, signals) {
    if (cell.name === this.kind) return;
    this.kind = cell.name;
    this.boxes = {};
    this.gates = cell.gates;
    this.wires = cell.wires;
    this.values = cell.boxes;
    this.signals = Object.fromEntries(signals.map((signal) => [signal.name, signal]));
    if (!cell.memory) for (const gate of this.gates) this.signals[gate] = { ...this.signals[gate], ...ALL };
    this.vectorBox("x", "x", "reads");
    this.vectorBox("h_before", "h′", "before");
    for (const gate of this.gates) this.gateBox(gate);
    for (const row of this.values) this.valueBox(row);
    this.root.className = `cell ${cell.name}`;
    this.root.replaceChildren(this.svg, ...Object.values(this.boxes), this.panel);
  }

  labelOf(signal) {
    return this.signals[signal].label;
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
    const { label, symbol, plain } = this.signals[gate];
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

  valueBox({ name, symbol, term, told }) {
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
    for (const { name } of this.values) {
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
