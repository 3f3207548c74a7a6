// What runs in the Web Worker of `train.js`: it is sent the settings of a run, and tells of it until it is ended.

import { TrainingRun } from "./training_run.js";

addEventListener("message", ({ data }) => {
  const run = new TrainingRun(data.settings, data.steps);
  const started = performance.now();
  while (run.state === "training") {
    const point = run.advance();
    const seconds = (performance.now() - started) / 1000;
    postMessage({ point, seconds, state: run.state, sample: run.sample, written: run.write() });
  }
});
