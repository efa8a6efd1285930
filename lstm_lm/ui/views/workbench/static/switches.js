// The switches: which signal, which layer, in which order. Changing one never writes again.

import { SignalSwitches, press } from "../../../web/signal_switches.js";

export class Switches extends SignalSwitches {
  constructor(root, bench) {
    super(root, bench);
    this.order = root.querySelector(".order");
    this.by = root.querySelector(".order .by");
    this.by.addEventListener("change", () => bench.choose({ ordering: this.by.value || "alike" }));
    for (const button of this.order.querySelectorAll("button")) {
      button.addEventListener("click", () => bench.choose({ ordering: button.dataset.order }));
    }
  }

  /** Show what is chosen. */
  mark() {
    const { view } = this.bench;
    super.mark();
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
