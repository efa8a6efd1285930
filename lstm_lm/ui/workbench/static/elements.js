// Elements made in code. Text only ever enters as text, never as markup.

/** An element with a class and what it holds: text or elements. */
export function make(tag, className, ...held) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...held);
  return element;
}

/** A number that a test can find: <span data-...>. */
export function value(kind, name, text) {
  const element = make("span", "value", text);
  element.dataset[kind] = name;
  return element;
}
