// The demo's page: the books, what can be broken, and what becomes of it. It is the demo's own and outlives the collector.
import { h, lamp, mark, rebuild, s, say } from "./dom.js";
import { cards } from "./panel-acts.js";
import { language, number, switchLanguage, t } from "./panel-words.js";

const EVERY_MS = 400;
const GIVE_UP_MS = 5000;
const TERMS = ["recorded", "acknowledged", "waiting", "lost"];
const LEVELS = { online: "ok", degraded: "warn", paused: "idle", disabled: "idle" };

const part = (id) => document.getElementById(id);
const token = keptToken();
let parts = null, state = null, ended = false;

/** From the link that the demo has printed; the address bar does not keep it. */
function keptToken() {
  const given = location.hash.slice(1);
  if (given && given !== "main") {
    sessionStorage.setItem("demo-token", given);
    history.replaceState(null, "", "/");
  }
  return sessionStorage.getItem("demo-token");
}

async function order(what) {
  try {
    const answer = await fetch("/do", { method: "POST", headers: { "X-Demo-Token": token ?? "" }, body: JSON.stringify(what) });
    const said = await answer.json();
    if (!answer.ok) return said.detail;
    show(said);
    return null;
  } catch (error) {
    return error.message;
  }
}

function build(page) {
  const terms = Object.fromEntries(TERMS.map((name) => [name, h("dd", {})]));
  const bars = TERMS.slice(1).map((name) => s("rect", { class: name, y: 0, height: 1 }));
  const balance = h("p", { class: "balance" }), received = h("dd", {}), duplicates = h("dd", {}), hall = h("ul", { class: "hall" });
  const acts = cards(order, page);
  part("main").replaceChildren(
    h("div", { class: "intro" },
      h("div", {}, h("h1", {}, t("title")), h("p", { class: "muted" }, t("intro")), token ? null : h("p", { class: "notice warn" }, t("no_token"))),
      h("a", { class: "button", href: page, target: "_blank", rel: "noopener" }, t("open_page"))),
    h("section", { class: "books" },
      h("div", { class: "sum" },
        h("dl", { class: "terms" }, TERMS.map((name) => h("div", { class: `term ${name}` }, h("dt", {}, t(name)), terms[name]))),
        s("svg", { class: "share", viewBox: "0 0 100 1", preserveAspectRatio: "none", "aria-hidden": "true" }, bars), balance),
      h("div", { class: "received" },
        h("dl", {}, h("div", {}, h("dt", {}, t("received")), received), h("div", {}, h("dt", {}, t("duplicates")), duplicates)), h("p", {}, t("received_note")))),
    acts.element, h("h2", {}, t("hall")), hall);
  return { terms, bars, balance, received, duplicates, hall, acts };
}

function show(news) {
  state = news;
  parts ??= build(news.page);
  const { counts } = news, { terms, bars, balance, received, duplicates, hall, acts } = parts;
  for (const name of TERMS) {
    say(terms[name], number(counts[name]));
    terms[name].parentElement.classList.toggle("some", counts[name] > 0);
  }
  let at = 0;
  TERMS.slice(1).forEach((name, place) => {
    const width = 100 * counts[name] / Math.max(1, counts.recorded);
    mark(bars[place], "x", String(at));
    mark(bars[place], "width", String(width));
    at += width;
  });
  const right = counts.recorded === counts.acknowledged + counts.waiting + counts.lost;
  const sum = Object.fromEntries(TERMS.map((name) => [name, number(counts[name])]));
  rebuild(balance, [right, sum], () => [lamp(right ? "ok" : "bad"), h("span", {}, t(right ? "adds_up" : "adds_up_not", sum))]);
  say(received, number(counts.received));
  say(duplicates, number(counts.duplicates));
  acts.show({ ...news, may: Boolean(token) && !ended });
  rebuild(hall, [news.devices], () => news.devices.map(({ name, protocol, state: how, error }) => {
    const level = how ? LEVELS[how] ?? "bad" : "idle";
    return h("li", { class: level }, lamp(level), h("b", {}, name), h("span", { class: level }, t(how ?? "unknown")), h("small", {}, error ?? protocol));
  }));
  frame();
}

function frame() {
  const words = ended ? "ended" : !state ? "connecting" : state.alive ? "live" : "down";
  rebuild(part("pulse"), [words, language()], () => [h("i", { class: words === "live" ? "dot" : "dot bad" }), h("span", {}, t(words))]);
  document.body.classList.toggle("ended", ended);
  document.body.classList.toggle("lost", ended || Boolean(state && !state.alive));
}

function dress() {
  document.documentElement.lang = language();
  document.title = `${t("title")} · edge-collector`;
  say(part("skip"), t("skip"));
  say(part("language"), t("other_language"));
  mark(part("language"), "aria-label", t("other_language_label"));
  mark(part("language"), "lang", language() === "ko" ? "en" : "ko");
  mark(part("theme"), "aria-label", t("theme_label"));
  say(part("theme"), dark() ? t("light") : t("dark"));
  parts = null;
  if (state) show(state);
  frame();
}

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

async function look() {
  try {
    const answer = await fetch("/state", { signal: AbortSignal.timeout(GIVE_UP_MS) });
    ended = false;
    show(await answer.json());
  } catch {
    ended = state !== null;
    if (ended) show(state);
  }
  setTimeout(look, ended ? 5 * EVERY_MS : EVERY_MS);
}

part("language").addEventListener("click", () => {
  switchLanguage();
  dress();
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

dress();
look();
