// Memories that fill token by token, a box for so many bytes: hollow boxes are set aside and empty. An anywidget
// front-end module; the static edition mounts it by `host.js`.

import { button, slider } from "./controls.js";
import { counted, element, keepKeys } from "./dom.js";
import { memoriesInWords } from "./memory_words.js";

/** @typedef {{name: string, colour: string, used: number[], allocated: number[]}} Kind bytes after 1, 2, ... tokens */

const STEP = 60; // milliseconds a token
const ACROSS = 32; // boxes in a line
const SIDE = 9; // pixels of a box, one of them a gap

class Memory {
  /** @param {import("./copier.js").Host} host @param {HTMLElement} root */
  constructor(host, root) {
    /** @type {Kind[]} */
    this.kinds = host.get("kinds");
    this.box = host.get("box");
    this.last = this.kinds[0].used.length;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.playing = button("▶ Play", () => (this.timer === undefined ? this.play() : this.pause()));
    this.tokens = slider("tokens", { min: 1, max: this.last, value: this.last }, (tokens) => {
      this.pause();
      this.show(tokens);
    });
    this.status = element("div", { class: "status", "aria-live": "polite" });
    this.panels = this.kinds.map(({ name, colour }) => {
      const canvas = element("canvas", { role: "img" });
      const words = element("div", { class: "bytes" });
      const mark = element("span", { class: "swatch", style: `background: ${colour}` });
      const head = element("div", { class: "head" }, mark, element("strong", {}, name));
      return { canvas, words, root: element("section", { class: "panel", "aria-label": name }, head, words, canvas) };
    });
    root.append(
      element("div", { class: "buttons" }, this.playing, this.tokens.root),
      this.status,
      element("div", { class: "panels" }, ...this.panels.map((panel) => panel.root)),
      element(
        "div",
        { class: "note" },
        `A box is ${counted(this.box, "byte")}; filled: in use; hollow: set aside, still empty.`,
      ),
    );
    keepKeys(root);
    this.show(this.last);
  }

  play() {
    let at = Number(this.tokens.input.value) % this.last;
    this.playing.textContent = "❚❚ Pause";
    this.status.setAttribute("aria-live", "off");
    this.timer = setInterval(() => {
      at += 1;
      this.tokens.put(at);
      if (at === this.last) this.pause();
      this.show(at);
    }, STEP);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.playing.textContent = "▶ Play";
    this.status.setAttribute("aria-live", "polite");
  }

  /** @param {number} tokens */
  show(tokens) {
    this.kinds.forEach(({ name, colour, used, allocated }, number) => {
      const [full, all] = [used[tokens - 1], allocated[tokens - 1]];
      const { canvas, words } = this.panels[number];
      const empty = all > full ? `, ${(all - full).toLocaleString("en-US")} more set aside` : "";
      words.textContent = `${counted(full, "byte")} in use${empty}`;
      canvas.setAttribute("aria-label", `${name}: ${words.textContent}`);
      this.paint(canvas, colour, full / this.box, all / this.box, Math.max(...allocated) / this.box);
    });
    const memories = this.kinds.map(({ name, used }) => ({ name, bytes: used[tokens - 1] }));
    this.status.textContent = memoriesInWords(tokens, memories);
  }

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {string} colour
   * @param {number} full boxes @param {number} all boxes @param {number} most boxes that it will ever have
   */
  paint(canvas, colour, full, all, most) {
    canvas.width = ACROSS * SIDE;
    canvas.height = Math.ceil(most / ACROSS) * SIDE;
    const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    brush.fillStyle = colour;
    brush.strokeStyle = colour;
    for (let place = 0; place < all; place++) {
      const [x, y] = [(place % ACROSS) * SIDE, Math.floor(place / ACROSS) * SIDE];
      const part = Math.max(0, Math.min(1, full - place));
      brush.fillRect(x, y, part * (SIDE - 1), SIDE - 1);
      if (!part) brush.strokeRect(x + 0.5, y + 0.5, SIDE - 2, SIDE - 2);
    }
  }
}

/** @param {{model: import("./copier.js").Host, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-widget", "crn-memory");
  const memory = new Memory(model, el);
  return () => memory.pause();
}

export default { render };
