// A line chart of one or two series over the same places: an SVG, read by hover and by arrow keys.

import { scaleOf, ticksOf } from "../../training/static/scale.js";
import { draw } from "../../../web/elements.js";

const LABEL = 13; // px between the names of two lines

export class LineChart {
  /**
   * @param {HTMLElement} card holds a .frame, a .readout and a .spoken
   * @param {{x: string, y: string, xName: string, yName: string, xTick: Function, yTick: Function,
   *   tell: Function}} how the kinds of the axes ("linear", "log"), their names, their numbers, and
   *   what a place says: tell(at, series)
   */
  constructor(card, how) {
    this.how = how;
    this.frame = card.querySelector(".frame");
    this.readout = card.querySelector(".readout");
    this.spoken = card.querySelector(".spoken");
    this.series = []; // { name, cell, values, mark }: mark is an index into the places, or null
    this.places = [];
    this.at = -1;
    this.svg = draw("svg", { class: "chart", tabindex: 0, role: "application", "aria-roledescription": "line chart" });
    this.frame.append(this.svg);
    new ResizeObserver(() => this.draw()).observe(this.frame);
    this.svg.addEventListener("pointermove", (event) => this.hover(event));
    this.svg.addEventListener("pointerleave", () => this.move(-1));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  show(places, series, { level = null, label }) {
    Object.assign(this, { places, series, level, at: -1 });
    this.svg.setAttribute("aria-label", `${label} Left and right arrows read it out.`);
    this.draw();
    this.move(-1);
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.frame;
    if (!width || !this.series.length) return;
    const { how, places } = this;
    const values = this.series.flatMap((one) => one.values).filter((value) => how.y !== "log" || value > 0);
    if (!values.length) return;
    const box = { left: 44, right: width - 12, top: 24, bottom: height - 42 };
    const range = this.range(Math.min(...values), Math.max(...values));
    const domain = [places[0], places.at(-1)];
    this.toX = scaleOf(how.x, domain, [box.left, box.right]);
    this.toY = scaleOf(how.y, range, [box.bottom, box.top]);
    this.box = box;
    this.cursor = draw("g", { class: "cursor" });
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    this.svg.replaceChildren(this.grid(range, domain), ...this.series.map((one) => this.line(one)), this.names(), this.cursor);
    this.mark();
  }

  range(low, high) {
    if (this.how.y === "log") return [10 ** Math.floor(Math.log10(Math.max(low, 1e-12))), Math.max(1, high)];
    const room = 0.06 * (high - low) || 0.1;
    return [low - room, high + room];
  }

  grid(range, domain) {
    const { how, box } = this;
    const group = draw("g", { "aria-hidden": true });
    for (const tick of ticksOf(how.y, range, 6)) {
      const y = Math.round(this.toY(tick)) + 0.5;
      group.append(
        draw("line", { class: "edge", x1: box.left, x2: box.right, y1: y, y2: y }),
        draw("text", { x: box.left - 7, y: y + 4, "text-anchor": "end" }, how.yTick(tick)),
      );
    }
    if (this.level !== null) {
      const y = Math.round(this.toY(this.level)) + 0.5;
      group.append(draw("line", { class: "level", x1: box.left, x2: box.right, y1: y, y2: y }));
    }
    const ticks = how.x === "log" ? this.places : ticksOf("linear", domain, Math.min(8, (box.right - box.left) / 60));
    let free = 0;
    for (const tick of [...new Set([this.places[0], ...ticks])]) {
      const text = String(tick);
      const [x, half] = [this.toX(tick), 3.65 * text.length];
      if (x - half < free || x + half > box.right + 12) continue;
      free = x + half + 8;
      group.append(draw("text", { x, y: box.bottom + 19, "text-anchor": "middle" }, text));
    }
    group.append(
      draw("text", { x: box.right, y: box.bottom + 37, "text-anchor": "end" }, how.xName),
      draw("text", { x: 0, y: 11 }, how.yName),
    );
    return group;
  }

  points({ values }) {
    return values.flatMap((value, at) => (this.how.y === "log" && value <= 0 ? [] : [[this.toX(this.places[at]), this.toY(value)]]));
  }

  line(one) {
    const group = draw("g", { class: one.cell, "data-series": one.name });
    const path = this.points(one).map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`);
    group.append(draw("path", { d: path.join("") }));
    if (one.mark !== null && one.mark !== undefined) {
      const x = this.toX(this.places[one.mark]);
      const y = this.toY(one.values[one.mark]);
      group.append(
        draw("line", { class: "drop", x1: x, x2: x, y1: y, y2: this.box.bottom }),
        draw("circle", { class: "faded", cx: x, cy: y, r: 4 }),
        draw("text", { class: "name", x: x + 5, y: this.box.bottom - 5 }, String(this.places[one.mark])),
      );
    }
    return group;
  }

  /** Each line's name where the two are furthest apart, away from the other one. */
  names() {
    const group = draw("g", { "aria-hidden": true });
    const { left, right, top, bottom } = this.box;
    const inner = this.places.map((place) => (this.toX(place) - left) / (right - left));
    const apart = this.places.map((_, at) => {
      const ys = this.series.map(({ values }) => this.toY(values[at]));
      const seen = inner[at] > 0.2 && inner[at] < 0.85 && ys.every(Number.isFinite);
      return seen ? Math.max(...ys) - Math.min(...ys) : -1;
    });
    const at = apart.indexOf(Math.max(...apart));
    const x = this.toX(this.places[at]);
    const here = this.series.map((one) => ({ one, y: this.toY(one.values[at]) }));
    here.sort((a, b) => a.y - b.y);
    here.forEach(({ one, y }, place) => {
      if (!Number.isFinite(y)) return;
      const [shift, anchor, aside] = place ? [LABEL + 4, "end", -6] : [-9, "start", 6]; // lines fall
      const free = Math.min(bottom - 8, Math.max(top + 8, y + shift));
      const part = draw("g", { class: one.cell });
      part.append(draw("text", { class: "name", x: x + aside, y: free, "text-anchor": anchor }, one.kind));
      group.append(part);
    });
    return group;
  }

  hover({ clientX }) {
    if (!this.toX) return;
    const x = clientX - this.svg.getBoundingClientRect().left;
    const off = this.places.map((place) => Math.abs(this.toX(place) - x));
    this.move(off.indexOf(Math.min(...off)));
  }

  key(event) {
    const last = this.places.length - 1;
    const to = { ArrowLeft: Math.max(0, this.at - 1), ArrowRight: Math.min(last, this.at + 1), Home: 0, End: last, Escape: -1 }[event.key];
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.move(to, { speak: true });
  }

  move(at, { speak = false } = {}) {
    this.at = at;
    this.mark();
    this.readout.textContent = at >= 0 ? this.how.tell(this.places[at], at, this.series) : this.how.idle ?? "";
    this.readout.classList.toggle("idle", at < 0);
    if (speak) this.spoken.textContent = this.readout.textContent;
  }

  mark() {
    if (!this.cursor) return;
    this.cursor.replaceChildren();
    if (this.at < 0 || !this.toX) return;
    const x = this.toX(this.places[this.at]);
    this.cursor.append(draw("line", { class: "drop", x1: x, x2: x, y1: this.box.top, y2: this.box.bottom }));
    for (const one of this.series) {
      const value = one.values[this.at];
      if (this.how.y === "log" && value <= 0) continue;
      const group = draw("g", { class: one.cell });
      group.append(draw("circle", { cx: x, cy: this.toY(value), r: 4 }));
      this.cursor.append(group);
    }
  }
}
