// The picture: two models over one axis of characters, and between them by how much they differ.

import { visible } from "../../../web/strip.js";

const WIDTH = 11; // px a character
const LABEL = 18;
const STRIP = 24;
const HEAT = 132;
const COST = 40;
const BETWEEN = 74;
const LANE = LABEL + STRIP + HEAT + COST;
const TOTAL = 2 * LANE + LABEL + BETWEEN + 8;
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20, Home: -Infinity, End: Infinity };

export class Picture {
  /**
   * @param {HTMLElement} root holds a .scroller with a .spacer and a canvas.
   * @param sides the two.
   * @param {{pin: Function, hover: Function}} heard called with a character, or -1.
   */
  constructor(root, sides, heard) {
    Object.assign(this, { root, sides, heard, characters: [], pin: -1, cursor: -1 });
    this.scroller = root.querySelector(".scroller");
    this.spacer = root.querySelector(".spacer");
    this.canvas = root.querySelector(".scroller canvas");
    this.context = this.canvas.getContext("2d");
    this.scroller.addEventListener("scroll", () => this.schedule(), { passive: true });
    this.canvas.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.hover(this.at(event)));
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("click", (event) => {
      const at = this.at(event);
      if (at >= 0) heard.pin(at);
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resize()).observe(this.scroller);
  }

  begin({ text, difference, bounds }) {
    this.characters = [...text]; // by code point, as the server counts
    this.difference = difference;
    this.bounds = bounds;
    this.pin = this.cursor = -1;
    this.scroller.scrollLeft = 0;
    const most = (values) => values.reduce((largest, value) => (Math.abs(value) > largest ? Math.abs(value) : largest), 0);
    this.largestCost = Math.max(...this.sides.map(({ cost }) => most(cost)));
    this.largestDifference = most(difference);
    this.canvas.setAttribute(
      "aria-label",
      `${this.characters.length} characters in ${this.sides.map(({ label }) => label).join(" and ")}: tokens, units, cost, and between them ` +
        "the difference. Left and right arrows move through the characters.",
    );
    this.resize();
  }

  at({ clientX }) {
    const x = clientX - this.canvas.getBoundingClientRect().left + this.scroller.scrollLeft;
    const at = Math.floor(x / WIDTH);
    return at >= 0 && at < this.characters.length ? at : -1;
  }

