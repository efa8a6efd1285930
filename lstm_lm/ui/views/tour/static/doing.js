// What some stops bring along: a sum to work out, two places to go to.

import { make } from "../../../web/elements.js";
import { number } from "../../../web/numbers.js";
import { quoted } from "../../../web/strip.js";

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

/** Where to look in the text that is shown: asked once a text; null where it is no longer held. */
export async function placesOf(bench, server) {
  const { run } = bench.columns;
  if (known?.run !== run) known = { run, asked: server.places([run]).catch(() => null) };
  const found = await known.asked;
  if (!found) known = null; // asked anew the next time
  return bench.columns.run === run ? found : null;
}
let known = null;

/** Show a signal and a layer, and pin a step and a unit of the text. */
export function look(bench, signal, layer, step, unit) {
  bench.choose({ signal: bench.columns.signals.findIndex(({ name }) => name === signal), layer });
  bench.pin(step, unit, { lane: bench.lane, speak: true });
  bench.plot.reveal(step, { center: true });
}

/** A line that waits for the places, then what `then` makes of them. */
async function withPlaces(host, bench, server, then) {
  const told = make("p", "given", "One moment …");
  host.append(told);
  const places = await placesOf(bench, server);
  if (!host.contains(told)) return;
  if (!places) told.textContent = "This text is no longer held by the server: leave this stop and come back.";
  else then(places, told);
}

/** The two ends of the text's longest memory. */
export function ends(host, bench, memo, server) {
  return withPlaces(host, bench, server, ({ keep }, told) => {
    memo.found = keep;
    const go = (step, end) => () => {
      memo[end] = true;
      look(bench, "cell_state", keep.layer, step, keep.unit);
    };
    const named = (step) => `step ${step + 1}, ${quoted(bench.columns.tokens[step])}`;
    told.textContent = `Unit ${keep.unit} of layer ${keep.layer + 1}:`;
    host.append(
      make("div", "row", button(`from ${named(keep.start)}`, go(keep.start, "from")), button(`to ${named(keep.stop)}`, go(keep.stop, "to"))),
    );
  });
}

/** The place at which most is held and not shown. */
export function hidden(host, bench, memo, server) {
  return withPlaces(host, bench, server, ({ hidden: { layer, step, unit } }, told) => {
    told.textContent = `Unit ${unit} of layer ${layer + 1}:`;
    const go = () => {
      memo.went = true;
      look(bench, "output_gate", layer, step, unit);
    };
    host.append(make("div", "row", button(`go to step ${step + 1}, ${quoted(bench.columns.tokens[step])}`, go)));
  });
}

/** Whether a lane was written with the forget gates of a whole layer shut. */
export const isShut = (lane) => "first" in lane && /^With the forget gate of all .*held at 0[ ,]/.test(lane.sentence);

/** A word to somebody who held the gate of a few units only. */
export function onlyOne(host, bench, memo) {
  const told = make("p", "told");
  host.append(told);
  memo.tick = () => {
    const { lanes } = bench.branches;
    const written = lanes.filter((lane) => "first" in lane && !memo.lanes.has(lane));
    const other = written.length > 0 && !written.some(isShut);
    told.textContent = other ? "That was something else than all forget gates at 0: set “of” to “all” and the value to 0, and write once more." : "";
  };
}
