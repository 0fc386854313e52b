// The log's newest lines.
import { get } from "./api.js";
import { h, rebuild } from "./dom.js";
import { refreshed } from "./refreshed.js";
import { t } from "./words.js";

const LEVELS = ["info", "warning", "error", "debug"];

export function logsView() {
  const list = h("ol", { class: "log" });
  const level = h("select", { id: "log-level", onchange: () => view.load() }, LEVELS.map((each) => h("option", { value: each }, t(`log.${each}`))));
  const body = h("div", {}, h("p", { class: "row" }, h("label", { for: "log-level" }, t("level")), level), list);
  const view = refreshed(t("logs"), body, 3000, () => get("logs", { level: level.value }), (lines) =>
    rebuild(list, [lines, t("logs")], () => (lines.length ? lines.map(({ level: kind, text }) => h("li", { class: kind }, text)) : h("p", { class: "empty" }, t("no_lines")))));
  return view;
}
