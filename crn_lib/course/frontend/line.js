// Points that the reader places, and at every x what models that have read them predict, beside estimators. An anywidget
// front-end module; the static edition mounts it by `host.js`.

import { gridOf, withAxes } from "./axes.js";
import { button, tick } from "./controls.js";
import { counted, drawn, element, fixed, keepKeys, minus, put, table } from "./dom.js";
import { DragPlane } from "./drag_plane.js";
import { ESTIMATORS } from "./estimators.js";
import { InContext } from "./in_context.js";
import { SequenceModel } from "./model.js";

/** @typedef {import("./estimators.js").Example} Example */
/** @typedef {import("./estimators.js").Estimate} Estimate */

/**
 * @typedef {object} Curve
 * @property {string} name
 * @property {(examples: Example[]) => Estimate} fit
 * @property {number[]} xs where it is computed
 * @property {SVGPolylineElement} mark
 * @property {HTMLInputElement} box shows or hides it
 * @property {HTMLTableCellElement[]} cells its predictions at `NAMED`
 * @property {HTMLTableRowElement} row of the table
 */

const RANGE = { x: 2.5, y: 4 };
const TICKS = { x: [-2, -1, 0, 1, 2], y: [-3, -2, -1, 0, 1, 2, 3] };
const NAMED = [-2, 1, 2]; // x whose predictions stand in the table
const SAID = 1; // x whose predictions are said
const STEP = 0.01;
const MOST = 10;
// Parts of a unit between two x, powers of two, so that the x of the table are among them to the last digit. A model's
// curve is smooth, and each x costs a step; of the nearest neighbours the jumps should stand upright.
const [COARSE, FINE] = [8, 32];
const LEGEND =
  "The models read the points in the order of their numbers. Drag a point, or move it with the arrow keys (Shift: smaller " +
  "steps). Click or tap the empty plane to add one; Delete removes the one in focus.";

class Line {
  /** @param {import("./copier.js").Host} host @param {HTMLElement} root */
  constructor(host, root) {
    /** @type {[string, [number, number][]][]} */
    const settings = host.get("settings");
    const start = settings[settings.length - 1][1];
    this.chosen = start.length - 1;
    this.plane = new DragPlane(
      "points that the models read",
      RANGE,
      named(start.map(([x, y]) => ({ x, y }))),
      () => this.draw(),
      {
        step: STEP,
        clicked: (x, y) => this.add(x, y),
        taken: (number) => this.choose(number),
        deleted: (number) => this.remove(number),
      },
    );
    const heads = NAMED.map((x, place) => `${place ? "" : "y at "}x\u00a0=\u00a0${minus(String(x))}`);
    const { root: numbers, body } = table("predictions of every curve", ["curve", ...heads]);
    /** @type {Curve[]} */
    this.curves = [
      ...host.get("models").map((/** @type {any} */ about) => {
        const read = new InContext(new SequenceModel(about.weights));
        return curve(
          { ...about, dash: "model", fit: (/** @type {Example[]} */ examples) => read.fit(examples) },
          COARSE,
        );
      }),
      ...host
        .get("estimators")
        .map((/** @type {any} */ about) => curve({ ...about, fit: ESTIMATORS[about.name] }, FINE)),
    ];
    body.append(...this.curves.map(({ row }) => row));
    this.plane.draw(...gridOf(this.plane, TICKS), ...this.curves.map(({ mark }) => mark).reverse()); // models uppermost
    this.status = element("div", { class: "status", "aria-live": "polite" });
    this.more = button("add a point", () => this.add(...this.freePlace()));
    this.less = button("", () => this.remove(this.chosen));
    root.append(
      element("div", { class: "note" }, LEGEND),
      element(
        "div",
        { class: "buttons", role: "group", "aria-label": "points to begin with" },
        ...settings.map(([words, points]) => button(words, () => this.set(points))),
      ),
      element(
        "div",
        { class: "buttons", role: "group", "aria-label": "points" },
        this.more,
        this.less,
        button("reset", () => this.reset(start)),
      ),
      element("div", { class: "beside" }, withAxes(this.plane, TICKS, { x: "x", y: "y" }), numbers),
      this.status,
    );
    keepKeys(root);
    this.choose(this.chosen);
    this.draw();
  }

  /** @param {[number, number][]} points */
  set(points) {
    this.replace(
      points.map(([x, y]) => ({ x, y })),
      points.length - 1,
    );
  }

  /** @param {[number, number][]} start */
  reset(start) {
    for (const { box, mark } of this.curves) {
      box.checked = true;
      mark.toggleAttribute("hidden", false);
    }
    this.set(start);
  }

