// Round figures along an axis. Pure.

const NICE = [1, 2, 2.5, 5, 10];
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_592_000, 5_184_000, 15_552_000].map((each) => each * 1000);

/** About `most` round figures from low to high, both inside. */
export function figures(low, high, most) {
  const raw = (high - low) / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  const step = (NICE.find((each) => each * power >= raw) ?? 10) * power;
  const found = [];
  for (let at = Math.ceil(low / step); at * step <= high + step * 1e-9; at++) found.push(at * step);
  return found;
}

/** Round moments, as a clock has them that is `ahead` ms of UTC. */
export function moments(from, to, most, ahead) {
  const step = STEPS_MS.find((each) => (to - from) / each <= most) ?? STEPS_MS.at(-1);
  const shift = -ahead;
  const found = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) found.push(at);
  return found;
}

/** A little room above and below, limits included; never of no height. */
export function reach(low, high, limits) {
  const bottom = Math.min(low, ...limits), top = Math.max(high, ...limits);
  const room = (top - bottom) * 0.08 || Math.abs(top) * 0.1 || 1;
  return [bottom - room, top + room];
}
