// Exact numbers from the server, remembered: what a person reads is never taken from a colour.

import { floatsOf } from "../../../web/columns.js";

const KEPT = 600;

export class Exact {
  constructor(server) {
    this.server = server;
    this.steps = new Map();
    this.waiting = new Map();
    this.lines = new Map();
    this.insides = new Map();
    this.ladders = new Map();
  }

  /** A new run: nothing that was remembered holds any more. */
  clear() {
    this.steps.clear();
    this.waiting.clear();
    this.lines.clear();
    this.insides.clear();
    this.ladders.clear();
  }

  /** {values, log_prob} of a step if it is here already. */
  peek(run, step) {
    return this.steps.get(`${run} ${step}`);
  }

  /** {values: Float32Array (signals, layers, units), log_prob} of a step. */
  async step(run, step) {
    const key = `${run} ${step}`;
    if (this.steps.has(key)) return this.steps.get(key);
    if (!this.waiting.has(key)) this.waiting.set(key, this.server.exact([run, step]));
    const answer = await this.waiting.get(key);
    this.waiting.delete(key);
    if (!answer) return null;
    const found = { values: floatsOf(answer.values), log_prob: answer.log_prob };
    if (this.steps.size > KEPT) this.steps.delete(this.steps.keys().next().value);
    this.steps.set(key, found);
    return found;
  }

  /** What one unit does at one step: the fields of `insight.step.UnitStep`, x and h as floats. */
  async inside(run, step, layer, unit) {
    const key = `${run} ${step} ${layer} ${unit}`;
    if (!this.insides.has(key)) {
      const answer = await this.server.inside([run, step, layer, unit]);
      if (!answer) return null;
      if (this.insides.size > KEPT) this.insides.delete(this.insides.keys().next().value);
      this.insides.set(key, { ...answer, x: floatsOf(answer.x), h: floatsOf(answer.h) });
    }
    return this.insides.get(key);
  }

  /** What could come after a step: every logit, the likeliest tokens, the one taken. */
  async ladder(run, step) {
    const key = `${run} ${step}`;
    if (this.ladders.has(key)) return this.ladders.get(key);
    const answer = await this.server.ladder([run, step]);
    if (!answer) return null;
    const found = { ...answer, logits: floatsOf(answer.logits) };
    if (this.ladders.size > KEPT) this.ladders.delete(this.ladders.keys().next().value);
    if (answer.taken) this.ladders.set(key, found); // at the end of a text, more may still come
    return found;
  }

  /** One unit's signal over the steps written so far, exact. */
  async line(run, signal, layer, unit, steps) {
    const key = `${run} ${signal} ${layer} ${unit}`;
    const held = this.lines.get(key);
    if (held && held.length >= steps) return held;
    const answer = await this.server.line([run, signal, layer, unit]);
    if (!answer) return null;
    const values = floatsOf(answer.values);
    this.lines.set(key, values);
    return values;
  }
}
