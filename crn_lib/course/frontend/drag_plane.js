// A plane with points that can be dragged, by mouse, finger or arrow keys, and a drawing under them. Points may be added
// to it and taken away.

import { drawn, element, fixed } from "./dom.js";

/** @typedef {{name: string, colour: string, words: string, x: number, y: number}} Point */

/**
 * @typedef {object} Options
 * @property {number} [step] of a point's places, which are whole multiples of it; an arrow key is ten, with Shift one
 * @property {(x: number, y: number) => void} [clicked] the empty plane was clicked or tapped
 * @property {(number: number) => void} [taken] a point was taken hold of or got the focus
 * @property {(number: number) => void} [deleted] Delete or Backspace was pressed on a point
 */

export class DragPlane {
  /**
   * @param {string} words what the plane is
   * @param {number | {x: number, y: number}} range the plane reaches so far to each side of its middle
   * @param {Point[]} points
   * @param {() => void} moved
   * @param {Options} [options]
   */
  constructor(words, range, points, moved, options = {}) {
    this.range = typeof range === "number" ? { x: range, y: range } : range;
    this.options = options;
    const { x, y } = this.range;
    this.marks = drawn("svg", {
      viewBox: `${-x} ${-y} ${2 * x} ${2 * y}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    });
    this.root = element("div", { class: "plane", role: "group", "aria-label": words }, this.marks);
    const { clicked } = options;
    if (clicked) {
      this.root.addEventListener("click", (event) => {
        // Not the end of a drag, which is a click on the handle.
        if (event.target instanceof Element && !event.target.closest(".point")) clicked(...this.placeOf(event));
      });
    }
    /** @type {Point[]} */
    this.points = [];
    /** @type {HTMLButtonElement[]} */
    this.handles = [];
    this.moved = () => {};
    this.replace(points);
    this.moved = moved;
  }

  /** @param {MouseEvent} event @returns {[x: number, y: number]} */
  placeOf(event) {
    const box = this.root.getBoundingClientRect();
    const { x, y } = this.range;
    const across = (2 * (event.clientX - box.left)) / box.width - 1;
    const down = (2 * (event.clientY - box.top)) / box.height - 1;
    return [across * x, -down * y];
  }

  /** Other points in place of all. @param {Point[]} points */
  replace(points) {
    for (const handle of this.handles) handle.remove();
    this.points = points;
    this.handles = points.map(() => this.handle());
    this.root.append(...this.handles);
    points.forEach(({ x, y }, number) => {
      this.place(number, x, y);
    });
    this.moved();
  }

  /** Its number is not known to a handle: points before it may be taken away. */
  handle() {
    const handle = element("button", { type: "button", class: "point" });
    const number = () => this.handles.indexOf(handle);
    handle.addEventListener("keydown", (event) => this.pressed(event, number()));
    handle.addEventListener("focus", () => this.options.taken?.(number()));
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      this.options.taken?.(number()); // not every browser gives a button the focus that is clicked
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.put(number(), ...this.placeOf(event));
    });
    return handle;
  }

  /** @param {KeyboardEvent} event @param {number} number */
  pressed(event, number) {
    const { deleted, step } = this.options;
    const [right, up] =
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key] ?? [];
    if (deleted && (event.key === "Delete" || event.key === "Backspace")) {
      event.preventDefault();
      deleted(number);
    }
    if (right === undefined || up === undefined) return;
    event.preventDefault();
    const by = step ? step * (event.shiftKey ? 1 : 10) : this.range.x / (event.shiftKey ? 200 : 40);
    this.put(number, this.points[number].x + by * right, this.points[number].y + by * up);
  }

  /** @param {number} number of the point @param {number} x @param {number} y */
  put(number, x, y) {
    this.place(number, x, y);
    this.moved();
  }

  /** The same without telling anybody. @param {number} number @param {number} x @param {number} y */
  place(number, x, y) {
    const point = this.points[number];
    [point.x, point.y] = [this.within(x, this.range.x), this.within(y, this.range.y)];
    const handle = this.handles[number];
    handle.style.left = `${50 + (50 * point.x) / this.range.x}%`;
    handle.style.top = `${50 - (50 * point.y) / this.range.y}%`;
    handle.style.setProperty("--own", point.colour);
    handle.textContent = point.name;
    handle.setAttribute(
      "aria-label",
      `${point.words}, at ${fixed(point.x, 2)}, ${fixed(point.y, 2)}; arrow keys move it${this.options.deleted ? ", Delete removes it" : ""}`,
    );
  }

  /** @param {number} value @param {number} range */
  within(value, range) {
    const edge = 0.95 * range; // where a handle can still be seen and taken
    const inside = Math.max(-edge, Math.min(edge, value));
    const steps = this.options.step ? Math.round(1 / this.options.step) : 0;
    return steps ? Math.round(inside * steps) / steps : inside; // a quotient: 3 * 0.1 is not 0.3
  }

  /** @param {...SVGElement} marks */
  draw(...marks) {
    this.marks.replaceChildren(...marks);
  }
}

/** @param {number[]} from @param {number[]} to @param {string} name of the class @param {number} [opacity] */
export function line([x1, y1], [x2, y2], name, opacity = 1) {
  return drawn("line", { x1, y1: -y1, x2, y2: -y2, class: name, opacity });
}

/** @param {number[]} at @param {number} r @param {string} name of the class */
export function disc([x, y], r, name) {
  return drawn("circle", { cx: x, cy: -y, r, class: name });
}

/** @param {number[]} at @param {string} words @param {string} name of the class */
export function label([x, y], words, name) {
  return drawn("text", { x, y: -y, class: name }, words);
}
