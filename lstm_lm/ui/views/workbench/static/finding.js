// The sentences above the picture: what stands out in the signal and layer that are shown, and what
// else does in the text.

import { make } from "../../../web/elements.js";

const MOST = 2; // further sentences
export class Finding {
  constructor(root, bench) {
    this.root = root;
    this.bench = bench;
    this.clear();
    this.also = root.querySelector(".also");
    root.querySelector(".show-where").addEventListener("click", () => this.showWhere());
  }

  clear() {
    this.found = null; // signal -> a finding a layer, once the text is complete
    this.overview = []; // what stands out in the whole text
    this.saidAlso = null;
    this.opened = null; // one of those that was pressed, until another signal or order is chosen
  }

  /** A complete text's: see ui/meaning.py. */
  take({ findings, overview }) {
    this.found = findings;
    this.overview = overview;
  }

  /** One that was pressed, else of what the rows are sorted by, else of the signal and layer. */
  now() {
    const { view, columns, orderKey } = this.bench;
    if (this.opened && this.opened.where !== orderKey) this.opened = null;
    if (this.opened) return this.opened.finding;
    return this.bench.sorted?.finding ?? this.found?.[columns.signals[view.signal].name]?.[view.layer];
  }

  /** Look at the unit that it speaks of, unless a person chose another. */
  follow() {
    const { view } = this.bench;
    const finding = this.now();
    if (finding?.unit != null && !view.chosenUnit) {
      view.unit = finding.unit;
      if (view.pin) view.pin = { ...view.pin, unit: finding.unit };
    }
    this.say();
    this.bench.refreshLine(true);
  }

  /** Put another finding on top and go there. */
  open(finding) {
    const { bench } = this;
    if (finding.signal) {
      const signal = bench.columns.signals.findIndex(({ name }) => name === finding.signal);
      bench.choose({ signal, layer: finding.layer });
    }
    this.opened = { finding, where: bench.orderKey };
    this.say();
    this.showWhere();
    if (finding.step != null) this.root.querySelector(".show-where").focus({ preventScroll: true });
  }

  showWhere() {
    const { bench } = this;
    const finding = this.now();
    if (finding?.step == null) return;
    bench.pin(finding.step, finding.unit ?? bench.view.unit, { lane: bench.lane, speak: true });
    if (finding.unit != null) bench.view.chosenUnit = false;
    bench.plot.reveal(finding.step, { center: true });
  }

  say() {
    const finding = this.now();
    const { columns, view } = this.bench;
    const signal = columns.signals[view.signal];
    const part = (name) => this.root.querySelector(name);
    if (finding) {
      part(".sentence").textContent = finding.sentence;
      part(".against").textContent = finding.evidence;
    } else {
      part(".sentence").textContent = `${signal.label} of layer ${view.layer + 1}, as the model writes.`;
      part(".against").textContent = "What stands out is said when the text is complete.";
    }
    part(".show-where").hidden = finding?.step == null;
    this.sayAlso(finding);
    const number = (count) => count.toLocaleString("en");
    const steps = columns.end === 1 ? "1 step" : `${number(columns.end)} steps`;
    part(".progress").textContent = columns.done
      ? steps
      : `writing · ${number(columns.end)} of ${number(columns.capacity)} steps`;
  }

  sayAlso(shown) {
    const others = this.overview.filter(({ sentence }) => sentence !== shown?.sentence).slice(0, MOST);
    const key = others.map(({ sentence }) => sentence).join(" ");
    if (key === this.saidAlso) return; // buttons are not made anew under a pointer
    this.saidAlso = key;
    this.also.replaceChildren(
      ...others.map((finding) => {
        const button = make("button", "link", finding.sentence);
        button.type = "button";
        button.title = finding.evidence;
        button.addEventListener("click", () => this.open(finding));
        return make("li", "", button);
      }),
    );
  }
}
