// The ledger of a unit's memory, and the cell's equations with the numbers in.

import { barTable } from "../../../web/bars.js";
import { make } from "../../../web/elements.js";
import { number, percent } from "../../../web/numbers.js";
import { SIGN_OF } from "./sum.js";

const SIGNS = { c_before: "c′", h_before: "h′", cell_state: "c", hidden_state: "h" };

/** What is kept and what is written, as bars that add up to the memory. */
export function ledger(cell, numbers) {
  const { kept, written, free } = numbers;
  const before = numbers[cell.before];
  const now = numbers[cell.memory];
  const symbol = Object.fromEntries(cell.boxes.map((box) => [box.name, box.symbol]));
  return barTable("The ledger: kept + written = now", [
    { label: "memory before", told: SIGNS[cell.before], from: 0, to: before, kind: "outline", name: cell.before },
    { label: "kept", told: symbol.kept, from: 0, to: kept, name: "kept" },
    { label: "written", told: symbol.written, from: kept, to: kept + written, name: "written" },
    { label: cell.memory in free ? "memory now, held" : "memory now", told: SIGNS[cell.memory], from: 0, to: now, kind: "total", name: cell.memory },
  ]);
}

/** The equations, a line each: [equation, plain word]. */
export function equations(cell, described, { sums, signals, free, ...others }) {
  const of = (name) => number(signals[name] ?? others[name]);
  const symbols = Object.fromEntries(described.map(({ name, symbol }) => [name, symbol]));
  const total = Object.fromEntries(sums.map((sum) => [sum.signal, `${SIGN_OF[sum.function]}(${number(sum.total)})`]));
  // What is held is not what its equation gives: both are shown.
  const is = (name) => (name in free ? `${number(free[name])}, but held at ${of(name)}` : of(name));
  const lines = cell.equations.map(({ signal, formula, numbers, plain }) => {
    const worked = numbers ? numbers.replace(/\{(\w+)\}/g, (_, name) => of(name)) : total[signal];
    return [`${symbols[signal]} = ${formula} = ${worked} = ${is(signal)}`, plain];
  });
  return cell.note ? [...lines, [cell.note, ""]] : lines;
}

export function equationLines(cell, described, numbers) {
  return equations(cell, described, numbers).map(([line, plain]) => make("span", "line", line, " ", make("small", "", plain)));
}

/** What the step does, in a sentence. */
export function told(cell, { signals, h_before, c_before, kept, written, hidden_state, free }) {
  const held = (name) => (name in free ? " (held)" : "");
  const h = `${number(signals.hidden_state ?? hidden_state)}${held("hidden_state")}`;
  if (!cell.memory) return `It has no memory of its own to keep: it puts out ${h}, made anew from what it reads.`;
  const keeping = (gate, before) =>
    before
      ? `keeps ${percent(signals[gate])}${held(gate)} of its memory ${number(before)}, which leaves ${number(kept)}`
      : "has no memory yet";
  if (cell.memory === "hidden_state") {
    return `It ${keeping("update_gate", h_before)}; it writes ${number(written)}. The memory is now ${h}, which is also what it shows.`;
  }
  const c = number(signals.cell_state);
  return `It ${keeping("forget_gate", c_before)}; it writes ${number(written)}. The memory is now ${c}${held("cell_state")}, and it shows ${percent(signals.output_gate)}${held("output_gate")} of tanh(${c}): ${h}.`;
}
