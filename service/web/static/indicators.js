// The indicators: how each stands against its thresholds, why they are where they are, and what blind spots cost.

import { readCost, readHindsight, readIndicator, readIndicators } from "./api.js";
import { chart } from "./curve.js";
import { h, said, scroll } from "./dom.js";
import { moment, number, sum, when } from "./format.js";
import { inPercent, moved, shown } from "./gauges.js";
import { failure, failureLine, quiet, waiting } from "./marks.js";
import { spoken, t, topicName } from "./words.js";

/** The view of all indicators. */
export class Indicators {
  #list = h("div", {}, waiting());

  constructor() {
    this.node = h("section", { class: "indicators" }, h("h1", { class: "hidden" }, t("gauge.title")), this.#list, cost(), hindsight());
    this.#load();
  }

  get title() {
    return t("gauge.title");
  }

  key() {
    return false;
  }

  async #load() {
    try {
      const { indicators } = await readIndicators();
      const begun = indicators.filter((one) => one.now);
      const others = indicators.filter((one) => !one.now).map((one) => nameOf(one));
      const none = begun.length === 0 && quiet(t("gauge.none"), t("gauge.none.more"));
      this.#list.replaceChildren(...[none, h("ul", { class: "rows" }, begun.map((one) => h("li", {}, row(one)))), others.length > 0 && h("p", { class: "muted small" }, t("gauge.others", { names: others.join(", ") }))].filter(Boolean));
    } catch (problem) {
      this.#list.replaceChildren(failure(problem, () => this.#load()));
    }
  }
}

const nameOf = (one) => one.labels[spoken()] ?? one.labels.en ?? one.name;

function row(one) {
  const { now } = one;
  const bound = one.direction === "down" ? now.lower : now.upper;
  const over = now.value !== null && ((now.upper !== null && now.value >= now.upper) || (now.lower !== null && now.value <= now.lower));
  const cell = (name, value) => h("span", { class: "figure" }, h("span", { class: "muted small" }, t(name), " "), h("b", {}, value));
  const summary = h(
    "summary",
    { class: "gauge" },
    h("span", { class: "name" }, h("b", {}, said(nameOf(one))), over && h("span", { class: "tag open" }, t("gauge.over"))),
    cell("gauge.hour", shown(now.value, one)),
    cell("gauge.usual", shown(now.usual, one)),
    cell("gauge.threshold", shown(bound, one)),
  );
  const body = h("div", { class: "more" });
  return h("details", { on: { toggle: () => body.firstChild || body.append(...more(one)) } }, summary, body);
}

function more(one) {
  const { now } = one;
  const pair = (name, value) => h("div", {}, h("dt", {}, t(name)), h("dd", {}, value));
  const place = h("div", {}, h("p", { class: "muted small" }, t("loading")));
  readIndicator(one.name).then(
    ({ curve }) => place.replaceChildren(curve.length ? chart(drawn(one, curve)) : t("curve.none")),
    (problem) => place.replaceChildren(failureLine(problem)),
  );
  return [
    h(
      "dl",
      { class: "pairs" },
      pair("gauge.in_force", now.in_force ? t(`gauge.cause.${now.in_force}`) : t("gauge.cause.none")),
      pair("gauge.start", shown(one.start, one)),
      pair("gauge.learnt", shown(now.learnt, one)),
      pair("gauge.ceiling", shown(one.ceiling, one)),
      pair("gauge.floor", shown(one.floor, one)),
      pair("gauge.why", moved(now.why, one)),
      now.campaign_hours > 0 && pair("gauge.campaigns", t("gauge.campaigns.hours", { n: number(now.campaign_hours, 0) })),
      pair("gauge.n", number(now.n)),
      pair("gauge.since", [moment(one.since), one.learning_until && ` · ${t("gauge.learning", { at: when(one.learning_until) })}`].filter(Boolean)),
    ),
    place,
  ];
}

