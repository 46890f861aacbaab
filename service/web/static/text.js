// What customers wrote, made safe to show: every character is seen or named, none is obeyed.

// Controls, direction marks and overrides, invisible spaces and tags. Joiners (U+200C, U+200D) stay: scripts and emoji need them.
const UNSEEN =
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/gu;

/** The text with unseen characters named, as in ‹U+202E›, and every kind of line end made one. */
export function plain(value) {
  return String(value ?? "")
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replace(UNSEEN, (one) => `‹U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
}

/** The first `most` characters as people count them, with … where more follow. */
export function clip(value, most) {
  const text = String(value ?? "");
  if (text.length <= most) return text;
  const head = text.slice(0, most * 12); // an emoji with its joiners and tones is up to a dozen units
  const marks = globalThis.Intl?.Segmenter
    ? Array.from(new Intl.Segmenter().segment(head), (one) => one.segment)
    : Array.from(head);
  return marks.length <= most && head.length === text.length ? text : marks.slice(0, most).join("") + "…";
}

/** How many characters, by code point. */
export function length(value) {
  return Array.from(String(value ?? "")).length;
}
