// The workbench: takes payloads in, holds what is chosen, and lets each part draw itself.

import { Branches } from "./branches.js";
import { Columns, floatsOf } from "../../../web/columns.js";
import { Cursor } from "./cursor.js";
import { Exact } from "./exact.js";
import { Finding } from "./finding.js";
import { Inside } from "./inside.js";
import { Ladder } from "./ladder.js";
import { Lane } from "./lane.js";
import { watchTheme } from "../../../web/palette.js";
import { Plot } from "./plot.js";
import { Saturation } from "./saturation.js";
import { Switches } from "./switches.js";
import { TakeAway } from "./takeaway.js";
import { WrittenText } from "./text.js";
import { WhatIf } from "./whatif.js";

const FIRST_SIGNAL = "cell_state";
const LINE_REFRESH = 400; // ms between two fetches of the unit's line while columns arrive

class Workbench {
  constructor({ element, props, server }) {
    this.root = element.querySelector(".workbench");
    this.props = props;
    this.server = server;
    this.exact = new Exact(server);
    this.columns = null;
    this.lane = null; // the text's own place in the picture
    this.marks = [];
    this.asked = 0;
    this.orders = new Map();
    this.view = {
      signal: 0, layer: 0, unit: 0, ordering: "alike", order: null,
      pin: null, cursor: null, pointed: -1, chosenUnit: false,
    };
    this.switches = new Switches(this.root, this);
    this.plot = new Plot(this.root, this);
    this.cursor = new Cursor(this.root, this, this.plot);
    this.finding = new Finding(this.root, this);
    this.inside = new Inside(this.root, this);
    this.ladder = new Ladder(this.root, this);
    this.branches = new Branches(this.root, this);
    this.whatIf = new WhatIf(this.root, this);
    this.text = new WrittenText(this.root, this);
    this.takeAway = new TakeAway(this.root, this);
    this.saturation = new Saturation(this.root, this);
    watchTheme(() => {
      this.plot.redraw();
      this.inside.draw();
    });
  }

  /** A payload from Python: see ui/payload.py. */
  apply() {
    const value = this.props.value;
    if (!value || typeof value !== "object") return;
    if (value.error) {
      this.note([value.error]);
      if (this.columns) this.settle();
      return;
    }
    if (value.signals && value.run !== this.columns?.run) {
      if (value.asked < this.asked) return; // the answer to an older question
      this.asked = value.asked ?? this.asked;
      this.begin(value);
    } else if (value.notes && value.run === this.columns?.run) {
      this.note(value.notes);
    }
    if (!this.columns || value.run !== this.columns.run) return;
    const [from, to] = this.columns.add(value);
    this.plot.arrived(from, to);
    this.text.arrived(from, to);
    if (value.done) {
      this.end(value);
    } else {
      this.streamed = true;
      this.saturation.refresh();
      if (this.refreshLine() && !this.view.pin) {
        this.inside.show({ lane: this.lane, step: this.columns.end - 1, unit: this.view.unit });
      }
    }
    this.finding.say();
  }

  begin(header) {
    const before = this.columns;
    const sameModel = before?.header.model === header.model && before.layers === header.layers;
    this.columns = new Columns(header);
    this.lane = new Lane(this.columns);
    this.scale = floatsOf(header.scale);
    this.marks = header.marks ?? [];
    this.finding.clear();
    this.saturation.clear();
    this.streamed = false; // whether its columns came while it was written
    this.exact.clear();
    const view = this.view;
    view.pin = view.cursor = null;
    const wanted = sameModel ? before.signals[view.signal].name : FIRST_SIGNAL;
    const found = header.signals.findIndex(({ name }) => name === wanted);
    view.signal = found < 0 ? header.signals.length - 1 : found;
    view.layer = Math.min(view.layer, header.layers - 1);
    if (!sameModel) {
      this.orders.clear();
      view.chosenUnit = false;
      view.unit = 0;
    }
    this.wanted = header.view ?? null; // what a link asks to see
    if (this.wanted) {
      const { signal, layer, order, unit } = this.wanted;
      view.signal = header.signals.findIndex(({ name }) => name === signal);
      view.layer = layer;
      view.ordering = order;
      view.chosenUnit = unit !== null;
      if (unit !== null) view.unit = unit;
    }
    this.takeOrder();
    this.note(header.notes ?? []);
    this.text.clear();
    this.inside.clear();
    this.ladder.clear();
    this.branches.clear();
    this.whatIf.clear();
    this.switches.build();
    this.switches.offer([]);
    this.takeAway.began(before, header);
    this.plot.begin();
    this.cursor.readOut();
  }

