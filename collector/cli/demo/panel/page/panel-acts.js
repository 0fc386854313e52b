// The cards: what can be broken, how it stands, and what to look at.
import { h, lamp, mark, rebuild, say } from "./dom.js";
import { number, t } from "./panel-words.js";

/** `order` sends one and returns the reason why it was refused, or null; `page` is the collector's own page. */
export function cards(order, page) {
  const made = [broker, plcs, kill, config, damage].map((make) => make(order, page));
  return { element: h("div", { class: "acts" }, made.map((each) => each.element)), show: (state) => made.forEach((each) => each.show(state)) };
}

function card(name, view, page, buttons, wide) {
  const sign = h("span", {}), now = h("p", { class: "now", role: "status" }), complaint = h("p", { class: "complaint small", hidden: true });
  const element = h("section", { class: wide ? "act wide" : "act", id: name, "aria-labelledby": `${name}-title` },
    h("h2", {}, sign, h("span", { id: `${name}-title` }, t(name))), h("div", { class: "row" }, buttons), now, complaint,
    h("p", { class: "look" }, h("em", {}, t("look")), `${t(`${name}_look`)} `, h("a", { href: `${page}${view}`, target: "_blank", rel: "noopener" }, t("see"))));
  return {
    element,
    complain(reason) {
      complaint.hidden = !reason;
      say(complaint, reason ? t("failed", { reason }) : "");
    },
    show(level, words) {
      rebuild(sign, level, () => lamp(level));
      element.classList.toggle("broken", level === "bad");
      rebuild(now, words, () => words.map(([kind, text]) => h("span", kind ? { class: kind } : {}, `${text} `)));
    },
  };
}

/** A button that is busy until its order is carried out. */
function trigger(words, kind, send) {
  const button = h("button", { type: "button", class: kind }, words);
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    mark(button, "aria-busy", "true");
    await send();
    mark(button, "aria-busy", "false");
  });
  return button;
}

function broker(order, page) {
  let away = false;
  const button = trigger(t("pull"), "danger", async () => part.complain(await order({ what: "broker", away: !away })));
  const part = card("broker", "#/buffer", page, [button]);
  return { ...part, show(state) {
    away = state.broker_away;
    say(button, t(away ? "bring_back" : "pull"));
    button.className = away ? "" : "danger";
    button.disabled = !state.may;
    part.show(away ? "bad" : state.broker_connected ? "ok" : "warn", [["", t(away ? "broker_away" : state.broker_connected ? "broker_up" : "broker_coming")]]);
  } };
}

function plcs(order, page) {
  const row = h("div", { class: "row" });
  const part = card("plc", "#/", page, [row]);
  return { ...part, show(state) {
    const plcs = state.devices.filter((device) => device.stopped !== null);
    rebuild(row, plcs.map(({ id, name }) => [id, name]), () => plcs.map(({ id, name }) =>
      trigger(name, "quiet", async () => part.complain(await order({ what: "plc", device: id, stopped: row.querySelector(`[data-id="${id}"]`).getAttribute("aria-pressed") === "false" })))));
    plcs.forEach((plc, place) => {
      const button = row.children[place];
      mark(button, "data-id", plc.id);
      mark(button, "aria-pressed", String(plc.stopped));
      button.disabled = !state.may;
    });
    const names = plcs.filter((plc) => plc.stopped).map((plc) => plc.name).join(", ");
    part.show(names ? "bad" : "ok", [["", names ? t("plc_some", { names }) : t("plc_none")]]);
  } };
}

function config(order, page) {
  const kinds = [["broken", "danger"], ["bad_device", "danger"], ["good", "quiet"]];
  const buttons = kinds.map(([document, kind]) => trigger(t(document), kind, async () => part.complain(await order({ what: "config", document }))));
  const part = card("config", "#/config", page, buttons, true);
  return { ...part, show({ config: { served, version, error, problems }, may }) {
    buttons.forEach((button) => { button.disabled = !may; });
    const words =
      error ? [["", t("config_error")], ["refusal", error]] :
      problems.length ? [["", t("config_bad")], ...problems.map((each) => ["refusal", `${each.path}: ${each.message}`])] :
      served !== "good" ? [["", t("config_waits")]] : [["", t("config_good", { version: version ?? "–" })]];
    part.show(error || problems.length || served !== "good" ? "bad" : "ok", words);
  } };
}

function damage(order, page) {
  const button = trigger(t("do_damage"), "danger", async () => part.complain(await order({ what: "damage" })));
  const part = card("damage", "#/events", page, [button], true);
  return { ...part, show(state) {
    button.disabled = !state.may || !state.can_damage;
    const done = state.spoilt_bytes ? [["", t("damage_done", { kib: number(Math.round(state.spoilt_bytes / 1024)) })]] : [];
    part.show("ok", [["", state.can_damage ? t("damage_ready", { waiting: number(state.counts.waiting) }) : t("damage_empty")], ...done]);
  } };
}

function kill(order, page) {
  const button = trigger(t("do_kill"), "danger", async () => part.complain(await order({ what: "kill" })));
  const part = card("kill", "#/", page, [button]);
  return { ...part, show(state) {
    button.disabled = !state.may || !state.alive;
    const runs = state.kills === 0 ? t("kill_none") : state.kills === 1 ? t("kill_one") : t("kill_some", { count: number(state.kills) });
    part.show(state.alive ? "ok" : "bad", [["", state.alive ? runs : t("down")]]);
  } };
}
