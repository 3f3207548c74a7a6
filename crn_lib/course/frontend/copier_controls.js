// What the copier is worked with: a field, buttons, a slider, ticks; and where it answers in words.

import { element, table } from "./dom.js";

/** @typedef {import("./copier_panel.js").CopierPanel} CopierPanel */

/** @typedef {ReturnType<typeof makeControls>} Controls */

const LEGEND =
  "height of a bar: how sure the model was · ■ the end · a column of colour: one row of memory, blue above 0, orange below";

/**
 * Puts everything into the root, the panels in the middle.
 * @param {HTMLElement} root
 * @param {CopierPanel[]} panels
 * @param {number} longest letters
 */
export function makeControls(root, panels, longest) {
  const field = element("input", {
    type: "text",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    placeholder: `1 to ${longest} letters`,
  });
  const play = element("button", { type: "button", class: "play" }, "▶ Play");
  const back = element("button", { type: "button" }, "◂ Back");
  const step = element("button", { type: "button" }, "Step ▸");
  const slider = element("input", { type: "range", min: 0, step: 1 });
  const answer = element("div", { class: "answer", role: "status" });
  const status = element("div", { class: "status", "aria-live": "polite" });
  const heads = ["to copy", ...panels.flatMap(({ name }) => [name, "sure", "bytes"])];
  const tokens = table("every token in numbers", heads);
  const numbers = element("details", {}, element("summary", {}, "every token in numbers"), tokens.root);
  const ticks = panels.map(({ kind }) => element("input", { type: "checkbox", checked: true, name: kind }));
  const choices = ticks.map((tick, number) => element("label", {}, tick, panels[number].name));
  const time = element("label", { class: "range" }, element("span", {}, "token"), slider);
  root.append(
    element("label", { class: "string" }, element("span", {}, "your string"), field),
    answer,
    element("div", { class: "buttons" }, play, back, step, time),
    status,
    element("div", { class: "panels" }, ...panels.map((panel) => panel.root)),
    element(
      "div",
      { class: "foot" },
      element("fieldset", {}, element("legend", {}, "models"), ...choices),
      element("span", {}, LEGEND),
    ),
    numbers,
  );
  return { field, play, back, step, slider, answer, status, tokens, numbers, ticks };
}
