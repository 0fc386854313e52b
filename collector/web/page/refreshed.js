// A view that asks again every few seconds as long as it is shown.
import { h } from "./dom.js";
import { t } from "./words.js";

/** `ask` gives what `show` is called with; `element` is the view's own. */
export function refreshed(title, element, every_ms, ask, show) {
  const trouble = h("p", { class: "empty", role: "status" });
  let timer = 0, left = false;

  async function load() {
    clearTimeout(timer);
    try {
      const found = await ask();
      if (left) return;
      trouble.textContent = "";
      show(found);
    } catch (error) {
      trouble.textContent = t("failed", { reason: error.message });
    }
    if (!left) timer = setTimeout(load, every_ms);
  }

  load();
  return {
    title, load,
    leave() {
      left = true;
      clearTimeout(timer);
    },
    element: h("div", { class: "view" }, h("h1", {}, title), trouble, element),
  };
}
