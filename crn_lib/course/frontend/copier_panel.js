// One model in the copier: the letters it was given and wrote, how sure it was of each, and what it remembers.

import { counted, element, put, putAttribute } from "./dom.js";

/** @typedef {import("./copy.js").Copy} Copy */

const POSITIVE = 0xb27200; // red is the lowest byte: pixels are written as whole numbers, little end first
const NEGATIVE = 0x005ed5;
const STRIP = 34; // pixels on the page for one block's rows, however wide the model

/** How many tokens of a copy are read, and how many written, at a moment of it. */
/** @param {Copy} copy @param {number} moment */
export function progress(copy, moment) {
  const prompt = copy.text.length + 2;
  const read = Math.min(moment, copy.steps.length);
  return { prompt, read, written: Math.max(0, moment - prompt), step: copy.steps[read - 1] };
}

export class CopierPanel {
  /**
   * @param {{kind: string, name: string, colour: string, note: string}} about
   * @param {number} longest letters
   */
  constructor({ kind, name, colour, note }, longest) {
    this.kind = kind;
    this.name = name;
    this.longest = longest;
    this.cells = Array.from({ length: longest + 1 }, () => {
      const cell = { asked: element("span", { class: "asked" }), bar: element("span", { class: "bar" }) };
      const said = element("span", { class: "said" });
      return { ...cell, said, all: element("span", { class: "cell" }, cell.asked, cell.bar, said) };
    });
    this.score = element("span", { class: "score" });
    this.bytes = element("strong", { class: "bytes" });
    this.rows = element("span", { class: "rows" });
    this.letters = element("div", { class: "cells", role: "img" }, ...this.cells.map((cell) => cell.all));
    this.canvas = element("canvas", { class: "memory", role: "img" });
    this.root = element(
      "section",
      { class: "panel", "data-kind": kind, "aria-label": name },
      element(
        "div",
        { class: "head" },
        element("span", { class: "swatch", style: `background: ${colour}` }),
        element("strong", {}, name),
        this.score,
      ),
      element("div", { class: "note" }, note),
      this.letters,
      element("div", { class: "held" }, "holds ", this.bytes, this.rows),
      this.canvas,
    );
  }

  /** @param {Copy} copy what is shown from now on */
  take(copy) {
    this.copy = copy;
    const strips = copy.pools.flat().length || copy.steps[0].sums?.length || 1;
    if (this.canvas.width !== 2 * this.longest + 2) this.canvas.width = 2 * this.longest + 2;
    this.canvas.style.height = `${strips * (STRIP + 2)}px`;
  }

  /** @param {number} moment tokens read and written */
  show(moment) {
    const copy = /** @type {Copy} */ (this.copy);
    const { written, step } = progress(copy, moment);
    const asked = `${copy.text}>`;
    this.cells.forEach((cell, place) => {
      const said = place < written ? copy.written[place] : undefined;
      put(cell.asked, place < copy.text.length ? asked[place] : place === copy.text.length ? "■" : "");
      put(cell.said, said ? (said.letter === ">" ? "■" : said.letter) : "");
      putAttribute(cell.bar, "style", `--sure: ${said ? said.probability.toFixed(2) : 0}`); // of 16 pixels
      const right = said ? (said.right ? " right" : " wrong") : "";
      putAttribute(cell.all, "class", `cell${right}${place >= asked.length ? " spare" : ""}`);
      putAttribute(
        cell.all,
        "title",
        said ? `${said.letter === ">" ? "end" : said.letter}: ${percent(said.probability)} sure` : "",
      );
    });
    const right = copy.written.slice(0, written).filter((said) => said.right).length;
    put(this.score, written ? `${right} of ${written}` : "");
    put(this.bytes, counted(step?.bytes ?? 0, "byte"));
    put(this.rows, this.memoryWords(moment));
    this.letters.setAttribute(
      "aria-label",
      `to copy: ${copy.text}; written: ${this.said(written) || "nothing yet"}; ${right} of ${written} right`,
    );
    this.canvas.setAttribute(
      "aria-label",
      `${this.name} remembers ${this.bytes.textContent}, ${this.rows.textContent}`,
    );
    this.paint(moment);
  }

  /** @param {number} written */
  said(written) {
    const letters = this.copy?.written.slice(0, written).map((said) => said.letter) ?? [];
    return letters.join("").replaceAll(">", "■");
  }

  /** @param {number} moment */
  memoryWords(moment) {
    const { pools, steps } = /** @type {Copy} */ (this.copy);
    const rows = Math.min(moment, steps.length);
    if (!rows) return "nothing read yet";
    const blocks = counted(pools.length, "block");
    if (!pools.flat().length) return `1 running sum × ${blocks}`;
    return `${counted(rows, "row")}${pools[0].length === 2 ? " of keys, of values" : ""} × ${blocks}`;
  }

  /**
   * The numbers in memory, a column for every row of it, all models at one scale: area is bytes.
   * @param {number} moment
   */
  paint(moment) {
    const { pools, steps } = /** @type {Copy} */ (this.copy);
    const { step, read } = progress(/** @type {Copy} */ (this.copy), moment);
    const last = steps[steps.length - 1];
    const strips = pools.flat().length
      ? pools.flat().map((pool) => ({
          data: pool.buffer.subarray(0, steps.length * pool.width),
          width: pool.width,
          columns: read,
        }))
      : (last.sums ?? []).map((sum, block) => ({
          data: step?.sums?.[block] ?? sum,
          width: sum.length,
          columns: step ? 1 : 0,
        }));
    const width = strips[0].width;
    const gap = Math.max(1, Math.round((width * 2) / STRIP));
    const height = strips.length * (width + gap);
    if (this.canvas.height !== height) this.canvas.height = height;
    const brush = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    const image = brush.createImageData(this.canvas.width, this.canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (const [strip, { data, columns }] of strips.entries()) {
      const largest = data.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
      for (let column = 0; column < this.canvas.width; column++) {
        for (let d = 0; d < width; d++) {
          const value = column < columns ? data[column * width + d] : 0;
          const alpha = column < columns ? 40 + 215 * Math.min(1, Math.abs(value) / largest) : 14;
          const place = (strip * (width + gap) + d) * this.canvas.width + column;
          pixels[place] = (value < 0 ? NEGATIVE : POSITIVE) | (alpha << 24);
        }
      }
    }
    brush.putImageData(image, 0, 0);
  }
}

/** @param {number} probability */
export function percent(probability) {
  return `${(100 * probability).toFixed(1)}%`;
}
