// Elements of a page, made in one line.

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number | boolean>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "boolean") made.toggleAttribute(name, value);
    else made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/**
 * The same within an `svg`.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/**
 * Writes only what changes: to write the same words again would have the browser lay them out again.
 * @param {Element} place
 * @param {string} words
 */
export function put(place, words) {
  if (place.textContent !== words) place.textContent = words;
}

/**
 * The same of an attribute.
 * @param {Element} place
 * @param {string} name
 * @param {string} value
 */
export function putAttribute(place, name, value) {
  if (place.getAttribute(name) !== value) place.setAttribute(name, value);
}

/**
 * What may be wider than its place and is then scrolled, by keyboard too.
 * @param {string} words what it is
 * @param {...(Node | string)} children
 */
export function scrolled(words, ...children) {
  return element("div", { class: "scrolled", tabindex: 0, role: "region", "aria-label": words }, ...children);
}

/**
 * A table with these heads, to be filled in its body.
 * @param {string} words what it shows
 * @param {string[]} heads
 */
export function table(words, heads) {
  const body = element("tbody", {});
  const head = element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name)));
  return { root: scrolled(words, element("table", {}, element("thead", {}, head), body)), body };
}

/**
 * Leaves keys typed in a control to it: JupyterLab would take them for commands unless the focused element says this.
 * @param {HTMLElement} area
 */
export function keepKeys(area) {
  area.addEventListener("focusin", ({ target }) => {
    if (target instanceof Element) target.setAttribute("data-lm-suppress-shortcuts", "true");
  });
}

/**
 * `value.toFixed(digits)` with a true minus, and 0 has no sign.
 * @param {number} value
 * @param {number} digits
 */
export function fixed(value, digits) {
  const shown = value.toFixed(digits);
  return Number(shown) ? minus(shown) : shown.replace("-", "");
}

/** A number's hyphen as a minus, which is as wide as a digit and not passed over when it is read aloud. @param {string} number */
export function minus(number) {
  return number.replace("-", "−");
}

const WHOLE = new Intl.NumberFormat("en-US"); // one for all: a table has a hundred numbers

/** @param {number} count */
export function whole(count) {
  return WHOLE.format(count);
}

/** @param {number} count @param {string} noun */
export function counted(count, noun) {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}
