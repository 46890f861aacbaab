// Health: whether messages are worked on, how far the judge has come, what was missed.

import { listDead, listFailures, readReadiness, replayDead, replayFailures } from "./api.js";
import { h, said, scroll, toast } from "./dom.js";
import { moment, number, percent, span, when } from "./format.js";
import { failure, failureLine, waiting } from "./marks.js";
import { maybe, t } from "./words.js";

const EVERY = 15_000; // ms between questions
const ORDER = ["judged_until", "now", "lag_seconds", "waiting", "dead", "outbox", "topics", "noise_share", "without_topic", "threshold", "learning_until", "blind", "embedder", "version"];

/** The view of the service's own state. */
export class Health {
  #world;
  #timer = 0;

  constructor(world) {
    this.#world = world;
    this.node = h("section", { class: "health" }, h("h1", { class: "hidden" }, t("health.title")), waiting());
    this.#load();
  }

  get title() {
    return t("health.title");
  }

  leave() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  key() {
    return false;
  }

  async #load() {
    try {
      const [readiness, status] = await Promise.all([readReadiness(), this.#world.askStatus()]);
      this.#draw(readiness, status);
    } catch (problem) {
      this.node.replaceChildren(failure(problem, () => this.#load()));
    }
    if (this.#timer !== null) this.#timer = setTimeout(() => this.#load(), EVERY);
  }

  #draw({ ready, checks: found }, status) {
    const checks = Object.entries(found);
    const names = [...ORDER.filter((name) => name in status), ...Object.keys(status).filter((name) => !ORDER.includes(name))];
    this.node.replaceChildren(
      h("h1", { class: "hidden" }, t("health.title")),
      h("p", { class: `ready ${ready ? "yes" : "no"}` }, ready ? "✓ " : "✕ ", t(ready ? "health.ready" : "health.not")),
      ...(checks.length > 0 ? [block("health.checks", checks.map(([name, value]) => pair(name, value)))] : []),
      block("health.figures", names.map((name) => pair(name, status[name]))),
      ...(status.dead > 0 ? [aside("dead", DEAD, () => this.#load())] : []),
      ...(status.outbox?.dead > 0 ? [aside("failures", FAILURES, () => this.#load())] : []),
      h("p", { class: "muted small" }, t("health.asof", { at: when(new Date().toISOString()) })),
    );
  }
}

const block = (title, pairs) => h("section", { class: "block" }, h("h2", {}, t(title)), h("dl", { class: "pairs" }, pairs));

const pair = (name, value) => h("div", {}, h("dt", {}, maybe(`health.${name}`) ?? said(name.replaceAll("_", " "))), h("dd", {}, shown(name, value)));

function shown(name, value) {
  if (name === "blind" && (!value || value.length === 0)) return t("health.blind.none");
  if (value === null || value === undefined) return t("health.never");
  if (name === "lag_seconds") return span(value / 60);
  if (name === "noise_share") return percent(value);
  if (name === "threshold") return number(value, 2);
  if (name === "outbox") return t("health.outbox.figures", value);
  if (typeof value === "boolean") return t(value ? "health.yes" : "health.no");
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return h("ul", {}, value.map((one) => h("li", {}, spotOf(one))));
  if (typeof value === "object") return said(Object.entries(value).map(([key, one]) => `${key} ${one}`).join(", "));
  const word = maybe(`health.check.${value}`);
  if (word) return word;
  return /^\d{4}-\d\d-\d\dT/.test(value) ? moment(value) : said(value);
}

const DEAD = { list: async () => (await listDead()).dead, replay: replayDead, about: (one) => [moment(one.occurred_at), `${one.source} ${one.message_id}`] };
const FAILURES = { list: async () => (await listFailures()).failures, replay: replayFailures, about: (one) => [moment(one.at), `${one.receiver} ${one.type} ${one.alert_id ?? ""}`] };

/** What was put aside or given up, to look at, with the reason, and to do again. */
function aside(name, { list, replay, about }, again) {
  const found = scroll();
  const button = h("button", { type: "button" }, t(`health.${name}.replay`));
  button.addEventListener("click", async () => {
    try {
      toast(t(`health.${name}.done`, { n: (await replay()).replayed }));
      again();
    } catch (problem) {
      toast(failureLine(problem), true);
    }
  });
  const row = (one) => h("li", {}, about(one).map((part) => (typeof part === "string" ? said(part) : part)), said(one.reason));
  const fill = async () => {
    if (found.firstChild) return;
    try {
      found.replaceChildren(h("ul", { class: "dead" }, (await list()).map(row)));
    } catch (problem) {
      found.replaceChildren(failureLine(problem));
    }
  };
  const box = h("details", { on: { toggle: fill } }, h("summary", {}, t(`health.${name}.title`)), found);
  const note = maybe(`health.${name}.note`);
  return h("section", { class: "block" }, box, note && h("p", { class: "muted small" }, note), button);
}

/** A blind spot: two instants, in whichever form. */
function spotOf(one) {
  const from = one.from ?? one.start ?? one[0];
  const to = one.to ?? one.end ?? one[1];
  return from && to ? t("health.blind.span", { from: when(from), to: when(to) }) : said(JSON.stringify(one));
}
