// What waits for the broker, now and over the last day.
import { get } from "./api.js";
import { chart } from "./chart.js";
import { h, rebuild } from "./dom.js";
import { now, number, moment, short, since, size } from "./format.js";
import { refreshed } from "./refreshed.js";
import { t } from "./words.js";

const DAY_MS = 86_400_000;

const factsOf = ({ messages, bytes, limit_bytes, oldest, recorded, acknowledged, dropped }) => [
  ["waiting_now", number(messages)], ["on_disk", t("of_limit", { bytes: size(bytes), limit: size(limit_bytes) })],
  ["oldest", oldest ? t("ago", { ago: since(oldest) }) : t("nothing_waits")],
  ["recorded", number(recorded)], ["acknowledged_count", number(acknowledged)], ["lost_count", number(dropped)],
];

const shown = (pairs) => pairs.map(([key, fact]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, fact)));

export function bufferView() {
  const facts = h("dl", { class: "facts large" }), plot = chart({ onRange() {}, onKey: () => false });
  const further = h("div", {});
  const body = h("div", {}, facts, h("p", { class: "muted small" }, t("balance")), h("h2", {}, `${t("last_day")}, ${t("messages")}`), plot.element, further);
  return refreshed(t("buffer"), body, 5000, () => get("buffer"), ({ now: waits, trace, sinks }) => {
    const pairs = factsOf(waits);
    rebuild(facts, pairs, () => shown(pairs));
    const others = sinks.map(({ buffer, ...sink }) => ({ ...sink, pairs: factsOf(buffer) }));
    rebuild(further, others, () => others.flatMap(({ name, where, up, error, pairs }) => [
      h("h2", {}, `${name === "http" ? "HTTP" : "Kafka"}: ${t(up ? "sink.up" : "sink.down")}`),
      h("p", { class: "muted small" }, error ? `${where}: ${error}` : where),
      h("dl", { class: "facts" }, shown(pairs)),
    ]));
    const { stamp_ms, messages: waiting } = trace;
    const to = now(), from = Math.max(to - DAY_MS, Math.min(stamp_ms[0] ?? to, to - 600_000));
    const step_ms = Math.max(30_000, (stamp_ms.at(-1) - stamp_ms[0]) / Math.max(1, stamp_ms.length - 1) || 0);
    const label = t("chart_label", { tag: t("waiting_now"), from: moment(from), to: moment(to), min: short(Math.min(...waiting, 0)), max: short(Math.max(...waiting, 0)), mean: short(waiting.reduce((sum, each) => sum + each, 0) / Math.max(1, waiting.length)), unit: "" });
    plot.draw({ points: { at: stamp_ms, min: waiting.map(() => 0), max: waiting, mean: waiting, share: waiting.map(() => 1) }, step_ms, from, to, thresholds: {}, label, counts: true });
  });
}
