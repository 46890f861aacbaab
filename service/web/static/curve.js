// Curves: a small one for lists, and a large one with expected band, upper bound and the surge marked.

import { h, s, scroll } from "./dom.js";
import { number, span, when } from "./format.js";
import { counted, figure, unitOf } from "./gauges.js";
import { locale, t, topicName } from "./words.js";

const HOUR = 3_600_000;
const TICKS = [1, 2, 3, 6, 12, 24, 48, 168, 336, 720].map((hours) => hours * HOUR);
const ROOM = { left: 38, right: 10, top: 26, bottom: 24 };

/** Milliseconds from one point to the next; an hour where there is but one. */
export function step(points) {
  return points.length > 1 ? Date.parse(points[1].start) - Date.parse(points[0].start) : HOUR;
}

/** Which points, by number, of an alert's curve lie in its surge; a topic's curve has none. */
function surging(points, { onset, resolved_at: end }) {
  if (!onset) return () => false;
  const first = Date.parse(points[0].start);
  const from = (Date.parse(onset) - first) / step(points) - 1;
  const to = end ? (Date.parse(end) - first) / step(points) : Infinity;
  return (i) => i > from && i < to;
}

/** The tail of a curve as a picture of 132 × 34, said in words elsewhere. */
export function spark(alert) {
  const points = (alert.curve ?? unpacked(alert.spark)).slice(-72);
  const [width, height] = [132, 34];
  const picture = s("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" });
  if (points.length < 2) return picture;
  const top = Math.max(1, ...points.map((one) => Math.max(one.observed, one.upper)));
  const wide = width / points.length;
  const y = (value) => height - 1 - (value / top) * (height - 3);
  const bar = (one, i) => `M${r(i * wide)} ${height - 1}V${r(y(one.observed))}h${r(Math.max(wide - 0.5, 0.5))}V${height - 1}z`;
  const over = surging(points, alert);
  const bars = (high) => points.map((one, i) => (one.observed > 0 && over(i) === high ? bar(one, i) : ""));
  picture.append(
    s("path", { class: "bars", d: bars(false).join("") }),
    s("path", { class: "bars over", d: bars(true).join("") }),
    s("path", { class: "upper", d: stairs(points, (i) => i * wide, (one) => y(one.upper)) }),
  );
  return picture;
}

/** A topic's customers an hour as a picture, said in figures beside it. */
export function trend(hours) {
  const [width, height] = [96, 26];
  const top = Math.max(1, ...hours);
  const wide = width / Math.max(hours.length, 1);
  const bar = (n, i) => (n > 0 ? `M${r(i * wide)} ${height}V${r(height - (n / top) * (height - 2))}h${r(Math.max(wide - 1, 0.5))}V${height}z` : "");
  return s("svg", { class: "trend", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" }, s("path", { class: "bars", d: hours.map(bar).join("") }));
}

/** The points of a list's curve, which has one figure an hour and no times. */
function unpacked(packed) {
  if (!packed) return [];
  const start = Date.parse(packed.start);
  return packed.observed.map((observed, i) => ({ start: new Date(start + i * HOUR).toISOString(), observed, upper: packed.upper[i] }));
}

/** The curve of an alert, or of a topic ({topic, curve}), drawn anew for every width it is given, with its legend and its table. */
export function chart(alert) {
  const points = alert.curve;
  if (points.length === 0) return h("p", { class: "muted" }, t("curve.none"));
  const per = step(points) === HOUR ? t("curve.hour") : span(step(points) / 60_000);
  const stage = h("div", { class: "stage", tabindex: "0", role: "img", "aria-label": label(alert, per) });
  const readout = h("p", { class: "readout", "aria-live": "polite" }, `${t("curve.keys")}`);
  const cursor = { at: null };
  const paint = () => stage.clientWidth && draw(stage, alert, cursor.at);
  const read = (at) => {
    cursor.at = at;
    readout.textContent = at === null ? t("curve.keys") : reading(points[at], alert);
    paint();
  };
  new ResizeObserver(paint).observe(stage);
  stage.addEventListener("pointermove", (event) => read(nearest(stage, points, event)));
  stage.addEventListener("pointerleave", () => read(null));
  stage.addEventListener("blur", () => read(null));
  stage.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (way === undefined) return;
    event.preventDefault();
    const from = cursor.at ?? (way < 0 ? points.length : -1);
    read(Math.min(points.length - 1, Math.max(0, from + way)));
  });
  return h("figure", { class: "chart" }, legend(per, Boolean(alert.onset), alert), stage, readout, table(points, alert));
}

