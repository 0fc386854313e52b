// The page's language: the browser's, or the one that was chosen.
import { en } from "./words-en.js";
import { ko } from "./words-ko.js";

const LANGUAGES = { en, ko };

/** "ko" or "en". */
export function language() {
  const chosen = localStorage.getItem("language");
  if (chosen in LANGUAGES) return chosen;
  return (navigator.languages ?? [navigator.language]).some((each) => each.startsWith("ko")) ? "ko" : "en";
}

/** Keeps the other language for the next time. */
export function switchLanguage() {
  localStorage.setItem("language", language() === "ko" ? "en" : "ko");
}

/** The words for a key, with `{name}` replaced; the key itself where there are none. */
export function t(key, values = {}) {
  const words = LANGUAGES[language()][key] ?? LANGUAGES.en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Whether there are words for a key. */
export function known(key) {
  return key in LANGUAGES.en;
}
