// What the collector tells by itself: how all does, the devices, and the values of the device that is looked at.
import { get } from "./api.js";
import { heedClock } from "./format.js";

const MOST_POINTS = 120, ALARMS_AGAIN_MS = 10_000;

/** The newest that is known. `values`: device id → tag → {value, quality, stamp_ms}; `alarms`: those that hold. */
export const live = { status: null, devices: new Map(), values: new Map(), trails: new Map(), alarms: [], heard_ms: 0, lost: false };
const listeners = new Set();
let source = null;
let watched;
let counted = "", counted_ms = 0;

/** Calls back with "status", "devices", "alarms" or "values" when there is news; returns what stops it. */
export function onNews(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Watches over all, and the values of one device, or of none. */
export function watch(device_id = null) {
  if (source && watched === device_id) return;
  watched = device_id;
  source?.close();
  const what = device_id === null ? "values=false" : new URLSearchParams({ device_id });
  source = new EventSource(`/api/v1/stream?${what}`);
  hear(source, "status", (status) => {
    live.status = status;
    heedClock(status);
    tell("status");
    heedAlarms(status.alarms);
  });
  hear(source, "device", (device) => {
    live.devices.set(device.id, device);
    tell("devices");
  });
  hear(source, "gone", ({ id }) => {
    live.devices.delete(id);
    live.values.delete(id);
    tell("devices");
  });
  hear(source, "values", take);
  source.onerror = lose;
}

function hear(stream, kind, act) {
  stream.addEventListener(kind, (event) => {
    if (stream !== source) return;
    live.heard_ms = Date.now();
    live.lost = false;
    act(JSON.parse(event.data));
  });
}

/** Asked for when their counts change; and now and then, for equal counts may be those of other alarms. */
async function heedAlarms(counts) {
  const print = JSON.stringify(counts);
  if (!counts || (print === counted && (!counts.active || Date.now() - counted_ms < ALARMS_AGAIN_MS))) return;
  [counted, counted_ms] = [print, Date.now()];
  try {
    live.alarms = await get("alarms");
    tell("alarms");
  } catch {
    counted = "";
  }
}

/** The worst alarm of a tag that holds: its level, or nothing. */
export function alarmOf(device_id, tag) {
  const levels = live.alarms.filter((alarm) => alarm.device_id === device_id && alarm.tag === tag && !alarm.left).map(({ level }) => level);
  return levels.find((level) => level.includes("_")) ?? levels[0];
}

function take({ device_id, stamp_ms, values, quality }) {
  const known = live.values.get(device_id) ?? new Map();
  live.values.set(device_id, known);
  for (const [tag, value] of Object.entries(values)) {
    known.set(tag, { value, quality: quality[tag] ?? "good", stamp_ms });
    if (isNumber(value)) trail(device_id, tag).push([stamp_ms, Number(value)]);
  }
  for (const [tag, why] of Object.entries(quality)) if (!(tag in values)) known.set(tag, { value: null, quality: why, stamp_ms });
  for (const points of live.trails.get(device_id)?.values() ?? []) if (points.length > MOST_POINTS) points.splice(0, points.length - MOST_POINTS);
  tell("values");
}

/** Integers that a number can not hold exactly come as texts. */
const isNumber = (value) => typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && /^-?\d{16,20}$/.test(value) && !Number.isSafeInteger(Number(value)));

/** The last points of a tag, [ms, number] each, since the page looks at its device. */
export function trail(device_id, tag) {
  if (!live.trails.has(device_id)) live.trails.set(device_id, new Map());
  const tags = live.trails.get(device_id);
  if (!tags.has(tag)) tags.set(tag, []);
  return tags.get(tag);
}

async function lose() {
  const broken = source;
  live.lost = true;
  tell("status");
  const answer = await fetch("/api/v1/status").catch(() => null);
  if (answer?.status === 401) location.assign("/login");
  if (broken === source && broken.readyState === EventSource.CLOSED) {
    source = null;
    setTimeout(() => source ?? watch(watched), 2000);
  }
}

function tell(kind) {
  for (const listener of [...listeners]) listener(kind);
}
