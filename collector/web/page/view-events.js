// What happened since the start.
import { get } from "./api.js";
import { levelOf } from "./advice.js";
import { h, lamp, rebuild } from "./dom.js";
import { moment, number, stamp } from "./format.js";
import { refreshed } from "./refreshed.js";
import { live } from "./live.js";
import { known, t } from "./words.js";

const BAD = new Set(["gap", "restart"]);
const isBad = (type, { state }) => BAD.has(type) || (type === "alarm" && state === "raised") || (type === "config" && state !== "applied");

export function eventsView() {
  const list = h("ol", { class: "events" });
  return refreshed(t("events"), list, 3000, () => get("events"), (events) =>
    rebuild(list, [events.map(({ number }) => number), t("events")], () => (events.length ? events.map(event) : h("p", { class: "calm" }, lamp("ok"), t("no_events")))));
}

function event({ type, timestamp, fields }) {
  const level = type === "device" ? levelOf(fields.state) : isBad(type, fields) ? "warn" : "idle";
  const at = Date.parse(timestamp);
  return h("li", {}, lamp(level), h("time", { datetime: timestamp, title: stamp(at) }, moment(at)),
    h("div", {}, h("b", {}, known(`event.${type}`) ? t(`event.${type}`) : type), " ", ...wordsOf(type, fields)));
}

function wordsOf(type, fields) {
  if (type === "device") return [`${fields.name}: ${t(`state.${fields.state}`)}`, fields.error && h("p", { class: "detail" }, fields.error)];
  if (type === "alarm") return [alarmWords(fields)];
  if (type === "config") return [`${t(`config.${fields.state}`)}, ${t("version")} ${fields.version ?? "–"}`, (fields.errors ?? []).map(({ path, message }) => h("p", { class: "detail" }, [path, message].filter(Boolean).join(": ")))];
  return [h("span", { class: "detail" }, Object.entries(fields).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(" · "))];
}

function alarmWords({ device_id, tag, level, state, value, limit }) {
  const name = live.devices.get(device_id)?.name ?? device_id;
  const what = tag === undefined ? `${name}: ${t("device_away")}` : t("what.alarm", { name, tag, level: t(`level.${level}`) });
  const figures = limit === undefined || value === undefined ? "" : ` (${t("limit_at", { value: number(value), limit: number(limit) })})`;
  return `${what}${figures}, ${t(state)}`;
}
