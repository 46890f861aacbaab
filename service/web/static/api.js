// Talk to the service. Addresses are relative to the page, so that it also works behind a prefix.

import { scaled } from "./gauges.js";
import { recallHere, rememberHere } from "./store.js";

const PATIENCE = 20_000; // ms until an answer is given up

/** What went wrong, in the service's own words (problem+json) where it had any. Status 0: no answer came. */
export class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? null;
    this.title = body.title ?? null;
    this.detail = body.detail ?? null;
    this.body = body;
  }
}

let askKey = async () => null;
let asking = null;
let declined = false;

/** Set what asks the person for a key: `ask(refused)` resolves to the key, or to null. */
export function whenKeyIsNeeded(ask) {
  askKey = ask;
}

/** The person wants to be asked once more, after having left the question. */
export function askAgain() {
  declined = false;
}

/** The response of one request, key and all; raises Problem. */
export async function request(path, { method = "GET", body, headers = {}, signal } = {}) {
  for (;;) {
    const key = recallHere("key");
    const answer = await send(path, method, body, headers, signal, key);
    if (answer.ok) return answer;
    if (answer.status !== 401) throw new Problem(answer.status, await words(answer));
    if (recallHere("key") === key && !(await askOnce(Boolean(key)))) throw new Problem(401, await words(answer));
  }
}

async function send(path, method, body, headers, signal, key) {
  const all = { Accept: "application/json", ...headers };
  if (key) all.Authorization = `Bearer ${key}`;
  if (body !== undefined) all["Content-Type"] = "application/json";
  try {
    return await fetch(new URL(path, document.baseURI), {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ?? AbortSignal.timeout(PATIENCE),
      cache: "no-store",
      redirect: "error",
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0);
  }
}

/** One question at a time, however many requests were refused. */
async function askOnce(refused) {
  if (declined) return false;
  asking ??= askKey(refused)
    .then((key) => {
      if (key) rememberHere("key", key);
      declined = !key;
      return Boolean(key);
    })
    .finally(() => {
      asking = null;
    });
  return asking;
}

async function words(answer) {
  try {
    const body = await answer.json();
    return body && typeof body === "object" ? body : {};
  } catch {
    return {};
  }
}

async function json(path, options) {
  return (await request(path, options)).json();
}

/** An alert, or a page of them, with its figures as they are shown. */
async function alerts(path, options) {
  const found = await json(path, options);
  return found.alerts ? { ...found, alerts: found.alerts.map(scaled) } : scaled(found);
}

const alertPath = (id, deed = "") => `v1/alerts/${encodeURIComponent(id)}${deed && `/${deed}`}`;

/** A page of alerts, newest first: {alerts, next}; `state` narrows it to "open". */
export function listAlerts({ cursor = null, state = null, limit = 100 } = {}) {
  const query = new URLSearchParams({ limit });
  if (cursor) query.set("cursor", cursor);
  if (state) query.set("state", state);
  return alerts(`v1/alerts?${query}`);
}

export const readAlert = (id) => alerts(alertPath(id));
const topicPath = (id, more) => `v1/topics/${encodeURIComponent(id)}/${more}`;

export const readIndicators = () => json("v1/indicators");
export const readIndicator = (name) => json(`v1/indicators/${encodeURIComponent(name)}`);
export const readCost = (figures) => json(`v1/cost?${new URLSearchParams(figures)}`);
export const readAlertCost = (id) => json(alertPath(id, "cost"));
export const readOrderContext = (id) => json(`v1/orders/${encodeURIComponent(id)}/context`);
export const readPrivacy = () => json("v1/privacy");
export const readAccess = () => json("v1/access");
export const listTopics = () => json("v1/topics");
export const findTopics = (q) => json(`v1/topics?${new URLSearchParams({ q })}`);
export const readMap = () => json("v1/topics/map");
export const readProposals = () => json("v1/topics/proposals");
export const readSeries = (id) => json(topicPath(id, "series?hours=168"));
export const readLineage = (id) => json(topicPath(id, "lineage"));
export const readParts = (id) => json(topicPath(id, "parts"));
export const doToTopic = (id, deed, body) => json(topicPath(id, deed), { method: "POST", body });
export const readStatus = () => json("v1/status");
export const listDead = () => json("v1/dead");
export const replayDead = () => json("v1/dead:replay", { method: "POST" });
export const acknowledge = (id, by) => alerts(alertPath(id, "acknowledge"), { method: "POST", body: { by } });
export const assign = (id, to, by) => alerts(alertPath(id, "assign"), { method: "POST", body: { to, by } });
export const comment = (id, note, by) => alerts(alertPath(id, "comment"), { method: "POST", body: { note, by } });
export const readTimeline = (id) => json(alertPath(id, "timeline"));
export const snooze = (id, until) => alerts(alertPath(id, "snooze"), { method: "POST", body: until });
export const resolve = (id, note) => alerts(alertPath(id, "resolve"), { method: "POST", body: { note } });
export const judge = (id, judgement, note) =>
  alerts(alertPath(id, "feedback"), { method: "POST", body: { judgement, note } });

export const unjudge = (id) => alerts(alertPath(id, "feedback"), { method: "DELETE" });

export const readBudget = () => json("v1/budget");
export const chooseBudget = (perWeek) => json("v1/budget", { method: "PUT", body: { false_alarms_per_week: perWeek } });
export const dropBudget = () => json("v1/budget", { method: "DELETE" });
export const readHindsight = () => json("v1/hindsight");
export const readTeams = () => json("v1/teams");
export const readQuality = () => json("v1/quality?weeks=12");
export const listReceivers = () => json("v1/receivers");
export const testReceiver = (name) => json(`v1/receivers/${encodeURIComponent(name)}/test`, { method: "POST" });
export const enableReceiver = (name) => json(`v1/receivers/${encodeURIComponent(name)}/enable`, { method: "POST" });
export const listFailures = () => json("v1/failures");
export const replayFailures = () => json("v1/failures:replay", { method: "POST", body: {} });
export const listCampaigns = () => json("v1/campaigns");
export const addCampaign = (body) => json("v1/campaigns", { method: "POST", body });
export const removeCampaign = (id) => request(`v1/campaigns/${encodeURIComponent(id)}`, { method: "DELETE" });
export const listKeys = () => json("v1/keys");
export const makeKey = (body) => json("v1/keys", { method: "POST", body });
export const endKey = (id) => json(`v1/keys/${encodeURIComponent(id)}/end`, { method: "POST", body: {} });

/** Whether the service is ready: {ready, checks}; its 503 is an answer here. */
export async function readReadiness() {
  try {
    return { ready: true, checks: (await json("readyz")).checks ?? {} };
  } catch (error) {
    if (error.status === 503) return { ready: false, checks: error.body.checks ?? {} };
    throw error;
  }
}
