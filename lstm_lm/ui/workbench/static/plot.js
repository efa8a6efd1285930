// The picture: token strip, heatmap and one unit's line on one canvas that scrolls as one.

import { Heatmap } from "./heatmap.js";
import { drawLine } from "./line.js";
import { isDark, lookup } from "./palette.js";
import { columnWidthFor, drawStrip, quoted } from "./strip.js";

const STRIP = 36;
const HEAT = 250;
const GAP = 10;
const LINE = 58;
const TOTAL = STRIP + HEAT + GAP + LINE;
const HOVER_DELAY = 30; // ms a pointer rests before exact numbers are fetched

export const number = (value) => value.toFixed(3).replace("-", "−");

export class Plot {
  constructor(root, bench) {
    this.root = root;
    this.bench = bench;
    this.scroller = root.querySelector(".scroller");
    this.spacer = root.querySelector(".spacer");
    this.canvas = root.querySelector(".scroller canvas");
    this.context = this.canvas.getContext("2d");
    this.heatmap = new Heatmap();
    this.follow = false;
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.resize()).observe(this.scroller);
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.byPointer && this.moveCursor(null));
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  begin() {
    const { columns } = this.bench;
    this.columnWidth = columnWidthFor(columns.header.tokenizer);
    this.heatmap.invalidate();
    this.follow = true;
    this.scroller.scrollLeft = 0;
    this.describe();
    this.resize();
  }

  describe() {
    const { columns, view } = this.bench;
    const signal = columns.signals[view.signal];
    this.canvas.setAttribute(
      "aria-label",
      `${signal.label} of ${columns.units} units in layer ${view.layer + 1} over ${columns.end} steps. ` +
        "Left and right arrows move through steps, up and down through units, Enter pins.",
    );
    const ramp = this.root.querySelector(".ramp");
    const context = ramp.getContext("2d");
    const image = context.createImageData(128, 1);
    const colors = lookup(signal.signed, isDark());
    new Uint32Array(image.data.buffer).forEach((_, x, pixels) => {
      pixels[x] = colors[signal.signed ? 1 + 2 * x : Math.round((x * 255) / 127)];
    });
    for (let y = 0; y < ramp.height; y += 1) context.putImageData(image, 0, y);
    const [low, high] = signal.signed ? (signal.bounded ? ["−1", "1"] : ["−", "+"]) : ["0", "1"];
    this.root.querySelector(".low").textContent = low;
    this.root.querySelector(".high").textContent = high;
    this.root.querySelector(".meaning").textContent =
      signal.label.toLowerCase() +
      (signal.bounded ? "" : ", each unit against its own largest value in this model’s opening text");
  }

  /** Columns [from, to) are here. */
  arrived(from, to) {
    this.heatmap.invalidate(from, to);
    this.setWidth();
    if (this.follow && !this.bench.columns.done && from > 0) this.scroller.scrollLeft = this.spacer.offsetWidth;
    this.schedule();
  }

  setWidth() {
    const width = Math.max(this.scroller.clientWidth, this.bench.columns.end * this.columnWidth);
    this.spacer.style.width = `${width}px`;
  }

  resize() {
    if (!this.bench.columns) return;
    const width = this.scroller.clientWidth;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(TOTAL * this.ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${TOTAL}px`;
    this.setWidth();
    this.schedule();
  }

  scrolled() {
    const { scrollLeft, clientWidth, scrollWidth } = this.scroller;
    this.follow = scrollLeft + clientWidth > scrollWidth - 40;
    this.schedule();
  }

  redraw() {
    if (!this.bench.columns) return;
    this.heatmap.invalidate();
    this.describe();
    this.schedule();
  }

  schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    const { columns, view, marks, scale } = this.bench;
    if (!columns || !this.canvas.width || !view.order) return;
    const { context, columnWidth } = this;
    const css = getComputedStyle(this.root);
    const color = (name) => css.getPropertyValue(name).trim();
    const width = this.canvas.width / this.ratio;
    const left = -this.scroller.scrollLeft;
    const first = Math.max(0, Math.floor(-left / columnWidth));
    const last = Math.min(columns.end, Math.ceil((width - left) / columnWidth));
    const signal = columns.signals[view.signal];
    const dark = isDark();
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, width, TOTAL);
    const shared = { first, last, left, columnWidth };
    this.heatmap.draw(context, columns, view, {
      ...shared,
      top: STRIP,
      height: HEAT,
      rows: Math.round(HEAT * this.ratio),
      colors: lookup(signal.signed, dark),
      key: `${columns.run} ${view.signal} ${view.layer} ${view.ordering} ${dark} ${this.ratio}`,
    });
    drawStrip(context, columns, {
      ...shared,
      marks,
      baseline: STRIP - 10,
      ink: color("--ink"),
      muted: color("--muted"),
      mark: color("--mark"),
      font: `13px ${color("--mono")}`,
    });
    const [low, high] = this.range(signal, scale, view);
    const lineTop = STRIP + HEAT + GAP;
    if (view.line) {
      drawLine(context, view.line, {
        ...shared, top: lineTop, height: LINE, low, high, color: color("--mark"), edge: color("--edge"),
      });
    }
    this.drawRow(view.unit, width, color("--mark"));
    if (view.cursor) this.drawBox(view.cursor.step, left, color("--ink"));
    if (view.pin) this.drawBox(view.pin.step, left, color("--mark"));
    const label = `unit ${view.unit}, ${signal.label.toLowerCase()}`;
    context.font = `12px ${color("--mono")}`;
    context.textAlign = "left";
    const box = context.measureText(label).width;
    context.fillStyle = color("--paper");
    context.globalAlpha = 0.82;
    context.fillRect(0, lineTop - 3, box + 8, 17);
    context.globalAlpha = 1;
    context.fillStyle = color("--ink");
    context.fillText(label, 3, lineTop + 9);
  }

  /** The line's scale, which stays while columns arrive unless a value leaves it. */
  range(signal, scale, view) {
    if (!signal.signed) return [0, 1];
    if (signal.bounded) return [-1, 1];
    let largest = scale[view.layer * this.bench.columns.units + view.unit];
    for (const value of view.line ?? []) largest = Math.max(largest, Math.abs(value));
    return [-largest, largest];
  }

  rowOf(unit) {
    return this.bench.view.order.indexOf(unit);
  }

  drawRow(unit, width, color) {
    const { units } = this.bench.columns;
    const y = STRIP + ((this.rowOf(unit) + 0.5) / units) * HEAT;
    const { context } = this;
    context.fillStyle = color;
    for (const [x, way] of [[0, 1], [width, -1]]) {
      context.beginPath();
      context.moveTo(x, y - 5);
      context.lineTo(x + 8 * way, y);
      context.lineTo(x, y + 5);
      context.fill();
    }
  }

  drawBox(step, left, color) {
    const x = left + step * this.columnWidth;
    this.context.strokeStyle = color;
    this.context.lineWidth = 1.5;
    this.context.strokeRect(x - 0.25, STRIP - 1, this.columnWidth + 0.5, HEAT + 2);
    this.context.fillStyle = color;
    this.context.fillRect(x, STRIP - 6, this.columnWidth, 3);
  }

  // Pointer and keyboard: both move a cursor, both pin.

  placeOf(event) {
    const { columns, view } = this.bench;
    const box = this.canvas.getBoundingClientRect();
    const step = Math.floor((event.clientX - box.left + this.scroller.scrollLeft) / this.columnWidth);
    const y = event.clientY - box.top - STRIP;
    if (!columns || step < 0 || step >= columns.end) return null;
    const row = Math.floor((y / HEAT) * columns.units);
    const unit = row >= 0 && row < columns.units ? view.order[row] : view.unit;
    return { step, unit };
  }

  hover(event) {
    // A page that moves under a resting pointer also sends an event: it moved nothing.
    if (event.pointerType === "touch" || (!event.movementX && !event.movementY)) return;
    this.moveCursor(this.placeOf(event));
    this.byPointer = true;
  }

  click(event) {
    const place = this.placeOf(event);
    if (place) this.bench.pin(place.step, place.unit);
  }

  moveCursor(place, { speak = false } = {}) {
    this.bench.view.cursor = place;
    this.byPointer = false;
    this.schedule();
    clearTimeout(this.resting);
    this.readOut(speak);
    if (place) this.resting = setTimeout(() => this.fetchFor(place, speak), speak ? 0 : HOVER_DELAY);
  }

  async fetchFor(place, speak) {
    await this.bench.exact.step(this.bench.columns.run, place.step);
    const { cursor, pin } = this.bench.view;
    if (cursor === place || (!cursor && pin?.step === place.step)) this.readOut(speak);
  }

  /** Token, unit and exact value at the cursor, or at the pin. */
  readOut(speak = false) {
    const { columns, view, exact } = this.bench;
    const place = view.cursor ?? view.pin;
    const where = this.root.querySelector(".where");
    if (!place || !columns) {
      where.textContent = "Point at the picture, or click a step.";
      return;
    }
    const known = exact.peek(columns.run, place.step);
    const signal = columns.signals[view.signal];
    const at = (view.signal * columns.layers + view.layer) * columns.units + place.unit;
    const value = known ? number(known.values[at]) : "…";
    const text =
      `step ${place.step + 1} of ${columns.end} · ${quoted(columns.tokens[place.step])} · ` +
      `layer ${view.layer + 1} · unit ${place.unit} · ${signal.label.toLowerCase()} ${value}`;
    where.textContent = text;
    if (!known && !view.cursor) this.fetchFor(place, speak);
    if (speak && known) this.root.querySelector(".spoken").textContent = text;
  }

  key(event) {
    const { columns, view } = this.bench;
    if (!columns?.end || event.ctrlKey || event.metaKey || event.altKey) return;
    const from = view.cursor ?? view.pin ?? { step: 0, unit: view.unit };
    const row = this.rowOf(from.unit);
    const moves = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
      PageUp: [-20, 0], PageDown: [20, 0], Home: [-columns.end, 0], End: [columns.end, 0],
    };
    if (event.key in moves) {
      const [steps, rows] = moves[event.key];
      const clamp = (x, size) => Math.max(0, Math.min(size - 1, x));
      const step = clamp(from.step + steps, columns.end);
      this.moveCursor({ step, unit: view.order[clamp(row + rows, columns.units)] }, { speak: true });
      this.reveal(step);
    } else if (event.key === "Enter" || event.key === " ") {
      this.bench.pin(from.step, from.unit);
      this.moveCursor(from, { speak: true });
    } else if (event.key === "Escape") {
      this.moveCursor(null);
      this.bench.unpin();
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Scroll so that the step is in view. */
  reveal(step, { center = false } = {}) {
    const { scroller, columnWidth } = this;
    const x = step * columnWidth;
    if (center) scroller.scrollLeft = x - scroller.clientWidth / 2;
    else if (x < scroller.scrollLeft) scroller.scrollLeft = x - 4 * columnWidth;
    else if (x + columnWidth > scroller.scrollLeft + scroller.clientWidth) {
      scroller.scrollLeft = x + 5 * columnWidth - scroller.clientWidth;
    }
  }
}
