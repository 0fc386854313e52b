// From what is known to what a person should do: the troubles, the worst first, each with a place to go.
import { percent } from "./format.js";
import { known, t } from "./words.js";

const RANK = { bad: 0, warn: 1, idle: 2 };
const TROUBLE = { faulted: "bad", offline: "bad", refused: "bad", degraded: "warn", waiting: "idle", paused: "idle", disabled: "idle", online: "ok" };
const CONDITIONS = {
  insecure: "idle", outbox_recovered: "warn", clock_unsynced: "warn", commands_refused: "warn", config_rolled_back: "warn", topic_suspended: "warn", no_consumer: "warn",
  write_list_unreadable: "warn", history_degraded: "warn", history_short: "warn", alarms_degraded: "warn", alarm_flood: "warn",
};
const FULL = 0.7, DISK_FULL = 90, MOST_DEVICES = 8;

/** How bad a device's state is: ok, idle, warn, bad. */
export const levelOf = (state) => TROUBLE[state] ?? "warn";

/** Whether nothing gets anywhere. */
export const stands = (status) => status.health.status === "failing";

/** Everything that is not as it should be: {level, what, since, detail, advice, link}. */
export function troubles(status, devices, alarms) {
  return [...ofBroker(status), ...ofConfig(status), ...ofDevices(devices), ...ofBuffer(status), ...ofAlarms(alarms), ...ofConditions(status)]
    .sort((one, other) => RANK[one.level] - RANK[other.level]);
}

function* ofBroker({ broker }) {
  if (!broker.connected) yield { level: "bad", what: t("what.broker"), since: broker.since, detail: broker.error ?? broker.url, advice: t("do.broker"), link: "#/buffer" };
}

function* ofConfig({ config, devices, edge_id, conditions }) {
  if (config.applied === null) yield { level: "bad", what: t("what.no_config"), detail: config.error ?? edge_id, advice: t("do.no_config"), link: "#/config" };
  else if (devices.total === 0) yield { level: "warn", what: t("what.no_devices"), detail: edge_id, advice: t("do.no_devices"), link: "#/config" };
  else if (config.error && !conditions.some(({ code }) => code === "config_stale")) yield { level: "warn", what: t("what.config"), detail: config.error, advice: t("do.config"), link: "#/config" };
  if (config.refused) yield { level: "warn", what: t("what.refused", { count: config.refused }), advice: t("do.refused_parts"), link: "#/config" };
}

function* ofDevices(devices) {
  const troubled = [...devices.values()].filter(({ state }) => ["bad", "warn"].includes(levelOf(state)));
  for (const { id, name, state, since, error } of troubled.slice(0, MOST_DEVICES)) {
    yield { level: levelOf(state), what: t("what.device", { name, state: t(`state.${state}`) }), since, detail: error, advice: t(`do.${state}`), link: `#/device/${encodeURIComponent(id)}` };
  }
}

function* ofBuffer({ buffer, gateway }) {
  if (buffer.dropped) yield { level: "warn", what: t("what.dropped", { count: buffer.dropped }), advice: t("do.dropped"), link: "#/buffer" };
  if (buffer.bytes > FULL * buffer.limit_bytes) yield { level: "bad", what: t("what.buffer", { percent: percent((100 * buffer.bytes) / buffer.limit_bytes) }), since: buffer.oldest, advice: t("do.buffer"), link: "#/buffer" };
  if (gateway.disk_percent > DISK_FULL) yield { level: "warn", what: t("what.disk", { percent: percent(gateway.disk_percent) }), advice: t("do.disk"), link: "#/buffer" };
}

function* ofAlarms(alarms) {
  for (const alarm of alarms) {
    if (alarm.acknowledged || alarm.tag === null) continue;
    const level = alarm.left ? "idle" : /_/.test(alarm.level) ? "bad" : "warn";
    yield { level, what: t("what.alarm", { name: alarm.device_name, tag: alarm.tag, level: t(`level.${alarm.level}`) }), since: alarm.since, advice: t("do.alarm"), link: "#/alarms" };
  }
}

function* ofConditions({ conditions }) {
  for (const { code, since, detail } of conditions) {
    const [, sink, rest] = /^(kafka|http)_(.+)$/.exec(code) ?? [];
    const key = known(`what.${code}`) ? code : known(`what.sink_${rest}`) ? `sink_${rest}` : "other";
    yield { level: sink ? "warn" : CONDITIONS[code] ?? "bad", what: t(`what.${key}`, { code, sink: sink === "http" ? "HTTP" : "Kafka" }), since, detail, advice: t(`do.${key}`), link: sink ? "#/buffer" : "#/logs" };
  }
}
