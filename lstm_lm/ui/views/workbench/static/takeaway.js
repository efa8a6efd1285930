// The menu "Take away": pictures, numbers and the text as files, and a link to this very view.
// The server makes them from the values it stores; here they only become files.

import { bytesOf } from "../../../web/columns.js";
import { make } from "../../../web/elements.js";

const OURS = ["__theme", "__lang"]; // of the address, how the page looks: it stays
const KEPT = 20_000; // ms until a file that was handed over is let go

export class TakeAway {
  constructor(root, bench) {
    this.bench = bench;
    this.box = root.querySelector(".take");
    this.button = this.box.querySelector(".take-open");
    this.panel = this.box.querySelector(".take-panel");
    this.list = this.box.querySelector("dl");
    this.address = this.box.querySelector(".address");
    this.status = this.box.querySelector(".take-status");
    this.button.addEventListener("click", () => this.open(this.panel.hidden));
    this.address.addEventListener("focus", () => this.address.select());
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.panel.hidden) return;
      event.stopPropagation();
      this.open(false);
      this.button.focus();
    });
    document.addEventListener("pointerdown", (event) => {
      if (!this.panel.hidden && !this.box.contains(event.target)) this.open(false);
    });
  }

  /** A new text: what was said of the one before is no longer so, nor is a link in the address. */
  began(before, header) {
    this.open(false);
    if (before && header.asked && !header.view) this.show("");
  }

  open(open) {
    this.panel.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (!open) return;
    this.say("");
    this.address.hidden = true;
    this.build();
  }

  /** What of the run is shown: see ui/places.py. */
  place() {
    const { bench } = this;
    const { view, plot } = bench;
    const { columns } = this.lane();
    const { scrollLeft, clientWidth } = plot.scroller;
    const start = Math.max(0, Math.min(columns.end - 1, Math.floor(scrollLeft / plot.columnWidth)));
    const stop = Math.min(columns.end, Math.ceil((scrollLeft + clientWidth) / plot.columnWidth));
    return {
      signal: columns.signals[view.signal].name,
      layer: view.layer,
      order: columns.done ? view.ordering : "index", // no order is known while the model writes
      start,
      stop: Math.max(start + 1, stop),
      step: view.pin?.step ?? null,
      unit: view.unit,
    };
  }

  /** The text, or the branch that is looked into. */
  lane() {
    return this.bench.view.pin?.lane ?? this.bench.lane;
  }

  build() {
    const { columns, number } = this.lane();
    const { start, stop, layer, signal } = this.place();
    const { label } = columns.signals.find(({ name }) => name === signal);
    const of = columns.layers > 1 ? `${label}, layer ${layer + 1}` : label;
    const count = (steps) => `${columns.end} steps × ${(steps * columns.units).toLocaleString("en")} units`;
    const rows = [
      ["Picture", `steps ${start + 1} to ${stop}, as in view`, { PNG: "picture.png", SVG: "picture.svg" }],
      [of, count(1), { CSV: "signal.csv", NPZ: "signal.npz" }],
    ];
    if (columns.signals.length * columns.layers > 1) {
      const all = columns.signals.length > 1 ? `All ${columns.signals.length} signals` : label;
      rows.push([columns.layers > 1 ? `${all}, every layer` : all, count(columns.layers), { CSV: "all.csv", NPZ: "all.npz" }]);
    }
    rows.push([number ? `Text of branch ${number}` : "Text", `${columns.end} tokens`, { TXT: "text.txt" }]);
    rows.push(["Link", "shows this view again, where there is the same model", { "Copy link": null }]);
    this.list.replaceChildren(...rows.flatMap((row) => this.row(...row)));
  }

  row(name, told, kinds) {
    const buttons = Object.entries(kinds).map(([text, kind]) => {
      const button = make("button", "", text);
      button.type = "button";
      if (kind) button.setAttribute("aria-label", `${name} as ${text}`);
      button.addEventListener("click", () => this.working(button, () => (kind ? this.take(kind) : this.copy())));
      return button;
    });
    return [make("dt", "", name, make("small", "", told)), make("dd", "", ...buttons)];
  }

  async working(button, act) {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await act();
    } catch {
      this.say("The server did not answer: try again.");
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  async take(kind) {
    this.say("One moment …");
    const answer = await this.bench.server.take([this.lane().columns.run, this.place(), kind]);
    if (!this.usable(answer)) return;
    const bytes = bytesOf(answer.data);
    const url = URL.createObjectURL(new Blob([bytes], { type: answer.type }));
    const link = document.createElement("a");
    link.href = url;
    link.download = answer.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), KEPT);
    this.say(`${answer.name}, ${Math.max(1, Math.round(bytes.length / 1000)).toLocaleString("en")} kB, is in your downloads.`);
  }

  async copy() {
    const answer = await this.bench.server.link([this.lane().columns.run, this.place()]);
    if (!this.usable(answer)) return;
    this.show(answer.query);
    this.address.value = `${location.origin}${location.pathname}?${answer.query}`;
    this.address.hidden = false;
    try {
      await navigator.clipboard.writeText(this.address.value);
      this.say("The link is copied.");
    } catch {
      // No clipboard without https or leave: the link stands there, chosen, to be copied by hand.
      this.address.focus();
      this.say("Copy the link above.");
    }
  }

  usable(answer) {
    if (answer && !answer.error) return true;
    const why = answer?.error ?? "That text is no longer held by the server: write or read again.";
    this.say(why[0].toUpperCase() + why.slice(1));
    return false;
  }

  /** The link in the address bar, so that the page opens with it again; empty: none. */
  show(query) {
    const address = new URLSearchParams(query);
    const before = new URLSearchParams(location.search);
    for (const name of OURS) if (before.has(name)) address.set(name, before.get(name));
    const search = address.toString();
    history.replaceState(history.state, "", location.pathname + (search && `?${search}`) + location.hash);
  }

  say(text) {
    this.status.textContent = text;
  }
}
