// Controls that several widgets have: one of a few, a number, yes or no.

import { element } from "./dom.js";

/**
 * One of a few, as radio buttons: arrows move among them.
 * @param {string} legend
 * @param {[value: string, words: string][]} options
 * @param {string} chosen value
 * @param {(value: string) => void} changed
 */
export function oneOf(legend, options, chosen, changed) {
  const group = `crn-${Math.random().toString(36).slice(2)}`;
  const boxes = options.map(([value]) => {
    const box = element("input", { type: "radio", name: group, value, checked: value === chosen });
    box.addEventListener("change", () => changed(value));
    return box;
  });
  const labels = boxes.map((box, number) => element("label", {}, box, options[number][1]));
  return element("fieldset", {}, element("legend", {}, legend), ...labels);
}

/**
 * A number on a slider, shown beside it.
 * @param {string} words
 * @param {{min: number, max: number, step?: number, value: number}} range
 * @param {(value: number) => void} changed
 * @param {(value: number) => string} [shown]
 */
export function slider(words, { min, max, step = 1, value }, changed, shown = String) {
  const input = element("input", { type: "range", min, max, step, value });
  const values = Array.from({ length: Math.round((max - min) / step) + 1 }, (_, place) => min + place * step);
  const widest = Math.max(...values.map((one) => shown(one).length)); // so that the slider stays as wide as it is
  const output = element("output", { style: `--widest: ${widest}ch` }, shown(value));
  const root = element("label", { class: "range" }, element("span", {}, words), input, output);
  const show = () => {
    output.textContent = shown(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  show();
  input.addEventListener("input", () => {
    show();
    changed(Number(input.value));
  });
  /** @param {number} to without telling anybody */
  const put = (to) => {
    input.value = String(to);
    show();
  };
  return { root, input, put };
}

/**
 * @param {string} words
 * @param {boolean} checked
 * @param {(checked: boolean) => void} changed
 */
export function tick(words, checked, changed) {
  const input = element("input", { type: "checkbox", checked });
  input.addEventListener("change", () => changed(input.checked));
  return { root: element("fieldset", {}, element("label", {}, input, words)), input };
}

/**
 * @param {string} words
 * @param {() => void} pushed
 */
export function button(words, pushed) {
  const made = element("button", { type: "button" }, words);
  made.addEventListener("click", pushed);
  return made;
}
