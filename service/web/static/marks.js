// Small signs that several views show: severity, standing, figures in a line.

import { h, s } from "./dom.js";
import { when } from "./format.js";
import { standing } from "./alerts.js";
import { t } from "./words.js";

// Three shapes, told apart without colour: a diamond, a triangle, a circle.
const SHAPES = {
  critical: ["M8-.6 16.6 8 8 16.6-.6 8z", "M8 4v4.6M8 10.6v1.6"],
  warning: ["M8 .6 16 15.4H0z", "M8 5.6v4.6M8 12v1.6"],
  info: ["M8 .4a7.6 7.6 0 1 1 0 15.2A7.6 7.6 0 0 1 8 .4z", "M8 7v5.4M8 3.6v1.6"],
};

/** Severity as shape and word. */
export function severity(grade) {
  const [shape, sign] = SHAPES[grade] ?? SHAPES.info;
  const picture = s(
    "svg",
    { viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    s("path", { class: "shape", d: shape }),
    s("path", { class: "sign", d: sign }),
  );
  return h("span", { class: `severity ${grade in SHAPES ? grade : "info"}` }, picture, h("span", {}, t(`severity.${grade}`)));
}

/** What stands beside an alert, as short tags: its state, what people did, how it was judged. */
export function tags(alert, { fresh = false } = {}) {
  const { facts } = alert;
  const found = [];
  const tag = (kind, text) => found.push(h("span", { class: `tag ${kind}` }, text));
  if (fresh) tag("fresh", t("state.new"));
  const place = standing(alert);
  if (place === "ended") tag("ended", t(facts.closed_at && alert.state !== "resolved" ? "state.closed" : "state.resolved"));
  if (place === "snoozed") tag("snoozed", t("state.snoozed.until", { at: when(facts.snoozed_until) }));
  if (facts.acknowledged_at) tag("acknowledged", facts.acknowledged_by ? t("state.acknowledged.by", { by: facts.acknowledged_by }) : t("state.acknowledged"));
  if (facts.assigned_to) tag("assigned", t("state.assigned", { to: facts.assigned_to }));
  if (alert.former) tag("former", t("state.former"));
  if (facts.judgement) tag(facts.judgement, t(`state.${facts.judgement}`));
  if (alert.excused) tag("excused", t("state.excused"));
  if (alert.late) tag("late", t("state.late"));
  return found;
}

/** Something to wait by, an empty place, or an error with a way to try again. */
export function quiet(title, more = null, button = null) {
  return h("div", { class: "quiet" }, h("p", { class: "lead" }, title), more && h("p", { class: "muted" }, more), button);
}

export const waiting = () => h("div", { class: "quiet", role: "status" }, h("p", { class: "muted" }, t("loading")));

/** An error in words that help. */
export function failure(problem, again) {
  const named = { 0: "error.away", 401: "error.key", 403: "error.forbidden", 404: "error.gone" }[problem.status];
  const own = [problem.title, problem.detail].filter(Boolean).join(". ") || problem.message;
  const more = problem.status === 0 ? t("error.away.more") : named && problem.status !== 403 ? null : own;
  const button = h("button", { type: "button", on: { click: again } }, t("error.retry"));
  const box = quiet(t(named ?? "error.broke"), more, button);
  box.setAttribute("role", "alert");
  return box;
}

/** The same in one line, for a toast. */
export function failureLine(problem) {
  const named = { 0: "error.away", 401: "error.key", 403: "error.forbidden", 404: "error.gone" }[problem.status];
  return named ? t(named) : `${t("error.broke")} ${problem.message}`;
}
