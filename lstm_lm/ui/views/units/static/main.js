// The units' pages: holds which unit of which model is shown, fetches its numbers, and lets each
// part draw itself. Nothing is asked of the server before the view is in sight.

import { floatsOf } from "../../../web/columns.js";
import { make } from "../../../web/elements.js";
import { watchTheme } from "../../../web/palette.js";
import { AddressBar } from "./address.js";
import { goToUnit, receivePlaces, takePlace } from "../../../web/going.js";
import { drawHistograms } from "./histograms.js";
import { Hold } from "./hold.js";
import { OwnText } from "./own.js";
import { Peaks } from "./peaks.js";
import { drawDoes, drawWorth, markWorth } from "../../../web/scores.js";
import { drawSway, markMoved, tellMost } from "./sway.js";
import { drawPushes, drawWriters } from "./weights.js";

const KEPT = 200; // pages that are remembered
const MOVES = { ArrowLeft: -1, ArrowRight: 1 };
const GATES = ["forget_gate", "input_gate", "candidate", "output_gate", "hidden_state"];

class UnitPages {
  constructor({ element, props, server }) {
    this.root = element.querySelector(".units");
    this.part = (name) => this.root.querySelector(name);
    this.props = props;
    this.server = server;
    this.model = null; // whose units are shown
    this.survey = null;
    this.page = null;
    this.state = "cell_state";
    this.gate = "forget_gate";
    this.pages = new Map();
    this.peaks = new Peaks(this.root, this);
    this.own = new OwnText(this.root, this);
    this.hold = new Hold(this.root, this);
    this.address = new AddressBar({
      go: goToUnit,
      prefix: () => this.survey?.address,
      now: () => (this.page ? this.query(this.page.layer, this.page.unit) : null),
    });
    this.number = this.part(".moves .number");
    this.typing = false; // an answer that comes meanwhile does not write over what is typed
    this.number.addEventListener("input", () => (this.typing = true));
    this.number.addEventListener("change", () => this.chooseNumber());
    this.number.addEventListener("blur", () => {
      this.typing = false; // no change where the same number was typed again
      if (this.page) this.number.value = this.place.unit;
    });
    for (const button of this.root.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => this.move(Number(button.dataset.move)));
    }
    this.part(".copy").addEventListener("click", () => this.copyLink());
    this.part(".address").addEventListener("focus", (event) => event.target.select());
    document.addEventListener("keydown", (event) => this.key(event));
    watchTheme(() => this.draw());
    receivePlaces(() => this.begin());
    new ResizeObserver(() => (this.root.clientWidth ? this.begin() : this.address.leave())).observe(this.root);
  }

  /** A value from Python: the model, and where a link leads. */
  apply() {
    const value = this.props.value;
    if (!value || typeof value !== "object" || value === this.applied) return;
    this.applied = value;
    if (value.unit !== undefined) this.wanted = value;
    this.begin();
  }

  /** Fetch what holds for the model, once the view is in sight. */
  async begin() {
    const { model } = this.props.value ?? {};
    if (!model || !this.root.clientWidth || this.loading) return;
    if (model === this.model) {
      if (!this.follow() && this.page) this.address.show(this.query(this.page.layer, this.page.unit));
      return;
    }
    this.loading = true;
    this.model = this.survey = this.page = this.asked = null; // what comes late is of no use
    this.pages.clear();
    this.part(".all").hidden = true;
    this.part(".sway").hidden = true;
    this.part(".overview").replaceChildren();
    this.say("The model writes the text that its units are measured in …", "This is done once, when a model’s units are first looked at.");
    this.note("");
    let found = null;
    try {
      found = await this.server.survey([model]);
    } catch {
      found = { error: "the server did not answer: choose the model again" };
    }
    this.loading = false;
    if (model !== this.props.value?.model) {
      this.begin(); // another was chosen meanwhile
      return;
    }
    this.model = model;
    if (!found || found.error) {
      this.say("The units of this model cannot be shown.", "");
      this.note(found?.error ?? "This model is no longer here: choose another.");
      return;
    }
    this.survey = found;
    this.build();
    const [first] = found.worth;
    if (!this.follow()) this.show(first?.layer ?? 0, first?.unit ?? 0);
  }

  /** Go where another view or a link leads, if it leads to this model. */
  follow() {
    if (!this.survey) return false;
    const place = takePlace();
    if (place) {
      this.wanted = null;
      const { layers, units, worth } = this.survey;
      const fits = place.layer < layers && place.unit < units; // otherwise it is of the last model
      const { layer, unit } = fits ? place : (worth[0] ?? { layer: 0, unit: 0 });
      this.show(layer, unit, { toTop: true, from: place.from });
      return true;
    }
    const { wanted } = this;
    if (wanted?.model !== this.model) return false;
    this.wanted = null;
    this.note((wanted.notes ?? []).join(" "));
    this.show(wanted.layer, wanted.unit);
    return true;
  }

  /** What is the same for every unit of the model: switches and the list. */
  build() {
    const { survey } = this;
    const labels = Object.fromEntries(survey.signals.map(({ name, label }) => [name, label]));
    const { states } = survey;
    if (!states.includes(this.state)) [this.state] = states;
    this.gates = GATES.filter((name) => name in labels && (states.length === 1 || !states.includes(name)));
    if (!this.gates.includes(this.gate)) [this.gate] = this.gates;
    this.labels = labels;
    const layers = Array.from({ length: survey.layers }, (_, layer) => [layer, `Layer ${layer + 1}`]);
    this.fill(".layers", layers, (layer) => this.show(layer, this.place.unit, { speak: true }));
    this.fill(".states", states.map((name) => [name, labels[name]]), (name) => {
      this.state = name;
      this.mark();
      this.peaks.draw();
      this.own.ask();
    });
    this.fill(".gates", this.gates.map((name) => [name, labels[name]]), (name) => {
      this.gate = name;
      this.mark();
      this.drawWriters();
    });
    this.number.max = survey.units - 1;
    this.part(".of").textContent = `of ${survey.units}`;
    this.hold.build(survey.signals);
    this.part(".overview").replaceChildren(...this.overview());
    drawWorth(this.part(".worth"), survey, (...to) => this.link(...to));
  }

  /** What holds for the model's units together, with a link to the clearest. */
  overview() {
    const { overview, worth } = this.survey;
    const clearest = worth.find((entry) => "score" in entry);
    if (!clearest) return [overview];
    const { layer, unit } = clearest;
    return [`${overview} `, this.link(layer, unit, `unit ${unit} of layer ${layer + 1}`), "."];
  }

  /** What holding the unit moves, on top of its page. */
  swayed(found, signal) {
    const told = this.part(".sway");
    drawSway(this.part(".swayed"), found, {
      label: this.labels[signal].toLowerCase(),
      beginAt: (step) => this.hold.begin(step),
      link: (...to) => this.link(...to),
    });
    told.hidden = !found || Boolean(found.error);
    if (told.hidden) return;
    this.tellMovers();
    const button = make("button", "link", "See what it writes");
    button.type = "button";
    button.addEventListener("click", () => this.hold.begin(Number(this.part(".from").value)));
    told.replaceChildren(`${found.sentence} `, button);
  }

  /** How much each of the units worth looking at moves, one by one: none waits long for another. */
  async tellMovers() {
    const { model, survey } = this;
    if (this.told === survey) return;
    this.told = survey;
    const moved = [];
    const places = new Map(survey.worth.map(({ layer, unit }) => [`${layer} ${unit}`, { layer, unit }]));
    for (const place of places.values()) {
      const { layer, unit } = place;
      const found = await this.server.sway([model, layer, unit, survey.states[0]]).catch(() => null);
      if (this.survey !== survey) return;
      if (!found || found.error) continue;
      moved.push(found);
      markMoved(this.part(".worth"), found);
    }
    this.part(".overview").replaceChildren(...this.overview(), ...tellMost(moved, (...to) => this.link(...to)));
  }

  fill(selector, choices, choose) {
    const buttons = choices.map(([name, label]) => {
      const button = make("button", "", label);
      button.type = "button";
      button.dataset.name = name;
      button.addEventListener("click", () => choose(name));
      return button;
    });
    this.part(selector).replaceChildren(...buttons);
    this.part(selector).hidden = choices.length < 2;
  }

  mark() {
    const chosen = { ".layers": this.page.layer, ".states": this.state, ".gates": this.gate };
    for (const [selector, name] of Object.entries(chosen)) {
      for (const button of this.part(selector).children) {
        button.setAttribute("aria-pressed", String(button.dataset.name === String(name)));
      }
    }
  }

  /** The address of a unit's page, and a link that goes there without leaving this one. */
  query(layer, unit) {
    return `?${this.survey.address}&layer=${layer}&unit=${unit}`;
  }

  link(layer, unit, text, { stay = false } = {}) {
    const link = make("a", "link", text);
    link.href = this.query(layer, unit);
    link.dataset.layer = layer;
    link.dataset.unit = unit;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // to a tab of its own
      event.preventDefault();
      this.show(layer, unit, { speak: true, push: true, toTop: !stay && !link.closest(".worth, .finding") });
    });
    return link;
  }

  /** Show a unit; held keys ask faster than answers come, and only the last asked for is shown. */
  async show(layer, unit, { speak = false, toTop = false, push = false, from = null } = {}) {
    this.asked = { layer, unit, speak, toTop, push: push || Boolean(from), from };
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.asked) {
        const asked = this.asked;
        const page = await this.fetch(asked);
        if (this.asked !== asked) continue;
        this.asked = null;
        if (page) this.open(page, asked);
      }
    } catch {
      this.asked = null;
      this.note("The server did not answer: try again.");
    } finally {
      this.busy = false;
    }
  }

  async fetch({ layer, unit }) {
    const { model } = this;
    const key = `${layer} ${unit}`;
    if (this.pages.has(key)) return this.pages.get(key);
    const page = await this.server.unit([model, layer, unit]);
    if (model !== this.model) return null;
    if (!page || page.error) {
      this.note(page?.error ?? "This model is no longer here: choose another.");
      return null;
    }
    if (this.pages.size > KEPT) this.pages.delete(this.pages.keys().next().value);
    this.pages.set(key, page);
    return page;
  }

  open(page, { speak, toTop, push, from }) {
    this.page = page;
    if (this.root.clientWidth) this.address.show(this.query(page.layer, page.unit), { push, from });
    this.lines = Object.fromEntries(Object.entries(page.lines).map(([name, text]) => [name, floatsOf(text)]));
    this.part(".all").hidden = false;
    this.part(".linked").hidden = true;
    this.draw();
    this.own.ask();
    this.hold.open(page);
    if (toTop) {
      this.part(".sentence").focus({ preventScroll: true });
      this.root.scrollIntoView({ block: "start" });
    } else if (speak) this.part(".spoken").textContent = page.sentence;
  }

  draw() {
    const { page, survey } = this;
    if (!page) return;
    const measured = page.follows.length ? ` ${page.evidence}` : "";
    this.say(page.sentence, `${survey.told}${measured}`);
    this.mark();
    if (!this.typing) this.number.value = page.unit;
    this.part('[data-move="-1"]').disabled = page.unit === 0;
    this.part('[data-move="1"]').disabled = page.unit === survey.units - 1;
    markWorth(this.part(".worth"), page);
    drawDoes(this.part(".does"), page);
    this.peaks.draw();
    drawHistograms(this.part(".histograms"), page, survey.signals);
    drawPushes(this.part(".pushes"), page, survey);
    this.drawWriters();
    this.own.draw();
  }

  drawWriters() {
    const chosen = { gate: this.gate, gateLabel: this.labels[this.gate] };
    drawWriters(this.part(".writers"), this.page, chosen, (...to) => this.link(...to));
  }

  /** Where a person is: what was asked for last, although its answer may still be on its way. */
  get place() {
    return this.asked ?? this.page;
  }

  /** Whether this is what is shown now: an answer may come late. */
  shows({ model, layer, unit, state }) {
    return model === this.model && layer === this.page?.layer && unit === this.page?.unit && state === this.state;
  }

  move(by) {
    const { layer, unit } = this.place;
    const next = Math.max(0, Math.min(this.survey.units - 1, unit + by));
    if (next !== unit) this.show(layer, next, { speak: true });
  }

  chooseNumber() {
    this.typing = false;
    if (!this.page) return;
    const unit = Number(this.number.value);
    const fits = this.number.value !== "" && Number.isInteger(unit) && unit >= 0 && unit < this.survey.units;
    if (fits) this.show(this.place.layer, unit, { speak: true });
    else this.number.value = this.place.unit;
  }

  /** Left and right go through the units, wherever they mean nothing else. */
  key(event) {
    const by = MOVES[event.key];
    if (!by || !this.page || !this.root.clientWidth || event.defaultPrevented) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const { target } = event;
    if (target !== document.body && !this.root.contains(target)) return;
    if (target.matches("input, select, textarea, pre")) return;
    event.preventDefault();
    this.move(by);
  }

  async copyLink() {
    const { layer, unit } = this.page;
    const address = `${location.origin}${location.pathname}${this.query(layer, unit)}`;
    const field = this.part(".address");
    field.value = address;
    this.part(".linked").hidden = false;
    try {
      await navigator.clipboard.writeText(address);
      this.part(".linked .told").textContent = "The link to this unit is copied";
    } catch {
      // No clipboard without https or leave: the link stands there, chosen, to be copied by hand.
      this.part(".linked .told").textContent = "Copy the link to this unit";
      field.focus();
    }
    this.part(".spoken").textContent = this.part(".linked .told").textContent;
  }

  say(sentence, evidence) {
    this.part(".sentence").textContent = sentence;
    this.part(".evidence").textContent = evidence;
  }

  note(text) {
    this.part(".notes").textContent = text;
  }
}

/** Called once a component: see unit_pages/__init__.py. */
export function mount({ element, props, watch, server }) {
  const pages = new UnitPages({ element, props, server });
  watch("value", () => pages.apply());
  pages.apply();
  return pages;
}
