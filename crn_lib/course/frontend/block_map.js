// The relation map of one block: a row a token written, a column a position heard, colours in a canvas, marks above it.

import { counted, drawn, element, fixed, put, putAttribute } from "./dom.js";

/** @typedef {import("./pairs.js").MapName} MapName */

/**
 * @typedef {object} BlockView what a map shows
 * @property {MapName} colour
 * @property {Record<MapName, Float64Array>[]} rows the pairs of each
 * @property {number[]} rings of each row the sender marked
 * @property {string} heard what stands at every position
 * @property {string} wanted what every row must write
 * @property {{letter: string, right: boolean}[]} written
 * @property {Map<number, number>} dropped by row the sender
 * @property {Map<number, number>} moved by row the row whose receiver it has
 * @property {{row: number, sender: number} | undefined} chosen
 */

/**
 * @typedef {object} Worked what is done to a map
 * @property {(row: number, sender: number) => void} look
 * @property {(row: number, sender: number) => void} toggle
 * @property {(row: number, to: number) => void} retarget
 * @property {() => void} entered the map has the focus
 */

const LEFT = 3.2; // cells
const RIGHT = 1.8;
const TOP = 0.15;
const BOTTOM = 1.35;
const PIXELS = 10; // of the canvas for one cell, one of them a gap
const WARM = "#d55e00";
const COLD = "#0072b2";

export class BlockMap {
  /** @param {number} number of the block @param {Worked} worked */
  constructor(number, worked) {
    this.number = number;
    this.worked = worked;
    this.name = element("div", { class: "name" });
    this.low = element("span", {});
    this.ramp = element("span", { class: "ramp", "aria-hidden": true });
    this.high = element("span", {});
    this.key = element("div", { class: "colours" }, this.low, this.ramp, this.high);
    this.canvas = element("canvas", {});
    this.marks = drawn("svg", { "aria-hidden": "true" });
    this.gutter = element("div", { class: "gutter", title: "drag to another row: this row gets its receiver" });
    this.field = element(
      "div",
      { class: "field", tabindex: 0, role: "application" },
      this.canvas,
      this.marks,
      this.gutter,
    );
    this.root = element("section", { class: "map", "aria-label": `block ${number}` }, this.name, this.key, this.field);
    this.root.dataset.block = String(number);
    /** @type {number | undefined} a row whose receiver is being dragged */
    this.dragged = undefined;
    /** @type {{root: SVGElement, looks: string}[]} what is drawn of each row, and how it looks in words */
    this.rowsAt = [];
    /** @type {SVGElement[]} */
    this.heardAt = [];
    /** @type {(number | undefined)[]} by row the sender that the canvas shows as dropped */
    this.gone = [];
    this.largest = 0; // what the canvas shows brightest
    this.lookMark = drawn("g", {});
    this.listen();
  }

  listen() {
    const { field, gutter, worked } = this;
    let before = ""; // the pair chosen before the button went down: a first touch looks, a second one drops
    field.addEventListener("focus", () => worked.entered());
    field.addEventListener("pointermove", (event) => {
      const { row, sender } = this.at(event);
      if (this.dragged !== undefined) worked.retarget(this.dragged, row);
      else if (event.pointerType !== "touch" && this.sees(row, sender)) worked.look(row, sender);
    });
    field.addEventListener("pointerdown", () => {
      const { chosen } = this.view ?? {};
      before = chosen ? `${chosen.row} ${chosen.sender}` : "";
    });
    field.addEventListener("click", (event) => {
      const { row, sender } = this.at(event);
      if (event.target === gutter || !this.sees(row, sender)) return;
      if (before === `${row} ${sender}`) worked.toggle(row, sender);
      else worked.look(row, sender);
    });
    gutter.addEventListener("pointerdown", (event) => {
      const { row } = this.at(event);
      this.dragged = row;
      gutter.setPointerCapture(event.pointerId);
      worked.look(row, this.view?.rings[row] ?? 0);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      gutter.addEventListener(end, () => {
        this.dragged = undefined;
      });
    }
    field.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const { view, worked } = this;
    if (!view?.chosen || event.ctrlKey || event.metaKey || event.altKey) return;
    const { row, sender } = view.chosen;
    const last = view.rows[row].share.length - 1;
    const down = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const along = { ArrowLeft: sender - 1, ArrowRight: sender + 1, Home: 0, End: last }[event.key];
    if (event.shiftKey && down) worked.retarget(row, (view.moved.get(row) ?? row) + down);
    else if (down && view.rows[row + down]) {
      worked.look(row + down, Math.min(sender, view.rows[row + down].share.length - 1));
    } else if (along !== undefined && this.sees(row, along)) worked.look(row, along);
    else if (["Delete", "Backspace", "Enter", " "].includes(event.key)) worked.toggle(row, sender);
    else if (!down && along === undefined) return;
    this.reveal();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {number} row @param {number} sender whether the row has such a pair */
  sees(row, sender) {
    return sender >= 0 && sender < (this.view?.rows[row]?.share.length ?? 0);
  }

  /** @param {MouseEvent} event @returns {{row: number, sender: number}} where it points to; the row always is one */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const { rows = [], heard = "" } = this.view ?? {};
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows.length);
    const sender = Math.floor(((event.clientX - box.left) / box.width) * heard.length);
    return { row: Math.max(0, Math.min(row, rows.length - 1)), sender };
  }

