// One unit's signal over the steps in view, on a scale that stays.

export const DASHES = [[], [5, 3], [2, 3], [8, 3, 2, 3]]; // the text itself, then its branches

/** The line of zero, or of the lowest value where all are above it. */
export function drawZero(context, { first, last, left, columnWidth, top, height, low, high, edge }) {
  const y = Math.round(top + height - ((Math.max(low, 0) - low) / (high - low)) * height) + 0.5;
  context.strokeStyle = edge;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(left + first * columnWidth, y);
  context.lineTo(left + last * columnWidth, y);
  context.stroke();
}

/** Draw `values` (one a column, exact) between `top` and `top + height`; branches are dashed. */
export function drawLine(context, values, { first, last, left, columnWidth, top, height, low, high, color, number }) {
  const y = (value) => top + height - ((value - low) / (high - low)) * height;
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.setLineDash(DASHES[number]);
  context.beginPath();
  for (let column = Math.max(0, first - 1); column < Math.min(values.length, last + 1); column += 1) {
    const x = left + (column + 0.5) * columnWidth;
    if (column === Math.max(0, first - 1)) context.moveTo(x, y(values[column]));
    else context.lineTo(x, y(values[column]));
  }
  context.stroke();
  context.setLineDash([]);
}
