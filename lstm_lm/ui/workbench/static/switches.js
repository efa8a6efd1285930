// The switches: which signal, which layer, in which order. Changing one never writes again.

export class Switches {
  constructor(root, bench) {
    this.bench = bench;
    this.signals = root.querySelector(".signals");
    this.layers = root.querySelector(".layers");
    this.order = root.querySelector(".order");
    this.by = root.querySelector(".order .by");
    this.by.addEventListener("change", () => bench.choose({ ordering: this.by.value || "alike" }));
    for (const button of this.order.querySelectorAll("button")) {
      button.addEventListener("click", () => bench.choose({ ordering: button.dataset.order }));
    }
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
    const press = (buttons, chosen) =>
      [...buttons].forEach((button, at) => button.setAttribute("aria-pressed", String(chosen(button, at))));
    press(this.signals.children, (_, at) => at === view.signal);
    press(this.layers.children, (_, at) => at === view.layer);
    press(this.order.querySelectorAll("button"), (button) => button.dataset.order === view.ordering);
    const offered = [...this.by.options].some(({ value }) => value === view.ordering);
    this.by.value = offered ? view.ordering : "";
    this.by.classList.toggle("chosen", offered);
  }

  /** What the rows can be sorted by, once the text is complete; and why not, of what cannot. */
  offer(properties) {
    const first = new Option(properties.length ? "by what they follow …" : "by what they follow", "");
    this.by.replaceChildren(
      first,
      ...properties.map(({ key, name, why }) => {
        const option = new Option(why ? `${name} (${why})` : name, key);
        option.disabled = Boolean(why);
        return option;
      }),
    );
    this.by.disabled = !properties.length;
    this.mark();
  }
}
