// Going to a unit's page from any view. Layer and unit count from 0; they are of the model that is
// chosen on the page.
//
//   import { goToUnit, pageButton } from "./going.js";
//   goToUnit(layer, unit);                             // opens the Units tab at that unit
//   card.append(pageButton(layer, unit, "unit 258"));  // a button, styled as a link, that does it
//
// The Units view is mounted when its tab is first opened, so a place waits here until it is taken.
// Whoever imports this shares one copy: a module is loaded once a page. Knows nothing of the pages.

import { make } from "./elements.js";

let waiting = null;
let receiver = null;

/** The button of a view's tab: gradio draws all of them once more, unseen, to measure them. */
export const tabOf = (name) =>
  [...document.querySelectorAll("#views button[role=tab]")].find((each) => each.textContent.trim() === name);

/** Open the Units tab and show this unit. */
export function goToUnit(layer, unit) {
  const before = document.querySelector("#views button[role=tab][aria-selected=true]")?.textContent.trim();
  waiting = { layer, unit, from: before === "Units" ? null : before };
  if (waiting.from) tabOf("Units")?.click();
  receiver?.();
}

/** A button that goes to the unit's page. */
export function pageButton(layer, unit, text, label = `The page of unit ${unit} of layer ${layer + 1}`) {
  const button = make("button", "link", text);
  button.type = "button";
  button.title = label;
  button.addEventListener("click", () => goToUnit(layer, unit));
  return button;
}

/** The place that somebody wants to go to, once; null where nobody does. */
export function takePlace() {
  const place = waiting;
  waiting = null;
  return place;
}

/** For the Units view: `act` is called whenever a place waits. */
export function receivePlaces(act) {
  receiver = act;
  if (waiting) act();
}
