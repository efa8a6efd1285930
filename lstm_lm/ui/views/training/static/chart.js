// The picture: an SVG of loss over training, with a mark for the slider's place and a cursor.

import { draw } from "../../../web/elements.js";
import { CHARACTER, placeLabels } from "./labels.js";
import { bits, scaleOf, short, ticksOf } from "./scale.js";

const NARROW = 640; // px; below it labels stand within the picture, not beside it
const NEAR_END = 0.75; // of the width; a line that ends later has its label beside the picture
const LEADER = 14; // px between a line's end and its label that need a leader
const LONGEST = 24; // characters of a label
const UNIT = { step: "steps", tokens: "tokens read", seconds: "seconds" };

export class Chart {
  constructor(root, view) {
    this.view = view;
    this.frame = root.querySelector(".frame");
    this.svg = draw("svg", {
      class: "chart", tabindex: 0, role: "application", "aria-roledescription": "line chart",
    });
    this.frame.append(this.svg);
    new ResizeObserver(() => this.draw()).observe(this.frame);
    this.svg.addEventListener("pointermove", (event) => this.hover(event));
    this.svg.addEventListener("pointerleave", () => view.byPointer && view.moveCursor(null));
    this.svg.addEventListener("click", (event) => this.click(event));
    this.svg.addEventListener("keydown", (event) => this.key(event));
  }

  /** The rows that can be drawn: a logarithm has no place for 0. */
  drawable(run) {
    const { along, x } = this.view;
    return run.points
      .map((point, row) => ({ ...point, row, at: point[along] }))
      .filter((point) => x === "linear" || point.at > 0);
  }

  draw() {
    const { runs, along, x, y } = this.view;
    const { clientWidth: width, clientHeight: height } = this.frame;
    if (!runs.length || !width) return;
    const labels = runs.map((run) => this.label(run));
    const rows = runs.map((run) => this.drawable(run));
    const all = rows.flat();
    if (!all.length) return;
    const ats = all.map((point) => point.at);
    const low = x === "log" ? Math.min(...ats) : 0;
    const domain = low < Math.max(...ats) ? [low, Math.max(...ats)] : [low / 2, low * 2 || 1];
    const range = this.range(all, y);
    const share = scaleOf(x, domain, [0, 1]);
    const beside = labels.filter((_, at) => rows[at].length && share(rows[at].at(-1).at) > NEAR_END);
    const right = width < NARROW ? 10 : 18 + CHARACTER * Math.max(0, ...beside.map((text) => text.length));
    const box = { left: 38, right: width - right, top: 26, bottom: height - 26 };
    const toX = scaleOf(x, domain, [box.left, box.right]);
    const toY = scaleOf(y, range, [box.bottom, box.top]);
    this.places = runs.map((run, at) =>
      rows[at].map((point) => ({
        row: point.row, x: toX(point.at), y: toY(point.val),
        train: point.train > 0 ? toY(point.train) : null,
      })),
    );
    this.box = box;
    this.placeMark = draw("g", { class: "place" });
    this.cursorMark = draw("g", { class: "cursor" });
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute(
      "aria-label",
      `Loss in bits a character over ${UNIT[along]} of ${runs.map((run) => run.label).join(", ")}. ` +
        "Left and right arrows move through evaluations, up and down through runs, Enter shows the sample.",
    );
    this.svg.replaceChildren(
      this.grid(box, toX, toY, domain, range),
      this.placeMark,
      ...runs.map((run, at) => this.lines(run, this.places[at], rows[at])),
      this.ends(labels, width),
      this.cursorMark,
    );
    this.mark();
  }

  label(run) {
    const name = run.label.length > LONGEST ? `${run.label.slice(0, LONGEST - 1)}…` : run.label;
    return `${name} ${bits(run.points.at(-1).val)}`;
  }

  /** The losses in view with a little room: [low, high]. */
  range(points, kind) {
    const losses = points.flatMap(({ train, val }) => (train > 0 ? [train, val] : [val]));
    const [low, high] = [Math.min(...losses), Math.max(...losses)];
    if (kind === "log") return [low * 0.97, high * 1.03];
    const room = 0.05 * (high - low) || 0.1;
    return [low - room, high + room];
  }

  grid(box, toX, toY, domain, range) {
    const { along, x, y } = this.view;
    const group = draw("g", { "aria-hidden": true });
    const ticks = ticksOf(y, range, 6);
    const digits = ticks.some((tick) => Math.abs(tick * 10 - Math.round(tick * 10)) > 1e-6) ? 2 : 1;
    for (const tick of ticks) {
      const at = Math.round(toY(tick)) + 0.5;
      group.append(
        draw("line", { class: "edge", x1: box.left, x2: box.right, y1: at, y2: at }),
        draw("text", { x: box.left - 8, y: at + 4, "text-anchor": "end" }, tick.toFixed(digits)),
      );
    }
    let free = 0;
    const unit = UNIT[along];
    const unitFrom = box.right - CHARACTER * unit.length;
    for (const tick of ticksOf(x, domain, Math.min(8, (box.right - box.left) / 80))) {
      const text = short(tick);
      const at = toX(tick);
      const half = (CHARACTER * text.length) / 2;
      // One text may not run into the next, nor into the axis's name.
      if (at - half < free || at + half > unitFrom - 8) continue;
      free = at + half + 10;
      group.append(draw("text", { x: at, y: box.bottom + 20, "text-anchor": "middle" }, text));
    }
    group.append(
      draw("text", { x: box.right, y: box.bottom + 20, "text-anchor": "end" }, unit),
      draw("text", { x: 0, y: 12 }, "bits a character"),
    );
    return group;
  }

