// One look: is all well, what is not, what to do about it, and the devices.
import { levelOf, stands, troubles } from "./advice.js";
import { h, lamp, rebuild } from "./dom.js";
import { lasting, now, number, percent, since, size } from "./format.js";
import { live } from "./live.js";
import { t } from "./words.js";

const MANY = 8, CALM_MS = 60_000;

export function overview() {
  const verdict = h("section", { class: "verdict", "aria-live": "polite" });
  const todo = h("section", { class: "todo" });
  const tiles = h("section", { class: "tiles" });
  const search = h("input", { type: "search", placeholder: t("find_device"), "aria-label": t("find_device"), oninput: () => list() });
  const count = h("span", { class: "muted" });
  const head = h("div", { class: "head" }, h("h2", {}, t("devices")), count, h("span", { class: "spacer" }), search);
  const devices = h("ul", { class: "cards" });
  const gateway = h("p", { class: "gateway muted" });

  function news() {
    if (!live.status) return;
    const found = troubles(live.status, live.devices, live.alarms);
    judge(found);
    rebuild(todo, [found.map((each) => ({ ...each, since: each.since && since(each.since) })), t("overview")], () => found.map(trouble));
    rebuild(tiles, [TILES.map((tile) => tile(live.status)), t("overview")], () => TILES.map((tile) => tileOf(tile(live.status))));
    list();
    machine(live.status.gateway);
  }

  function judge(found) {
    const urgent = found.filter(({ level }) => level !== "idle");
    const level = stands(live.status) ? "bad" : urgent[0]?.level ?? "ok";
    const read = [...live.devices.values()].filter(({ state }) => state === "online" || state === "degraded");
    const values = { tags: number(read.reduce((sum, { tags, bad_tags }) => sum + tags - bad_tags, 0)), devices: read.length };
    const words = stands(live.status) ? t("stands") : urgent.length === 0 ? t("all_well") : urgent.length === 1 ? t("one_thing") : t("some_things", { count: urgent.length });
    const flow = stands(live.status) ? t("not_flowing") : live.status.broker.connected ? t("flowing", values) : t("flowing_kept", values);
    rebuild(verdict, [level, words, flow], () => {
      verdict.className = `verdict ${level}`;
      return [lamp(level), h("div", {}, h("h1", {}, words), h("p", {}, flow))];
    });
  }

  function list() {
    const all = [...live.devices.values()];
    const wanted = search.value.trim().toLowerCase();
    const fitting = all.filter(({ id, name, endpoint, protocol, location }) =>
      !wanted || [id, name, endpoint, protocol, ...Object.values(location)].some((text) => text?.toLowerCase().includes(wanted)));
    search.hidden = all.length <= MANY;
    count.textContent = all.length > MANY ? String(all.length) : "";
    rebuild(devices, [fitting.map(row), t("devices")], () =>
      fitting.length ? fitting.map((device) => h("li", {}, card(device))) : h("li", { class: "empty" }, all.length ? t("nothing_found") : t("no_devices")));
  }

  function machine({ cpu_percent, memory_percent, disk_percent, temperature_c, ip_address }) {
    const figures = [`${t("cpu")} ${percent(cpu_percent)}`, `${t("memory")} ${percent(memory_percent)}`, `${t("disk")} ${percent(disk_percent)}`];
    if (temperature_c !== null) figures.push(`${number(temperature_c, 0)} °C`);
    gateway.textContent = `${t("gateway")} ${ip_address} · ${figures.join(" · ")} · v${live.status.version} · ${lasting(1000 * live.status.uptime_sec)}`;
  }

  return { title: t("overview"), news, element: h("div", { class: "view" }, verdict, tiles, todo, head, devices, gateway) };
}

function trouble({ level, what, since: begun, detail, advice, link }) {
  return h("a", { class: `trouble ${level}`, href: link },
    lamp(level),
    h("div", {},
      h("p", { class: "what" }, h("b", {}, what), begun && h("span", { class: "muted" }, t("since", { ago: since(begun) }))),
      detail && h("p", { class: "detail" }, detail),
      h("p", { class: "advice" }, level === "idle" ? h("em", {}, t("to_know")) : h("em", {}, t("to_do")), advice)));
}

