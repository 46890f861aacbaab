// One alert: what, how bad, since when, where from, is it real; and what to do about it.

import { readAlert, readTimeline, readAlertCost, readOrderContext } from "./api.js";
import { lasted, standing } from "./alerts.js";
import { chart } from "./curve.js";
import { act } from "./deeds.js";
import { ask, h, said, scroll, toast } from "./dom.js";
import { save } from "./evidence.js";
import { moment, number, percent, span, sum, when } from "./format.js";
import { counted, figure, inPercent, moved, timesUsual, unitOf } from "./gauges.js";
import { factors } from "./factors.js";
import { failure, failureLine, severity, tags, waiting } from "./marks.js";
import { rates } from "./rates.js";
import { clip, length } from "./text.js";
import { maybe, spoken, t, topicName } from "./words.js";

const SHOWN = 600; // characters of a sample before the rest is folded away

/** The view of one alert. Facts change in place; new figures wait behind a button. */
export class AlertView {
  #world;
  #id;
  #alert = null;
  #latest = null;
  #steps = [];
  #parts = {};
  #leave;

  constructor(world, id) {
    this.#world = world;
    this.#id = id;
    this.node = h("section", { class: "alert" }, waiting());
    this.#leave = world.book.watch((what, changed) => (what === "all" || changed === id) && this.#heard());
    this.#load();
  }

  leave() {
    this.#leave();
  }

  /** What the title of the page says. */
  get title() {
    return this.#alert && topicName(this.#alert.topic);
  }

