// One receiver and every sender that it sees: `crn_lib.analysis.pairs` and `relation_maps` in JavaScript, of head 0.

import { EPSILON } from "./numbers.js";

/** @typedef {import("./pool.js").Pool} Pool */
/** @typedef {"correlation" | "scale" | "share"} MapName */

/**
 * @param {Float32Array} row
 * @param {number} width of the head
 */
function centred(row, width) {
  const out = new Float64Array(width);
  let mean = 0;
  for (let d = 0; d < width; d++) mean += row[d];
  mean /= width;
  for (let d = 0; d < width; d++) out[d] = row[d] - mean;
  return out;
}

/**
 * Of every pair: the correlation of its two rows, the scale that the exact norm gives it, and its share of the output
 * (`crn_lib.analysis.influence`).
 * @param {Float32Array} receiver
 * @param {Float32Array[]} senders that it sees
 * @param {number} heads
 */
export function pairsOf(receiver, senders, heads = 1) {
  const width = receiver.length / heads;
  const rows = senders.map((sender) => centred(sender, width));
  return compare(centred(receiver, width), rows);
}

/**
 * The same of rows whose mean is 0. Plain loops: a map has thousands of pairs, and waits for a key.
 * @param {Float64Array} a
 * @param {Float64Array[]} senders
 * @returns {Record<MapName, Float64Array>}
 */
function compare(a, senders) {
  const width = a.length;
  const count = senders.length;
  const [correlation, scale, share] = [0, 1, 2].map(() => new Float64Array(count));
  const whole = new Float64Array(width);
  const each = new Float64Array(count * width);
  for (let j = 0, at = 0; j < count; j++, at += width) {
    const b = senders[j];
    let [both, ofA, ofB, ofSum] = [0, 0, 0, 0];
    for (let d = 0; d < width; d++) {
      both += a[d] * b[d];
      ofA += a[d] * a[d];
      ofB += b[d] * b[d];
      ofSum += (a[d] + b[d]) * (a[d] + b[d]);
    }
    correlation[j] = both / Math.sqrt((ofA + width * EPSILON) * (ofB + width * EPSILON));
    scale[j] = 1 / Math.sqrt(ofSum / width + EPSILON);
    let mean = 0;
    for (let d = 0; d < width; d++) {
      each[at + d] = Math.exp((a[d] + b[d]) * scale[j]);
      mean += each[at + d];
    }
    mean /= width;
    for (let d = 0; d < width; d++) {
      each[at + d] -= mean;
      whole[d] += each[at + d];
    }
  }
  let square = Number.MIN_VALUE;
  for (let d = 0; d < width; d++) square += whole[d] * whole[d];
  for (let j = 0, place = 0; j < count; j++) {
    for (let d = 0; d < width; d++) share[j] += each[place++] * whole[d];
    share[j] /= square;
  }
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
 * @param {(Record<MapName, Float64Array> | undefined)[]} [known] pairs of rows that need not be compared again
 */
export function pairsOfRows(receivers, pool, heads, known = []) {
  const width = pool.width / heads;
  const senders = Array.from({ length: pool.length }, (_, j) => centred(pool.row(j), width));
  const before = pool.length - receivers.length;
  return receivers.map(
    (receiver, row) => known[row] ?? compare(centred(receiver, width), senders.slice(0, before + row + 1)),
  );
}