function label(alert, per) {
  const highest = alert.curve.reduce((one, other) => (other.observed > one.observed ? other : one));
  return t(alert.indicator ? "gauge.curve.label" : alert.onset ? "curve.label" : "curve.label.topic", {
    topic: topicName(alert.topic),
    span: per,
    from: when(alert.curve[0].start),
    to: when(alert.curve.at(-1).start),
    top: figure(highest.observed, alert),
    at: when(highest.start),
    onset: alert.onset ? when(alert.onset) : "",
  });
}

const reading = (one, alert) =>
  t(alert.indicator ? "gauge.curve.read" : one.upper > 0 ? "curve.read" : "curve.read.plain", { at: when(one.start), observed: figure(one.observed, alert), expected: figure(one.expected, alert), upper: figure(one.upper, alert) });

function nearest(stage, points, event) {
  const { left, width } = stage.getBoundingClientRect();
  const share = (event.clientX - left - ROOM.left) / (width - ROOM.left - ROOM.right);
  return Math.min(points.length - 1, Math.max(0, Math.floor(share * points.length)));
}

function legend(per, surge, alert) {
  const entry = (kind) =>
    h("li", {}, s("svg", { viewBox: "0 0 18 12", "aria-hidden": "true" }, ...sign(kind)), kind === "observed" ? counted("curve.observed", alert) : t(`curve.${kind}`));
  const kinds = ["observed", ...(surge ? ["over"] : []), "upper", "band", ...(surge ? ["bound"] : [])].map(entry);
  return h("figcaption", {}, h("ul", { class: "legend" }, kinds, h("li", { class: "per" }, alert.indicator?.unit ? t("gauge.curve.per", { span: per, unit: unitOf(alert.indicator) }) : t("curve.per", { span: per }))));
}

function sign(kind) {
  if (kind === "observed") return [s("rect", { class: "bars", x: 5, y: 3, width: 7, height: 9 })];
  if (kind === "over") return [s("rect", { class: "bars over", x: 5, y: 0, width: 7, height: 12 })];
  if (kind === "bound") return boundLine("M1 6h16");
  if (kind === "upper") return [s("path", { class: "upper", d: "M0 6h18" })];
  return [s("rect", { class: "band", x: 0, y: 1, width: 18, height: 10 }), s("path", { class: "expected", d: "M0 8h18" })];
}

function draw(stage, alert, at) {
  const points = alert.curve;
  const width = stage.clientWidth;
  const height = stage.clientHeight;
  const inner = { width: width - ROOM.left - ROOM.right, height: height - ROOM.top - ROOM.bottom };
  const start = Date.parse(points[0].start);
  const end = Date.parse(points.at(-1).start) + step(points);
  const ticks = levels(Math.max(...points.map((one) => Math.max(one.observed, one.upper))));
  const x = (time) => ROOM.left + ((time - start) / (end - start)) * inner.width;
  const y = (value) => ROOM.top + inner.height * (1 - value / ticks.at(-1));
  const place = { x, y, start, end, width, height, inner, base: y(0), points };
  const picture = s("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false" });
  picture.append(...surgeMark(place, alert), ...grid(place, ticks), ...marks(place, surging(points, alert)), ...bound(place, alert), ...hours(place));
  if (at !== null) picture.append(...crosshair(place, at));
  stage.replaceChildren(picture);
}

function surgeMark({ x, start, end, inner }, alert) {
  if (!alert.onset) return [];
  const from = Math.max(start, Date.parse(alert.onset));
  const to = alert.resolved_at ? Math.min(end, Date.parse(alert.resolved_at)) : end;
  if (!(to > from)) return [];
  const left = x(from);
  const wide = Math.max(2, x(to) - left);
  const far = left > ROOM.left + inner.width - 90;
  const text = { class: "mark", x: far ? left - 5 : left + 5, y: 13, "text-anchor": far ? "end" : "start" };
  return [
    s("rect", { class: "surge", x: r(left), y: 0, width: r(wide), height: ROOM.top + inner.height }),
    s("path", { class: "onset", d: `M${r(left)} 0V${r(ROOM.top + inner.height)}` }),
    s("text", text, `${t("curve.surge")} ${when(alert.onset)}`),
  ];
}

/** The window's upper bound, shared out evenly over its hours, so that it can stand beside them. */
function bound({ x, y, start, end, points }, { window, indicator }) {
  if (!window) return [];
  const from = Math.max(start, Date.parse(window.start));
  const to = Math.min(end, Date.parse(window.end));
  if (!(to > from)) return [];
  const level = y(window.upper_bound / (indicator ? 1 : Math.max(1, (window.minutes * 60_000) / step(points))));
  return boundLine(`M${r(x(from))} ${r(level)}H${r(Math.max(x(to), x(from) + 6))}`);
}

