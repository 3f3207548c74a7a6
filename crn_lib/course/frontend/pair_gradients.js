// The relation of whole batches and its gradient, every pair written out: `crn_lib.ops.naive` in JavaScript.

import { EPSILON } from "./numbers.js";
import { centreRows, normaliseRows, normaliseRowsBack } from "./products.js";

/** @typedef {import("./products.js").Numbers} Numbers */
/** @typedef {"exact" | "approx" | "none"} Norm */
/** @typedef {"exp" | "squared_relu" | "relu" | "identity"} Activation */

/** @type {Record<Activation, (z: number) => number>} */
const VALUES = {
  exp: Math.exp,
  squared_relu: (z) => (z > 0 ? z * z : 0),
  relu: (z) => Math.max(z, 0),
  identity: (z) => z,
};

/** @type {Record<Activation, (value: number) => number>} the slope, from the value */
const SLOPES = {
  exp: (value) => value,
  squared_relu: (value) => 2 * Math.sqrt(value),
  relu: (value) => (value > 0 ? 1 : 0),
  identity: () => 1,
};

/** `out_i = 1/(i+1) sum_{j<=i} f(norm(a_i, b_j))` of `batch` sequences of `length` rows of `width` numbers. */
export class BatchRelation {
  /**
   * @param {{batch: number, length: number, width: number, norm: Norm, activation: Activation}} shape
   */
  constructor({ batch, length, width, norm, activation }) {
    const rows = batch * length;
    this.shape = { batch, length, width, norm, rows };
    this.value = VALUES[activation];
    this.slope = SLOPES[activation];
    this.a = new Float64Array(rows * width); // as they meet: centred, normalised or as they came
    this.b = new Float64Array(rows * width);
    this.aScales = new Float64Array(rows);
    this.bScales = new Float64Array(rows);
    this.pairs = new Float64Array((batch * length * (length + 1) * width) / 2); // f of each, row after row
    this.scales = new Float64Array((batch * length * (length + 1)) / 2).fill(1);
  }

  /**
   * @param {Numbers} out (rows, width)
   * @param {Numbers} receivers
   * @param {Numbers} senders
   */
  forward(out, receivers, senders) {
    const { batch, length, width, norm, rows } = this.shape;
    const { a, b, pairs, scales, value } = this;
    this.meet(a, this.aScales, receivers);
    this.meet(b, this.bScales, senders);
    out.fill(0, 0, rows * width);
    for (let sequence = 0, pair = 0; sequence < batch; sequence++) {
      const first = sequence * length * width;
      for (let i = 0; i < length; i++) {
        const receiver = first + i * width;
        for (let j = 0, sender = first; j <= i; j++, pair++, sender += width) {
          let scale = 1;
          if (norm === "exact") {
            let squares = 0;
            for (let d = 0; d < width; d++) squares += (a[receiver + d] + b[sender + d]) ** 2;
            scale = 1 / Math.sqrt(squares / width + EPSILON);
            scales[pair] = scale;
          }
          for (let d = 0, at = pair * width; d < width; d++, at++) {
            pairs[at] = value((a[receiver + d] + b[sender + d]) * scale);
            out[receiver + d] += pairs[at];
          }
        }
        for (let d = receiver; d < receiver + width; d++) out[d] /= i + 1;
      }
    }
  }

  /**
   * @param {Numbers} receivers where their gradient goes
   * @param {Numbers} senders
   * @param {Numbers} gradient of what `forward` gave last
   */
  backward(receivers, senders, gradient) {
    const { batch, length, width, norm, rows } = this.shape;
    const { a, b, pairs, scales, slope } = this;
    receivers.fill(0, 0, rows * width);
    senders.fill(0, 0, rows * width);
    for (let sequence = 0, pair = 0; sequence < batch; sequence++) {
      const first = sequence * length * width;
      for (let i = 0; i < length; i++) {
        const receiver = first + i * width;
        for (let j = 0, sender = first; j <= i; j++, pair++, sender += width) {
          const scale = scales[pair];
          const from = pair * width;
          let along = 0; // of the gradient, the part along the pair: a norm keeps nothing of it
          for (let d = 0; d < width; d++) {
            pairs[from + d] = gradient[receiver + d] * slope(pairs[from + d]);
            along += pairs[from + d] * (a[receiver + d] + b[sender + d]);
          }
          along *= norm === "exact" ? (scale * scale) / width : 0;
          for (let d = 0; d < width; d++) {
            const own = (scale / (i + 1)) * (pairs[from + d] - along * (a[receiver + d] + b[sender + d]));
            receivers[receiver + d] += own;
            senders[sender + d] += own;
          }
        }
      }
    }
    this.meetBack(receivers, a, this.aScales);
    this.meetBack(senders, b, this.bScales);
  }

  /**
   * What is done to each row before it meets another. Of a normed pair the mean is the sum of the rows' means.
   * @param {Numbers} out
   * @param {Numbers} rowScales
   * @param {Numbers} x
   */
  meet(out, rowScales, x) {
    const { norm, rows, width } = this.shape;
    if (norm === "approx") normaliseRows(out, rowScales, x, rows, width);
    else out.set(x);
    if (norm === "exact") centreRows(out, rows, width);
  }

  /**
   * @param {Numbers} gradient
   * @param {Numbers} normalised
   * @param {Numbers} rowScales
   */
  meetBack(gradient, normalised, rowScales) {
    const { norm, rows, width } = this.shape;
    if (norm === "approx") normaliseRowsBack(gradient, normalised, rowScales, rows, width);
    if (norm === "exact") centreRows(gradient, rows, width);
  }
}
