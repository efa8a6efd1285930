// Complete the word, as a keyboard does: the likeliest words with their probabilities; one is taken.

import { sentenceOf } from "../../../web/answers.js";
import { Asking } from "../../../web/asking.js";
import { make } from "../../../web/elements.js";
import { percent } from "../../../web/numbers.js";
import { visible } from "../../../web/strip.js";

const CLOSES = /[.,;:!?)(\]}'’]/; // what stands without a space before it

const share = (value) => (value >= 0.0995 ? percent(value) : percent(value, value >= 0.00095 ? 1 : 2));

export class Complete {
  constructor(root, view) {
    this.view = view;
    this.root = root.querySelector(".complete");
    this.part = (name) => this.root.querySelector(name);
    this.field = this.part("textarea");
    this.list = this.part(".words");
    this.asking = new Asking(view.server.complete, (answer) => this.show(answer));
    this.field.addEventListener("input", (event) => this.typed(event));
    this.field.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("keydown", (event) => this.keyInList(event));
  }

  open(text) {
    if (!this.changed) this.field.value = text; // what a person typed is asked of the next model too
    this.asking.put(this.question);
  }

  get question() {
    return [this.view.model, this.field.value];
  }

  typed(event) {
    const { field } = this;
    // The space that came with a word goes again where a comma follows.
    if (this.spaced && event.data && CLOSES.test(event.data) && field.value.endsWith(` ${event.data}`)) {
      field.value = `${field.value.slice(0, -2)}${event.data}`;
    }
    this.spaced = false;
    this.changed = true;
    this.list.classList.add("old");
    this.asking.soon(this.question);
  }

  get atEnd() {
    const { selectionStart, selectionEnd, value } = this.field;
    return selectionStart === value.length && selectionEnd === value.length;
  }

  get buttons() {
    return [...this.list.querySelectorAll("button")];
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || !this.atEnd) return;
    const [first] = this.buttons;
    if (!first || this.list.classList.contains("old")) return;
    if (event.key === "ArrowRight") {
      event.preventDefault();
      first.click();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      first.focus();
    }
  }

  keyInList(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      const { buttons } = this;
      (buttons[buttons.indexOf(document.activeElement) + by] ?? this.field).focus();
    } else if (event.key === "Escape") this.field.focus();
  }

  take(text) {
    const { field } = this;
    field.value = `${field.value}${text} `;
    this.spaced = this.changed = true;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
    field.scrollTop = field.scrollHeight;
    this.list.classList.add("old");
    this.asking.put(this.question);
  }

  show(answer) {
    this.part(".status").textContent = answer.error ? sentenceOf(answer.error) : answer.notes.join(" ");
    if (answer.error) {
      this.list.replaceChildren();
      this.part(".together").textContent = "";
      this.view.found("complete");
      return;
    }
    const { begun, completions } = answer;
    const most = completions[0]?.probability || 1;
    this.list.classList.remove("old");
    this.list.replaceChildren(...completions.map((each) => make("li", "", this.row(each, begun, most))));
    const sum = completions.reduce((total, { probability }) => total + probability, 0);
    this.part(".together").textContent =
      `Together at least ${share(sum)}. Each probability is a lower bound, the sum over the ways that a beam search of 64 keeps, ` +
      "at temperature 1; bars are shares of the likeliest.";
    const best = completions[0] ? `${begun}${completions[0].text}` : "nothing";
    this.part(".spoken").textContent = document.activeElement === this.field ? `Likeliest: ${best}` : "";
    this.view.found("complete", answer.finding);
  }

  row({ text, probability }, begun, most) {
    const word = make("span", "word", make("span", "begun", begun), visible(text, false).replace(/^ /, "␣"));
    if (!text) word.append(make("span", "ends", "  ends here"));
    const bar = make("i", "length");
    bar.style.width = `${(100 * probability) / most}%`;
    const track = make("span", "track", bar);
    track.setAttribute("aria-hidden", "true");
    const button = make("button", "", word, track, make("span", "number", share(probability)));
    button.type = "button";
    button.addEventListener("click", () => this.take(text));
    return button;
  }
}