  hover(at) {
    if (at === this.cursor) return;
    this.cursor = at;
    this.heard.hover(at);
    this.schedule();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in STEPS)) return;
    event.preventDefault();
    this.move(STEPS[event.key]);
  }

  /** Move the pin by so many characters. */
  move(by) {
    const last = this.characters.length - 1;
    this.heard.pin(Math.max(0, Math.min(last, this.pin + by)));
  }

  /** Mark a character in both, and scroll it into view. */
  show(at, { center = false } = {}) {
    this.pin = at;
    const { scroller } = this;
    const x = at * WIDTH;
    if (center) scroller.scrollLeft = x - scroller.clientWidth / 2;
    else if (x < scroller.scrollLeft) scroller.scrollLeft = x - 4 * WIDTH;
    else if (x + WIDTH > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = x + 5 * WIDTH - scroller.clientWidth;
    this.schedule();
  }

  resize() {
    const width = this.scroller.clientWidth;
    if (!width || !this.characters.length) return;
    this.ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(TOTAL * this.ratio);
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${TOTAL}px`;
    this.spacer.style.width = `${Math.max(width, this.characters.length * WIDTH)}px`;
    this.schedule();
  }

  schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.canvas.width || !this.characters.length) return;
    const { context, ratio } = this;
    const css = getComputedStyle(this.root);
    this.color = (name) => css.getPropertyValue(name).trim();
    const width = this.canvas.width / ratio;
    const left = -this.scroller.scrollLeft;
    const first = Math.max(0, Math.floor(-left / WIDTH));
    const last = Math.min(this.characters.length, Math.ceil((width - left) / WIDTH));
    const range = { first, last, left };
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, TOTAL);
    const [one, other] = this.sides;
    const below = LANE + LABEL + BETWEEN + 8;
    this.drawSide(one, 0, range);
    this.drawDifference(LANE + LABEL, range, width);
    this.drawSide(other, below, range);
    for (const [at, name] of [[this.cursor, "--muted"], [this.pin, "--ink"]]) {
      if (at >= 0) this.drawMark(at, left, this.color(name), below);
    }
    this.label(`${one.label} · ${one.signal.label.toLowerCase()}, layer ${one.view.layer + 1}`, 13, one.color);
    this.label("cost, nats a character", LABEL + STRIP + HEAT + 12);
    this.label(`up: likelier in ${one.label}`, LANE + 13, one.color);
    this.label(`down: likelier in ${other.label}`, LANE + LABEL + BETWEEN - 4, other.color);
    this.label(`${other.label} · ${other.signal.label.toLowerCase()}, layer ${other.view.layer + 1}`, below + 13, other.color);
    this.label("cost, nats a character", below + LABEL + STRIP + HEAT + 12);
  }

  drawSide(side, top, { first, last, left }) {
    const { context, ratio } = this;
    this.drawStrip(side, top + LABEL, { first, last, left });
    const heat = top + LABEL + STRIP;
    side.draw(context, { first, last, left, width: WIDTH, top: heat, height: HEAT, ratio });
    const floor = heat + HEAT + COST;
    context.fillStyle = this.color(side.color);
    context.globalAlpha = 0.75;
    this.eachPiece(side.bounds, { first, last }, (from, to) => {
      const height = (side.cost[from] / this.largestCost) * (COST - 4);
      if (height > 0) context.fillRect(left + from * WIDTH + 0.5, floor - height, (to - from) * WIDTH - 1, height);
    });
    context.globalAlpha = 1;
    this.rule(floor + 0.5, left, { first, last });
  }

  /** The tokens, as wide as their characters: one of several characters is framed. */
  drawStrip(side, top, { first, last, left }) {
    const { context } = this;
    context.font = `13px ${this.color("--mono")}`;
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.lineWidth = 1;
    this.eachPiece(side.bounds, { first, last }, (from, to) => {
      if (to - from > 1) {
        context.strokeStyle = this.color("--wire");
        context.beginPath();
        context.roundRect(left + from * WIDTH + 1.5, top + 1.5, (to - from) * WIDTH - 3, STRIP - 5, 4);
        context.stroke();
      }
      for (let at = from; at < to; at += 1) {
        const shape = visible(this.characters[at], to - from > 1);
        context.fillStyle = this.color(shape === this.characters[at] ? "--ink" : "--muted");
        context.fillText(shape, left + (at + 0.5) * WIDTH, top + STRIP - 8, WIDTH);
      }
    });
  }

  drawDifference(top, { first, last, left }) {
    const { context } = this;
    const middle = top + BETWEEN / 2;
    const half = BETWEEN / 2 - 5;
    this.eachPiece(this.bounds, { first, last }, (from, to) => {
      const height = (this.difference[from] / (this.largestDifference || 1)) * half;
      if (!height) return; // NaN where nothing is compared
      context.fillStyle = this.color(this.sides[height > 0 ? 0 : 1].color);
      context.fillRect(left + from * WIDTH + 0.5, middle - Math.max(0, height), (to - from) * WIDTH - 1, Math.abs(height));
    });
    this.rule(middle, left, { first, last });
  }

  /** Call for each stretch [from, to) between bounds that can be seen. */
  eachPiece(bounds, { first, last }, call) {
    for (let at = 0; at + 1 < bounds.length && bounds[at] < last; at += 1) {
      if (bounds[at + 1] > first) call(bounds[at], bounds[at + 1]);
    }
  }

  rule(y, left, { first, last }) {
    this.context.strokeStyle = this.color("--edge");
    this.context.lineWidth = 1;
    this.context.beginPath();
    this.context.moveTo(left + first * WIDTH, y);
    this.context.lineTo(left + last * WIDTH, y);
    this.context.stroke();
  }

  /** A frame round what each model read as one, in both at once. */
  drawMark(at, left, color, below) {
    const { context } = this;
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    this.sides.forEach((side, number) => {
      const [from, to] = side.pieceAt(at);
      context.strokeRect(left + from * WIDTH, (number ? below : 0) + LABEL, (to - from) * WIDTH, LANE - LABEL);
    });
    context.globalAlpha = 0.16;
    context.fillStyle = color;
    context.fillRect(left + at * WIDTH, LANE, WIDTH, below - LANE);
    context.globalAlpha = 1;
  }

  /** Words at the left edge that stay while the picture scrolls. */
  label(text, baseline, dot = "") {
    const { context } = this;
    context.font = `12px ${this.color("--mono")}`;
    context.textAlign = "left";
    const start = dot ? 16 : 3;
    context.fillStyle = this.color("--paper");
    context.globalAlpha = 0.82;
    context.fillRect(0, baseline - 12, context.measureText(text).width + start + 5, 16);
    context.globalAlpha = 1;
    if (dot) {
      context.fillStyle = this.color(dot);
      context.fillRect(3, baseline - 9, 9, 9);
    }
    context.fillStyle = this.color("--ink");
    context.fillText(text, start, baseline);
  }
}
