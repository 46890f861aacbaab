// The topics: what customers speak of, how much, in whose words.

import { fold, standing } from "./alerts.js";
import { listTopics, readSeries } from "./api.js";
import { chart } from "./curve.js";
import { h, said } from "./dom.js";
import { moment, number } from "./format.js";
import { failure, failureLine, quiet, waiting } from "./marks.js";
import { clip } from "./text.js";
import { locale, t, topicName } from "./words.js";

const EXAMPLES = 5; // messages shown under an opened topic
const FIRST = 200; // topics shown before a search narrows them

/** The view of all topics. */
export class Topics {
  #world;
  #topics = null;
  #list = h("div", {});
  #count = h("p", { class: "muted", role: "status" });
  #search;
  #sort;
  #signs = new Map();
  #leave;

  constructor(world, query) {
    this.#world = world;
    this.#search = h("input", { type: "search", value: query.get("q") ?? "", placeholder: t("topics.search"), "aria-label": t("topics.search"), maxlength: 200, on: { input: () => this.#draw() } });
    const ways = ["day", "label", "born"].map((one) => h("option", { value: one }, t(`topics.sort.${one}`)));
    this.#sort = h("select", { "aria-label": t("topics.sort"), on: { change: () => this.#draw() } }, ways);
    const bar = h("div", { class: "filters", role: "search" }, this.#search, h("label", {}, h("span", { class: "muted" }, t("topics.sort"), " "), this.#sort), this.#count);
    this.node = h("section", { class: "topics" }, h("h1", { class: "hidden" }, t("topics.title")), bar, this.#list);
    this.#list.append(waiting());
    this.#leave = world.book.watch(() => this.#mark());
    this.#load();
  }

  get title() {
    return t("topics.title");
  }

  leave() {
    this.#leave();
  }

  key(key) {
    const lines = [...this.#list.querySelectorAll("summary")];
    const at = lines.indexOf(document.activeElement);
    if (key === "j" || key === "k") lines[Math.max(0, Math.min(lines.length - 1, at + (key === "j" ? 1 : at < 0 ? 1 : -1)))]?.focus();
    else if (key === "/") this.#search.focus();
    else return false;
    return true;
  }

  async #load() {
    try {
      this.#topics = (await listTopics()).topics;
      this.#draw();
    } catch (problem) {
      this.#list.replaceChildren(failure(problem, () => this.#load()));
    }
  }

  #draw() {
    if (!this.#topics) return;
    const q = fold(this.#search.value.trim());
    const found = this.#topics.filter((one) => !q || words(one).includes(q)).sort(ORDERS[this.#sort.value]);
    this.#count.textContent = t("topics.count", { n: number(found.length) });
    if (this.#topics.length === 0) return this.#list.replaceChildren(quiet(t("topics.none"), t("topics.none.more")));
    if (found.length === 0) return this.#list.replaceChildren(quiet(t("topics.nofit", { q: this.#search.value.trim() })));
    const most = Math.max(1, ...found.map(day));
    const head = h("div", { class: "topic head", "aria-hidden": "true" }, h("span", {}, t("topics.topic")), h("span", {}, t("topics.day")), h("span", {}, t("topics.before")), h("span", {}, t("topics.born")));
    this.#list.replaceChildren(head, h("ul", { class: "rows" }, found.slice(0, FIRST).map((one) => h("li", {}, line(one, this.#sign(one), most)))));
    this.#mark();
  }

  /** The sign that an alert is open on a topic; put up and taken down in place. */
  #sign(topic) {
    const sign = h("span", { class: "tag open", hidden: true }, t("topics.open"));
    this.#signs.set(topic.id, sign);
    return sign;
  }

  #mark() {
    const ringing = new Set(this.#world.book.all().filter((row) => standing(row) === "open").map((row) => row.topic.id));
    for (const [id, sign] of this.#signs) sign.hidden = !ringing.has(id);
  }
}

const day = (topic) => topic.customers ?? 0;
const ORDERS = {
  day: (one, other) => day(other) - day(one) || other.size - one.size,
  label: (one, other) => topicName(one).localeCompare(topicName(other), locale()),
  born: (one, other) => Date.parse(other.born) - Date.parse(one.born),
};

const words = (topic) => fold([topic.id, topic.label, ...Object.values(topic.labels), ...topic.terms, ...topic.exemplars.map((one) => one.text)].join("\n"));

function line(topic, sign, most) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("i", {}));
  bar.firstChild.style.inlineSize = `${(100 * day(topic)) / most}%`;
  const tag = (name) => h("span", { class: `tag ${name}` }, t(`topics.${name}`));
  const state = topic.state !== "live" ? topic.state : topic.kind === "chatter" ? "chatter" : null;
  const figure = (name, value) => h("span", { class: "figure" }, h("span", { class: "hidden" }, `${t(name)} `), value === undefined || value === null ? "–" : number(value));
  const summary = h(
    "summary",
    { class: "topic" },
    h("span", { class: "name" }, h("b", {}, said(topicName(topic))), sign, state && tag(state), topic.bar && tag("bar"), h("span", { class: "terms muted" }, topic.terms.slice(0, 6).map((term, i) => [i > 0 && " · ", said(term)]))),
    h("span", { class: "withbar" }, figure("topics.day", topic.customers), bar),
    figure("topics.before", topic.customers_before),
    h("span", { class: "muted" }, moment(topic.born)),
  );
  const body = h("div", { class: "more" });
  const fill = () => body.firstChild || body.append(...more(topic));
  return h("details", { on: { toggle: fill } }, summary, body);
}

function more(topic) {
  const examples = topic.exemplars.slice(0, EXAMPLES).map((one) => h("li", {}, said(clip(one.text, 300))));
  const curve = h("div", {}, h("p", { class: "muted small" }, t("loading")));
  readSeries(topic.id).then(
    ({ points }) => curve.replaceChildren(h("h3", {}, t("topics.curve")), chart({ topic, curve: points })),
    (problem) => curve.replaceChildren(h("p", { class: "muted small" }, failureLine(problem))),
  );
  return [
    examples.length > 0 && h("ul", { class: "examples", "aria-label": t("topics.exemplars") }, examples),
    h("p", { class: "muted small" }, `${topic.id} · ${t("topics.size")} ${number(topic.size)} · `, h("a", { href: `#/?topic=${encodeURIComponent(topic.id)}` }, t("topics.alerts"))),
    topic.bar && h("p", { class: "small" }, t("topics.bar.more", { required: number(topic.bar.required), threshold: number(topic.bar.threshold) })),
    curve,
  ].filter(Boolean);
}
