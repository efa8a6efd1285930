// Questions to the server while a person types: one at a time, and only the last is answered.

const PAUSE = 250; // ms without a key until a question is asked

export const GONE = { error: "This model is no longer here: choose another." };
export const SILENT = { error: "The server did not answer: try again." };

/** A line of the server as a sentence. */
export const told = (line) => (line ? `${line[0].toUpperCase()}${line.slice(1)}${/[.!?…]$/.test(line) ? "" : "."}` : "");

export class Asking {
  /** @param ask asks what is in the fields now, a promise. @param show takes an answer that still holds. */
  constructor(ask, show) {
    this.ask = ask;
    this.show = show;
  }

  /** Something was typed: what is on its way is out of date. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), PAUSE);
  }

  async now() {
    clearTimeout(this.timer);
    this.timer = null;
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    while (this.again) {
      this.again = false;
      let answer = SILENT;
      try {
        answer = (await this.ask()) ?? GONE;
      } catch {
        // The server is away: said below.
      }
      if (!this.again && !this.timer) this.show(answer);
    }
    this.busy = false;
  }
}
