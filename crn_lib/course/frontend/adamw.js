// The optimizer of `crn_lib.training`: AdamW without weight decay, a warm-up, and a gradient of limited length.

/** @typedef {import("./products.js").Numbers} Numbers */

const FIRST = 0.9; // torch's own
const SECOND = 0.999;
const LEAST = 1e-8;
const CLIP = 1;

export class AdamW {
  /**
   * @param {number} size
   * @param {number} rate after the warm-up
   * @param {number} warmup steps
   */
  constructor(size, rate, warmup) {
    this.rate = rate;
    this.warmup = warmup;
    this.steps = 0;
    this.mean = new Float64Array(size);
    this.square = new Float64Array(size);
  }

  /**
   * One step, weights in place.
   * @param {Numbers} weights
   * @param {Numbers} gradient
   */
  step(weights, gradient) {
    this.steps++;
    let squares = 0;
    for (let place = 0; place < gradient.length; place++) squares += gradient[place] ** 2;
    const kept = Math.min(1, CLIP / (Math.sqrt(squares) + 1e-6));
    const rate = this.rate * Math.min(1, this.steps / this.warmup);
    const pace = rate / (1 - FIRST ** this.steps);
    const spread = 1 / Math.sqrt(1 - SECOND ** this.steps);
    for (let place = 0; place < gradient.length; place++) {
      const own = kept * gradient[place];
      this.mean[place] += (1 - FIRST) * (own - this.mean[place]);
      this.square[place] += (1 - SECOND) * (own * own - this.square[place]);
      weights[place] -= (pace * this.mean[place]) / (Math.sqrt(this.square[place]) * spread + LEAST);
    }
  }
}
