// A dictionary that is read by cancellation, with the places of its keys in a plane: the rows of lesson 08's copier.

import { layerNorm } from "./numbers.js";
import { Pool } from "./pool.js";
import { poolStep } from "./relation_block.js";

/** @typedef {{x: number, y: number}} Place in standard deviations of a row */

/**
 * A row of mean 0 whose first columns, the letters', are empty: two waves in the others, of standard deviation 1 each.
 * @param {Place} place
 * @param {number} width
 * @param {number} letters
 */
export function placeRow({ x, y }, width, letters) {
  const waves = width - letters;
  const size = Math.sqrt((2 * width) / waves);
  return Float32Array.from({ length: width }, (_, column) => {
    if (column < letters) return 0;
    const angle = (2 * Math.PI * (column - letters)) / waves;
    return size * (x * Math.cos(angle) + y * Math.sin(angle));
  });
}

/**
 * Minus the place, and the letter as a spike of the size asked for: `B_j`.
 * @param {Place} place
 * @param {number} letter
 * @param {{width: number, letters: number, size: number}} shape
 */
export function senderRow(place, letter, { width, letters, size }) {
  const spike = layerNorm(Float32Array.from({ length: width }, (_, column) => Number(column === letter)));
  return placeRow(place, width, letters).map((value, column) => size * spike[column] - value);
}

/**
 * `mean_j exp(LN(a + b_j))`.
 * @param {Float32Array} receiver
 * @param {Float32Array[]} senders
 */
export function readOut(receiver, senders) {
  const pool = new Pool(receiver.length);
  for (const sender of senders.slice(0, -1)) pool.append(sender);
  return poolStep(receiver, senders[senders.length - 1], pool, 1);
}
