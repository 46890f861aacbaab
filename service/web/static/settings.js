// The settings: the budget of false alarms and how people judged what rang, receivers, campaigns, keys.

import { addCampaign, chooseBudget, dropBudget, enableReceiver, endKey, listCampaigns, listKeys, listReceivers, makeKey, readBudget, readQuality, readTeams, removeCampaign, testReceiver } from "./api.js";
import { form, local } from "./deeds.js";
import { ask, h, said, scroll, toast } from "./dom.js";
import { moment, number, percent, when } from "./format.js";
import { failureLine } from "./marks.js";
import { t } from "./words.js";

const SCOPES = ["ingest", "read", "act", "admin"];
const NAME = 100; // characters

/** The view of all settings; each part loads, fails and changes for itself. */
export class Settings {
  constructor() {
    const parts = [
      ["budget.title", readBudget, budget],
      ["quality.title", readQuality, quality],
      ["teams.title", readTeams, teams],
      ["receivers.title", listReceivers, receivers],
      ["campaigns.title", listCampaigns, campaigns],
      ["keys.title", listKeys, keys],
    ];
    this.node = h("section", { class: "settings" }, h("h1", { class: "hidden" }, t("settings.title")), parts.map((one) => part(...one)));
  }

  get title() {
    return t("settings.title");
  }

  key() {
    return false;
  }
}

/** One part: what `read` answers, built by `build(answer, again)`; `again` reads anew. */
function part(title, read, build) {
  const body = h("div", {}, h("p", { class: "muted" }, t("loading")));
  const fill = async () => {
    try {
      body.replaceChildren(...[build(await read(), fill)].flat(9).filter(Boolean));
    } catch (problem) {
      body.replaceChildren(h("p", { class: "muted" }, problem.status === 403 ? t("settings.admin") : failureLine(problem)));
    }
  };
  fill();
  return h("section", { class: "block" }, h("h2", {}, t(title)), body);
}

/** A button that does something, says so, and lets its part be read anew. */
function button(text, deed, { done = null, again = null, ...traits } = {}) {
  const one = h("button", { type: "button", ...traits }, text);
  one.addEventListener("click", async () => {
    one.disabled = true;
    try {
      const answer = await deed();
      if (answer !== null && done) toast(done(answer));
      if (answer !== null && again) await again();
    } catch (problem) {
      toast(failureLine(problem), true);
    }
    one.disabled = false;
  });
  return one;
}

const table = (heads, rows) =>
  scroll({ wide: true }, h("table", { class: "figures" }, h("thead", {}, h("tr", {}, heads.map((one) => h("th", { scope: "col" }, one && t(one))))), h("tbody", {}, rows)));

const row = (name, ...cells) => h("tr", {}, h("th", { scope: "row" }, name), cells.map((one) => h("td", {}, one)));

// ---------------------------------------------------------------- budget

function budget(found, again) {
  const { false_alarms_per_week: now, setting, chosen, choices } = found;
  const done = (answer) => t("budget.used", { n: number(answer.false_alarms_per_week, 1) });
  const use = (n) => (n === now ? h("span", { class: "tag" }, t("budget.now")) : button(t("budget.use"), () => chooseBudget(n), { done, again, "aria-label": `${t("budget.use")}: ${number(n, 1)}` }));
  const rows = choices.map((one) => row(number(one.false_alarms_per_week, 1), number(one.alerts), number(one.threshold, 1), use(one.false_alarms_per_week)));
  const own = button(t("budget.own"), async () => ((n) => (n ? chooseBudget(n) : null))(await askNumber(now)), { done, again });
  const back = chosen && button(t("budget.drop", { n: number(setting, 1) }), dropBudget, { done, again });
  return [
    h("p", {}, t("budget.rang", { n: number(found.rang), noise: number(found.noise) })),
    choices.length > 0 ? table(["budget.week", "budget.would", "budget.score", ""], rows) : h("p", { class: "muted" }, t("budget.none")),
    h("div", { class: "buttons start" }, own, back),
    h("p", { class: "muted small" }, t("budget.note"), " ", choices.length > 0 && t("budget.most")),
  ];
}

