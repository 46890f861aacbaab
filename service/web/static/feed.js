// The feed: alerts by urgency, kept up live. What comes in never moves what is being read: it waits behind a button.

import { byUrgency, culpritNames, fits, lasted, standing } from "./alerts.js";
import { act } from "./deeds.js";
import { h, said, selecting, toast } from "./dom.js";
import { moment, number, span, when } from "./format.js";
import { counted, figure, timesUsual } from "./gauges.js";
import { failure, failureLine, quiet, severity, tags, waiting } from "./marks.js";
import { spark } from "./curve.js";
import { clip } from "./text.js";
import { t, topicName } from "./words.js";

const SHOWN = 200; // characters of a sample in a row

export const NO_WISH = { state: "all", severity: "", topic: "", attribute: "", days: "", q: "" };

/** What a query string asks for. */
export const wishOf = (query) => Object.fromEntries(Object.keys(NO_WISH).map((name) => [name, query.get(name) ?? NO_WISH[name]]));

const queryOf = (wish) => new URLSearchParams(Object.entries(wish).filter(([name, value]) => value !== NO_WISH[name]));

/** The feed's view. `world` has book, status and `go`; the view lives as long as the page, so that coming back finds it as it was. */
export class Feed {
  #world;
  #wish = { ...NO_WISH };
  #shown = [];
  #rows = new Map();
  #pending = new Set();
  #fresh = new Set();
  #problem = null;
  #list = h("div", { class: "list" });
  #bar = h("div", { class: "filters", role: "search" });
  #news = h("button", { type: "button", class: "news", hidden: true, on: { click: () => this.showNew() } });
  #foot = h("div", { class: "foot" });
  #fields = {};

