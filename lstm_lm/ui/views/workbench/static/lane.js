// One text in the picture: its token strip over its heatmap. The first lane is the text itself,
// those under it are branches, which begin at a later step and say where they differ.

import { Heatmap } from "../../../web/heatmap.js";
import { lookup } from "../../../web/palette.js";
import { drawStrip } from "../../../web/strip.js";

const BAND = 5; // px between strip and heatmap that show how far apart the signals are

export class Lane {
  /**
   * @param columns what is painted.
   * @param branch of a branch: {number, from, parent, differences, sentence}; `from` is its
   *   first own step, `differences` (steps, signals, layers) the mean |difference| of the units;
   *   of one that was written again also `first`, the first token that differs, or null.
   */
  constructor(columns, { number = 0, from = 0, parent = null, differences = null, ...rest } = {}) {
    Object.assign(this, { columns, number, from, parent, differences, ...rest });
    this.heatmap = new Heatmap();
    this.line = null; // the unit's signal, once fetched
    this.place(0, 36, 250);
  }

  place(top, strip, heat) {
    Object.assign(this, { top, strip, heat, heatTop: top + strip, bottom: top + strip + heat });
  }

  /** What a person calls it. */
  get name() {
    return this.number ? `branch ${this.number}` : "the text";
  }

  /** Whether the token of this step is another than in the text that it left. */
  differs(step) {
    const { parent, columns } = this;
    return parent !== null && step >= this.from && step < parent.columns.end && columns.tokens[step] !== parent.columns.tokens[step];
  }

  /** The row of the picture under `y`, as a place in the order of the units, or -1. */
  rowAt(y) {
    const row = Math.floor(((y - this.heatTop) / this.heat) * this.columns.units);
    return row >= 0 && row < this.columns.units ? row : -1;
  }

  draw(context, view, { first, last, left, columnWidth, ratio, dark, color, marks }) {
    const { columns } = this;
    const signal = columns.signals[view.signal];
    const range = { first: Math.max(first, this.from), last: Math.min(last, columns.end), left, columnWidth };
    if (this.parent) this.drawBranch(context, view, range, color);
    if (range.first >= range.last) return;
    context.save();
    context.beginPath(); // tiles are wider than what belongs to this lane
    context.rect(left + this.from * columnWidth, this.heatTop, (columns.end - this.from) * columnWidth, this.heat);
    context.clip();
    this.heatmap.draw(context, columns, view, {
      ...range,
      top: this.heatTop,
      height: this.heat,
      rows: Math.round(this.heat * ratio),
      colors: lookup(signal.signed, dark),
      key: `${columns.run} ${view.signal} ${view.layer} ${view.ordering} ${dark} ${ratio}`,
    });
    context.restore();
    drawStrip(context, columns, {
      ...range,
      marks,
      baseline: this.heatTop - 10,
      ink: color("--ink"),
      muted: color("--muted"),
      mark: color("--mark"),
      font: `13px ${color("--mono")}`,
    });
  }

  /** What only a branch has: where it leaves, which tokens differ, how far apart the signals are. */
  drawBranch(context, view, { first, last, left, columnWidth }, color) {
    const x = left + this.from * columnWidth;
    context.strokeStyle = context.fillStyle = color("--mark");
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x - 0.5, this.parent.bottom);
    context.lineTo(x - 0.5, this.bottom);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 0.2;
    for (let step = first; step < last; step += 1) {
      if (this.differs(step)) context.fillRect(left + step * columnWidth, this.top + 2, columnWidth, this.strip - BAND - 4);
    }
    context.globalAlpha = 1;
    if (Number.isInteger(this.first) && this.first >= first && this.first < last) {
      context.lineWidth = 2;
      context.strokeRect(left + this.first * columnWidth, this.top + 2, columnWidth, this.strip - BAND - 4);
    }
    const apart = this.apart(view);
    const top = this.heatTop - BAND;
    for (let step = first; step < Math.min(last, this.from + apart.values.length); step += 1) {
      context.globalAlpha = apart.largest ? apart.values[step - this.from] / apart.largest : 0;
      context.fillRect(left + step * columnWidth, top, columnWidth, BAND - 1);
    }
    context.globalAlpha = 1;
  }

  /** Mean |difference| of the shown signal and layer, a value a step, and the largest of them. */
  apart({ signal, layer }) {
    const key = `${signal} ${layer}`;
    if (this.apartKey !== key) {
      const { signals, layers } = this.columns;
      const width = signals.length * layers;
      const values = Array.from(
        { length: this.differences.length / width },
        (_, step) => this.differences[step * width + signal * layers + layer],
      );
      this.apartKey = key;
      this.apartValues = { values, largest: Math.max(0, ...values) };
    }
    return this.apartValues;
  }
}