function askNumber(now) {
  return ask(t("budget.own"), (close) => {
    const field = h("input", { type: "number", min: 0.1, max: 1000, step: 0.1, value: now, required: true });
    return form([h("label", {}, t("budget.week"), field)], () => close(Number(field.value)), close);
  });
}

function teams({ teams: all }) {
  if (all.length === 0) return h("p", { class: "muted" }, t("teams.none"));
  const head = ["quality.week", "teams.told", "teams.held", "teams.hand", "teams.burden", "quality.real", "quality.noise", "quality.precision"];
  const share = (one) => (one.precision === null ? "–" : [h("b", {}, percent(one.precision)), " ", h("span", { class: "muted small" }, t("quality.range", { low: percent(one.low), high: percent(one.high) }))]);
  const hand = (one) => (one.told === 0 ? "–" : [t("teams.taken", { n: number(one.acknowledged), of: number(one.told) }), one.minutes_to_acknowledge !== null && h("span", { class: "muted small" }, " ", t("teams.minutes", { n: number(one.minutes_to_acknowledge, 1) }))]);
  const week = (one) => row(moment(one.start), number(one.told), number(one.held), hand(one), t("teams.borne", { busiest: number(one.busiest_day), at_once: number(one.open_at_once) }), number(one.real), number(one.noise), share(one));
  const held = (one) => one.held.map((id) => h("a", { href: `#/alerts/${encodeURIComponent(id)}` }, said(id)));
  return all.map((one) => [
    h("h3", {}, said(one.team)),
    h("p", { class: "muted" }, one.alerts_per_week === null ? t("teams.unlimited", { n: number(one.told) }) : t("teams.budget", { n: number(one.told), budget: number(one.alerts_per_week) })),
    one.held.length > 0 && h("p", { class: "small" }, t("teams.held.which"), " ", held(one).flatMap((link, n) => (n ? [", ", link] : [link]))),
    table(head, [...one.weeks].reverse().filter((each, n) => n === 0 || each.told + each.held > 0).map(week)),
  ]);
}

function quality({ total, weeks }) {
  if (total.real + total.noise === 0) return h("p", { class: "muted" }, t("quality.none"));
  const share = (one) => (one.precision === null ? "–" : [h("b", {}, percent(one.precision)), " ", h("span", { class: "muted small" }, t("quality.range", { low: percent(one.low), high: percent(one.high) }))]);
  const line = (name, one) => row(name, number(one.alerts), number(one.real), number(one.noise), share(one));
  const judged = weeks.filter((one) => one.alerts > 0).reverse();
  return table(["quality.week", "quality.alerts", "quality.real", "quality.noise", "quality.precision"], [line(t("quality.total"), total), ...judged.map((one) => line(moment(one.start), one))]);
}

// ---------------------------------------------------------------- receivers

function receivers({ receivers: all }, again) {
  if (all.length === 0) return h("p", { class: "muted" }, t("receivers.none"));
  return h("ul", { class: "lines" }, all.map((one) => receiver(one, again)));
}

function receiver(one, again) {
  const outcome = one.last_outcome ? [t(`receivers.${one.last_outcome}`), one.last_reason && ` (${one.last_reason})`, " · ", moment(one.last_at)] : t("receivers.never");
  const told = ({ outcome: word, reason }) => `${one.name}: ${t(`receivers.${word}`)}${reason ? ` (${reason})` : ""}`;
  return h(
    "li",
    {},
    h("span", {}, h("b", {}, said(one.name)), " ", h("span", { class: "muted" }, one.kind), one.off && h("span", { class: "tag late" }, t("receivers.off", { reason: one.off })), h("span", { class: "muted small block-line" }, outcome)),
    one.off && button(t("receivers.enable"), () => enableReceiver(one.name), { done: () => t("receivers.enabled", { name: one.name }), again }),
    button(t("receivers.test"), () => (toast(t("receivers.testing")), testReceiver(one.name)), { done: told, again, "aria-label": `${t("receivers.test")}: ${one.name}` }),
  );
}

// ---------------------------------------------------------------- campaigns