  constructor(world) {
    this.#world = world;
    this.node = h("section", { class: "feed", "aria-labelledby": "feed-title" });
    this.rebuild();
    world.book.watch((what, id) => this.#heard(what, id));
  }

  /** How many wait behind the button. */
  get pending() {
    return this.#pending.size;
  }

  /** Make every text anew, in the language now spoken. */
  rebuild() {
    this.#buildBar();
    const head = h("h1", { id: "feed-title", class: "hidden" }, t("feed.title"));
    this.node.replaceChildren(head, this.#bar, h("div", { class: "newsrow", "aria-live": "polite" }, this.#news), this.#list, this.#foot);
    this.#draw();
    this.#announce();
  }

  /** Show what the query string wishes. */
  show(query) {
    const wish = wishOf(query);
    const same = JSON.stringify(wish) === JSON.stringify(this.#wish);
    this.#wish = wish;
    this.#fillBar();
    if (!same) this.#arrange();
  }

  failed(problem) {
    this.#problem = problem;
    if (!this.#world.book.loaded) this.#draw();
  }

  showNew() {
    const first = this.#arrange(true);
    window.scrollTo({ top: 0 });
    if (first) this.#rows.get(first)?.querySelector("a").focus({ preventScroll: true });
  }

  /** One key; answers whether it meant anything here. */
  key(key) {
    const links = [...this.#list.querySelectorAll("a.open")];
    const at = links.indexOf(document.activeElement);
    if (key === "j" || key === "k") {
      const next = links[Math.max(0, Math.min(links.length - 1, at + (key === "j" ? 1 : at < 0 ? 1 : -1)))];
      next?.focus();
      next?.closest("li").scrollIntoView({ block: "nearest" });
      return true;
    }
    if ((key === "a" || key === "s") && at >= 0) {
      act(key === "a" ? "acknowledge" : "snooze", links[at].dataset.id, this.#world.book);
      return true;
    }
    if (key === "n" && this.#pending.size) this.showNew();
    else if (key === "/") this.#fields.q.focus();
    else return false;
    return true;
  }

  #heard(what, id) {
    this.#problem = null;
    if (this.#shown.length === 0) return this.#arrange();
    const ids = what === "row" ? [id] : this.#world.book.all().map((row) => row.alert_id);
    for (const one of ids) {
      if (this.#rows.has(one)) this.#refresh(one);
      else if (this.#isNews(this.#world.book.get(one))) this.#pending.add(one);
    }
    this.#announce();
  }

  /** Whether an alert that is not shown is worth a word: what has ended is, only where one looks at the ended. */
  #isNews(row) {
    return fits(row, this.#wish) && (standing(row) !== "ended" || this.#wish.state === "ended");
  }

  /** Take in all that fits, in order; answers the first that was not shown before. */
  #arrange(markNew = false) {
    const before = new Set(this.#shown);
    this.#shown = this.#world.book
      .all()
      .filter((row) => fits(row, this.#wish))
      .sort(byUrgency)
      .map((row) => row.alert_id);
    this.#fresh = markNew ? new Set(this.#shown.filter((id) => !before.has(id))) : new Set();
    this.#pending.clear();
    this.#fillAttributes();
    this.#draw();
    this.#announce();
    return this.#shown.find((id) => this.#fresh.has(id));
  }

  #announce() {
    this.#news.hidden = this.#pending.size === 0;
    this.#news.replaceChildren(t("feed.new", { n: this.#pending.size }));
    this.#news.title = t("feed.new.hint");
    this.#world.counted();
  }

  #draw() {
    this.#rows.clear();
    const { book } = this.#world;
    if (!book.loaded) {
      this.#list.replaceChildren(this.#problem ? failure(this.#problem, () => this.#world.reload(true)) : waiting());
    } else if (this.#shown.length === 0) {
      this.#list.replaceChildren(this.#empty());
    } else {
      const groups = new Map();
      for (const id of this.#shown) {
        const place = standing(book.get(id));
        if (!groups.has(place)) groups.set(place, []);
        groups.get(place).push(id);
      }
      this.#list.replaceChildren(...[...groups].map(([place, ids]) => this.#group(place, ids)));
    }
    this.#drawFoot();
  }

  #group(place, ids) {
    const title = h("h2", { id: `group-${place}` }, t(`feed.${place}`), " ", h("span", { class: "count" }, number(ids.length)));
    return h("section", { "aria-labelledby": `group-${place}` }, title, h("ol", { class: "rows" }, ids.map((id) => this.#row(id))));
  }

  #row(id) {
    const item = h("li", {}, rowOf(this.#world.book.get(id), this.#fresh.has(id)));
    this.#rows.set(id, item);
    return item;
  }

  /** Put the new figures where the old ones stood; the row keeps its place and height, and the focus. */
  #refresh(id) {
    const item = this.#rows.get(id);
    if (selecting(item)) return;
    const focused = item.contains(document.activeElement);
    item.replaceChildren(rowOf(this.#world.book.get(id), this.#fresh.has(id)));
    if (focused) item.querySelector("a").focus({ preventScroll: true });
  }

  #empty() {
    if (this.#wished()) {
      const clear = h("button", { type: "button", on: { click: () => this.#wishFor(NO_WISH) } }, t("feed.clear"));
      return quiet(t("feed.none"), null, clear);
    }
    const until = this.#world.status?.judged_until;
    const judged = until ? ` ${t("feed.empty.judged", { at: when(until) })}` : "";
    return quiet(t("feed.empty"), t("feed.empty.more") + judged);
  }

  #wished() {
    return queryOf(this.#wish).size > 0;
  }

  #drawFoot() {
    const { book } = this.#world;
    const count = book.loaded && h("span", { class: "muted" }, t("feed.loaded", { n: book.all().length }));
    const name = this.#wished() ? "feed.older.search" : "feed.older";
    const older = book.loaded && book.next && h("button", { type: "button", on: { click: (event) => this.#older(event.target) } }, t(name));
    this.#foot.replaceChildren(...[count, older].filter(Boolean));
  }

  async #older(button) {
    button.disabled = true;
    try {
      await this.#world.book.more();
      this.#arrange();
    } catch (problem) {
      toast(failureLine(problem), true);
      button.disabled = false;
    }
  }

  #wishFor(wish) {
    const query = queryOf(wish).toString();
    this.#world.go(`#/${query && `?${query}`}`, { replace: true });
  }

  #change(name, value) {
    this.#wishFor({ ...this.#wish, [name]: value });
  }

  #buildBar() {
    const f = this.#fields;
    f.state = choices("feed.state", ["all", "open", "snoozed", "ended"], (value) => t(`feed.${value}`), (value) => this.#change("state", value));
    const grades = ["", "critical", "warning", "info"];
    f.severity = picker("feed.severity", grades.map((one) => [one, one ? t(`severity.${one}`) : `${t("feed.severity")}: ${t("feed.all")}`]), (value) => this.#change("severity", value));
    const days = ["", "1", "7", "30"];
    f.days = picker("feed.time", days.map((one) => [one, t(`feed.time.${one || "any"}`)]), (value) => this.#change("days", value));
    f.attribute = picker("feed.attribute", [], (value) => this.#change("attribute", value));
    f.q = h("input", { type: "search", placeholder: t("feed.search"), "aria-label": t("feed.search"), maxlength: 200, on: { input: () => this.#change("q", f.q.value.trim()) } });
    f.topic = h("button", { type: "button", class: "chip", hidden: true, on: { click: () => this.#change("topic", "") } });
    f.clear = h("button", { type: "button", class: "plain clear", on: { click: () => this.#wishFor(NO_WISH) } }, t("feed.clear"));
    this.#bar.replaceChildren(f.state, f.severity, f.days, f.attribute, f.q, f.topic, f.clear);
    this.#fillAttributes();
    this.#fillBar();
  }

  #fillBar() {
    const f = this.#fields;
    for (const button of f.state.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === this.#wish.state));
    f.severity.value = this.#wish.severity;
    f.days.value = this.#wish.days;
    this.#fillAttributes();
    if (f.q.value.trim() !== this.#wish.q) f.q.value = this.#wish.q;
    const topic = this.#world.book.all().find((row) => row.topic.id === this.#wish.topic)?.topic;
    f.topic.hidden = !this.#wish.topic;
    f.topic.replaceChildren(t("feed.topic", { topic: "" }), said(topic ? topicName(topic) : this.#wish.topic), " ×");
    f.clear.hidden = !this.#wished();
  }

  #fillAttributes() {
    const names = new Set(this.#world.book.all().flatMap(culpritNames));
    if (this.#wish.attribute) names.add(this.#wish.attribute);
    const options = [["", t("feed.anything")], ...[...names].sort().map((name) => [name, name])];
    this.#fields.attribute.replaceChildren(...options.map(option));
    this.#fields.attribute.value = this.#wish.attribute;
    this.#fields.attribute.hidden = names.size === 0;
  }
}

function choices(label, values, text, chosen) {
  const button = (value) => h("button", { type: "button", value, on: { click: () => chosen(value) } }, text(value));
  return h("div", { class: "choice-row", role: "group", "aria-label": t(label) }, values.map(button));
}

function picker(label, options, chosen) {
  const field = h("select", { "aria-label": t(label), on: { change: () => chosen(field.value) } }, options.map(option));
  return field;
}

const option = ([value, text]) => h("option", { value }, clip(text, 60));

/** One alert as a row of the feed. */
function rowOf(alert, fresh) {
  const ended = standing(alert) === "ended";
  const length = span(lasted(alert));
  const [sample] = alert.samples;
  const [culprit] = alert.culprits;
  const link = h("a", { class: "open", href: `#/alerts/${encodeURIComponent(alert.alert_id)}`, "data-id": alert.alert_id }, said(topicName(alert.topic)));
  return h(
    "article",
    { class: `row ${standing(alert)}` },
    severity(alert.severity),
    h("div", { class: "what" }, h("h3", {}, link, tags(alert, { fresh })), h("p", { class: "quote" }, culprit && culpritChip(culprit), sample && said(clip(sample.text, SHOWN)))),
    spark(alert),
    figures(alert),
    h("div", { class: "since" }, moment(alert.onset, t("feed.since", { at: when(alert.onset) })), h("span", { class: "muted" }, ended ? t("feed.lasted", { span: length }) : length)),
  );
}

const culpritChip = (culprit) => h("span", { class: "culprit" }, said(`${clip(culprit.attribute, 30)} ${clip(culprit.value, 40)}`), h("b", {}, ` ${t("feed.times", { n: number(culprit.lift) })}`));

function figures(alert) {
  return h(
    "div",
    { class: "numbers" },
    h("p", {}, h("b", {}, figure(alert.observed, alert)), " ", h("span", { class: "muted" }, counted("feed.in", alert, { span: span(alert.window.minutes) }))),
    h("p", { class: "muted" }, t("feed.bound", { n: figure(alert.upper_bound, alert) }), " · ", t("feed.times", { n: number(timesUsual(alert)) })),
  );
}
