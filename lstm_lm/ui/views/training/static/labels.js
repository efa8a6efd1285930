// Where the names at the lines' ends stand: near their end, over as little as possible.

export const CHARACTER = 7.3; // px of a label's character
const LINE = 16; // px of a label's height
const SAMPLE = 4; // px between two looked-at points of a line

const NEAR = 3; // px between a leader and a line that it crosses
const RISES = [0, 15, 26, 38, 52, 68, 86, 106, 128, 152].flatMap((rise) => (rise ? [-rise, rise] : [0]));

/** Points along polylines, close enough that no label hides between two. */
function along(lines) {
  const found = [];
  for (const { of, points } of lines) {
    points.forEach(({ x, y }, at) => {
      const next = points[at + 1] ?? { x, y };
      const count = Math.max(1, Math.ceil(Math.hypot(next.x - x, next.y - y) / SAMPLE));
      for (let k = 0; k < count; k += 1) {
        found.push({ of, x: x + ((next.x - x) * k) / count, y: y + ((next.y - y) * k) / count });
      }
    });
  }
  return found;
}

const within = (point, box) =>
  point.x > box.left && point.x < box.right && point.y > box.top && point.y < box.bottom;
const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

function distance(point, from, to) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const share = ((point.x - from.x) * dx + (point.y - from.y) * dy) / (dx * dx + dy * dy || 1);
  const at = Math.max(0, Math.min(1, share));
  return Math.hypot(point.x - from.x - at * dx, point.y - from.y - at * dy);
}

/**
 * A place for each label, and where a leader from the line's end would meet it.
 *
 * @param ends [{x, y, text}], where the lines end
 * @param lines [{of, points}]: polylines of {x, y} that a label should not cover, and whose they are
 * @param frame {left, right, top, bottom} that a label should not leave
 * @returns [{x, y, meets: {x, y}}], the left end of each label's baseline
 */
export function placeLabels(ends, lines, frame) {
  const points = along(lines);
  const set = [];
  return ends.map(({ x, y, text }, of) => {
    const width = CHARACTER * text.length;
    let best = null;
    for (const rise of RISES) {
      for (const start of [x + 9, x - width / 2, x - width, x - width - 9]) {
        const left = Math.max(frame.left, Math.min(start, frame.right - width));
        const box = { left, right: left + width, top: y + rise - LINE / 2, bottom: y + rise + LINE / 2 };
        const meets = {
          x: Math.max(box.left, Math.min(x, box.right)),
          y: Math.max(box.top + 3, Math.min(y, box.bottom - 3)),
        };
        const outside = box.right > frame.right + 1 || box.top < frame.top || box.bottom > frame.bottom;
        const covered = points.filter((point) => within(point, box)).length;
        const crossed = points.filter(
          (point) => point.of !== of && distance(point, { x, y }, meets) < NEAR,
        ).length;
        const cost =
          (outside ? 1000 : 0) + (within({ x, y }, box) ? 1000 : 0) +
          set.filter((other) => meet(box, other)).length * 300 +
          covered * 8 + crossed * 12 + Math.hypot(meets.x - x, meets.y - y);
        if (!best || cost < best.cost) best = { cost, box, meets };
      }
    }
    set.push(best.box);
    return { x: best.box.left, y: best.box.bottom - LINE / 2 + 4, meets: best.meets };
  });
}
