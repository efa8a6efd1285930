// The field that loads a model from the Hub: sends what was asked for, and says how it goes.

export function mount({ element, props, watch, trigger }) {
  const [form, input, button, bar, told] = ["form", "input", "button", "progress", ".told"].map((part) =>
    element.querySelector(part));
  let busy = false;

  const show = ({ told: text = "", state = "idle", share = null }) => {
    busy = state === "busy";
    told.textContent = text;
    told.classList.toggle("error", state === "error");
    bar.hidden = !busy;
    if (share === null) bar.removeAttribute("value");
    else bar.value = share;
    // Not `disabled`: that would take the focus away from who pressed it.
    button.setAttribute("aria-disabled", String(busy));
    input.setAttribute("aria-invalid", String(state === "error"));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (busy) return;
    show({ told: "Asking the Hub", state: "busy" });
    trigger("fetch", { repository: input.value });
  });
  element.querySelector("details").addEventListener("toggle", ({ target }) => target.open && input.focus());
  watch("value", () => show(props.value ?? {}));
  show(props.value ?? {});
}
