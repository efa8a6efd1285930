// Two switches, for any picture of a model: which signal, and which layer.

export class SignalSwitches {
  /**
   * @param {HTMLElement} root holds .signals and .layers.
   * @param {{columns, view, choose: Function}} bench whose view they show, and which they tell.
   */
  constructor(root, bench) {
    this.bench = bench;
    this.signals = root.querySelector(".signals");
    this.layers = root.querySelector(".layers");
  }

  /** Buttons for this model's signals and layers. */
  build() {
    const { columns } = this.bench;
    this.signals.replaceChildren(
      ...columns.signals.map(({ label, plain }, signal) => this.button(label, plain, { signal })),
    );
    this.layers.replaceChildren(
      ...Array.from({ length: columns.layers }, (_, layer) => this.button(`Layer ${layer + 1}`, "", { layer })),
    );
    this.mark();
  }

  button(label, plain, choice) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    if (plain) {
      const small = document.createElement("small");
      small.textContent = ` ${plain}`;
      button.append(small);
    }
    button.addEventListener("click", () => this.bench.choose(choice));
    return button;
  }

  /** Show what is chosen. */
  mark() {
    const { view } = this.bench;
    press(this.signals.children, (_, at) => at === view.signal);
    press(this.layers.children, (_, at) => at === view.layer);
  }
}

/** Show which of some buttons are chosen. */
export function press(buttons, chosen) {
  [...buttons].forEach((button, at) => button.setAttribute("aria-pressed", String(chosen(button, at))));
}
