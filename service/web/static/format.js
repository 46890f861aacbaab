// Times, spans and numbers as people read them, in the language shown and the zone they live in.

import { h } from "./dom.js";
import { locale, maybe, t } from "./words.js";

const MINUTE = 60_000;

const formats = new Map();

function dates(options) {
  const name = `${locale()} ${JSON.stringify(options)}`;
  if (!formats.has(name)) formats.set(name, new Intl.DateTimeFormat(locale(), options));
  return formats.get(name);
}

/** 1,234 or 0.4: whole from ten on, one place below, never -0. */
export function number(value, places = null) {
  const most = places ?? (Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0);
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: most }).format(value + 0);
}

/** A share of 0 to 1 in percent. */
export function percent(value) {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(value);
}

/** A sum of money, whole, in the currency of the settings. */
export const sum = (value, currency) => `${number(value, 0)} ${maybe(`currency.${currency}`) ?? currency}`;

/** How many times the expected; under half a customer expected counts as half a one, as in the service. */
export const times = (observed, expected) => observed / Math.max(expected, 0.5);

/** The clock today, with the day before that, with the year where it is another. */
export function when(iso, now = new Date()) {
  const at = new Date(iso);
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (at.toDateString() === now.toDateString()) return dates(clock).format(at);
  const day = { month: "short", day: "numeric" };
  if (at.getFullYear() !== now.getFullYear()) day.year = "numeric";
  return dates({ ...day, ...clock }).format(at);
}

/** A time element whose tooltip has the whole of it, zone and UTC included. */
export function moment(iso, text = null) {
  if (!iso) return null;
  const full = dates({ dateStyle: "full", timeStyle: "long" }).format(new Date(iso));
  return h("time", { datetime: iso, title: `${full}\n${iso}` }, text ?? when(iso));
}

/** The zone that times are shown in. */
export function zone() {
  const options = new Intl.DateTimeFormat(locale()).resolvedOptions();
  const minutes = -new Date().getTimezoneOffset();
  const sign = minutes < 0 ? "−" : "+";
  const size = Math.abs(minutes);
  const rest = size % 60 ? `:${String(size % 60).padStart(2, "0")}` : "";
  return `${options.timeZone} (UTC${sign}${Math.floor(size / 60)}${rest})`;
}

/** A length of time in at most two units. */
export function span(minutes) {
  if (minutes < 1) return t("span.seconds", { n: Math.round(minutes * 60) });
  const whole = Math.round(minutes);
  if (whole < 60) return t("span.minutes", { n: whole });
  if (whole < 48 * 60) return parts("hours", whole, 60);
  return parts("days", Math.round(whole / 60), 24);
}

function parts(unit, count, size) {
  const n = Math.floor(count / size);
  const m = count % size;
  return m ? t(`span.${unit}.${unit === "days" ? "hours" : "minutes"}`, { n, m }) : t(`span.${unit}`, { n });
}

/** Minutes from one instant to another. */
export const minutesBetween = (from, to) => (new Date(to) - new Date(from)) / MINUTE;
