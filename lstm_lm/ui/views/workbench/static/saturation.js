// Saturation of the text that is shown: a point a unit, linked with the rows of the picture.

import { Gates } from "../../../web/gates.js";

const REFRESH = 500; // ms between two looks while the model writes

export class Saturation {
  constructor(root, bench) {
    this.bench = bench;
    this.card = root.querySelector(".saturation");
    this.card.addEventListener("toggle", () => this.card.open && this.refresh(true));
    this.gates = new Gates(this.card, {
      pointed: (unit) => {
        bench.view.pointed = unit;
        bench.plot.schedule();
      },
      chosen: (unit) => bench.chooseUnit(unit),
    });
  }

  /** Another text: what was said of the last one no longer holds. */
  clear() {
    this.again = false;
    this.gates.clear();
    for (const name of [".short", ".said"]) this.card.querySelector(name).textContent = "";
  }

  /** Ask for the fractions of the shown layer; `now`: even if that was done a moment ago. */
  async refresh(now = false) {
    const { columns, view, server } = this.bench;
    const gated = columns.signals.some(({ name }) => name === "forget_gate");
    this.card.hidden = !gated;
    if (!gated || !columns.end || !(this.card.open || columns.done)) return;
    const time = performance.now();
    if (!now && time - (this.asked ?? 0) < REFRESH) return;
    if (this.busy) { // one question at a time, however slow the answers are
      this.again ||= now;
      return;
    }
    this.busy = true;
    this.again = false;
    this.asked = time;
    const { layer } = view;
    const found = await server.saturation([columns.run, layer]).finally(() => {
      this.busy = false;
    });
    if (this.again) this.refresh(true);
    if (!found || this.bench.columns.run !== columns.run || view.layer !== layer) return;
    this.card.querySelector(".short").textContent = found.gates[0].sentence;
    this.card.querySelector(".said").textContent =
      `A point a unit, over ${found.steps.toLocaleString("en")} steps: open is above 0.9, shut below 0.1. Point at one: its row is marked in the picture.`;
    this.gates.show(found);
    this.follow();
  }

  /** Mark the unit under the picture's cursor, or the one whose line is shown. */
  follow() {
    const { cursor, unit } = this.bench.view;
    this.gates.rest(cursor?.unit ?? unit);
  }
}
