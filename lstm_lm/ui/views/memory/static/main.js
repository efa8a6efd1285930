// The Memory view: which model, text, step and layer are looked at, and what is asked of the server.

import { make } from "../../../web/elements.js";
import { Gates } from "../../../web/gates.js";
import { watchTheme } from "../../../web/palette.js";
import { quoted } from "../../../web/strip.js";
import { table } from "../../../web/table.js";
import { LineChart } from "./chart.js";
import { Lines } from "./lines.js";
import { power, small } from "./numbers.js";

const PAUSE = 120; // ms between key presses that are one walk
const SHORT = { lstm: "LSTM", gru: "GRU", rnn: "RNN" };
const IDLE = "Point at the lines, or press arrow keys, to read them.";
const THOUSANDTH = 0.001;

class Memory {
  constructor({ element, props, server }) {
    this.root = element.querySelector(".memory");
    this.props = props;
    this.server = server;
    this.text = null; // null: what the model wrote
    this.layer = 0;
    this.step = 0;
    this.subword = false;
    this.shown = null; // the model whose answers are on the page
    this.asked = 0; // of texts: an answer to an older question is dropped
    this.askedStep = 0;
    const part = (selector) => this.root.querySelector(selector);
    this.lines = new Lines(part(".look"), this);
    this.gates = new Gates(part(".gates"));
    this.fading = new LineChart(part(".fading"), {
      x: "linear", y: "log", xName: "tokens back", yName: "gradient, as a share of its largest", yTick: power, idle: IDLE,
      tell: (distance, at, series) =>
        [`${distance} back`, ...series.map(({ kind, values }) => `${kind} ${small(values[at])}`)].join(" · "),
    });
    this.contexts = new LineChart(part(".contexts"), {
      x: "log", y: "linear", xName: "tokens allowed", yName: "nats a token", yTick: (tick) => tick.toFixed(1), idle: IDLE,
      tell: (context, at, series) =>
        [
          `${context} allowed`,
          ...series.map(({ kind, values, errors }) => `${kind} ${values[at].toFixed(2)} ± ${errors[at]?.toFixed(2) ?? "?"}`),
        ].join(" · "),
    });
    this.wire();
    watchTheme(() => this.lines.draw());
    // What is asked for costs the server a second: only while somebody looks.
    new ResizeObserver(() => this.stale && this.load()).observe(this.root);
  }

