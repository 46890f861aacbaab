// Complaints per 1,000 orders: now and before, of the culprit's orders and of all; and whether sales alone explain them.

import { h, said, scroll } from "./dom.js";
import { number } from "./format.js";
import { t } from "./words.js";

/** The rates of an alert as a table, with what they say in a sentence; nothing where no orders are posted. */
export function rates(alert) {
  const all = alert.rates ?? [];
  if (all.length === 0) return null;
  const head = ["rate.of", "rate.now", "rate.before", "rate.orders", "rate.sales"].map((name) => h("th", { scope: "col" }, t(name)));
  const [first] = all;
  return h(
    "section",
    { class: "block rates" },
    h("h2", {}, t("rate.title")),
    h("p", {}, t(`rate.pace.${first.pace}`, { n: number(first.sales ?? 1, 1) })),
    scroll({}, h("table", { class: "figures" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, all.map(row)))),
    h("p", { class: "muted small" }, t("rate.lag", { n: number(first.lag_days, 0) })),
  );
}

const row = (one) =>
  h(
    "tr",
    {},
    h("th", { scope: "row" }, one.value === null ? t("rate.all") : said(`${one.attribute} ${one.value}`)),
    h("td", {}, h("b", {}, number(one.now, 1)), " ", h("span", { class: "muted small" }, t("rate.range", { low: number(one.low, 1), high: number(one.high, 1) }))),
    h("td", {}, one.before === null ? "–" : number(one.before, 1)),
    h("td", {}, number(one.orders, 0)),
    h("td", {}, one.sales === null ? "–" : t("feed.times", { n: number(one.sales, 1) })),
  );
