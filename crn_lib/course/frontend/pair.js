// Two rows of three numbers as arrows that can be dragged, and what the exponential sees of the pair at three places of
// the norm. An anywidget front-end module; the static edition mounts it by `host.js`.

import { button } from "./controls.js";
import { element, fixed, keepKeys, table } from "./dom.js";
import { DragPlane, disc, label, line } from "./drag_plane.js";
import { deviation, normInWords, pointOf, preActivation, rowAt } from "./norm_places.js";

/** @typedef {import("./norm_places.js").Place} Place */

const RANGE = 4;
/** @type {[Place, string, string][]} */
const PLACES = [
  ["none", "none", "a + b"],
  ["approx", "approx", "LN(a) + LN(b)"],
  ["exact", "exact", "LN(a + b)"],
];
const LEGEND =
  "Rows of three numbers with mean 0 lie in a plane, with a direction for each column. On the circle the standard deviation " +
  "is 1. Drag a and b, or move them with the arrow keys (Shift: smaller steps).";

class Pair {
  /** @param {import("./copier.js").Host} host @param {HTMLElement} root */
  constructor(host, root) {
    const [a, b] = host.get("points");
    this.plane = new DragPlane(
      "two rows of three numbers in a plane",
      RANGE,
      [
        { name: "a", colour: "#0072b2", words: "row a", x: a[0], y: a[1] },
        { name: "b", colour: "#d55e00", words: "row b", x: b[0], y: b[1] },
      ],
      () => this.draw(),
    );
    this.status = element("div", { class: "status", "aria-live": "polite" });
    const { root: numbers, body } = table("the three norms", [
      "norm",
      "what exp sees, column by column",
      "standard deviation",
    ]);
    this.body = body;
    root.append(
      element("div", { class: "note" }, LEGEND),
      element(
        "div",
        { class: "buttons" },
        button("alike", () => this.set(1, 0.25)),
        button("unrelated", () => this.set(0, 1)),
        button("nearly opposite", () => this.set(-0.93, 0.06)),
      ),
      element("div", { class: "beside" }, this.plane.root, numbers),
      this.status,
    );
    keepKeys(root);
    this.draw();
  }

  /** b is put where a is, times the one number, and to its left, times the other. @param {number} along @param {number} across */
  set(along, across) {
    const { x, y } = this.plane.points[0];
    this.plane.put(1, along * x - across * y, along * y + across * x);
  }

  draw() {
    const [a, b] = this.plane.points.map(({ x, y }) => rowAt(x, y));
    const seen = PLACES.map(([place]) => preActivation(a, b, place));
    const [sum, approx, exact] = seen.map(pointOf);
    const columns = [0, 1, 2].flatMap((column) => {
      const end = pointOf([0, 1, 2].map((d) => (d === column ? 4.1 : 0)));
      return [line([0, 0], end, "axis"), label([end[0] * 1.08, end[1] * 1.08], `column ${column + 1}`, "axis-name")];
    });
    this.plane.draw(
      ...columns,
      disc([0, 0], Math.sqrt(3), "one"),
      line(pointOf(a), sum, "carried"),
      line(pointOf(b), sum, "carried"),
      line([0, 0], pointOf(a), "arrow a"),
      line([0, 0], pointOf(b), "arrow b"),
      line([0, 0], sum, "arrow sum"),
      line(sum, exact, "carried"),
      disc(sum, 0.13, "tip none"),
      disc(approx, 0.13, "tip approx"),
      disc(exact, 0.17, "tip exact"),
    );
    this.body.replaceChildren(
      ...PLACES.map(([place, name, formula], number) => {
        const row = seen[number];
        const bars = element("span", { class: "bars" }, ...Array.from(row, (value) => bar(value)));
        return element(
          "tr",
          { "data-norm": place },
          element(
            "th",
            { scope: "row" },
            element("span", { class: `key ${place}` }),
            `${name}: `,
            element("span", { class: "formula" }, formula),
          ),
          element("td", {}, bars),
          element("td", {}, fixed(deviation(row), 2)),
        );
      }),
    );
    this.status.textContent = normInWords(a, b);
  }
}

/** @param {number} value as a number over a bar from the middle */
function bar(value) {
  const size = `${Math.min(50, 16 * Math.abs(value))}%`;
  const side = value < 0 ? "right: 50%" : "left: 50%";
  return element("span", { class: "bar" }, element("span", { style: `width: ${size}; ${side}` }), fixed(value, 2));
}

/** @param {{model: import("./copier.js").Host, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-widget", "crn-pair");
  new Pair(model, el);
}

export default { render };
