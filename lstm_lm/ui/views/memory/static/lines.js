// The text in lines; under each earlier token a cell for every row, coloured on one log scale. The
// text is drawn, never made into markup.

import { isDark, lookup } from "../../../web/palette.js";
import { visible } from "../../../web/strip.js";

const LOWEST = 1e-5; // painted as nothing
const CELL = 12; // px, the height of a coloured cell
const LETTER = 19; // px for the tokens
const APART = 3; // px between the gradients and the cell's path
const SPACE = 14; // px between two lines
const GUTTER = 66; // px for the rows' names

/** 0..1 on the ramp: each tenth is a fifth of it. */
const shade = (value) => (value > LOWEST ? Math.min(1, 1 - Math.log10(value) / Math.log10(LOWEST)) : 0);

function colors() {
  return [...lookup(false, isDark())].map((word) => `rgb(${word & 255} ${(word >> 8) & 255} ${(word >> 16) & 255})`);
}

export class Lines {
  constructor(root, view) {
    this.view = view;
    this.frame = root.querySelector(".lines");
    this.canvas = this.frame.querySelector("canvas");
    this.ramp = root.querySelector(".ramp");
    this.tokens = [];
    this.rows = []; // { name, values, group }
    this.step = 0;
    this.hovered = -1;
    new ResizeObserver(() => this.draw()).observe(this.frame);
    this.canvas.addEventListener("pointermove", (event) => this.hover(this.at(event)));
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("click", (event) => view.choose(this.at(event), { speak: true }));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  measure() {
    const width = this.frame.clientWidth;
    const columnWidth = this.view.subword ? 46 : 12;
    const perLine = Math.max(1, Math.floor((width - GUTTER) / columnWidth));
    const groups = new Set(this.rows.map(({ group }) => group)).size;
    const lineHeight = LETTER + CELL * this.rows.length + APART * Math.max(0, groups - 1) + SPACE;
    return { width, columnWidth, perLine, lineHeight, lines: Math.ceil(this.tokens.length / perLine) };
  }

  /** The token under the pointer; -1: none. */
  at({ clientX, clientY }) {
    const { left, top } = this.canvas.getBoundingClientRect();
    const { columnWidth, perLine, lineHeight } = this.measure();
    const column = Math.floor((clientX - left - GUTTER) / columnWidth);
    const step = Math.floor((clientY - top) / lineHeight) * perLine + column;
    return column < 0 || column >= perLine || step >= this.tokens.length ? -1 : step;
  }

  /** Bring the chosen step's line into view, with the lines before it, which it looks back on. */
  reveal() {
    const { perLine, lineHeight } = this.measure();
    const bottom = (Math.floor(this.step / perLine) + 1) * lineHeight;
    const { scrollTop, clientHeight } = this.frame;
    if (bottom > scrollTop + clientHeight || bottom - lineHeight < scrollTop) {
      this.frame.scrollTop = bottom - clientHeight;
    }
  }

  hover(step) {
    if (step === this.hovered) return;
    this.hovered = step;
    this.draw();
    this.view.readOut(step);
  }

  key(event) {
    const { perLine } = this.measure();
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perLine, ArrowDown: perLine, Home: -Infinity, End: Infinity }[event.key];
    if (by === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.view.move(by);
  }

  draw() {
    const { width, columnWidth, perLine, lineHeight, lines } = this.measure();
    if (!width || !this.tokens.length) return;
    const ratio = window.devicePixelRatio || 1;
    const height = lines * lineHeight;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    const context = this.canvas.getContext("2d");
    const style = getComputedStyle(this.canvas);
    const [ink, muted, mark] = ["--ink", "--muted", "--mark"].map((name) => style.getPropertyValue(name));
    const mono = style.getPropertyValue("--mono");
    const ramp = colors();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    for (let line = 0; line < lines; line += 1) {
      const first = line * perLine;
      const last = Math.min(first + perLine, this.tokens.length);
      const top = line * lineHeight;
      context.font = `13px ${mono}`;
      context.textAlign = "center";
      context.textBaseline = "alphabetic";
      for (let step = first; step < last; step += 1) {
        const left = GUTTER + (step - first) * columnWidth;
        const sign = this.tokens[step] === "\n";
        context.globalAlpha = step > this.step ? 0.55 : 1;
        context.fillStyle = step > this.step || sign ? muted : ink;
        const text = visible(this.tokens[step], this.view.subword);
        context.fillText(text, left + columnWidth / 2, top + 14, columnWidth - (this.view.subword ? 4 : 0));
      }
      context.globalAlpha = 1;
      this.cells(context, { first, last: Math.min(last, this.step), top, columnWidth, ramp, muted, mono });
      for (const [step, color] of [[this.hovered, muted], [this.step, mark]]) {
        if (step < first || step >= last) continue;
        context.strokeStyle = color;
        context.lineWidth = 2;
        context.strokeRect(GUTTER + (step - first) * columnWidth, top + 1.5, columnWidth, LETTER - 3);
      }
    }
    this.drawRamp(ramp);
  }

  cells(context, { first, last, top, columnWidth, ramp, muted, mono }) {
    if (last <= first) return;
    let y = top + LETTER;
    let group = this.rows[0]?.group;
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.font = `11px ${mono}`;
    for (const row of this.rows) {
      if (row.group !== group) y += APART;
      group = row.group;
      context.fillStyle = muted;
      context.fillText(row.name, GUTTER - 7, y + CELL / 2, GUTTER - 8);
      for (let step = first; step < last; step += 1) {
        context.fillStyle = ramp[Math.round(255 * shade(row.values[step]))];
        context.fillRect(GUTTER + (step - first) * columnWidth, y, columnWidth - (columnWidth > 20 ? 1 : 0), CELL - 1);
      }
      y += CELL;
    }
  }

  drawRamp(ramp) {
    const context = this.ramp.getContext("2d");
    for (let x = 0; x < this.ramp.width; x += 1) {
      context.fillStyle = ramp[Math.round((255 * x) / (this.ramp.width - 1))];
      context.fillRect(x, 0, 1, this.ramp.height);
    }
  }
}
