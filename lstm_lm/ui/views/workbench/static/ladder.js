// What else could have come after the pinned step: from logits to probabilities, a row a token.
// Settings redraw it at once; pressing a token grows a branch from that step's own state.

import { keepingFocus, make, value } from "../../../web/elements.js";
import { number, percent } from "../../../web/numbers.js";
import { ladder } from "./sampling.js";
import { quoted, visible } from "../../../web/strip.js";

const AS_IT_IS = { temperature: 1, top_k: null, top_p: null, min_p: null, seed: 1 }; // of a text only read
const RULES = [["top_k", "top-k"], ["top_p", "top-p"], ["min_p", "min-p"]];

export class Ladder {
  constructor(root, bench) {
    this.bench = bench;
    this.card = root.querySelector(".ladder");
    this.part = (name) => this.card.querySelector(name);
    this.inputs = [...this.card.querySelectorAll("[data-setting]")];
    for (const input of this.inputs) input.addEventListener("input", () => this.changed(input));
    this.part(".reset").addEventListener("click", () => this.reset());
    this.clear();
  }

  /** A new text: its own settings hold again. */
  clear() {
    this.found = null;
    this.asked = null;
    this.settings = null; // those of the text, until a person changes one
    this.empty();
  }

  empty() {
    this.card.classList.add("empty");
    this.part(".told").textContent = "Pin a step, and the tokens that could have come after it stand here.";
  }

  /** Fetch what could come after this place, and show it; only the last place asked for. */
  async show(place = this.bench.view.pin) {
    if (!place) {
      this.asked = null;
      this.empty();
      return;
    }
    this.asked = place;
    const { run } = place.lane.columns;
    const found = await this.bench.exact.ladder(run, place.step);
    if (!found || this.asked !== place) return;
    this.found = found;
    this.place = place;
    this.draw();
  }

  /** What the next token is drawn with: the text's own settings, or those a person chose. */
  get chosen() {
    return this.settings ?? this.found?.sampling ?? AS_IT_IS;
  }

  changed(input) {
    const { setting } = input.dataset;
    if (!input.checkValidity() || input.value === "") return;
    const wanted = Number(input.value);
    const all = setting === "top_p" ? 1 : 0; // the value that leaves every token
    this.settings = { ...this.chosen, [setting]: setting !== "temperature" && wanted === all ? null : wanted };
    this.draw();
  }

  reset() {
    this.settings = null;
    this.draw();
    this.inputs[0].focus();
  }

  draw() {
    if (!this.found) return;
    const { found, chosen, place } = this;
    const rungs = ladder(found.logits, chosen);
    this.card.classList.remove("empty");
    this.fillSettings(chosen);
    const read = quoted(place.lane.columns.tokens[place.step]);
    this.part(".told").textContent = found.taken
      ? `After ${read} came ${quoted(found.taken[1])}. Press another token, and the model goes on with it from this very state.`
      : `The text ends with ${read}. Press a token, and the model goes on with it from this very state.`;
    const body = this.part("tbody");
    keepingFocus(body, () => body.replaceChildren(...this.rows(rungs)));
    const largest = found.logits[rungs.order[0]];
    this.part(".scaling").textContent = chosen.temperature
      ? `scaled = (logit − ${number(largest, 2)}) ÷ ${number(chosen.temperature, 2)}: the likeliest stands at 0`
      : "temperature 0 leaves the likeliest alone";
    this.part(".bits").replaceChildren(...this.bits(rungs));
  }

  fillSettings(chosen) {
    for (const input of this.inputs) {
      const { setting } = input.dataset;
      if (document.activeElement !== input) input.value = chosen[setting] ?? (setting === "top_p" ? 1 : 0);
    }
    this.part(".temperature").textContent = number(chosen.temperature, 2);
    this.part(".reset").hidden = plain(chosen) === plain(this.found.sampling ?? AS_IT_IS);
  }

  rows(rungs) {
    const { likeliest, taken, logits } = this.found;
    const shown = likeliest.map(([id, token]) => [id, token]);
    if (taken && !shown.some(([id]) => id === taken[0])) shown.push(taken);
    const most = Math.max(...shown.map(([id]) => rungs.probabilities[id]));
    const rows = shown.map(([id, token]) => this.row(id, token, rungs, most));
    const others = logits.length - shown.length;
    if (others > 0) {
      const rest = 1 - shown.reduce((sum, [id]) => sum + rungs.probabilities[id], 0);
      const head = make("th", "", `${others.toLocaleString("en")} others`);
      head.scope = "row";
      head.colSpan = 3;
      rows.push(make("tr", "others", head, make("td", ""), make("td", "number", percentOf(Math.max(0, rest)))));
    }
    return rows;
  }

  row(id, token, rungs, most) {
    const { columns } = this.place.lane;
    const taken = id === this.found.taken?.[0];
    const p = rungs.probabilities[id];
    const button = make("button", "token", faceOf(token, columns.header.tokenizer !== "char"));
    button.type = "button";
    button.disabled = !this.bench.columns.done;
    button.setAttribute("aria-label", `Branch with ${quoted(token)}${taken ? ", the token taken" : ""}`);
    button.addEventListener("click", () => this.bench.branches.grow(this.place, id, this.chosen));
    const head = make("th", "", button);
    head.scope = "row";
    const rank = rungs.order.indexOf(id);
    const out = RULES.find(([rule]) => rank >= rungs.left[rule]);
    const drawn = make("td", "drawn");
    if (out) drawn.append(make("span", "out", `out by ${out[1]}`));
    else {
      const bar = make("i", "chance");
      bar.style.width = `${most ? (100 * p) / most : 0}%`;
      drawn.append(bar);
      if (taken) drawn.append(make("small", "", "taken"));
    }
    if (out && taken) drawn.append(make("small", "", "taken"));
    const scaled = rungs.scaled[id];
    const row = make(
      "tr",
      `${taken ? "taken" : ""} ${out ? "left-out" : ""}`,
      head,
      make("td", "number", value("logit", id, number(this.found.logits[id], 2))),
      make("td", "number", value("scaled", id, Number.isFinite(scaled) ? number(scaled, 2) : "−∞")),
      drawn,
      make("td", "number", value("probability", id, percentOf(p))),
    );
    row.dataset.token = id;
    return row;
  }

  /** Surprise and entropy, in bits. */
  bits(rungs) {
    const { taken } = this.found;
    const line = (...parts) => make("span", "line", ...parts);
    const bits = (name, amount) => make("b", "", value("bits", name, amount.toFixed(2)), " bits");
    const own = line("In the model’s own distribution, before all this: ");
    if (taken) {
      const logProb = rungs.logProbs[taken[0]];
      own.append(quoted(taken[1]), " has ", percentOf(Math.exp(logProb)), ", surprise ", bits("surprise", -logProb / Math.LN2), "; ");
    }
    own.append("entropy ", bits("entropy", rungs.entropy), ".");
    return [own, line("As drawn: entropy ", bits("drawn_entropy", rungs.drawnEntropy), ".")];
  }
}

/** Settings for comparing: null and the value that leaves every token are the same. */
const plain = ({ temperature, top_k: topK, top_p: topP, min_p: minP }) => [temperature, topK || 0, topP ?? 1, minP || 0].join();

/** A probability: what is too small to show is not shown as nothing. */
function percentOf(p) {
  if (p > 0 && p < 0.0005) return "< 0.1 %";
  return p ? percent(p, 1) : "0";
}

/** A token on its button: a space has a sign there. */
const faceOf = (token, subword) => (token === " " ? "␣" : visible(token, subword) || "∅");