  key(key) {
    const deed = { a: "acknowledge", s: "snooze" }[key];
    if (deed && this.#alert) act(deed, this.#id, this.#world.book);
    else if (key === "u") this.#world.go(this.#world.home);
    else return false;
    return true;
  }

  async #load() {
    try {
      [this.#alert, { timeline: this.#steps }] = await Promise.all([readAlert(this.#id), readTimeline(this.#id)]);
      this.#latest = null;
      this.#draw();
      this.#world.counted();
    } catch (problem) {
      this.node.replaceChildren(back(this.#world.home), failure(problem, () => this.#load()));
    }
  }

  async #heard() {
    const row = this.#world.book.get(this.#id);
    if (!this.#alert || !row) return;
    this.#alert = { ...this.#alert, facts: row.facts, state: row.state, severity: row.severity, resolved_at: row.resolved_at };
    if (row.updated_at !== this.#alert.updated_at || row.observed !== this.#alert.observed) this.#latest = row;
    this.#drawFacts();
    try {
      this.#steps = (await readTimeline(this.#id)).timeline;
      this.#parts.timeline.replaceChildren(timeline(this.#alert, this.#steps));
    } catch {
      // What is shown stays; the next change asks again.
    }
  }

  #draw() {
    const alert = this.#alert;
    const p = this.#parts;
    p.marks = h("div", { class: "marks" });
    p.deeds = h("div", { class: "deeds" });
    p.timeline = h("div", {});
    p.cost = h("div", {}, costOf(alert));
    p.changed = h("button", { type: "button", class: "news", hidden: true, on: { click: () => this.#load() } }, t("alert.changed"));
    this.node.replaceChildren(
      back(this.#world.home),
      h("header", {}, p.marks, h("h1", {}, said(topicName(alert.topic))), h("p", { class: "headline" }, sentence(alert)), notes(alert)),
      p.deeds,
      h("div", { class: "newsrow", "aria-live": "polite" }, p.changed),
      tiles(alert),
      h(
        "div",
        { class: "columns" },
        h("div", {}, h("section", { class: "block" }, h("h2", {}, counted("alert.curve", alert)), chart(alert)), alert.indicator ? null : block("alert.samples", samples(alert))),
        h("div", {}, block("alert.culprits", culprits(alert)), rates(alert), block("alert.why", ...why(alert)), p.cost, block("alert.timeline", p.timeline), block("alert.download", downloads(alert))),
      ),
    );
    this.#drawFacts();
  }

  #drawFacts() {
    const alert = this.#alert;
    const p = this.#parts;
    const held = document.activeElement?.dataset?.deed;
    p.marks.replaceChildren(severity(alert.severity), ...tags(alert));
    p.deeds.replaceChildren(...deeds(alert, this.#world.book));
    p.timeline.replaceChildren(timeline(alert, this.#steps));
    p.changed.hidden = !this.#latest;
    if (held) p.deeds.querySelector(`[data-deed="${held}"]:not(:disabled), button:not(:disabled)`)?.focus({ preventScroll: true });
  }
}

const back = (home) => h("a", { class: "back", href: home }, "← ", t("alert.back"));

const block = (title, ...content) => h("section", { class: "block" }, h("h2", {}, t(title)), content);

const sentence = (alert) =>
  alert.indicator ? alert.headlines[spoken()] : t("alert.headline", { observed: alert.observed, span: span(alert.window.minutes), expected: number(alert.expected), bound: number(alert.upper_bound) });

function notes(alert) {
  const told = [alert.late && "alert.late", alert.new_normal && "alert.newnormal"].filter(Boolean);
  return [alert.former && cameBack(alert.former), campaigns(alert.indicator), told.map((name) => h("p", { class: "note" }, t(name)))];
}

const KNOWN = 24; // hours of campaigns from which is said what is usual then

/** Which campaigns run, and what the expectation knows of such; nothing where none does. */
function campaigns(indicator) {
  if (!indicator?.campaigns?.length) return null;
  const names = indicator.campaigns.join(", ");
  return h("p", { class: "note" }, said(t(indicator.campaign_hours >= KNOWN ? "gauge.campaign.known" : "gauge.campaign.new", { names, n: number(indicator.campaign_hours, 0) })));
}

function cameBack({ alert_id: id, resolved_at: at, judgement }) {
  const name = judgement === "noise" ? "alert.former.noise" : "alert.former";
  return h("p", { class: "note" }, t(name, { at: when(at) }), " ", h("a", { href: `#/alerts/${encodeURIComponent(id)}` }, t("alert.former.link")));
}

function tiles(alert) {
  const tile = (name, value, more) => h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value), more && h("span", { class: "muted" }, more)));
  return h(
    "dl",
    { class: "tiles" },
    tile(t("alert.observed"), figure(alert.observed, alert), t("alert.in", { span: span(alert.window.minutes) })),
    tile(counted("alert.bound", alert), figure(alert.upper_bound, alert), counted("alert.over", alert, { n: figure(beyond(alert), alert) })),
    tile(counted("alert.expected", alert), figure(alert.expected, alert), t("feed.times", { n: number(timesUsual(alert)) })),
    tile(counted("alert.customers", alert), number(alert.customers), counted("alert.messages", alert, { n: number(alert.messages) })),
    tile(t("alert.since"), moment(alert.onset), span(lasted(alert))),
  );
}

/** How far beyond its bound an alert is; an indicator may be beyond it below. */
const beyond = ({ observed, upper_bound: bound, indicator }) => (indicator ? Math.abs(observed - bound) : Math.max(0, observed - bound));

function deeds(alert, book) {
  const open = standing(alert) !== "ended";
  const { facts } = alert;
  const button = (deed, { primary = false, pressed = null, off = false } = {}) =>
    h("button", { type: "button", class: primary ? "primary" : null, "data-deed": deed, disabled: off, "aria-pressed": pressed === null ? null : String(pressed), on: { click: () => act(deed, alert.alert_id, book) } }, t(`act.${deed}`));
  return [
    button("acknowledge", { primary: open && !facts.acknowledged_at, off: Boolean(facts.acknowledged_at) }),
    button("assign"),
    button("snooze", { off: !open }),
    button("resolve", { off: Boolean(facts.closed_at) }),
    button("comment"),
    h("span", { class: "judge", role: "group", "aria-label": t("act.judge") }, h("span", { class: "muted" }, t("act.judge")), button("real", { pressed: facts.judgement === "real" }), button("noise", { pressed: facts.judgement === "noise" }), facts.judgement && button("unjudge")),
    h("button", { type: "button", class: "plain link", on: { click: () => copyLink(alert) } }, t("alert.link")),
  ];
}

async function copyLink(alert) {
  const link = new URL(`#/alerts/${encodeURIComponent(alert.alert_id)}`, document.baseURI).href;
  try {
    await navigator.clipboard.writeText(link);
    toast(t("alert.link.done"));
  } catch {
    // No clipboard without https: hand it over to be copied by hand.
    await ask(t("alert.link.by_hand"), (close) => {
      const field = h("input", { type: "text", readonly: true, value: link, "aria-label": t("alert.link"), on: { focus: () => field.select() } });
      return h("div", {}, field, h("div", { class: "buttons" }, h("button", { type: "button", class: "primary", on: { click: () => close(null) } }, t("help.done"))));
    });
  }
}

function samples(alert) {
  if (alert.samples.length === 0) return h("p", { class: "muted" }, t("alert.samples.none"));
  return h("ol", { class: "samples" }, alert.samples.map(sample));
}

function sample(one) {
  const attributes = Object.entries(one.attributes).map(([name, value]) => h("span", { class: "chip" }, h("span", { class: "muted" }, said(name), " "), said(value)));
  const about = h("p", { class: "about" }, moment(one.occurred_at), said(one.source), one.order_id && h("span", {}, said(t("alert.order", { id: one.order_id }))), attributes);
  return h("li", {}, quote(one.text), about, one.order_id && context(one.order_id));
}

/** What other systems know of an order, asked for when somebody opens it. */
function context(order) {
  const found = scroll();
  const fill = async () => {
    if (found.firstChild) return;
    try {
      const { pieces, missing } = await readOrderContext(order);
      const row = (one) => h("li", {}, moment(one.at), said(`${one.kind} ${one.id}`), said(Object.entries(one.fields).map(([name, value]) => `${name} ${value}`).join(", ")));
      found.replaceChildren(pieces.length ? h("ul", { class: "dead" }, pieces.map(row)) : t("context.none"), missing.length ? h("p", { class: "muted small" }, t("context.missing", { names: missing.map((one) => `${one.source} (${one.reason})`).join(", ") })) : "");
    } catch (problem) {
      found.replaceChildren(failureLine(problem));
    }
  };
  return h("details", { class: "context", on: { toggle: fill } }, h("summary", { class: "small" }, t("context.show")), found);
}

/** What an alert may have cost so far, as a range, with what was assumed. */
function costOf(alert) {
  const told = h("div", {});
  readAlertCost(alert.alert_id).then(
    ({ currency, cost }) => {
      if (!cost) return;
      const money = (value) => sum(value, currency);
      const a = cost.assumptions;
      const kind = alert.indicator ? `cost.assumed.${costKind(a)}` : "cost.assumed";
      const forms = { ticket: money, order: money, hour: money, returned_low: percent, returned_high: percent, again_low: percent, again_high: percent };
      const values = Object.fromEntries(Object.entries(a).map(([name, value]) => [name, (forms[name] ?? plain)(value)]));
      if (alert.indicator) values.unit = unitOf(alert.indicator);
      told.replaceChildren(block("alert.cost", h("p", {}, h("b", {}, t("cost.likely", { low: money(cost.low), high: money(cost.high), likely: money(cost.likely) }))), h("p", { class: "muted small" }, t(kind, values))));
    },
    () => {}, // What it cost is an aside: the alert stands without it.
  );
  return told;
}

const plain = (value) => number(value, 1);

/** What one more of an indicator costs, by the figures that were assumed. */
const costKind = (assumed) => ("hour" in assumed ? "time" : "again_low" in assumed ? "again" : "order" in assumed ? "order" : "ticket");

function quote(text) {
  const box = h("blockquote", {}, said(text));
  const short = clip(text, SHOWN);
  if (short === text) return box;
  const size = number(length(text));
  const more = h("button", { type: "button", class: "plain", "aria-expanded": "false" });
  const turn = (whole) => {
    box.replaceChildren(said(whole ? text : short));
    more.setAttribute("aria-expanded", String(whole));
    more.replaceChildren(whole ? t("alert.sample.less") : t("alert.sample.more", { n: size }));
  };
  more.addEventListener("click", () => turn(more.getAttribute("aria-expanded") === "false"));
  turn(false);
  return [box, more];
}

function culprits(alert) {
  if (alert.culprits.length === 0) return h("p", { class: "muted" }, t("alert.culprits.none"));
  const top = Math.max(1, alert.indicator ? 0 : alert.observed, ...alert.culprits.map((one) => one.observed));
  return h("ul", { class: "culprits" }, alert.culprits.map((one) => culprit(one, top, alert)));
}

function culprit(one, top, alert) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("i", {}), h("u", {}));
  bar.firstChild.style.inlineSize = `${(100 * one.observed) / top}%`;
  bar.lastChild.style.insetInlineStart = `${Math.min(100, (100 * one.expected) / top)}%`;
  return h(
    "li",
    {},
    h("p", {}, h("span", { class: "muted" }, said(one.attribute)), " ", h("b", {}, said(one.value)), h("span", { class: "lift" }, t("alert.culprit.lift", { n: number(one.lift) }))),
    bar,
    h("p", { class: "muted small" }, counted("alert.culprit.figures", alert, { observed: number(one.observed), expected: number(one.expected) }), " · ", t("alert.culprit.p", { p: one.p })),
  );
}

function why(alert) {
  const reasons = alert.severity_reasons.length ? alert.severity_reasons : ["plain"];
  const words = reasons.map((one) => (alert.indicator && maybe(`gauge.why.${one}`)) ?? maybe(`alert.why.${one}`) ?? one).join(" · ");
  const parts = [h("p", {}, h("span", { class: "muted" }, `${t("alert.why.reasons")}: `), words), windows(alert)];
  if (alert.indicator) parts.push(thresholds(alert));
  if (Object.keys(alert.contributions).length) parts.push(h("p", { class: "muted" }, t("alert.why.adjusted")), alert.indicator ? h("p", {}, moved(alert.contributions, alert.indicator)) : factors(alert.contributions, alert.expected));
  return parts;
}

/** Which threshold of an indicator was crossed, and the others beside it. */
function thresholds(alert) {
  const { indicator } = alert;
  const pair = (name, value) => value !== null && h("div", {}, h("dt", {}, t(name)), h("dd", {}, value));
  const figureOf = (value) => (value === null ? null : figure(inPercent(indicator) ? 100 * value : value, alert));
  return h("dl", { class: "pairs" }, pair("gauge.crossed", t(`gauge.cause.${indicator.cause}`)), pair("gauge.start", figureOf(indicator.start)), pair("gauge.learnt", figureOf(indicator.learnt)));
}

function windows(alert) {
  const all = alert.windows.length ? alert.windows : [alert.window];
  const spoke = (one) => one.minutes === alert.window.minutes && one.end === alert.window.end;
  const names = [t("alert.why.window"), t("alert.observed"), counted("alert.expected", alert), counted("alert.bound", alert)];
  const row = (one) =>
    h(
      "tr",
      { class: spoke(one) ? "spoke" : null },
      h("th", { scope: "row" }, span(one.minutes), spoke(one) && all.length > 1 && h("span", { class: "tag" }, t("alert.why.spoke"))),
      h("td", {}, figure(one.observed, alert)),
      h("td", {}, figure(one.expected, alert)),
      h("td", {}, figure(one.upper_bound, alert)),
    );
  return h("table", { class: "figures" }, h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, all.map(row)));
}

/** What led to it and what was done about it, as the service kept it, and how far the figures reach. */
function timeline(alert, steps) {
  const reached = { at: alert.updated_at, kind: "updated", detail: {} };
  const all = [...steps, reached, ...["escalated", "grew"].filter((kind) => kind === alert.reason).map((kind) => ({ ...reached, kind }))];
  all.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return h("ol", { class: "timeline" }, all.map((one) => h("li", {}, moment(one.at), h("div", {}, happened(one), one.note && h("blockquote", { class: "small" }, said(one.note))))));
}

function happened({ kind, by, detail }) {
  const name = { judged: `time.${detail.judgement}`, assigned: detail.to ? "time.assigned" : "time.unassigned" }[kind] ?? `time.${kind}`;
  const bar = detail.bar_after && t("time.bar", { before: number(detail.bar_before), after: number(detail.bar_after) });
  const text = t(name, { at: detail.until ? when(detail.until) : "", to: detail.to ?? "" });
  return [said([text, by && t("time.by", { by })].filter(Boolean).join(" · ")), bar && h("p", { class: "muted small" }, bar)];
}

function downloads(alert) {
  const button = (kind, name) => h("button", { type: "button", on: { click: () => save(alert, kind) } }, name);
  return h(
    "div",
    {},
    h("div", { class: "buttons start" }, button("md", "Markdown"), button("csv", "CSV"), button("json", "JSON")),
    h(
      "p",
      { class: "muted small" },
      `${t("alert.id")} `,
      said(clip(alert.alert_id, 80)),
      alert.topic.terms.length > 0 && [h("br", {}), `${t("alert.terms")}: `, alert.topic.terms.map((term, i) => [i > 0 && ", ", said(term)])],
      h("br", {}),
      h("a", { href: `#/?topic=${encodeURIComponent(alert.topic.id)}` }, t("alert.topic")),
    ),
  );
}
