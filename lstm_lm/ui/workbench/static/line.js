// One unit's signal over the steps in view, on a scale that stays.

/** Draw `values` (one a column, exact) between `top` and `top + height`. */
export function drawLine(context, values, { first, last, left, columnWidth, top, height, low, high, color, edge }) {
  const y = (value) => top + height - ((value - low) / (high - low)) * height;
  context.strokeStyle = edge;
  context.lineWidth = 1;
  context.beginPath();
  const zero = Math.round(y(Math.max(low, 0))) + 0.5;
  context.moveTo(left + first * columnWidth, zero);
  context.lineTo(left + last * columnWidth, zero);
  context.stroke();
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.lineJoin = "round";
  context.beginPath();
  for (let column = Math.max(0, first - 1); column < Math.min(values.length, last + 1); column += 1) {
    const x = left + (column + 0.5) * columnWidth;
    if (column === Math.max(0, first - 1)) context.moveTo(x, y(values[column]));
    else context.lineTo(x, y(values[column]));
  }
  context.stroke();
}