  wire() {
    const form = this.root.querySelector("form");
    const field = form.querySelector("textarea");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.load(field.value);
    });
    form.querySelector(".back").addEventListener("click", () => this.load(null));
    for (const button of this.root.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => this.move(Number(button.dataset.move)));
    }
    this.root.querySelector(".look .numbers").addEventListener("toggle", () => this.fillTable());
  }

  /** Python says which model is chosen. */
  apply() {
    const model = this.props.value?.model;
    if (typeof model === "string" && model !== this.model) {
      this.model = model;
      this.load();
    }
  }

  write(selector, text) {
    const element = this.root.querySelector(selector);
    if (element.textContent !== text) element.textContent = text; // a status speaks when written
  }

  /** Ask for everything about a text: a person's, or null for the model's own. */
  async load(text = this.text) {
    if (!this.root.clientWidth) {
      this.stale = true;
      return;
    }
    this.stale = false;
    this.asked += 1;
    const mine = this.asked;
    const asks = [this.model, text];
    const status = (told) => this.write(".another .status", told);
    status(text === null ? "" : "Reading …");
    const overview = await this.ask("overview", asks);
    if (mine !== this.asked) return;
    if (overview.error) {
      status(text === null ? "" : overview.error);
      if (text === null || this.shown !== this.model) this.refuse(overview.error);
      return;
    }
    status("");
    this.shown = this.model;
    this.text = text;
    this.begin(overview);
    // The step first, since it is what one looks at; the server answers one at a time.
    const [, fading, gates, contexts] = [
      this.look(), this.ask("fading", asks), this.ask("gates", [...asks, this.layer]), this.ask("contexts", asks),
    ];
    for (const [answer, show] of [[fading, this.showFading], [gates, this.showGates], [contexts, this.showContexts]]) {
      answer.then((given) => mine === this.asked && show.call(this, given));
    }
  }

  /** An answer of the server; what went wrong is an answer too. */
  async ask(name, asks) {
    try {
      return (await this.server[name](asks)) ?? { error: "The page asked for what is not there: reload it." };
    } catch {
      return { error: "The server did not answer: try again." };
    }
  }

  /** The view's finding; `busy`: it is still to come. */
  find(sentence, evidence = "", { busy = false } = {}) {
    this.write(".sentence", sentence);
    this.write(".evidence", evidence);
    this.root.querySelector(".finding").setAttribute("aria-busy", String(busy));
  }

  refuse(error) {
    this.find("Nothing to show for this model and text.");
    this.write(".notes", error);
    this.root.querySelector(".all").hidden = true;
  }

  begin({ tokens, subword, models, layers, step, own, source, notes }) {
    Object.assign(this, { models, subword, step, source, answer: null });
    this.layer = Math.min(this.layer, layers - 1);
    this.lines.tokens = tokens;
    this.lines.step = step;
    this.lines.rows = models.map(({ cell }) => ({ name: SHORT[cell], values: [], group: "gradient" }));
    if (models[0].cell === "lstm") {
      this.lines.rows.push(...["", "middle"].map((name) => ({ name, values: [], group: "path" })));
    }
    this.root.querySelector(".all").hidden = false;
    this.root.querySelector(".back").hidden = !own;
    this.write(".notes", notes.join(" "));
    this.find("Measuring how far back the gradient reaches …", "", { busy: true });
    this.buildLayers(layers);
    this.lines.draw();
    this.lines.reveal();
  }

  buildLayers(layers) {
    const group = this.root.querySelector(".layers");
    group.hidden = layers < 2;
    const buttons = Array.from({ length: layers }, (_, layer) => {
      const button = make("button", "", `Layer ${layer + 1}`);
      button.type = "button";
      button.addEventListener("click", () => this.chooseLayer(layer));
      return button;
    });
    group.replaceChildren(...buttons);
    this.pressLayer();
  }

  pressLayer() {
    [...this.root.querySelectorAll(".layers button")].forEach((button, layer) => {
      button.setAttribute("aria-pressed", String(layer === this.layer));
    });
  }

  async chooseLayer(layer) {
    this.layer = layer;
    this.pressLayer();
    const mine = this.asked;
    this.look();
    const gates = await this.ask("gates", [this.shown, this.text, layer]);
    if (mine === this.asked && layer === this.layer) this.showGates(gates);
  }

  // The chosen step

  move(by) {
    const last = this.lines.tokens.length - 1;
    this.choose(Math.min(last, Math.max(1, this.step + by)), { speak: true, pause: PAUSE });
  }

  choose(step, { speak = false, pause = 0 } = {}) {
    if (step < 1 || step === this.step) return; // before the first token stands nothing
    this.step = step;
    this.lines.step = step;
    this.lines.draw();
    this.lines.reveal();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.look({ speak }), pause);
  }

  async look({ speak = false } = {}) {
    this.askedStep += 1;
    const mine = this.askedStep;
    const answer = await this.ask("influences", [this.shown, this.text, this.step, this.layer]);
    if (mine !== this.askedStep) return;
    if (answer.error) {
      this.write(".look .where", answer.error);
      return;
    }
    this.answer = answer;
    this.lines.rows = this.rows(answer);
    this.lines.draw();
    this.describe(answer);
    this.readOut(-1);
    this.fillTable();
    if (speak) this.write(".look .spoken", `${this.title()} ${answer.models.map(({ kind, sentence }) => `${kind}: ${sentence}`).join(" ")}`);
  }

  /** What is drawn under the tokens: gradients as shares of the largest, then the cell's path. */
  rows({ models, path }) {
    const rows = models.map(({ cell, size }) => {
      const largest = Math.max(...size) || 1;
      return { name: SHORT[cell], values: size.map((value) => value / largest), group: "gradient" };
    });
    if (path) {
      rows.push(
        { name: `unit ${path.unit}`, values: path.kept, group: "path" },
        { name: "middle", values: path.median, group: "path" },
      );
    }
    return rows;
  }

  title() {
    return `What still matters for ${quoted(this.lines.tokens[this.step])}, step ${this.step + 1}`; // on the page steps count from 1
  }

  describe({ models, path }) {
    this.write(".look .title", this.title());
    this.write(".look .told", `${this.source} The outlined token is the one predicted; the stronger a cell’s colour, the more the token above it matters.`);
    const canvas = this.lines.canvas;
    canvas.setAttribute("aria-label", `${this.title()}. Arrow keys choose another step; the numbers are in the table below.`);
    const told = models.map(({ cell, name, sentence }) => [SHORT[cell], `${name}: the gradient, as a share of its largest. ${sentence}`]);
    if (path) {
      const life = path.half_life === null ? "it never forgets" : `half-life ${path.half_life.toFixed(1)} steps`;
      told.push(
        [`unit ${path.unit}`, `the cell’s own path: what is left of what unit ${path.unit} of layer ${path.layer + 1} held, the product of its forget gates. It keeps longest: ${life}. A plain RNN has no such path.`],
        ["middle", `the same for the middle unit of layer ${path.layer + 1}.`],
      );
    }
    this.root.querySelector(".rows").replaceChildren(
      ...told.flatMap(([name, text]) => [make("dt", "", name), make("dd", "", text)]),
    );
  }

  /** What a hovered token matters; -1: none. */
  readOut(step) {
    const idle = step < 0 || step >= this.step || !this.answer;
    this.root.querySelector(".look .where").classList.toggle("idle", idle);
    if (idle) {
      this.write(".look .where", "Point at a token to read it out.");
      return;
    }
    const values = this.lines.rows.map(({ name, values }) => `${name} ${small(values[step])}`);
    const token = quoted(this.lines.tokens[step]);
    this.write(".look .where", [`${this.step - step} back: ${token}`, ...values].join(" · "));
  }

  fillTable() {
    const details = this.root.querySelector(".look .numbers");
    if (!details.open || !this.answer) return;
    const { models, path } = this.answer;
    const columns = [
      ...models.map(({ cell, size }) => [`${SHORT[cell]}: |d log p / d x|`, size]),
      ...(path ? [[`unit ${path.unit}: kept`, path.kept], ["middle unit: kept", path.median]] : []),
    ];
    const rows = [];
    for (let step = this.step - 1; step >= 0; step -= 1) {
      rows.push([String(this.step - step), quoted(this.lines.tokens[step]), ...columns.map(([, values]) => small(values[step]))]);
    }
    const head = ["back", "token", ...columns.map(([name]) => name)];
    details.querySelector(".holder").replaceChildren(table(this.title(), head, rows));
  }

  // The charts

  /** A card with a picture, or with the line that says why there is none. */
  show(card, given) {
    const element = this.root.querySelector(card);
    const missing = given.error ?? given.short;
    element.classList.toggle("missing", missing !== undefined);
    if (missing !== undefined) this.write(`${card} .told`, missing);
    return missing === undefined;
  }

  showFading(given) {
    this.find(given.sentence ?? "This text is too short to say how the gradient fades.", given.evidence);
    if (!this.show(".fading", given)) return;
    const distances = given.models[0].middle.map((_, at) => at + 1);
    const series = given.models.map(({ cell, kind, name, middle, fades_to: end }) => ({
      name, cell, kind, values: middle, mark: end === null ? null : end - 1,
    }));
    this.write(".fading .told", `The middle of ${given.places} places of the text above. Dashed: a thousandth; the dots mark from where on each stays below it.`);
    this.fading.show(distances, series, { level: THOUSANDTH, label: given.sentence });
  }

  showGates(given) {
    this.write(".gates .title", `How often the gates of layer ${(given.layer ?? 0) + 1} are open and shut`);
    if (!this.show(".gates", given)) return;
    this.write(".gates .told", `A point a unit, over the ${given.steps} steps of the text above: open is above 0.9, shut below 0.1.`);
    this.gates.show(given);
  }

  showContexts(given) {
    const sentences = this.root.querySelector(".contexts .sentences");
    sentences.replaceChildren(...(given.sentences ?? []).map((text) => make("p", "told", text)));
    if (!this.show(".contexts", given)) return;
    this.write(".contexts .told", given.told);
    const series = given.models.map(({ cell, kind, name, loss, standard_error: errors }) => ({ name, cell, kind, values: loss, errors }));
    this.contexts.show(given.contexts, series, { label: given.sentences.join(" ") });
  }
}

/** Called once a component: see memory/__init__.py. */
export function mount({ element, props, watch, server }) {
  const memory = new Memory({ element, props, server });
  watch("value", () => memory.apply());
  memory.apply();
  return memory;
}
