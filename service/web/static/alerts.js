// The alerts as the browser knows them: loaded by pages, kept up by the live feed.

import { listAlerts } from "./api.js";

const RANK = { critical: 0, warning: 1, info: 2 };

/** Where an alert stands for the people who work on it: open, snoozed or ended. */
export function standing(alert, now = Date.now()) {
  if (alert.state === "resolved" || alert.facts.closed_at) return "ended";
  if (alert.facts.snoozed_until && Date.parse(alert.facts.snoozed_until) > now) return "snoozed";
  return "open";
}

/** Open before snoozed before ended; among the open the gravest first; then the newest. */
export function byUrgency(one, other) {
  const places = ["open", "snoozed", "ended"];
  const [a, b] = [standing(one), standing(other)];
  if (a !== b) return places.indexOf(a) - places.indexOf(b);
  if (a === "open" && one.severity !== other.severity) return RANK[one.severity] - RANK[other.severity];
  return Date.parse(other.fired_at) - Date.parse(one.fired_at) || one.alert_id.localeCompare(other.alert_id);
}

/** Whether an alert fits {state, severity, topic, attribute, days, q}; an empty field fits everything. */
export function fits(alert, wish, now = Date.now()) {
  if (wish.state !== "all" && standing(alert, now) !== wish.state) return false;
  if (wish.severity && alert.severity !== wish.severity) return false;
  if (wish.topic && alert.topic.id !== wish.topic) return false;
  if (wish.attribute && !culpritNames(alert).includes(wish.attribute)) return false;
  if (wish.days && now - Date.parse(alert.fired_at) > wish.days * 86_400_000) return false;
  return !wish.q || words(alert).includes(fold(wish.q));
}

export const culpritNames = (alert) => alert.culprits.map((one) => `${one.attribute}=${one.value}`);

/** Text as it is compared: no case, full-width like half-width. */
export const fold = (text) => String(text).normalize("NFKC").toLowerCase();

function words(alert) {
  const { topic, samples } = alert;
  const parts = [alert.alert_id, topic.label, ...Object.values(topic.labels), ...topic.terms, ...culpritNames(alert)];
  for (const sample of samples) parts.push(sample.text, sample.order_id ?? "", ...Object.values(sample.attributes));
  return fold(parts.join("\n"));
}

/** Rows by id. `watch` is told ("row", id) for one changed alert and ("all") when many may have. */
export class AlertBook {
  #rows = new Map();
  #watchers = new Set();
  #early = null;
  next = null;
  loaded = false;

  watch(listener) {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  get = (id) => this.#rows.get(id);

  all = () => [...this.#rows.values()];

  /** Load the newest page; events that arrive meanwhile are applied after it. Raises Problem. */
  async load() {
    this.#early ??= [];
    try {
      const page = await listAlerts();
      const first = !this.loaded;
      for (const row of page.alerts) this.#rows.set(row.alert_id, row);
      if (first) this.next = page.next;
      this.loaded = true;
      for (const row of this.#early) this.#rows.set(row.alert_id, row);
    } finally {
      this.#early = null;
    }
    this.#tell("all");
  }

  /** Load one page more. Raises Problem. */
  async more() {
    const page = await listAlerts(this.next);
    for (const row of page.alerts) if (!this.#rows.has(row.alert_id)) this.#rows.set(row.alert_id, row);
    this.next = page.next;
  }

  /** Take a row as the service now has it. */
  take(row) {
    this.#rows.set(row.alert_id, row);
    this.#early?.push(row);
    this.#tell("row", row.alert_id);
  }

  #tell(what, id = null) {
    for (const listener of this.#watchers) listener(what, id);
  }
}
