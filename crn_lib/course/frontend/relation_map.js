// Whom every letter listens to, in every block, for a string that is typed; pairs dropped, receivers moved, and what is
// copied then. An anywidget front-end module; the static edition mounts it by `host.js`.

import { BlockMap, shown } from "./block_map.js";
import { button, oneOf, slider, tick } from "./controls.js";
import { understand } from "./copy.js";
import { counted, element, fixed, keepKeys } from "./dom.js";
import { copyEdited, movedRows } from "./edited_copy.js";
import { SequenceModel } from "./model.js";
import { argmax } from "./numbers.js";
import { argmin, pairsOfRows } from "./pairs.js";

/** @typedef {import("./pairs.js").MapName} MapName */
/** @typedef {import("./copier.js").Host} Host */
/** @typedef {{name: string, weights: DataView, length: number | null}} Shown `length`: the only one it knows */

const FARTHEST = 3; // rows that all receivers are moved by at once
const LOOKUPS = [0, 1]; // the blocks in which that is done, as lesson 08 does
/** @type {[MapName, string][]} */
const COLOURS = [
  ["correlation", "correlation"],
  ["scale", "scale"],
  ["share", "share of the output"],
];
const LEGEND =
  "a row: a token written · a column: a position heard (< begins, | ends the string) · ■: the token that ends the copy · ring: the sender that stands out, by correlation the most anti-aligned · " +
  "frame: the pair looked at · cross: a dropped pair · +1: has the receiver of the next row";
const KEYS =
  "Keys: arrows choose a pair, Delete drops it or brings it back, Shift with ↑ or ↓ moves its row's receiver. Mouse: click " +
  "a pair to drop it; drag a letter on the left to another row. Touch: tap a pair to look, again to drop it; drag a letter.";

