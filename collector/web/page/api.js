// Asking the collector, and telling what it answers when it does not do as asked.
import { h } from "./dom.js";
import { t } from "./words.js";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A query string of what is not null. */
export function query(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return new URLSearchParams(given).toString();
}

/** What `/api/v1/…` answers. Throws `Refused`. */
export async function get(path, parameters = {}, signal = undefined) {
  return answerOf(await fetch(`/api/v1/${path}?${query(parameters)}`, { signal }));
}

/** Changes something; asks for the token if it is needed, and tries once more. Throws `Refused`. */
export async function change(method, path, body = undefined) {
  const options = { method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body) };
  const answer = await fetch(`/api/v1/${path}`, options);
  if (answer.status !== 401) return answerOf(answer);
  await askForToken();
  return answerOf(await fetch(`/api/v1/${path}`, options));
}

/** Changes the token for a cookie. Throws `Refused`. */
export async function logIn(token) {
  const body = JSON.stringify({ token });
  await answerOf(await fetch("/api/v1/login", { method: "POST", headers: { "Content-Type": "application/json" }, body }));
}

async function answerOf(answer) {
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { detail } = await answer.json().catch(() => ({ detail: answer.statusText }));
  const reasons = Array.isArray(detail) ? detail.map(({ loc, msg }) => `${loc.at(-1)}: ${msg}`).join("; ") : detail;
  throw new Refused(answer.status, reasons);
}

function askForToken() {
  return new Promise((resolve, reject) => {
    const input = h("input", { type: "password", autocomplete: "current-password", required: true, "aria-label": t("token") });
    const complaint = h("p", { class: "complaint", role: "alert" });
    const dialog = h("dialog", { "aria-labelledby": "token-title" },
      h("form", { method: "dialog", onsubmit: submit },
        h("h2", { id: "token-title" }, t("token_title")), h("p", {}, t("token_text")), input, complaint,
        h("p", { class: "row" },
          h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, t("cancel")),
          h("button", { type: "submit" }, t("log_in")))));
    let entered = false;
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (entered) resolve();
      else reject(new Refused(401, t("token_text")));
    });
    async function submit(event) {
      event.preventDefault();
      try {
        await logIn(input.value);
        entered = true;
        dialog.close();
      } catch {
        complaint.textContent = t("wrong_token");
        input.select();
      }
    }
    document.body.append(dialog);
    dialog.showModal();
  });
}
