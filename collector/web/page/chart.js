// A tag over time: the mean as a line, lowest to highest as a band, limits as dashes. Drawn by hand, without a library.
import { h, mark, s } from "./dom.js";
import { ahead, moment, short, tick } from "./format.js";
import { figures, moments, reach } from "./scale.js";
import { t } from "./words.js";

const LEFT = 56, RIGHT = 12, TOP = 12, BOTTOM = 26, LEAST_DRAG = 8, GAP = 2.5, TICK = 64;

/** `onRange(from, to)` is called when the reader picks another stretch, `onKey(key)` for the keys the chart leaves. */
export function chart({ onRange, onKey }) {
  const grid = s("g", { class: "grid" }), limits = s("g", { class: "limits" });
  const band = s("path", { class: "band" }), line = s("path", { class: "line", fill: "none" }), dots = s("path", { class: "dots" });
  const doubt = s("path", { class: "doubt" }), picked = s("rect", { class: "picked", y: TOP, hidden: true });
  const cross = s("g", { class: "cross", hidden: true }, s("line", { y1: TOP }), s("circle", { r: 4 }));
  const clip = s("clipPath", { id: "plot" }, s("rect", { x: LEFT, y: TOP }));
  const svg = s("svg", { class: "chart", role: "img", tabindex: 0, onkeydown: key },
    s("defs", {}, clip), grid, s("g", { "clip-path": "url(#plot)" }, band, line, dots, doubt, limits, picked), cross);
  const tip = h("div", { class: "tip", hidden: true });
  const element = h("div", { class: "plot" }, svg, tip);
  let drawn = null, width = 0, height = 0, dragged = null;

  new ResizeObserver(() => {
    if (element.clientWidth === width && element.clientHeight === height) return;
    width = element.clientWidth;
    height = element.clientHeight;
    if (drawn) draw(drawn);
  }).observe(element);

  const x = (at) => LEFT + ((width - LEFT - RIGHT) * (at - drawn.from)) / (drawn.to - drawn.from);
  const y = (figure) => TOP + ((height - TOP - BOTTOM) * (drawn.high - figure)) / (drawn.high - drawn.low);
  const at = (pixel) => drawn.from + ((drawn.to - drawn.from) * (pixel - LEFT)) / (width - LEFT - RIGHT);

  /** points: {at[], min[], max[], mean[], share[]}, `step_ms` apart; thresholds: {name: figure}; label for the blind;
   * `counts`: nothing below zero, and nothing finer than one. */
  function draw({ points, step_ms, from, to, thresholds, label, counts = false }) {
    const known = points.mean.filter((figure) => figure !== null);
    const wanted = Object.values(thresholds);
    let [low, high] = known.length || wanted.length
      ? reach(Math.min(...points.min.filter((f) => f !== null), Infinity), Math.max(...points.max.filter((f) => f !== null), -Infinity), wanted)
      : [0, 1];
    if (counts) [low, high] = [0, Math.max(high, 4)];
    drawn = { counts, points, step_ms, from, to, thresholds, label, low, high };
    if (!width) return;
    mark(svg, "viewBox", `0 0 ${width} ${height}`);
    mark(svg, "aria-label", label);
    mark(clip.firstChild, "width", Math.max(0, width - LEFT - RIGHT));
    mark(clip.firstChild, "height", Math.max(0, height - TOP - BOTTOM));
    axes();
    curve();
    limits.replaceChildren(...Object.entries(thresholds).map(([name, figure]) => s("g", { class: name },
      s("line", { x1: LEFT, x2: width - RIGHT, y1: y(figure), y2: y(figure) }),
      s("text", { x: width - RIGHT - 4, y: y(figure) - 4, "text-anchor": "end" }, `${t(`limit.${name}`)} ${short(figure)}`))));
  }

  function axes() {
    const { from, to, low, high } = drawn;
    grid.replaceChildren(
      ...figures(low, high, height / 48).flatMap((figure) => [
        s("line", { x1: LEFT, x2: width - RIGHT, y1: y(figure), y2: y(figure) }),
        s("text", { x: LEFT - 8, y: y(figure) + 4, "text-anchor": "end" }, short(Math.abs(figure) < 1e-12 ? 0 : figure)),
      ]),
      ...moments(from, to, width / 90, ahead(from)).map((when) => s("text", { x: Math.min(x(when), width - TICK / 2), y: height - 7, "text-anchor": "middle" }, tick(when, to - from))));
  }

  function curve() {
    const { points: { at: stamps, min, max, mean, share }, step_ms } = drawn;
    const pieces = [], lone = [];
    stamps.forEach((when, position) => {
      if (mean[position] === null) return;
      const follows = position > 0 && mean[position - 1] !== null && when - stamps[position - 1] <= GAP * step_ms;
      if (follows) pieces.at(-1).push(position);
      else pieces.push([position]);
    });
    const point = (figure) => (position) => `${x(stamps[position]).toFixed(1)} ${y(figure[position]).toFixed(1)}`;
    for (const piece of pieces) if (piece.length === 1) lone.push(`M${point(mean)(piece[0])}h.01`);
    mark(line, "d", pieces.filter(({ length }) => length > 1).map((piece) => `M${piece.map(point(mean)).join("L")}`).join(""));
    mark(band, "d", pieces.filter(({ length }) => length > 1).map((piece) => `M${piece.map(point(max)).join("L")}L${piece.toReversed().map(point(min)).join("L")}Z`).join(""));
    mark(dots, "d", lone.join(""));
    const bottom = height - BOTTOM - 2;
    mark(doubt, "d", stamps.map((when, position) => (share[position] < 0.999 ? `M${x(when).toFixed(1)} ${bottom}h${Math.max(2, x(when + step_ms) - x(when)).toFixed(1)}` : "")).join(""));
  }

  function nearest(when) {
    const stamps = drawn.points.at;
    let low = 0, high = stamps.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (stamps[middle] < when) low = middle;
      else high = middle;
    }
    return high >= 0 && Math.abs(stamps[high] - when) < Math.abs(stamps[low] - when) ? high : low;
  }

  function point(event) {
    const box = element.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, LEFT), width - RIGHT);
  }

  function hover(pixel) {
    const position = nearest(at(pixel));
    const figure = drawn.points.mean[position];
    const there = figure !== undefined && figure !== null;
    cross.toggleAttribute("hidden", !there);
    tip.hidden = !there;
    if (!there) return;
    const when = drawn.points.at[position], left = x(when);
    const [rule, dot] = cross.children;
    for (const name of ["x1", "x2"]) mark(rule, name, left);
    mark(rule, "y2", height - BOTTOM);
    mark(dot, "cx", left);
    mark(dot, "cy", y(figure));
    const { min, max } = drawn.points;
    const spread = min[position] === max[position] ? "" : `${short(min[position])} … ${short(max[position])}`;
    tip.replaceChildren(h("b", {}, short(figure)), h("span", {}, spread), h("small", {}, moment(when)));
    tip.style.left = `${Math.min(Math.max(left, 80), width - 80)}px`;
  }

  svg.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    const pixel = point(event);
    if (dragged === null) return hover(pixel);
    picked.removeAttribute("hidden");
    mark(picked, "x", Math.min(pixel, dragged));
    mark(picked, "width", Math.abs(pixel - dragged));
    mark(picked, "height", height - TOP - BOTTOM);
  });
  svg.addEventListener("pointerdown", (event) => {
    if (!drawn || event.button || event.pointerType === "touch") return drawn && hover(point(event));
    dragged = point(event);
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointerup", (event) => {
    if (dragged === null) return;
    const [from, to] = [dragged, point(event)].sort((one, other) => one - other);
    dragged = null;
    picked.setAttribute("hidden", "");
    if (to - from >= LEAST_DRAG) onRange(at(from), at(to));
  });
  svg.addEventListener("pointerleave", () => {
    cross.setAttribute("hidden", "");
    tip.hidden = true;
  });
  svg.addEventListener("wheel", (event) => {
    if (!drawn || !event.deltaY) return;
    event.preventDefault();
    const about = at(point(event)), factor = event.deltaY > 0 ? 1.5 : 1 / 1.5;
    onRange(about - (about - drawn.from) * factor, about + (drawn.to - about) * factor);
  }, { passive: false });

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (onKey(event.key)) event.preventDefault();
  }

  return { element, draw };
}
