// One of the two models over the text: its costs, its pieces, and its heatmap, a column a character.

import { bytesOf, floatsOf } from "../../../web/columns.js";
import { Heatmap } from "../../../web/heatmap.js";
import { isDark, lookup } from "../../../web/palette.js";
import { SignalSwitches } from "../../../web/signal_switches.js";

/** What the heatmap paints: every character shows the step after which it has been read whole. */
class Characters {
  constructor({ read, units, signals, layers }) {
    Object.assign(this, { read, units, signals, layers, end: read.length });
    this.have = new Uint8Array(read.length); // until bytes come there is nothing to paint
    this.bytes = new Uint8Array(0);
  }

  fill(bytes) {
    this.bytes = bytes;
    this.have.fill(1);
  }

  clear() {
    this.have.fill(0);
  }

  offset(character) {
    return this.read[character] * this.units;
  }
}

export class Side {
  /**
   * @param {HTMLElement} row its switches.
   * @param {string} color a custom property: --left or --right.
   * @param {{changed, ask, failed}} heard `changed` is called when there is something new to paint, `ask` with what
   *   the server is asked for, [name, text, signal, layer], and `failed` when there is another error, or none any more.
   */
  constructor(row, color, heard) {
    Object.assign(this, { row, color, heard, error: "" });
    this.view = { signal: 0, layer: 0, order: [] };
    this.switches = new SignalSwitches(row, this);
  }

  /** Take what the server says of this model, on a text. */
  begin(given, text) {
    this.name = given.name;
    this.label = given.label;
    this.text = text;
    this.error = "";
    this.bounds = given.bounds;
    this.cost = floatsOf(given.cost);
    const last = this.columns?.signals[this.view.signal]?.name ?? "hidden_state"; // both kinds of cell have it
    this.columns = new Characters(given);
    this.heatmap = new Heatmap();
    const signal = given.signals.findIndex(({ name }) => name === last);
    this.view.signal = signal < 0 ? given.signals.length - 1 : signal;
    this.view.layer = Math.min(this.view.layer, given.layers - 1);
    this.row.querySelector(".name").textContent = given.label;
    this.row.querySelector(".signals").setAttribute("aria-label", `Signal of ${given.label}`);
    this.row.querySelector(".layers").setAttribute("aria-label", `Layer of ${given.label}`);
    this.row.querySelector(".layers").hidden = given.layers < 2;
    this.switches.build();
    this.row.querySelector(".signals").hidden = given.signals.length < 2;
    this.paint();
  }

  choose(change) {
    Object.assign(this.view, change);
    this.switches.mark();
    this.paint();
  }

  async paint() {
    const { columns, view } = this;
    const { signal, layer } = view;
    this.scale();
    columns.clear(); // what is there has another name by now
    this.repaint();
    const answer = await this.heard.ask([this.name, this.text, signal, layer]);
    if (columns !== this.columns || signal !== view.signal || layer !== view.layer) return;
    const before = this.error;
    this.error = answer.error ?? "";
    if (this.error !== before) this.heard.failed();
    if (this.error) return;
    columns.fill(bytesOf(answer.data));
    view.order = answer.order;
    this.repaint();
  }

  repaint() {
    this.heatmap.invalidate();
    this.heard.changed();
  }

  get signal() {
    return this.columns.signals[this.view.signal];
  }

  /** The legend of its colours. */
  scale() {
    const { signed, bounded } = this.signal;
    const ramp = this.row.querySelector(".ramp");
    const context = ramp.getContext("2d");
    const image = context.createImageData(128, 1);
    const colors = lookup(signed, isDark());
    new Uint32Array(image.data.buffer).forEach((_, x, pixels) => {
      pixels[x] = colors[signed ? 1 + 2 * x : Math.round((x * 255) / 127)];
    });
    for (let y = 0; y < ramp.height; y += 1) context.putImageData(image, 0, y);
    const [low, high] = signed ? (bounded ? ["−1", "1"] : ["−", "+"]) : ["0", "1"];
    this.row.querySelector(".low").textContent = low;
    this.row.querySelector(".high").textContent = high;
  }

  /** The characters of the piece at a character: [from, to). */
  pieceAt(character) {
    let low = 0;
    let high = this.bounds.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.bounds[middle] <= character) low = middle;
      else high = middle;
    }
    return [this.bounds[low], this.bounds[high]];
  }

  /** Heatmap, its characters [first, last) into the rectangle at `top`. */
  draw(context, { first, last, left, width, top, height, ratio }) {
    const dark = isDark();
    const { signal, layer } = this.view;
    const rows = Math.round(height * ratio);
    context.save();
    context.beginPath(); // tiles are wider than the text
    context.rect(left, top, this.columns.end * width, height);
    context.clip();
    this.heatmap.draw(context, this.columns, { ...this.view, signal, layer }, {
      first, last, left, columnWidth: width, top, height, rows,
      colors: lookup(this.signal.signed, dark),
      key: `${signal} ${layer} ${dark} ${ratio}`,
    });
    context.restore();
  }
}
