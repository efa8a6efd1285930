// Numbers as a table, for those who read rather than look.

import { make } from "./elements.js";

/** A table: its caption, its head and rows of texts, the first of each row its name. */
export function table(caption, head, rows) {
  const cell = (text, at) => make(at ? "td" : "th", "", text);
  const body = make("tbody", "");
  for (const row of rows) {
    const cells = row.map(cell);
    cells[0].scope = "row";
    body.append(make("tr", "", ...cells));
  }
  const top = head.map((text) => make("th", "", text));
  for (const each of top) each.scope = "col";
  return make("table", "", make("caption", "", caption), make("thead", "", make("tr", "", ...top)), body);
}
