// The live feed: server-sent events read with fetch, since EventSource can send no key.

import { request } from "./api.js";

const SILENCE = 45_000; // ms without a byte, three pings, after which the connection is taken for dead
const LONGEST_WAIT = 30_000; // ms between tries
// A browser has six connections to a host for all its tabs: a page nobody looks at lets go of its own and looks in
// from time to time. Resuming by id, it misses nothing.
const HIDDEN_STAY = 30_000;
const HIDDEN_PAUSE = 60_000;

/** Bytes in, events out, as the WHATWG's event stream format says. */
export class Frames {
  #rest = "";
  #event = "";
  #data = [];
  #decoder = new TextDecoder();
  lastId = null;

  /** The events that the bytes complete: {event, id, data}. */
  feed(bytes) {
    const found = [];
    let text = this.#rest + this.#decoder.decode(bytes, { stream: true });
    // A line feed that may follow belongs to this line end: wait for it.
    const held = text.endsWith("\r") ? "\r" : "";
    if (held) text = text.slice(0, -1);
    const lines = text.split(/\r\n|\n|\r/);
    this.#rest = lines.pop() + held;
    for (const line of lines) {
      const event = this.#line(line);
      if (event) found.push(event);
    }
    return found;
  }

  #line(line) {
    if (line === "") return this.#complete();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.lastId = value;
    return null;
  }

  #complete() {
    const event = this.#event || "message";
    const data = this.#data.join("\n");
    this.#event = "";
    const any = this.#data.length > 0 || event !== "message";
    this.#data = [];
    return any ? { event, id: this.lastId, data } : null;
  }
}

/** Follow the alerts for ever. `onOpen(resumed)`, `onEvent(frame)`, `onState("live" | "away")`. */
export async function follow({ onOpen, onEvent, onState }) {
  let lastId = null;
  let tries = 0;
  for (;;) {
    try {
      await once(lastId, (frames, resumed) => {
        tries = 0;
        onState("live");
        onOpen(resumed);
        return (frame) => {
          lastId = frames.lastId ?? lastId;
          onEvent(frame);
        };
      });
    } catch {
      // Whatever ended it, the answer is to connect again, later each time.
      onState("away");
    }
    tries += 1;
    if (document.hidden) await pause(HIDDEN_PAUSE, true);
    else await pause(Math.min(LONGEST_WAIT, 500 * 2 ** tries) * (0.5 + Math.random() / 2), false);
  }
}

async function once(lastId, opened) {
  const stop = new AbortController();
  const headers = { Accept: "text/event-stream" };
  if (lastId) headers["Last-Event-ID"] = lastId;
  let silence = setTimeout(() => stop.abort(), SILENCE);
  const glance = setInterval(() => document.hidden && stop.abort(), HIDDEN_STAY);
  try {
    const answer = await request("v1/alerts/stream", { headers, signal: stop.signal });
    const frames = new Frames();
    const take = opened(frames, lastId !== null);
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => stop.abort(), SILENCE);
      frames.feed(value).forEach(take);
    }
  } finally {
    clearTimeout(silence);
    clearInterval(glance);
    stop.abort();
  }
}

/** Wait; where `wake`, only until the page is looked at again. */
function pause(ms, wake) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    if (wake) document.addEventListener("visibilitychange", done, { once: true });
    function done() {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", done);
      resolve();
    }
  });
}
