// What some stops bring along: a sum to work out, two places to go to.

import { make } from "../../workbench/static/elements.js";
import { number } from "../../workbench/static/numbers.js";
import { quoted } from "../../workbench/static/strip.js";

const CLOSE = 0.006; // what three digits of each factor leave open, and a little

function button(text, act) {
  const made = make("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function field(label, text) {
  const input = make("input", "");
  input.type = "text";
  input.value = text;
  input.setAttribute("aria-label", label);
  return input;
}

/** A number as people type it; NaN where it is none. */
const typed = (text) => (text.trim() ? Number(text.trim().replace("−", "-").replace(",", ".")) : NaN);

/** The numbers of the pinned step, and a place for the answer. */
export function byHand(host, bench, memo) {
  const given = make("p", "given");
  const answer = field("The memory now", "");
  answer.inputMode = "decimal";
  const told = make("p", "told");
  let asked = null;
  const build = () => {
    const { numbers } = bench.inside;
    if (!numbers || numbers === asked) return;
    asked = numbers;
    const { forget_gate: f, input_gate: i, candidate: g } = numbers.signals;
    given.textContent =
      `Step ${numbers.step + 1}, unit ${numbers.unit}: f = ${number(f)}, c′ = ${number(numbers.c_before)}, ` +
      `i = ${number(i)}, g = ${number(g)}`;
    told.textContent = "";
  };
  const check = () => {
    build();
    const found = typed(answer.value);
    if (Number.isNaN(found) || !asked) {
      told.textContent = "Type a number, such as −0.25.";
      return;
    }
    const { kept, written, signals } = asked;
    if (Math.abs(found - signals.cell_state) <= CLOSE) {
      memo.right = `${number(kept)} kept + ${number(written)} written = ${number(signals.cell_state)}`;
      told.textContent = "";
    } else told.textContent = `Not yet. f × c′ is what is kept; i × g is what is written; add the two.`;
  };
  answer.addEventListener("keydown", (event) => event.key === "Enter" && check());
  const label = make("label", "", "c = ", answer);
  host.append(given, make("div", "row", label, button("Check", check)), told);
  build();
  memo.tick = build;
}

/** The two ends of the text's longest memory. */
export async function keeper(host, bench, memo, server) {
  const told = make("p", "given", "One moment …");
  host.append(told);
  const { run } = bench.columns;
  const found = await server.keeper([run]);
  if (!host.contains(told)) return;
  if (!found || bench.columns.run !== run) {
    told.textContent = "This text is no longer held by the server: leave this stop and come back.";
    return;
  }
  memo.found = found;
  const { columns } = bench;
  const go = (step, end) => () => {
    memo[end] = true;
    bench.choose({ signal: columns.signals.findIndex(({ name }) => name === "cell_state"), layer: found.layer });
    bench.pin(step, found.unit, { lane: bench.lane, speak: true });
    bench.plot.reveal(step, { center: true });
  };
  const named = (step) => `step ${step + 1}, ${quoted(columns.tokens[step])}`;
  told.textContent = `Unit ${found.unit} of layer ${found.layer + 1}:`;
  host.append(
    make("div", "row", button(`from ${named(found.start)}`, go(found.start, "from")), button(`to ${named(found.stop)}`, go(found.stop, "to"))),
  );
}