const TILES = [
  ({ broker }) => ({
    level: broker.connected ? "ok" : "bad", name: t("broker"), link: "#/buffer",
    main: broker.connected ? t("connected") : t("disconnected"), sub: broker.url,
  }),
  ({ config }) => ({
    level: config.applied === null ? "bad" : config.error || config.refused ? "warn" : "ok", name: t("configuration"), link: "#/config",
    main: config.applied === null ? t("no_config") : config.error ? t("stale") : t("in_force"),
    sub: config.refused ? t("refused_parts", { count: config.refused }) : !config.applied ? "" : t(config.error ? "last_good_used" : "all_used"),
  }),
  ({ devices: { total = 0, online = 0, disabled = 0, paused = 0, waiting = 0 }, tags }) => ({
    level: total === 0 ? "warn" : online + disabled + paused + waiting === total ? "ok" : online ? "warn" : "bad", name: t("devices"), link: "#/",
    main: t("n_online", { online, total }), sub: t("devices.sub", { tags: number(tags) }),
  }),
  ({ buffer, broker }) => {
    const old = buffer.oldest && now() - Date.parse(buffer.oldest) > CALM_MS;
    return {
      level: buffer.dropped ? "bad" : old || !broker.connected ? "warn" : "ok", name: t("buffer"), link: "#/buffer",
      main: buffer.messages ? t("n_waiting", { count: number(buffer.messages) }) : t("empty"),
      sub: buffer.dropped ? t("what.dropped", { count: number(buffer.dropped) }) : `${size(buffer.bytes)} / ${size(buffer.limit_bytes)}`, share: buffer.bytes / buffer.limit_bytes,
    };
  },
  ({ alarms }) => ({
    level: alarms === null ? "idle" : alarms.unacknowledged ? "bad" : alarms.active ? "warn" : "ok", name: t("alarms"), link: "#/alarms",
    main: alarms === null ? t("not_watched") : alarms.active ? t("n_alarms", { count: alarms.active }) : t("no_alarm"),
    sub: alarms?.unacknowledged ? t("alarms.sub", { count: alarms.unacknowledged }) : alarms?.active ? t("all_seen") : "",
  }),
];

function tileOf({ level, name, main, sub, link, share }) {
  return h("a", { class: `tile ${level}`, href: link },
    h("span", { class: "name" }, lamp(level), name), h("b", {}, main), h("small", {}, sub || "\u00a0"),
    share !== undefined && h("progress", { value: share, max: 1, "aria-label": t("buffer") }));
}

const row = ({ id, name, state, since: begun, error, remark, bad_tags, endpoint }) => [id, name, state, levelOf(state) === "ok" ? 0 : since(begun), error, remark, bad_tags, endpoint];

function card({ id, name, state, since: begun, error, remark, protocol, endpoint, tags, bad_tags, location }) {
  const level = levelOf(state);
  const place = [location.factory, location.building, location.floor, location.zone].filter(Boolean).join(" · ");
  return h("a", { class: `card ${level}`, href: `#/device/${encodeURIComponent(id)}` },
    h("span", { class: "state" }, lamp(level), t(`state.${state}`)),
    h("b", { class: "name" }, name),
    h("span", { class: "where muted" }, [protocol, endpoint, place].filter(Boolean).join(" · ")),
    h("span", { class: "count muted" }, tags === 1 ? t("one_tag") : t("n_tags", { count: number(tags) }), bad_tags ? ` · ${t("n_bad", { count: number(bad_tags) })}` : ""),
    level !== "ok" && error && h("span", { class: "why" }, error, level === "idle" ? "" : ` (${t("since", { ago: since(begun) })})`),
    level === "ok" && remark && h("span", { class: "why muted" }, remark));
}
