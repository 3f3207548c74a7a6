// One receiver and the senders of a dictionary as points that can be dragged: the nearer, the louder. An anywidget
// front-end module; the static edition mounts it by `host.js`.

import { slider } from "./controls.js";
import { placeRow, readOut, senderRow } from "./dictionary_rows.js";
import { element, fixed, keepKeys, table } from "./dom.js";
import { DragPlane, disc, line } from "./drag_plane.js";
import { argmax } from "./numbers.js";
import { pairsOf } from "./pairs.js";

const RANGE = 2.5;
const NAMES = "abcdef";
const LEGEND =
  "A is a receiver, a to f are senders at their points −B. Distances are standard deviations. Drag any of them, or move it " +
  "with the arrow keys (Shift: smaller steps). The more a line stands out, the larger is the sender's share of the output.";

class Plane {
  /** @param {import("./copier.js").Host} host @param {HTMLElement} root */
  constructor(host, root) {
    this.width = host.get("width");
    this.size = host.get("letter");
    const places = Array.from(NAMES, (name, number) => {
      const angle = (2 * Math.PI * number) / NAMES.length + 0.3;
      const far = 1.5 + 0.35 * (number % 2);
      const [x, y] = [far * Math.cos(angle), far * Math.sin(angle)];
      return { name, colour: "#0072b2", words: `sender ${name}`, x, y };
    });
    const receiver = { name: "A", colour: "#d55e00", words: "receiver A", x: places[2].x + 0.3, y: places[2].y - 0.15 };
    this.plane = new DragPlane("a receiver and senders in a plane", RANGE, [...places, receiver], () => this.draw());
    this.status = element("div", { class: "status", "aria-live": "polite" });
    const { root: numbers, body } = table("every sender", ["sender", "distance", "scale", "share of the output"]);
    this.body = body;
    const widths = { min: 10, max: 128, step: 2, value: this.width };
    root.append(
      element("div", { class: "note" }, LEGEND),
      element(
        "div",
        { class: "controls" },
        slider("width of a row", widths, (width) => this.change(width, this.size)).root,
        slider(
          "size of a letter beside its place",
          { min: 0.02, max: 0.6, step: 0.02, value: this.size },
          (size) => this.change(this.width, size),
          (size) => size.toFixed(2),
        ).root,
      ),
      element("div", { class: "beside" }, this.plane.root, numbers),
      this.status,
    );
    keepKeys(root);
    this.draw();
  }

  /** @param {number} width @param {number} size */
  change(width, size) {
    Object.assign(this, { width, size });
    this.draw();
  }

  draw() {
    const { width, size } = this;
    const letters = NAMES.length;
    const places = this.plane.points.slice(0, letters);
    const receiver = this.plane.points[letters];
    const row = placeRow(receiver, width, letters);
    const senders = places.map((place, letter) => senderRow(place, letter, { width, letters, size }));
    const { scale, share } = pairsOf(row, senders);
    const read = argmax(readOut(row, senders).subarray(0, letters));
    const distances = places.map(({ x, y }) => Math.hypot(x - receiver.x, y - receiver.y));
    this.plane.draw(
      ...places.map(({ x, y }, j) =>
        line([receiver.x, receiver.y], [x, y], "heard", Math.max(0.15, Math.min(1, share[j]))),
      ),
      disc([receiver.x, receiver.y], size, "letter"),
    );
    this.body.replaceChildren(
      ...places.map(({ name }, j) =>
        element(
          "tr",
          { "data-sender": name, class: j === read ? "read" : "" },
          element("th", { scope: "row" }, name),
          element("td", {}, fixed(distances[j], 2)),
          element("td", {}, fixed(scale[j], 2)),
          element(
            "td",
            { class: "share" },
            element("span", { style: `width: ${100 * Math.max(0, Math.min(1, share[j]))}%` }),
            `${fixed(100 * share[j], 0)}%`,
          ),
        ),
      ),
    );
    this.status.textContent =
      `A reads ${NAMES[read]}: distance ${fixed(distances[read], 2)}, scale ${fixed(scale[read], 2)}, ` +
      `${fixed(100 * share[read], 0)}% of the output.`;
  }
}

/** @param {{model: import("./copier.js").Host, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-widget", "crn-plane");
  new Plane(model, el);
}

export default { render };
