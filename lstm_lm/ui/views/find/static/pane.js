// A text as tokens that can be lit: some spans are chosen, some match, some are marked, and each
// token may have a unit's colour. Text only ever enters as text.

import { painter } from "../../../web/colors.js";
import { make } from "../../../web/elements.js";
import { visible } from "../../../web/strip.js";

export class Pane {
  constructor(element) {
    this.element = element;
    this.pieces = [];
    this.lit = new Map(); // kind -> the spans [start, stop] that are lit
  }

  /** @param unread what the model has never seen: { before, text } */
  show(tokens, unread = []) {
    this.lit.clear();
    this.pieces = tokens.map((token, step) => {
      const sign = visible(token, false);
      const piece = make("span", "", token.endsWith("\n") ? `${sign}\n` : sign || "∅");
      piece.dataset.step = step;
      return piece;
    });
    const all = [...this.pieces];
    for (const { before, text } of unread.toReversed()) all.splice(before, 0, make("span", "unknown", text));
    this.element.replaceChildren(...all);
    this.element.scrollTop = 0;
  }

  /** Light these spans and no others in this way: span, caret, match, here or mark. */
  light(kind, spans) {
    for (const [start, stop] of this.lit.get(kind) ?? []) this.set(kind, start, stop, false);
    this.lit.set(kind, spans);
    for (const [start, stop] of spans) this.set(kind, start, stop, true);
  }

  set(kind, start, stop, on) {
    for (const piece of this.pieces.slice(start, stop)) piece.classList.toggle(kind, on);
  }

  /** Each token in the colour of its value; null: none. */
  color(values, scale) {
    const paint = values && painter();
    this.pieces.forEach((piece, step) => {
      if (paint) paint.paint(piece, values[step], scale);
      else piece.removeAttribute("style");
    });
    this.element.classList.toggle("colored", Boolean(values));
  }

  /** Scroll so that the step is in sight, without moving the page. */
  reveal(step, { center = false } = {}) {
    const piece = this.pieces[step];
    if (!piece) return;
    const { element } = this; // it is positioned: offsets count from it
    const top = piece.offsetTop;
    const seen = top >= element.scrollTop && top + piece.offsetHeight <= element.scrollTop + element.clientHeight;
    if (center || !seen) element.scrollTop = top - element.clientHeight / 3;
  }

  /** The step at a point of the screen; -1: none. */
  at({ clientX, clientY }) {
    const piece = document.elementFromPoint(clientX, clientY)?.closest?.("[data-step]");
    return piece && this.element.contains(piece) ? Number(piece.dataset.step) : -1;
  }

  /** The step a line above (-1) or below (1). */
  vertical(step, way) {
    const { offsetTop: top, offsetLeft: left } = this.pieces[step];
    let [best, off] = [step, Infinity];
    let line = null;
    for (let at = step + way; at >= 0 && at < this.pieces.length; at += way) {
      const piece = this.pieces[at];
      if (piece.offsetTop === top) continue;
      line ??= piece.offsetTop;
      if (piece.offsetTop !== line) break;
      const distance = Math.abs(piece.offsetLeft - left);
      if (distance < off) [best, off] = [at, distance];
    }
    return best;
  }
}
