// The page: its frame, its views by the address after #, its keys, and the live feed that all views share.

import { AlertView } from "./alert.js";
import { AlertBook } from "./alerts.js";
import { askAgain, readStatus, whenKeyIsNeeded } from "./api.js";
import { h } from "./dom.js";
import { Feed } from "./feed.js";
import { scaled } from "./gauges.js";
import { span, when, zone } from "./format.js";
import { Health } from "./health.js";
import { Indicators } from "./indicators.js";
import { Privacy } from "./privacy.js";
import { askForKey, keysOn, showHelp } from "./help.js";
import { Settings } from "./settings.js";
import { recall, remember } from "./store.js";
import { follow } from "./stream.js";
import { Topics } from "./topics.js";
import { switchLanguage, t } from "./words.js";

const STATUS_EVERY = 30_000; // ms between questions for the service's state
const SLOW = 15 * 60; // seconds behind, three buckets, from which the page says that judging is late
const THEMES = ["auto", "light", "dark"];
const PLACES = [
  ["#/", "app.alerts"],
  ["#/topics", "app.topics"],
  ["#/indicators", "app.indicators"],
  ["#/health", "app.health"],
  ["#/settings", "app.settings"],
];

const frame = {
  head: h("header", { class: "top" }),
  banner: h("div", { class: "banner", role: "status", hidden: true }),
  main: h("main", { id: "main", tabindex: "-1" }),
  foot: h("footer", { class: "muted" }),
  live: h("span", { class: "live", role: "status" }),
  nav: h("nav", {}),
};

const world = { book: new AlertBook(), status: null, home: "#/", go, reload, counted, askStatus };
let link = "connecting";
let view = null;
let feed = null;
let scrolled = 0;
let current = null;

function begin() {
  const skip = h("a", { class: "skip", href: "#main", on: { click: (event) => (event.preventDefault(), frame.main.focus()) } }, t("app.skip"));
  document.body.append(skip, frame.head, frame.banner, frame.main, frame.foot);
  whenKeyIsNeeded(askForKey);
  feed = new Feed(world);
  dress();
  history.scrollRestoration = "manual";
  window.addEventListener("hashchange", route);
  window.addEventListener("keydown", onKey);
  route();
  // The list is read once the stream is open, so that nothing falls between them.
  follow({ onOpen: (resumed) => resumed || reload(), onEvent: heard, onState: linked });
  keepStatus();
}

/** Everything around the views, in the language now spoken. */
function dress() {
  const theme = recall("theme") ?? "auto";
  const button = (text, hint, click, kind) => h("button", { type: "button", class: `plain ${kind}`, title: hint, "aria-label": hint, on: { click } }, text);
  frame.nav.setAttribute("aria-label", t("app.main"));
  frame.nav.replaceChildren(...PLACES.map(([href, name]) => h("a", { href }, t(name))));
  frame.head.replaceChildren(
    h("a", { class: "brand", href: "#/", "aria-label": "Tocsin" }, h("img", { src: bell(), alt: "", width: 22, height: 22 }), h("b", {}, "Tocsin")),
    frame.nav,
    frame.live,
    h(
      "div",
      { class: "tools" },
      button(t("app.language"), t("app.language.hint"), turnLanguage, "language"),
      button({ auto: "◐", light: "☀", dark: "☾" }[theme], t(`app.theme.${theme}`), turnTheme, "theme"),
      button("?", t("app.help"), showHelp, "helper"),
    ),
  );
  frame.foot.replaceChildren(t("app.zone", { zone: zone() }), world.status?.version ? ` · ${t("app.version", { version: world.status.version })}` : "", " · ", h("a", { href: "#/privacy" }, t("app.privacy")));
  document.querySelector(".skip").replaceChildren(t("app.skip"));
  linked(link);
  markPlace();
  showBanner();
}

const bell = () => document.querySelector('link[rel="icon"]').href;

function turnLanguage() {
  switchLanguage();
  dress();
  feed.rebuild();
  if (view !== feed) {
    current = null;
    route();
  }
  document.querySelector(".language").focus();
}

function turnTheme() {
  const next = THEMES[(THEMES.indexOf(recall("theme") ?? "auto") + 1) % THEMES.length];
  remember("theme", next === "auto" ? null : next);
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  dress();
  document.querySelector(".theme").focus();
}

