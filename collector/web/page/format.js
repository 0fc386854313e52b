// Numbers, times and sizes as the reader's language writes them.
import { language } from "./words.js";

const zone = { name: undefined, offset_ms: 0 };
const made = new Map();

/** The site's time zone, and how far this browser's clock is off the gateway's. */
export function heedClock(status) {
  zone.name = status.time_zone ?? undefined;
  zone.offset_ms = Date.parse(status.timestamp) - Date.now();
}

/** The gateway's time. */
export const now = () => Date.now() + zone.offset_ms;

function formatter(kind, options) {
  const key = `${language()} ${zone.name} ${kind} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Intl[kind](language(), options));
  return made.get(key);
}

export const number = (value, digits = 10) => formatter("NumberFormat", { maximumFractionDigits: digits }).format(value);
export const percent = (value) => formatter("NumberFormat", { style: "unit", unit: "percent", maximumFractionDigits: 0 }).format(value);

/** A number with as many digits as help: of a mean, or at an axis. */
export function short(value) {
  return formatter("NumberFormat", { maximumSignificantDigits: Math.abs(value) >= 1000 ? 6 : 4 }).format(value);
}

/** A tag's value. */
export function shown(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return number(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** How long: the one unit that fits. */
export function lasting(ms) {
  const seconds = Math.max(0, ms / 1000);
  const [amount, unit] =
    seconds < 60 ? [seconds, "second"] : seconds < 3600 ? [seconds / 60, "minute"] :
    seconds < 86400 ? [seconds / 3600, "hour"] : [seconds / 86400, "day"];
  return formatter("NumberFormat", { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 }).format(Math.floor(amount));
}

export const since = (iso) => lasting(now() - Date.parse(iso));

export function size(bytes) {
  const [amount, unit] =
    bytes < 1 << 10 ? [bytes, "B"] : bytes < 1 << 20 ? [bytes / (1 << 10), "KiB"] :
    bytes < 1 << 30 ? [bytes / (1 << 20), "MiB"] : [bytes / (1 << 30), "GiB"];
  return `${formatter("NumberFormat", { maximumSignificantDigits: 3 }).format(amount)} ${unit}`;
}

const time = (ms, options) => formatter("DateTimeFormat", { timeZone: zone.name, hourCycle: "h23", ...options }).format(ms);

/** Date and time of day. */
export const stamp = (ms) => time(ms, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });
/** The time of day, with the date where it is another day than today. */
export function moment(ms) {
  const day = { year: "numeric", month: "numeric", day: "numeric" };
  return time(ms, day) === time(now(), day) ? time(ms, { hour: "2-digit", minute: "2-digit", second: "2-digit" }) : stamp(ms);
}
/** How far the clock at the site is ahead of UTC, in ms. */
export function ahead(ms) {
  const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric", hourCycle: "h23" };
  const parts = formatter("DateTimeFormat", { timeZone: zone.name, ...fields }).formatToParts(ms);
  const [year, month, day, hour, minute, second] = Object.keys(fields).slice(0, 6).map((field) => Number(parts.find(({ type }) => type === field).value));
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
}
/** As an axis of this width shows it. */
export function tick(ms, span_ms) {
  if (span_ms <= 900_000) return time(ms, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (span_ms <= 2 * 86_400_000) return time(ms, { hour: "2-digit", minute: "2-digit" });
  return time(ms, span_ms > 200 * 86_400_000 ? { year: "numeric", month: "short" } : { month: "short", day: "numeric" });
}
