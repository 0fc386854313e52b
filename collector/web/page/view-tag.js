// A tag: its value now, its chart from single values to days, its limits.
import { get, query } from "./api.js";
import { chart } from "./chart.js";
import { h, lamp, mark, rebuild, say } from "./dom.js";
import { lasting, moment, now, number, short, shown } from "./format.js";
import { alarmOf, live, onNews, trail } from "./live.js";
import { limitsForm } from "./limits.js";
import { t } from "./words.js";

const RANGES = { "10m": 600, "1h": 3600, "6h": 21_600, "1d": 86_400, "7d": 604_800, "30d": 2_592_000, "1y": 31_536_000 };
const LEAST_MS = 5000, MOST_MS = 5 * 366 * 86_400_000, REST_MS = 150, MOST_ROWS = 60;
const LIMITS = ["low_low", "low", "high", "high_high"];
const NO_POINTS = { at: [], min: [], max: [], mean: [], share: [] };

export function tagView(device_id, name) {
  const value = h("output", { class: "big" }), unit = h("span", { class: "unit" }), how = h("p", { class: "state" });
  const about = h("p", { class: "muted" }), note = h("p", { class: "muted small", role: "status" });
  const sums = h("dl", { class: "facts" }), rows = h("div", { class: "scroll" });
  const table = h("details", { ontoggle: () => fillTable() }, h("summary", {}, t("as_table")), rows);
  const csv = h("a", { class: "button quiet", download: "" }, t("csv"));
  const follow = h("button", { type: "button", class: "quiet", onclick: () => go(null) }, t("follow"));
  const ranges = Object.keys(RANGES).map((each) => h("button", { type: "button", class: "quiet", "data-range": each, onclick: () => go(null, RANGES[each] * 1000) }, t(`range.${each}`)));
  const plot = chart({ onRange: (from, to) => go([from, to]), onKey: steer });
  const limits = h("section", {}), device = h("a", { href: `#/device/${encodeURIComponent(device_id)}` });
  let span_ms = RANGES["10m"] * 1000, fixed = null, points = NO_POINTS, resolution_s = 0, tag = null, asked = 0, timer = 0, left = false;

  start();

  async function start() {
    try {
      const tags = await get("tags", { device_id });
      tag = tags.find((each) => each.tag === name) ?? null;
    } catch (error) {
      note.textContent = error.status === 404 ? t("gone") : t("failed", { reason: error.message });
      return;
    }
    if (left) return;
    if (!tag) {
      note.textContent = t("gone");
      return;
    }
    unit.textContent = tag.unit;
    about.textContent = [tag.description, tag.expression ?? tag.address, tag.data_type, `${number(tag.interval_ms)} ms`].filter(Boolean).join(" · ");
    if (live.status?.alarms !== null) limits.replaceChildren(limitsForm(tag, start));
    load();
  }

  const stretch = () => fixed ?? [now() - span_ms, now()];

  function go(range, span = span_ms) {
    if (range) {
      let [from, to] = range;
      to = Math.min(to, now());
      const wide = Math.min(Math.max(to - from, LEAST_MS), MOST_MS);
      fixed = [to - wide, to];
      span_ms = wide;
    } else {
      fixed = null;
      span_ms = span;
    }
    draw();
    clearTimeout(timer);
    timer = setTimeout(load, REST_MS);
  }

  function steer(key) {
    const [from, to] = stretch(), wide = to - from, middle = (from + to) / 2;
    const moves = {
      ArrowLeft: () => go([from - wide / 4, to - wide / 4]), ArrowRight: () => go([from + wide / 4, to + wide / 4]),
      "+": () => go([middle - wide / 4, middle + wide / 4]), "=": () => go([middle - wide / 4, middle + wide / 4]),
      "-": () => go([middle - wide, middle + wide]), 0: () => go(null, RANGES["10m"] * 1000),
    };
    moves[key]?.();
    return key in moves;
  }

  async function load() {
    clearTimeout(timer);
    if (left || !tag) return;
    const turn = ++asked, [from, to] = stretch().map(Math.round);
    const asks = { device_id, tag: name, start_time: Math.max(0, from), end_time: to };
    mark(csv, "href", `/api/v1/metrics/history?${query({ ...asks, format: "csv" })}`);
    try {
      if (live.status && !live.status.history) note.textContent = t("history_off");
      else {
        const most = Math.min(2000, Math.max(800, Math.round(plot.element.clientWidth)));
        const found = await get("metrics/history", { ...asks, max_points: most });
        if (left || turn !== asked) return;
        const { start_ms, min, max, mean, good_share } = found.points;
        const half = (found.resolution_sec * 1000) / 2;
        points = { at: start_ms.map((each) => each + half), min, max, mean, share: good_share };
        resolution_s = found.resolution_sec;
        note.textContent = resolution_s ? t("resolution", { width: lasting(resolution_s * 1000) }) : t("resolution_raw");
      }
    } catch (error) {
      note.textContent = t("failed", { reason: error.message });
    }
    draw();
    fillTable();
    if (!fixed) timer = setTimeout(load, Math.max(5000, span_ms / 200));
  }

  /** The history, and behind it what has come since. */
  function joined() {
    const end = points.at.at(-1) ?? -Infinity;
    if (fixed) return points;
    const fresh = trail(device_id, name).filter(([at]) => at > end + resolution_s * 500);
    const extra = fresh.map(([, figure]) => figure);
    return {
      at: [...points.at, ...fresh.map(([at]) => at)], min: [...points.min, ...extra], max: [...points.max, ...extra],
      mean: [...points.mean, ...extra], share: [...points.share, ...extra.map(() => 1)],
    };
  }

  function draw() {
    if (!tag) return;
    const [from, to] = stretch(), all = joined();
    const inside = all.at.map((at, position) => position).filter((position) => all.at[position] >= from && all.at[position] <= to && all.mean[position] !== null);
    const low = Math.min(...inside.map((position) => all.min[position])), high = Math.max(...inside.map((position) => all.max[position]));
    const mean = inside.reduce((sum, position) => sum + all.mean[position], 0) / inside.length;
    const words = inside.length ? { min: short(low), max: short(high), mean: short(mean) } : null;
    const label = words ? t("chart_label", { tag: name, from: moment(from), to: moment(to), unit: tag.unit, ...words }) : t("chart_empty");
    const thresholds = Object.fromEntries(LIMITS.filter((each) => tag.thresholds?.[each] != null).map((each) => [each, tag.thresholds[each]]));
    plot.draw({ points: all, step_ms: Math.max(resolution_s * 1000, tag.interval_ms, 1000), from, to, thresholds, label: `${label}. ${t("chart_help")}` });
    plot.element.classList.toggle("none", !inside.length);
    plot.element.dataset.empty = t("chart_empty");
    const pairs = words ? [["lowest", words.min], ["mean", words.mean], ["highest", words.max]] : [];
    rebuild(sums, [pairs, tag.unit], () => pairs.map(([key, figure]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, figure, " ", h("span", { class: "unit" }, tag.unit)))));
    for (const button of ranges) mark(button, "aria-pressed", String(!fixed && RANGES[button.dataset.range] * 1000 === span_ms));
    mark(follow, "aria-pressed", String(!fixed));
  }

  function fillTable() {
    if (!table.open) return;
    const step = Math.max(1, Math.ceil(points.at.length / MOST_ROWS));
    const picked = points.at.map((_, position) => position).filter((position) => position % step === 0);
    rows.replaceChildren(h("table", {},
      h("thead", {}, h("tr", {}, ["time", "lowest", "mean", "highest"].map((each) => h("th", { scope: "col" }, t(each))))),
      h("tbody", {}, picked.map((position) => h("tr", {}, h("td", {}, moment(points.at[position])), ["min", "mean", "max"].map((each) => h("td", {}, points[each][position] === null ? "–" : short(points[each][position]))))))));
  }

  function paint() {
    const reading = live.values.get(device_id)?.get(name);
    if (!reading) return;
    say(value, shown(reading.value));
    const { quality } = reading, good = quality === "good", alarm = good && alarmOf(device_id, name);
    const level = alarm ? (alarm.includes("_") ? "bad" : "warn") : good ? "ok" : quality === "uncertain" ? "warn" : "bad";
    rebuild(how, [level, quality, alarm], () => [lamp(level), h("b", {}, alarm ? t(`level.${alarm}`) : t(`quality.${quality}`)), !good && h("span", { class: "muted" }, t(`why.${quality}`))]);
    if (!fixed && span_ms <= 3_600_000) draw();
  }

  function place() {
    say(device, live.devices.get(device_id)?.name ?? device_id);
  }

  const stop = onNews((kind) => (kind === "values" || kind === "alarms" ? paint() : place()));
  place();
  paint();
  return {
    title: name,
    leave() {
      left = true;
      stop();
      clearTimeout(timer);
    },
    element: h("div", { class: "view" },
      h("nav", { class: "path", "aria-label": t("where") }, h("a", { href: "#/" }, t("overview")), device),
      h("header", { class: "tag-head" }, h("div", {}, h("h1", {}, name), about), h("div", { class: "now" }, h("p", {}, value, unit), how)),
      h("div", { class: "tools", role: "group", "aria-label": t("range") }, ranges, h("span", { class: "spacer" }),
        h("button", { type: "button", class: "quiet", "aria-label": t("earlier"), onclick: () => steer("ArrowLeft") }, "←"),
        h("button", { type: "button", class: "quiet", "aria-label": t("zoom_out"), onclick: () => steer("-") }, "−"),
        h("button", { type: "button", class: "quiet", "aria-label": t("zoom_in"), onclick: () => steer("+") }, "+"),
        h("button", { type: "button", class: "quiet", "aria-label": t("later"), onclick: () => steer("ArrowRight") }, "→"), follow, csv),
      plot.element, note, sums, limits, table),
  };
}
