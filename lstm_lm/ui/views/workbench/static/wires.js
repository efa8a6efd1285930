// Wires between the boxes of a diagram, drawn under them from where the boxes stand.

import { draw } from "../../../web/elements.js";

/**
 * @param svg covers the same area as the boxes.
 * @param boxes name -> element.
 * @param pairs [from, to] by name.
 * @param lit (from, to) -> whether the wire stands out; null: all alike.
 */
export function drawWires(svg, boxes, pairs, lit) {
  const area = svg.getBoundingClientRect();
  const place = (name) => {
    const { left, right, top, bottom } = boxes[name].getBoundingClientRect();
    return { left: left - area.left, right: right - area.left, top: top - area.top, bottom: bottom - area.top };
  };
  svg.replaceChildren(
    ...pairs.map(([from, to]) => {
      const shown = lit ? (lit(from, to) ? "lit" : "dim") : "";
      return draw("path", { d: wire(place(from), place(to)), class: shown });
    }),
  );
}

const ROUND = 6; // px, of a corner
const TRUNK = 15; // px before a box at which the wires into it come together

function wire(a, b) {
  const middle = (low, high) => (low + high) / 2;
  const within = (x, { left, right }) => Math.max(left + 12, Math.min(right - 12, x));
  if (b.left >= a.right) {
    const [y, end, turn] = [middle(a.top, a.bottom), middle(b.top, b.bottom), b.left - TRUNK];
    const r = Math.min(ROUND, Math.abs(end - y) / 2) * Math.sign(end - y);
    const bend = Math.abs(r) > 0.5 ? `H${turn - Math.abs(r)}q${Math.abs(r)} 0 ${Math.abs(r)} ${r}V${end - r}q0 ${r} ${Math.abs(r)} ${r}` : "";
    return `M${a.right} ${y}${bend}H${b.left}m-5 -3.5l5 3.5l-5 3.5`;
  }
  const down = b.top >= a.bottom;
  const x = within(middle(b.left, b.right), a);
  const end = within(x, b);
  const [start, stop] = down ? [a.bottom, b.top] : [a.top, b.bottom];
  const back = down ? -5 : 5;
  const half = middle(start, stop);
  return `M${x} ${start}C${x} ${half} ${end} ${half} ${end} ${stop}m-3.5 ${back}l3.5 ${-back}l3.5 ${back}`;
}
