// Type a string, watch up to three models copy it token by token, and see what each remembers meanwhile.
// An anywidget front-end module; the static edition mounts it by `host.js`.

import { understand, traceCopy } from "./copy.js";
import { CopierPanel, percent, progress } from "./copier_panel.js";
import { counted, element, keepKeys } from "./dom.js";
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
    this.moment = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {Shown[]} */
    const shown = host.get("models");
    this.models = shown.map((about) => new SequenceModel(about.weights));
    this.longest = Math.min(...this.models.map((model) => model.config.max_length / 2 - 1));
    this.panels = shown.map((about) => new CopierPanel(about, this.longest));
    this.build(root, shown);
    this.textChanged = () => {
      if (host.get("text") !== this.field.value) this.write(host.get("text"));
    };
    host.on("change:text", this.textChanged);
    this.write(host.get("text"));
  }

  /** @param {HTMLElement} root @param {Shown[]} shown */
  build(root, shown) {
    this.field = element("input", {
      type: "text",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      placeholder: `1 to ${this.longest} letters`,
      oninput: () => this.typed(),
      onkeydown: (event) => {
        if (/** @type {KeyboardEvent} */ (event).key === "Enter") this.play(0);
      },
    });
    this.playButton = element("button", { type: "button", class: "play", onclick: () => this.toggle() }, "▶ Play");
    const back = element("button", { type: "button", onclick: () => this.stepBy(-1) }, "◂ Back");
    const step = element("button", { type: "button", onclick: () => this.stepBy(1) }, "Step ▸");
    this.slider = element("input", { type: "range", min: 0, step: 1, oninput: () => this.go(Number(this.slider.value)) });
    this.answer = element("div", { class: "answer", role: "status" });
    this.status = element("div", { class: "status", "aria-live": "polite" });
    this.table = element("div", { class: "table", tabindex: 0, role: "region", "aria-label": "every token in numbers" });
    this.numbers = element(
      "details",
      { ontoggle: () => this.tabulate() },
      element("summary", {}, "every token in numbers"),
      this.table,
    );
    const choices = shown.map(({ name, kind }, number) => {
      const tick = element("input", { type: "checkbox", checked: true, name: kind });
      tick.addEventListener("change", () => {
        this.panels[number].root.hidden = !tick.checked;
        this.tell();
      });
      return element("label", {}, tick, name);
    });
    root.append(
      element("label", { class: "string" }, element("span", {}, "your string"), this.field),
      this.answer,
      element("div", { class: "buttons" }, this.playButton, back, step, element("label", { class: "time" }, element("span", {}, "token"), this.slider)),
      this.status,
      element("div", { class: "panels" }, ...this.panels.map((panel) => panel.root)),
      element(
        "div",
        { class: "foot" },
        element("fieldset", {}, element("legend", {}, "models"), ...choices),
        element("span", {}, "height of a bar: how sure the model was · ■ the end · a column of colour: one row of memory, blue above 0, orange below"),
      ),
      this.numbers,
    );
    keepKeys(root);
  }

  /** @param {string} text into the field, as if typed */
  write(text) {
    this.field.value = text;
    this.typed();
  }

  typed() {
    this.pause();
    const { text, said } = understand(this.field.value, this.longest);
    this.answer.textContent = said || `${counted(text.length, "letter")}. Enter plays.`;
    if (this.host.get("text") !== this.field.value) {
      this.host.set("text", this.field.value);
      this.host.save_changes();
    }
    for (const control of this.controls()) control.disabled = !text;
    this.copies = this.models.map((model) => traceCopy(model, text));
    this.panels.forEach((panel, number) => panel.take(/** @type {any} */ (this.copies)[number]));
    this.end = 2 * text.length + 3;
    this.slider.max = String(this.end);
    this.go(text ? this.end : 0);
    this.tabulate();
  }

  controls() {
    return /** @type {(HTMLButtonElement | HTMLInputElement)[]} */ ([
      this.slider,
      ...(this.slider.closest(".buttons")?.querySelectorAll("button") ?? []),
    ]);
  }

  /** @param {number} moment tokens read and written */
  go(moment) {
    this.moment = Math.max(0, Math.min(moment, this.end ?? 0));
    this.slider.value = String(this.moment);
    for (const panel of this.panels) panel.show(this.moment);
    this.tell();
  }

  tell() {
    const copies = this.copies ?? [];
    const [copy] = copies;
    if (!copy) return;
    const { read, prompt, written } = progress(copy, this.moment);
    const seen = this.panels.map((panel, number) => ({ panel, copy: copies[number] })).filter(({ panel }) => !panel.root.hidden);
    if (!read) this.status.textContent = "Nothing is read yet.";
    else if (!written) {
      const token = read === 1 ? "the beginning" : read === prompt ? "the sign to copy" : copy.text[read - 2];
      this.status.textContent = `Reading token ${read} of ${prompt}: ${token}.`;
    } else {
      const letters = seen.map(({ panel, copy: own }) => {
        const { letter, probability } = own.written[written - 1];
        return `${panel.name} ${letter === ">" ? "ends" : letter} (${Math.round(100 * probability)}%)`;
      });
      const asked = copy.text[written - 1] ?? "the end";
      this.status.textContent = `Writing token ${written} of ${copy.written.length}, ${asked}: ${letters.join(", ")}.`;
    }
    this.slider.setAttribute("aria-valuetext", this.status.textContent ?? "");
  }

  toggle() {
    if (this.timer === undefined) this.play(this.moment === this.end ? 0 : this.moment);
    else this.pause();
  }

  /** @param {number} from */
  play(from) {
    this.pause();
    if (!this.copies || this.slider.disabled) return;
    this.status.setAttribute("aria-live", "off"); // else a screen reader would have to read three lines a second
    this.playButton.textContent = "❚❚ Pause";
    const tick = () => {
      const writing = this.moment > (this.end ?? 0) / 2;
      this.timer = setTimeout(() => {
        this.go(this.moment + 1);
        if (this.moment === this.end) this.pause();
        else tick();
      }, writing ? WRITING : READING);
    };
    this.go(from);
    tick();
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.playButton.textContent = "▶ Play";
    this.status.setAttribute("aria-live", "polite");
  }

  /** @param {number} by */
  stepBy(by) {
    this.pause();
    this.go(this.moment + by);
  }

  tabulate() {
    if (!this.numbers.open || !this.copies) return;
    const heads = this.panels.flatMap(({ name }) => [name, "sure", "bytes"]);
    const rows = this.copies[0].written.map((_, place) => {
      const cells = (this.copies ?? []).flatMap(({ written, steps, text }) => [
        written[place].letter === ">" ? "end" : written[place].letter,
        percent(written[place].probability),
        steps[text.length + 1 + place].bytes.toLocaleString("en-US"),
      ]);
      const asked = this.copies?.[0].text[place] ?? "end";
      return element("tr", {}, element("th", { scope: "row" }, asked), ...cells.map((cell) => element("td", {}, cell)));
    });
    this.table.replaceChildren(
      element(
        "table",
        {},
        element("thead", {}, element("tr", {}, ...["to copy", ...heads].map((head) => element("th", { scope: "col" }, head)))),
        element("tbody", {}, ...rows),
      ),
    );
  }

  close() {
    this.pause();
    this.host.off("change:text", this.textChanged);
  }
}

/** @param {{model: Host, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-copier");
  const copier = new Copier(model, el);
  return () => copier.close();
}

export default { render };
