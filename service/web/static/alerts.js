// The alerts as the browser knows them: loaded by pages, kept up by the live feed.

import { listAlerts, readAlert } from "./api.js";
import { minutesBetween } from "./format.js";

const PAGE = 100; // open alerts read at once: the first hundred are on the screen while the rest is on its way
const MOST_OPEN = 2000; // more than that nobody reads; the rest is loaded as older ones are
const RANK = { critical: 0, warning: 1, info: 2 };

/** Where an alert stands for the people who work on it: open, snoozed or ended. */
export function standing(alert, now = Date.now()) {
  if (alert.state === "resolved" || alert.facts.closed_at) return "ended";
  if (alert.facts.snoozed_until && Date.parse(alert.facts.snoozed_until) > now) return "snoozed";
  return "open";
}

/** Minutes that a surge has lasted so far, or did. */
export const lasted = (alert) => minutesBetween(alert.onset, alert.resolved_at ?? alert.updated_at);

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
  #early = [];
  #loading = null;
  next = null;
  loaded = false;

  watch(listener) {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  get = (id) => this.#rows.get(id);

  all = () => [...this.#rows.values()];

  /** Load the newest alerts and all that are open, telling after the first page and after the last. Raises Problem. */
  async load() {
    if (this.#loading) return this.#loading.then(() => this.load()); // it may have read before what this call is about
    this.#loading = this.#read();
    try {
      await this.#loading;
    } finally {
      this.#loading = null;
      this.#early = [];
    }
  }

  async #read() {
    const known = this.all().filter((row) => standing(row) !== "ended");
    const [open, newest] = await Promise.all([listAlerts({ state: "open", limit: PAGE }), listAlerts()]);
    if (!this.loaded) this.next = newest.next;
    this.loaded = true;
    const read = new Set();
    this.#put([...newest.alerts, ...open.alerts], read);
    for (let cursor = open.next; cursor && read.size < MOST_OPEN; ) {
      const page = await listAlerts({ cursor, state: "open", limit: PAGE });
      this.#put(page.alerts, read);
      cursor = page.next;
    }
    // What was open and is no longer among the open has ended while nobody told us.
    const lost = known.filter((row) => !read.has(row.alert_id));
    if (lost.length) this.#put(await Promise.all(lost.map((row) => readAlert(row.alert_id).catch(() => row))), read);
  }

  /** Take a page; rows that the live feed told of meanwhile are newer than it. */
  #put(rows, read) {
    for (const row of rows) read.add(row.alert_id);
    for (const row of [...rows, ...this.#early]) this.#rows.set(row.alert_id, row);
    this.#tell("all");
  }

  /** Load one page more. Raises Problem. */
  async more() {
    const page = await listAlerts({ cursor: this.next });
    for (const row of page.alerts) if (!this.#rows.has(row.alert_id)) this.#rows.set(row.alert_id, row);
    this.next = page.next;
  }

  /** Take a row as the service now has it. */
  take(row) {
    this.#rows.set(row.alert_id, row);
    if (this.#loading) this.#early.push(row);
    this.#tell("row", row.alert_id);
  }

  #tell(what, id = null) {
    for (const listener of this.#watchers) listener(what, id);
  }
}
