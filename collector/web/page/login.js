// The link of `edge-collector page-url` has the token behind its #, which no browser sends to anybody.
import { logIn } from "./api.js";
import { h } from "./dom.js";
import { language, t } from "./words.js";

const input = h("input", { type: "password", autocomplete: "current-password", required: true, id: "token" });
const complaint = h("p", { class: "complaint", role: "alert" });

async function enter(token) {
  try {
    await logIn(token);
    location.replace("/");
  } catch (error) {
    complaint.textContent = error.status === 401 ? t("wrong_token") : error.message;
  }
}

document.documentElement.lang = language();
document.getElementById("main").append(h("form", { onsubmit: (event) => { event.preventDefault(); enter(input.value.trim()); } },
  h("h1", {}, t("login_title")), h("p", {}, t("token_text")), h("label", { for: "token" }, t("token")), input, complaint, h("button", { type: "submit" }, t("log_in"))));

const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) {
  history.replaceState(null, "", "/login");
  enter(token);
} else input.focus();
