// The columns of one run as they arrive: bytes to paint, tokens, and which columns are here.
//
// Updates do get lost (a hidden tab drops them), so columns may come in any order, twice or not at
// all; `missing()` says what to ask the server for.

export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k += 1) bytes[k] = text.charCodeAt(k);
  return bytes;
}

export const floatsOf = (base64) => new Float32Array(bytesOf(base64).buffer);

export class Columns {
  constructor(header) {
    this.header = header;
    this.run = header.run;
    this.layers = header.layers;
    this.units = header.units;
    this.signals = header.signals;
    this.cell = header.cell; // how it is drawn
    this.width = header.signals.length * header.layers * header.units; // bytes a column
    this.capacity = header.capacity;
    this.bytes = new Uint8Array(this.capacity * this.width);
    this.have = new Uint8Array(this.capacity);
    this.tokens = new Array(this.capacity).fill("");
    this.end = 0; // one past the last column known to exist
    this.done = false;
  }

  /** Begin as another text did, up to column `stop`. */
  begin(other, stop) {
    this.bytes.set(other.bytes.subarray(0, stop * this.width));
    for (let column = 0; column < stop; column += 1) this.tokens[column] = other.tokens[column];
    this.have.set(other.have.subarray(0, stop));
    this.end = stop;
  }

  /** Take columns in; returns the range that is new. */
  add({ start, tokens, data }) {
    const count = tokens.length;
    if (!count || start + count > this.capacity) return [start, start];
    this.bytes.set(bytesOf(data), start * this.width);
    for (let k = 0; k < count; k += 1) {
      this.tokens[start + k] = tokens[k];
      this.have[start + k] = 1;
    }
    this.end = Math.max(this.end, start + count);
    return [start, start + count];
  }

  /** The first column before `end` that never arrived, or -1. */
  missing() {
    const at = this.have.subarray(0, this.end).indexOf(0);
    return at;
  }

  /** Where the bytes of (signal, layer) of a column begin. */
  offset(column, signal, layer) {
    return column * this.width + (signal * this.layers + layer) * this.units;
  }
}