  end(value) {
    this.columns.done = true;
    this.finding.take(value);
    this.fillGaps();
    this.orders.clear(); // they were made from fewer steps
    this.fallBack(value.properties);
    this.switches.offer(value.properties);
    this.saturation.refresh(true);
    this.takeOrder();
    this.settle();
  }

  /** Something to look at under the picture: the finding's step at first, else the last one. */
  settle() {
    this.finding.follow();
    const { view, columns, wanted } = this;
    if (view.pin) this.ladder.show();
    this.whatIf.say();
    if (view.pin || !columns.end) return;
    if (wanted) {
      if (wanted.step === null || wanted.step >= columns.end) return;
      this.pin(wanted.step, view.unit, { quiet: true, lane: this.lane });
      this.plot.reveal(wanted.step, { center: true });
      return;
    }
    const step = this.streamed ? columns.end - 1 : (this.finding.now()?.step ?? columns.end - 1);
    this.pin(step, view.unit, { quiet: true, lane: this.lane });
    if (step !== columns.end - 1) this.plot.reveal(step, { center: true });
  }

  async fillGaps() {
    const { columns } = this;
    for (let at = columns.missing(); at >= 0; at = columns.missing()) {
      const answer = await this.server.columns([columns.run, at]);
      if (!answer || answer.run !== this.columns.run) return;
      const [from, to] = columns.add(answer);
      if (from === to) return;
      this.plot.arrived(from, to);
      this.text.rebuild();
    }
  }

  note(lines) {
    this.root.querySelector(".notes").textContent = lines.join(" ");
  }

  // What a person chooses.

  choose(changes) {
    Object.assign(this.view, changes);
    for (const lane of this.plot.lanes) lane.line = null;
    this.takeOrder();
    this.switches.mark();
    this.saturation.refresh(true);
    this.plot.redraw();
    this.finding.follow();
    this.inside.show();
    this.branches.explain();
    this.cursor.readOut();
  }

  /**
   * Hold a step and a unit of the text, or of a branch.
   * @param quiet it was not a person who chose. @param speak a screen reader should hear of it.
   */
  pin(step, unit, { lane = this.view.pin?.lane ?? this.lane, quiet = false, speak = false } = {}) {
    const changed = unit !== this.view.unit;
    this.view.pin = { lane, step, unit };
    this.view.unit = unit;
    if (!quiet) this.view.chosenUnit = true;
    if (changed || !lane.line) this.refreshLine(true);
    this.plot.schedule();
    this.cursor.readOut();
    this.saturation.follow();
    this.inside.show(this.view.pin, { speak });
    this.ladder.show();
    this.text.mark(lane, step);
  }

  /** Some steps on and some rows down: the pin, or the cursor where nothing is pinned. */
  move(steps, rows) {
    const { view, columns } = this;
    const from = view.cursor ?? view.pin ?? { lane: this.lane, step: 0, unit: view.unit };
    const { lane } = from;
    const clamp = (x, size) => Math.max(0, Math.min(size - 1, x));
    const step = Math.max(lane.from, clamp(from.step + steps, lane.columns.end));
    const unit = view.order[clamp(this.plot.rowOf(from.unit) + rows, columns.units)];
    if (view.pin) {
      this.cursor.moveTo(null);
      this.pin(step, unit, { lane });
      this.cursor.readOut(true);
    } else {
      this.cursor.moveTo({ lane, step, unit }, { speak: true });
    }
    this.plot.reveal(step);
  }

