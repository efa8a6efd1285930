// The link that shows a span of the model's own text again, on any page that has the model.

const OFF = { "true,true": null, "true,false": "before", "false,true": "after", "false,false": "none" };

export class ViewLink {
  constructor(root, view) {
    this.view = view;
    this.button = root.querySelector(".copy");
    this.line = root.querySelector(".linked");
    this.field = root.querySelector(".address");
    this.spoken = root.querySelector(".spoken");
    this.button.addEventListener("click", () => this.copy());
    this.field.addEventListener("focus", () => this.field.select());
  }

  /** Another span, or another search for it; a text of one's own has no link: it would have to hold the text. */
  drawn() {
    this.button.hidden = this.view.text !== null || this.view.other !== null;
    this.line.hidden = true;
  }

  query() {
    const { found, layer, signal, start, stop, threshold, before, after } = this.view;
    const place = new URLSearchParams({ layer, signal, from: start, to: stop });
    if (threshold !== null) place.set("threshold", threshold);
    const off = OFF[[before, after]];
    if (off) place.set("off", off);
    return `?${found.address}&${place}`;
  }

  async copy() {
    this.field.value = `${location.origin}${location.pathname}${this.query()}`;
    this.line.hidden = false;
    const told = this.line.querySelector(".told");
    try {
      await navigator.clipboard.writeText(this.field.value);
      told.textContent = "The link to this span is copied";
    } catch {
      // No clipboard without https or leave: the link stands there, chosen, to be copied by hand.
      told.textContent = "Copy the link to this span";
      this.field.focus();
    }
    this.spoken.textContent = told.textContent;
  }
}
