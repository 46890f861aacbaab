// An alert's evidence as files: JSON as the service gave it, Markdown for a supplier, CSV for a spreadsheet.

import { plain } from "./text.js";
import { number, span, times } from "./format.js";
import { t, topicName } from "./words.js";

/** Everything, as the service gave it. */
export const toJson = (alert) => JSON.stringify(alert, null, 2) + "\n";

// What a spreadsheet takes for the start of a formula, half-width and full-width (OWASP, CSV injection).
const FORMULA = /^[\s'"]*[=+\-@＝＋－＠\t\r\n|%]/u;

/** One cell: always quoted, and never a formula. */
export function cell(value) {
  const text = plain(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** The sample messages, one a line; a column for every attribute. With a mark so that Excel reads it as UTF-8. */
export function toCsv(alert) {
  const names = [...new Set(alert.samples.flatMap((one) => Object.keys(one.attributes)))].sort();
  const head = ["alert_id", "topic", "message_id", "source", "occurred_at", "order_id", "text", ...names];
  const rows = alert.samples.map((one) => [
    alert.alert_id,
    topicName(alert.topic),
    one.message_id,
    one.source,
    one.occurred_at,
    one.order_id ?? "",
    one.text,
    ...names.map((name) => one.attributes[name] ?? ""),
  ]);
  return "\uFEFF" + [head, ...rows].map((row) => row.map(cell).join(",") + "\r\n").join("");
}

/** Text that Markdown shows as it is: every sign of its own escaped, line ends made spaces. */
export function verbatim(value) {
  return plain(value)
    .replace(/\s*\n\s*/g, " ")
    .replace(/[!-/:-@[-`{-~]/g, (sign) => (sign === "<" ? "&lt;" : sign === "&" ? "&amp;" : `\\${sign}`));
}

/** What to send a supplier: what, how much, where from, in whose words. */
export function toMarkdown(alert) {
  const { window, culprits, samples } = alert;
  const line = (name, value) => `- ${t(name)}: ${value}`;
  const parts = [
    `# ${verbatim(topicName(alert.topic))}`,
    t("alert.headline", {
      observed: alert.observed,
      span: span(window.minutes),
      expected: number(alert.expected),
      bound: alert.upper_bound,
    }),
    `## ${t("md.figures")}`,
    [
      line("alert.id", `${verbatim(alert.alert_id)} (${t(`severity.${alert.severity}`)})`),
      line("md.window", `${window.start} – ${window.end}`),
      line("alert.since", alert.onset),
      line("alert.times", number(times(alert.observed, alert.expected), 1)),
      ...(alert.rates ?? []).map((one) => line("rate.title", [number(one.now, 1), one.before === null ? "" : `(${t("rate.before")} ${number(one.before, 1)})`, one.value === null ? t("rate.all") : `${one.attribute} ${one.value}`].filter(Boolean).join(" "))),
      line("alert.customers", `${alert.customers} (${t("alert.messages", { n: alert.messages })})`),
      line("alert.terms", alert.topic.terms.map(verbatim).join(", ")),
    ].join("\n"),
  ];
  if (culprits.length) parts.push(`## ${t("md.culprits")}`, culpritTable(culprits));
  if (samples.length) parts.push(`## ${t("md.samples")}`, samples.map(quotation).join("\n\n"));
  parts.push(`_${t("md.times")}_`);
  return parts.join("\n\n") + "\n";
}

function culpritTable(culprits) {
  const head = ["md.attribute", "md.value", "md.observed", "md.expected", "md.lift"].map((name) => t(name));
  const rows = culprits.map((one) => [verbatim(one.attribute), verbatim(one.value), one.observed, one.expected, one.lift]);
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function quotation(sample) {
  const attributes = Object.entries(sample.attributes).map(([name, value]) => `${name}=${value}`);
  const about = [sample.occurred_at, sample.source, sample.message_id, ...attributes].map(verbatim).join(", ");
  return `> ${verbatim(sample.text)}\n>\n> ${about}`;
}

const KINDS = {
  json: [toJson, "application/json"],
  md: [toMarkdown, "text/markdown;charset=utf-8"],
  csv: [toCsv, "text/csv;charset=utf-8"],
};

/** Save the evidence as a file of that kind. */
export function save(alert, kind) {
  const [write, type] = KINDS[kind];
  const address = URL.createObjectURL(new Blob([write(alert)], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `tocsin-${alert.alert_id.replace(/[^\w.-]+/g, "_")}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
