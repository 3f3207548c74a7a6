// Curves of the last training runs, one number of each against its steps.

import { drawn, element } from "./dom.js";

/** @typedef {import("./train_words.js").Run} Run */

const WIDTH = 360;
const HEIGHT = 200;
const LEFT = 44;
const RIGHT = 20;
const TOP = 10;
const BOTTOM = 36;
const COLOURS = 4;

export class Curve {
  /**
   * @param {string} name
   * @param {(run: Run) => number[]} values of a run's points
   * @param {number} highest
   * @param {(y: number) => string} shown
   */
  constructor(name, values, highest, shown) {
    this.name = name;
    this.values = values;
    this.highest = highest;
    this.shown = shown;
    this.svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    this.root = element("div", { class: "curve" }, element("strong", {}, name), this.svg);
  }

  /**
   * @param {Run[]} runs
   * @param {number} steps of the axis
   */
  draw(runs, steps) {
    const x = (/** @type {number} */ step) => LEFT + (step / steps) * (WIDTH - LEFT - RIGHT);
    const y = (/** @type {number} */ value) =>
      TOP + (1 - Math.min(value, this.highest) / this.highest) * (HEIGHT - TOP - BOTTOM);
    const halves = [0, 0.5, 1];
    const grid = halves.map((part) => {
      const at = y(part * this.highest);
      return [
        drawn("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at, class: "grid" }),
        drawn("text", { x: LEFT - 6, y: at + 4, "text-anchor": "end" }, this.shown(part * this.highest)),
        drawn("text", { x: x(part * steps), y: HEIGHT - 20, "text-anchor": "middle" }, String(part * steps)),
      ];
    });
    const lines = runs.map((run, place) => {
      const points = this.values(run).flatMap((value, number) => {
        return Number.isFinite(value) ? [[x(run.points[number].step), y(value)]] : [];
      });
      const [endX, endY] = points[points.length - 1] ?? [x(0), y(0)];
      const style = `line of-${run.number % COLOURS}${place === runs.length - 1 ? " newest" : ""}`;
      const number = points.length ? String(run.number) : "";
      return [
        drawn("polyline", { points: points.map((point) => point.join(",")).join(" "), class: style }),
        drawn("text", { x: endX + 5, y: endY + 4, class: "number" }, number),
      ];
    });
    const axis = drawn("text", { x: x(steps / 2), y: HEIGHT - 4, "text-anchor": "middle" }, "steps");
    this.svg.replaceChildren(...grid.flat(), axis, ...lines.flat());
    this.svg.setAttribute("aria-label", this.words(runs));
  }

  /** @param {Run[]} runs */
  words(runs) {
    const said = runs.map((run) => {
      const values = this.values(run);
      const [first, last] = [values[0], values[values.length - 1]];
      /** @param {number} value */
      const number = (value) => (this.highest === 1 ? `${Math.round(100 * value)}%` : value.toFixed(2));
      if (first === undefined) return `run ${run.number}: nothing yet`;
      return `run ${run.number}: from ${number(first)} to ${number(last)} in ${run.points[values.length - 1].step} steps`;
    });
    return `${this.name} against steps; ${said.join("; ") || "no run yet"}`;
  }
}