/** Drawn twice, so that it can be told from the bars that it crosses. */
const boundLine = (d) => [s("path", { class: "bound halo", d }), s("path", { class: "bound", d })];

function grid({ y, width }, ticks) {
  return ticks.flatMap((value) => [
    s("path", { class: "grid", d: `M${ROOM.left} ${r(y(value))}H${width - ROOM.right}` }),
    s("text", { class: "axis", x: ROOM.left - 6, y: r(y(value) + 4), "text-anchor": "end" }, number(value)),
  ]);
}

function marks(place, over) {
  const { x, y, base, points, start, inner } = place;
  const wide = inner.width / points.length;
  const gap = wide > 4 ? Math.min(2, wide / 5) : 0;
  const left = (i) => x(start) + i * wide;
  const bar = (one, i) => `M${r(left(i) + gap / 2)} ${r(base)}V${r(y(one.observed))}h${r(wide - gap)}V${r(base)}z`;
  const bars = (high) => points.map((one, i) => (one.observed > 0 && over(i) === high ? bar(one, i) : "")).join("");
  const upper = stairs(points, left, (one) => y(one.upper));
  const band = points.map((one, i) => (one.upper > 0 ? `M${r(left(i))} ${r(base)}V${r(y(one.upper))}H${r(left(i + 1))}V${r(base)}z` : ""));
  return [
    s("path", { class: "band", d: band.join("") }),
    s("path", { class: "bars", d: bars(false) }),
    s("path", { class: "bars over", d: bars(true) }),
    s("path", { class: "expected", d: stairs(points, left, (one) => y(one.expected)) }),
    s("path", { class: "upper", d: upper }),
  ];
}

/** A line of level treads, one a point, with gaps where nothing was expected yet: counts belong to intervals, not to instants. */
function stairs(points, left, y) {
  const known = (i) => points[i]?.upper > 0;
  const tread = (one, i) => (known(i) ? `${known(i - 1) ? "V" : `M${r(left(i))} `}${r(y(one))}H${r(left(i + 1))}` : "");
  return points.map(tread).join("");
}

function hours({ x, start, end, inner, height }) {
  const most = Math.max(2, Math.floor(inner.width / 84));
  const gap = TICKS.find((one) => (end - start) / one <= most) ?? TICKS.at(-1);
  const midnight = new Date(start).setHours(0, 0, 0, 0);
  const found = [];
  for (let at = midnight; at < end; at += gap) {
    if (at < start || x(at) > ROOM.left + inner.width - 12) continue;
    found.push(
      s("path", { class: "grid", d: `M${r(x(at))} ${height - ROOM.bottom}v4` }),
      s("text", { class: "axis", x: r(x(at)), y: height - 6, "text-anchor": "middle" }, tick(at, gap)),
    );
  }
  return found;
}

function tick(at, gap) {
  const date = new Date(at);
  const midnight = date.getHours() === 0;
  const options = midnight || gap >= 24 * HOUR ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  return new Intl.DateTimeFormat(locale(), options).format(date);
}

function crosshair({ x, start, inner, base, y, points }, at) {
  const wide = inner.width / points.length;
  const middle = x(start) + (at + 0.5) * wide;
  return [
    s("path", { class: "cursor", d: `M${r(middle)} ${ROOM.top}V${r(base)}` }),
    s("circle", { class: "cursor", cx: r(middle), cy: r(y(points[at].observed)), r: 4 }),
  ];
}

/** Five or so round levels from 0 to above `top`. */
function levels(top) {
  const rough = Math.max(top, 1) / 5;
  const size = 10 ** Math.floor(Math.log10(rough));
  const gap = Math.max(1, [1, 2, 5, 10].map((one) => one * size).find((one) => one >= rough));
  return Array.from({ length: Math.ceil(Math.max(top, 1) / gap) + 1 }, (_, i) => i * gap);
}

function table(points, alert) {
  const names = ["curve.time", "curve.observed", "curve.expected", "curve.upper"];
  const row = (one) =>
    h("tr", {}, h("th", { scope: "row" }, when(one.start)), h("td", {}, figure(one.observed, alert)), ...[one.expected, one.upper].map((n) => h("td", {}, one.upper > 0 ? figure(n, alert) : "–")));
  const box = scroll();
  const build = () => {
    if (box.firstChild) return;
    const head = h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name === "curve.observed" ? counted(name, alert) : t(name)))));
    box.append(h("table", { class: "figures" }, head, h("tbody", {}, points.map(row))));
  };
  return h("details", { class: "fallback", on: { toggle: build } }, h("summary", {}, t("curve.table")), box);
}

const r = (value) => Math.round(value * 10) / 10;
