// A device and its tags, live. A thousand rows stay smooth: only those in sight are touched.
import { get } from "./api.js";
import { levelOf } from "./advice.js";
import { h, lamp, mark, rebuild, say } from "./dom.js";
import { lasting, now, number, moment, shown, since } from "./format.js";
import { alarmOf, live, onNews, trail } from "./live.js";
import { sparkline } from "./sparkline.js";
import { t } from "./words.js";

const FACTS_EVERY_MS = 5000, MOST_ASKED = 4;

export function deviceView(id) {
  const head = h("header", { class: "device-head" });
  const facts = h("dl", { class: "facts" });
  const search = h("input", { type: "search", placeholder: t("find_tag"), "aria-label": t("find_tag"), oninput: sift });
  const only = h("input", { type: "checkbox", onchange: sift });
  const body = h("tbody", { role: "rowgroup" });
  const note = h("p", { class: "empty", role: "status" }, t("loading"));
  const table = h("table", { class: "tags", role: "table" },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ["tag", "value", "trend", "quality", "age", "address"].map((each) => h("th", { scope: "col", role: "columnheader", class: each }, t(each))))), body);
  const rows = new Map(), inSight = new Set(), waiting = [];
  const sight = new IntersectionObserver(seen, { rootMargin: "200px" });
  let asking = 0, left = false;

  load();
  const facts_timer = setInterval(fresh, FACTS_EVERY_MS);

  async function load() {
    try {
      const [tags, values] = await Promise.all([get("tags", { device_id: id }), get("realtime", { device_id: id })]);
      if (left) return;
      body.replaceChildren(...tags.map((tag, at) => rowOf(tag, values[at])));
      note.textContent = tags.length ? "" : t("nothing_found");
      sift();
    } catch (error) {
      note.textContent = error.status === 404 ? t("gone") : t("failed", { reason: error.message });
    }
    fresh();
  }

  function rowOf(tag, first) {
    const value = h("b", {}), quality = h("span", {}), age = h("span", {}), spark = sparkline();
    const element = h("tr", { role: "row" },
      h("td", { role: "cell", class: "tag" }, h("a", { href: `#/tag/${encodeURIComponent(id)}/${encodeURIComponent(tag.tag)}` }, tag.tag), tag.description && h("small", { class: "muted" }, tag.description)),
      h("td", { role: "cell", class: "value" }, value, h("span", { class: "unit" }, tag.unit)),
      h("td", { role: "cell", class: "trend" }, spark.element),
      h("td", { role: "cell", class: "quality" }, quality),
      h("td", { role: "cell", class: "age muted" }, age),
      h("td", { role: "cell", class: "address muted" }, tag.expression ?? tag.address));
    const row = { tag, element, value, quality, age, spark, first, asked: false };
    rows.set(element, row);
    sight.observe(element);
    return element;
  }

  function seen(entries) {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inSight.add(target);
      else inSight.delete(target);
    }
    recall();
    paint();
  }

  /** The past of the rows in sight, a few at a time. */
  function recall() {
    if (!live.status?.history) return;
    for (const row of [...inSight].map((element) => rows.get(element)).filter(({ asked }) => !asked)) {
      row.asked = true;
      waiting.push(row);
    }
    ask();
  }

  async function ask() {
    if (left || asking >= MOST_ASKED || !waiting.length) return;
    const { tag, element } = waiting.shift();
    if (!inSight.has(element)) rows.get(element).asked = false;
    else {
      asking++;
      const past = await get("metrics/history", { device_id: id, tag: tag.tag, start_time: "-10m", max_points: 60 }).catch(() => null);
      asking--;
      const points = trail(id, tag.tag);
      const known_from = points[0]?.[0] ?? Infinity;
      past?.points.start_ms.forEach((at, position) => {
        if (at < known_from && past.points.mean[position] !== null) points.push([at, past.points.mean[position]]);
      });
      points.sort(([one], [other]) => one - other);
    }
    ask();
  }

  function readingOf(row) {
    const reading = live.values.get(id)?.get(row.tag.tag);
    if (reading) return reading;
    const { value, quality, timestamp } = row.first;
    return { value, quality, stamp_ms: timestamp && Date.parse(timestamp) };
  }

  function paint() {
    for (const element of inSight) {
      const row = rows.get(element);
      const { value, quality, stamp_ms } = readingOf(row);
      say(row.value, shown(value));
      const alarm = quality === "good" && alarmOf(id, row.tag.tag);
      say(row.quality, alarm ? `${t("quality.good")} · ${t(`level.${alarm}`)}` : t(`quality.${quality}`));
      mark(row.quality, "title", quality === "good" ? "" : t(`why.${quality}`));
      mark(element, "class", quality === "good" ? (alarm ? "alarm" : "") : quality === "uncertain" ? "warn" : "bad");
      say(row.age, stamp_ms ? lasting(now() - stamp_ms) : "–");
      row.spark.draw(trail(id, row.tag.tag));
    }
  }

  function sift() {
    const wanted = search.value.trim().toLowerCase();
    let any = false;
    for (const [element, row] of rows) {
      const { tag, description, address } = row.tag;
      const fits = (!wanted || [tag, description, address].some((text) => text?.toLowerCase().includes(wanted))) && (!only.checked || readingOf(row).quality !== "good");
      element.hidden = !fits;
      any ||= fits;
    }
    note.textContent = any || !rows.size ? note.textContent.replace(t("nothing_found"), "") : t("nothing_found");
  }

  function top() {
    const device = live.devices.get(id);
    if (!device) return;
    const { name, state, since: begun, error, remark } = device;
    const level = levelOf(state);
    rebuild(head, [name, state, since(begun), error, remark], () => [
      h("h1", {}, name),
      h("p", { class: `state ${level}` }, lamp(level), h("b", {}, t(`state.${state}`)), h("span", { class: "muted" }, t("since", { ago: since(begun) }))),
      error && h("div", { class: `notice ${level}` }, h("p", { class: "detail" }, error), ["bad", "warn"].includes(level) && h("p", { class: "advice" }, h("em", {}, t("to_do")), t(`do.${state}`))),
      remark && h("p", { class: "muted" }, `${t("remark")}: ${remark}`),
    ]);
  }

  async function fresh() {
    const [device] = await get("devices", { device_id: id }).catch(() => []);
    if (!device || left) return;
    const place = Object.values(device.location).filter(Boolean).join(" · ");
    const pairs = [
      ["protocol", device.protocol], ["endpoint", device.endpoint], ["place", place], ["interval", `${number(device.interval_ms)} ms`],
      ["requests", number(device.requests_per_cycle)], ["polls", number(device.polls)], ["failures", number(device.failures)], ["missed", number(device.missed)],
      ["last_good", device.last_good ? moment(Date.parse(device.last_good)) : t("never")],
    ];
    rebuild(facts, pairs, () => pairs.filter(([, fact]) => fact).map(([key, fact]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, fact))));
  }

  const stop = onNews((kind) => {
    if (kind === "devices" || kind === "status") top();
    if (kind !== "devices") paint();
    if (kind === "status") recall();
    if (kind === "status" && only.checked) sift();
  });
  top();

  return {
    title: live.devices.get(id)?.name ?? t("devices"),
    leave() {
      left = true;
      stop();
      sight.disconnect();
      clearInterval(facts_timer);
    },
    element: h("div", { class: "view" },
      h("nav", { class: "path", "aria-label": t("where") }, h("a", { href: "#/" }, t("overview"))), head, facts,
      h("div", { class: "head" }, search, h("label", { class: "check" }, only, t("only_bad"))), table, note),
  };
}
