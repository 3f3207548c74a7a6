// The controls of a bound figure on a page without a kernel: they choose among the figures that were recorded when the
// lesson was stored (`crn_lib.course.recorded`), and plotly draws them.

import { oneOf, slider, tick } from "./controls.js";
import { element, keepKeys } from "./dom.js";
import { decode } from "./recording.js";

/** @typedef {import("./copier.js").Host} Host */
/** @typedef {{words: string, kind: "slider" | "list" | "tick", options: string[], chosen: number}} Control */

class Sampled {
  /** @param {Host} host @param {HTMLElement} root */
  constructor(host, root) {
    /** @type {Control[]} */
    this.controls = host.get("controls");
    this.chosen = this.controls.map(({ chosen }) => chosen);
    const picture = root.parentElement?.querySelector("img"); // stands there until plotly (5 MB) draws
    this.plot = element("div", { class: "plot" }, ...(picture ? [picture] : []));
    this.plotly = figuresScript().then(async ({ shown, loadPlotly }) => {
      await shown(picture);
      const plotly = await loadPlotly();
      picture?.remove();
      return plotly;
    });
    this.words = element("div", {});
    this.status = element("div", { class: "said", "aria-live": "polite" });
    const settings = this.controls.reduce((product, { options }) => product * options.length, 1);
    const offered = host.get("offered");
    const all = settings === offered ? "all of them" : `of ${offered.toLocaleString("en-US")}`;
    root.append(
      element("div", { class: "controls" }, ...this.controls.map((control, number) => this.make(control, number))),
      this.status,
      element("div", { class: "plot-frame", tabindex: "0" }, this.plot),
      element("details", {}, element("summary", {}, "the figure in words"), this.words),
      element("div", { class: "note" }, `Sampled: ${settings} settings (${all}), recorded when the lesson was stored.`),
    );
    keepKeys(root);
    this.ready = decode(host.get("packed")).then((figures) => {
      this.figures = figures;
      return this.draw();
    });
  }

  /** @param {Control} control @param {number} number */
  make({ words, kind, options, chosen }, number) {
    /** @param {number} option */
    const choose = (option) => {
      this.chosen[number] = option;
      this.draw();
    };
    if (options.length === 1) return element("span", {}, `${words}: ${options[0]}`);
    if (kind === "tick") return tick(words, chosen === 1, (checked) => choose(Number(checked))).root;
    if (kind === "slider") {
      const range = { min: 0, max: options.length - 1, value: chosen };
      return slider(words, range, choose, (option) => options[option]).root;
    }
    const pairs = options.map((option, place) => /** @type {[string, string]} */ ([String(place), option]));
    if (options.length <= 4) return oneOf(`${words}:`, pairs, String(chosen), (option) => choose(Number(option)));
    const list = element("select", {}, ...pairs.map(([value, option]) => element("option", { value }, option)));
    list.selectedIndex = chosen;
    list.addEventListener("change", () => choose(list.selectedIndex));
    return element("label", { class: "list" }, words, list);
  }

  async draw() {
    if (!this.figures) return;
    const number = this.controls.reduce((place, { options }, at) => place * options.length + this.chosen[at], 0);
    const figure = this.figures(number);
    this.plot.parentElement?.toggleAttribute("hidden", typeof figure === "string");
    this.status.toggleAttribute("data-refused", typeof figure === "string");
    if (typeof figure === "string") {
      this.status.textContent = `Cannot draw this: ${figure}`;
      this.words.textContent = "";
      return;
    }
    const { data, layout } = figure;
    if (!this.plot.children.length || this.plot.querySelector("img")) this.plot.style.height = `${layout.height}px`;
    const plotly = await this.plotly;
    const words = plain(layout.title?.text ?? "");
    const { title, options } = /** @type {any} */ (window).fitPage(layout, this.plot); // of the site's figures.js
    this.status.toggleAttribute("data-title", Boolean(title));
    if (title) this.status.innerHTML = title;
    else this.status.textContent = words;
    await plotly.react(this.plot, data, layout, options);
    this.words.textContent = layout.meta?.description ?? "";
  }
}

/** What the site's figures.js, a deferred script, gives all scripts of a page. */
async function figuresScript() {
  if (!("loadPlotly" in window)) {
    await new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));
  }
  return /** @type {any} */ (window);
}

/** @param {string} marked text with plotly's few tags */
function plain(marked) {
  return marked
    .replace(/<br>/g, " ")
    .replace(/<[^>]*>/g, "")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

/** @param {{model: Host, el: HTMLElement}} place */
async function render({ model, el }) {
  el.classList.add("crn-widget", "crn-sampled");
  await new Sampled(model, el).ready;
}

export default { render };
