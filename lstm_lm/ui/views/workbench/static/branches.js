// The branches under the text: grown from a step's own state, listed with what became of them.

import { Columns, floatsOf } from "../../../web/columns.js";
import { make } from "../../../web/elements.js";
import { Lane } from "./lane.js";
import { number } from "../../../web/numbers.js";

const MOST = 3;

export class Branches {
  constructor(root, bench) {
    this.bench = bench;
    this.list = root.querySelector(".branches");
    this.key = root.querySelector(".branch-key");
    this.status = root.querySelector(".ladder .status");
    this.lanes = [];
  }

  clear() {
    this.keep([]);
  }

  /** These alone; the pin may not be in another. */
  keep(lanes) {
    this.lanes = lanes;
    this.status.textContent = "";
    this.draw();
  }

  /** Another token after this place: the model goes on from that step's own state. */
  async grow({ lane, step }, token, settings) {
    const { bench } = this;
    if (this.growing) return;
    if (this.lanes.length === MOST) {
      this.say("Three branches are shown: remove one, then grow another.");
      return;
    }
    this.growing = true;
    this.say("The model goes on …");
    const { temperature, top_k, top_p, min_p, seed } = settings;
    const answer = await bench.server.branch([lane.columns.run, step, token, { temperature, top_k, top_p, min_p, seed }]).finally(() => {
      this.growing = false;
    });
    if (!answer || answer.error) {
      this.say(answer?.error ?? "That step is no longer held by the server: write or read again.");
      return;
    }
    if (!this.holds(lane)) return; // the text has changed meanwhile
    const grown = this.add(answer, lane);
    this.say("");
    this.present(grown, grown.from);
  }

  /** Whether the lane is the text, or one of the branches under it. */
  holds(lane) {
    return this.bench.lane === lane || this.lanes.includes(lane);
  }

  /** The places that are free. */
  get room() {
    return MOST - this.lanes.length;
  }

  /** Put a branch that the server wrote under its parent; `more`: what the lane also knows. */
  add(answer, parent, more = {}) {
    const number = [1, 2, 3].find((each) => this.lanes.every((other) => other.number !== each));
    const columns = new Columns(answer);
    columns.begin(parent.columns, answer.start);
    columns.add(answer);
    columns.done = true;
    const { start: from, sentence } = answer;
    const differences = floatsOf(answer.differences);
    const lane = new Lane(columns, { number, from, parent, differences, sentence, ...more });
    this.lanes.push(lane);
    this.lanes.sort((a, b) => a.number - b.number);
    return lane;
  }

  /** Show what has grown: its picture at this step, its sentence, and for the ear. */
  present(lane, step) {
    const { bench } = this;
    this.draw();
    bench.speak(`Branch ${lane.number}. ${lane.sentence}`);
    bench.refreshLine(true);
    bench.plot.reveal(step, { center: true });
    this.list.children[this.lanes.indexOf(lane)].scrollIntoView({ block: "nearest" });
  }

  remove(lane) {
    const gone = [lane];
    for (const other of this.lanes) if (gone.includes(other.parent)) gone.push(other);
    const at = this.lanes.indexOf(lane);
    this.lanes = this.lanes.filter((other) => !gone.includes(other));
    const { pin, cursor } = this.bench.view;
    if (gone.includes(cursor?.lane)) this.bench.cursor.moveTo(null);
    if (gone.includes(pin?.lane)) {
      this.bench.pin(Math.min(pin.step, this.bench.columns.end - 1), pin.unit, { lane: this.bench.lane });
    }
    this.draw();
    this.say("");
    this.bench.speak(gone.length > 1 ? "The branch and what grew from it are removed." : "The branch is removed.");
    const next = this.list.children[Math.min(at, this.lanes.length - 1)];
    (next?.querySelector(".remove") ?? this.bench.plot.canvas).focus();
  }

  say(text) {
    this.status.textContent = text;
  }

  draw() {
    this.list.replaceChildren(...this.lanes.map((lane) => this.item(lane)));
    this.explain();
    this.bench.plot.arrange();
  }

  /** What the tint and the bar over a branch mean, for the signal and layer that are shown. */
  explain() {
    const { view, columns } = this.bench;
    this.key.hidden = !this.lanes.length;
    if (!this.lanes.length) return;
    const signal = columns.signals[view.signal].label.toLowerCase();
    const most = this.lanes.map((lane) => number(lane.apart(view).largest)).join(" and ");
    this.key.textContent =
      `A tinted token is another than in the text at that step. The bar over a branch: how far apart the ${signal} ` +
      `of layer ${view.layer + 1} is, averaged over its units; full colour is ${most}.`;
  }

  item(lane) {
    const button = (className, text, label, act) => {
      const made = make("button", className, text);
      made.type = "button";
      made.setAttribute("aria-label", label);
      made.addEventListener("click", act);
      return made;
    };
    const { bench } = this;
    const go = (step) => () => {
      bench.pin(step, bench.view.unit, { lane, speak: true });
      bench.plot.reveal(step, { center: true });
    };
    const differs = lane.first ?? null;
    return make(
      "li",
      "",
      make("b", "", `Branch ${lane.number}`),
      make("span", "sentence-of", lane.sentence),
      button("link", "look inside", `Look inside branch ${lane.number}`, go(lane.from)),
      ...(differs === null ? [] : [button("link", "where they part", `Go to where branch ${lane.number} parts`, go(differs))]),
      button("link remove", "remove", `Remove branch ${lane.number}`, () => this.remove(lane)),
    );
  }
}
