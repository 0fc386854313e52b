// The last minutes of a tag, as a line without axes.
import { mark, s } from "./dom.js";

const WIDTH = 96, HEIGHT = 24, SPAN_MS = 600_000;

export function sparkline() {
  const line = s("polyline", { fill: "none" });
  const svg = s("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", preserveAspectRatio: "none" }, line);

  /** Points are [ms, number]; what is older than ten minutes is left out. */
  function draw(points) {
    const last = points.at(-1)?.[0] ?? 0;
    const recent = points.filter(([at]) => at > last - SPAN_MS);
    if (recent.length < 2) return mark(line, "points", "");
    const first = recent[0][0];
    const figures = recent.map(([, figure]) => figure);
    const low = Math.min(...figures), high = Math.max(...figures);
    const x = (at) => 1 + ((WIDTH - 2) * (at - first)) / Math.max(1, last - first);
    const y = (figure) => (high === low ? HEIGHT / 2 : HEIGHT - 3 - ((HEIGHT - 6) * (figure - low)) / (high - low));
    return mark(line, "points", recent.map(([at, figure]) => `${x(at).toFixed(1)},${y(figure).toFixed(1)}`).join(" "));
  }

  return { element: svg, draw };
}
