// What people do to topics: rename, mute, merge, split, take out again. Each asks what it must, sends, and says what came of it.

import { doToTopic, readParts } from "./api.js";
import { ask, h, said, toast } from "./dom.js";
import { form } from "./deeds.js";
import { number } from "./format.js";
import { failureLine } from "./marks.js";
import { recall } from "./store.js";
import { LANGUAGES, locale, t, topicName } from "./words.js";

const NAME = 60; // characters, as the service takes them

/** Do `deed` to a topic, one of `topics`; resolves to whether it was done. */
export async function changeTopic(deed, topic, topics = []) {
  try {
    const body = await (ASKS[deed] ?? nothing)(topic, topics);
    if (!body) return false;
    const answer = await doToTopic(topic.id, deed, { ...body, by: recall("name") ?? null });
    toast(t(`topics.${deed}.done`, { id: answer.id }));
    return true;
  } catch (problem) {
    toast(failureLine(problem), true);
    return false;
  }
}

/** Say of two topics that they are two issues. */
export const keepApart = (one, other) => send(one, "apart", { other: other.id });

/** Make one topic of two. */
export const mergeInto = (one, other) => send(one, "merge", { into: other.id });

async function send(topic, deed, body) {
  try {
    await doToTopic(topic.id, deed, { ...body, by: recall("name") ?? null });
    toast(t(`topics.${deed}.done`));
    return true;
  } catch (problem) {
    toast(failureLine(problem), true);
    return false;
  }
}

const nothing = async () => ({});

const ASKS = {
  rename: (topic) =>
    ask(t("topics.rename.title"), (close) => {
      const fields = LANGUAGES.map((one) => h("label", {}, t(`topics.name.${one}`), h("input", { type: "text", name: one, maxlength: NAME, value: topic.names[one] ?? "", placeholder: topic.labels[one] ?? "" })));
      const sent = (sheet) => {
        const names = [...new FormData(sheet)].map(([language, name]) => [language, name.trim()]).filter(([, name]) => name);
        close({ names: Object.fromEntries(names) });
      };
      return form([...fields, h("p", { class: "muted small" }, t("topics.rename.note"))], sent, close);
    }),
  merge: (topic, topics) =>
    ask(t("topics.merge.title"), (close) => {
      const others = topics.filter((one) => one.id !== topic.id && one.state !== "retired");
      others.sort((one, other) => topicName(one).localeCompare(topicName(other), locale()));
      const field = h("select", {}, others.map((one) => h("option", { value: one.id }, `${topicName(one)} (${one.id})`)));
      const note = h("p", { class: "muted small" }, t("topics.merge.note", { topic: topicName(topic) }));
      return form([h("label", {}, t("topics.merge.into"), field), note], () => close({ into: field.value }), close, "topics.merge.send");
    }),
  split: async (topic) => {
    const { parts, messages } = await readParts(topic.id);
    return ask(t("topics.split.title"), (close) => {
      const names = ["topics.split.rest", "topics.split.part"];
      return form([h("div", { class: "parts" }, parts.map((one, i) => part(one, names[i])))], () => close({ messages }), close, "topics.split.send");
    });
  },
};

const part = (one, name) =>
  h("section", {}, h("h3", {}, t(name)), h("p", {}, h("b", {}, said(topicName(one))), " ", h("span", { class: "muted small" }, t("topics.split.size", { n: number(one.size) }))), h("ul", { class: "examples" }, one.exemplars.map((shown) => h("li", {}, said(shown.text)))));