  lines(run, places, rows) {
    const group = draw("g", { style: `--run: var(--run-${run.color})`, "data-run": run.name });
    const path = (kind, points) =>
      draw("path", { class: kind, d: points.map(({ x, y }, at) => `${at ? "L" : "M"}${x} ${y}`).join("") });
    const trained = places.filter(({ train }) => train !== null);
    group.append(
      path("train", trained.map(({ x, train }) => ({ x, y: train }))),
      path("val", places),
      ...places.map(({ x, y, row }, at) =>
        draw("circle", { cx: x, cy: y, r: rows.length > 80 ? 1.5 : 2.5, "data-row": row, "data-step": rows[at].step }),
      ),
    );
    return group;
  }

  /** A name and a last value at each line's end, with a leader where it stands apart. */
  ends(labels, width) {
    const group = draw("g", { "aria-hidden": true });
    const ends = this.places.flatMap((places, run) =>
      places.length ? [{ ...places.at(-1), run, text: labels[run] }] : [],
    );
    const lines = ends.flatMap(({ run }, of) => {
      const trained = this.places[run].filter(({ train }) => train !== null);
      return [
        { of, points: this.places[run] },
        { of, points: trained.map(({ x, train }) => ({ x, y: train })) },
      ];
    });
    const { left, top, bottom } = this.box;
    placeLabels(ends, lines, { left, right: width, top, bottom }).forEach(({ x, y, meets }, at) => {
      const end = ends[at];
      const part = draw("g", { style: `--run: var(--run-${this.view.runs[end.run].color})` });
      if (Math.hypot(meets.x - end.x, meets.y - end.y) > LEADER) {
        part.append(draw("line", { class: "drop", x1: end.x, y1: end.y, x2: meets.x, y2: meets.y }));
      }
      part.append(draw("text", { class: "end", x, y }, end.text));
      group.append(part);
    });
    return group;
  }

  /** Draw the slider's place and the cursor anew; the lines stay. */
  mark() {
    if (!this.places) return;
    const { runs, cursor } = this.view;
    const { bottom, top } = this.box;
    this.placeMark.replaceChildren();
    this.cursorMark.replaceChildren();
    runs.forEach((run, at) => {
      const found = this.places[at]?.find(({ row }) => row === this.view.rowAtPlace(at));
      if (!found) return;
      const group = draw("g", { style: `--run: var(--run-${run.color})`, "data-run": run.name });
      group.append(
        draw("line", { class: "drop", x1: found.x, x2: found.x, y1: found.y, y2: bottom }),
        draw("circle", { cx: found.x, cy: found.y, r: 6 }),
      );
      this.placeMark.append(group);
    });
    const point = cursor && this.places[cursor.run]?.find(({ row }) => row === cursor.row);
    if (!point) return;
    const group = draw("g", { style: `--run: var(--run-${runs[cursor.run].color})` });
    group.append(draw("line", { class: "drop", x1: point.x, x2: point.x, y1: top, y2: bottom }));
    for (const y of [point.train, point.y]) {
      if (y !== null) group.append(draw("circle", { cx: point.x, cy: y, r: 4.5 }));
    }
    this.cursorMark.append(group);
  }

  // Pointer and keyboard: both move a cursor, both choose a place.

  nearest(event) {
    const frame = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    let best = null;
    let least = Infinity;
    this.places?.forEach((places, run) => {
      for (const place of places) {
        const distance = Math.min(
          Math.hypot(place.x - x, place.y - y),
          place.train === null ? Infinity : Math.hypot(place.x - x, place.train - y),
        );
        if (distance < least) [least, best] = [distance, { run, row: place.row }];
      }
    });
    return best;
  }

  hover(event) {
    // A page that moves under a resting pointer also sends an event: it moved nothing.
    if (event.pointerType === "touch" || (!event.movementX && !event.movementY)) return;
    this.view.moveCursor(this.nearest(event));
    this.view.byPointer = true;
  }

  click(event) {
    const place = this.nearest(event);
    if (!place) return;
    this.view.moveCursor(place);
    this.view.byPointer = event.pointerType !== "touch";
    this.view.showSampleAt(place);
  }

  key(event) {
    const { view } = this;
    if (!this.places || event.ctrlKey || event.metaKey || event.altKey) return;
    const from = view.cursor ?? { run: 0, row: view.rowAtPlace(0) };
    const clamp = (value, size) => Math.max(0, Math.min(size - 1, value));
    const along = this.places[from.run];
    const at = Math.max(0, along.findIndex(({ row }) => row === from.row));
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -5, PageDown: 5, Home: -along.length, End: along.length };
    if (event.key in moves) {
      const target = along[clamp(at + moves[event.key], along.length)];
      if (target) view.moveCursor({ run: from.run, row: target.row }, { speak: true });
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      view.moveCursor(this.acrossFrom(from, along[at], event.key === "ArrowUp" ? -1 : 1), { speak: true });
    } else if (event.key === "Enter" || event.key === " ") {
      view.moveCursor(from, { speak: true });
      view.showSampleAt(from);
    } else if (event.key === "Escape") {
      view.moveCursor(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** The next run's evaluation nearest to this one along the axis. */
  acrossFrom(from, point, way) {
    const run = (from.run + way + this.places.length) % this.places.length;
    const near = this.places[run];
    if (!near.length || !point) return from;
    const best = near.reduce((a, b) => (Math.abs(b.x - point.x) < Math.abs(a.x - point.x) ? b : a));
    return { run, row: best.row };
  }
}
