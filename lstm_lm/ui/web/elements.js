// Elements made in code. Text only ever enters as text, never as markup.

/** An element with a class and what it holds: text or elements. */
export function make(tag, className, ...held) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...held);
  return element;
}

/** A shape of an SVG with its attributes, and the text that it holds. */
export function draw(name, attributes = {}, text) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Draw anew, and leave the focus where it was: on the same button, counted from the first. */
export function keepingFocus(container, draw) {
  const buttons = () => [...container.querySelectorAll("button")];
  const at = buttons().indexOf(document.activeElement);
  draw();
  if (at >= 0) buttons()[at]?.focus({ preventScroll: true });
}

/** A number that a test can find: <span data-...>. */
export function value(kind, name, text) {
  const element = make("span", "value", text);
  element.dataset[kind] = name;
  return element;
}
