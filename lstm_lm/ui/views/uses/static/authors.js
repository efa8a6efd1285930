// Tell two authors apart: their examples, the probe that is trained on them, and how far to trust it.

import { answerOf, sentenceOf } from "../../../web/answers.js";
import { keepingFocus, make } from "../../../web/elements.js";
import { number, percent } from "../../../web/numbers.js";
import { pageButton } from "../../../web/going.js";
import { Sentence } from "./sentence.js";

const OWN = "Your own";

export class Authors {
  constructor(root, view) {
    this.view = view;
    this.root = root.querySelector(".authors");
    this.part = (name) => this.root.querySelector(name);
    this.form = this.part("form");
    this.sides = [...this.root.querySelectorAll(".side")].map((side) => ({
      name: side.querySelector("input"),
      text: side.querySelector("textarea"),
    }));
    this.own = []; // what the person typed, kept while a pair is looked at
    this.layer = null;
    this.asked = 0;
    this.sentence = new Sentence(root, this);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.train({ byPerson: true });
    });
    this.form.addEventListener("input", () => this.edited());
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.form.requestSubmit();
    });
  }

  get given() {
    return this.sides.map(({ name, text }) => [name.value, text.value]);
  }

  /** What is asked of: the model, the two authors of its probe, and the layer. */
  get question() {
    return [this.view.model, ...this.trained, this.layer];
  }

  open(pairs) {
    this.pairs = pairs;
    this.layer = null;
    this.part(".results").hidden = true; // they were the other model's, and lead to its units
    this.sentence.asking.drop();
    // Another model reads the same examples.
    return this.at === undefined ? this.choose(0) : this.train();
  }

  /** What there is to choose: the pairs that come with the page, then what the person has typed. */
  build() {
    const own = this.own.length ? this.own : [null];
    const names = [
      ...this.pairs.map(({ sides }) => sides.map(([name]) => name).join(" · ")),
      ...own.map((_, number) => (number ? `${OWN} ${number + 1}` : OWN)),
    ];
    const buttons = names.map((name, at) => {
      const button = make("button", "", name);
      button.type = "button";
      button.setAttribute("aria-pressed", String(at === this.at));
      button.addEventListener("click", () => this.choose(at));
      return button;
    });
    keepingFocus(this.part(".pairs"), () => this.part(".pairs").replaceChildren(...buttons));
  }

  choose(at) {
    this.at = at;
    const chosen = this.pairs[at];
    if (!chosen && !this.own.length) this.own.push([["", ""], ["", ""]]);
    this.build();
    (chosen?.sides ?? this.own[at - this.pairs.length]).forEach(([name, text], side) => {
      this.sides[side].name.value = name;
      this.sides[side].text.value = text;
    });
    this.sentence.offer(chosen?.held_out ?? []);
    if (this.given.every(([, text]) => text.trim())) return this.train();
    this.outdate();
    this.say("Name two authors, and paste examples of each with a blank line between two.");
    this.part(".results").classList.add("old");
    this.sides[0].name.focus();
    return null;
  }

  edited() {
    if (this.at < this.pairs.length) {
      this.own.push(this.given);
      this.at = this.pairs.length + this.own.length - 1;
      this.build();
    } else this.own[this.at - this.pairs.length] = this.given;
    this.part(".results").classList.add("old");
    this.say("Changed: press “Tell them apart”.");
  }

  /** What is being trained is no longer wanted. */
  outdate() {
    this.asked += 1;
    if (!("authors" in this.view.findings)) this.view.found("authors"); // nothing more will come
    this.part(".go").disabled = false;
  }

  say(line) {
    this.part(".act .status").textContent = line;
  }

  async train({ byPerson = false } = {}) {
    this.asked += 1;
    const mine = this.asked;
    const { given, layer } = this;
    this.say("Reading the examples, and training …");
    this.part(".go").disabled = true;
    const answer = await answerOf(() => this.view.server.train([this.view.model, ...given, layer]));
    if (mine !== this.asked) return;
    this.part(".go").disabled = false;
    const changed = JSON.stringify(this.given) !== JSON.stringify(given); // which has been said
    if (!changed) this.say(sentenceOf(answer.error ?? ""));
    if (answer.error) {
      this.part(".results").classList.add("old");
      this.view.found("authors");
      return;
    }
    this.trained = given;
    this.show(answer);
    this.part(".results").classList.toggle("old", changed);
    if (byPerson) this.root.dataset.trained = Number(this.root.dataset.trained ?? 0) + 1; // the tour looks for it
    this.sentence.ask();
  }

  show(answer) {
    this.answer = answer;
    this.part(".results").hidden = false;
    this.part(".results .verdict").textContent = answer.sentence;
    this.part(".proof").textContent = answer.evidence;
    this.part(".noted").textContent = answer.notes.join(" ");
    this.view.found("authors", answer.sentence);
    this.showLayers(answer);
    this.showRates(answer);
    this.showUnits(answer);
    this.showEach(answer);
  }

  showLayers({ layers, layer }) {
    const group = this.part(".layers");
    group.hidden = layers.length < 2;
    group.replaceChildren(
      ...layers.map((accuracy, at) => {
        const button = make("button", "", `Layer ${at + 1} `, make("small", "", percent(accuracy)));
        button.type = "button";
        button.setAttribute("aria-pressed", String(at === layer));
        button.addEventListener("click", () => {
          this.layer = at;
          this.train();
        });
        return button;
      }),
    );
  }

  showRates({ accuracy, chance, shuffled, counts, layer, layers, labels }) {
    const all = labels.length;
    const row = (name, value, className, mark) => {
      const bar = make("i", "length");
      bar.style.width = `${100 * value}%`;
      const track = make("span", "track", bar);
      track.setAttribute("aria-hidden", "true");
      if (mark !== undefined) {
        const tick = make("i", "mark");
        tick.style.left = `${100 * mark}%`;
        track.append(tick);
      }
      return make("li", className, make("span", "", name), track, make("span", "number", `${Math.round(value * all)} of ${all}`));
    };
    const of = layers.length > 1 ? `, layer ${layer + 1}` : "";
    this.part(".rates").replaceChildren(
      row(`the hidden state${of}`, accuracy, "", shuffled),
      row("counting alone", counts.accuracy, "control"),
      row("always the commonest", chance, "control"),
    );
    this.part(".key").textContent = `The tick: what 95 of 100 shufflings of the labels stay at or below, ${Math.round(shuffled * all)} of ${all}.`;
  }

  showUnits({ units, layer }) {
    const most = Math.max(...units.map(({ weight }) => weight), 1e-9);
    this.part(".units").replaceChildren(
      ...units.map(({ unit, label, weight }) => {
        const toward = make("span", "for", `→ ${label}`);
        toward.title = `Higher speaks for ${label}`;
        toward.style.opacity = String(0.75 + (0.25 * weight) / most);
        return make("li", "", pageButton(layer, unit, `unit ${unit}`), toward, make("span", "number", number(weight)));
      }),
    );
  }

  showEach({ examples, labels, told: as }) {
    const right = as.filter((name, at) => name === labels[at]).length;
    this.part(".missed").textContent = `Each example: ${right} of ${as.length} right`;
    this.part(".each").replaceChildren(
      ...examples.map((text, at) => {
        const wrong = as[at] !== labels[at];
        const line = wrong ? `${labels[at]}, told as ${as[at]}` : `told as ${as[at]}`;
        const sign = make("span", "sign", wrong ? "✗" : "✓");
        sign.setAttribute("aria-hidden", "true");
        return make("li", wrong ? "wrong" : "", sign, make("span", "", text, make("br"), make("span", "as", line)));
      }),
    );
  }
}
