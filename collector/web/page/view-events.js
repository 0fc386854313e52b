// What happened since the start.
import { get } from "./api.js";
import { levelOf } from "./advice.js";
import { h, lamp, rebuild } from "./dom.js";
import { moment, stamp } from "./format.js";
import { refreshed } from "./refreshed.js";
import { known, t } from "./words.js";

const BAD = new Set(["gap", "restart"]);

export function eventsView() {
  const list = h("ol", { class: "events" });
  return refreshed(t("events"), list, 3000, () => get("events"), (events) =>
    rebuild(list, [events.map(({ number }) => number), t("events")], () => (events.length ? events.map(event) : h("p", { class: "calm" }, lamp("ok"), t("no_events")))));
}

function event({ type, timestamp, fields }) {
  const level = type === "device" ? levelOf(fields.state) : BAD.has(type) ? "warn" : "idle";
  const at = Date.parse(timestamp);
  return h("li", {}, lamp(level), h("time", { datetime: timestamp, title: stamp(at) }, moment(at)),
    h("div", {}, h("b", {}, known(`event.${type}`) ? t(`event.${type}`) : type), " ", ...wordsOf(type, fields)));
}

function wordsOf(type, fields) {
  if (type === "device") return [`${fields.name}: ${t(`state.${fields.state}`)}`, fields.error && h("p", { class: "detail" }, fields.error)];
  return [h("span", { class: "detail" }, Object.entries(fields).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · "))];
}