  /** @param {BlockView} view */
  show(view) {
    const before = this.view;
    this.view = view;
    const { rows, heard, wanted, rings } = view;
    const letters = rows.length - 1;
    const found = rings.slice(0, -1).filter((ring, row) => ring === row + 1).length;
    const words = `the ring is the source for ${found} of ${counted(letters, "letter")}`;
    put(this.name, `Block ${this.number}: ${words}`);
    const label = `relation map of block ${this.number}: ${rows.length} tokens written, ${heard.length} positions heard; ${words}`;
    putAttribute(this.field, "aria-label", label);
    const same = rows.length === before?.rows.length && heard.length === before.heard.length;
    if (!same) this.lay(view);
    this.paint(view, same ? before : undefined);
    Array.from(heard, (letter, place) => put(this.heardAt[place], shown(letter)));
    Array.from(wanted, (letter, row) => this.drawRow(letter, row, view));
    this.choose(view.chosen);
  }

  /** @param {BlockView} view makes room for as many rows and columns */
  lay({ rows, heard }) {
    const style = this.root.style;
    style.setProperty("--columns", String(heard.length));
    style.setProperty("--rows", String(rows.length));
    style.setProperty("--units", String(LEFT + heard.length + RIGHT));
    style.setProperty("--tall", String(TOP + rows.length + BOTTOM));
    this.marks.setAttribute("viewBox", `${-LEFT} ${-TOP} ${LEFT + heard.length + RIGHT} ${TOP + rows.length + BOTTOM}`);
    this.canvas.width = PIXELS * heard.length;
    this.canvas.height = PIXELS * rows.length;
    this.rowsAt = rows.map(() => ({ root: drawn("g", {}), looks: "" }));
    this.heardAt = Array.from(heard, (_, place) => text("", place + 0.5, rows.length + 0.85, "heard"));
    this.marks.replaceChildren(...this.rowsAt.map(({ root }) => root), ...this.heardAt, this.lookMark);
  }

  /** @param {BlockView["chosen"]} chosen a pair to be framed, with its row */
  choose(chosen) {
    if (!this.view) return;
    this.view.chosen = chosen;
    if (!chosen) return this.lookMark.replaceChildren();
    const { row, sender } = chosen;
    const whole = { x: 0, y: row, width: this.view.heard.length, height: 1, class: "whole" };
    this.lookMark.replaceChildren(
      drawn("rect", whole),
      drawn("rect", { x: sender, y: row, width: 1, height: 1, class: "pair" }),
    );
  }

  /** A map may be wider than its place: what is chosen by keys is scrolled to. */
  reveal() {
    const { chosen, heard = "" } = this.view ?? {};
    if (!chosen || this.root.scrollWidth <= this.root.clientWidth) return;
    const cell = this.canvas.clientWidth / heard.length;
    const at = this.canvas.offsetLeft + cell * chosen.sender;
    const [first, last] = [at + 2 * cell - this.root.clientWidth, at - cell];
    this.root.scrollLeft = Math.max(first, Math.min(this.root.scrollLeft, last));
  }

