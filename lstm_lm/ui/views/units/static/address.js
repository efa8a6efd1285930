// The address bar of the Units view: it names the unit that is shown, so that the page can be opened
// there again. Going through the units replaces it; following a link to one leaves the last behind,
// for the browser's Back. When the view is left, what stood there before comes back.

import { tabOf } from "../../../web/going.js";

const OURS = ["__theme", "__lang"]; // how the page looks: it stays
const isUnit = (search) => new URLSearchParams(search).get("show") === "unit";

export class AddressBar {
  /**
   * @param go (layer, unit) => shows the unit of this address.
   * @param prefix () => how the query of the model's units begins. @param now () => that of the unit shown.
   */
  constructor({ go, prefix, now }) {
    Object.assign(this, { go, prefix, now });
    this.within = false; // whether the address is this view's
    this.plain = "";
    addEventListener("popstate", () => this.popped());
  }

  /** The unit's query is the address now; `push`: the one before can be gone back to. */
  show(query, { push = false, from = null } = {}) {
    if (!this.within) {
      this.within = true;
      this.plain = isUnit(location.search) ? kept("").toString() : location.search.slice(1);
    }
    const search = `?${kept(query)}`;
    if (search === location.search) return;
    if (!push) history.replaceState(history.state, "", search + location.hash);
    else {
      if (from) history.replaceState({ ...history.state, view: from }, "");
      history.pushState(null, "", search + location.hash);
    }
  }

  /** The view is no longer in sight. */
  leave() {
    if (!this.within) return;
    this.within = false;
    if (!isUnit(location.search)) return;
    history.replaceState(history.state, "", location.pathname + (this.plain && `?${this.plain}`) + location.hash);
  }

  /** Back or forward: to a unit, or to the view from which one came. */
  popped() {
    const query = new URLSearchParams(location.search);
    if (isUnit(location.search)) {
      const prefix = this.prefix();
      const begins = prefix && [...new URLSearchParams(prefix)].every(([name, value]) => query.get(name) === value);
      if (begins) {
        this.within = true;
        this.go(Number(query.get("layer")), Number(query.get("unit")));
      } else if (this.within) this.show(this.now() ?? ""); // of a model that is no longer the chosen one
    } else if (history.state?.view) tabOf(history.state.view)?.click();
  }
}

/** The query with what of the address is not a link. */
function kept(query) {
  const search = new URLSearchParams(query);
  const now = new URLSearchParams(location.search);
  for (const name of OURS) if (now.has(name)) search.set(name, now.get(name));
  return search;
}
