// The card under the picture: one unit at the pinned step, exact. It fetches the numbers, holds
// which gate is open, and lets the diagram, the sum, the ledger and the equations show them.

import { goToUnit } from "../../../web/going.js";
import { CellDiagram } from "./cell.js";
import { keepingFocus } from "../../../web/elements.js";
import { equationLines, ledger, told } from "./ledger.js";
import { percent } from "../../../web/numbers.js";
import { quoted } from "../../../web/strip.js";
import { drawSum } from "./sum.js";

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Inside {
  constructor(root, bench) {
    this.bench = bench;
    this.card = root.querySelector(".inside");
    this.part = (name) => this.card.querySelector(name);
    this.open = null; // the gate whose sum is shown
    this.numbers = null;
    this.diagram = new CellDiagram(this.part(".cell"), (gate) => this.toggle(gate));
    this.unit = this.part(".unit");
    this.unit.addEventListener("change", () => this.chooseUnit());
    for (const button of this.card.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => bench.move(...MOVES[button.dataset.move]));
    }
    this.page = this.part(".its-page");
    this.page.addEventListener("click", () => goToUnit(this.numbers.layer, this.numbers.unit));
    for (const card of root.querySelectorAll(".below .card:not(.written)")) {
      card.addEventListener("keydown", (event) => this.key(event));
    }
  }

  clear() {
    this.asked = null;
    this.numbers = null;
    this.card.classList.add("empty");
    this.part(".title").textContent = "Inside one step";
    this.part(".told").textContent = "Click a step in the picture or in the text: what one unit does there is laid open here.";
    this.part(".surprise").textContent = "";
    this.part(".equations").textContent = "";
  }

  /**
   * Fetch the numbers of a place, the pinned one unless another is given, and show them.
   * Only the last place asked for is shown: held arrow keys ask faster than answers come.
   */
  async show(place = this.bench.view.pin, { speak = false } = {}) {
    if (!place) return;
    this.asked = { ...place, layer: this.bench.view.layer, speak };
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.asked) {
        const asked = this.asked;
        this.asked = null;
        await this.fetch(asked);
      }
    } finally {
      this.busy = false;
    }
  }

  async fetch({ lane, step, unit, layer, speak }) {
    const { exact } = this.bench;
    const { columns } = lane;
    const [now, parts] = await Promise.all([
      exact.step(columns.run, step),
      exact.inside(columns.run, step, layer, unit),
    ]);
    if (!now || !parts || !this.bench.plot.lanes.includes(lane) || layer !== this.bench.view.layer || this.asked) return;
    const signals = Object.fromEntries(
      columns.signals.map(({ name }, row) => [name, now.values[(row * columns.layers + layer) * columns.units + unit]]),
    );
    const token = quoted(columns.tokens[step]);
    this.numbers = { ...parts, signals, token, lane, step, unit, layer, log_prob: now.log_prob };
    this.draw();
    if (speak) this.bench.speak(`${this.bench.cursor.readOut()}. ${this.part(".told").textContent}`);
  }

  get cell() {
    return this.bench.columns.cell;
  }

  draw() {
    if (!this.numbers) return;
    const { numbers, bench, cell } = this;
    const { lane, step, unit, layer, token } = numbers;
    const { columns } = lane;
    const { view } = bench;
    this.card.classList.remove("empty");
    this.part(".title").textContent = `Inside step ${step + 1}${lane.number ? ` of branch ${lane.number}` : ""}: unit ${unit} of layer ${layer + 1} reads ${token}`;
    this.part(".told").textContent = told(cell, numbers);
    this.part(".surprise").textContent = surprise(numbers.log_prob);
    this.unit.max = columns.units - 1;
    if (document.activeElement !== this.unit) this.unit.value = unit;
    this.page.title = `The page of unit ${unit} of layer ${layer + 1}`;
    this.diagram.build(cell, columns.signals);
    if (!this.diagram.gates.includes(this.open)) this.open = null;
    if (this.open) {
      const { panel } = this.diagram;
      const sum = numbers.sums.find(({ signal }) => signal === this.open);
      const place = { label: `${this.diagram.labelOf(this.open)}’s sum`, token: columns.tokens[step], layer, step, held: this.open in numbers.free };
      keepingFocus(panel, () => drawSum(panel, sum, place, (...to) => bench.follow(...to)));
    }
    this.diagram.fill(numbers, columns.signals[view.signal].name, this.open);
    this.part(".ledger").replaceChildren(...(cell.memory ? [ledger(cell, numbers)] : []));
    this.part(".equations").replaceChildren(...equationLines(cell, columns.signals, numbers));
    bench.whatIf.say();
  }

  toggle(gate) {
    this.open = this.open === gate ? null : gate;
    this.draw();
  }

  chooseUnit() {
    const { pin } = this.bench.view;
    const unit = Number(this.unit.value);
    if (pin && Number.isInteger(unit) && unit >= 0 && unit < this.bench.columns.units) {
      this.bench.pin(pin.step, unit, { speak: true });
    } else if (pin) {
      this.unit.value = pin.unit;
    }
  }

  /** Arrows move here as they do in the picture; Escape closes what is open. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
    if (event.key in MOVES) this.bench.move(...MOVES[event.key]);
    else if (event.key === "Escape" && this.open) {
      const gate = this.open;
      this.toggle(gate);
      this.diagram.boxes[gate].focus();
    } else return;
    event.preventDefault();
  }
}

function surprise(logProb) {
  if (logProb === null) return "The first token: nothing was read before it.";
  const bits = -logProb / Math.LN2;
  return `Before it was read the model gave this token ${percent(Math.exp(logProb), 1)}: a surprise of ${bits.toFixed(2)} bits.`;
}
