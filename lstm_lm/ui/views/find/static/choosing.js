// A span is chosen in a text: dragged with the mouse or sideways with a finger, a word at a click,
// or from the keyboard, where a caret moves and Shift extends. It has at least one token.

const WORD = /[\p{L}\p{N}_'’]/u;
const wordy = (token) => WORD.test(token);

/** The word around a step: up to the next tokens without a letter; or the step alone. */
export function wordAt(tokens, step) {
  if (!wordy(tokens[step])) return [step, step + 1];
  let [start, stop] = [step, step + 1];
  while (start > 0 && !/^\s/.test(tokens[start]) && wordy(tokens[start - 1])) start -= 1;
  while (stop < tokens.length && wordy(tokens[stop]) && !/^\s/.test(tokens[stop])) stop += 1;
  return [start, stop];
}

export class Choosing {
  /** @param chosen called with (start, stop) @param mark called when the span is to be marked */
  constructor(pane, { chosen, mark }) {
    Object.assign(this, { pane, chosen, mark, tokens: [] });
    this.anchor = this.caret = 0; // both are part of the span
    const { element } = pane;
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, (event) => this.release(event));
    element.addEventListener("keydown", (event) => this.key(event));
  }

  /** Show a span as chosen, without telling anybody. */
  set(start, stop) {
    [this.anchor, this.caret] = [start, stop - 1];
    this.draw();
  }

  get span() {
    return [Math.min(this.anchor, this.caret), Math.max(this.anchor, this.caret) + 1];
  }

  draw() {
    this.pane.light("span", [this.span]);
    this.pane.light("caret", [[this.caret, this.caret + 1]]);
  }

  take() {
    this.draw();
    this.chosen(...this.span);
  }

  press(event) {
    const step = this.pane.at(event);
    if (step < 0 || event.button) return;
    this.pressed = step;
    this.dragged = false;
    if (event.shiftKey) {
      this.caret = step;
      this.dragged = true;
      this.draw();
    }
    if (event.pointerType !== "touch") event.preventDefault(); // the browser would select text
    this.pane.element.focus({ preventScroll: true });
    this.pane.element.setPointerCapture(event.pointerId);
  }

  drag(event) {
    if (this.pressed === undefined) return;
    const step = this.pane.at(event);
    if (step < 0 || (this.dragged ? step === this.caret : step === this.pressed)) return;
    if (!this.dragged) this.anchor = this.pressed;
    this.dragged = true;
    this.caret = step;
    this.draw();
  }

  release(event) {
    if (this.pressed === undefined) return;
    const { pressed, dragged } = this;
    this.pressed = undefined;
    if (event.type === "pointercancel" && !dragged) return; // the finger scrolls
    if (!dragged) {
      const [start, stop] = wordAt(this.tokens, pressed);
      [this.anchor, this.caret] = [start, stop - 1];
    }
    this.take();
  }

  key(event) {
    if (event.altKey || event.metaKey) return;
    if (event.key.toLowerCase() === "m" && !event.ctrlKey) {
      event.preventDefault();
      this.mark();
      return;
    }
    const to = this.target(event);
    if (to === null) return;
    event.preventDefault();
    this.caret = Math.max(0, Math.min(this.tokens.length - 1, to));
    if (!event.shiftKey) this.anchor = this.caret;
    this.pane.reveal(this.caret);
    this.take();
  }

  target({ key, ctrlKey }) {
    const { caret, tokens } = this;
    const way = { ArrowLeft: -1, ArrowRight: 1 }[key];
    if (way && ctrlKey) {
      let at = caret + way;
      while (tokens[at] !== undefined && !(wordy(tokens[at]) && !wordy(tokens[at - 1] ?? " "))) at += way;
      return at;
    }
    if (way) return caret + way;
    if (key === "ArrowUp" || key === "ArrowDown") return this.pane.vertical(caret, key === "ArrowUp" ? -1 : 1);
    if (ctrlKey && (key === "Home" || key === "End")) return key === "Home" ? 0 : tokens.length - 1;
    if (key === "Home") return tokens.slice(0, caret).findLastIndex((token) => token.endsWith("\n")) + 1;
    if (key === "End") {
      const end = tokens.findIndex((token, at) => at >= caret && token.endsWith("\n"));
      return end < 0 ? tokens.length - 1 : end;
    }
    return null;
  }
}
