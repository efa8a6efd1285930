// Of several questions only the last is answered: a dragged slider asks faster than answers come.

export class Asking {
  /** @param ask a function of the server @param answered called with (answer, question) */
  constructor(ask, answered) {
    Object.assign(this, { ask, answered });
  }

  async put(question) {
    this.waiting = question;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting) {
        const asked = this.waiting;
        let answer = null;
        try {
          answer = await this.ask(asked);
        } catch {
          answer = { error: "the server did not answer: try again" };
        }
        if (this.waiting !== asked) continue;
        this.waiting = null;
        this.answered(answer ?? { error: "this model is no longer here: choose another" }, asked);
      }
    } finally {
      this.busy = false;
    }
  }

  /** What was asked no longer matters. */
  drop() {
    this.waiting = null;
  }
}

/** An error's line as a sentence. */
export const sentenceOf = (line) => `${line[0].toUpperCase()}${line.slice(1).replace(/\.$/, "")}.`;
