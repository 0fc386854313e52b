// The frame around the views: what is shown where, in which language, and whether the collector is still there.
import { h, icon, mark, rebuild, say } from "./dom.js";
import { lasting } from "./format.js";
import { live, onNews, watch } from "./live.js";
import { alarmsView } from "./view-alarms.js";
import { bufferView } from "./view-buffer.js";
import { configView } from "./view-config.js";
import { deviceView } from "./view-device.js";
import { eventsView } from "./view-events.js";
import { logsView } from "./view-logs.js";
import { overview } from "./view-overview.js";
import { tagView } from "./view-tag.js";
import { language, switchLanguage, t } from "./words.js";

const SECTIONS = ["overview", "alarms", "events", "buffer", "config", "logs"];
const VIEWS = { "": overview, device: deviceView, tag: tagView, alarms: alarmsView, events: eventsView, buffer: bufferView, config: configView, logs: logsView };
const QUIET_MS = 4000;

const part = (id) => document.getElementById(id);
let shown = null;

function route() {
  const [name = "", ...parameters] = location.hash.replace(/^#\/?/, "").split("/").map(decoded);
  const view = VIEWS[name];
  shown?.leave?.();
  const main = part("main");
  const old = main.firstElementChild;
  watch(name === "device" || name === "tag" ? parameters[0] : null);
  shown = view ? view(...parameters) : { element: h("p", { class: "empty" }, t("not_found")) };
  main.replaceChildren(shown.element);
  document.title = `${shown.title ?? t("overview")} · ${live.status?.edge_name ?? "edge-collector"}`;
  for (const link of part("nav").children) link.toggleAttribute("aria-current", link.dataset.section === (name in { "": 1, device: 1, tag: 1 } ? "overview" : name));
  if (old) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  shown.news?.("devices");
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function dress() {
  document.documentElement.lang = language();
  say(part("skip"), t("skip"));
  mark(part("nav"), "aria-label", t("nav"));
  part("nav").replaceChildren(...SECTIONS.map((section) =>
    h("a", { href: section === "overview" ? "#/" : `#/${section}`, "data-section": section }, icon(section), h("span", {}, t(`nav.${section}`)), h("b", { class: "badge", hidden: true }))));
  say(part("language"), t("other_language"));
  mark(part("language"), "aria-label", t("other_language_label"));
  mark(part("language"), "lang", language() === "ko" ? "en" : "ko");
  mark(part("theme"), "aria-label", t("theme_label"));
  say(part("theme"), dark() ? t("light") : t("dark"));
}

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function frame() {
  const { status } = live;
  const lost = live.lost && live.heard_ms ? Date.now() - live.heard_ms > QUIET_MS : live.lost;
  const words = !live.heard_ms ? t("connecting") : lost ? t("lost", { ago: lasting(Date.now() - live.heard_ms) }) : t("live");
  rebuild(part("pulse"), [words, lost, language()], () => [h("i", { class: lost ? "dot bad" : "dot" }), h("span", {}, words)]);
  document.body.classList.toggle("lost", Boolean(lost));
  if (!status) return;
  say(part("edge-name"), status.edge_name ?? status.edge_id);
  say(part("edge-id"), status.edge_name ? status.edge_id : `v${status.version}`);
  const unseen = status.alarms?.unacknowledged ?? 0;
  const badge = part("nav").querySelector("[data-section=alarms] .badge");
  badge.hidden = !unseen;
  say(badge, String(unseen));
}

part("language").addEventListener("click", () => {
  switchLanguage();
  dress();
  route();
  frame();
});
part("theme").addEventListener("click", () => {
  const theme = dark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  dress();
});
part("skip").addEventListener("click", (event) => {
  event.preventDefault();
  part("main").focus();
});
addEventListener("hashchange", route);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
onNews((kind) => {
  frame();
  shown?.news?.(kind);
});
setInterval(frame, 1000);

dress();
route();
frame();
