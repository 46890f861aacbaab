// The help: keys, marks, words. And the question for a key of the service.

import { ask, h } from "./dom.js";
import { form } from "./deeds.js";
import { severity } from "./marks.js";
import { recall, remember } from "./store.js";
import { t } from "./words.js";

const KEYS = [
  ["j", "k", "help.next"],
  ["Enter", "help.open"],
  ["u", "help.back"],
  ["a", "help.acknowledge"],
  ["s", "help.snooze"],
  ["n", "help.new"],
  ["/", "help.search"],
  ["1", "2", "3", "4", "help.go"],
  ["?", "help.help"],
];

/** Whether single keys do something; a person may turn them off (WCAG 2.1.4). */
export const keysOn = () => recall("keys") !== "off";

export function showHelp() {
  return ask(t("help.title"), (close) => {
    const on = h("input", { type: "checkbox", checked: keysOn() });
    on.addEventListener("change", () => remember("keys", on.checked ? null : "off"));
    const line = (row) => h("div", {}, h("dt", {}, row.slice(0, -1).map((key) => h("kbd", {}, key))), h("dd", {}, t(row.at(-1))));
    const mark = (grade) => h("div", {}, h("dt", {}, severity(grade)), h("dd", {}, t(`help.${grade}`)));
    return h(
      "div",
      { class: "help" },
      h("dl", {}, KEYS.map(line)),
      h("label", { class: "choice" }, on, t("help.keys")),
      h("h3", {}, t("help.marks")),
      h("dl", { class: "wide" }, ["critical", "warning", "info"].map(mark)),
      h("p", { class: "muted small" }, t("help.words")),
      h("div", { class: "buttons" }, h("button", { type: "button", class: "primary", autofocus: true, on: { click: () => close(null) } }, t("help.done"))),
    );
  });
}

/** Ask for a key; `refused` says that the last one was not accepted. */
export function askForKey(refused) {
  return ask(t("key.title"), (close) => {
    const field = h("input", { type: "password", required: true, autocomplete: "off", spellcheck: "false" });
    const note = refused ? h("p", { class: "wrong", role: "alert" }, t("key.refused")) : null;
    return form([note, h("label", {}, t("key.label"), field), h("p", { class: "muted small" }, t("key.note"))].filter(Boolean), () => close(field.value.trim() || null), close, "key.send");
  });
}