/** An indicator as the chart takes it: like a topic's curve, in percent where it is a share. */
function drawn(one, curve) {
  const times = inPercent(one) ? 100 : 1;
  const points = curve.map((point) => ({ start: point.start, observed: times * (point.value ?? 0), expected: times * (point.usual ?? 0), upper: times * (point.upper ?? 0) }));
  return { topic: { id: one.name, label: nameOf(one), labels: one.labels }, curve: points, indicator: inPercent(one) ? { ...one, unit: "%" } : one };
}

/** The plain calculation, with fields to put one's own figures in; and what the month's alerts have cost. */
function cost() {
  const field = (name, value) => h("input", { type: "number", name, min: 0, step: "any", value, on: { change: () => fill() } });
  const fields = { tickets: field("tickets", 100), minutes: field("minutes", 60), hour: field("hour", 30), days: field("days", 30) };
  const told = h("div", { role: "status" });
  const fill = async () => {
    try {
      const found = await readCost(Object.fromEntries(Object.entries(fields).map(([name, one]) => [name, one.value])));
      const money = (value) => sum(value, found.currency);
      const line = (one) => h("li", {}, h("a", { href: `#/alerts/${encodeURIComponent(one.alert_id)}` }, said(one.headlines[spoken()])), ` ${t("cost.range", { low: money(one.low), high: money(one.high) })}`);
      told.replaceChildren(h("p", { class: "lead" }, t("cost.sum", { day: money(found.a_day), all: money(found.in_all), days: found.days })), h("ul", { class: "costly" }, found.alerts.slice(0, 10).map(line)));
    } catch (problem) {
      told.replaceChildren(failureLine(problem));
    }
  };
  fill();
  return h("section", { class: "block cost" }, h("h2", {}, t("cost.title")), h("p", { class: "filters" }, Object.entries(fields).map(([name, one]) => h("label", {}, h("span", { class: "muted" }, t(`cost.${name}`), " "), one))), told);
}

/** The month in hindsight: when each surge was noticed, and when plainer habits would have. */
function hindsight() {
  const told = h("div", {}, h("p", { class: "muted" }, t("loading")));
  readHindsight().then(
    ({ currency, methods, surges, days, mean_3_sd_alarms: rung }) => {
      if (surges.length === 0) return told.replaceChildren(h("p", { class: "muted" }, t("hindsight.none", { days })));
      const money = (value) => sum(value, currency);
      const hours = (value) => (value === null ? t("hindsight.never") : t("hindsight.hours", { n: number(value, 1) }));
      const names = Object.keys(methods);
      const head = (first, ...rest) => h("thead", {}, h("tr", {}, [first, ...rest].map((one) => h("th", { scope: "col" }, one))));
      const priced = (one) => names.some((name) => one.noticed[name].cost > 0); // of some indicators nobody says what one more costs
      const method = (name) => t(`hindsight.method.${name}`);
      const sums = names.map((name) => h("tr", {}, h("th", { scope: "row" }, method(name)), h("td", {}, t("hindsight.of", { n: number(methods[name].noticed), of: number(methods[name].of) })), h("td", {}, hours(methods[name].median_hours)), h("td", {}, money(methods[name].cost_until_noticed))));
      const surge = (one) => h("tr", {}, h("th", { scope: "row" }, h("a", { href: `#/alerts/${encodeURIComponent(one.alert_id)}` }, said(topicName(one.topic))), " ", moment(one.onset)), names.map((name) => h("td", {}, hours(one.noticed[name].hours), " ", priced(one) && h("span", { class: "muted small" }, money(one.noticed[name].cost)))));
      told.replaceChildren(
        scroll({}, h("table", { class: "figures" }, head("", t("hindsight.noticed"), t("hindsight.after"), t("hindsight.cost")), h("tbody", {}, sums))),
        scroll({}, h("table", { class: "figures" }, head(t("hindsight.surge"), ...names.map(method)), h("tbody", {}, surges.slice(-30).reverse().map(surge)))),
        h("p", {}, t("hindsight.rung", { n: number(rung), days, of: number(surges.length) })),
        h("p", { class: "muted small" }, t("hindsight.how")),
      );
    },
    (problem) => told.replaceChildren(failureLine(problem)),
  );
  return h("section", { class: "block hindsight" }, h("h2", {}, t("hindsight.title")), told);
}
