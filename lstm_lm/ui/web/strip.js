// The token strip: one token above each column. Text is drawn, never made into markup.

const SIGNS = new Map([["\n", "↵"], ["\t", "⇥"], ["\r", "␍"], ["\0", "␀"]]);

/** A token as it is shown: signs for what has no shape of its own. */
export function visible(token, subword) {
  let text = "";
  for (const character of token) text += SIGNS.get(character) ?? character;
  return subword ? text.replaceAll(" ", "·") : text;
}

/** A token in a sentence, in quotation marks. */
export const quoted = (token) => (token === " " ? "a space" : `“${visible(token, false)}”`);

/** How wide a column must be for the tokens of this tokenizer. */
export const columnWidthFor = (tokenizer) => (tokenizer === "char" ? 10 : 42);

export function drawStrip(context, columns, { first, last, left, columnWidth, baseline, ink, muted, mark, marks, font }) {
  const subword = columnWidth > 20;
  context.font = font;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (let column = first; column < last; column += 1) {
    if (!columns.have[column]) continue;
    const token = columns.tokens[column];
    const given = column < columns.header.prompt_steps;
    const sign = SIGNS.has(token);
    context.fillStyle = given || sign ? muted : ink;
    const x = left + (column + 0.5) * columnWidth;
    context.fillText(visible(token, subword), x, baseline, columnWidth - (subword ? 3 : 0));
  }
  // Characters that the model has never seen stand between columns, where it read on without them.
  context.fillStyle = mark;
  for (const { before, text } of marks) {
    if (before < first || before > last) continue;
    const x = left + before * columnWidth;
    context.fillRect(x - 1, baseline - 11, 2, 15);
    context.fillText(text, x, baseline - 13, 3 * columnWidth);
  }
}