  /** @param {string} letter @param {number} row @param {BlockView} view */
  drawRow(letter, row, { rings, heard, dropped, moved, written }) {
    const said = written[row];
    const gone = dropped.get(row);
    const to = moved.get(row);
    const looks = [letter, said.letter, said.right, rings[row], gone, to].join(" ");
    if (looks === this.rowsAt[row].looks) return;
    this.rowsAt[row].looks = looks;
    /** @type {SVGElement[]} */
    const marks = [
      drawn("rect", {
        x: heard.length + 0.2,
        y: row + 0.06,
        width: 1.4,
        height: 0.88,
        class: said.right ? "right" : "wrong",
      }),
      text(shown(letter), -0.55, row + 0.75, "wanted"),
      drawn("circle", { cx: rings[row] + 0.5, cy: row + 0.5, r: 0.36, class: "ring" }),
      text(`${shown(said.letter)}${said.right ? "" : "✗"}`, heard.length + 0.9, row + 0.75, "said"),
    ];
    if (to !== undefined) {
      const by = to - row;
      marks.push(text(`${by < 0 ? "−" : "+"}${Math.abs(by)}`, -1.9, row + 0.75, "moved"));
    }
    if (gone !== undefined) {
      const cross = `M${gone + 0.2} ${row + 0.2}l.6 .6m0 -.6l-.6 .6`;
      marks.push(drawn("path", { d: cross, class: "cross" }));
    }
    this.rowsAt[row].root.replaceChildren(...marks);
  }

  /** @param {MapName} colour the key of the colours; the ramp goes through grey at 0 */
  tellColours(colour) {
    const [low, high] = endsOfColours(colour, this.largest);
    const mid = "rgb(128 128 128 / 10%)";
    const ends = { correlation: [WARM, mid, COLD], share: [COLD, mid, WARM], scale: [mid, WARM] }[colour];
    put(this.low, low);
    put(this.high, high);
    this.ramp.style.background = `linear-gradient(to right, ${ends.join(", ")})`;
  }

  /**
   * @param {BlockView} view
   * @param {BlockView} [before] what the canvas shows; rows that look the same are left as they are
   */
  paint({ rows, colour, dropped }, before) {
    const brush = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const largest = colour === "scale" ? Math.max(...rows.map((row) => Math.max(...row.scale))) : 1;
    const same = before?.colour === colour && this.largest === largest;
    this.largest = largest;
    if (!same) this.tellColours(colour);
    for (const [row, pairs] of rows.entries()) {
      if (same && before.rows[row] === pairs && this.gone[row] === dropped.get(row)) continue;
      this.gone[row] = dropped.get(row);
      brush.clearRect(0, PIXELS * row, this.canvas.width, PIXELS);
      for (const [sender, value] of pairs[colour].entries()) {
        if (dropped.get(row) === sender) continue;
        const size = Math.min(1, Math.abs(value) / largest);
        // As the library's figures: a correlation of -1 is warm, and so is whatever grows from 0.
        brush.fillStyle = size < 0.03 ? "#808080" : value < 0 === (colour === "correlation") ? WARM : COLD;
        brush.globalAlpha = 0.1 + 0.9 * size;
        brush.fillRect(PIXELS * sender, PIXELS * row, PIXELS - 1, PIXELS - 1);
      }
    }
  }
}

/**
 * What the ends of a map's colours are, in words with their numbers.
 * @param {MapName} colour
 * @param {number} largest scale
 * @returns {[low: string, high: string]}
 */
export function endsOfColours(colour, largest) {
  if (colour === "correlation") return ["opposed, −1", "+1, aligned"];
  if (colour === "share") return ["against the output, −100%", "+100%, all of the output"];
  return ["0", `${fixed(largest, 2)}, the largest scale of this block`];
}

/** @param {string} letter as it is drawn: the end is a square */
export function shown(letter) {
  return letter === ">" ? "■" : letter;
}

/** @param {string} words @param {number} x @param {number} y @param {string} name of the class */
function text(words, x, y, name) {
  return drawn("text", { x, y, class: name }, words);
}
