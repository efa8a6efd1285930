// A unit's value as a colour: the page's diverging palette, and an ink that can be read on it.

import { isDark, lookup } from "./palette.js";
import { visible } from "./strip.js";

const EVEN = 0.179; // luminance of a paper on which black and white are read equally well

const channel = (byte) => (byte <= 10 ? byte / 3294.6 : ((byte / 255 + 0.055) / 1.055) ** 2.4);

/** The palette as it is now, light or dark: `paint` puts the colour of a value on an element. */
export function painter(signed = true) {
  const table = lookup(signed, isDark());
  const papers = new Map();
  const paper = (byte) => {
    if (!papers.has(byte)) {
      const rgb = [0, 8, 16].map((shift) => (table[byte] >>> shift) & 255);
      const light = 0.2126 * channel(rgb[0]) + 0.7152 * channel(rgb[1]) + 0.0722 * channel(rgb[2]);
      papers.set(byte, [`rgb(${rgb.join(", ")})`, light > EVEN ? "#000" : "#fff"]);
    }
    return papers.get(byte);
  };
  return {
    paint(element, value, scale) {
      const share = Math.max(-1, Math.min(1, value / scale));
      const [background, color] = paper(Math.round(share * 127) + 128);
      element.style.background = background;
      element.style.color = color;
    },
    /** The whole ramp across a canvas, from the lowest value to the highest. */
    ramp(canvas) {
      const context = canvas.getContext("2d");
      for (let x = 0; x < canvas.width; x += 1) {
        const at = x / (canvas.width - 1);
        [context.fillStyle] = paper(signed ? 1 + Math.round(at * 254) : Math.round(at * 255));
        context.fillRect(x, 0, 1, canvas.height);
      }
    },
  };
}

/**
 * Tokens [start, stop), each with the colour of its value.
 * @param values Float32Array, a value a token. @param lines whether a line's end breaks the line.
 */
export function coloredTokens({ tokens, values, scale, start, stop, lines }, paint) {
  const pieces = [];
  for (let at = start; at < stop; at += 1) {
    const piece = document.createElement("span");
    const shown = visible(tokens[at], false);
    piece.textContent = lines && tokens[at].endsWith("\n") ? `${shown}\n` : shown || "∅";
    paint.paint(piece, values[at], scale);
    pieces.push(piece);
  }
  return pieces;
}
