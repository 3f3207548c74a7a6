// Rows of three numbers in a plane, and what the three places of the norm make of a pair: `crn_lib.ops.pre_activation`.

import { add, layerNorm } from "./numbers.js";

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
