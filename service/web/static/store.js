// What the browser remembers for the person; where storage is shut off, for as long as the page is open.

const held = new Map();

function open(kind) {
  try {
    return globalThis[kind];
  } catch {
    return null;
  }
}

function read(kind, name) {
  try {
    return open(kind)?.getItem(`tocsin.${name}`) ?? held.get(name) ?? null;
  } catch {
    return held.get(name) ?? null;
  }
}

function write(kind, name, value) {
  if (value === null) held.delete(name);
  else held.set(name, value);
  try {
    if (value === null) open(kind)?.removeItem(`tocsin.${name}`);
    else open(kind)?.setItem(`tocsin.${name}`, value);
  } catch {
    // Full or shut off: `held` has it.
  }
}

/** For good: language, theme, the person's name. */
export const recall = (name) => read("localStorage", name);
export const remember = (name, value) => write("localStorage", name, value);

/** Until the tab is closed: the key. */
export const recallHere = (name) => read("sessionStorage", name);
export const rememberHere = (name, value) => write("sessionStorage", name, value);
