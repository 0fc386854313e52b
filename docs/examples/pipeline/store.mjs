// @ts-check
/**
 * How a server stores what edges publish: late, repeated and split messages come out right.
 * TypeScript as plain JavaScript, its types in comments: `import { store } from "./store.mjs"` has them in any
 * project with `allowJs`, and node runs it as it is. `Tables` is what `tables.sql` says; swap it for your database.
 *
 * @typedef {{ time: string, value: unknown }} Latest
 * @typedef {{ timestamp: string, connection_id?: string | number, tags: Record<string, unknown>,
 *             meta?: { epoch: string, seq: number, buffered?: boolean, part?: [number, number] } }} DataMessage
 */

export class Tables {
  /** @type {Map<string, unknown>} one row a value */
  rawData = new Map();
  /** @type {Map<string, Latest>} */
  latest = new Map();
  /** @type {Map<string, Record<string, unknown>>} the newest status of each edge */
  edges = new Map();
  /** @type {Set<string>} events and responses: the same one twice is the same to the byte */
  letters = new Set();
}

/**
 * Store one message; call PUBACK after it. Gives the values that are new, live, and the latest: for alarms.
 *
 * @param {Tables} tables
 * @param {string} topic
 * @param {string} payload
 * @returns {Record<string, unknown>}
 */
export function store(tables, topic, payload) {
  const [start, devices, edgeId, kind] = topic.split("/");
  const body = JSON.parse(payload);
  if (start !== "vexplor" || devices !== "devices" || typeof body !== "object" || Array.isArray(body)) {
    throw new TypeError(`${topic}: no message of an edge`);
  }
  if (kind === "data") return storeData(tables, edgeId, body);
  if (kind === "status") tables.edges.set(edgeId, body);
  if (kind === "events" || kind === "responses") tables.letters.add(JSON.stringify([edgeId, kind, payload]));
  return {};
}

/**
 * One row a tag, so the parts of a split message need not be put together.
 *
 * @param {Tables} tables
 * @param {string} edgeId
 * @param {DataMessage} body
 */
function storeData(tables, edgeId, body) {
  const connectionId = String(body.connection_id ?? "");
  /** @type {Record<string, unknown>} */
  const live = {};
  for (const [tag, value] of Object.entries(body.tags)) {
    const row = JSON.stringify([edgeId, connectionId, body.timestamp, tag]);
    if (!tables.rawData.has(row)) tables.rawData.set(row, value); // ON CONFLICT DO NOTHING
    const key = JSON.stringify([edgeId, connectionId, tag]);
    const held = tables.latest.get(key);
    if (held === undefined || body.timestamp > held.time) {
      tables.latest.set(key, { time: body.timestamp, value });
      if (!body.meta?.buffered) live[tag] = value;
    }
  }
  return live;
}
