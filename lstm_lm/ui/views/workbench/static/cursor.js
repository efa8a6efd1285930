// The cursor of the picture: pointer and keyboard move it, read out what is under it, and pin.

import { number } from "../../../web/numbers.js";
import { quoted } from "../../../web/strip.js";

const HOVER_DELAY = 30; // ms a pointer rests before exact numbers are fetched

export class Cursor {
  constructor(root, bench, plot) {
    this.bench = bench;
    this.plot = plot;
    this.where = root.querySelector(".where");
    const { canvas } = plot;
    canvas.addEventListener("pointermove", (event) => this.hover(event));
    canvas.addEventListener("pointerleave", () => this.byPointer && this.moveTo(null));
    canvas.addEventListener("click", (event) => this.click(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  hover(event) {
    // A page that moves under a resting pointer also sends an event: it moved nothing.
    if (event.pointerType === "touch" || (!event.movementX && !event.movementY)) return;
    this.moveTo(this.plot.placeOf(event));
    this.byPointer = true;
  }

  click(event) {
    const place = this.plot.placeOf(event);
    if (place) this.bench.pin(place.step, place.unit, { lane: place.lane, speak: true });
  }

  moveTo(place, { speak = false } = {}) {
    this.bench.view.cursor = place;
    this.byPointer = false;
    this.plot.schedule();
    this.bench.saturation.follow();
    clearTimeout(this.resting);
    this.readOut(speak);
    if (place) this.resting = setTimeout(() => this.fetchFor(place, speak), speak ? 0 : HOVER_DELAY);
  }

  async fetchFor(place, speak) {
    await this.bench.exact.step(place.lane.columns.run, place.step);
    const { cursor, pin } = this.bench.view;
    if (cursor === place || (!cursor && pin === place)) this.readOut(speak);
  }

  /** Token, unit and exact value at the cursor, or at the pin; returns the words. */
  readOut(speak = false) {
    const { view, exact } = this.bench;
    const place = view.cursor ?? view.pin;
    if (!place) {
      this.where.textContent = "Point at the picture, or click a step.";
      return this.where.textContent;
    }
    const { columns, number: branch } = place.lane;
    const known = exact.peek(columns.run, place.step);
    const signal = columns.signals[view.signal];
    const at = (view.signal * columns.layers + view.layer) * columns.units + place.unit;
    const value = known ? number(known.values[at]) : "…";
    const text =
      `${branch ? `branch ${branch} · ` : ""}step ${place.step + 1} of ${columns.end} · ${quoted(columns.tokens[place.step])} · ` +
      `layer ${view.layer + 1} · unit ${place.unit} · ${signal.label.toLowerCase()} ${value}`;
    this.where.textContent = text;
    if (!known && !view.cursor) this.fetchFor(place, speak);
    if (speak && known) this.bench.speak(text);
    return text;
  }

  /** Arrows move the pin, and with it all that stands under the picture; without one, the cursor. */
  key(event) {
    const { columns, view } = this.bench;
    if (!columns?.end || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
      PageUp: [-20, 0], PageDown: [20, 0], Home: [-columns.end, 0], End: [columns.end, 0],
    };
    if (event.key in moves) {
      this.bench.move(...moves[event.key]);
    } else if (event.key === "Enter" || event.key === " ") {
      const { lane, step, unit } = view.cursor ?? view.pin ?? { lane: this.bench.lane, step: 0, unit: view.unit };
      this.moveTo(null);
      this.bench.pin(step, unit, { lane, speak: true });
    } else if (event.key === "Escape") {
      this.moveTo(null);
      this.bench.unpin();
    } else {
      return;
    }
    event.preventDefault();
  }
}
