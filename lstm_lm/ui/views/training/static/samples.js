// What the runs wrote, side by side, and the slider through their evaluations.

import { bits } from "./scale.js";

export class Samples {
  constructor(root, view) {
    this.view = view;
    this.slider = root.querySelector(".slide input");
    this.told = root.querySelector(".slide .place");
    this.grid = root.querySelector(".samples");
    this.slider.addEventListener("input", () => view.moveTo(Number(this.slider.value)));
  }

  /** A pane for each run; those that stand already keep their scroll and focus. */
  build() {
    this.slider.max = Math.max(0, this.view.places.length - 1);
    const built = JSON.stringify(this.view.runs.map(({ name, label, color }) => [name, label, color]));
    if (built === this.built) return;
    this.built = built;
    this.panes = this.view.runs.map((run) => {
      const part = (tag, name) => {
        const element = document.createElement(tag);
        element.className = name;
        return element;
      };
      const [pane, name, told, text] = [
        part("div", "of"), part("p", "name"), part("p", "told"), part("pre", "text"),
      ];
      pane.style.setProperty("--run", `var(--run-${run.color})`);
      pane.dataset.run = run.name;
      name.textContent = run.label;
      text.tabIndex = 0;
      text.setAttribute("aria-label", `What ${run.label} wrote`);
      pane.append(name, told, text);
      return { pane, told, text };
    });
    this.grid.replaceChildren(...this.panes.map(({ pane }) => pane));
  }

  show() {
    const { runs, places, place } = this.view;
    if (!places.length) return;
    this.slider.value = place;
    const told = `${place + 1} of ${places.length} · ${places[place].percent} % of each run`;
    this.told.textContent = told;
    this.slider.setAttribute("aria-valuetext", told);
    runs.forEach((run, at) => {
      const row = this.view.rowAtPlace(at);
      const point = run.points[row];
      this.panes[at].told.textContent =
        `step ${point.step.toLocaleString("en")} · ${bits(point.val)} bits a character`;
      this.panes[at].text.textContent = run.samples[row];
    });
  }
}