class RelationMapWidget {
  /** @param {Host} host @param {HTMLElement} root */
  constructor(host, root) {
    this.host = host;
    /** @type {Shown[]} */
    this.shown = host.get("models");
    this.model = new SequenceModel(this.shown[0].weights);
    this.copy = copyEdited(this.model, "", { dropped: [], moved: [], donor: "" });
    this.root = root;
    /** @type {MapName} */
    this.colour = host.get("colour");
    this.text = "";
    /** @type {number | null} the only length the model knows */
    this.only = null;
    this.longest = 0;
    /** @type {BlockMap[]} */
    this.maps = [];
    /** @type {Map<number, number>[]} of each block, as `Edits` */
    this.dropped = [];
    /** @type {Map<number, number>[]} */
    this.moved = [];
    /** @type {number[][]} of each block and row the sender that stands out */
    this.rings = [];
    /** @type {Record<MapName, Float64Array>[][]} */
    this.pairs = [];
    this.chosen = { block: 0, row: 0, sender: 0 };
    this.field = element("input", { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
    this.answer = element("div", { class: "answer", role: "status" });
    this.status = element("div", { class: "status", "aria-live": "polite" });
    this.written = element("div", { class: "written", role: "status" });
    this.mapsAt = element("div", { class: "maps" });
    this.shift = slider(
      "receivers of the row so many further",
      { min: -FARTHEST, max: FARTHEST, value: 0 },
      () => this.moveAll(),
      (by) => (by > 0 ? `+${by}` : String(by).replace("-", "−")),
    );
    this.other = tick("receivers of another string", false, () => this.moveAll());
    this.edits = [
      button("drop the pair", () => this.toggle(this.chosen.block, this.chosen.row, this.chosen.sender)),
      button("drop all rings of the block", () => this.dropRings()),
      button("restore all", () => this.restore()),
    ];
    this.build();
    keepKeys(root);
    this.load(0);
  }

  build() {
    const names = this.shown.map(({ name }, number) => /** @type {[string, string]} */ ([String(number), name]));
    this.field.addEventListener("input", () => this.typed());
    this.root.append(
      element("label", { class: "string" }, element("span", {}, "your string"), this.field),
      this.answer,
      element(
        "div",
        { class: "controls" },
        names.length > 1
          ? oneOf("model:", names, "0", (number) => this.load(Number(number)))
          : element("span", {}, `model: ${this.shown[0].name}`),
        oneOf("colour shows:", COLOURS, this.colour, (colour) => {
          this.colour = /** @type {MapName} */ (colour);
          this.mark();
          this.draw();
          this.lookAgain();
        }),
        this.shift.root,
        this.other.root,
      ),
      element("div", { class: "buttons" }, ...this.edits),
      this.written,
      this.mapsAt,
      this.status,
      element("div", { class: "foot" }, element("span", {}, LEGEND), element("span", {}, KEYS)),
    );
  }

  /** @param {number} number of the model */
  load(number) {
    const { weights, length } = this.shown[number];
    this.model = new SequenceModel(weights);
    this.only = length;
    this.longest = length ?? this.model.config.max_length / 2 - 1;
    this.field.placeholder = length ? `${length} letters` : `1 to ${this.longest} letters`;
    this.maps = this.model.blocks.map(
      (_, block) =>
        new BlockMap(block, {
          look: (row, sender) => this.look(block, row, sender),
          toggle: (row, sender) => this.toggle(block, row, sender),
          retarget: (row, to) => this.retarget(block, row, to),
          entered: () => this.enter(block),
        }),
    );
    this.mapsAt.replaceChildren(...this.maps.map((map) => map.root));
    this.field.value = this.host.get("text");
    this.typed();
  }

  typed() {
    const { text, said } = understand(this.field.value, this.longest);
    const filled = this.only && text ? fillUp(text, this.only) : text;
    const more = filled === text ? "" : ` Filled up to ${this.only} letters, the only length it was trained on.`;
    this.answer.textContent = (said || `${counted(text.length, "letter")}.`) + more;
    this.text = filled;
    if (this.host.get("text") !== this.field.value) {
      this.host.set("text", this.field.value);
      this.host.save_changes();
    }
    this.mapsAt.hidden = !filled;
    for (const control of [...this.edits, this.shift.input, this.other.input]) control.disabled = !filled;
    if (filled) this.restore();
    else for (const part of [this.written, this.status]) part.textContent = "";
  }

  restore() {
    this.dropped = this.maps.map(() => new Map());
    this.moved = this.maps.map(() => new Map());
    this.shift.put(0);
    this.other.input.checked = false;
    this.copyAnew();
    const found = this.rings.map((rings) => rings.filter((ring, row) => ring === row + 1).length);
    const best = argmax(found); // the block that looks most letters up
    const row = Math.min(2, this.text.length - 1);
    this.look(best, row, this.rings[best][row]);
  }

  /** The slider and the box move the receivers of all rows that can be moved, in the blocks that look up. */
  moveAll() {
    const by = Number(this.shift.input.value);
    const all = by || this.other.input.checked ? movedRows(this.text.length, by) : [];
    this.moved = this.maps.map((_, block) => new Map(LOOKUPS.includes(block) ? all : []));
    this.copyAnew();
    this.lookAgain();
  }

  /** @param {number} block @param {number} row @param {number} to the row whose receiver it gets */
  retarget(block, row, to) {
    const letters = this.text.length;
    const before = this.moved[block].get(row);
    if (row >= letters || to < 0 || to >= letters || to === (before ?? row)) return;
    if (to === row && !this.other.input.checked) this.moved[block].delete(row);
    else this.moved[block].set(row, to);
    this.copyAnew();
    this.look(block, row, this.rings[block][row]);
  }

  /** @param {number} block @param {number} row @param {number} sender is dropped, or brought back: one a row at most */
  toggle(block, row, sender) {
    if (this.dropped[block].get(row) === sender) this.dropped[block].delete(row);
    else this.dropped[block].set(row, sender);
    this.copyAnew();
    this.look(block, row, sender);
  }

  dropRings() {
    this.dropped[this.chosen.block] = new Map(this.rings[this.chosen.block].map((ring, row) => [row, ring]));
    this.copyAnew();
    this.lookAgain();
  }

  copyAnew() {
    if (!this.text) return;
    const donor = this.other.input.checked ? otherText(this.text) : this.text;
    const { model } = this;
    this.copy = copyEdited(model, this.text, { dropped: this.dropped, moved: this.moved, donor }, this.copy);
    this.pairs = this.copy.receivers.map((receivers, block) => {
      const known = this.copy.same[block].map((same, row) => (same ? this.pairs[block][row] : undefined));
      return pairsOfRows(receivers, this.copy.senders[block], model.config.heads, known);
    });
    this.mark();
    this.tellCopy();
    this.draw();
  }

  /** A ring on the sender that stands out in what the colours show: the most anti-aligned, the loudest, the largest share. */
  mark() {
    const standsOut = this.colour === "correlation" ? argmin : argmax;
    this.rings = this.pairs.map((rows) => rows.map((row) => standsOut(row[this.colour])));
  }

  draw() {
    if (!this.text) return;
    for (const [block, map] of this.maps.entries()) {
      map.show({
        colour: this.colour,
        rows: this.pairs[block],
        rings: this.rings[block],
        heard: this.copy.heard,
        wanted: `${this.text}>`,
        written: this.copy.written,
        dropped: this.dropped[block],
        moved: this.moved[block],
        chosen: this.chosen.block === block ? this.chosen : undefined,
      });
    }
  }

  tellCopy() {
    const { written } = this.copy;
    const right = written.filter((said) => said.right).length;
    const said = written.map(({ letter }) => shown(letter)).join("");
    const rows = new Map(this.moved.flatMap((moved) => [...moved]));
    const follow = [...rows].filter(([row, to]) => written[row].letter === this.text[to]).length;
    const moved = rows.size
      ? ` ${follow} of ${counted(rows.size, "moved row")} ${rows.size === 1 ? "writes" : "write"} the letter of the other row.`
      : "";
    this.written.replaceChildren(
      "It writes ",
      element("strong", {}, said),
      `: ${right} of ${written.length} tokens right.${moved}`,
    );
  }

  /** @param {number} block whose map got the focus */
  enter(block) {
    if (this.chosen.block !== block) this.look(block, this.chosen.row, this.rings[block][this.chosen.row]);
  }

  /** Says anew what has become of the chosen pair. */
  lookAgain() {
    if (this.text) this.look(this.chosen.block, this.chosen.row, this.chosen.sender);
  }

  /** @param {number} block @param {number} row @param {number} sender */
  look(block, row, sender) {
    if (this.chosen.block !== block) this.maps[this.chosen.block]?.choose(undefined);
    this.chosen = { block, row, sender };
    this.maps[block].choose(this.chosen);
    const { letter } = this.copy.written[row];
    const wanted = this.text[row] ?? "the end";
    const pair = this.pairs[block][row];
    const to = this.moved[block].get(row);
    const marks = [
      this.rings[block][row] === sender && "the ring",
      row < this.text.length && sender === row + 1 && "its source",
      this.dropped[block].get(row) === sender && "dropped",
    ].filter(Boolean);
    this.status.textContent =
      `Block ${block}, token ${row + 1}: must write ${wanted}, writes ${letter === ">" ? "the end" : letter}. ` +
      `Hears position ${sender} (${shown(this.copy.heard[sender])}): scale ${fixed(pair.scale[sender], 2)}, ` +
      `share ${fixed(100 * pair.share[sender], 1)}%, correlation ${fixed(pair.correlation[sender], 2)}` +
      `${marks.length ? `; ${marks.join(", ")}` : ""}.${to === undefined ? "" : ` Receiver of token ${to + 1}.`}`;
  }
}

/** @param {string} text @param {number} length filled up with the alphabet's end, as `crn_lib.course.fill_up` */
function fillUp(text, length) {
  return text + Array.from({ length: length - text.length }, (_, place) => letterAt(25 - (place % 26))).join("");
}

/** @param {string} text one that differs in every letter: half the alphabet on */
function otherText(text) {
  return Array.from(text, (letter) => letterAt((letter.charCodeAt(0) - 97 + 13) % 26)).join("");
}

/** @param {number} place in the alphabet */
function letterAt(place) {
  return String.fromCharCode(97 + place);
}

/** @param {{model: Host, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-widget", "crn-relation-map");
  new RelationMapWidget(model, el);
}

export default { render };
