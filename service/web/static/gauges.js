// Indicators on the page: figures in their own unit, shares in percent.

import { number, times } from "./format.js";
import { locale, maybe, t } from "./words.js";

const PERCENT = new Set(["share", "ratio"]);

/** Whether an indicator's figures are shown in percent. */
export const inPercent = (indicator) => PERCENT.has(indicator?.kind);

/** An alert with its figures as they are shown: those of shares and ratios times a hundred. Others stay as they are. */
export function scaled(alert) {
  if (!inPercent(alert.indicator)) return alert;
  const up = (one) => ({ ...one, observed: 100 * one.observed, expected: 100 * one.expected, upper_bound: 100 * one.upper_bound });
  const told = { ...up(alert), window: up(alert.window), indicator: { ...alert.indicator, unit: "%" } };
  if (alert.windows) told.windows = alert.windows.map(up);
  if (alert.curve) told.curve = alert.curve.map((one) => ({ ...one, observed: 100 * one.observed, expected: 100 * one.expected, upper: 100 * one.upper }));
  if (alert.spark) told.spark = { ...alert.spark, observed: alert.spark.observed.map((one) => 100 * one), upper: alert.spark.upper.map((one) => 100 * one) };
  return told;
}

/** A figure of an alert, scaled already: a count, or a figure of its indicator with the unit. */
export function figure(value, { indicator }) {
  return indicator ? withUnit(value, indicator) : number(value);
}

/** A figure as `/v1/indicators` gives it. */
export function shown(value, indicator) {
  if (value === null || value === undefined) return "–";
  return withUnit(inPercent(indicator) ? 100 * value : value, indicator);
}

function withUnit(value, indicator) {
  const text = new Intl.NumberFormat(locale(), { maximumSignificantDigits: 3 }).format(value);
  return inPercent(indicator) ? `${text}%` : `${text} ${unitOf(indicator)}`.trim();
}

/** An indicator's unit in the language shown. */
export const unitOf = ({ unit }) => maybe(`unit.${unit}`) ?? unit;

/** What an alert's observations are called: customers, or observations of its indicator. */
export const counted = (name, alert, values) => t(alert.indicator ? `gauge.${name}` : name, values);

/** What moved the usual level of an indicator: factors on it, of shares and ratios on its odds. */
export function moved(why, indicator) {
  const told = Object.entries(why).map(([name, times]) => `${maybe(`gauge.factor.${name}`) ?? maybe(`factor.${name}`) ?? name} × ${number(times, 2)}`);
  return told.join(" · ") + (inPercent(indicator) ? ` ${t("gauge.odds")}` : "");
}

/** How many times the usual an alert's figure is. */
export const timesUsual = ({ observed, expected, indicator }) => (indicator ? observed / expected : times(observed, expected));
