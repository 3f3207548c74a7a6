// Ticks and names of two axes around a plane. They are text of the page, not of the drawing: as large in a small plane.

import { drawn, element, fixed } from "./dom.js";

/** @typedef {{x: number[], y: number[]}} Ticks */

/**
 * @param {import("./drag_plane.js").DragPlane} plane
 * @param {Ticks} ticks
 * @param {{x: string, y: string}} names
 */
export function withAxes(plane, ticks, names) {
  const { x, y } = plane.range;
  const below = ticks.x.map((at) => tickLabel(at, "left", 50 + (50 * at) / x));
  const beside = ticks.y.map((at) => tickLabel(at, "top", 50 - (50 * at) / y));
  // Of the plane a screen reader hears the points with their places, and the table: without the scales they are whole.
  return element(
    "div",
    { class: "chart" },
    element("div", { class: "axis-title upright", "aria-hidden": "true" }, names.y),
    element("div", { class: "scale beside-plane", "aria-hidden": "true" }, ...beside),
    plane.root,
    element("div", { class: "scale below-plane", "aria-hidden": "true" }, ...below),
    element("div", { class: "axis-title", "aria-hidden": "true" }, names.x),
  );
}

/** @param {number} at @param {"left" | "top"} side @param {number} percent */
function tickLabel(at, side, percent) {
  return element("span", { style: `${side}: ${percent}%` }, fixed(at, 0));
}

/**
 * Lines across the plane at the ticks, the axes themselves darker.
 * @param {import("./drag_plane.js").DragPlane} plane
 * @param {Ticks} ticks
 */
export function gridOf({ range: { x, y } }, ticks) {
  /** @param {number} at */
  const name = (at) => (at ? "grid" : "grid zero");
  return [
    ...ticks.x.map((at) => drawn("line", { x1: at, y1: -y, x2: at, y2: y, class: name(at) })),
    ...ticks.y.map((at) => drawn("line", { x1: -x, y1: -at, x2: x, y2: -at, class: name(at) })),
  ];
}
