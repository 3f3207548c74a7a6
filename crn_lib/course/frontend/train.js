// Train a small copier in the page, change one thing, and see what becomes of it. The work is done in a Web Worker.

import { button, oneOf, slider } from "./controls.js";
import { element, keepKeys } from "./dom.js";
import { Curve } from "./train_curve.js";
import { differences, NAMES, running, summary, verdict } from "./train_words.js";

/** @typedef {import("./training_run.js").Settings} Settings */
/** @typedef {import("./train_words.js").Run} Run */

const RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
const STEPS = 400; // at most
const KEPT = 4; // runs shown

class Training {
  /** @param {{get(name: string): any}} host @param {HTMLElement} root */
  constructor(host, root) {
    this.root = root;
    this.script = URL.createObjectURL(new Blob([host.get("worker")], { type: "text/javascript" }));
    /** @type {Settings} */
    this.settings = { norm: "exact", activation: "exp", rate: 0.01, letters: 8, seed: 0 };
    /** @type {Run[]} the last one may be going on */
    this.runs = [];
    this.count = 0;
    /** @type {Worker | undefined} */
    this.worker = undefined;
    this.start = button("▶ Train", () => (this.worker ? this.stop() : this.train()));
    this.start.classList.add("play");
    this.status = element("div", { class: "status", "aria-live": "polite" }, "Nothing is trained yet.");
    this.sample = element("div", { class: "sample", role: "img" });
    this.right = new Curve(
      "letters right",
      (run) => run.points.map(({ right }) => right),
      1,
      (y) => `${100 * y}%`,
    );
    this.loss = new Curve("loss", (run) => run.points.map(({ loss }) => loss), 4, String);
    this.list = element("ul", { "aria-label": "the last runs" });
    root.append(
      this.controls(),
      element("div", { class: "buttons" }, this.start),
      this.status,
      this.sample,
      element("div", { class: "beside" }, this.right.root, this.loss.root),
      this.list,
    );
    keepKeys(root);
    this.show();
  }

  controls() {
    /** @param {keyof Settings} name @returns {(value: any) => void} */
    const put = (name) => (value) => {
      this.settings = { ...this.settings, [name]: value };
    };
    const { norm, activation, rate, letters, seed } = this.settings;
    /** @param {Record<string, string>} names */
    const options = (names) => /** @type {[string, string][]} */ (Object.entries(names));
    const rates = { min: 0, max: RATES.length - 1, value: RATES.indexOf(rate) };
    return element(
      "div",
      { class: "controls" },
      oneOf("norm", options(NAMES.norm), norm, put("norm")),
      oneOf("activation", options(NAMES.activation), activation, put("activation")),
      slider(
        "learning rate",
        rates,
        (place) => put("rate")(RATES[place]),
        (place) => String(RATES[place]),
      ).root,
      slider("letters", { min: 4, max: 8, value: letters }, put("letters")).root,
      slider("seed", { min: 0, max: 9, value: seed }, put("seed")).root,
    );
  }

  train() {
    /** @type {Run} */
    const run = { number: ++this.count, settings: this.settings, points: [], seconds: 0, state: "training" };
    this.runs = [...this.runs, run].slice(-KEPT);
    this.start.textContent = "■ Stop";
    this.status.setAttribute("aria-live", "off"); // several times a second there is something new
    this.show();
    const worker = new Worker(this.script);
    this.worker = worker;
    worker.addEventListener("message", ({ data }) => {
      if (this.worker !== worker) return; // it was on its way when the run was stopped
      const { point, ...rest } = data;
      run.points.push(point);
      Object.assign(run, rest);
      if (!this.root.isConnected) this.stop();
      else if (run.state !== "training") this.end();
      else this.show();
    });
    worker.addEventListener("error", ({ message }) => {
      run.state = "broken";
      this.end();
      this.status.textContent = `This page cannot train: ${message || "it may start no worker"}.`;
    });
    worker.postMessage({ settings: run.settings, steps: STEPS });
  }

  stop() {
    this.runs[this.runs.length - 1].state = "stopped";
    this.end();
  }

  end() {
    this.worker?.terminate();
    this.worker = undefined;
    this.start.textContent = "▶ Train";
    this.status.setAttribute("aria-live", "polite");
    this.show();
  }

  close() {
    this.end();
    URL.revokeObjectURL(this.script);
  }

  show() {
    const run = this.runs[this.runs.length - 1];
    this.right.draw(this.runs, STEPS);
    this.loss.draw(this.runs, STEPS);
    this.showSample(run ?? {});
    if (!run) return;
    const before = this.runs[this.runs.length - 2];
    this.status.textContent =
      run.state === "training" ? running(run) : [verdict(run), before && differences(run, before)].join(" ").trim();
    const items = this.runs.map((own) => {
      const swatch = element("span", { class: `swatch of-${own.number % KEPT}` });
      return element("li", { "data-run": own.number }, swatch, summary(own));
    });
    this.list.replaceChildren(...items);
  }

  /** A string it has not seen, as it writes it now. @param {{sample?: string, written?: string}} run */
  showSample({ sample = "", written = "" }) {
    const wanted = `${sample}>`;
    const cells = Array.from(sample && wanted, (letter, place) => {
      const said = written[place];
      return element(
        "span",
        { class: `letter ${said === letter ? "right" : "wrong"}` },
        element("span", {}, letter.replace(">", "■")),
        element("strong", {}, said.replace(">", "■")),
      );
    });
    this.sample.replaceChildren(
      ...(sample ? [element("span", {}, "to copy", element("br"), "written"), ...cells] : []),
    );
    this.sample.setAttribute(
      "aria-label",
      sample ? `to copy: ${sample}; written: ${written.replaceAll(">", "■")}` : "",
    );
    this.sample.hidden = !sample;
  }
}

/** @param {{model: any, el: HTMLElement}} place */
function render({ model, el }) {
  el.classList.add("crn-widget", "crn-train");
  const training = new Training(model, el);
  return () => training.close();
}

export default { render };
