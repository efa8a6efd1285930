// The picture: token strip, heatmap, one unit's line and the branches, on one canvas that scrolls
// as one.

import { DASHES, drawLine, drawZero } from "./line.js";
import { isDark, lookup } from "../../../web/palette.js";
import { columnWidthFor } from "../../../web/strip.js";

const STRIP = 36;
const BAND = 6; // px of the strip, over the rows: what they are sorted by
const HEAT = 250;
const BRANCH_HEAT = 120;
const GAP = 10;
const LINE = 58;

export class Plot {
  constructor(root, bench) {
    this.root = root;
    this.bench = bench;
    this.scroller = root.querySelector(".scroller");
    this.spacer = root.querySelector(".spacer");
    this.canvas = root.querySelector(".scroller canvas");
    this.context = this.canvas.getContext("2d");
    this.follow = false;
    this.scroller.addEventListener("scroll", () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.resize()).observe(this.scroller);
  }

  begin() {
    const { columns } = this.bench;
    this.columnWidth = columnWidthFor(columns.header.tokenizer);
    this.follow = true;
    this.scroller.scrollLeft = 0;
    this.arrange();
  }

  /** The text and its branches. */
  get lanes() {
    return [this.bench.lane, ...this.bench.branches.lanes];
  }

  /** The last step of any of them, plus one. */
  get end() {
    return Math.max(...this.lanes.map(({ columns }) => columns.end));
  }

  /** Give every lane its place: the text, under it the unit's line, then the branches. */
  arrange() {
    if (!this.bench.lane) return;
    const [text, ...branches] = this.lanes;
    text.place(0, STRIP, HEAT);
    this.lineTop = text.bottom + GAP;
    this.total = this.lineTop + LINE;
    for (const lane of branches) {
      lane.place(this.total + 4, STRIP, BRANCH_HEAT);
      this.total = lane.bottom;
    }
    this.describe();
    this.resize();
  }

