// Matrix products and norms of many rows at once, into arrays that are there already: what training spends its time on.

import { EPSILON } from "./numbers.js";

/** @typedef {Float64Array} Numbers */

/**
 * `out (m, n) = left (m, k) @ right (n, k)^T`, or that added to `out`.
 * @param {Numbers} out
 * @param {Numbers} left
 * @param {Numbers} right
 * @param {[m: number, n: number, k: number]} shape
 * @param {boolean} [added]
 */
export function multiply(out, left, right, [m, n, k], added = false) {
  if (!added) out.fill(0, 0, m * n);
  const rows = m - (m % 2);
  const columns = n - (n % 4);
  // Two rows by four columns at a time: each number that is loaded takes part in two products or four.
  for (let i = 0; i < rows; i += 2) {
    for (let j = 0; j < columns; j += 4) {
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0; // biome-ignore format: one a product
      const j0 = j * k;
      for (let c = 0, l0 = i * k, l1 = l0 + k, r0 = j0, r1 = r0 + k, r2 = r1 + k, r3 = r2 + k; c < k; c++) {
        const x = left[l0 + c];
        const y = left[l1 + c];
        const w0 = right[r0 + c];
        const w1 = right[r1 + c];
        const w2 = right[r2 + c];
        const w3 = right[r3 + c];
        a0 += x * w0;
        a1 += x * w1;
        a2 += x * w2;
        a3 += x * w3;
        b0 += y * w0;
        b1 += y * w1;
        b2 += y * w2;
        b3 += y * w3;
      }
      const at = i * n + j;
      out[at] += a0;
      out[at + 1] += a1;
      out[at + 2] += a2;
      out[at + 3] += a3;
      out[at + n] += b0;
      out[at + n + 1] += b1;
      out[at + n + 2] += b2;
      out[at + n + 3] += b3;
    }
  }
  for (let i = 0; i < m; i++) {
    for (let j = i < rows ? columns : 0; j < n; j++) {
      let sum = 0;
      for (let c = 0; c < k; c++) sum += left[i * k + c] * right[j * k + c];
      out[i * n + j] += sum;
    }
  }
}

/**
 * @param {Numbers} out (columns, rows)
 * @param {Numbers} x (rows, columns)
 * @param {number} rows
 * @param {number} columns
 */
export function transpose(out, x, rows, columns) {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = x[i * columns + j];
}

/**
 * Each row with mean 0 and population variance 1.
 * @param {Numbers} out
 * @param {Numbers} scales one a row: what its distances from the mean were multiplied by
 * @param {Numbers} x
 * @param {number} rows
 * @param {number} width
 */
export function normaliseRows(out, scales, x, rows, width) {
  for (let row = 0, from = 0; row < rows; row++, from += width) {
    let mean = 0;
    for (let d = from; d < from + width; d++) mean += x[d];
    mean /= width;
    let variance = 0;
    for (let d = from; d < from + width; d++) variance += (x[d] - mean) ** 2;
    const scale = 1 / Math.sqrt(variance / width + EPSILON);
    for (let d = from; d < from + width; d++) out[d] = (x[d] - mean) * scale;
    scales[row] = scale;
  }
}

/**
 * The gradient of `normaliseRows`, from that of its result: in place.
 * @param {Numbers} gradient
 * @param {Numbers} normalised
 * @param {Numbers} scales
 * @param {number} rows
 * @param {number} width
 */
export function normaliseRowsBack(gradient, normalised, scales, rows, width) {
  for (let row = 0, from = 0; row < rows; row++, from += width) {
    let mean = 0;
    let along = 0;
    for (let d = from; d < from + width; d++) {
      mean += gradient[d];
      along += gradient[d] * normalised[d];
    }
    mean /= width;
    along /= width;
    for (let d = from; d < from + width; d++) gradient[d] = scales[row] * (gradient[d] - mean - normalised[d] * along);
  }
}

/**
 * Each row with mean 0, in place. It is its own gradient.
 * @param {Numbers} x
 * @param {number} rows
 * @param {number} width
 */
export function centreRows(x, rows, width) {
  for (let from = 0; from < rows * width; from += width) {
    let mean = 0;
    for (let d = from; d < from + width; d++) mean += x[d];
    mean /= width;
    for (let d = from; d < from + width; d++) x[d] -= mean;
  }
}
