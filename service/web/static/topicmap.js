// The map of topics: each a circle, near to those of like meaning.

import { h, s } from "./dom.js";
import { number } from "./format.js";
import { clip } from "./text.js";
import { t, topicName } from "./words.js";

const [WIDTH, HEIGHT, ROOM] = [1000, 560, 60];
const NAMED = 24; // circles that carry their name; the others say it when pointed at or reached by keyboard
const [SMALL, LARGE] = [5, 26]; // radii

/** The map of `topics` at `places` ({id, x, y}); `chosen` hears the id of the one that is chosen. */
export function mapOf(topics, places, chosen) {
  const known = new Map(topics.map((one) => [one.id, one]));
  const shown = places.filter(({ id }) => known.has(id)).map((place) => ({ ...place, topic: known.get(place.id) }));
  shown.sort((one, other) => other.topic.customers - one.topic.customers);
  const most = Math.max(1, shown[0]?.topic.customers ?? 1);
  const marks = shown.map((one, rank) => mark(one, most, rank < NAMED, chosen));
  const picture = s("svg", { class: "map", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": t("topics.map") }, marks.reverse());
  return h("figure", {}, picture, h("figcaption", { class: "muted small" }, t("topics.map.note")));
}

function mark({ x, y, topic }, most, named, chosen) {
  const [left, top] = [ROOM + ((x + 1) / 2) * (WIDTH - 2 * ROOM), ROOM + ((1 - y) / 2) * (HEIGHT - 2 * ROOM)];
  const size = SMALL + (LARGE - SMALL) * Math.sqrt(topic.customers / most);
  const text = t("topics.map.mark", { topic: topicName(topic), n: number(topic.customers) });
  const label = s("text", { x: left, y: top + size + 13, "text-anchor": "middle", class: named ? "named" : null }, clip(topicName(topic), 22));
  const link = s("a", { tabindex: "0", role: "button", "aria-label": text, class: topic.state }, s("title", {}, text), s("circle", { cx: left, cy: top, r: size }), label);
  link.addEventListener("click", () => chosen(topic.id));
  link.addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), chosen(topic.id)));
  return link;
}
