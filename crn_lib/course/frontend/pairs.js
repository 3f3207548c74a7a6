// One receiver and every sender that it sees: `crn_lib.analysis.pairs` and `relation_maps` in JavaScript, of head 0.

import { EPSILON } from "./numbers.js";

/** @typedef {import("./pool.js").Pool} Pool */
/** @typedef {"correlation" | "scale" | "share"} MapName */

/**
 * @param {Float32Array} row
 * @param {number} width of the head
 */
function centred(row, width) {
  const out = Float64Array.from(row.subarray(0, width));
  const mean = out.reduce((sum, value) => sum + value, 0) / width;
  return out.map((value) => value - mean);
}

/** @param {Float64Array} x @param {Float64Array} y */
function dot(x, y) {
  let sum = 0;
  for (let d = 0; d < x.length; d++) sum += x[d] * y[d];
  return sum;
}

/**
 * Of every pair: the correlation of its two rows, the scale that the exact norm gives it, and its share of the output
 * (`crn_lib.analysis.influence`).
 * @param {Float32Array} receiver
 * @param {Float32Array[]} senders that it sees
 * @param {number} heads
 * @returns {Record<MapName, Float64Array>}
 */
export function pairsOf(receiver, senders, heads = 1) {
  const width = receiver.length / heads;
  const a = centred(receiver, width);
  const size = Math.sqrt(dot(a, a) + width * EPSILON);
  const [correlation, scale, share] = [0, 1, 2].map(() => new Float64Array(senders.length));
  const whole = new Float64Array(width);
  const each = senders.map((sender, j) => {
    const b = centred(sender, width);
    correlation[j] = dot(a, b) / (size * Math.sqrt(dot(b, b) + width * EPSILON));
    const sum = a.map((value, d) => value + b[d]);
    scale[j] = 1 / Math.sqrt(dot(sum, sum) / width + EPSILON);
    const values = sum.map((value) => Math.exp(value * scale[j]));
    const mean = values.reduce((total, value) => total + value, 0) / width;
    for (let d = 0; d < width; d++) {
      values[d] -= mean;
      whole[d] += values[d];
    }
    return values;
  });
  const square = Math.max(dot(whole, whole), Number.MIN_VALUE);
  each.forEach((values, j) => {
    share[j] = dot(values, whole) / square;
  });
  return { correlation, scale, share };
}

/** @param {ArrayLike<number>} x */
export function argmin(x) {
  let best = 0;
  for (let place = 1; place < x.length; place++) if (x[place] < x[best]) best = place;
  return best;
}

/**
 * The pairs of every row of a block, each with the senders up to itself.
 * @param {Float32Array[]} receivers by row
 * @param {Pool} pool
 * @param {number} heads
 */
export function pairsOfRows(receivers, pool, heads) {
  const senders = Array.from({ length: pool.length }, (_, j) => pool.row(j));
  const before = pool.length - receivers.length;
  return receivers.map((receiver, row) => pairsOf(receiver, senders.slice(0, before + row + 1), heads));
}
