// Elements are made here and nowhere else. Text is always a text node: nothing that a PLC or a document says is markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element: attributes, `on…` listeners, and children (elements, texts, nothing). */
export function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** An SVG element, the same way. */
export function s(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Changes a text only if it differs: nothing is painted, and no screen reader speaks, for nothing. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Changes an attribute only if it differs. */
export function mark(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Builds the content of an element anew, but only when what it is made of has changed. */
export function rebuild(element, made_of, build) {
  const print = JSON.stringify(made_of);
  if (element.madeOf === print) return;
  element.madeOf = print;
  element.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
}

/** A lamp: shape and word say the same as the colour. */
export function lamp(level) {
  const shapes = { ok: "M4 8.500l3 3 5-6", warn: "M8 4v5M8 11.500v.5", bad: "M5 5l6 6M11 5l-6 6", idle: "M5 8h6" };
  return s("svg", { class: `lamp ${level}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    s("circle", { cx: 8, cy: 8, r: 8 }), s("path", { d: shapes[level] ?? shapes.idle }));
}

const ICONS = {
  overview: "M3 11l9-7 9 7M5 10v10h5v-6h4v6h5V10",
  alarms: "M6 17V11a6 6 0 0112 0v6l2 2H4zM10 21h4",
  events: "M5 6h14M5 12h14M5 18h9",
  buffer: "M4 6c0-3 16-3 16 0v12c0 3-16 3-16 0zM4 6c0 3 16 3 16 0M4 12c0 3 16 3 16 0",
  config: "M4 7h10M18 7h2M4 17h2M10 17h10M16 4v6M8 14v6",
  logs: "M5 4h14v16H5zM8 9h8M8 13h8M8 17h5",
};

/** A drawn sign beside a word. */
export function icon(name) {
  return s("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));
}
