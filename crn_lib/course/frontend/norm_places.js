// Rows of three numbers in a plane, and what the three places of the norm make of a pair: `crn_lib.ops.pre_activation`.

import { fixed } from "./dom.js";
import { add, layerNorm } from "./numbers.js";

const NOTHING = 1e-6; // below the rounding of rows that cancel

/** @typedef {"none" | "approx" | "exact"} Place */

const FIRST = [Math.SQRT1_2, -Math.SQRT1_2, 0];
const SECOND = [1, 1, -2].map((value) => value / Math.sqrt(6));

/**
 * The row of mean 0 that stands at a point: the plane's two directions are at right angles, and lengths are kept.
 * @param {number} x
 * @param {number} y
 */
export function rowAt(x, y) {
  return Float32Array.from(FIRST, (value, d) => x * value + y * SECOND[d]);
}

/**
 * Where a row stands; its mean is lost.
 * @param {ArrayLike<number>} row
 */
export function pointOf(row) {
  return [FIRST, SECOND].map((axis) => axis.reduce((sum, value, d) => sum + value * row[d], 0));
}

/**
 * What the exponential sees.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {Place} place
 */
export function preActivation(a, b, place) {
  if (place === "none") return add(a, b);
  return place === "exact" ? layerNorm(add(a, b)) : add(layerNorm(a), layerNorm(b));
}

/** @param {ArrayLike<number>} row */
export function deviation(row) {
  const values = Array.from(row);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/**
 * What the norm does with the sum of two rows, in words.
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
export function normInWords(a, b) {
  const sum = preActivation(a, b, "none");
  const left = deviation(sum);
  const correlation = (left ** 2 - deviation(a) ** 2 - deviation(b) ** 2) / 2;
  const alike = `Correlation of a and b ${fixed(correlation / (deviation(a) * deviation(b) || 1), 2)}.`;
  if (left < NOTHING) {
    return `${alike} Their sum is 0: the exact norm has nothing to normalise, and of the approximate form nothing is left.`;
  }
  return (
    `${alike} Their sum has standard deviation ${fixed(left, 2)}: the exact norm multiplies it by ${fixed(1 / left, 2)}; ` +
    `of the approximate form ${fixed(deviation(preActivation(a, b, "approx")), 2)} is left.`
  );
}
