// Make elements. Strings only ever become text nodes, through `plain`; nothing here takes markup.

import { plain } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `traits`: attributes; `on` holds listeners; null and false leave an attribute out. */
export function h(name, traits, ...children) {
  return fill(document.createElement(name), traits, children);
}

/** An SVG element, in the same way. */
export function s(name, traits, ...children) {
  return fill(document.createElementNS(SVG, name), traits, children);
}

/** What a customer wrote: text, isolated from the direction of what stands around it. */
export function said(text, traits) {
  return h("bdi", { class: "said", dir: "auto", ...traits }, String(text ?? ""));
}

/** A part that scrolls by itself, with the keys too; a `wide` one only sideways. */
export function scroll({ wide = false } = {}, ...children) {
  return h("div", { class: wide ? "scroll wide" : "scroll", tabindex: "0" }, ...children);
}

function fill(element, traits, children) {
  for (const [name, value] of Object.entries(traits ?? {})) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : plain(value));
    }
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child instanceof Node) element.append(child);
    else if (child !== null && child !== undefined && child !== false) element.append(plain(child));
  }
}

/** Whether the person is selecting text inside the element. */
export function selecting(element) {
  const chosen = document.getSelection();
  return Boolean(chosen && !chosen.isCollapsed && chosen.containsNode(element, true));
}

let notice = null;
let timer = 0;

/** Say something short at the foot of the page, to screen readers too. */
export function toast(text, wrong = false) {
  notice ??= document.body.appendChild(h("div", { class: "toast", role: "status", "aria-live": "polite" }));
  notice.replaceChildren(plain(text));
  notice.classList.toggle("wrong", wrong);
  notice.classList.add("seen");
  clearTimeout(timer);
  timer = setTimeout(() => notice.classList.remove("seen"), wrong ? 8000 : 3500);
}

let asked = 0;

/** A modal form. `build(close)` gives its children; resolves to what `close` was given, or null where left. */
export function ask(title, build) {
  return new Promise((resolve) => {
    let answer = null;
    const close = (value) => {
      answer = value;
      box.close();
    };
    const id = `ask-${(asked += 1)}`;
    const heading = h("h2", { id }, title);
    const box = h("dialog", { "aria-labelledby": id }, heading, build(close));
    box.addEventListener("close", () => {
      box.remove();
      resolve(answer);
    });
    box.addEventListener("pointerdown", (event) => event.target === box && box.close());
    document.body.append(box);
    box.showModal();
  });
}