function campaigns({ campaigns: all }, again) {
  const line = (one) =>
    h("li", {}, h("span", {}, h("b", {}, said(one.name)), " ", h("span", { class: "muted block-line" }, `${when(one.start)} – ${when(one.end)}`, one.multiplier && ` · ${t("campaigns.times", { n: number(one.multiplier, 1) })}`)), button(t("campaigns.remove"), () => removeCampaign(one.id), { done: () => t("campaigns.removed"), again, "aria-label": `${t("campaigns.remove")}: ${one.name}` }));
  const add = button(t("campaigns.add"), async () => ((body) => (body ? addCampaign(body) : null))(await askCampaign()), { done: () => t("campaigns.added"), again });
  return [all.length > 0 ? h("ul", { class: "lines" }, all.map(line)) : h("p", { class: "muted" }, t("campaigns.none")), h("div", { class: "buttons start" }, add), h("p", { class: "muted small" }, t("campaigns.note"))];
}

function askCampaign() {
  return ask(t("campaigns.add.title"), (close) => {
    const name = h("input", { type: "text", required: true, maxlength: 200 });
    const [start, end] = [0, 1].map((day) => h("input", { type: "datetime-local", required: true, value: local(new Date(new Date().setHours(24 * day, 0, 0, 0))) }));
    const times = h("input", { type: "number", min: 0.1, max: 1000, step: 0.1 });
    const fields = [["campaigns.name", name], ["campaigns.start", start], ["campaigns.end", end], ["campaigns.multiplier", times]];
    const body = () => ({ name: name.value.trim(), start: new Date(start.value).toISOString(), end: new Date(end.value).toISOString(), multiplier: times.value ? Number(times.value) : null });
    return form(fields.map(([text, field]) => h("label", {}, t(text), field)), () => close(body()), close);
  });
}

// ---------------------------------------------------------------- keys

function keys({ keys: all }, again) {
  const make = button(t("keys.make"), async () => {
    const body = await askKey();
    return body ? showOnce(await makeKey(body)) : null;
  }, { again });
  return [all.length > 0 ? h("ul", { class: "lines" }, all.map((one) => keyLine(one, again))) : h("p", { class: "muted" }, t("keys.none")), h("div", { class: "buttons start" }, make)];
}

function keyLine(one, again) {
  const over = one.ends_at && Date.parse(one.ends_at) <= Date.now();
  const end = one.ends_at && t(over ? "keys.ended.at" : "keys.ends.at", { at: when(one.ends_at) });
  const stop = async () => ((sure) => (sure ? endKey(one.id) : null))(await askSure(one));
  return h(
    "li",
    {},
    h("span", {}, h("b", {}, said(one.name)), " ", one.scopes.map((scope) => h("span", { class: "tag" }, scope)), h("span", { class: "muted small block-line" }, moment(one.created_at), end && ` · ${end}`)),
    !over && button(t("keys.end"), stop, { done: () => t("keys.ended"), again, "aria-label": `${t("keys.end")}: ${one.name}` }),
  );
}

function askKey() {
  return ask(t("keys.make.title"), (close) => {
    const name = h("input", { type: "text", required: true, maxlength: NAME });
    const boxes = SCOPES.map((scope) => h("label", { class: "choice" }, h("input", { type: "checkbox", name: "scope", value: scope, checked: scope === "ingest" }), `${scope}: ${t(`keys.scope.${scope}`)}`));
    const sent = (sheet) => close({ name: name.value.trim(), scopes: new FormData(sheet).getAll("scope") });
    return form([h("label", {}, t("keys.name"), name), h("fieldset", { class: "choices" }, h("legend", { class: "muted" }, t("keys.scopes")), boxes)], sent, close);
  });
}

function showOnce(made) {
  return ask(t("keys.made", { name: made.name }), (close) => {
    const field = h("input", { type: "text", readonly: true, value: made.key, "aria-label": t("keys.made", { name: made.name }), on: { focus: () => field.select() } });
    return h("div", {}, field, h("p", { class: "muted small" }, t("keys.once")), h("div", { class: "buttons" }, h("button", { type: "button", class: "primary", on: { click: () => close(made.id) } }, t("help.done"))));
  });
}

const askSure = (one) => ask(t("keys.end.title", { name: one.name }), (close) => form([h("p", { class: "muted" }, t("keys.end.note"))], () => close(true), close, "keys.end"));
