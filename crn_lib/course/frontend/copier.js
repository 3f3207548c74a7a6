// Type a string, watch up to three models copy it token by token, and see what each remembers meanwhile.
// An anywidget front-end module; the static edition mounts it by `host.js`.

import { makeControls } from "./copier_controls.js";
import { CopierPanel, percent, progress } from "./copier_panel.js";
import { traceCopy, understand } from "./copy.js";
import { counted, element, keepKeys, put, whole } from "./dom.js";
import { SequenceModel } from "./model.js";

/** @typedef {{kind: string, name: string, colour: string, note: string, weights: DataView}} Shown */
/** @typedef {{get(name: string): any, set(name: string, value: any): void, save_changes(): void,
 *    on(event: string, listener: () => void): void, off(event: string, listener: () => void): void}} Host */

const READING = 70; // milliseconds a token
const WRITING = 260;

class Copier {
  /** @param {Host} host @param {HTMLElement} root */
  constructor(host, root) {
    this.host = host;
    this.root = root;
    /** @type {Shown[]} */
    const shown = host.get("models");
    this.models = shown.map((about) => new SequenceModel(about.weights));
    this.longest = Math.min(...this.models.map((model) => model.config.max_length / 2 - 1));
    this.panels = shown.map((about) => new CopierPanel(about, this.longest));
    /** @type {import("./copy.js").Copy[]} of each model */
    this.copies = [];
    this.moment = 0; // tokens read and written
    this.end = 0; // the last moment
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.controls = makeControls(root, this.panels, this.longest);
    this.listen();
    keepKeys(root);
    this.textChanged = () => {
      if (host.get("text") !== this.controls.field.value) this.write(host.get("text"));
    };
    host.on("change:text", this.textChanged);
    this.write(host.get("text"));
  }

  listen() {
    const { field, play, back, step, slider, numbers, ticks } = this.controls;
    field.addEventListener("input", () => this.typed());
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.play(0);
    });
    play.addEventListener("click", () => this.toggle());
    back.addEventListener("click", () => this.stepBy(-1));
    step.addEventListener("click", () => this.stepBy(1));
    slider.addEventListener("input", () => {
      this.pause();
      this.go(Number(slider.value));
    });
    numbers.addEventListener("toggle", () => this.tabulate());
    ticks.forEach((tick, number) => {
      tick.addEventListener("change", () => {
        this.panels[number].root.hidden = !tick.checked;
        this.tell();
      });
    });
  }

  /** @param {string} text into the field, as if typed */
  write(text) {
    this.controls.field.value = text;
    this.typed();
  }

  typed() {
    this.pause();
    const { field, answer, slider, play, back, step } = this.controls;
    const { text, said } = understand(field.value, this.longest);
    answer.textContent = said || `${counted(text.length, "letter")}. Enter plays.`;
    if (this.host.get("text") !== field.value) {
      this.host.set("text", field.value);
      this.host.save_changes();
    }
    for (const control of [slider, play, back, step]) control.disabled = !text;
    this.copies = this.models.map((model, number) => traceCopy(model, text, this.copies[number]));
    for (const [number, panel] of this.panels.entries()) panel.take(this.copies[number]);
    this.end = 2 * text.length + 3;
    slider.max = String(this.end);
    this.go(text ? this.end : 0);
    this.tabulate();
  }

  /** @param {number} moment tokens read and written */
  go(moment) {
    this.moment = Math.max(0, Math.min(moment, this.end));
    this.controls.slider.value = String(this.moment);
    for (const panel of this.panels) panel.show(this.moment);
    this.tell();
  }

  /** Says what is happening at this moment. */
  tell() {
    const { status, slider } = this.controls;
    status.textContent = this.words();
    slider.setAttribute("aria-valuetext", status.textContent);
  }

  words() {
    const { text, written: all } = this.copies[0];
    const { read, prompt, written } = progress(this.copies[0], this.moment);
    if (!read) return "Nothing is read yet.";
    if (!written) {
      const token = read === 1 ? "the beginning" : read === prompt ? "the sign to copy" : text[read - 2];
      return `Reading token ${read} of ${prompt}: ${token}.`;
    }
    const said = this.panels.flatMap((panel, number) => {
      const { letter, probability } = this.copies[number].written[written - 1];
      const words = `${panel.name} ${letter === ">" ? "ends" : letter} (${Math.round(100 * probability)}%)`;
      return panel.root.hidden ? [] : [words];
    });
    return `Writing token ${written} of ${all.length}, ${text[written - 1] ?? "the end"}: ${said.join(", ") || "no model is shown"}.`;
  }

  toggle() {
    if (this.timer === undefined) this.play(this.moment === this.end ? 0 : this.moment);
    else this.pause();
  }

  /** @param {number} from */
  play(from) {
    this.pause();
    const { slider, status, play } = this.controls;
    if (slider.disabled) return;
    status.setAttribute("aria-live", "off"); // else a screen reader would have to read several lines a second
    play.textContent = "❚❚ Pause";
    this.root.classList.add("playing");
    const tick = () => {
      const writing = this.moment > this.end / 2;
      this.timer = setTimeout(
        () => {
          if (this.moment + 1 === this.end) this.pause();
          else tick();
          this.go(this.moment + 1);
        },
        writing ? WRITING : READING,
      );
    };
    this.go(from);
    tick();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.controls.play.textContent = "▶ Play";
    this.root.classList.remove("playing");
    this.controls.status.setAttribute("aria-live", "polite");
  }

  /** @param {number} by */
  stepBy(by) {
    this.pause();
    this.go(this.moment + by);
  }

  /** Every token written, by every model, with how sure it was and the bytes it held: only where it is folded open. */
  tabulate() {
    if (!this.controls.numbers.open) return;
    const { text, written } = this.copies[0];
    const { body } = this.controls.tokens;
    while (body.rows.length > written.length) body.deleteRow(-1);
    while (body.rows.length < written.length) {
      const cells = this.copies.flatMap(() => [element("td"), element("td"), element("td")]);
      body.append(element("tr", {}, element("th", { scope: "row" }), ...cells));
    }
    written.forEach((_, place) => {
      const [asked, ...cells] = body.rows[place].cells;
      put(asked, text[place] ?? "end");
      this.copies.forEach((copy, number) => {
        const { letter, probability } = copy.written[place];
        put(cells[3 * number], letter === ">" ? "end" : letter);
        put(cells[3 * number + 1], percent(probability));
        put(cells[3 * number + 2], whole(copy.steps[text.length + 1 + place].bytes));
      });
    });
  }

  close() {
    this.pause();
    this.host.off("change:text", this.textChanged);
  }
}

/** @param {{model: Host, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-widget", "crn-copier");
  const copier = new Copier(model, el);
  return () => copier.close();
}

export default { render };
