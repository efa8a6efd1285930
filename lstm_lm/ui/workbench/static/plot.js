// The picture: token strip, heatmap and one unit's line on one canvas that scrolls as one.

import { Heatmap } from "./heatmap.js";
import { drawLine } from "./line.js";
import { isDark, lookup } from "./palette.js";
import { columnWidthFor, drawStrip } from "./strip.js";

const STRIP = 36;
const HEAT = 250;
const GAP = 10;
const LINE = 58;
const TOTAL = STRIP + HEAT + GAP + LINE;

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

  /** The step and unit under the pointer, or null. */
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
