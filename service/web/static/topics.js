// The topics: what customers speak of, how much, in whose words; and what people make of them.

import { standing } from "./alerts.js";
import { findTopics, listTopics, readLineage, readMap, readProposals, readSeries } from "./api.js";
import { chart, trend } from "./curve.js";
import { h, said } from "./dom.js";
import { factors } from "./factors.js";
import { moment, number, span } from "./format.js";
import { failure, failureLine, quiet, waiting } from "./marks.js";
import { clip } from "./text.js";
import { changeTopic, keepApart, mergeInto } from "./topicdeeds.js";
import { mapOf } from "./topicmap.js";
import { locale, t, topicName } from "./words.js";

const EXAMPLES = 5; // messages shown under an opened topic
const FIRST = 200; // topics shown before a search narrows them
const PAUSE = 350; // ms of quiet before what is typed is searched for

/** The view of all topics. */
export class Topics {
  #world;
  #topics = null;
  #found = null;
  #proposals = [];
  #splits = [];
  #list = h("div", {});
  #offers = h("div", {});
  #count = h("p", { class: "muted", role: "status" });
  #search;
  #sort;
  #way;
  #typing = 0;
  #signs = new Map();
  #leave;

  constructor(world, query) {
    this.#world = world;
    this.#search = h("input", { type: "search", value: query.get("q") ?? "", placeholder: t("topics.search"), "aria-label": t("topics.search"), maxlength: 200, on: { input: () => this.#typed() } });
    const ways = ["day", "label", "born"].map((one) => h("option", { value: one }, t(`topics.sort.${one}`)));
    this.#sort = h("select", { "aria-label": t("topics.sort"), on: { change: () => this.#draw() } }, ways);
    this.#way = h("div", { class: "choice-row", role: "group", "aria-label": t("topics.title") }, ["list", "map"].map((one) => h("button", { type: "button", value: one, "aria-pressed": String(one === "list"), on: { click: () => this.#turn(one) } }, t(`topics.${one}`))));
    const bar = h("div", { class: "filters", role: "search" }, this.#way, this.#search, h("label", {}, h("span", { class: "muted" }, t("topics.sort"), " "), this.#sort), this.#count);
    this.node = h("section", { class: "topics" }, h("h1", { class: "hidden" }, t("topics.title")), bar, this.#offers, this.#list);
    this.#list.append(waiting());
    this.#leave = world.book.watch(() => this.#mark());
    this.#load();
  }

  get title() {
    return t("topics.title");
  }

  leave() {
    clearTimeout(this.#typing);
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

  /** Read everything anew; `open` is the topic to show opened then. */
  async #load(open = null) {
    try {
      const [{ topics }, { proposals, splits }] = await Promise.all([listTopics(), readProposals()]);
      this.#topics = topics;
      this.#proposals = proposals;
      this.#splits = splits;
      if (this.#search.value.trim()) await this.#ask();
      this.#draw(open);
    } catch (problem) {
      this.#list.replaceChildren(failure(problem, () => this.#load()));
    }
  }

  #typed() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(async () => {
      try {
        await this.#ask();
        this.#draw();
      } catch (problem) {
        this.#list.replaceChildren(failure(problem, () => this.#load()));
      }
    }, PAUSE);
  }

  /** What is about the words that are typed, as the service finds it. */
  async #ask() {
    const q = this.#search.value.trim();
    const found = q ? (await findTopics(q)).topics : null;
    if (q === this.#search.value.trim()) this.#found = found;
  }

  #turn(way) {
    for (const button of this.#way.children) button.setAttribute("aria-pressed", String(button.value === way));
    this.#draw();
  }

  #draw(open = null) {
    if (!this.#topics) return null;
    const found = this.#found ?? [...this.#topics].sort(ORDERS[this.#sort.value]);
    this.#count.textContent = t("topics.count", { n: number(found.length) });
    this.#offers.replaceChildren(...this.#offer());
    if (this.#topics.length === 0) return this.#list.replaceChildren(quiet(t("topics.none"), t("topics.none.more")));
    if (found.length === 0) return this.#list.replaceChildren(quiet(t("topics.nofit", { q: this.#search.value.trim() })));
    if (this.#way.lastChild.getAttribute("aria-pressed") === "true") return this.#chart(found);
    const most = Math.max(1, ...found.map(day));
    const head = h("div", { class: "topic head", "aria-hidden": "true" }, ["topic", "day", "trend", "before", "born"].map((one) => h("span", {}, t(`topics.${one}`))));
    this.#signs.clear();
    this.#list.replaceChildren(head, h("ul", { class: "rows" }, found.slice(0, FIRST).map((one) => h("li", { "data-id": one.id }, this.#line(one, most)))));
    this.#mark();
    if (open) this.#show(open);
    return null;
  }

  async #chart(found) {
    this.#list.replaceChildren(waiting());
    try {
      const { topics } = await readMap();
      this.#list.replaceChildren(mapOf(found, topics, (id) => (this.#turn("list"), this.#show(id))));
    } catch (problem) {
      this.#list.replaceChildren(failure(problem, () => this.#draw()));
    }
  }

  /** Open a topic where it stands in the list. */
  #show(id) {
    const line = [...this.#list.querySelectorAll("li[data-id]")].find((one) => one.dataset.id === id);
    if (!line) return;
    line.firstChild.open = true;
    line.querySelector("summary").focus({ preventScroll: true });
    line.scrollIntoView({ block: "nearest" });
  }

  async #change(deed, topic) {
    if (await changeTopic(deed, topic, this.#topics)) await this.#load(topic.id);
  }

  /** Pairs that may be one issue, and topics that may be two, for a person to say. */
  #offer() {
    const answer = (name, deed, one, other) => h("button", { type: "button", on: { click: async () => (await deed(one, other)) && this.#load() } }, t(name));
    const pair = ({ topics: [one, other] }) => {
      const [kept, gone] = one.size >= other.size ? [one, other] : [other, one];
      const name = (topic) => h("b", { title: topic.exemplars[0]?.text }, said(topicName(topic)));
      return h("li", {}, h("span", {}, name(kept), ` ${t("topics.and")} `, name(gone)), answer("topics.proposals.merge", mergeInto, gone, kept), answer("topics.proposals.apart", keepApart, gone, kept));
    };
    const split = ({ topic }) =>
      h("li", {}, h("b", { title: topic.exemplars[0]?.text }, said(topicName(topic))), h("button", { type: "button", on: { click: () => this.#change("split", topic) } }, t("topics.splits.look")));
    const block = (name, lines) => (lines.length === 0 ? [] : [h("section", { class: "block offers" }, h("h2", {}, t(name)), h("ul", {}, lines), h("p", { class: "muted small" }, t(`${name}.note`)))]);
    return [...block("topics.proposals", this.#proposals.slice(0, 5).map(pair)), ...block("topics.splits", this.#splits.slice(0, 5).map(split))];
  }

  #line(topic, most) {
    const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("i", {}));
    bar.firstChild.style.inlineSize = `${(100 * day(topic)) / most}%`;
    const tag = (name) => h("span", { class: `tag ${name}` }, t(`topics.${name}`));
    const figure = (name, value) => h("span", { class: "figure" }, h("span", { class: "hidden" }, `${t(name)} `), value === undefined || value === null ? "–" : number(value));
    const heir = topic.into && this.#topics.find((one) => one.id === topic.into);
    const state = heir ? h("span", { class: "tag" }, said(t("topics.merged", { topic: topicName(heir) }))) : topic.state !== "live" ? tag(topic.state) : topic.kind === "chatter" && tag("chatter");
    const summary = h(
      "summary",
      { class: "topic" },
      h("span", { class: "name" }, h("b", {}, said(topicName(topic))), this.#sign(topic), state, topic.bar && tag("bar"), h("span", { class: "terms muted" }, topic.terms.slice(0, 6).map((term, i) => [i > 0 && " · ", said(term)]))),
      h("span", { class: "withbar" }, figure("topics.day", topic.customers), bar),
      trend(topic.trend ?? []),
      figure("topics.before", topic.customers_before),
      h("span", { class: "muted" }, moment(topic.born)),
    );
    const body = h("div", { class: "more" });
    const fill = () => body.firstChild || body.append(...this.#more(topic));
    return h("details", { on: { toggle: fill } }, summary, body);
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

  #more(topic) {
    const examples = topic.exemplars.slice(0, EXAMPLES).map((one) => h("li", {}, said(clip(one.text, 300))));
    const deeds = topic.state === "retired" ? [topic.into && "part"].filter(Boolean) : ["rename", "merge", "split", topic.state === "muted" ? "unmute" : "mute"];
    const button = (deed) => h("button", { type: "button", "data-deed": deed, on: { click: () => this.#change(deed, topic) } }, t(`topics.${deed}`));
    return [
      examples.length > 0 && h("ul", { class: "examples", "aria-label": t("topics.exemplars") }, examples),
      h("p", { class: "muted small" }, `${topic.id} · ${t("topics.size")} ${number(topic.size)} · `, h("a", { href: `#/?topic=${encodeURIComponent(topic.id)}` }, t("topics.alerts"))),
      topic.bar && h("p", { class: "small" }, t("topics.bar.more", { required: number(topic.bar.required), threshold: number(topic.bar.threshold) })),
      h("div", { class: "buttons start" }, deeds.map(button)),
      filled("topics.curve", readSeries(topic.id), ({ points, why }) => h("div", {}, chart({ topic, curve: points }), why && reckoning(why))),
      filled("topics.history", readLineage(topic.id), ({ events }) => h("ol", { class: "timeline" }, events.map((one) => h("li", {}, moment(one.at), said(lived(one, topic)))))),
    ].filter(Boolean);
  }
}

const day = (topic) => topic.customers ?? 0;
const gone = (topic) => Number(topic.state === "retired");
const ORDERS = {
  day: (one, other) => gone(one) - gone(other) || day(other) - day(one) || other.size - one.size,
  label: (one, other) => gone(one) - gone(other) || topicName(one).localeCompare(topicName(other), locale()),
  born: (one, other) => gone(one) - gone(other) || Date.parse(other.born) - Date.parse(one.born),
};

/** What is expected of a topic now, and how many would be too many. */
const reckoning = (why) =>
  h("div", {}, h("p", { class: "small" }, t("topics.why", { span: span(why.window.minutes), observed: number(why.window.observed), expected: number(why.window.expected), bound: number(why.window.upper_bound) })), factors(why.contributions, why.window.expected));

/** A titled place that is filled once the answer is there. */
function filled(title, answer, build) {
  const box = h("div", {}, h("p", { class: "muted small" }, t("loading")));
  answer.then(
    (found) => box.replaceChildren(h("h2", {}, t(title)), build(found)),
    (problem) => box.replaceChildren(h("p", { class: "muted small" }, failureLine(problem))),
  );
  return box;
}

const OTHERS = { merged: "life.took", split: "life.lost", parted: "life.gave" };

/** One change in words, as it looks from this topic. */
function lived(event, topic) {
  const name = event.topic === topic.id ? `life.${event.change}` : OTHERS[event.change];
  const who = event.by ? `, ${t("life.by", { by: event.by })}` : "";
  return t(name, { topic: event.topic, other: event.other ?? "", name: event.name ?? "" }) + who;
}