  /** @param {number} x @param {number} y */
  add(x, y) {
    const { points } = this.plane;
    if (points.length === MOST) return this.draw(`The models were trained to read ${MOST} points, and no more. `);
    this.replace([...points, { x, y }], points.length);
    this.plane.handles[this.chosen].focus();
  }

  /** @param {number} number of a point */
  remove(number) {
    const { points, handles } = this.plane;
    if (points.length === 1) return this.draw("The last point stays. ");
    const focused = document.activeElement;
    // With one point left the button is disabled, which would leave the focus nowhere.
    const held = focused === handles[number] || (focused === this.less && points.length === 2);
    this.replace(
      points.filter((_, place) => place !== number),
      Math.min(number, points.length - 2),
    );
    if (held) this.plane.handles[this.chosen].focus();
  }

  /** @param {Example[]} points @param {number} chosen */
  replace(points, chosen) {
    this.chosen = chosen;
    this.plane.replace(named(points));
    this.choose(chosen);
  }

  /** The point that the button removes. @param {number} number */
  choose(number) {
    const { handles, points } = this.plane;
    this.chosen = number;
    for (const [place, handle] of handles.entries()) handle.classList.toggle("chosen", place === number);
    put(this.less, `remove point ${number + 1}`);
    this.less.disabled = points.length === 1;
    this.more.disabled = points.length === MOST;
  }

  /**
   * Where a new point changes least: in the widest gap, on the line of least squares as far as the plane reaches. Where
   * that line leaves the plane, `DragPlane` puts the point at its edge.
   * @returns {[x: number, y: number]}
   */
  freePlace() {
    const { points } = this.plane;
    const edges = [-RANGE.x, ...points.map(({ x }) => x).sort((one, other) => one - other), RANGE.x];
    const gaps = edges.slice(1).map((to, place) => to - edges[place]);
    const widest = gaps.indexOf(Math.max(...gaps));
    /** @param {number} part of the gap */
    const within = (part) => edges[widest] + part * gaps[widest];
    // Not x = 0, where a point tells no slope: that is the middle between two points alike, and may be the first place.
    const x = Math.abs(within(0.4)) < STEP ? within(0.6) : within(0.4);
    return [x, ESTIMATORS["least squares"](points)(x)];
  }

  /** @param {string} [first] what is said before the numbers */
  draw(first = "") {
    const { points } = this.plane;
    /** @type {string[]} */
    const said = [];
    for (const { name, fit, xs, mark, cells } of this.curves) {
      const estimate = fit(points);
      const found = new Map(xs.map((x) => [x, estimate(x)]));
      const path = Array.from(found, ([x, y]) => `${x},${-y}`).join(" ");
      mark.setAttribute("points", Number.isFinite(found.get(SAID)) ? path : "");
      for (const [place, x] of NAMED.entries()) put(cells[place], shown(found.get(x)));
      said.push(`${name} ${shown(found.get(SAID))}`);
    }
    const level = points.findIndex(({ x }) => x === 0);
    const why = ` Point ${level + 1} has x = 0 and tells no slope: averaged projections has no answer.`;
    put(
      this.status,
      `${first}${counted(points.length, "point")}. At x = ${SAID}: ${said.join(", ")}.${level < 0 ? "" : why}`,
    );
  }
}

/** @param {Example[]} points */
function named(points) {
  return points.map(({ x, y }, place) => ({
    x,
    y,
    name: String(place + 1),
    words: `point ${place + 1}`,
    colour: "currentColor",
  }));
}

/** @param {number | undefined} value a prediction; no number where an estimator gives none */
function shown(value) {
  return value !== undefined && Number.isFinite(value) ? fixed(value, 2) : "none";
}

/**
 * @param {{name: string, colour: string, dash: string, fit: Curve["fit"]}} about
 * @param {number} parts of a unit
 * @returns {Curve}
 */
function curve({ name, colour, dash, fit }, parts) {
  const xs = Array.from({ length: 2 * RANGE.x * parts + 1 }, (_, place) => place / parts - RANGE.x);
  const style = `stroke: ${colour}`;
  const mark = drawn("polyline", { class: `curve ${dash}`, style, "data-curve": name });
  const sample = drawn("line", { class: `curve ${dash}`, style, x1: 1, y1: 5, x2: 33, y2: 5 });
  const key = drawn("svg", { class: "key", viewBox: "0 0 34 10", "aria-hidden": "true" }, sample);
  const { root, input: box } = tick(name, true, (checked) => mark.toggleAttribute("hidden", !checked));
  box.after(key);
  const cells = NAMED.map(() => element("td", {}));
  const row = element("tr", { "data-curve": name }, element("th", { scope: "row" }, root), ...cells);
  return { name, fit, xs, mark, box, cells, row };
}

/** @param {{model: import("./copier.js").Host, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-widget", "crn-line");
  new Line(model, el);
}

export default { render };
