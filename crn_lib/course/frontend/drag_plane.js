// A plane with points that can be dragged, by mouse, finger or arrow keys, and a drawing under them. Points may be added
// to it and taken away.

import { drawn, element, fixed, putAttribute } from "./dom.js";

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
    this.handles = points.map((point) => this.handle(point));
    this.root.append(...this.handles);
    points.forEach(({ x, y }, number) => {
      this.place(number, x, y);
    });
    this.moved();
  }

  /** Its number is not known to a handle: points before it may be taken away. @param {Point} point */
  handle({ name, colour }) {
    const handle = element("button", { type: "button", class: "point", style: `--own: ${colour}` }, name);
    const number = () => this.handles.indexOf(handle);
    handle.addEventListener("keydown", (event) => this.pressed(event, number()));
    handle.addEventListener("focus", () => this.options.taken?.(number()));
    /** @type {{pointer: number, x: number, y: number} | undefined} from the pointer that took the point to its middle */
    let grip;
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return; // the others have a meaning of their own
      handle.setPointerCapture(event.pointerId);
      const [x, y] = this.placeOf(event);
      const point = this.points[number()];
      grip = { pointer: event.pointerId, x: point.x - x, y: point.y - y };
      this.options.taken?.(number()); // not every browser gives a button the focus that is clicked
    });
    handle.addEventListener("pointermove", (event) => {
      if (grip?.pointer !== event.pointerId || !handle.hasPointerCapture(event.pointerId)) return;
      const [x, y] = this.placeOf(event);
      this.put(number(), x + grip.x, y + grip.y);
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
    const { step, deleted } = this.options;
    [point.x, point.y] = [placeWithin(x, this.range.x, step), placeWithin(y, this.range.y, step)];
    const handle = this.handles[number];
    handle.style.left = `${50 + (50 * point.x) / this.range.x}%`;
    handle.style.top = `${50 - (50 * point.y) / this.range.y}%`;
    const at = [point.x, point.y].map((value) => fixed(value, 2)).join(", ");
    const removed = deleted && this.points.length > 1 ? ", Delete removes it" : "";
    putAttribute(handle, "aria-label", `${point.words}, at ${at}; arrow keys move it${removed}`);
  }

  /** @param {...SVGElement} marks */
  draw(...marks) {
    this.marks.replaceChildren(...marks);
  }
}

/**
 * The place for a point that is wanted here: as near as a handle can still be seen and taken.
 * @param {number} value
 * @param {number} range the plane reaches so far to each side
 * @param {number} [step] the place is a whole multiple of it, and so is the last one to each side
 */
export function placeWithin(value, range, step) {
  const steps = step ? Math.round(1 / step) : 0;
  // So that a product a digit below a whole number is not a step less.
  const edge = steps ? Math.floor(0.95 * range * steps + 1e-6) / steps : 0.95 * range;
  const inside = Math.max(-edge, Math.min(edge, value));
  return steps ? Math.round(inside * steps) / steps : inside; // a quotient: 3 * 0.1 is not 0.3
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
