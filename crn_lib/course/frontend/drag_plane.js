// A plane with points that can be dragged, by mouse, finger or arrow keys, and a drawing under them.

import { drawn, element, fixed } from "./dom.js";

/** @typedef {{name: string, colour: string, words: string, x: number, y: number}} Point */

export class DragPlane {
  /**
   * @param {string} words what the plane is
   * @param {number} range the plane reaches so far to each side of its middle
   * @param {Point[]} points
   * @param {() => void} moved
   */
  constructor(words, range, points, moved) {
    this.range = range;
    this.points = points;
    this.marks = drawn("svg", { viewBox: `${-range} ${-range} ${2 * range} ${2 * range}`, "aria-hidden": "true" });
    this.handles = points.map((point, number) => {
      const handle = element("button", { type: "button", class: "point", style: `--own: ${point.colour}` }, point.name);
      handle.addEventListener("keydown", (event) => this.pressed(event, number));
      handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
      handle.addEventListener("pointermove", (event) => {
        if (!handle.hasPointerCapture(event.pointerId)) return;
        const box = this.root.getBoundingClientRect();
        const side = (2 * range) / box.width;
        this.put(number, (event.clientX - box.left) * side - range, range - (event.clientY - box.top) * side);
      });
      return handle;
    });
    this.root = element("div", { class: "plane", role: "group", "aria-label": words }, this.marks, ...this.handles);
    this.moved = () => {};
    points.forEach(({ x, y }, number) => {
      this.put(number, x, y);
    });
    this.moved = moved;
  }

  /** @param {KeyboardEvent} event @param {number} number */
  pressed(event, number) {
    const [right, up] =
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] }[event.key] ?? [];
    if (right === undefined || up === undefined) return;
    event.preventDefault();
    const by = this.range / (event.shiftKey ? 200 : 40);
    this.put(number, this.points[number].x + by * right, this.points[number].y + by * up);
  }

  /** @param {number} number of the point @param {number} x @param {number} y */
  put(number, x, y) {
    const point = this.points[number];
    const edge = 0.95 * this.range; // where a handle can still be seen and taken
    [point.x, point.y] = [x, y].map((value) => Math.max(-edge, Math.min(edge, value)));
    const handle = this.handles[number];
    handle.style.left = `${50 + (50 * point.x) / this.range}%`;
    handle.style.top = `${50 - (50 * point.y) / this.range}%`;
    handle.setAttribute(
      "aria-label",
      `${point.words}, at ${fixed(point.x, 2)}, ${fixed(point.y, 2)}; arrow keys move it`,
    );
    this.moved();
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
