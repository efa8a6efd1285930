// The heatmap: a column a step, a row a unit, drawn from tiles that are painted once.
//
// A tile holds 128 columns at one pixel each, its rows already averaged down to the height of the
// plot; scrolling only copies tiles, so it stays smooth at 1,024 units and thousands of steps.

const TILE = 128;

export class Heatmap {
  constructor() {
    this.tiles = new Map();
    this.key = "";
  }

  /** Forget what was painted from column `from` on. */
  invalidate(from = 0, to = Infinity) {
    for (const index of this.tiles.keys()) {
      if ((index + 1) * TILE > from && index * TILE < to) this.tiles.delete(index);
    }
  }

  /** Draw columns [first, last) of (signal, layer) into the rectangle at `top`. */
  draw(context, columns, view, { first, last, left, columnWidth, top, height, rows, colors, key }) {
    if (key !== this.key) {
      this.tiles.clear();
      this.key = key;
    }
    context.imageSmoothingEnabled = false;
    for (let index = Math.floor(first / TILE); index * TILE < last; index += 1) {
      if (!this.tiles.has(index)) this.tiles.set(index, paintTile(columns, view, index, rows, colors));
      const tile = this.tiles.get(index);
      context.drawImage(tile, left + index * TILE * columnWidth, top, TILE * columnWidth, height);
    }
  }
}

function paintTile(columns, { signal, layer, order }, index, rows, colors) {
  const canvas = document.createElement("canvas");
  canvas.width = TILE;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(TILE, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const { units, bytes } = columns;
  const first = index * TILE;
  const last = Math.min(first + TILE, columns.end);
  for (let column = first; column < last; column += 1) {
    if (!columns.have[column]) continue;
    const base = columns.offset(column, signal, layer);
    for (let row = 0; row < rows; row += 1) {
      const from = Math.floor((row * units) / rows);
      const to = Math.max(from + 1, Math.floor(((row + 1) * units) / rows));
      let sum = 0;
      for (let place = from; place < to; place += 1) sum += bytes[base + order[place]];
      pixels[row * TILE + column - first] = colors[Math.round(sum / (to - from))];
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