  /** Go to a unit that a sum names. */
  follow(layer, step, unit) {
    if (layer !== this.view.layer) this.choose({ layer });
    this.pin(step, unit, { speak: true });
    this.plot.reveal(step);
  }

  /** What a screen reader says: after a key or a press, never on hover. */
  speak(text) {
    this.root.querySelector(".spoken").textContent = text;
  }

  unpin() {
    this.view.pin = null;
    this.plot.schedule();
    this.inside.clear();
    this.ladder.show(null);
    this.text.mark(this.lane, -1);
  }

  /** Where the rows cannot be sorted by what was chosen in another text, they lie alike together. */
  fallBack(properties) {
    const { view } = this;
    if (view.ordering === "index" || view.ordering === "alike") return;
    const found = properties.find(({ key }) => key === view.ordering);
    if (!found || found.why) view.ordering = "alike";
  }

  /** Look at a unit in the step that is pinned, or the last. */
  chooseUnit(unit) {
    const { pin } = this.view;
    this.pin(pin?.step ?? this.columns.end - 1, unit, { speak: true });
  }

  get orderKey() {
    return `${this.view.signal} ${this.view.layer} ${this.view.ordering}`;
  }

  /** What the rows are sorted by, with its finding; undefined where that is no property. */
  get sorted() {
    const order = this.orders.get(this.orderKey);
    return order?.finding && order;
  }

  /** The rows' order: in order at once; any other when the server has worked it out. */
  async takeOrder() {
    const { view, columns } = this;
    const identity = () => Uint32Array.from({ length: columns.units }, (_, unit) => unit);
    if (view.ordering === "index") {
      view.order = identity();
      return;
    }
    const key = this.orderKey;
    if (this.orders.has(key)) {
      view.order = this.orders.get(key).rows;
      return;
    }
    if (view.order?.length !== columns.units) view.order = identity();
    if (!columns.done) return; // rows stay where they are while the model writes
    const answer = await this.server.order([columns.run, columns.signals[view.signal].name, view.layer, view.ordering]);
    if (!answer || columns !== this.columns) return;
    const values = answer.values && floatsOf(answer.values);
    this.orders.set(key, { ...answer, values, rows: Uint32Array.from(answer.order) });
    if (key !== this.orderKey) return;
    view.order = this.orders.get(key).rows;
    this.plot.redraw();
    if (answer.finding) this.finding.follow();
  }

  /** Fetch the unit's line again; true unless that was done a moment ago. */
  refreshLine(now = false) {
    const time = performance.now();
    if (!now && time - (this.lineAsked ?? 0) < LINE_REFRESH) return false;
    this.lineAsked = time;
    this.fetchLine();
    return true;
  }

  async fetchLine() {
    const { view, columns } = this;
    const { signal, layer, unit } = view;
    await Promise.all(
      this.plot.lanes.map(async (lane) => {
        const { run, end } = lane.columns;
        const line = await this.exact.line(run, columns.signals[signal].name, layer, unit, end);
        if (!line || view.signal !== signal || view.layer !== layer || view.unit !== unit) return;
        lane.line = line;
        this.plot.schedule();
      }),
    );
  }
}

/** The workbenches of the page, by the id of their component. */
export const benches = new Map();

/** Called once a component: see workbench/__init__.py. */
export function mount({ element, props, watch, server }) {
  const workbench = new Workbench({ element, props, server });
  benches.set(element.closest("[id$=-bench]")?.id, workbench);
  watch("value", () => workbench.apply());
  workbench.apply();
  return workbench;
}
