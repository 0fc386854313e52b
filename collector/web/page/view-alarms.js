// Alarms: those that hold, to be acknowledged, and those of the last month.
import { change, get } from "./api.js";
import { h, lamp, rebuild } from "./dom.js";
import { lasting, moment, now, number, since } from "./format.js";
import { live } from "./live.js";
import { t } from "./words.js";

const EVERY_MS = 3000;

export function alarmsView() {
  const active = h("div", { class: "stack" }), past = h("div", { class: "scroll" }), said = h("p", { class: "small", role: "status" });
  let left = false, timer = 0, counted = "";

  async function load() {
    clearTimeout(timer);
    if (left) return;
    try {
      const [held, before] = await Promise.all([get("alarms"), get("alarms/history", { start_time: "-30d", limit: 200 })]);
      if (left) return;
      rebuild(active, [held, held.map((alarm) => since(alarm.since)), t("alarms")], () => (held.length ? held.map(card) : h("p", { class: "calm" }, lamp("ok"), t("no_alarms"))));
      rebuild(past, [before, t("alarms")], () => table(before));
    } catch (error) {
      rebuild(active, error.message, () => h("p", { class: "empty" }, error.status === 404 ? t("alarms_off") : t("failed", { reason: error.message })));
      past.replaceChildren();
    }
    timer = setTimeout(load, EVERY_MS);
  }

  function card(alarm) {
    const level = alarm.left ? "idle" : alarm.acknowledged ? "warn" : "bad";
    return h("article", { class: `trouble ${level}` }, lamp(level),
      h("div", {},
        h("p", { class: "what" }, h("b", {}, whatOf(alarm)), h("span", { class: "muted" }, t("since", { ago: since(alarm.since) }))),
        h("p", { class: "detail" }, figuresOf(alarm)),
        h("p", { class: "row" }, alarm.tag !== null && h("a", { href: `#/tag/${encodeURIComponent(alarm.device_id)}/${encodeURIComponent(alarm.tag)}` }, alarm.tag),
          alarm.tag === null && h("a", { href: `#/device/${encodeURIComponent(alarm.device_id)}` }, alarm.device_name))),
      alarm.acknowledged ? h("span", { class: "muted" }, t("acknowledged")) : h("button", { type: "button", onclick: () => acknowledge(alarm.id) }, t("acknowledge")));
  }

  async function acknowledge(id) {
    try {
      await change("POST", `alarms/${encodeURIComponent(id)}/acknowledge`);
      said.textContent = "";
    } catch (error) {
      said.textContent = error.message;
    }
    load();
  }

  load();
  return {
    title: t("alarms"),
    news() {
      const counts = JSON.stringify(live.status?.alarms);
      if (counts !== counted) load();
      counted = counts;
    },
    leave() {
      left = true;
      clearTimeout(timer);
    },
    element: h("div", { class: "view" }, h("h1", {}, t("alarms")), said, h("h2", {}, t("active_alarms")), active, h("h2", {}, t("alarm_history")), past),
  };
}

const whatOf = ({ device_name, tag, level }) => (tag === null ? `${device_name}: ${t("device_away")}` : t("what.alarm", { name: device_name, tag, level: t(`level.${level}`) }));

function figuresOf({ value, limit, unit }) {
  return value === null || limit === null ? "" : t("limit_of", { value: number(value), unit, limit: number(limit) });
}

function table(alarms) {
  if (!alarms.length) return h("p", { class: "empty" }, t("no_alarms_before"));
  return h("table", {},
    h("thead", {}, h("tr", {}, ["when", "what", "value", "how_long", "state"].map((each) => h("th", { scope: "col" }, t(each))))),
    h("tbody", {}, alarms.map((alarm) => h("tr", {},
      h("td", {}, moment(Date.parse(alarm.since))), h("td", {}, whatOf(alarm)), h("td", {}, figuresOf(alarm)),
      h("td", {}, lasting((alarm.left ? Date.parse(alarm.left) : now()) - Date.parse(alarm.since))), h("td", {}, t(alarm.state))))));
}
