// The ledger of a unit's memory, and the cell's equations with the numbers in.

import { barTable } from "../../../web/bars.js";
import { make } from "../../../web/elements.js";
import { number, percent } from "../../../web/numbers.js";
import { SIGN_OF } from "./sum.js";

/** c = f × c′ + i × g as bars that add up. */
export function ledger({ c_before, kept, written, cell_state, free }) {
  return barTable("The ledger: kept + written = now", [
    { label: "memory before", told: "c′", from: 0, to: c_before, kind: "outline", name: "c_before" },
    { label: "kept", told: "f × c′", from: 0, to: kept, name: "kept" },
    { label: "written", told: "i × g", from: kept, to: kept + written, name: "written" },
    { label: "cell_state" in free ? "memory now, held" : "memory now", told: "c", from: 0, to: cell_state, kind: "total", name: "cell_state" },
  ]);
}

/** The equations, a line each: [equation, plain word]. */
export function equations(cell, { sums, signals, c_before, tanh_cell, free }) {
  const of = (name) => number(signals[name]);
  const total = Object.fromEntries(sums.map((sum) => [sum.signal, `${SIGN_OF[sum.function]}(${number(sum.total)})`]));
  // What is held is not what its equation gives: both are shown.
  const is = (name) => (name in free ? `${number(free[name])}, but held at ${of(name)}` : of(name));
  if (cell !== "lstm") {
    return [
      [`h = tanh(W x + W h′ + b) = ${total.hidden_state} = ${is("hidden_state")}`, ""],
      ["a plain RNN has no gates, and no memory beside h", ""],
    ];
  }
  const [i, f, g, o] = ["input_gate", "forget_gate", "candidate", "output_gate"].map(of);
  return [
    [`f = σ(W x + W h′ + b) = ${total.forget_gate} = ${is("forget_gate")}`, "keep"],
    [`i = σ(W x + W h′ + b) = ${total.input_gate} = ${is("input_gate")}`, "write"],
    [`g = tanh(W x + W h′ + b) = ${total.candidate} = ${is("candidate")}`, "new value"],
    [`o = σ(W x + W h′ + b) = ${total.output_gate} = ${is("output_gate")}`, "show"],
    [`c = f × c′ + i × g = ${f} × ${number(c_before)} + ${i} × ${g} = ${is("cell_state")}`, "memory"],
    [`h = o × tanh(c) = ${o} × ${number(tanh_cell)} = ${is("hidden_state")}`, "output"],
  ];
}

export function equationLines(cell, numbers) {
  return equations(cell, numbers).map(([line, plain]) => make("span", "line", line, " ", make("small", "", plain)));
}

/** What the step does, in a sentence. */
export function told(cell, { signals, c_before, kept, written, hidden_state, free }) {
  const held = (name) => (name in free ? " (held)" : "");
  const h = `${number(signals.hidden_state ?? hidden_state)}${held("hidden_state")}`;
  if (cell !== "lstm") return `It has no memory of its own to keep: it puts out ${h}, made anew from what it reads.`;
  const c = number(signals.cell_state);
  const keeps = c_before
    ? `keeps ${percent(signals.forget_gate)}${held("forget_gate")} of its memory ${number(c_before)}, which leaves ${number(kept)}`
    : "has no memory yet";
  return `It ${keeps}; it writes ${number(written)}. The memory is now ${c}${held("cell_state")}, and it shows ${percent(signals.output_gate)}${held("output_gate")} of tanh(${c}): ${h}.`;
}
