// The sentence above the picture: what stands out in the signal and layer that are shown.

export class Finding {
  constructor(root, bench) {
    this.root = root;
    this.bench = bench;
    this.found = null; // signal -> a finding a layer, once the text is complete
    root.querySelector(".show-where").addEventListener("click", () => this.showWhere());
  }

  clear() {
    this.found = null;
  }

  now() {
    const { view, columns } = this.bench;
    return this.found?.[columns.signals[view.signal].name]?.[view.layer];
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
    const number = (count) => count.toLocaleString("en");
    const steps = columns.end === 1 ? "1 step" : `${number(columns.end)} steps`;
    part(".progress").textContent = columns.done
      ? steps
      : `writing · ${number(columns.end)} of ${number(columns.capacity)} steps`;
  }
}
