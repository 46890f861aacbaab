// What an expectation is made of. The level is a count; what follows are factors on it, and their product is expected.

import { h, said } from "./dom.js";
import { number } from "./format.js";
import { maybe } from "./words.js";

/** A list of what the calendar and the volume of everything made of the usual level. */
export const factors = (contributions, expected) => h("dl", { class: "factors" }, Object.entries(contributions).map(factor), factor(["expected", expected]));

const factor = ([name, value]) =>
  h("div", {}, h("dt", {}, maybe(`factor.${name}`) ?? said(name)), h("dd", {}, `${{ level: "", expected: "= " }[name] ?? "× "}${number(value, 2)}`));
