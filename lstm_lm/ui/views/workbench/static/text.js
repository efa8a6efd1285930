// The text as text. New tokens are appended to the last piece; nothing is ever parsed as markup.

/** Whether the character at `offset` of the text node lies under the pointer. */
function under(node, offset, { clientX, clientY }) {
  const range = document.createRange();
  range.setStart(node, offset);
  range.setEnd(node, offset + 1);
  const { left, right, top, bottom } = range.getBoundingClientRect();
  return left <= clientX && clientX < right && top <= clientY && clientY < bottom;
}

export class WrittenText {
  constructor(root, bench) {
    this.bench = bench;
    this.pre = root.querySelector(".text");
    this.pre.addEventListener("click", (event) => this.click(event));
    this.card = this.pre.closest(".card");
    this.lane = null; // the text itself, or the branch that is pinned
    this.pinned = -1;
    this.length = 0; // tokens shown
  }

  clear() {
    this.show(this.bench.lane);
    this.pinned = -1;
    this.length = 0;
    this.pre.replaceChildren();
    this.tail = null;
  }

  show(lane) {
    this.lane = lane;
    const part = (name) => this.card.querySelector(name);
    part(".title").textContent = lane.number ? `Branch ${lane.number}` : "The text";
    part(".told").textContent = lane.number
      ? "What is the same at the same step is plain, what differs is tinted. Click a character to see its step."
      : "What you gave is grey. Click a character to see its step.";
  }

  /** Tokens [from, to) of the text are here. */
  arrived(from, to) {
    if (this.lane !== this.bench.lane) return;
    if (from !== this.length) {
      if (to > this.length) this.rebuild();
      return;
    }
    const { columns } = this.bench;
    const given = columns.header.prompt_steps;
    const stay = this.pre.scrollTop + this.pre.clientHeight < this.pre.scrollHeight - 30;
    for (const [start, stop, name] of [[from, Math.min(to, given), "given"], [Math.max(from, given), to, ""]]) {
      if (stop > start) this.append(columns.tokens.slice(start, stop).join(""), name, start);
    }
    this.length = to;
    if (!stay && !columns.done && from > 0) this.pre.scrollTop = this.pre.scrollHeight;
  }

  append(text, name, step) {
    if (this.tail?.className === name && !name) {
      this.tail.firstChild.appendData(text);
      return;
    }
    const piece = document.createElement("span");
    piece.className = name;
    piece.dataset.step = step;
    piece.append(document.createTextNode(text));
    this.pre.append(piece);
    this.tail = piece;
  }

  /** All of it again, with the pinned token marked. */
  rebuild() {
    const { lane } = this;
    const { columns } = lane;
    const given = columns.header.prompt_steps;
    const pieces = [];
    const piece = (start, stop, kind, name) => {
      if (stop <= start) return;
      const made = document.createElement(kind);
      made.className = name;
      made.dataset.step = start;
      made.append(document.createTextNode(columns.tokens.slice(start, stop).join("")));
      pieces.push(made);
    };
    const span = (start, stop) => {
      piece(start, Math.min(stop, given), "span", "given");
      let from = Math.max(start, given);
      for (let step = from + 1; step <= stop; step += 1) {
        const parts = step === lane.first || from === lane.first;
        if (step < stop && !parts && lane.differs(step) === lane.differs(from)) continue;
        piece(from, step, "span", `${lane.differs(from) ? "differs" : ""}${from === lane.first ? " first" : ""}`);
        from = step;
      }
    };
    if (this.pinned < 0) span(0, columns.end);
    else {
      span(0, this.pinned);
      piece(this.pinned, this.pinned + 1, "mark", "");
      span(this.pinned + 1, columns.end);
    }
    this.pre.replaceChildren(...pieces);
    this.tail = pieces.at(-1)?.tagName === "SPAN" ? pieces.at(-1) : null;
    this.length = columns.end;
  }

  /** Mark a step of the text or of a branch; -1: none. */
  mark(lane, step) {
    if (!lane?.columns.done) return;
    if (lane !== this.lane) this.show(lane);
    this.pinned = step;
    const { scrollTop } = this.pre;
    this.rebuild();
    this.pre.scrollTop = scrollTop;
    const mark = this.pre.querySelector("mark");
    if (!mark) return;
    const offset = mark.offsetTop - this.pre.offsetTop;
    if (offset < scrollTop || offset > scrollTop + this.pre.clientHeight - 20) this.pre.scrollTop = offset - 60;
  }

  click(event) {
    const found = document.caretPositionFromPoint
      ? document.caretPositionFromPoint(event.clientX, event.clientY)
      : document.caretRangeFromPoint?.(event.clientX, event.clientY);
    const node = found?.offsetNode ?? found?.startContainer;
    const piece = node?.parentElement?.closest("[data-step]");
    if (!piece) return;
    const { view, plot } = this.bench;
    const { columns } = this.lane;
    let step = Number(piece.dataset.step);
    let left = found.offset ?? found.startOffset;
    if (left > 0 && under(node, left - 1, event)) left -= 1; // a caret is put at the nearer edge
    while (step < columns.end - 1 && left >= columns.tokens[step].length) {
      left -= columns.tokens[step].length;
      step += 1;
    }
    this.bench.pin(step, view.unit, { lane: this.lane, speak: true });
    plot.reveal(step, { center: true });
  }
}