/** Go to a place of the page; `replace` leaves no trace in the history. */
function go(hash, { replace = false } = {}) {
  if (!replace) return (location.hash = hash);
  history.replaceState(null, "", hash);
  return route();
}

function route() {
  const [path, query = ""] = (location.hash.slice(1) || "/").split("?");
  const wanted = new URLSearchParams(query);
  if (view === feed && path !== "/") scrolled = window.scrollY;
  const [, place, id] = path.split("/");
  if (!place) {
    const back = view !== feed;
    world.home = location.hash || "#/";
    enter(feed, "/");
    feed.show(wanted);
    if (back) window.scrollTo({ top: scrolled });
  } else if (path !== current) {
    if (place === "alerts" && id) enter(new AlertView(world, decode(id)), path);
    else if (place === "topics") enter(new Topics(world, wanted), path);
    else if (place === "settings") enter(new Settings(), path);
    else if (place === "indicators") enter(new Indicators(), path);
    else if (place === "privacy") enter(new Privacy(), path);
    else if (place === "health") enter(new Health(world), path);
    else return go("#/", { replace: true });
    window.scrollTo({ top: 0 });
  }
  markPlace();
  counted();
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function enter(next, path) {
  current = path;
  if (view === next) return;
  view?.leave?.();
  const first = view === null;
  view = next;
  frame.main.replaceChildren(next.node);
  if (!first) frame.main.focus({ preventScroll: true });
}

function markPlace() {
  const here = `#/${(location.hash.slice(2) || "").split(/[/?]/)[0].replace("alerts", "")}`;
  for (const place of frame.nav.children) {
    if (place.getAttribute("href") === here) place.setAttribute("aria-current", "page");
    else place.removeAttribute("aria-current");
  }
}

/** The title tells what waits, for a tab in the back. */
function counted() {
  const waiting = feed?.pending ?? 0;
  const title = view && view !== feed ? view.title : null;
  document.title = `${waiting ? `(${waiting}) ` : ""}${title ? `${title} · ` : ""}Tocsin`;
}

async function reload(asked = false) {
  if (asked) askAgain();
  try {
    await world.book.load();
  } catch (problem) {
    feed.failed(problem);
  }
}

function heard(frame) {
  if (frame.event === "resync") return reload();
  let told = null;
  try {
    told = JSON.parse(frame.data);
  } catch {
    return null;
  }
  if (told?.alert?.alert_id) world.book.take(scaled(told.alert));
  return null;
}

function linked(state) {
  if (state === "away" && !world.book.loaded) reload();
  link = state;
  frame.live.dataset.state = state;
  frame.live.replaceChildren(t(`live.${state}`));
}

async function askStatus() {
  world.status = await readStatus();
  showBanner();
  return world.status;
}

async function keepStatus() {
  try {
    if (!document.hidden) {
      const known = world.status?.version;
      await askStatus();
      if (world.status.version !== known) dress();
    }
  } catch {
    // The live sign already tells that the service is away.
  }
  setTimeout(keepStatus, STATUS_EVERY);
}

/** What everyone should know now: blind, late, or still learning. */
function showBanner() {
  const { blind = [], lag_seconds: lag = 0, learning_until: learning } = world.status ?? {};
  const last = Array.isArray(blind) ? blind.at(-1) : null;
  const texts = [];
  if (last && Date.now() - Date.parse(last.to ?? last.end) < 86_400_000) texts.push(t("banner.blind", { from: when(last.from ?? last.start), to: when(last.to ?? last.end) }));
  if (lag > SLOW) texts.push(t("banner.lag", { span: span(lag / 60) }));
  if (learning && Date.parse(learning) > Date.now()) texts.push(t("banner.learning", { at: when(learning) }));
  frame.banner.hidden = texts.length === 0;
  frame.banner.replaceChildren(texts.join(" "));
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing && event.key === "Escape") return typing.blur();
  if (typing || document.querySelector("dialog[open]") || !keysOn()) return;
  const place = PLACES[Number(event.key) - 1];
  if (event.key === "?") showHelp();
  else if (place) go(place[0]);
  else if (!view.key(event.key)) return;
  event.preventDefault();
}

begin();
