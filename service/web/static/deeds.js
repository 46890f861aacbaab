// What people do about an alert: acknowledge, snooze, close, judge. Each asks what it must, sends, and says what came of it.

import { acknowledge, assign, comment, judge, readAlert, resolve, snooze, unjudge } from "./api.js";
import { ask, h, toast } from "./dom.js";
import { span, when } from "./format.js";
import { failureLine } from "./marks.js";
import { recall, remember } from "./store.js";
import { t } from "./words.js";

const NAME = 80; // characters of a name
const NOTE = 1000; // characters of a note

/** Do `deed` for the alert of that id; the book takes the answer. Resolves to whether it was done. */
export async function act(deed, id, book) {
  try {
    const row = await DEEDS[deed](id);
    if (!row) return false;
    book.take(row.alert_id ? row : await readAlert(id));
    const until = row.facts?.snoozed_until;
    toast(t(`act.${deed}.done`, { at: until ? when(until) : "" }));
    return true;
  } catch (problem) {
    toast(failureLine(problem), true);
    return false;
  }
}

const DEEDS = {
  acknowledge: async (id) => {
    const by = await personsName();
    return by && acknowledge(id, by);
  },
  assign: async (id) => {
    const to = await askWhom();
    return to && assign(id, to.name || null, recall("name") ?? null);
  },
  comment: async (id) => {
    const by = await personsName();
    return by && withNote("act.comment.title", "act.comment.label", (note) => note && comment(id, note, by));
  },
  snooze: async (id) => {
    const until = await askUntil();
    return until && snooze(id, until);
  },
  resolve: async (id) => withNote("act.resolve.title", "act.note", (note) => resolve(id, note)),
  real: async (id) => withNote("act.real.title", "act.note", (note) => judge(id, "real", note)),
  noise: async (id) => withNote("act.noise.title", "act.note.noise", (note) => judge(id, "noise", note)),
  unjudge: (id) => unjudge(id),
};

/** The person's name, asked once. */
async function personsName() {
  const known = recall("name");
  if (known) return known;
  const name = await ask(t("act.name.title"), (close) => {
    const field = h("input", { type: "text", required: true, maxlength: NAME, autocomplete: "name", "aria-label": t("act.name.title") });
    return form([h("label", {}, t("act.name.label"), field)], () => close(field.value.trim()), close);
  });
  if (name) remember("name", name);
  return name;
}

function askWhom() {
  return ask(t("act.assign.title"), (close) => {
    const field = h("input", { type: "text", maxlength: NAME, value: recall("name") ?? "" });
    return form([h("label", {}, t("act.assign.label"), field)], () => close({ name: field.value.trim() }), close);
  });
}

async function withNote(title, label, send) {
  const note = await ask(t(title), (close) => {
    const field = h("textarea", { rows: 3, maxlength: NOTE });
    return form([h("label", {}, t(label), field)], () => close({ text: field.value.trim() }), close);
  });
  return note && send(note.text || null);
}

function askUntil() {
  return ask(t("act.snooze.title"), (close) => {
    const tomorrow = new Date();
    tomorrow.setDate(tomorrow.getDate() + 1);
    tomorrow.setHours(9, 0, 0, 0);
    const at = h("input", { type: "datetime-local", value: local(tomorrow), "aria-label": t("act.snooze.at") });
    const ways = [
      ...[60, 240, 1440].map((n) => [String(n), t("act.snooze.minutes", { span: span(n) })]),
      ["tomorrow", t("act.snooze.tomorrow")],
    ];
    const radio = (value, label, checked) =>
      h("label", { class: "choice" }, h("input", { type: "radio", name: "until", value, checked }), label);
    const own = radio("at", t("act.snooze.at"), false);
    own.append(at);
    at.addEventListener("input", () => (own.firstChild.checked = true));
    const fields = [...ways.map(([value, label], i) => radio(value, label, i === 0)), own];
    const send = (sheet) => {
      const chosen = new FormData(sheet).get("until");
      if (chosen !== "at" && chosen !== "tomorrow") return close({ minutes: Number(chosen) });
      const until = chosen === "tomorrow" ? tomorrow : new Date(at.value);
      if (until > new Date()) return close({ until: until.toISOString() });
      at.setCustomValidity(t("act.snooze.past"));
      at.reportValidity();
      at.addEventListener("input", () => at.setCustomValidity(""), { once: true });
    };
    return form([h("fieldset", { class: "choices" }, h("legend", { class: "hidden" }, t("act.snooze.title")), fields)], send, close);
  });
}

/** What a datetime-local field takes: local time to the minute. */
export function local(date) {
  const two = (n) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** A form with its two buttons; `send` is called with it. Enter in a field sends, Esc leaves. */
export function form(fields, send, close, label = "act.send") {
  const sheet = h(
    "form",
    {},
    fields,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", class: "plain", on: { click: () => close(null) } }, t("act.cancel")),
      h("button", { type: "submit", class: "primary" }, t(label)),
    ),
  );
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    send(sheet);
  });
  sheet.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.tagName === "TEXTAREA") sheet.requestSubmit();
  });
  return sheet;
}
