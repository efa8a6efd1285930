// The tour's card: one stop after another, each done when the person has done the thing.
// Where one is, is kept in this browser alone.

import { make } from "../../../web/elements.js";
import { benches } from "../../workbench/static/main.js";
import { STOPS, tab } from "./stops.js";

const KEY = "lstm-lm tour"; // in the browser's storage
const LOOK = 250; // ms between two looks at whether it is done
const HERE = "tour-here"; // the class of what a stop speaks of

class Tour {
  constructor(element, server) {
    this.server = server;
    this.root = element.querySelector(".tour");
    this.part = (name) => this.root.querySelector(name);
    this.card = this.part(".stop");
    this.part(".start").addEventListener("click", () => this.start());
    this.part(".leave").addEventListener("click", () => this.leave());
    this.part(".back").addEventListener("click", () => this.go(this.at - 1));
    this.part(".next").addEventListener("click", () => this.forward());
    this.card.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.leave();
    });
    this.offer();
  }

  get bench() {
    return benches.get("write-bench");
  }

  offer() {
    const at = kept();
    this.part(".start").textContent = at > 0 ? "Go on with the tour" : "Take the tour";
    this.part(".about").textContent =
      at > 0 ? `at stop ${at + 1} of ${STOPS.length}` : "What a memory cell does, in short stops.";
  }

  start() {
    this.go(Math.min(kept(), STOPS.length - 1));
  }

  go(at) {
    const { bench } = this;
    this.end();
    this.at = Math.max(0, at);
    keep(this.at);
    const stop = STOPS[this.at];
    this.stop = stop;
    this.memo = {};
    this.done = false;
    const show = (name, text) => {
      this.part(name).textContent = text;
    };
    show(".count", `Tour · ${this.at + 1} of ${STOPS.length}`);
    this.part(".bar i").style.width = `${(100 * (this.at + 1)) / STOPS.length}%`;
    show(".name", stop.name);
    this.part(".words").replaceChildren(...stop.words.map((text) => make("p", "", text)));
    show(".seen", "");
    this.part(".own").replaceChildren();
    this.explain(stop);
    this.part(".back").disabled = this.at === 0;
    this.card.classList.toggle("left", Boolean(stop.left));
    this.card.hidden = false;
    this.part(".begin").hidden = true;
    document.documentElement.classList.add("touring");
    const usable = hasItsGates(bench);
    const other = bench?.columns?.cell.memory ? "has other gates" : "is a plain RNN, without gates";
    show(".task", usable ? stop.task : `The model that is chosen ${other}: choose an LSTM at the top of the page.`);
    this.mark();
    this.forwardSays();
    if (usable) {
      tab(stop.view ?? "Write").click();
      this.begin();
    }
    this.looking = setInterval(() => this.look(usable), LOOK);
    this.card.focus({ preventScroll: true });
    this.card.scrollTop = 0;
  }

  begin() {
    const { bench, stop, memo } = this;
    stop.begin?.(memo, bench, this.server);
    stop.own?.(this.part(".own"), bench, memo, this.server);
    this.point(stop.target);
  }

  /** Frame what is spoken of, and scroll to it. */
  point(selector) {
    for (const each of document.querySelectorAll(`.${HERE}`)) each.classList.remove(HERE);
    if (!selector) return;
    const inBench = [...this.bench.root.querySelectorAll(selector)];
    const targets = inBench.length ? inBench : [...document.querySelectorAll(selector)];
    for (const each of targets) each.classList.add(HERE);
    if (targets.length) this.scrollTo(targets[0]);
  }

  scrollTo(target) {
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
    // A frame later: the view that it is in may only now come back.
    requestAnimationFrame(() => requestAnimationFrame(() => target.scrollIntoView({ block: "start", behavior })));
  }

  /** Whether the thing has been done by now. */
  look(usable) {
    const { bench, stop, memo } = this;
    if (bench?.columns && hasItsGates(bench) !== usable) {
      this.go(this.at); // another model was chosen
      return;
    }
    if (!usable || this.done || !bench.columns.done) return;
    memo.tick?.();
    const next = stop.then?.(bench);
    if (next && next !== memo.pointed) this.point(next);
    memo.pointed = next;
    if (!stop.done(bench, memo)) return;
    this.done = true;
    this.part(".seen").textContent = stop.seen(bench, memo);
    this.mark();
    this.forwardSays();
    this.part(".seen").scrollIntoView({ block: "nearest" });
    if (stop.shows) this.scrollTo(bench.root.querySelector(stop.shows));
  }

  mark() {
    this.card.classList.toggle("done", this.done);
  }

  forwardSays() {
    const last = this.at === STOPS.length - 1;
    this.part(".next").textContent = last ? "Finish" : this.done ? "Next" : "Skip";
  }

  explain({ terms, sources }) {
    const list = Object.entries(terms).flatMap(([term, means]) => [make("dt", "", term), make("dd", "", means)]);
    for (const [title, address] of sources) {
      const link = make("a", "", title);
      Object.assign(link, { href: address, target: "_blank", rel: "noopener noreferrer" });
      list.push(make("dt", "", "source"), make("dd", "", link));
    }
    this.part(".terms dl").replaceChildren(...list);
    this.part(".terms").hidden = !list.length;
    this.part(".terms").open = false;
  }

  forward() {
    if (this.at + 1 < STOPS.length) {
      this.go(this.at + 1);
      return;
    }
    keep(0);
    this.leave();
  }

  /** Put back what the stop changed, and let nothing that it waits for come late. */
  end() {
    clearInterval(this.looking);
    if (this.memo) {
      this.memo.left = true;
      if (this.bench?.columns) this.stop.leave?.(this.bench, this.memo);
    }
    this.memo = null;
    for (const each of document.querySelectorAll(`.${HERE}`)) each.classList.remove(HERE);
  }

  leave() {
    this.end();
    this.card.hidden = true;
    this.part(".begin").hidden = false;
    document.documentElement.classList.remove("touring");
    this.offer();
    this.part(".start").focus();
  }
}

/** The stop that a person had got to; 0 where this browser keeps nothing. */
function kept() {
  try {
    const at = Number(localStorage.getItem(KEY));
    return Number.isInteger(at) && at >= 0 && at < STOPS.length ? at : 0;
  } catch {
    return 0;
  }
}

function keep(at) {
  try {
    localStorage.setItem(KEY, String(at));
  } catch {
    // A browser that keeps nothing: the tour begins anew.
  }
}

/** Called once: see tour/__init__.py. */
export function mount({ element, server }) {
  return new Tour(element, server);
}

/** Whether the model that is shown has the gates that the tour is about. */
function hasItsGates(bench) {
  return Boolean(bench?.columns?.cell.gates.includes("forget_gate"));
}
