// The document in force, what of it is refused and why, and how deep the history is.
import { get } from "./api.js";
import { h, lamp, rebuild } from "./dom.js";
import { moment, size } from "./format.js";
import { live } from "./live.js";
import { refreshed } from "./refreshed.js";
import { known, t } from "./words.js";

export function configView() {
  const facts = h("dl", { class: "facts" }), refused = h("section", {}), lenient = h("section", {}), kept = h("section", {}), text = h("pre", { tabindex: 0 });
  const body = h("div", {}, facts, refused, lenient, kept, h("details", {}, h("summary", {}, t("document")), text));
  const ask = async () => [await get("config"), live.status?.history === false ? null : await get("history").catch(() => null)];
  return refreshed(t("config"), body, 10_000, ask, ([config, depth]) => {
    const { version, source, applied, error } = config;
    const from = source && known(`source.${source}`) ? t(`source.${source}`) : source;
    const pairs = [["version", version ?? "–"], ["source", from ?? "–"], ["applied", applied ? moment(Date.parse(applied)) : t("never")], ["reason", error]];
    rebuild(facts, pairs, () => pairs.filter(([, fact]) => fact).map(([key, fact]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, fact))));
    rebuild(refused, config.refused, () => [
      h("h2", {}, t("refused")),
      config.refused.length ? table(config.refused, ["where", "reason"], ({ path, message }) => [h("code", {}, path), message]) : h("p", { class: "calm" }, lamp("ok"), t("nothing_refused")),
    ]);
    rebuild(lenient, config.remarks, () => config.remarks.length > 0 && [h("h2", {}, t("lenient")), table(config.remarks, ["where", "reason"], ({ path, message }) => [h("code", {}, path), message])]);
    rebuild(kept, depth, () => depth && history(depth));
    const shown = typeof config.document === "string" ? config.document : JSON.stringify(config.document, null, 2);
    rebuild(text, shown, () => document.createTextNode(shown));
  });
}

function history({ raw_since, windows_since, hours_since, days_since, bytes, limit_bytes, written_per_day_bytes }) {
  const since = (iso) => (iso ? moment(Date.parse(iso)) : "–");
  const pairs = [
    [t("raw"), since(raw_since)], [t("windows"), since(windows_since)], [t("hours"), since(hours_since)], [t("days"), since(days_since)],
    [t("on_disk"), t("of_limit", { bytes: size(bytes), limit: size(limit_bytes) })], [t("written_a_day"), written_per_day_bytes === null ? "–" : size(written_per_day_bytes)],
  ];
  return [h("h2", {}, `${t("history")}: ${t("kept_since")}`), h("dl", { class: "facts" }, pairs.map(([name, fact]) => h("div", {}, h("dt", {}, name), h("dd", {}, fact))))];
}

function table(items, heads, cells) {
  return h("div", { class: "scroll" }, h("table", {},
    h("thead", {}, h("tr", {}, heads.map((each) => h("th", { scope: "col" }, t(each))))),
    h("tbody", {}, items.map((item) => h("tr", {}, cells(item).map((cell) => h("td", {}, cell)))))));
}
