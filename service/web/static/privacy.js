// What is kept, how, how long, and who looked: in plain words.

import { readAccess, readPrivacy } from "./api.js";
import { h, said } from "./dom.js";
import { moment, number } from "./format.js";
import { failure, failureLine, waiting } from "./marks.js";
import { spoken, t } from "./words.js";

const KEYLESS = "nobody asked"; // as the service writes down who looked where keys are not asked for

/** The view for everybody who asks what Tocsin watches. */
export class Privacy {
  constructor() {
    this.node = h("section", { class: "privacy" }, waiting());
    this.#load();
  }

  get title() {
    return t("privacy.title");
  }

  key() {
    return false;
  }

  async #load() {
    try {
      this.#draw(await readPrivacy());
    } catch (problem) {
      this.node.replaceChildren(failure(problem, () => this.#load()));
    }
  }

  #draw({ kept, agents, looks }) {
    const looked = h("div", {}, h("p", { class: "muted" }, t("loading")));
    readAccess().then(
      (found) => looked.replaceChildren(found.looks.length ? h("ul", { class: "dead" }, found.looks.map((one) => h("li", {}, moment(one.at), said(one.who === KEYLESS ? t("privacy.keyless") : one.who), said(t(`privacy.did.${one.what}`)), said(one.about)))) : t("privacy.nobody")),
      (problem) => looked.replaceChildren(problem.status === 403 ? t("privacy.looks", { n: number(looks) }) : failureLine(problem)),
    );
    const row = (one) => h("tr", {}, h("th", { scope: "row" }, one.what[spoken()]), h("td", {}, one.how[spoken()]), h("td", {}, one.days === null ? t("privacy.open") : t("privacy.days", { n: one.days })));
    const head = ["privacy.what", "privacy.how", "privacy.long"].map((name) => h("th", { scope: "col" }, t(name)));
    const groups = agents.groups.length ? t("privacy.groups", { names: agents.groups.join(", "), n: agents.least }) : t("privacy.agents");
    this.node.replaceChildren(
      h("h1", {}, t("privacy.title")),
      h("p", {}, t("privacy.never")),
      h("p", {}, groups),
      h("table", { class: "figures" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, kept.map(row))),
      h("p", { class: "muted small" }, t("privacy.erase")),
      h("section", { class: "block" }, h("h2", {}, t("privacy.who")), looked),
    );
  }
}
