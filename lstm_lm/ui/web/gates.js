// Saturation: a square for each gate, a point for each unit; shut across, open upwards.

import { draw, make } from "./elements.js";
import { percent } from "./numbers.js";
import { table } from "./table.js";

const NEAR = 14; // px within which the pointer means a point
const EDGE = { left: 34, right: 8, top: 10, bottom: 34 };

export class Gates {
  /**
   * @param card holds .squares, .where, .spoken and details.
   * @param pointed called with the unit that is pointed at, -1 for none; @param chosen with one
   *   that is pressed.
   */
  constructor(card, { pointed = () => {}, chosen = () => {} } = {}) {
    Object.assign(this, { card, pointed, chosen });
    this.squares = card.querySelector(".squares");
    this.readout = card.querySelector(".where");
    this.spoken = card.querySelector(".spoken");
    this.details = card.querySelector("details.numbers");
    this.details.addEventListener("toggle", () => this.fillTable());
    this.gates = [];
    this.unit = -1; // that is pointed at
    this.resting = -1; // that is marked while none is
    new ResizeObserver(() => this.draw()).observe(this.squares);
  }

  show({ gates, layer, steps }) {
    const same = layer === this.layer && gates.length === this.gates.length && gates[0]?.left.length === this.gates[0]?.left.length;
    Object.assign(this, { gates, layer, steps });
    if (same) this.update();
    else this.build();
  }

  /** Nothing is known yet. */
  clear() {
    this.move(-1);
    this.gates = [];
    this.squares.replaceChildren();
    this.readout.textContent = "";
    this.card.querySelector(".holder").replaceChildren();
  }

  /** The same squares with other numbers: the focus and what is pointed at stay. */
  update() {
    this.squares.querySelectorAll(".told").forEach((told, at) => {
      told.textContent = this.gates[at].sentence;
    });
    this.draw();
    this.read();
    this.fillTable();
  }

  build() {
    const { gates, layer } = this;
    this.move(-1);
    this.squares.replaceChildren(
      ...gates.map((gate, at) => {
        const svg = draw("svg", {
          class: "square", tabindex: 0, role: "application", "aria-roledescription": "scatter chart",
          "aria-label": `${gate.label} of layer ${layer + 1}, a point a unit: how often it is shut and open. Arrows move through the units.`,
        });
        svg.dataset.gate = gate.name;
        svg.addEventListener("pointermove", (event) => this.hover(event, at));
        svg.addEventListener("pointerleave", () => this.move(-1));
        svg.addEventListener("focusout", () => this.move(-1));
        svg.addEventListener("click", () => this.unit >= 0 && this.chosen(this.unit));
        svg.addEventListener("keydown", (event) => this.key(event));
        return make("div", "gate", make("p", "name", gate.label), svg, make("p", "told", gate.sentence));
      }),
    );
    this.draw();
    this.read();
    this.fillTable();
  }

  /** Mark a unit that is pointed at elsewhere. */
  rest(unit) {
    if (unit === this.resting) return;
    this.resting = unit;
    this.mark();
    this.read();
  }