  describe() {
    const { columns, view } = this.bench;
    const signal = columns.signals[view.signal];
    const branches = this.bench.branches.lanes.length;
    this.canvas.setAttribute(
      "aria-label",
      `${signal.label} of ${columns.units} units in layer ${view.layer + 1} over ${columns.end} steps. ` +
        (branches ? `${branches === 1 ? "A branch stands" : `${branches} branches stand`} under it. ` : "") +
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
      (signal.bounded ? "" : ", each unit against its own largest value in this model’s opening text") +
      (this.bench.sorted ? `; the band on top: ${this.bench.sorted.name}` : "");
  }

  /** Columns [from, to) are here. */
  arrived(from, to) {
    this.bench.lane.heatmap.invalidate(from, to);
    this.setWidth();
    if (this.follow && !this.bench.columns.done && from > 0) this.scroller.scrollLeft = this.spacer.offsetWidth;
    this.schedule();
  }

  setWidth() {
    const width = Math.max(this.scroller.clientWidth, this.end * this.columnWidth);
    this.spacer.style.width = `${width}px`;
  }

  resize() {
    if (!this.bench.columns) return;
    const width = this.scroller.clientWidth;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(this.total * this.ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${this.total}px`;
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
    for (const lane of this.lanes) lane.heatmap.invalidate();
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
    const { columns, view, marks } = this.bench;
    if (!columns || !this.canvas.width || !view.order) return;
    const { context, columnWidth, ratio } = this;
    const css = getComputedStyle(this.root);
    const color = (name) => css.getPropertyValue(name).trim();
    const width = this.canvas.width / ratio;
    const left = -this.scroller.scrollLeft;
    const first = Math.max(0, Math.floor(-left / columnWidth));
    const last = Math.min(this.end, Math.ceil((width - left) / columnWidth));
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, this.total);
    const shared = { first, last, left, columnWidth, ratio, dark: isDark(), color };
    for (const lane of this.lanes) lane.draw(context, view, { ...shared, marks: lane.number ? [] : marks });
    this.drawBand(shared, color("--ink"));
    this.drawLines(shared, view, color);
    this.drawRow(view.unit, width, color("--mark"));
    if (view.pointed >= 0) this.drawRow(view.pointed, width, color("--ink"), { across: true });
    if (view.cursor) this.drawBox(view.cursor, left, color("--ink"));
    if (view.pin) this.drawBox(view.pin, left, color("--mark"));
    this.label(`unit ${view.unit}, ${columns.signals[view.signal].label.toLowerCase()}`, this.lineTop + 9, color);
    for (const lane of this.bench.branches.lanes) this.label(lane.name, lane.heatTop - 12, color, DASHES[lane.number]);
  }

  /** What the rows are sorted by, over the text: none where it is 0, full where it is largest. */
  drawBand({ first, last, left, columnWidth }, color) {
    const values = this.bench.sorted?.values;
    if (!values) return;
    const { context } = this;
    context.fillStyle = color;
    for (let step = first; step < Math.min(last, values.length); step += 1) {
      context.globalAlpha = values[step];
      context.fillRect(left + step * columnWidth, STRIP - BAND, columnWidth, BAND - 1);
    }
    context.globalAlpha = 1;
  }

  /** The unit's line in the text, and in its branches from where they leave. */
  drawLines(shared, view, color) {
    const signal = this.bench.columns.signals[view.signal];
    const [low, high] = this.range(signal, this.bench.scale, view);
    const area = { ...shared, top: this.lineTop, height: LINE, low, high };
    drawZero(this.context, { ...area, edge: color("--edge") });
    for (const { line, number, from } of this.lanes) {
      if (!line) continue;
      const start = number ? Math.max(shared.first, from) : shared.first;
      drawLine(this.context, line, { ...area, first: start, number, color: color(number ? "--accent" : "--mark") });
    }
  }

  /** Words at the left edge that stay while the picture scrolls; `dashes`: how its line is drawn. */
  label(text, baseline, color, dashes = null) {
    const { context } = this;
    context.font = `12px ${color("--mono")}`;
    context.textAlign = "left";
    context.fillStyle = color("--paper");
    context.globalAlpha = 0.82;
    const width = context.measureText(text).width + 8;
    context.fillRect(0, baseline - 12, dashes ? width + 30 : width, 17);
    context.globalAlpha = 1;
    context.fillStyle = color("--ink");
    context.fillText(text, 3, baseline);
    if (!dashes) return;
    context.strokeStyle = color("--accent");
    context.setLineDash(dashes);
    context.beginPath();
    context.moveTo(width, baseline - 4);
    context.lineTo(width + 26, baseline - 4);
    context.stroke();
    context.setLineDash([]);
  }

  /** The line's scale, which stays while columns arrive unless a value leaves it. */
  range(signal, scale, view) {
    if (!signal.signed) return [0, 1];
    if (signal.bounded) return [-1, 1];
    let largest = scale[view.layer * this.bench.columns.units + view.unit];
    for (const { line } of this.lanes) for (const value of line ?? []) largest = Math.max(largest, Math.abs(value));
    return [-largest, largest];
  }

  rowOf(unit) {
    return this.bench.view.order.indexOf(unit);
  }

  drawRow(unit, width, color, { across = false } = {}) {
    const { units } = this.bench.columns;
    const y = STRIP + ((this.rowOf(unit) + 0.5) / units) * HEAT;
    const { context } = this;
    context.fillStyle = color;
    if (across) context.fillRect(0, y - 0.5, width, 1);
    for (const [x, way] of [[0, 1], [width, -1]]) {
      context.beginPath();
      context.moveTo(x, y - 5);
      context.lineTo(x + 8 * way, y);
      context.lineTo(x, y + 5);
      context.fill();
    }
  }

  drawBox({ step, lane }, left, color) {
    const x = left + step * this.columnWidth;
    this.context.strokeStyle = color;
    this.context.lineWidth = 1.5;
    this.context.strokeRect(x - 0.25, lane.heatTop - 1, this.columnWidth + 0.5, lane.heat + 2);
    this.context.fillStyle = color;
    this.context.fillRect(x, lane.heatTop - 6, this.columnWidth, 3);
  }

  /** The lane, step and unit under the pointer, or null. */
  placeOf(event) {
    const { columns, view } = this.bench;
    if (!columns) return null;
    const box = this.canvas.getBoundingClientRect();
    const step = Math.floor((event.clientX - box.left + this.scroller.scrollLeft) / this.columnWidth);
    const y = event.clientY - box.top;
    const lane = this.lanes.findLast(({ top }) => y >= top) ?? this.bench.lane;
    if (step < lane.from || step >= lane.columns.end) return null;
    const row = lane.rowAt(y);
    return { lane, step, unit: row < 0 ? view.unit : view.order[row] };
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
