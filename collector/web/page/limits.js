// The limits of a tag: shown, and set where the document sets none.
import { change, get, query } from "./api.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { t } from "./words.js";

const LIMITS = ["low_low", "low", "high", "high_high"], FIELDS = [...LIMITS, "hysteresis", "delay_sec"];

/** `changed` is called when other limits hold. */
export function limitsForm({ device_id, tag, thresholds }, changed) {
  const section = h("section", { class: "limits-form" }, h("h2", {}, t("thresholds")));
  const said = h("p", { class: "small", role: "status" });
  const inputs = Object.fromEntries(FIELDS.map((field) => [field, h("input", { type: "number", step: "any", id: `limit-${field}`, value: thresholds?.[field] ?? "" })]));

  async function save(event) {
    event.preventDefault();
    const sent = Object.entries(inputs).filter(([, { value }]) => value !== "").map(([field, { value }]) => [field, Number(value)]);
    await attempt(() => change("PUT", "thresholds", { device_id, tag, ...Object.fromEntries(sent) }), "saved");
  }

  async function attempt(act, done) {
    try {
      await act();
      await changed();
      said.textContent = t(done);
    } catch (error) {
      said.textContent = error.message;
    }
  }

  function form() {
    return h("form", { onsubmit: save },
      h("div", { class: "fields" }, FIELDS.map((field) => h("label", { for: `limit-${field}` }, LIMITS.includes(field) ? t(`limit.${field}`) : t(field), inputs[field]))),
      h("p", { class: "row" }, h("button", { type: "submit" }, t("save")),
        thresholds && h("button", { type: "button", class: "quiet", onclick: () => attempt(() => change("DELETE", `thresholds?${query({ device_id, tag })}`), "removed") }, t("remove"))));
  }

  function list() {
    const set = FIELDS.filter((field) => thresholds[field]);
    return h("dl", { class: "facts" }, set.map((field) => h("div", {}, h("dt", {}, LIMITS.includes(field) ? t(`limit.${field}`) : t(field)), h("dd", {}, number(thresholds[field])))));
  }

  get("thresholds", { device_id, tag }).then(([found]) => {
    const fixed = found?.source === "document";
    section.append(h("p", { class: "muted small" }, fixed ? t("from_document") : found ? t("set_here") : t("no_thresholds")), fixed ? list() : form(), said);
  }, () => section.remove());
  return section;
}