  draw() {
    for (const [at, svg] of [...this.squares.querySelectorAll("svg")].entries()) {
      const size = Math.min(svg.parentElement.clientWidth, 300);
      if (!size) continue;
      const [x0, x1, y0, y1] = [EDGE.left, size - EDGE.right, size - EDGE.bottom, EDGE.top];
      const toX = (share) => x0 + share * (x1 - x0);
      const toY = (share) => y0 + share * (y1 - y0);
      svg.setAttribute("width", size);
      svg.setAttribute("height", size);
      const axes = draw("g", { "aria-hidden": true });
      for (const share of [0, 0.5, 1]) {
        axes.append(
          draw("text", { x: x0 - 5, y: toY(share) + 4, "text-anchor": "end" }, share ? percent(share).replace(" %", "") : "0"),
          draw("text", { x: toX(share), y: y0 + 15, "text-anchor": share === 1 ? "end" : "middle" }, percent(share).replace(" %", "")),
        );
      }
      axes.append(
        draw("path", { class: "edge", d: `M${x0} ${y1}V${y0}H${x1}Z` }), // more than always is not to be had
        draw("text", { x: (x0 + x1) / 2, y: y0 + 30, "text-anchor": "middle" }, "shut, % of steps"),
        draw("text", { x: x0 + 6, y: y1 + 4 }, "open, % of steps"),
      );
      const gate = this.gates[at];
      const points = draw("g", { class: "points" });
      gate.left.forEach((left, unit) => {
        points.append(draw("circle", { cx: toX(left).toFixed(2), cy: toY(gate.right[unit]).toFixed(2), r: 2.2, "data-unit": unit }));
      });
      svg.replaceChildren(axes, points, draw("circle", { class: "here", r: 5, visibility: "hidden" }));
    }
    this.mark();
  }

  hover({ clientX, clientY }, at) {
    const svg = this.squares.querySelectorAll("svg")[at];
    const { left, top } = svg.getBoundingClientRect();
    let [best, nearest] = [-1, NEAR];
    svg.querySelectorAll(".points circle").forEach((point, unit) => {
      const off = Math.hypot(Number(point.getAttribute("cx")) - clientX + left, Number(point.getAttribute("cy")) - clientY + top);
      if (off < nearest) [best, nearest] = [unit, off];
    });
    this.move(best);
  }

  key(event) {
    const last = this.gates[0].left.length - 1;
    const back = Math.max(0, this.marked - 1);
    const on = Math.min(last, this.marked + 1);
    if (event.key === "Enter" && this.unit >= 0) this.chosen(this.unit);
    const to = { ArrowLeft: back, ArrowDown: back, ArrowRight: on, ArrowUp: on, Home: 0, End: last, Escape: -1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.move(to, { speak: true });
  }

  get marked() {
    return this.unit >= 0 ? this.unit : this.resting;
  }

  move(unit, { speak = false } = {}) {
    if (unit !== this.unit) {
      this.unit = unit;
      this.pointed(unit);
    }
    this.mark();
    this.read();
    if (speak) this.spoken.textContent = this.readout.textContent;
  }

  /** What the gates of the marked unit do, in numbers. */
  read() {
    const unit = this.marked;
    if (!this.gates.length || unit >= this.gates[0].left.length) return;
    const each = this.gates.map(
      ({ label, left, right }) => `${label.toLowerCase()} open ${percent(right[unit])}, shut ${percent(left[unit])}`,
    );
    this.readout.textContent = unit < 0 ? "The same unit is marked in every square." : `unit ${unit} · ${each.join(" · ")}`;
    this.readout.classList.toggle("idle", unit < 0);
  }

  mark() {
    for (const svg of this.squares.querySelectorAll("svg")) {
      const here = svg.querySelector(".here");
      const point = this.marked >= 0 && svg.querySelector(`[data-unit="${this.marked}"]`);
      if (!here) continue;
      here.setAttribute("visibility", point ? "visible" : "hidden");
      if (point) for (const name of ["cx", "cy"]) here.setAttribute(name, point.getAttribute(name));
    }
  }

  fillTable() {
    if (!this.details.open || !this.gates.length) return;
    const head = ["unit", ...this.gates.flatMap(({ label }) => [`${label}: shut`, "open"])];
    const rows = this.gates[0].left.map((_, unit) => [
      String(unit),
      ...this.gates.flatMap(({ left, right }) => [percent(left[unit], 1), percent(right[unit], 1)]),
    ]);
    const caption = `Share of ${this.steps} steps at which each gate of layer ${this.layer + 1} is below 0.1 and above 0.9`;
    this.card.querySelector(".holder").replaceChildren(table(caption, head, rows));
  }
}
