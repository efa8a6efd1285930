// Of several questions only the last is answered: a person types, or drags, faster than answers come.

import { answerOf } from "./answers.js";

const PAUSE = 250; // ms without a key until a question is asked

export class Asking {
  /** @param ask a function of the server. @param answered called with (answer, question). */
  constructor(ask, answered) {
    Object.assign(this, { ask, answered });
  }

  /** Ask now: one question at a time is on its way, and what waits behind it is the last. */
  async put(question) {
    this.drop();
    this.waiting = question;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.waiting) {
        const asked = this.waiting;
        const answer = await answerOf(() => this.ask(asked));
        if (this.waiting !== asked) continue;
        this.waiting = null;
        this.answered(answer, asked);
      }
    } finally {
      this.busy = false;
    }
  }

  /** Something was typed: what was asked is out of date, and this is asked after a pause. */
  soon(question) {
    this.drop();
    this.timer = setTimeout(() => this.put(question), PAUSE);
  }

  /** What was asked no longer matters. */
  drop() {
    clearTimeout(this.timer);
    this.waiting = null;
  }
}
